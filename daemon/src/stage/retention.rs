//! Retention: what is past its agreed days is destroyed, on either side, recorded and certified. At the sender the originals and the
//! sealed copy; at the recipient what was imported, files or rows, and the sealed bundle, in archive or quarantine. Receipts, rows of
//! the journal and records stay: what was destroyed can still be proved to have been exchanged. SPOOL.md §3.
//!
//! Nothing that is not settled is destroyed, and nothing under a hold. Here is what is due, and when; `bundle` destroys one, `record`
//! certifies, `came_back` finds what is there again, `list` shows people what is kept, `hold` takes what they ask.

mod bundle;
mod came_back;
pub(crate) mod hold;
mod list;
mod record;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use amanah_format::destruction::Side;
use amanah_format::digest::Digest;
use amanah_format::document;
use amanah_format::id::FlowName;
use amanah_format::manifest::AgreementRef;
use amanah_format::receipt::Receipt;
use amanah_format::time::UtcTime;

use crate::engine::policy::{Kept, Policy};
use crate::journal::{Doomed, InboundRow, OutboundRow, Terms};
use crate::store::StoreError;

use super::import::{Rechecked, Tables};
use super::settle::digest_of;
use super::signer::Signer;
use super::{Node, Pass, ROWS_PER_PASS, Reaction, StageError};
use crate::store::Store;

/// Between two looks. Nothing waits for it, and a look costs a few short queries.
const EVERY: Duration = Duration::from_secs(5);
/// While something waits in `requests/`, which may be a hold.
const EVERY_ASKED: Duration = Duration::from_millis(250);
/// What is kept for days is destroyed once an hour: what falls due meanwhile stands in one destruction record.
const GATHER_SECS: i64 = 3_600;
const DAY_SECS: i64 = 86_400;

/// The stage.
pub struct Retention {
    /// What all stages share.
    pub node: Arc<Node>,
    /// Signs destruction records.
    pub signing: Arc<Signer>,
    /// Where files landed.
    pub files: Arc<dyn Store>,
    /// Where rows landed, where a database is configured.
    pub tables: Option<Arc<Tables>>,
    /// When stores and journal were compared.
    pub rechecked: Arc<Rechecked>,
    /// How long a refused bundle is kept that no agreement known here speaks for.
    pub quarantine_days: u32,
    /// What is remembered from one pass to the next.
    pub seen: Mutex<Seen>,
}

/// What is remembered from one pass to the next.
#[derive(Debug, Default)]
pub struct Seen {
    /// When all that was due was destroyed last, in this life of the process.
    ran: Option<UtcTime>,
    /// The list of what is kept, as it was written last.
    listed: Option<list::Listed>,
    /// After which comparison of stores and journal it was looked for what came back, and when that ended last.
    compared: u64,
    looked: Option<UtcTime>,
    /// Since when that waits for what a store lost.
    waits_since: Option<UtcTime>,
}

/// How a look over all that is kept goes on.
enum Step {
    /// It is gone.
    Destroyed,
    /// It is not due, or must not go.
    Passed,
    /// Somebody asks for something, which may be a hold; or the daemon stops.
    Stop,
}

impl Retention {
    /// Destroys what is due, finishes what a death left half done, certifies what is gone, and shows what is kept.
    ///
    /// # Errors
    /// This machine's.
    pub fn pass(&self) -> Result<Pass, StageError> {
        // A clock outside our own key's dates is a wrong one: it must not be what ends anything. Those that sign say so.
        let Ok(now) = self.node.signing_moment() else {
            return Ok(Pass {
                done: 0,
                again_after: EVERY,
            });
        };
        if self.node.spool.has_requests()? {
            return Ok(Pass {
                done: 0,
                again_after: EVERY_ASKED,
            });
        }
        let finished = self.finish();
        if let Err(error) = &finished
            && ends_all(error)
        {
            return finished.map(Pass::of);
        }
        let destroyed = self.run(now);
        // What is gone is certified also where something else could not be destroyed.
        self.certify(now)?;
        self.list(now)?;
        let done = finished.and(destroyed)?;
        Ok(Pass {
            done: 0,
            again_after: if done > 0 { EVERY_ASKED } else { EVERY },
        })
    }

    /// Once an hour, and where it was asked for, all that is due; what is kept for no day at each look.
    fn run(&self, now: UtcTime) -> Result<usize, StageError> {
        let wanted = hold::is_wanted(&self.node)?;
        let looked = self.look_back(now, wanted);
        // What came back does not wait for the hour.
        let all = wanted || !is_within_the_hour(self.seen().ran, now);
        let (done, whole) = self.destroy_due(now, all)?;
        if all && whole {
            self.seen().ran = Some(now);
            hold::is_done(&self.node)?;
        }
        looked.map(|()| done)
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many are gone, and whether it came to the end of all that is due.
    fn destroy_due(&self, now: UtcTime, all: bool) -> Result<(usize, bool), StageError> {
        let (journal, policy) = (&self.node.journal, self.node.rules.now());
        let (mut done, mut whole) = (0, true);
        for (agreement, flow) in sent_flows(&policy) {
            let Kept::Days(days) = policy.kept(&agreement.digest, &flow) else {
                continue;
            };
            if all || days == 0 {
                let before = ago(now, days);
                let rows =
                    |page| Ok(journal.sent_kept((&agreement.digest, &flow), before, page)?);
                let found = self.each(rows, |row| self.destroy_sent(row, (days, now)))?;
                (done, whole) = (done + found.0, whole && found.1);
            }
        }
        for terms in journal.terms_kept()? {
            let Some(days) = self.days(&policy, &terms) else {
                continue;
            };
            if all || days == 0 {
                let before = ago(now, days);
                let rows = |page| Ok(journal.received_kept(&terms, before, page)?);
                let destroy = |row: &InboundRow| self.destroy_received(row, &terms, (days, now));
                let found = self.each(rows, destroy)?;
                (done, whole) = (done + found.0, whole && found.1);
            }
        }
        Ok((done, whole))
    }

    /// None: it stays.
    fn days(&self, policy: &Policy, terms: &Terms) -> Option<u32> {
        match kept(policy, terms) {
            Kept::Days(days) => Some(days),
            Kept::Held => None,
            Kept::Unknown => terms.is_refused.then_some(self.quarantine_days),
        }
    }

    /// Every row once, a page after the other: one that fails or is not due yet is passed over. How many are gone and whether
    /// all were looked at, or the first error.
    fn each<T>(
        &self,
        mut rows: impl FnMut((u32, u32)) -> Result<Vec<T>, StageError>,
        mut destroy: impl FnMut(&T) -> Result<Step, StageError>,
    ) -> Result<(usize, bool), StageError> {
        let (mut done, mut passed, mut first) = (0, 0_u32, None);
        loop {
            let page = rows((passed, ROWS_PER_PASS))?;
            let is_last = u32::try_from(page.len()).is_ok_and(|rows| rows < ROWS_PER_PASS);
            for row in page {
                match self.unless_asked(|| destroy(&row)) {
                    Ok(Step::Destroyed) => done += 1,
                    Ok(Step::Passed) => passed = passed.saturating_add(1),
                    Ok(Step::Stop) => return first.map_or(Ok((done, false)), Err),
                    Err(error) if ends_all(&error) => return Err(error),
                    Err(error) => {
                        passed = passed.saturating_add(1);
                        first = first.or(Some(error));
                    }
                }
            }
            if is_last {
                return first.map_or(Ok((done, true)), Err);
            }
        }
    }

    /// A hold counts from the moment at which its file lies in `requests/`.
    fn unless_asked(
        &self,
        destroy: impl FnOnce() -> Result<Step, StageError>,
    ) -> Result<Step, StageError> {
        if self.node.stop.is_set() || self.node.spool.has_requests()? {
            return Ok(Step::Stop);
        }
        destroy()
    }

    fn destroy_sent(
        &self,
        row: &OutboundRow,
        (days, now): (u32, UtcTime),
    ) -> Result<Step, StageError> {
        let manifest = digest_of(row)?;
        let mut files = 0_u64;
        for place in bundle::originals(row) {
            files = files.saturating_add(self.node.spool.files_at(place)?);
        }
        self.begin(Doomed {
            side: Side::Sent,
            manifest,
            bundle: Some(row.bundle),
            peer: row.peer.clone(),
            flow: Some(row.flow.clone()),
            agreement: row.agreement.as_ref().map(|agreement| agreement.digest),
            days,
            since: row.changed,
            at: now,
            place: row.epoch.zip(row.sequence),
            sealed: self
                .node
                .spool
                .archived_sent(&row.peer, &manifest)
                .is_file(),
            files,
        })
    }

    fn destroy_received(
        &self,
        row: &InboundRow,
        terms: &Terms,
        (days, now): (u32, UtcTime),
    ) -> Result<Step, StageError> {
        // Its outcome came later than its bytes; and an import whose receipt its sender never had is not settled.
        if !is_over(row, days, now)? || is_unsettled(row) {
            return Ok(Step::Passed);
        }
        let is_agreed = matches!(kept(&self.node.rules.now(), terms), Kept::Days(_));
        self.store_is_there(row)?;
        self.begin(Doomed {
            side: Side::Received,
            manifest: row.digest,
            bundle: row.bundle,
            peer: row.peer.clone(),
            flow: row.flow.clone(),
            agreement: row.agreement.filter(|_| is_agreed),
            days,
            since: receipt_of(row)?.finished,
            at: now,
            place: row.epoch.zip(row.sequence),
            sealed: self.sealed_copy(row).is_file(),
            files: self.files.left(&row.digest)?,
        })
    }

    /// The intention first: what is begun is finished, also after a crash.
    fn begin(&self, doomed: Doomed) -> Result<Step, StageError> {
        // What is said to be destroyed was looked for; and of a disk that is away nothing is known.
        self.node.spool.is_there()?;
        if !self.node.journal.doom(&doomed)? {
            return Ok(Step::Passed);
        }
        crate::kill::point("retention.begun");
        self.destroy(&doomed)?;
        Ok(Step::Destroyed)
    }
}

/// The flows that go out from here, each with the agreement that has it.
fn sent_flows(policy: &Policy) -> Vec<(AgreementRef, FlowName)> {
    let mut flows = Vec::new();
    for agreement in policy.agreements() {
        let text = agreement.agreement();
        for flow in text.flows.iter().filter(|flow| &flow.from == policy.own()) {
            let named = AgreementRef {
                id: text.id.clone(),
                version: text.version,
                digest: agreement.digest(),
            };
            flows.push((named, flow.name.clone()));
        }
    }
    flows
}

fn kept(policy: &Policy, terms: &Terms) -> Kept {
    let known = terms.agreement.as_ref().zip(terms.flow.as_ref());
    known.map_or(Kept::Unknown, |(agreement, flow)| {
        policy.kept(agreement, flow)
    })
}

/// A database that is read for long would be waited for at each row.
fn ends_all(error: &StageError) -> bool {
    error.reaction() == Reaction::Halt || matches!(error, StageError::Store(StoreError::Busy))
}

/// Whether its sender does not know yet that it was imported. A refusal is settled by being signed.
fn is_unsettled(row: &InboundRow) -> bool {
    row.refusal.is_none() && !row.was_delivered
}

/// Whether the days of a bundle that came are over: they count from its outcome, as its receipt states it.
///
/// # Errors
/// A receipt that does not read.
pub(super) fn is_over(row: &InboundRow, days: u32, now: UtcTime) -> Result<bool, StageError> {
    Ok(receipt_of(row)?.finished <= ago(now, days))
}

fn receipt_of(row: &InboundRow) -> Result<Receipt, StageError> {
    let text = row.receipt.as_deref().unwrap_or_default();
    document::parse::<Receipt>(text).map_err(|error| {
        let digest: &Digest = &row.digest;
        StageError::Other(format!("the recorded receipt of {digest}: {error}"))
    })
}

fn is_within_the_hour(moment: Option<UtcTime>, now: UtcTime) -> bool {
    moment.is_some_and(|moment| moment <= now && now < moment.plus_secs(GATHER_SECS))
}

fn ago(now: UtcTime, days: u32) -> UtcTime {
    now.plus_secs(-i64::from(days) * DAY_SECS)
}
