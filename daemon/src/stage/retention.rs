//! Retention: what is past its agreed days is destroyed, on either side, and recorded. At the sender the originals and the sealed
//! copy; at the recipient the sealed bundle that it received, in archive or quarantine. What was imported is its consumers'.
//! Receipts, rows and records stay: what was destroyed can still be proved to have been exchanged. SPOOL.md §3.
//!
//! Files first, the row after: a death between the two leaves files that are looked for in vain.

use std::sync::Arc;
use std::time::Duration;

use amanah_format::container::{bundle_bytes, bundle_name};
use amanah_format::digest::Digest;
use amanah_format::document;
use amanah_format::receipt::Receipt;
use amanah_format::refusal::Refusal;
use amanah_format::time::UtcTime;

use crate::durable;
use crate::engine::policy::{Kept, Policy};
use crate::event::Event;
use crate::journal::{InboundRow, OutboundRow, Terms};
use crate::kill;
use crate::spool::QuarantineNote;

use super::settle::digest_of;
use super::{Node, Pass, ROWS_PER_PASS, Reaction, StageError};

/// Between two looks. Nothing waits for it, and a look costs a few short queries.
const EVERY: Duration = Duration::from_secs(5);
const DAY_SECS: i64 = 86_400;

/// The stage.
pub struct Retention {
    /// What all stages share.
    pub node: Arc<Node>,
    /// How long a refused bundle is kept that no agreement known here speaks for.
    pub quarantine_days: u32,
}

impl Retention {
    /// Destroys what is due.
    ///
    /// # Errors
    /// This machine's.
    pub fn pass(&self) -> Result<Pass, StageError> {
        // A clock outside our own key's dates is a wrong one: it must not be what ends anything. Those that sign say so.
        let done = match self.node.signing_moment() {
            Ok(now) => self.destroy_due(now)?,
            Err(_) => 0,
        };
        Ok(Pass {
            done,
            again_after: EVERY,
        })
    }

    fn destroy_due(&self, now: UtcTime) -> Result<usize, StageError> {
        let (journal, policy) = (&self.node.journal, self.node.rules.now());
        let mut done = 0;
        for agreement in policy.agreements() {
            let ours = |flow: &&amanah_format::agreement::Flow| &flow.from == policy.own();
            for flow in agreement.agreement().flows.iter().filter(ours) {
                let terms = (&agreement.digest(), &flow.name);
                let Kept::Days(days) = policy.kept(terms.0, terms.1) else {
                    continue;
                };
                let before = ago(now, days);
                let rows = |page| Ok(journal.sent_kept(terms, before, page)?);
                done += self.each(rows, |row| self.destroy_sent(row, now).map(|()| true))?;
            }
        }
        for terms in journal.terms_kept()? {
            let Some(days) = self.days(&policy, &terms) else {
                continue;
            };
            let before = ago(now, days);
            let rows = |page| Ok(journal.received_kept(&terms, before, page)?);
            done += self.each(rows, |row| self.destroy_received(row, (days, now)))?;
        }
        Ok(done)
    }

    /// None: it stays.
    fn days(&self, policy: &Policy, terms: &Terms) -> Option<u32> {
        let known = terms.agreement.as_ref().zip(terms.flow.as_ref());
        match known.map_or(Kept::Unknown, |(agreement, flow)| {
            policy.kept(agreement, flow)
        }) {
            Kept::Days(days) => Some(days),
            Kept::Held => None,
            Kept::Unknown => terms.is_refused.then_some(self.quarantine_days),
        }
    }

    /// Every row once, a page after the other: one that fails or is not due yet is passed over. How many were destroyed, or the
    /// first error.
    fn each<T>(
        &self,
        mut rows: impl FnMut((u32, u32)) -> Result<Vec<T>, StageError>,
        mut destroy: impl FnMut(&T) -> Result<bool, StageError>,
    ) -> Result<usize, StageError> {
        let (mut done, mut passed, mut first) = (0, 0_u32, None);
        loop {
            let page = rows((passed, ROWS_PER_PASS))?;
            let is_last = u32::try_from(page.len()).is_ok_and(|rows| rows < ROWS_PER_PASS);
            for row in page {
                if self.node.stop.is_set() {
                    return Ok(done);
                }
                match destroy(&row) {
                    Ok(true) => done += 1,
                    Ok(false) => passed = passed.saturating_add(1),
                    Err(error) if error.reaction() == Reaction::Halt => return Err(error),
                    Err(error) => {
                        passed = passed.saturating_add(1);
                        first = first.or(Some(error));
                    }
                }
            }
            if is_last {
                return first.map_or(Ok(done), Err);
            }
        }
    }

    fn destroy_sent(&self, row: &OutboundRow, now: UtcTime) -> Result<(), StageError> {
        // What was returned is its operator's again; of it only our sealed copy is left.
        if row.return_reason.is_none() {
            let places = row.items.iter();
            for place in places.filter_map(|item| item.resting_place.as_ref()) {
                self.node.spool.destroy(place)?;
            }
        }
        let manifest = &digest_of(row)?;
        self.node.spool.remove_archived_sent(&row.peer, manifest)?;
        kill::point("retention.removed");
        self.node.journal.sent_destroyed(&row.bundle, now)?;
        tracing::info!(event = Event::Destroyed.name(), bundle = %row.bundle, %manifest, peer = %row.peer, "destroyed: the agreed days are over");
        self.node.bells.publish.ring();
        Ok(())
    }

    /// False: its outcome came later than its bytes, and its days are not over.
    fn destroy_received(
        &self,
        row: &InboundRow,
        (days, now): (u32, UtcTime),
    ) -> Result<bool, StageError> {
        if !is_over(row, days, now)? {
            return Ok(false);
        }
        self.node
            .spool
            .remove_archived_received(&row.peer, &row.digest)?;
        // Of a number that was given up nothing ever lay here.
        let refused = row.refusal.filter(|code| *code != Refusal::Voided);
        if let Some(refusal) = refused {
            self.destroy_quarantined(row, refusal.code())?;
        }
        kill::point("retention.removed");
        self.node.journal.received_destroyed(&row.digest, now)?;
        let bundle = row.bundle.map(|id| id.to_string()).unwrap_or_default();
        tracing::info!(event = Event::Destroyed.name(), bundle, manifest = %row.digest, peer = %row.peer, "destroyed: the agreed days are over");
        Ok(true)
    }

    /// The note stays, and says so.
    fn destroy_quarantined(&self, row: &InboundRow, code: &str) -> Result<(), StageError> {
        let name = bundle_name(&row.digest);
        durable::remove(&self.node.spool.quarantined(&name))?;
        let note = QuarantineNote {
            name: name.clone(),
            peer: row.peer.clone(),
            code: code.to_owned(),
            time: row.received,
            bytes: bundle_bytes(row.payload_bytes),
            state: "destroyed".to_owned(),
        };
        Ok(self.node.spool.note_quarantine(&name, &note)?)
    }
}

/// Whether the days of a bundle that came are over: they count from its outcome, as its receipt states it.
///
/// # Errors
/// A receipt that does not read.
pub(super) fn is_over(row: &InboundRow, days: u32, now: UtcTime) -> Result<bool, StageError> {
    let text = row.receipt.as_deref().unwrap_or_default();
    let receipt = document::parse::<Receipt>(text).map_err(|error| {
        let digest: &Digest = &row.digest;
        StageError::Other(format!("the recorded receipt of {digest}: {error}"))
    })?;
    Ok(receipt.finished <= ago(now, days))
}

fn ago(now: UtcTime, days: u32) -> UtcTime {
    now.plus_secs(-i64::from(days) * DAY_SECS)
}
