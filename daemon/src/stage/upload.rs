//! Upload: what an authenticated peer writes into a part. The head of a bundle says how long the rest is, so more than that is
//! not taken: an upload without end costs the disk no more than what it declared. Whether the head may be believed is not
//! asked here but at the hand-over; a head that lies only shortens its own bundle.

use std::io::Read;
use std::sync::Arc;

use amanah_format::container::bundle_bytes;
use amanah_format::digest::Digest;
use amanah_format::id::PartyId;
use amanah_format::limits::BUNDLE_HEAD_BYTES;
use amanah_format::manifest::UnverifiedHead;

use crate::spool::part::{HOLE_BYTES_MAX, Part, PartError};
use crate::transport::link::{Denied, PartWriter, WireName};

use super::arrive::Arrive;
use super::room::Measured;
use super::{Node, StageError, early};

/// Most bytes of a part whose head cannot be read: nothing of it will be taken over, and a client in full flight is still told
/// so at its hand-over, with the code that says why.
const UNREADABLE_BYTES_MAX: u64 = HOLE_BYTES_MAX;

/// A part that a peer has opened for writing.
pub(super) struct Upload {
    arrive: Arc<Arrive>,
    peer: PartyId,
    name: WireName,
    /// None: it went beyond what its head says, and was dropped.
    part: Option<Part>,
    /// Its share of the peer's quota.
    measured: Measured,
    /// Whether the bundle's head was read, and bounds the rest.
    is_bounded: bool,
}

impl Upload {
    pub(super) fn new(
        arrive: Arc<Arrive>,
        peer: PartyId,
        name: WireName,
        (part, measured): (Part, Measured),
    ) -> Self {
        Self {
            arrive,
            peer,
            name,
            part: Some(part),
            measured,
            is_bounded: false,
        }
    }

    fn node(&self) -> &Node {
        &self.arrive.node
    }

    /// Head and length contradict each other, whichever of them is wrong: nothing that may still come can mend this part.
    fn spoiled(&mut self, digest: Digest) -> Result<Denied, StageError> {
        let denied = Denied::damaged();
        if let Some(part) = self.part.take() {
            let (admit, path) = (&self.arrive.admit, part.path());
            admit.note_turned_away(&self.peer, digest, path, &denied)?;
            drop(part);
            self.node()
                .spool
                .drop_part(&self.peer, &self.name.to_string())?;
        }
        Ok(denied)
    }
}

/// Once the head of a bundle is there, it bounds the rest. Whether it is.
fn bound_by_head(part: &mut Part) -> Result<bool, StageError> {
    if part.prefix() < BUNDLE_HEAD_BYTES {
        return Ok(false);
    }
    let mut head = Vec::new();
    part.reopen()?
        .take(BUNDLE_HEAD_BYTES)
        .read_to_end(&mut head)
        .map_err(|error| StageError::Other(format!("{}: {error}", part.path().display())))?;
    let bytes_max = UnverifiedHead::parse(&head).map_or(UNREADABLE_BYTES_MAX, |head| {
        bundle_bytes(head.payload_bytes())
    });
    part.shorten(bytes_max);
    Ok(true)
}

impl PartWriter for Upload {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Denied> {
        let part = self.part.as_mut().ok_or_else(Denied::damaged)?;
        self.measured.take(bytes.len())?;
        if !self.is_bounded && matches!(self.name, WireName::Bundle(_)) {
            self.is_bounded = bound_by_head(part).map_err(|error| Denied::failure(&error))?;
            if let (true, WireName::Bundle(digest)) = (self.is_bounded, self.name) {
                early::consider(&self.arrive.node, &self.peer, digest, part);
            }
        }
        match (part.write_at(offset, bytes), self.name) {
            (Ok(()), _) => Ok(()),
            (Err(PartError::TooLong), WireName::Bundle(digest)) if self.is_bounded => {
                let denied = self.spoiled(digest);
                Err(denied.unwrap_or_else(|error| Denied::failure(&error)))
            }
            (Err(PartError::Spool(error)), _) => Err(Denied::failure(&error)),
            (Err(error), _) => Err(Denied {
                code: "not-allowed".to_owned(),
                message: error.to_string(),
            }),
        }
    }

    fn sync(&mut self) -> Result<u64, Denied> {
        let part = self.part.as_mut().ok_or_else(Denied::damaged)?;
        part.sync().map_err(|error| Denied::failure(&error))
    }
}
