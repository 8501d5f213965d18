//! Handing back: what is not sent, or was refused by a signed receipt, returns to the operator with the reason beside it.
//! Files move first, the record follows: after a crash the move is found done and only recorded.

use std::sync::PoisonError;

use crate::catalogue::note::{Details, why_with};
use crate::engine::outbound::Outbound;
use crate::engine::policy::ReturnReason;
use crate::event::Event;
use crate::journal::OutboundRow;
use crate::kill;

use super::{Node, StageError};

/// Hands a claimed bundle's items back to the operator with the reason, and what there is to say of it beyond that; and records it.
///
/// # Errors
/// The journal's or the file system's.
pub(crate) fn give_back(
    node: &Node,
    row: &OutboundRow,
    reason: ReturnReason,
    details: Option<&Details>,
) -> Result<(), StageError> {
    let _alone = node
        .handing_back
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let now = node.clock.now();
    // Another stage may have done it since this row was read.
    let known = node.journal.outbound(&row.bundle)?;
    let Some(row) = known.filter(|row| row.state != Outbound::Returned) else {
        return Ok(());
    };
    // What is "unreadable" in another folder that took the home's place is no fault of the item's.
    node.spool.is_there()?;
    let folder = node.spool.outbox(&row.peer, &row.flow);
    node.journal.intend_return(&row.bundle, reason)?;
    kill::point("return.intended");
    let mut items = row.items.clone();
    for item in items.iter_mut().filter(|item| item.resting_place.is_none()) {
        let name = item.name.to_string_lossy();
        let text = why_with(&name, reason.code(), now, details);
        let claim = folder.join(&item.claim_name);
        let (peer, flow) = (row.peer.as_str(), row.flow.as_str());
        let one = (item.name.as_os_str(), item.inode);
        item.resting_place = node.spool.hand_back((peer, flow), &claim, one, &text)?;
        if item.resting_place.is_none() {
            tracing::warn!(bundle = %row.bundle, "an item was taken away from under its claim");
        }
    }
    node.spool.sync_moves()?;
    node.journal.note_items(&row.bundle, &items)?;
    kill::point("return.moved");
    node.journal.record_return(&row.bundle, reason, now)?;
    tracing::info!(event = Event::Returned.name(), bundle = %row.bundle, code = reason.code(), "returned to the operator");
    node.bells.publish.ring();
    Ok(())
}
