//! Blind: an exchange through a server that knows nothing of us (FORMAT.md §16.3). What we put there is lent,
//! not handed over: a bundle stays `queued` and is put again until its receipt comes; a receipt or slip counts as delivered
//! when the peer has removed it. What lies there for us is judged as if the peer had pushed it, and then removed.
//!
//! Nothing here is recorded but by the other stages: after a restart all is put again that does not lie there, which costs bytes
//! and is answered by the same receipt.

mod fetch;
mod lent;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::transport::link::{BlindLink, LaneChannel, Left, LinkError, Offer, Upload, WireName};

use self::fetch::Shunned;
use self::lent::{Lent, Lies, Step};
use super::door::taken;
use super::ship::{SessionEnd, Ship, ended};
use super::{IDLE, StageError};

/// Between two looks into a folder while something is going on …
const LOOK_FIRST: Duration = Duration::from_secs(1);
/// … and at most.
const LOOK_MAX: Duration = Duration::from_secs(10);

/// The exchange with one peer through its drop.
pub(crate) struct Blind {
    ship: Arc<Ship>,
    /// What we put, by name.
    lent: Mutex<HashMap<WireName, Lent>>,
    /// What was fetched and turned away.
    shunned: Mutex<HashMap<WireName, Shunned>>,
}

/// How long to wait for the next look: longer each time that there was nothing new.
#[derive(Default)]
struct Pace(u32);

impl Pace {
    fn after(&mut self, news: bool) -> Duration {
        self.0 = if news { 0 } else { self.0.saturating_add(1) };
        let doubled = 1_u32.checked_shl(self.0.min(8)).unwrap_or(u32::MAX);
        LOOK_FIRST.saturating_mul(doubled).min(LOOK_MAX)
    }
}

impl Blind {
    pub(crate) fn new(ship: Arc<Ship>) -> Self {
        Self {
            ship,
            lent: Mutex::default(),
            shunned: Mutex::default(),
        }
    }

    /// Runs until the connection breaks, or somebody asks for a stop or pause.
    pub(crate) async fn session<L: BlindLink>(self: Arc<Self>, link: Arc<L>) -> SessionEnd {
        let link = &*link;
        let end = tokio::select! {
            end = self.put_lane(link, LaneChannel::Urgent) => end,
            end = self.put_lane(link, LaneChannel::Normal) => end,
            end = self.put_lane(link, LaneChannel::Bulk) => end,
            end = self.fetch(link) => end,
            end = self.ship.until_asked() => end,
        };
        ended(&self.ship, end).await
    }

    async fn put_lane<L: BlindLink>(&self, link: &L, lane: LaneChannel) -> SessionEnd {
        let mut pace = Pace::default();
        loop {
            let bell = self.ship.node.bells.peer(&self.ship.peer);
            let heard = bell.heard();
            let news = match self.put_round(link, lane).await {
                Ok(news) => news,
                Err(end) => return end,
            };
            let wait = pace.after(news);
            // With nothing of ours there, nothing changes until the bell.
            let wait = if self.lent().is_empty() { IDLE } else { wait };
            bell.waited(heard, wait).await;
        }
    }

    /// One round over what waits in a lane; true when something was put or has gone.
    async fn put_round<L: BlindLink>(
        &self,
        link: &L,
        lane: LaneChannel,
    ) -> Result<bool, SessionEnd> {
        let peer = self.ship.peer.clone();
        let waiting = self
            .ship
            .apart(move |node| lent::waiting(node, &peer, lane));
        let waiting = waiting.await?;
        if self.ship.paused().await || (waiting.is_empty() && lane != LaneChannel::Urgent) {
            return Ok(false);
        }
        let left = link.left().await?;
        let mut news = false;
        for (offer, held) in waiting {
            match self.step(offer, held, &left) {
                Step::Stay => {}
                Step::Taken => {
                    self.lent().remove(&offer.name);
                    self.delivered(offer.name).await?;
                    news = true;
                }
                Step::Put => {
                    self.put_or_say(link, lane, offer, &left).await?;
                    news = true;
                }
            }
        }
        if lane == LaneChannel::Urgent {
            news |= self.clear(link, &left).await?;
        }
        Ok(news)
    }

    fn step(&self, offer: Offer, held: bool, left: &[Left]) -> Step {
        let lies = left
            .iter()
            .find(|one| one.handed_over && one.name == offer.name);
        let lies = match lies {
            Some(one) if one.bytes == offer.bytes => Lies::Whole,
            Some(_) => Lies::Altered,
            None => Lies::Nowhere,
        };
        lent::step(offer.name, lies, (&mut self.lent(), held), Instant::now())
    }

    /// The peer has removed a receipt or slip.
    async fn delivered(&self, name: WireName) -> Result<(), StageError> {
        let peer = self.ship.peer.clone();
        let noted = self.ship.apart(move |node| {
            taken(node, &peer, name).map_err(|denied| StageError::Other(denied.to_string()))
        });
        noted.await
    }

    /// A refusal of the server is said and tried again; anything else ends the session.
    async fn put_or_say<L: BlindLink>(
        &self,
        link: &L,
        lane: LaneChannel,
        offer: Offer,
        left: &[Left],
    ) -> Result<(), SessionEnd> {
        let node = &self.ship.node;
        match self.put(link, lane, offer, left).await {
            Ok(()) => {
                let again = lent::noted(&mut self.lent(), offer.name);
                if again && matches!(offer.name, WireName::Bundle(_)) {
                    tracing::warn!(peer = %self.ship.peer, name = %offer.name, "put again: it was gone, and no receipt came");
                    node.board
                        .alarm("drop-lost", &offer.name.to_string(), node.clock.now());
                } else {
                    tracing::info!(peer = %self.ship.peer, name = %offer.name, "lies at the drop");
                }
                node.board.quiet("drop-denies", &self.ship.address);
            }
            Err(SessionEnd::Link(LinkError::Denied { message, .. })) => {
                // Its receipt may have come meanwhile, and somebody else cleared it away.
                if !self.done(vec![offer.name]).await?.contains(&offer.name) {
                    self.denied(&offer.name.to_string(), &message);
                }
            }
            Err(end) if end.is_about_one_name() => {
                tracing::error!(peer = %self.ship.peer, name = %offer.name, "it cannot be put: {end}");
                let name = offer.name.to_string();
                node.board.alarm("stage-failing", &name, node.clock.now());
            }
            Err(end) => return Err(end),
        }
        node.bells.publish.ring();
        Ok(())
    }

    /// What the server may not be allowed to do.
    fn denied(&self, name: &str, message: &str) {
        tracing::warn!(peer = %self.ship.peer, name, "the drop does not do it: {message}");
        let (node, address) = (&self.ship.node, &self.ship.address);
        node.board.alarm("drop-denies", address, node.clock.now());
    }

    async fn put<L: BlindLink>(
        &self,
        link: &L,
        lane: LaneChannel,
        offer: Offer,
        left: &[Left],
    ) -> Result<(), SessionEnd> {
        let mut parts = left.iter().filter(|one| !one.handed_over);
        let part = parts.find(|one| one.name == offer.name);
        if let Some(part) = part.filter(|part| part.bytes > offer.bytes) {
            link.withdraw(*part).await?;
        }
        if let WireName::Receipt(digest) = offer.name {
            // A bundle seen there after its receipt has been put was put again.
            self.remove(link, WireName::Bundle(digest)).await?;
        }
        let (source, sent) = self.ship.source(offer.name).await?;
        let upload = Upload {
            source,
            offset: link.prefix(lane, offer.name).await?.min(offer.bytes),
            sent,
        };
        link.put(lane, offer.name, upload).await?;
        link.hand_over(lane, offer.name).await?;
        Ok(())
    }

    /// Removes from the drop what is settled: bundles whose receipt came, receipts and slips that were taken (and lie there
    /// again). Names that no row of ours knows are not ours.
    async fn clear<L: BlindLink>(&self, link: &L, left: &[Left]) -> Result<bool, SessionEnd> {
        let lent: Vec<WireName> = self.lent().keys().copied().collect();
        let lies = |name: &WireName| left.iter().any(|one| one.name == *name);
        let names = left.iter().map(|one| one.name).chain(lent.clone());
        let done = self.done(names.collect()).await?;
        let mut news = false;
        for one in left.iter().filter(|one| done.contains(&one.name)) {
            match link.withdraw(*one).await {
                Ok(()) => news = true,
                Err(LinkError::Denied { message, .. }) => {
                    self.denied(&one.name.to_string(), &message);
                }
                Err(error) => return Err(error.into()),
            }
        }
        for name in lent
            .iter()
            .filter(|name| done.contains(name) && !lies(name))
        {
            self.lent().remove(name);
            self.ship.node.board.quiet_all_of(&name.to_string());
            self.ship.node.bells.publish.ring();
        }
        Ok(news)
    }

    /// Those of `names` that have no business at the drop any more.
    async fn done(&self, names: Vec<WireName>) -> Result<HashSet<WireName>, StageError> {
        let peer = self.ship.peer.clone();
        let done = self.ship.apart(move |node| {
            let mut done = HashSet::new();
            for name in names {
                if lent::is_done(&node.journal, &peer, name)? {
                    done.insert(name);
                }
            }
            Ok(done)
        });
        done.await
    }

    fn lent(&self) -> MutexGuard<'_, HashMap<WireName, Lent>> {
        self.lent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
