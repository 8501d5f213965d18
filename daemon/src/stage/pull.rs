//! Pull: fetches what waits at a peer that we dialled, resuming at our synced prefix, and gives it to `arrive`. A bundle stays on
//! offer there until its receipt comes; a receipt or slip is removed once it is durable here. The peer's server may offer
//! anything: what is too long, what there is no room for and what was of no use is left alone, and a server that never lets us
//! wait is waited for. What is large is fetched beside the rest, so that receipts and small bundles pass it.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use amanah_format::id::PartyId;
use amanah_format::limits::BUNDLE_HEAD_BYTES;

use crate::engine::inbound::Inbound;
use crate::journal::InboundRow;
use crate::spool::SpoolError;
use crate::spool::part::Part;
use crate::transport::link::{Denied, GONE, Link, LinkError, Offer, WireName};

use super::door::bytes_max;
use super::listed::{Listing, Waiting};
use super::room::Room;
use super::ship::{SessionEnd, Ship};
use super::{IDLE, Node, StageError, early};

/// Codes of what may come out otherwise the next time: damage, a fault of ours, an agreement that is not installed yet, what was
/// withdrawn.
const NOT_FINAL: [&str; 4] = ["damaged", "failure", "agreement-unknown", GONE];
/// It is fetched again after so long.
const AGAIN: Duration = Duration::from_secs(5);
/// What was turned away for what it is, is not fetched again before so long.
const NEVER: Duration = Duration::from_secs(86_400);
/// Names that are left alone in one session: a server that offers more of no use has nothing for us.
const ALONE_MAX: usize = 10_000;
/// So much of what is small is fetched before it is looked again what waits: what is urgent stands first in a listing.
const ROUND_MAX: usize = 32;
/// Rounds that bring nothing although the peer called: so many are its bell's; from then on each waits longer.
const IDLE_ROUNDS: u32 = 3;
/// The first of these waits, and the longest.
const PAUSE: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Names that are left alone, and until when.
type Alone = HashMap<WireName, Instant>;

/// Fetches as long as the connection lives.
pub(crate) async fn fetch<L: Link>(ship: &Ship, link: &L) -> SessionEnd {
    let listing = Listing::new();
    let [medium, large, huge] = listing.large();
    tokio::select! {
        end = fetch_small(ship, link, &listing) => end,
        end = fetch_large(ship, link, medium) => end,
        end = fetch_large(ship, link, large) => end,
        end = fetch_large(ship, link, huge) => end,
    }
}

/// One bundle of a class after the other, as the rounds over what is small find them.
async fn fetch_large<L: Link>(ship: &Ship, link: &L, mut waiting: Waiting) -> SessionEnd {
    let mut alone = Alone::new();
    loop {
        // Told, or the time has come to try one again: either way it is looked what waits.
        let mut offers = waiting.next(|| next_try(&alone)).await;
        // After each of them what is urgent may stand before the next.
        loop {
            match fetch_waiting(ship, link, (offers, 1), &mut alone).await {
                Ok(0) => break,
                Ok(_) => offers = waiting.now(),
                Err(end) => return end,
            }
        }
    }
}

/// Receipts, slips, small bundles; the others are told what waits.
async fn fetch_small<L: Link>(ship: &Ship, link: &L, listing: &Listing) -> SessionEnd {
    let mut alone = Alone::new();
    let mut idle_rounds: u32 = 0;
    loop {
        let small = match link.offers().await {
            Ok(offers) => listing.tell(offers),
            Err(error) => return error.into(),
        };
        let got = match fetch_waiting(ship, link, (small, ROUND_MAX), &mut alone).await {
            Ok(ROUND_MAX) => continue,
            Ok(got) => got,
            Err(end) => return end,
        };
        let begun = Instant::now();
        if let Err(error) = link.wait(next_try(&alone)).await {
            return error.into();
        }
        let was_idle = got == 0 && begun.elapsed() < PAUSE;
        idle_rounds = if was_idle {
            idle_rounds.saturating_add(1)
        } else {
            0
        };
        // A sleep of no time takes up to a millisecond.
        let pause = pause(idle_rounds);
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }
}

/// How long until a name that is left alone is tried again, or something may wait of which nobody told.
fn next_try(alone: &Alone) -> Duration {
    let next = alone.values().min();
    let until = next.map(|next| next.saturating_duration_since(Instant::now()));
    until.map_or(IDLE, |until| until.clamp(PAUSE, IDLE))
}

/// How long to wait after so many rounds that brought nothing and came at once.
fn pause(idle_rounds: u32) -> Duration {
    let over = idle_rounds.saturating_sub(IDLE_ROUNDS);
    PAUSE.saturating_mul(over).min(PAUSE_MAX)
}

/// One round over what the peer offers, at most so much of it; how much was taken.
async fn fetch_waiting<L: Link>(
    ship: &Ship,
    link: &L,
    (offers, most): (Vec<Offer>, usize),
    alone: &mut Alone,
) -> Result<usize, SessionEnd> {
    let now = Instant::now();
    alone.retain(|_, until| *until > now);
    let (room, peer) = (ship.room, ship.peer.clone());
    let left_alone = alone.clone();
    let wanted = ship.apart(move |node| {
        let fresh = offers
            .into_iter()
            .filter(|offer| !left_alone.contains_key(&offer.name));
        wanted(node, (fresh, most), (room, &peer))
    });
    let mut got = 0;
    for offer in wanted.await? {
        let until = match fetch_one(ship, link, offer).await? {
            Ok(()) => {
                got += 1;
                continue;
            }
            Err(denied) if NOT_FINAL.contains(&denied.code.as_str()) => AGAIN,
            Err(denied) => {
                tracing::warn!(peer = %ship.peer, name = %offer.name, code = denied.code, "fetched, but not taken");
                NEVER
            }
        };
        alone.insert(offer.name, Instant::now() + until);
        if alone.len() > ALONE_MAX {
            let text = "the peer offers more of no use than anybody could send";
            return Err(LinkError::Broken(text.to_owned()).into());
        }
    }
    Ok(got)
}

/// A bundle that is known is waiting there for our receipt only; what is longer than anything of its kind, or than there is
/// room for, is not begun.
fn wanted(
    node: &Arc<Node>,
    (offers, most): (impl Iterator<Item = Offer>, usize),
    (bounds, peer): (Room, &PartyId),
) -> Result<Vec<Offer>, StageError> {
    let free = node.spool.free_bytes()?;
    let mut room = free.saturating_sub(bounds.free_bytes_min);
    let mut quota = bounds.left(node, peer)?;
    let mut wanted = Vec::new();
    for offer in offers {
        if let WireName::Bundle(digest) = offer.name
            && let Some(row) = node.journal.inbound(&digest)?
            && !is_nowhere(node, &row)?
        {
            continue;
        }
        if offer.bytes > bytes_max(offer.name) {
            continue;
        }
        if offer.bytes > room {
            let now = node.clock.now();
            node.board.alarm("no-space", "spool", now);
            continue;
        }
        // What is here of it already is counted already.
        let here = node.spool.part_prefix(peer, &offer.name.to_string())?;
        let missing = offer.bytes.saturating_sub(here.unwrap_or(0));
        if missing > quota && matches!(offer.name, WireName::Bundle(_)) {
            let now = node.clock.now();
            node.board.alarm("quota-exceeded", peer.as_str(), now);
            continue;
        }
        quota = quota.saturating_sub(missing);
        room -= offer.bytes;
        wanted.push(offer);
        if wanted.len() >= most {
            break;
        }
    }
    Ok(wanted)
}

/// Whether it is to be imported, and nothing of it lies here any more.
pub(super) fn is_nowhere(node: &Node, row: &InboundRow) -> Result<bool, SpoolError> {
    Ok(row.state == Inbound::Admitted && node.spool.is_nowhere(&row.peer, &row.digest)?)
}

/// The whole of one offer, and what `arrive` says of it; what is done with is removed at the peer.
async fn fetch_one<L: Link>(
    ship: &Ship,
    link: &L,
    offer: Offer,
) -> Result<Result<(), Denied>, SessionEnd> {
    let outcome = match take_in(ship, link, offer).await {
        // Withdrawn since it was listed, as a slip that a newer one replaces: the others' turn comes, over the same connection.
        Err(SessionEnd::Link(error)) if error.is_gone() => Err(Denied {
            code: GONE.to_owned(),
            message: error.to_string(),
        }),
        taken => taken?,
    };
    if is_judged(&outcome) && !matches!(offer.name, WireName::Bundle(_)) {
        match link.taken(offer.name).await {
            Err(error) if !error.is_gone() => return Err(error.into()),
            _ => {}
        }
    }
    Ok(outcome)
}

/// Whether there is nothing more to say of these bytes: not where this machine failed, nor where a document is not here yet.
pub(super) fn is_judged(outcome: &Result<(), Denied>) -> bool {
    match outcome {
        Ok(()) => true,
        Err(denied) => !["failure", "agreement-unknown", GONE].contains(&denied.code.as_str()),
    }
}

/// The whole of one offer, and what `arrive` says of it.
pub(super) async fn take_in<L: Link>(
    ship: &Ship,
    link: &L,
    offer: Offer,
) -> Result<Result<(), Denied>, SessionEnd> {
    match offer.name {
        WireName::Bundle(_) => take_in_bundle(ship, link, offer).await,
        WireName::Receipt(_) | WireName::Slip(_) => take_in_small(ship, link, offer).await,
    }
}

/// A receipt or slip, in memory: what is broken off is fetched anew, for by then it may be another.
async fn take_in_small<L: Link>(
    ship: &Ship,
    link: &L,
    offer: Offer,
) -> Result<Result<(), Denied>, SessionEnd> {
    let most = usize::try_from(offer.bytes).unwrap_or(usize::MAX);
    let mut container = Vec::new();
    let mut sink = |_, bytes: &[u8]| {
        if container.len().saturating_add(bytes.len()) > most {
            let text = "it is longer than it was offered";
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        container.extend_from_slice(bytes);
        Ok(())
    };
    match link.get(offer.name, 0, &mut sink).await {
        Err(LinkError::Local(error)) => return Ok(Err(Denied::failure(&error))),
        got => got?,
    }
    let (arrive, peer) = (Arc::clone(&ship.arrive), ship.peer.clone());
    let outcome = ship.apart(move |_| Ok(arrive.take(&peer, offer.name, &container)));
    Ok(outcome.await?)
}

/// A bundle, into its part, from where that ends.
async fn take_in_bundle<L: Link>(
    ship: &Ship,
    link: &L,
    offer: Offer,
) -> Result<Result<(), Denied>, SessionEnd> {
    let peer = ship.peer.clone();
    let mut part = ship.apart(move |node| open(node, &peer, offer)).await??;
    let from = part.prefix();
    let mut is_considered = false;
    let mut sink = |offset, bytes: &[u8]| {
        write(&mut part, offset, bytes)?;
        if !is_considered && part.prefix() >= BUNDLE_HEAD_BYTES {
            is_considered = true;
            if let WireName::Bundle(digest) = offer.name {
                early::consider(&ship.node, &ship.peer, digest, &mut part);
            }
        }
        Ok(())
    };
    match link.get(offer.name, from, &mut sink).await {
        // This machine's fault with one name ends no connection: the others' turn comes.
        Err(LinkError::Local(error)) => return Ok(Err(Denied::failure(&error))),
        got => got?,
    }
    let (arrive, peer) = (Arc::clone(&ship.arrive), ship.peer.clone());
    let outcome = ship.apart(move |_| {
        part.sync()?;
        drop(part);
        Ok(arrive.hand_over(&peer, offer.name))
    });
    Ok(outcome.await?)
}

/// The part that it goes into. One that is longer than what is offered now is of something else.
fn open(
    node: &Arc<Node>,
    peer: &PartyId,
    offer: Offer,
) -> Result<Result<Part, LinkError>, StageError> {
    let name = offer.name.to_string();
    let part = node.spool.part(peer, &name, offer.bytes)?;
    if part.prefix() <= offer.bytes {
        return Ok(Ok(part));
    }
    drop(part);
    node.spool.drop_part(peer, &name)?;
    let text = "the peer offers less than it did before";
    Ok(Err(LinkError::Broken(text.to_owned())))
}

fn write(part: &mut Part, offset: u64, bytes: &[u8]) -> io::Result<()> {
    part.write_at(offset, bytes).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_withdrew_is_not_judged_and_asked_for_again() {
        let gone = Denied {
            code: GONE.to_owned(),
            message: String::new(),
        };
        assert!(NOT_FINAL.contains(&gone.code.as_str()));
        assert!(!is_judged(&Err(gone)));
        let denied = |code: Option<&str>| LinkError::Denied {
            code: code.map(str::to_owned),
            message: String::new(),
        };
        assert!(denied(Some("no-such-file")).is_gone());
        for error in [
            denied(Some("stopping")),
            denied(None),
            LinkError::Broken("cut".to_owned()),
        ] {
            assert!(!error.is_gone());
        }
    }

    #[test]
    fn a_peer_that_never_lets_us_wait_is_waited_for_and_an_ordinary_bell_is_not() {
        assert_eq!(pause(0), Duration::ZERO);
        assert_eq!(pause(IDLE_ROUNDS), Duration::ZERO);
        assert_eq!(pause(IDLE_ROUNDS + 1), PAUSE);
        assert_eq!(pause(u32::MAX), PAUSE_MAX);
    }
}
