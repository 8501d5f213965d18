//! Publish: the status snapshot for operators, and the ledger with its signed checkpoint for auditors. Both are copies of what the
//! journal holds; nothing is ever read back from them.

mod contact;
mod flows;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use amanah_format::container::bundle_bytes;
use amanah_format::id::PartyId;
use amanah_format::keyring::Standing;
use amanah_format::ledger::Checkpoint;
use amanah_format::signature::SecretKey;
use amanah_format::time::UtcTime;

use crate::engine::outbound::Outbound;
use crate::journal::{InboundRow, OutboundRow};
use crate::keys::OwnKeys;
use crate::metrics::Metrics;
use crate::snapshot::{
    self, AgreementStatus, IncomingStatus, ItemStatus, OutgoingStatus, PeerStatus, Snapshot,
};

use super::requests::is_paused;
use super::signer::Signer;
use super::{Node, Pass, StageError, witness};

/// Bundles shown in each direction: what is active, and the newest of what is done.
const SHOWN_MAX: u32 = 200;
/// Ledger lines copied at one pass.
const LINES_PER_PASS: u32 = 4_096;
/// A snapshot is never older than this while the daemon runs; readers call an older one stale.
const EVERY: Duration = Duration::from_secs(5);
/// While bytes move, their progress is shown this often.
const EVERY_MOVING: Duration = Duration::from_millis(250);

/// The publishing stage: the only one with the ledger key; so it shows and cosigns checkpoints, too.
pub struct Publish {
    /// What all stages share.
    pub node: Arc<Node>,
    /// Sign checkpoints.
    pub ledger_keys: OwnKeys,
    /// Signs the slips that show checkpoints.
    pub signing: Arc<Signer>,
    /// Peers and how they are connected.
    pub peers: Vec<(PartyId, Side)>,
    /// When this process started.
    pub started: UtcTime,
    metrics: Arc<Metrics>,
    seen: Mutex<Seen>,
}

/// What is remembered from one pass to the next.
#[derive(Default)]
struct Seen {
    transfers: flows::Transfers,
    contacts: contact::Contacts,
}

/// Who dials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// We do.
    Dial,
    /// The peer does.
    Listen,
    /// Neither: people carry it.
    Hand,
}

impl Publish {
    /// The stage of a daemon that starts now.
    #[must_use]
    pub fn new(
        node: Arc<Node>,
        (ledger_keys, signing): (OwnKeys, Arc<Signer>),
        peers: Vec<(PartyId, Side)>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            started: node.clock.now(),
            node,
            ledger_keys,
            signing,
            peers,
            metrics,
            seen: Mutex::default(),
        }
    }

    /// Writes both copies. `running` is false for the last snapshot of a process.
    ///
    /// # Errors
    /// The journal's or the file system's.
    pub fn pass(&self, running: bool) -> Result<Pass, StageError> {
        let published = self.ledger()?;
        if running {
            self.witness(&published)?;
        }
        let snapshot = self.snapshot(running)?;
        let moving = snapshot.outgoing.iter().any(|bundle| {
            bundle.state == Outbound::Queued.as_str() && bundle.sent_bytes < bundle.bytes
        });
        self.metrics.publish(&snapshot);
        let json =
            serde_json::to_vec(&snapshot).map_err(|error| StageError::Other(error.to_string()))?;
        self.node.spool.publish_status(&json)?;
        Ok(Pass {
            done: 0,
            again_after: if moving { EVERY_MOVING } else { EVERY },
        })
    }

    /// Appends new records, then replaces the checkpoint: a reader of both never sees a checkpoint beyond the records.
    /// What both are of now.
    fn ledger(&self) -> Result<Checkpoint, StageError> {
        let checkpoint = self.node.journal.checkpoint()?;
        if self.node.spool.has_checkpoint(&checkpoint) {
            return Ok(checkpoint);
        }
        let mut published = self.node.spool.published_ledger()?.min(checkpoint.size);
        while published < checkpoint.size {
            let left = u32::try_from(checkpoint.size - published).unwrap_or(u32::MAX);
            let limit = left.min(LINES_PER_PASS);
            let lines = self.node.journal.ledger_lines(published, limit)?;
            self.node.spool.publish_ledger(published, &lines, None)?;
            published += u64::try_from(lines.len()).unwrap_or(0);
        }
        let note = checkpoint.sign(self.ledger_key());
        self.node
            .spool
            .publish_ledger(published, &[], Some(&note))?;
        Ok(checkpoint)
    }

    /// The one that our card says for now.
    fn ledger_key(&self) -> &SecretKey {
        let (policy, now) = (self.node.rules.now(), self.node.clock.now());
        let order = policy
            .keyring()
            .use_order(policy.own(), now, Standing::Ledger);
        self.ledger_keys.first_of(&order)
    }

    /// Not to whom people carry everything: there nothing is shown at each connection, for there is none.
    fn witness(&self, published: &Checkpoint) -> Result<(), StageError> {
        let keys = witness::Keys {
            ledger: self.ledger_key(),
            signing: &self.signing,
        };
        let peers = self.peers.iter().filter(|(_, side)| *side != Side::Hand);
        witness::pass(&self.node, &keys, published, peers.map(|(peer, _)| peer))
    }

    fn snapshot(&self, running: bool) -> Result<Snapshot, StageError> {
        let node = &self.node;
        let policy = node.rules.now();
        let now = node.clock.now();
        let outgoing = node.journal.recent_outbound(SHOWN_MAX)?;
        let incoming = node.journal.recent_inbound(SHOWN_MAX)?;
        let counts = node.journal.counts()?;
        let checkpoint = node.journal.checkpoint()?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.transfers.observe(node, Instant::now())?;
        let streams = flows::streams(node, &seen.transfers)?;
        let peers = self.peers.iter().map(|(peer, side)| {
            let last_contact = seen.contacts.look(node, peer, running)?;
            Ok(PeerStatus {
                last_contact,
                ..self.peer(peer, *side)?
            })
        });
        let peers = peers.collect::<Result<_, StageError>>()?;
        let mut numbers = BTreeMap::new();
        numbers.extend(
            counts
                .outbound
                .iter()
                .map(|(state, count)| (format!("outbound.{}", state.as_str()), *count)),
        );
        numbers.extend(
            counts
                .inbound
                .iter()
                .map(|(state, count)| (format!("inbound.{}", state.as_str()), *count)),
        );
        let agreements = policy.agreements().iter();
        Ok(Snapshot {
            format: snapshot::FORMAT.to_owned(),
            party: policy.own().to_string(),
            process: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: self.started,
            written: now,
            running,
            peers,
            streams,
            outgoing: outgoing.iter().map(|row| self.outgoing(row)).collect(),
            incoming: incoming.iter().map(incoming_status).collect(),
            agreements: agreements
                .map(|agreement| agreement_status(&policy, agreement, now))
                .collect(),
            keys_end: keys_end(&policy, policy.own()),
            alarms: node.board.alarms(),
            ledger_size: checkpoint.size,
            ledger_root: checkpoint.root.to_string(),
            counts: numbers,
        })
    }

    fn peer(&self, peer: &PartyId, side: Side) -> Result<PeerStatus, StageError> {
        let link = self.node.board.link(peer);
        let (waiting_bundles, waiting_bytes) = self.node.journal.waiting_for(peer)?;
        let policy = self.node.rules.now();
        Ok(PeerStatus {
            party: peer.to_string(),
            name: policy
                .keyring()
                .card(peer)
                .map(|card| card.card().name.clone())
                .unwrap_or_default(),
            side: match side {
                Side::Dial => "dial".to_owned(),
                Side::Listen => "listen".to_owned(),
                Side::Hand => "hand".to_owned(),
            },
            address: link.address,
            connected: link.connected,
            since: link.since,
            last_contact: None,
            keys_end: keys_end(&policy, peer),
            last_error: link.last_error,
            retry_at: link.retry_at,
            paused: is_paused(&self.node, peer)?,
            waiting_bundles,
            waiting_bytes,
            waiting_receipts: self.node.journal.receipts_waiting(peer)?,
        })
    }

    fn outgoing(&self, row: &OutboundRow) -> OutgoingStatus {
        let bytes = row.digest.map_or(0, |_| bundle_bytes(row.payload_bytes));
        OutgoingStatus {
            bundle: row.bundle.to_string(),
            peer: row.peer.to_string(),
            flow: row.flow.to_string(),
            lane: format!("{:?}", row.lane).to_lowercase(),
            state: row.state.as_str().to_owned(),
            items: row.items.iter().map(item_status).collect(),
            bytes,
            sent_bytes: match row.state {
                Outbound::Claiming
                | Outbound::Claimed
                | Outbound::Sealed
                | Outbound::Signed
                | Outbound::PutBack => 0,
                Outbound::Queued => row
                    .digest
                    .map_or(0, |digest| self.node.board.sent_bytes(&digest)),
                Outbound::HandedOver
                | Outbound::Imported
                | Outbound::Refused
                | Outbound::Settled
                | Outbound::Destroyed => bytes,
                Outbound::Returned => row.refusal.map_or(0, |_| bytes),
            },
            sequence: row.sequence.map(|sequence| sequence.get()),
            manifest: row.digest.map(|digest| digest.to_string()),
            seen_millis: row.seen_millis,
            changed_millis: row.changed_millis,
            refusal: row.refusal.map(|refusal| refusal.code().to_owned()),
            return_reason: row.return_reason.clone(),
            held: row.held.map(|reason| reason.code().to_owned()),
        }
    }
}

fn keys_end(policy: &crate::engine::policy::Policy, party: &PartyId) -> Option<UtcTime> {
    policy.keyring().card(party)?.card().keys.end()
}

fn item_status(item: &crate::journal::Item) -> ItemStatus {
    ItemStatus {
        name: item.name.to_string_lossy().into_owned(),
        inode: item.inode,
        bytes: item.bytes,
        resting_place: item.resting_place.clone(),
    }
}

fn incoming_status(row: &InboundRow) -> IncomingStatus {
    let place = row.flow.as_ref().zip(row.bundle);
    let stored = row.receipt.is_some() && row.refusal.is_none();
    IncomingStatus {
        manifest: row.digest.to_string(),
        bundle: row.bundle.map(|bundle| bundle.to_string()),
        peer: row.peer.to_string(),
        flow: row.flow.as_ref().map(ToString::to_string),
        state: row.state.as_str().to_owned(),
        sequence: row.sequence.map(|sequence| sequence.get()),
        bytes: bundle_bytes(row.payload_bytes),
        received: row.received,
        changed_millis: row.changed_millis,
        refusal: row.refusal.map(|refusal| refusal.code().to_owned()),
        held: row.held.map(|reason| reason.code().to_owned()),
        folder: place
            .filter(|_| stored)
            .map(|(flow, bundle)| format!("inbox/{}/{flow}/{bundle}", row.peer)),
    }
}

fn agreement_status(
    policy: &crate::engine::policy::Policy,
    agreement: &amanah_format::agreement::CoSigned,
    now: UtcTime,
) -> AgreementStatus {
    let text = agreement.agreement();
    let peer = text.parties.iter().find(|party| &party.id != policy.own());
    AgreementStatus {
        id: text.id.to_string(),
        version: text.version,
        digest: agreement.digest().to_string(),
        peer: peer.map(|party| party.id.to_string()).unwrap_or_default(),
        in_force: policy.in_force(&agreement.digest(), now),
        effective: text.effective,
        ends: text.ends,
        revoked: policy.is_revoked(&agreement.digest(), now),
    }
}
