//! Ship: one lasting connection to each peer that we dial. Bundles, receipts and slips are pushed, each lane on a channel of its
//! own; what waits at the peer is pulled (see `pull`). Away: tried again with backoff and jitter, and it goes on by itself.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use amanah_format::agreement::Lane;
use amanah_format::digest::Digest;
use amanah_format::id::PartyId;
use amanah_format::keyring::Standing;
use amanah_format::signature::PublicKey;

use crate::engine::outbound::{Outbound, OutboundEvent};
use crate::engine::retry::wait_after;
use crate::event::Event;
use crate::transport::link::{LaneChannel, Link, LinkError, Offer, Upload, WireName};

use super::alone::LeftAlone;
use super::arrive::Arrive;
use super::door::{Waiting, offers, open_offer, taken, waits};
use super::requests::is_paused;
use super::room::Room;
use super::{IDLE, Node, Reaction, StageError, pull};

/// How often a connection looks whether the keys of both sides are still valid.
const KEYS_LOOKED_AT: Duration = Duration::from_secs(1);
/// A connection that lasted so long was a good one: after it the waits begin anew …
const LASTING: Duration = Duration::from_secs(5);
/// … and after shorter ones they stay short, because a peer that restarts is back soon: some three seconds.
const SHORT_FAILURES_MAX: u32 = 3;

/// Names that the peer refused, or that this machine cannot send: each attempt may send the whole bundle.
type Refused = LeftAlone<WireName>;

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
    /// How much of the disk fetched data may take.
    pub room: Room,
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
    /// A key by which it may have begun is not valid any more, or ours has given way to a newer one.
    #[error("its keys have changed")]
    Keys,
}

impl SessionEnd {
    /// What this machine has lost, or cannot read, of one bundle is that bundle's affair: the connection serves the others.
    pub(super) fn is_about_one_name(&self) -> bool {
        match self {
            Self::Link(LinkError::Local(_)) => true,
            Self::Stage(error) => error.reaction() == Reaction::Retry,
            Self::Link(_) | Self::Asked | Self::Keys => false,
        }
    }
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
        let mut failures: u32 = 0;
        while !self.node.stop.is_set() {
            let heard = self.node.bells.peer(&self.peer).heard();
            if self.paused().await {
                self.node.bells.peer(&self.peer).waited(heard, IDLE).await;
                continue;
            }
            let begun = Instant::now();
            let connected = tokio::select! {
                connected = connect() => connected,
                _asked = self.until_asked() => continue,
            };
            let was_connected = connected.is_ok();
            let error = match connected {
                Ok(link) => {
                    self.node.board.connected(
                        &self.peer,
                        self.address.clone(),
                        self.node.clock.now(),
                    );
                    self.node.gates.connected(&self.peer, L::DIRECT);
                    self.node.bells.streams.ring();
                    self.node.bells.publish.ring();
                    tracing::info!(event = Event::Connected.name(), peer = %self.peer, address = self.address, "connected");
                    let link = Arc::new(link);
                    let end = tokio::select! {
                        end = session(Arc::clone(&link)) => end,
                        ended = link.ended() => ended.into(),
                        ended = self.until_keys_change() => ended,
                    };
                    link.close().await;
                    end.to_string()
                }
                Err(error) => error.to_string(),
            };
            if self.node.stop.is_set() {
                return;
            }
            failures = match was_connected {
                true if begun.elapsed() >= LASTING => 1,
                true => failures.saturating_add(1).min(SHORT_FAILURES_MAX),
                false => failures.saturating_add(1),
            };
            self.wait_to_retry(failures, error).await;
        }
    }

    /// Until our transport key gives way to another, or one that the peer may have shown is not valid any more.
    async fn until_keys_change(&self) -> SessionEnd {
        let (own, theirs) = self.keys();
        loop {
            tokio::time::sleep(KEYS_LOOKED_AT).await;
            let (own_now, theirs_now) = self.keys();
            if own != own_now || theirs.iter().any(|key| !theirs_now.contains(key)) {
                return SessionEnd::Keys;
            }
        }
    }

    fn keys(&self) -> (Option<PublicKey>, Vec<PublicKey>) {
        let (policy, now) = (self.node.rules.now(), self.node.clock.now());
        let keyring = policy.keyring();
        let own = keyring.use_order(policy.own(), now, Standing::Transport);
        (
            own.first().copied(),
            keyring.transport_keys(&self.peer, now),
        )
    }

    async fn wait_to_retry(&self, failures: u32, error: String) {
        let mut random = [0_u8; 4];
        let random = getrandom::fill(&mut random).map_or(u32::MAX, |()| u32::from_le_bytes(random));
        let wait = wait_after(failures, random);
        self.node.gates.unreachable(&self.peer);
        self.node.bells.seal.ring();
        let now = self.node.clock.now();
        tracing::warn!(event = Event::NotConnected.name(), peer = %self.peer, failures, wait_millis = wait.as_millis().to_string(), "not connected: {error}");
        let retry_at = now.plus_secs(i64::try_from(wait.as_secs()).unwrap_or(0) + 1);
        self.node
            .board
            .disconnected(&self.peer, Some(error), now, Some(retry_at));
        self.node.bells.publish.ring();
        let retry = self.node.bells.retry(&self.peer);
        let heard = retry.heard();
        retry.waited(heard, wait).await;
    }

    pub(super) async fn paused(&self) -> bool {
        let peer = self.peer.clone();
        let paused = self.apart(move |node| is_paused(node, &peer)).await;
        paused.unwrap_or(false)
    }

    /// Journal and files block: off the runtime's own few threads, on which all connections live.
    pub(super) async fn apart<T, F>(&self, work: F) -> Result<T, StageError>
    where
        T: Send + 'static,
        F: FnOnce(&Arc<Node>) -> Result<T, StageError> + Send + 'static,
    {
        let node = Arc::clone(&self.node);
        let apart = tokio::task::spawn_blocking(move || work(&node)).await;
        apart.map_err(|error| StageError::Other(format!("a step ended early: {error}")))?
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
            if self.node.stop.is_set() || self.paused().await {
                return SessionEnd::Asked;
            }
            self.node.bells.peer(&self.peer).waited(heard, IDLE).await;
        }
    }

    /// Pushes what waits in one lane, oldest first; slips and receipts ride in the urgent one.
    async fn push_lane<L: Link>(&self, link: &Arc<L>, lane: LaneChannel) -> SessionEnd {
        let mut refused = Refused::default();
        let mut asked = self.node.bells.retry(&self.peer).heard();
        loop {
            let heard = self.node.bells.peer(&self.peer).heard();
            let retry = self.node.bells.retry(&self.peer).heard();
            if retry != asked {
                asked = retry;
                refused.clear();
            }
            match self.push_waiting(link, lane, &mut refused).await {
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
        refused: &mut Refused,
    ) -> Result<Duration, SessionEnd> {
        let peer = self.peer.clone();
        let waiting = self
            .apart(move |node| waiting_in(node, &peer, lane))
            .await?;
        refused.retain(|name| waiting.iter().any(|offer| offer.name == *name));
        for offer in waiting {
            if refused.has(&offer.name) {
                continue;
            }
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
                    refused.add(offer.name);
                }
                // A slip that a newer one replaced since it was listed is nobody's fault.
                Err(end) if end.is_about_one_name() && !self.still_waits(offer.name).await? => {}
                Err(end) if end.is_about_one_name() => {
                    tracing::error!(peer = %self.peer, name = %offer.name, "it cannot be sent: {end}");
                    let now = self.node.clock.now();
                    let name = offer.name.to_string();
                    self.node.board.alarm("stage-failing", &name, now);
                    self.node.bells.publish.ring();
                    refused.add(offer.name);
                }
                Err(end) => return Err(end),
            }
        }
        Ok(refused.next().map_or(IDLE, |next| next.min(IDLE)))
    }

    async fn still_waits(&self, name: WireName) -> Result<bool, StageError> {
        let peer = self.peer.clone();
        self.apart(move |node| waits(node, &peer, name)).await
    }

    /// What is to be pushed under a name, and the counter that the status shows.
    pub(super) async fn source(
        &self,
        name: WireName,
    ) -> Result<(Arc<File>, Arc<AtomicU64>), StageError> {
        let peer = self.peer.clone();
        let opened = self.apart(move |node| match open_offer(node, &peer, name)? {
            Waiting::Bundle { file, sent, .. } => Ok((file, sent)),
            Waiting::Small(bytes) => Ok((
                Arc::new(node.spool.unnamed(&bytes)?),
                Arc::new(AtomicU64::new(0)),
            )),
        });
        opened.await
    }

    /// Resumes at the peer's synced prefix, pushes the rest, hands over, records it.
    async fn push<L: Link>(
        &self,
        link: &Arc<L>,
        lane: LaneChannel,
        offer: Offer,
    ) -> Result<(), SessionEnd> {
        let (source, sent) = self.source(offer.name).await?;
        let upload = Upload {
            source,
            offset: link.prefix(lane, offer.name).await?.min(offer.bytes),
            sent,
        };
        link.put(lane, offer.name, upload).await?;
        link.hand_over(lane, offer.name).await?;
        if matches!(offer.name, WireName::Bundle(_)) {
            crate::kill::point("ship.handed-over");
        }
        let peer = self.peer.clone();
        self.apart(move |node| note_handed_over(node, &peer, offer.name))
            .await?;
        self.node.board.quiet_all_of(&offer.name.to_string());
        self.node.bells.publish.ring();
        Ok(())
    }
}

/// What waits for a peer in one lane.
pub(super) fn waiting_in(
    node: &Node,
    peer: &PartyId,
    lane: LaneChannel,
) -> Result<Vec<Offer>, StageError> {
    let mut waiting = Vec::new();
    for offer in offers(node, peer)? {
        if let WireName::Bundle(digest) = offer.name
            && !has_bytes(node, peer, &digest)?
        {
            continue;
        }
        let here = match offer.name {
            WireName::Bundle(digest) => match node.journal.outbound_by_digest(&digest)? {
                Some(row) => {
                    let is_again = node.journal.due_again(peer, &digest)? == (false, true);
                    (row.state == Outbound::Queued || is_again) && channel(row.lane) == lane
                }
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

/// A bundle whose bytes are gone blocks no other: it is alarmed, and shipped as soon as they are back.
fn has_bytes(node: &Node, peer: &PartyId, digest: &Digest) -> Result<bool, StageError> {
    let is_there = node.spool.sent_bundle(peer, digest)?.is_some();
    let subject = digest.to_string();
    if is_there {
        node.board.quiet("payload-lost", &subject);
    } else {
        node.board.alarm("payload-lost", &subject, node.clock.now());
    }
    Ok(is_there)
}

/// The peer has it: a bundle is handed over, a receipt or slip is done.
fn note_handed_over(node: &Node, peer: &PartyId, name: WireName) -> Result<(), StageError> {
    let WireName::Bundle(digest) = name else {
        return taken(node, peer, name).map_err(|denied| StageError::Other(denied.to_string()));
    };
    if let Some(row) = node.journal.outbound_by_digest(&digest)?
        && row.state == Outbound::Queued
    {
        let (event, now) = (OutboundEvent::PeerTookOver, node.clock.now());
        node.journal.advance_outbound(&row.bundle, event, now)?;
    }
    node.journal.bundle_given(peer, &digest)?;
    tracing::info!(event = Event::HandedOver.name(), manifest = %digest, %peer, "handed over");
    Ok(())
}

const fn channel(lane: Lane) -> LaneChannel {
    match lane {
        Lane::Urgent => LaneChannel::Urgent,
        Lane::Normal => LaneChannel::Normal,
        Lane::Bulk => LaneChannel::Bulk,
    }
}
