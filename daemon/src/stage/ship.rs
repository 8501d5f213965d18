//! Ship: one lasting connection to each peer that we dial. Bundles, receipts and slips are pushed, each lane on a channel of its
//! own; what waits at the peer is pulled (see `pull`). Away: tried again with backoff and jitter, and it goes on by itself.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use amanah_format::agreement::Lane;
use amanah_format::id::PartyId;

use crate::engine::outbound::{Outbound, OutboundEvent};
use crate::engine::retry::wait_after;
use crate::transport::link::{LaneChannel, Link, LinkError, Offer, Upload, WireName};

use super::arrive::Arrive;
use super::door::{Waiting, offers, open_offer, taken};
use super::requests::is_paused;
use super::{IDLE, Node, StageError, pull};

/// How long a name that the peer refuses is left alone: only somebody's hand or a full disk's end changes the answer.
const DENIED_WAIT: Duration = Duration::from_secs(10);

/// The shipping stage for one peer that we dial.
pub struct Ship {
    /// What all stages share.
    pub node: Arc<Node>,
    /// What is fetched goes in here.
    pub arrive: Arc<Arrive>,
    /// Whom.
    pub peer: PartyId,
    /// Where, for the status.
    pub address: String,
}

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionEnd {
    /// The connection broke, or the peer misbehaves.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// This machine.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// Pause or stop.
    #[error("asked to stop")]
    Asked,
}

impl Ship {
    /// Keeps a connection until the daemon stops. `connect` dials once, with the keys and cards of that moment; `session`
    /// uses what it dialled until it breaks.
    pub(crate) async fn keep_connected<L, C, F, S, G>(self: Arc<Self>, connect: C, session: S)
    where
        L: Link,
        C: Fn() -> F,
        F: Future<Output = Result<L, LinkError>>,
        S: Fn(Arc<L>) -> G,
        G: Future<Output = SessionEnd>,
    {
        let mut failures = 0;
        while !self.node.stop.is_set() {
            let heard = self.node.bells.peer(&self.peer).heard();
            if self.paused() {
                self.node.bells.peer(&self.peer).waited(heard, IDLE).await;
                continue;
            }
            let error = match connect().await {
                Ok(link) => {
                    failures = 0;
                    self.node.board.connected(
                        &self.peer,
                        self.address.clone(),
                        self.node.clock.now(),
                    );
                    self.node.bells.publish.ring();
                    tracing::info!(peer = %self.peer, address = self.address, "connected");
                    let link = Arc::new(link);
                    let end = session(Arc::clone(&link)).await;
                    link.close().await;
                    end.to_string()
                }
                Err(error) => error.to_string(),
            };
            if self.node.stop.is_set() {
                return;
            }
            failures += 1;
            self.wait_to_retry(failures, error).await;
        }
    }

    async fn wait_to_retry(&self, failures: u32, error: String) {
        let mut random = [0_u8; 4];
        let random = getrandom::fill(&mut random).map_or(u32::MAX, |()| u32::from_le_bytes(random));
        let wait = wait_after(failures, random);
        let now = self.node.clock.now();
        tracing::warn!(peer = %self.peer, failures, wait_millis = wait.as_millis().to_string(), "not connected: {error}");
        let retry_at = now.plus_secs(i64::try_from(wait.as_secs()).unwrap_or(0) + 1);
        self.node
            .board
            .disconnected(&self.peer, Some(error), now, Some(retry_at));
        self.node.bells.publish.ring();
        let retry = self.node.bells.retry(&self.peer);
        let heard = retry.heard();
        retry.waited(heard, wait).await;
    }

    pub(super) fn paused(&self) -> bool {
        is_paused(&self.node, &self.peer).unwrap_or(false)
    }

    /// Runs until the connection breaks, or somebody asks for a stop or pause. Every part is joined here.
    pub(crate) async fn session<L: Link>(self: Arc<Self>, link: Arc<L>) -> SessionEnd {
        tokio::select! {
            end = self.push_lane(&link, LaneChannel::Urgent) => end,
            end = self.push_lane(&link, LaneChannel::Normal) => end,
            end = self.push_lane(&link, LaneChannel::Bulk) => end,
            end = pull::fetch(&self, &*link) => end,
            end = self.until_asked() => end,
        }
    }

    pub(super) async fn until_asked(&self) -> SessionEnd {
        loop {
            let heard = self.node.bells.peer(&self.peer).heard();
            if self.node.stop.is_set() || self.paused() {
                return SessionEnd::Asked;
            }
            self.node.bells.peer(&self.peer).waited(heard, IDLE).await;
        }
    }

    /// Pushes what waits in one lane, oldest first; slips and receipts ride in the urgent one.
    async fn push_lane<L: Link>(&self, link: &Arc<L>, lane: LaneChannel) -> SessionEnd {
        loop {
            let heard = self.node.bells.peer(&self.peer).heard();
            match self.push_waiting(link, lane).await {
                Ok(wait) => {
                    self.node.bells.peer(&self.peer).waited(heard, wait).await;
                }
                Err(end) => return end,
            }
        }
    }

    /// One round; returns how long to wait without a bell.
    async fn push_waiting<L: Link>(
        &self,
        link: &Arc<L>,
        lane: LaneChannel,
    ) -> Result<Duration, SessionEnd> {
        let mut wait = IDLE;
        for offer in self.waiting_in(lane)? {
            match self.push(link, lane, offer).await {
                Ok(()) => {}
                Err(SessionEnd::Link(LinkError::Denied { code, message })) => {
                    let code = code.unwrap_or_else(|| "failure".to_owned());
                    tracing::warn!(peer = %self.peer, name = %offer.name, code, "the peer did not take it: {message}");
                    self.node.board.alarm(
                        "peer-denies",
                        &format!("{} {code}", offer.name),
                        self.node.clock.now(),
                    );
                    self.node.bells.publish.ring();
                    wait = DENIED_WAIT;
                }
                Err(end) => return Err(end),
            }
        }
        Ok(wait)
    }

    /// What waits in one lane; slips and receipts in the urgent one.
    pub(super) fn waiting_in(&self, lane: LaneChannel) -> Result<Vec<Offer>, StageError> {
        let mut waiting = Vec::new();
        for offer in offers(&self.node, &self.peer)? {
            let here = match offer.name {
                WireName::Bundle(digest) => match self.node.journal.outbound_by_digest(&digest)? {
                    Some(row) => row.state == Outbound::Queued && channel(row.lane) == lane,
                    None => false,
                },
                WireName::Receipt(_) | WireName::Slip(_) => lane == LaneChannel::Urgent,
            };
            if here {
                waiting.push(offer);
            }
        }
        Ok(waiting)
    }

    /// Resumes at the peer's synced prefix, pushes the rest, hands over, records it.
    async fn push<L: Link>(
        &self,
        link: &Arc<L>,
        lane: LaneChannel,
        offer: Offer,
    ) -> Result<(), SessionEnd> {
        let (source, sent) = self.source(offer.name)?;
        let upload = Upload {
            source,
            offset: link.prefix(lane, offer.name).await?.min(offer.bytes),
            sent,
        };
        link.put(lane, offer.name, upload).await?;
        link.hand_over(lane, offer.name).await?;
        crate::kill::point("ship.handed-over");
        let now = self.node.clock.now();
        match offer.name {
            WireName::Bundle(digest) => {
                if let Some(row) = self
                    .node
                    .journal
                    .outbound_by_digest(&digest)
                    .map_err(StageError::from)?
                    && row.state == Outbound::Queued
                {
                    let event = OutboundEvent::PeerTookOver;
                    self.node
                        .journal
                        .advance_outbound(&row.bundle, event, now)
                        .map_err(StageError::from)?;
                }
                tracing::info!(manifest = %digest, peer = %self.peer, "handed over");
            }
            WireName::Receipt(_) | WireName::Slip(_) => {
                taken(&self.node, &self.peer, offer.name)
                    .map_err(|denied| StageError::Other(denied.to_string()))?;
            }
        }
        self.node.board.quiet_all_of(&offer.name.to_string());
        self.node.bells.publish.ring();
        Ok(())
    }
}

impl Ship {
    /// What is to be pushed under a name, and the counter that the status shows.
    pub(super) fn source(&self, name: WireName) -> Result<(Arc<File>, Arc<AtomicU64>), StageError> {
        match open_offer(&self.node, &self.peer, name)? {
            Waiting::Bundle { file, sent, .. } => Ok((file, sent)),
            Waiting::Small(bytes) => {
                let file = self.node.spool.unnamed(&bytes)?;
                Ok((Arc::new(file), Arc::new(AtomicU64::new(0))))
            }
        }
    }
}

const fn channel(lane: Lane) -> LaneChannel {
    match lane {
        Lane::Urgent => LaneChannel::Urgent,
        Lane::Normal => LaneChannel::Normal,
        Lane::Bulk => LaneChannel::Bulk,
    }
}
