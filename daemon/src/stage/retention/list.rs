//! The list of what is kept, for people: each flow with its rule, how much is kept, what falls due first, and what keeps it. A copy of
//! what the journal holds, published by rename; nothing is ever read back from it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use amanah_format::destruction::Side;
use amanah_format::digest::Digest;
use amanah_format::id::{FlowName, PartyId};
use amanah_format::time::UtcTime;

use crate::engine::policy::{Kept, Policy};
use crate::journal::{Hold, InboundRow, KeptCount, OutboundRow, Terms};
use crate::retained::{FORMAT, HoldStatus, Keeps, KeptBundle, KeptFlow, Retained};
use crate::stage::StageError;
use crate::stage::settle::digest_of;

use super::{DAY_SECS, Retention, is_unsettled, kept, receipt_of, sent_flows};

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

/// One flow, side and agreement.
type Key = (bool, PartyId, FlowName, Digest);

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
        let policy = self.node.rules.now();
        let counts = self.node.journal.kept_counts()?;
        let mut flows = self.flows(&policy, &counts);
        for (agreement, flow) in sent_flows(&policy) {
            let page = (0, LISTED_MAX);
            let rows = (&agreement.digest, &flow);
            for row in self.node.journal.sent_kept(rows, end_of_time(now), page)? {
                let one = sent(&row, holds)?;
                put(&mut flows, (true, &row.peer, &flow, &agreement.digest), one);
            }
        }
        for terms in self.node.journal.terms_kept()? {
            let Some((agreement, flow)) = terms.agreement.as_ref().zip(terms.flow.as_ref()) else {
                continue;
            };
            let rows =
                self.node
                    .journal
                    .received_kept(&terms, end_of_time(now), (0, LISTED_MAX))?;
            for row in rows {
                let one = self.received(&row, (&policy, &terms), holds)?;
                put(&mut flows, (false, &row.peer, flow, agreement), one);
            }
        }
        Ok(Retained {
            format: FORMAT.to_owned(),
            party: policy.own().to_string(),
            written: now,
            flows: flows.into_values().collect(),
            holds: holds.iter().map(hold_status).collect(),
        })
    }

    /// Every flow of which something is kept, or not settled, without its bundles.
    fn flows(&self, policy: &Policy, counts: &[KeptCount]) -> BTreeMap<Key, KeptFlow> {
        let mut flows = BTreeMap::new();
        for count in counts {
            let Some(agreement) = count.agreement else {
                continue;
            };
            let known = policy.agreements().iter();
            let mut known = known.filter(|known| known.digest() == agreement);
            let text = known.next().map(|known| known.agreement());
            let kept = policy.kept(&agreement, &count.flow);
            let open = counts.iter().find(|open| {
                open.agreement.is_none()
                    && (open.side, &open.peer, &open.flow) == (count.side, &count.peer, &count.flow)
            });
            let flow = KeptFlow {
                side: count.side,
                peer: count.peer.to_string(),
                flow: count.flow.to_string(),
                agreement: text.map(|text| text.id.to_string()),
                version: text.map(|text| text.version),
                digest: agreement.to_string(),
                days: match kept {
                    Kept::Days(days) => Some(days),
                    Kept::Held | Kept::Unknown => None,
                },
                kept: count.bundles,
                unsettled: open.map_or(0, |open| open.bundles),
                bundles: Vec::new(),
            };
            let is_sent = count.side == Side::Sent;
            let key = (is_sent, count.peer.clone(), count.flow.clone(), agreement);
            flows.insert(key, flow);
        }
        flows
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

fn put(
    flows: &mut BTreeMap<Key, KeptFlow>,
    (is_sent, peer, flow, agreement): (bool, &PartyId, &FlowName, &Digest),
    mut one: KeptBundle,
) {
    let key = (is_sent, peer.clone(), flow.clone(), *agreement);
    if let Some(flow) = flows.get_mut(&key) {
        if is_sent {
            match flow.days {
                Some(days) => one.due = Some(one.since.plus_secs(i64::from(days) * DAY_SECS)),
                None => one.keeps = one.keeps.or(Some(Keeps::Agreement)),
            }
        }
        flow.bundles.push(one);
    }
}

/// Without its due date, which its flow knows.
fn sent(row: &OutboundRow, holds: &[Hold]) -> Result<KeptBundle, StageError> {
    let manifest = digest_of(row)?;
    let held = is_held(holds, (&row.peer, Some(&row.flow)), &manifest);
    Ok(KeptBundle {
        manifest: manifest.to_string(),
        bundle: Some(row.bundle.to_string()),
        sequence: row.sequence.map(|number| number.get()),
        refused: row.refusal.is_some(),
        since: row.changed,
        due: None,
        keeps: held.then_some(Keeps::Hold),
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
