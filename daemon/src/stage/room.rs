//! How much of this machine's disk a peer's data may take while it arrives and waits: the free space that nothing incoming ever
//! touches, and a quota for each peer, so that one that fills its own leaves the others theirs. What was imported and
//! archived is no longer counted: the data is the operators' by then.

use std::sync::Arc;

use amanah_format::id::PartyId;

use crate::spool::SpoolError;
use crate::transport::link::{Denied, WireName};

use super::Node;

/// An upload is measured again each time so much has come: so far beyond its quota a peer gets with each open upload.
const MEASURED_EACH_BYTES: u64 = 16 << 20;

/// The two bounds.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Free space that incoming data never takes.
    pub free_bytes_min: u64,
    /// What one peer's unfinished uploads and bundles that wait for their import may take together.
    pub peer_bytes_max: u64,
}

impl Room {
    /// What a peer may still bring. The alarm of the quota goes off when half of it is free again.
    pub(crate) fn left(self, node: &Node, peer: &PartyId) -> Result<u64, SpoolError> {
        let waiting = node.spool.incoming_bytes(peer)?;
        let left = self.peer_bytes_max.saturating_sub(waiting);
        if left >= self.peer_bytes_max / 2 {
            node.board.quiet("quota-exceeded", peer.as_str());
        }
        Ok(left)
    }

    /// Before an upload is opened. Receipts and slips are small, and settle what is ours: no quota keeps them out.
    pub(super) fn admits(
        self,
        node: &Arc<Node>,
        peer: &PartyId,
        name: WireName,
    ) -> Result<Measured, Denied> {
        let failure = |error: SpoolError| Denied::failure(&error);
        let free = node.spool.free_bytes().map_err(failure)?;
        if free < self.free_bytes_min {
            node.board.alarm("no-space", "spool", node.clock.now());
            let text = "the receiving machine has no space left; it is tried again";
            return Err(denied("no-space", text));
        }
        node.board.quiet("no-space", "spool");
        let mut measured = Measured {
            room: self,
            node: Arc::clone(node),
            peer: peer.clone(),
            unmeasured_max: u64::MAX,
            unmeasured: 0,
            is_over: false,
        };
        if matches!(name, WireName::Bundle(_)) {
            measured.measure()?;
        }
        Ok(measured)
    }
}

/// An upload's share of its peer's quota.
pub(super) struct Measured {
    room: Room,
    node: Arc<Node>,
    peer: PartyId,
    unmeasured_max: u64,
    unmeasured: u64,
    /// What is in flight behind a write that was refused would only make holes.
    is_over: bool,
}

impl Measured {
    /// Before so many more bytes are written.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), Denied> {
        if self.is_over {
            return Err(self.exceeded());
        }
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.unmeasured = self.unmeasured.saturating_add(bytes);
        if self.unmeasured <= self.unmeasured_max {
            return Ok(());
        }
        self.measure()?;
        self.unmeasured = bytes;
        if bytes > self.unmeasured_max {
            return Err(self.exceeded());
        }
        Ok(())
    }

    fn measure(&mut self) -> Result<(), Denied> {
        let left = self.room.left(&self.node, &self.peer);
        let left = left.map_err(|error| Denied::failure(&error))?;
        self.unmeasured_max = left.min(MEASURED_EACH_BYTES);
        if left == 0 {
            return Err(self.exceeded());
        }
        Ok(())
    }

    fn exceeded(&mut self) -> Denied {
        self.is_over = true;
        let now = self.node.clock.now();
        self.node
            .board
            .alarm("quota-exceeded", self.peer.as_str(), now);
        denied(
            "quota-exceeded",
            "as much of this peer as may wait here does already; it is tried again",
        )
    }
}

fn denied(code: &str, message: &str) -> Denied {
    Denied {
        code: code.to_owned(),
        message: message.to_owned(),
    }
}
