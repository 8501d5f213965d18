//! The door: what our SSH server shows an authenticated peer. Joins the wire to the spool and the journal; whatever it takes
//! over goes through `arrive`, whatever it offers comes from the journal.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use amanah_format::container::bundle_bytes;
use amanah_format::digest::Digest;
use amanah_format::id::PartyId;
use amanah_format::limits::DOCUMENT_BYTES_MAX;
use amanah_format::receipt;
use amanah_format::signature::PublicKey;

use crate::bell::Bell;
use crate::engine::inbound::{Inbound, InboundEvent};
use crate::engine::outbound::Outbound;
use crate::journal::OutboundRow;
use crate::transport::link::{Denied, Exchange, Offer, OfferReader, PartWriter, WireName};

use super::arrive::Arrive;
use super::pull::is_nowhere;
use super::room::Room;
use super::upload::Upload;
use super::{Node, StageError};

/// Most unfinished parts of one peer: our client has a few at a time.
const PARTS_MAX: usize = 256;

/// Our side of a connection that a peer dialled.
pub struct Door {
    /// What all stages share.
    pub node: Arc<Node>,
    /// The way in.
    pub arrive: Arc<Arrive>,
    /// How much of the disk incoming data may take.
    pub room: Room,
}

impl Exchange for Door {
    fn may_connect(&self, user: &str, key: &PublicKey) -> Option<PartyId> {
        let peer: PartyId = user.parse().ok()?;
        let policy = self.node.rules.now();
        let known = &peer != policy.own()
            && policy
                .keyring()
                .may_connect(&peer, key, self.node.clock.now());
        known.then_some(peer)
    }

    fn open_part(&self, peer: &PartyId, name: WireName) -> Result<Box<dyn PartWriter>, Denied> {
        self.still_known(peer)?;
        let measured = self.room.admits(&self.node, peer, name)?;
        self.has_place(peer, name)?;
        let part = self
            .node
            .spool
            .part(peer, &name.to_string(), bytes_max(name))
            .map_err(|error| Denied::failure(&error))?;
        let arrive = Arc::clone(&self.arrive);
        let upload = Upload::new(arrive, peer.clone(), name, (part, measured));
        Ok(Box::new(upload))
    }

    fn part_prefix(&self, peer: &PartyId, name: WireName) -> Result<Option<u64>, Denied> {
        self.node
            .spool
            .part_prefix(peer, &name.to_string())
            .map_err(|error| Denied::failure(&error))
    }

    fn parts(&self, peer: &PartyId) -> Result<Vec<(WireName, u64)>, Denied> {
        let parts = self
            .node
            .spool
            .parts(peer)
            .map_err(|error| Denied::failure(&error))?;
        Ok(parts
            .into_iter()
            .filter_map(|(name, bytes)| Some((WireName::parse(&name)?, bytes)))
            .collect())
    }

    fn drop_part(&self, peer: &PartyId, name: WireName) -> Result<(), Denied> {
        let dropped = self.node.spool.drop_part(peer, &name.to_string());
        let dropped = dropped.map_err(|error| Denied::failure(&error));
        dropped.map(|_was_there| ())
    }

    /// A bundle is gone on with, unless it was taken over before: then its receipt is on its way, and nobody sends it again.
    fn left_part(&self, peer: &PartyId, name: WireName) -> Result<(), Denied> {
        if let WireName::Bundle(digest) = name {
            let known = self.node.journal.inbound(&digest);
            let known = known.map_err(|error| Denied::failure(&error))?;
            let known = known.map(|row| is_nowhere(&self.node, &row)).transpose();
            if known
                .map_err(|error| Denied::failure(&error))?
                .unwrap_or(true)
            {
                return Ok(());
            }
        }
        self.drop_part(peer, name)
    }

    fn hand_over(&self, peer: &PartyId, name: WireName) -> Result<(), Denied> {
        self.still_known(peer)?;
        self.arrive.hand_over(peer, name)
    }

    fn offers(&self, peer: &PartyId) -> Result<Vec<Offer>, Denied> {
        self.still_known(peer)?;
        offers(&self.node, peer).map_err(|error| Denied::failure(&error))
    }

    fn open_offer(&self, peer: &PartyId, name: WireName) -> Result<Box<dyn OfferReader>, Denied> {
        self.still_known(peer)?;
        if !waits(&self.node, peer, name).map_err(|error| Denied::failure(&error))? {
            return Err(denied("no-such-file", "nothing of this name waits here"));
        }
        let offer = open_offer(&self.node, peer, name).map_err(|error| Denied::failure(&error))?;
        Ok(Box::new(offer))
    }

    fn taken(&self, peer: &PartyId, name: WireName) -> Result<(), Denied> {
        self.still_known(peer)?;
        taken(&self.node, peer, name)
    }

    fn offers_bell(&self, peer: &PartyId) -> Bell {
        self.node.bells.peer(peer)
    }
}

impl Door {
    /// Each unfinished part is a file, and something to remember: a peer has a bounded number of them.
    fn has_place(&self, peer: &PartyId, name: WireName) -> Result<(), Denied> {
        if self.part_prefix(peer, name)?.is_some() || self.parts(peer)?.len() < PARTS_MAX {
            return Ok(());
        }
        Err(denied(
            "not-allowed",
            "too many unfinished parts; finish or remove some of them first",
        ))
    }

    /// Login asked once; a card withdrawn or run out since then ends the peer's rights on a connection that is still open.
    fn still_known(&self, peer: &PartyId) -> Result<(), Denied> {
        let keys = self.node.rules.now();
        let keys = keys.keyring().transport_keys(peer, self.node.clock.now());
        if keys.is_empty() {
            return Err(denied(
                "not-allowed",
                "no card of this peer is valid here any more",
            ));
        }
        Ok(())
    }
}

/// All that waits for a peer: slips and receipts first, then bundles by lane and age. Nothing while the peer is paused.
pub(crate) fn offers(node: &Node, peer: &PartyId) -> Result<Vec<Offer>, StageError> {
    if super::requests::is_paused(node, peer)? {
        return Ok(Vec::new());
    }
    let mut offers = Vec::new();
    for slip in node.journal.slips_for(peer)? {
        offers.push(Offer {
            name: WireName::Slip(slip.digest),
            bytes: length(slip.container.len()),
        });
    }
    for row in node.journal.receipts_for(peer)? {
        if let (Some(text), Some(signature)) = (&row.receipt, &row.receipt_signature) {
            offers.push(Offer {
                name: WireName::Receipt(row.digest),
                bytes: length(receipt::pack(text, signature).len()),
            });
        }
    }
    let now = node.clock.now();
    for (digest, container) in node.journal.receipts_again(peer, now)? {
        offers.push(Offer {
            name: WireName::Receipt(digest),
            bytes: length(container.len()),
        });
    }
    let queued = node.journal.queued_for(peer)?.into_iter();
    let queued = queued.filter_map(|row| Some((row.digest?, row.payload_bytes)));
    let mut bundles: Vec<_> = queued.collect();
    let waiting: BTreeSet<_> = bundles.iter().map(|(digest, _)| *digest).collect();
    let again = node.journal.bundles_again(peer, now)?.into_iter();
    bundles.extend(again.filter(|(digest, _)| !waiting.contains(digest)));
    let offer = |(digest, payload_bytes)| Offer {
        name: WireName::Bundle(digest),
        bytes: bundle_bytes(payload_bytes),
    };
    offers.extend(bundles.into_iter().map(offer));
    Ok(offers)
}

/// Whether a name waits for a peer: what [`offers`] lists, and what stands behind the end of its list.
pub(super) fn waits(node: &Node, peer: &PartyId, name: WireName) -> Result<bool, StageError> {
    let journal = &node.journal;
    if super::requests::is_paused(node, peer)? {
        return Ok(false);
    }
    Ok(match name {
        WireName::Slip(digest) => {
            let mut slips = journal.slips_for(peer)?.into_iter();
            slips.any(|slip| slip.digest == digest)
        }
        WireName::Receipt(digest) => {
            let row = journal.inbound(&digest)?.filter(|row| &row.peer == peer);
            let is_signed = row.is_some_and(|row| row.state == Inbound::Acknowledged);
            is_signed || journal.due_again(peer, &digest)?.0
        }
        WireName::Bundle(digest) => {
            let row = journal.outbound_by_digest(&digest)?;
            let row = row.filter(|row| &row.peer == peer);
            let waits =
                |row: OutboundRow| matches!(row.state, Outbound::Queued | Outbound::HandedOver);
            row.is_some_and(waits) || journal.due_again(peer, &digest)? == (false, true)
        }
    })
}

/// Something that waits for a peer, opened for reading.
pub(crate) enum Waiting {
    /// A bundle in the queue, with the counter that the status shows.
    Bundle {
        file: Arc<File>,
        bytes: u64,
        sent: Arc<AtomicU64>,
    },
    /// A receipt or slip.
    Small(Vec<u8>),
}

/// Opens what waits for a peer.
pub(crate) fn open_offer(
    node: &Node,
    peer: &PartyId,
    name: WireName,
) -> Result<Waiting, StageError> {
    let gone = || StageError::Other(format!("{name} no longer waits"));
    match name {
        WireName::Bundle(digest) => {
            let path = node.spool.sent_bundle(peer, &digest)?.ok_or_else(gone)?;
            let io =
                |error: std::io::Error| StageError::Other(format!("{}: {error}", path.display()));
            let file = File::open(&path).map_err(io)?;
            let bytes = file.metadata().map_err(io)?.len();
            Ok(Waiting::Bundle {
                file: Arc::new(file),
                bytes,
                sent: node.board.progress(&digest),
            })
        }
        WireName::Receipt(digest) if node.journal.due_again(peer, &digest)?.0 => {
            let row = node.journal.outbound_by_digest(&digest)?.ok_or_else(gone)?;
            let container = node.journal.answer_container(&row.bundle)?;
            Ok(Waiting::Small(container.ok_or_else(gone)?))
        }
        WireName::Receipt(digest) => {
            let row = node.journal.inbound(&digest)?.ok_or_else(gone)?;
            let (Some(text), Some(signature)) = (row.receipt, row.receipt_signature) else {
                return Err(gone());
            };
            Ok(Waiting::Small(receipt::pack(&text, &signature)))
        }
        WireName::Slip(digest) => {
            let slip = node
                .journal
                .slips_for(peer)?
                .into_iter()
                .find(|slip| slip.digest == digest);
            Ok(Waiting::Small(slip.ok_or_else(gone)?.container))
        }
    }
}

/// The peer has it durably: a receipt or slip is done; a bundle waits for its receipt.
pub(crate) fn taken(node: &Node, peer: &PartyId, name: WireName) -> Result<(), Denied> {
    let now = node.clock.now();
    let outcome = match name {
        WireName::Bundle(_) => {
            return Err(denied(
                "not-allowed",
                "a bundle goes when its receipt comes",
            ));
        }
        WireName::Receipt(digest) if is_for(node, peer, &digest) => node
            .journal
            .advance_inbound(&digest, InboundEvent::ReceiptTaken, now)
            .map(|_| ()),
        WireName::Receipt(digest) if is_due_again(node, peer, &digest) => {
            let noted = node.journal.receipt_given_back(peer, &digest);
            // The bundle may follow now, in its own lane.
            node.bells.peer(peer).ring();
            noted
        }
        WireName::Receipt(_) => {
            return Err(denied("no-such-file", "nothing of this name waits here"));
        }
        WireName::Slip(digest) => node.journal.slip_taken(peer, &digest),
    };
    if outcome.is_ok() && matches!(name, WireName::Receipt(_)) {
        let owed = super::witness::owe(node, peer, 0);
        owed.map_err(|error| Denied::failure(&error))?;
    }
    node.bells.publish.ring();
    outcome.map_err(|error| Denied::failure(&error))
}

fn is_due_again(node: &Node, peer: &PartyId, digest: &Digest) -> bool {
    matches!(node.journal.due_again(peer, digest), Ok((true, _)))
}

fn is_for(node: &Node, peer: &PartyId, digest: &Digest) -> bool {
    matches!(node.journal.inbound(digest), Ok(Some(row)) if &row.peer == peer)
}

/// Longest file of this name: a bundle is bounded by its head and the agreement, the rest by its kind.
pub(crate) fn bytes_max(name: WireName) -> u64 {
    match name {
        WireName::Bundle(_) => bundle_bytes(2 << 40),
        WireName::Receipt(_) | WireName::Slip(_) => 2 * DOCUMENT_BYTES_MAX,
    }
}

impl OfferReader for Waiting {
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Bundle { file, sent, .. } => {
                let read = file.read_at(into, offset)?;
                sent.fetch_max(offset.saturating_add(length(read)), Ordering::Relaxed);
                Ok(read)
            }
            Self::Small(bytes) => {
                let from = usize::try_from(offset).unwrap_or(usize::MAX);
                let rest = bytes.get(from..).unwrap_or_default();
                let read = rest.len().min(into.len());
                for (to, byte) in into.iter_mut().zip(rest) {
                    *to = *byte;
                }
                Ok(read)
            }
        }
    }

    fn bytes(&self) -> u64 {
        match self {
            Self::Bundle { bytes, .. } => *bytes,
            Self::Small(bytes) => length(bytes.len()),
        }
    }
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

fn denied(code: &str, message: &str) -> Denied {
    Denied {
        code: code.to_owned(),
        message: message.to_owned(),
    }
}
