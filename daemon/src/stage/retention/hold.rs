//! What operators ask of retention: a hold, its end, and to destroy now what is due. The request is in the ledger already, with who
//! asked; its reason stays in this home.

use amanah_format::time::UtcTime;

use crate::journal::HoldOn;
use crate::stage::{Node, StageError};

/// The fact that somebody wants what is due to be destroyed now, also after a restart.
const WANTED: &str = "retention wanted";

/// A hold begins.
pub(crate) fn begin(node: &Node, on: &HoldOn, reason: &str, by: u32) -> Result<(), StageError> {
    let is_new = node.journal.hold(on, reason, by, now(node))?;
    tracing::warn!(peer = %on.peer, flow = %on.flow, is_new, "a legal hold: nothing of it is destroyed");
    Ok(())
}

/// A hold ends.
pub(crate) fn end(node: &Node, on: &HoldOn, by: u32) -> Result<(), StageError> {
    let stood = node.journal.end_hold(on, by, now(node))?;
    tracing::warn!(peer = %on.peer, flow = %on.flow, stood, "a legal hold has ended");
    Ok(())
}

/// What is due is to be destroyed now.
pub(crate) fn want(node: &Node) -> Result<(), StageError> {
    Ok(node.journal.set_fact(WANTED, Some("yes"))?)
}

pub(super) fn is_wanted(node: &Node) -> Result<bool, StageError> {
    Ok(node.journal.fact(WANTED)?.is_some())
}

pub(super) fn is_done(node: &Node) -> Result<(), StageError> {
    if is_wanted(node)? {
        node.journal.set_fact(WANTED, None)?;
    }
    Ok(())
}

fn now(node: &Node) -> UtcTime {
    node.clock.now()
}
