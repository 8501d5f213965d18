//! Requests: what operators ask of the daemon, one file each in `requests/`, a closed set of verbs, attributed by the file's owner,
//! recorded in the ledger before it is done. What is none is removed and said in the log.

use std::sync::Arc;

use amanah_format::digest::Digest;
use amanah_format::id::{FlowName, PartyId};
use amanah_format::ledger::RecordKind;

use crate::event::Event;
use crate::journal::{HoldOn, LedgerEntry};
use crate::request::Request;

use super::retention::hold;
use super::{Node, Pass, StageError, by_hand, position, void, witness};

/// Takes what lies in `requests/`.
///
/// # Errors
/// The journal's or the file system's.
pub fn pass(node: &Arc<Node>) -> Result<Pass, StageError> {
    let mut done = 0;
    for (path, owner, bytes) in node.spool.requests()? {
        match serde_json::from_slice::<Request>(&bytes) {
            Ok(request) if !is_about_us(node, &request) => {
                tracing::warn!(owner, "a request names a peer that is not known here");
            }
            Ok(request) => {
                record(node, &request, owner, &bytes)?;
                carry_out(node, &request, owner)?;
                done += 1;
            }
            // Not the error itself: it quotes what it does not understand.
            Err(error) => {
                tracing::warn!(owner, fault = ?error.classify(), line = error.line(), "a request is not understood");
            }
        }
        node.spool.remove_request(&path)?;
    }
    Ok(Pass::of(done))
}

/// Whether the peer that it names, if it names one, is one of ours: what is stored of others would stay for ever.
fn is_about_us(node: &Node, request: &Request) -> bool {
    match request {
        Request::Retry { peer: None }
        | Request::Release { .. }
        | Request::Import { .. }
        | Request::RunRetention {}
        | Request::Carried { .. } => true,
        Request::Retry { peer: Some(peer) }
        | Request::Export { peer, .. }
        | Request::Pause { peer }
        | Request::Resume { peer }
        | Request::Reopen { peer, .. }
        | Request::Void { peer, .. }
        | Request::Hold { peer, .. }
        | Request::EndHold { peer, .. }
        | Request::AcceptLedger { party: peer }
        | Request::Vouch { peer } => node.rules.now().keyring().card(peer).is_some(),
    }
}

fn record(node: &Node, request: &Request, owner: u32, bytes: &[u8]) -> Result<(), StageError> {
    let manifest = match request {
        Request::Release { manifest } => Some(*manifest),
        Request::Hold { bundle, .. } | Request::EndHold { bundle, .. } => *bundle,
        Request::Retry { .. }
        | Request::Pause { .. }
        | Request::Resume { .. }
        | Request::Export { .. }
        | Request::Import { .. }
        | Request::Carried { .. }
        | Request::Reopen { .. }
        | Request::Void { .. }
        | Request::AcceptLedger { .. }
        | Request::RunRetention {}
        | Request::Vouch { .. } => None,
    };
    let entry = LedgerEntry {
        kind: RecordKind::Requested,
        manifest,
        digests: vec![Digest::of(bytes)],
        code: Some(verb(request).to_owned()),
        by: Some(owner),
    };
    node.journal.record(entry, node.clock.now())?;
    tracing::info!(
        event = Event::Requested.name(),
        verb = verb(request),
        owner,
        "request"
    );
    Ok(())
}

fn carry_out(node: &Node, request: &Request, owner: u32) -> Result<(), StageError> {
    match request {
        Request::Retry { peer: Some(peer) } => node.bells.retry(peer).ring(),
        Request::Retry { peer: None } => node.bells.retry_all(),
        Request::Release { .. } => node.bells.import.ring(),
        Request::Pause { peer } => node.journal.set_fact(&paused(peer), Some("yes"))?,
        Request::Resume { peer } => node.journal.set_fact(&paused(peer), None)?,
        Request::Export { peer, ticket } => by_hand::export(node, peer, ticket, owner)?,
        Request::Import { ticket, names } => by_hand::import(node, names, ticket, owner)?,
        Request::Carried { ticket, names } => by_hand::carried(node, names, ticket, owner)?,
        Request::Reopen { peer, flow } => {
            let now = node.clock.now();
            if node.journal.open_epoch((peer, flow), owner, now)? {
                tracing::warn!(%peer, %flow, "the next epoch of the stream is open");
                let subject = format!("{peer} {flow}");
                node.board.quiet("sender-behind", &subject);
            } else {
                tracing::warn!(%peer, %flow, "the stream is not stopped; nothing is opened");
            }
        }
        Request::Void { peer, flow, number } => void::wish(node, (peer, flow), *number, owner)?,
        Request::AcceptLedger { party } => witness::accept(node, party)?,
        Request::Vouch { peer } => position::open(node, peer)?,
        Request::Hold {
            peer,
            flow,
            bundle,
            reason,
            ..
        } => hold::begin(node, &on(peer, flow, *bundle), reason.as_str(), owner)?,
        Request::EndHold {
            peer, flow, bundle, ..
        } => hold::end(node, &on(peer, flow, *bundle), owner)?,
        Request::RunRetention {} => hold::want(node)?,
    }
    node.bells.ring_all();
    Ok(())
}

fn on(peer: &PartyId, flow: &FlowName, bundle: Option<Digest>) -> HoldOn {
    HoldOn {
        peer: peer.clone(),
        flow: flow.clone(),
        bundle,
    }
}

/// Whether an operator paused this peer; it survives a restart.
///
/// # Errors
/// The journal's.
pub(crate) fn is_paused(node: &Node, peer: &PartyId) -> Result<bool, StageError> {
    Ok(node.journal.fact(&paused(peer))?.is_some())
}

fn paused(peer: &PartyId) -> String {
    format!("paused {peer}")
}

const fn verb(request: &Request) -> &'static str {
    match request {
        Request::Retry { .. } => "retry",
        Request::Release { .. } => "release",
        Request::Pause { .. } => "pause",
        Request::Resume { .. } => "resume",
        Request::Export { .. } => "export",
        Request::Import { .. } => "import",
        Request::Carried { .. } => "carried",
        Request::Reopen { .. } => "reopen",
        Request::Void { .. } => "void",
        Request::AcceptLedger { .. } => "accept-ledger",
        Request::Vouch { .. } => "vouch",
        Request::Hold { .. } => "hold",
        Request::EndHold { .. } => "end-hold",
        Request::RunRetention {} => "run-retention",
    }
}
