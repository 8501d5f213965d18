//! What lies at a blind drop for us: fetched, given to `arrive`, and removed once there is nothing more to say of it. A bundle
//! goes when its receipt is signed; one that lies there after that was put again, and gets the same receipt again.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use amanah_format::digest::Digest;
use amanah_format::id::PartyId;
use tokio::time::Instant;

use crate::engine::inbound::{Inbound, InboundEvent};
use crate::stage::door::bytes_max;
use crate::stage::listed::{Listing, Waiting};
use crate::stage::pull::{is_judged, take_in};
use crate::stage::room::Room;
use crate::stage::ship::SessionEnd;
use crate::stage::{IDLE, Node, StageError};
use crate::transport::link::{BlindLink, Denied, LinkError, Offer, WireName};

use super::{Blind, Pace};

/// A name that was turned away is not fetched again for so long …
const SHUN_FIRST: Duration = Duration::from_secs(5);
/// … and each time longer, up to this: the server may put what it likes.
const SHUN_MAX: Duration = Duration::from_secs(600);
/// Names remembered as turned away; beyond, all are forgotten.
const SHUNNED_MAX: usize = 10_000;

/// A name that was fetched and turned away.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shunned {
    times: u32,
    until: Instant,
}

/// What we know of a name on offer.
enum Known {
    /// To be fetched.
    New,
    /// Taken over, its answer is not signed yet.
    Wait,
    /// Answered before.
    Answered(Digest, Inbound),
}

impl Blind {
    /// Fetches as long as the connection lives.
    pub(super) async fn fetch<L: BlindLink>(&self, link: &L) -> SessionEnd {
        let listing = Listing::new();
        let [medium, large, huge] = listing.large();
        tokio::select! {
            end = self.fetch_small(link, &listing) => end,
            end = self.fetch_large(link, medium) => end,
            end = self.fetch_large(link, large) => end,
            end = self.fetch_large(link, huge) => end,
        }
    }

    async fn fetch_small<L: BlindLink>(&self, link: &L, listing: &Listing) -> SessionEnd {
        let mut pace = Pace::default();
        loop {
            let small = match link.offers().await {
                Ok(offers) => listing.tell(offers),
                Err(error) => return error.into(),
            };
            let news = match self.fetch_round(link, small).await {
                Ok(news) => news,
                Err(end) => return end,
            };
            if let Err(error) = link.wait(pace.after(news)).await {
                return error.into();
            }
        }
    }

    /// One bundle of a class after the other, as the rounds over what is small find them.
    async fn fetch_large<L: BlindLink>(&self, link: &L, mut waiting: Waiting) -> SessionEnd {
        loop {
            let offers = waiting.next(|| IDLE).await;
            if let Err(end) = self.fetch_round(link, offers).await {
                return end;
            }
        }
    }

    /// One round over what lies there; true when there was something to do.
    async fn fetch_round<L: BlindLink>(
        &self,
        link: &L,
        offers: Vec<Offer>,
    ) -> Result<bool, SessionEnd> {
        let now = Instant::now();
        let fresh: Vec<Offer> = {
            let shunned = self.shunned();
            let alone = |offer: &Offer| shunned.get(&offer.name).is_some_and(|one| now < one.until);
            offers.into_iter().filter(|offer| !alone(offer)).collect()
        };
        let peer = self.ship.peer.clone();
        let fresh = self.ship.apart(move |node| known(node, &peer, fresh));
        let mut news = false;
        for (offer, known) in fresh.await? {
            match known {
                Known::Wait => {}
                Known::New => {
                    self.take(link, offer).await?;
                    news = true;
                }
                Known::Answered(digest, state) => {
                    if self.remove(link, offer.name).await? && state == Inbound::Delivered {
                        self.answer_again(digest).await?;
                        news = true;
                    }
                }
            }
        }
        Ok(news)
    }

    /// The sender has no receipt, or somebody repeats what it sent: either way the same receipt.
    async fn answer_again(&self, digest: Digest) -> Result<(), StageError> {
        let again = self.ship.apart(move |node| {
            let (event, now) = (InboundEvent::CameAgain, node.clock.now());
            Ok(node.journal.advance_inbound(&digest, event, now)?)
        });
        again.await?;
        let node = &self.ship.node;
        tracing::info!(manifest = %digest, peer = %self.ship.peer, "came again: the same receipt is put again");
        node.bells.peer(&self.ship.peer).ring();
        node.bells.publish.ring();
        Ok(())
    }

    async fn take<L: BlindLink>(&self, link: &L, offer: Offer) -> Result<(), SessionEnd> {
        let (room, peer) = (self.ship.room, self.ship.peer.clone());
        let fits = self
            .ship
            .apart(move |node| fits(node, offer, (room, &peer)));
        let outcome = if let Err(denied) = fits.await? {
            Err(denied)
        } else {
            match take_in(&self.ship, link, offer).await {
                // Removed or replaced since it was listed, or not ours to read: looked for again later.
                Err(SessionEnd::Link(LinkError::Denied { message, .. })) => Err(Denied {
                    code: "failure".to_owned(),
                    message,
                }),
                taken => taken?,
            }
        };
        match &outcome {
            Ok(()) => {
                self.shunned().remove(&offer.name);
            }
            Err(denied) => {
                tracing::warn!(peer = %self.ship.peer, name = %offer.name, code = denied.code, "fetched, but not taken: {}", denied.message);
                self.shun(offer.name);
            }
        }
        let is_kept = matches!(offer.name, WireName::Bundle(_)) && outcome.is_ok();
        if is_judged(&outcome) && !is_kept {
            self.remove(link, offer.name).await?;
        }
        // A receipt ends what we lent.
        self.ship.node.bells.peer(&self.ship.peer).ring();
        Ok(())
    }

    fn shun(&self, name: WireName) {
        let mut shunned = self.shunned();
        if shunned.len() >= SHUNNED_MAX {
            shunned.clear();
        }
        let times = shunned.get(&name).map_or(0, |one| one.times);
        let doubled = 1_u32.checked_shl(times.min(16)).unwrap_or(u32::MAX);
        let wait = SHUN_FIRST.saturating_mul(doubled).min(SHUN_MAX);
        let one = Shunned {
            times: times.saturating_add(1),
            until: Instant::now() + wait,
        };
        shunned.insert(name, one);
    }

    /// Removes what lies there for us; false when it was gone already, or may not be removed.
    pub(super) async fn remove<L: BlindLink>(
        &self,
        link: &L,
        name: WireName,
    ) -> Result<bool, SessionEnd> {
        match link.taken(name).await {
            Ok(()) => Ok(true),
            Err(error) if error.is_gone() => Ok(false),
            Err(LinkError::Denied { message, .. }) => {
                self.denied(&name.to_string(), &message);
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn shunned(&self) -> MutexGuard<'_, HashMap<WireName, Shunned>> {
        self.shunned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn known(
    node: &Node,
    peer: &PartyId,
    offers: Vec<Offer>,
) -> Result<Vec<(Offer, Known)>, StageError> {
    let mut found = Vec::new();
    for offer in offers {
        let row = match offer.name {
            WireName::Bundle(digest) => node.journal.inbound(&digest)?,
            WireName::Receipt(_) | WireName::Slip(_) => None,
        };
        // A row of another sender is not this peer's bundle.
        let row = row.filter(|row| &row.peer == peer);
        let known = match row.map(|row| (row.digest, row.state)) {
            None => Known::New,
            Some((digest, state @ (Inbound::Acknowledged | Inbound::Delivered))) => {
                Known::Answered(digest, state)
            }
            Some((_, Inbound::Held | Inbound::Admitted | Inbound::Imported | Inbound::Refused)) => {
                Known::Wait
            }
        };
        found.push((offer, known));
    }
    Ok(found)
}

/// Whether there is room for it. `failure` leaves it where it is; what is longer than anything of its kind is turned away.
fn fits(
    node: &Node,
    offer: Offer,
    (room, peer): (Room, &PartyId),
) -> Result<Result<(), Denied>, StageError> {
    let now = node.clock.now();
    let denied = |code: &str, message: &str| Denied {
        code: code.to_owned(),
        message: message.to_owned(),
    };
    if offer.bytes > bytes_max(offer.name) {
        let name = offer.name.to_string();
        node.board.alarm("too-large", &name, now);
        return Ok(Err(denied("too-large", "nothing of its kind is that long")));
    }
    if node.spool.free_bytes()? < offer.bytes.saturating_add(room.free_bytes_min) {
        node.board.alarm("no-space", "spool", now);
        return Ok(Err(denied("failure", "there is no space left for it")));
    }
    node.board.quiet("no-space", "spool");
    let is_bundle = matches!(offer.name, WireName::Bundle(_));
    if is_bundle && room.left(node, peer)? < offer.bytes {
        node.board.alarm("quota-exceeded", peer.as_str(), now);
        return Ok(Err(denied("failure", "its quota is used up")));
    }
    Ok(Ok(()))
}
