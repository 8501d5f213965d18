//! What arrived whole is given to the stage that it is for: a bundle to `admit`, a receipt to `settle`, a slip to `slips`.
//! The same whether the peer pushed it to our server or we fetched it.

use std::io::{ErrorKind, Read};
use std::sync::Arc;

use amanah_format::id::PartyId;
use amanah_format::limits::DOCUMENT_BYTES_MAX;

use crate::spool::SpoolError;
use crate::spool::part::Part;
use crate::store::table::Stores;
use crate::transport::link::{Denied, WireName};

use super::admit::Admit;
use super::settle::Settle;
use super::{Node, StageError, slips};

/// The way in.
pub struct Arrive {
    /// What all stages share.
    pub node: Arc<Node>,
    /// For bundles.
    pub admit: Admit,
    /// Asked what it has before a number is answered as given up.
    pub store: Stores,
    /// For receipts.
    pub settle: Arc<Settle>,
}

impl Arrive {
    /// Takes over what lies complete in `incoming/PEER/NAME.part`, durably, or says why not.
    ///
    /// # Errors
    /// What the peer is told.
    pub fn hand_over(&self, peer: &PartyId, name: WireName) -> Result<(), Denied> {
        if let WireName::Bundle(digest) = name {
            return self.admit.hand_over(peer, digest);
        }
        let spool = &self.node.spool;
        let part = spool.whole_part(peer, &name.to_string());
        let part = part.map_err(|error| not_finished(&error))?;
        let outcome = small(&part).and_then(|container| self.take(peer, name, &container));
        let outcome = self.done(part, outcome);
        if matches!(name, WireName::Slip(_)) {
            // What this one may have superseded goes with it. The disk's fault: then the next time.
            let _ = forget_slips(&self.node, peer);
        }
        outcome
    }

    /// Takes a receipt or slip that is here whole: whoever is given it keeps it durably, where it counts.
    ///
    /// # Errors
    /// What the peer is told.
    pub(super) fn take(
        &self,
        peer: &PartyId,
        name: WireName,
        container: &[u8],
    ) -> Result<(), Denied> {
        match name {
            WireName::Receipt(bundle) => self.settle.receive(peer, bundle, container),
            WireName::Slip(_) => slips::receive(&self.node, &self.store, peer, container),
            WireName::Bundle(_) => Err(Denied::failure(&"a bundle is taken over from the disk")),
        }
    }

    /// Kept or refused, the part is not needed any more. Where it is gone from under our hands, so is the home: the part will be back
    /// with it, and the peer must hand it over once more.
    fn done(&self, part: Part, outcome: Result<(), Denied>) -> Result<(), Denied> {
        let was_there = self.node.spool.done_with(part);
        if was_there.map_err(|error| Denied::failure(&error))? {
            outcome
        } else {
            Err(Denied::failure(&"the home is not there"))
        }
    }
}

/// A receipt or slip, whole in memory.
fn small(part: &Part) -> Result<Vec<u8>, Denied> {
    let mut bytes = Vec::new();
    let file = part.reopen().map_err(|error| Denied::failure(&error))?;
    file.take(2 * DOCUMENT_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Denied::failure(&error))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > 2 * DOCUMENT_BYTES_MAX) {
        return Err(Denied {
            code: "too-large".to_owned(),
            message: "no receipt or slip is that long".to_owned(),
        });
    }
    Ok(bytes)
}

/// Drops what is left of slips: a peer that begins to hand one over and then says it anew never finishes it. One that is being
/// written is left alone; one that is dropped too early is written again.
///
/// # Errors
/// The folder cannot be read.
fn forget_slips(node: &Node, peer: &PartyId) -> Result<(), StageError> {
    for (text, _) in node.spool.parts(peer)? {
        if matches!(WireName::parse(&text), Some(WireName::Slip(_))) {
            // Busy, or the disk's: then the next time.
            let _ = node.spool.drop_part(peer, &text);
        }
    }
    Ok(())
}

/// A part that arrived whole, kept from every other writer. What the peer itself got wrong is not this machine's error.
pub(super) fn finished(node: &Node, peer: &PartyId, name: &str) -> Result<Part, Denied> {
    let part = node.spool.finished_part(peer, name);
    part.map_err(|error| not_finished(&error))
}

fn not_finished(error: &SpoolError) -> Denied {
    let (code, message) = match error.io_kind() {
        Some(ErrorKind::NotFound) => ("no-such-file", "nothing of this name was uploaded"),
        Some(ErrorKind::InvalidData) => ("failure", "bytes before its end have not come yet"),
        Some(_) | None => return Denied::failure(error),
    };
    Denied {
        code: code.to_owned(),
        message: message.to_owned(),
    }
}
