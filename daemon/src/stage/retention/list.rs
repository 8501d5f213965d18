//! The list of what is kept, for people: each flow with its rule, how much is kept, what falls due first, and what keeps it. A copy of
//! what the journal holds, published by rename; nothing is ever read back from it.

use std::time::{Duration, Instant};

use amanah_format::destruction::Side;
use amanah_format::digest::Digest;
use amanah_format::id::{FlowName, PartyId};
use amanah_format::time::UtcTime;

use crate::engine::policy::{Kept, Policy};
use crate::journal::{Hold, InboundRow, OutboundRow, Terms, Unsettled};
use crate::retained::{FORMAT, HoldStatus, Keeps, KeptBundle, KeptFlow, Retained};
use crate::stage::StageError;
use crate::stage::settle::digest_of;

use super::{DAY_SECS, Retention, is_unsettled, kept, receipt_of};

/// Bundles listed of one flow, agreement and side: those that fall due first.
const LISTED_MAX: u32 = 200;
/// An older list is written anew, though nothing has changed.
const EVERY: Duration = Duration::from_secs(30);
/// A list that takes long is written less often: it costs no more than this part of the time.
const PAUSE_FACTOR: u32 = 50;

/// What is known of the list that was written last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listed {
    at: Instant,
    took: Duration,
    ledger: u64,
    holds: usize,
}

impl Retention {
    /// Writes it, where something has changed or it is old.
    pub(super) fn list(&self, now: UtcTime) -> Result<(), StageError> {
        let (begun, holds) = (Instant::now(), self.node.journal.holds()?);
        let ledger = self.node.journal.checkpoint()?.size;
        let is_current = self.seen().listed.is_some_and(|last| {
            let age = begun.saturating_duration_since(last.at);
            let same = last.ledger == ledger && last.holds == holds.len();
            age < last.took.saturating_mul(PAUSE_FACTOR) || (same && age < EVERY)
        });
        if is_current {
            return Ok(());
        }
        let retained = self.retained(&holds, now)?;
        let json =
            serde_json::to_vec(&retained).map_err(|error| StageError::Other(error.to_string()))?;
        self.node.spool.publish_retention(&json)?;
        self.seen().listed = Some(Listed {
            at: begun,
            took: begun.elapsed(),
            ledger,
            holds: holds.len(),
        });
        Ok(())
    }

    fn retained(&self, holds: &[Hold], now: UtcTime) -> Result<Retained, StageError> {
        let (journal, policy) = (&self.node.journal, self.node.rules.now());
        let (open, page) = (journal.unsettled()?, (0, LISTED_MAX));
        let mut flows = Vec::new();
        for (agreement, flow) in journal.sent_terms()? {
            let terms = (&agreement, &flow);
            let rows = journal.sent_kept(terms, end_of_time(now), page)?;
            let Some(first) = rows.first() else { continue };
            let key = (Side::Sent, &first.peer, &flow, &agreement);
            let mut listed = flow_of(&policy, key, &open);
            listed.kept = journal.sent_count(terms)?;
            let kept = policy.kept(&agreement, &flow);
            for row in &rows {
                listed.bundles.push(sent(row, kept, holds)?);
            }
            flows.push(listed);
        }
        for terms in journal.terms_kept()? {
            let Some((agreement, flow)) = terms.agreement.as_ref().zip(terms.flow.as_ref()) else {
                continue;
            };
            let rows = journal.received_kept(&terms, end_of_time(now), page)?;
            let Some(first) = rows.first() else { continue };
            let key = (Side::Received, &first.peer, flow, agreement);
            let mut listed = flow_of(&policy, key, &open);
            listed.kept = journal.received_count(&terms)?;
            for row in &rows {
                let one = self.received(row, (&policy, &terms), holds)?;
                listed.bundles.push(one);
            }
            flows.push(listed);
        }
        Ok(Retained {
            format: FORMAT.to_owned(),
            party: policy.own().to_string(),
            written: now,
            flows,
            holds: holds.iter().map(hold_status).collect(),
        })
    }

    fn received(
        &self,
        row: &InboundRow,
        (policy, terms): (&Policy, &Terms),
        holds: &[Hold],
    ) -> Result<KeptBundle, StageError> {
        let since = receipt_of(row)?.finished;
        let keeps = match kept(policy, terms) {
            Kept::Held => Some(Keeps::Agreement),
            Kept::Unknown if !terms.is_refused => Some(Keeps::AgreementUnknown),
            Kept::Days(_) | Kept::Unknown => None,
        };
        let held = is_held(holds, (&row.peer, row.flow.as_ref()), &row.digest);
        Ok(KeptBundle {
            manifest: row.digest.to_string(),
            bundle: row.bundle.map(|id| id.to_string()),
            sequence: row.sequence.map(|number| number.get()),
            refused: row.refusal.is_some(),
            since,
            due: self
                .days(policy, terms)
                .map(|days| since.plus_secs(i64::from(days) * DAY_SECS)),
            keeps: if held { Some(Keeps::Hold) } else { keeps }
                .or_else(|| is_unsettled(row).then_some(Keeps::PeerUnsettled)),
        })
    }
}

/// Later than anything that can be due.
fn end_of_time(now: UtcTime) -> UtcTime {
    now.plus_secs(i64::from(u32::MAX) * DAY_SECS)
}

/// A flow of which something is kept, without its bundles.
fn flow_of(
    policy: &Policy,
    (side, peer, flow, agreement): (Side, &PartyId, &FlowName, &Digest),
    open: &[Unsettled],
) -> KeptFlow {
    let mut known = policy.agreements().iter();
    let text = known.find(|known| known.digest() == *agreement);
    let text = text.map(|known| known.agreement());
    let mut open = open.iter();
    let open = open.find(|open| (open.side, &open.peer, &open.flow) == (side, peer, flow));
    KeptFlow {
        side,
        peer: peer.to_string(),
        flow: flow.to_string(),
        agreement: text.map(|text| text.id.to_string()),
        version: text.map(|text| text.version),
        digest: agreement.to_string(),
        days: match policy.kept(agreement, flow) {
            Kept::Days(days) => Some(days),
            Kept::Held | Kept::Unknown => None,
        },
        kept: 0,
        unsettled: open.map_or(0, |open| open.bundles),
        bundles: Vec::new(),
    }
}

fn sent(row: &OutboundRow, kept: Kept, holds: &[Hold]) -> Result<KeptBundle, StageError> {
    let manifest = digest_of(row)?;
    let held = is_held(holds, (&row.peer, Some(&row.flow)), &manifest);
    let (due, keeps) = match kept {
        Kept::Days(days) => (
            Some(row.changed.plus_secs(i64::from(days) * DAY_SECS)),
            None,
        ),
        Kept::Held => (None, Some(Keeps::Agreement)),
        Kept::Unknown => (None, Some(Keeps::AgreementUnknown)),
    };
    Ok(KeptBundle {
        manifest: manifest.to_string(),
        bundle: Some(row.bundle.to_string()),
        sequence: row.sequence.map(|number| number.get()),
        refused: row.refusal.is_some(),
        since: row.changed,
        due,
        keeps: if held { Some(Keeps::Hold) } else { keeps },
    })
}

fn is_held(holds: &[Hold], (peer, flow): (&PartyId, Option<&FlowName>), manifest: &Digest) -> bool {
    holds
        .iter()
        .any(|hold| hold.on.covers(peer, flow, manifest))
}

fn hold_status(hold: &Hold) -> HoldStatus {
    HoldStatus {
        number: hold.number,
        peer: hold.on.peer.to_string(),
        flow: hold.on.flow.to_string(),
        bundle: hold.on.bundle.map(|bundle| bundle.to_string()),
        reason: hold.reason.clone(),
        by: hold.by,
        since: hold.since,
    }
}
