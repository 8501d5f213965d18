//! What arrived whole is given to the stage that it is for: a bundle to `admit`, a receipt to `settle`, a slip to `slips`.
//! The same whether the peer pushed it to our server or we fetched it.

use std::sync::Arc;

use amanah_format::id::PartyId;
use amanah_format::limits::DOCUMENT_BYTES_MAX;

use crate::transport::link::{Denied, WireName};

use super::admit::Admit;
use super::settle::Settle;
use super::{Node, slips};

/// The way in.
pub struct Arrive {
    /// What all stages share.
    pub node: Arc<Node>,
    /// For bundles.
    pub admit: Admit,
    /// For receipts.
    pub settle: Arc<Settle>,
}

impl Arrive {
    /// Takes over what lies complete in `incoming/PEER/NAME.part`, durably, or says why not.
    ///
    /// # Errors
    /// What the peer is told.
    pub fn hand_over(&self, peer: &PartyId, name: WireName) -> Result<(), Denied> {
        match name {
            WireName::Bundle(digest) => self.admit.hand_over(peer, digest),
            WireName::Receipt(bundle) => {
                let container = self.small(peer, name)?;
                let outcome = self.settle.receive(peer, bundle, &container);
                self.done(peer, name, outcome)
            }
            WireName::Slip(_) => {
                let container = self.small(peer, name)?;
                let outcome = slips::receive(&self.node, peer, &container);
                self.done(peer, name, outcome)
            }
        }
    }

    /// A receipt or slip, whole in memory.
    fn small(&self, peer: &PartyId, name: WireName) -> Result<Vec<u8>, Denied> {
        let part = self
            .node
            .spool
            .finished_part(peer, &name.to_string())
            .map_err(|error| Denied::failure(&error))?;
        let length = std::fs::metadata(&part)
            .map_err(|error| Denied::failure(&error))?
            .len();
        if length > 2 * DOCUMENT_BYTES_MAX {
            return self
                .done(
                    peer,
                    name,
                    Err(Denied {
                        code: "too-large".to_owned(),
                        message: "no receipt or slip is that long".to_owned(),
                    }),
                )
                .map(|()| Vec::new());
        }
        std::fs::read(&part).map_err(|error| Denied::failure(&error))
    }

    /// Kept or refused, the part is not needed any more.
    fn done(
        &self,
        peer: &PartyId,
        name: WireName,
        outcome: Result<(), Denied>,
    ) -> Result<(), Denied> {
        self.node
            .spool
            .drop_part(peer, &name.to_string())
            .map_err(|error| Denied::failure(&error))?;
        outcome
    }
}
