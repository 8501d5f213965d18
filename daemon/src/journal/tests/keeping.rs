//! What is kept until its days are over: found by its terms, marked once, recorded once; answers stay as they were.
//! SPOOL.md §3.

use amanah_format::digest::Digest;
use amanah_format::ledger::RecordKind as Kind;
use amanah_format::receipt::Outcome;
use amanah_format::refusal::Refusal;
use amanah_format::time::UtcTime;

use super::outgoing::receipt;
use super::{Place, agreement, arrived, manifest, noon, open};
use crate::engine::inbound::{Inbound, InboundEvent};
use crate::engine::outbound::{Outbound, OutboundEvent};
use crate::engine::policy::{ReturnReason, Verdict};
use crate::journal::retention::{KEPT, TERMS};
use crate::journal::{JournalError, Terms};

const ALL: (u32, u32) = (0, 100);

impl Place {
    /// Taken over and answered.
    pub(super) fn answered(&self, sequence: u64, refusal: Option<Refusal>) -> Digest {
        let name = sequence.to_string().into_bytes();
        let new = arrived(&name, manifest(sequence), Verdict::Admit);
        let mut print = |_: &str, _| b"receipt".to_vec();
        let journal = &self.journal;
        let row = journal.take_over(&new, noon(), &mut print).unwrap();
        let decided = journal.decide(&row.digest, refusal, noon(), &mut print);
        decided.unwrap();
        let signed = journal.store_receipt_signature(&row.digest, "armour", noon());
        signed.unwrap();
        row.digest
    }

    fn terms(&self) -> Vec<Terms> {
        self.journal.terms_kept().unwrap()
    }

    fn kept(&self, terms: &Terms, moment: UtcTime) -> Vec<Digest> {
        let rows = self.journal.received_kept(terms, moment, ALL).unwrap();
        rows.into_iter().map(|row| row.digest).collect()
    }

    fn destroyed(&self) -> usize {
        let kinds = self.kinds();
        kinds
            .iter()
            .filter(|kind| **kind == Kind::Destroyed)
            .count()
    }
}

#[test]
fn what_came_is_kept_by_its_terms_until_it_is_destroyed_once() {
    let place = open();
    let imported = [place.answered(1, None), place.answered(2, None)];
    let refused = place.answered(3, Some(Refusal::EntryPath));
    let unread = arrived(
        b"unread",
        manifest(4),
        Verdict::Refuse(Refusal::ManifestMalformed),
    );
    let unread = crate::journal::NewInbound {
        manifest: None,
        ..unread
    };
    let journal = &place.journal;
    let mut print = |_: &str, _| b"receipt".to_vec();
    let unread = journal.take_over(&unread, noon(), &mut print).unwrap();
    assert_eq!(
        place.terms().len(),
        2,
        "what is not answered yet is not kept: it is under way"
    );
    let signed = journal.store_receipt_signature(&unread.digest, "armour", noon());
    signed.unwrap();
    let terms = place.terms();
    let said = terms
        .iter()
        .map(|terms| (terms.is_refused, terms.agreement.is_some()));
    let said: Vec<_> = said.collect();
    assert_eq!(said, [(false, true), (true, false), (true, true)]);
    assert_eq!(terms[0].agreement, Some(agreement().digest));
    assert_eq!(place.kept(&terms[0], noon()), imported);
    assert!(place.kept(&terms[0], noon().plus_secs(-1)).is_empty());
    assert_eq!(place.kept(&terms[1], noon()), [unread.digest]);
    assert_eq!(place.kept(&terms[2], noon()), [refused]);
    for digest in [imported[0], refused] {
        for _ in 0..2 {
            journal.received_destroyed(&digest, 0, noon()).unwrap();
        }
    }
    assert_eq!(place.destroyed(), 2);
    assert_eq!(place.kept(&terms[0], noon()), [imported[1]]);
    assert_eq!(place.terms(), terms[..2]);
}

#[test]
fn what_was_destroyed_is_answered_as_before_and_never_imported_again() {
    let place = open();
    let digest = place.answered(1, None);
    let journal = &place.journal;
    journal.received_destroyed(&digest, 0, noon()).unwrap();
    let place = place.reopened();
    let journal = &place.journal;
    let taken = journal.advance_inbound(&digest, InboundEvent::ReceiptTaken, noon());
    assert_eq!(taken.unwrap(), Inbound::Delivered);
    let new = arrived(b"1", manifest(1), Verdict::Admit);
    let again = journal.take_over(&new, noon(), &mut |_, _| panic!("a second judgement"));
    let again = again.unwrap();
    assert_eq!(again.state, Inbound::Acknowledged);
    assert_eq!(again.receipt.as_deref(), Some(&b"receipt"[..]));
    assert!(place.terms().is_empty());
    assert!(journal.answered_imports(0, 9).unwrap().is_empty());
}

#[test]
fn what_is_under_way_is_not_destroyed() {
    let place = open();
    let new = arrived(b"1", manifest(1), Verdict::Admit);
    let mut print = |_: &str, _| Vec::new();
    let row = place.journal.take_over(&new, noon(), &mut print).unwrap();
    let early = place.journal.received_destroyed(&row.digest, 0, noon());
    assert!(matches!(early, Err(JournalError::Illegal(_))));
    let queued = place.queue(1);
    let early = place.journal.sent_destroyed(&queued.bundle, noon());
    assert!(matches!(early, Err(JournalError::Illegal(_))));
    assert_eq!(place.destroyed(), 0);
}

#[test]
fn what_went_out_is_destroyed_once_and_what_was_returned_stays_returned() {
    let place = open();
    let journal = &place.journal;
    let (settled, returned) = (place.queue(1), place.queue(2));
    for (row, outcome) in [(&settled, Outcome::Imported), (&returned, Outcome::Refused)] {
        let mut receipt = receipt(row, outcome);
        receipt.refusal = (outcome == Outcome::Refused).then_some(Refusal::TooLarge);
        let digest = Digest::of(row.bundle.to_string().as_bytes());
        journal
            .answer(&receipt, &digest, b"container", noon())
            .unwrap();
    }
    let terms = (&agreement().digest, &settled.flow);
    let kept = || journal.sent_kept(terms, noon(), ALL).unwrap();
    assert!(kept().is_empty(), "its originals lie in the outbox still");
    let event = OutboundEvent::OriginalsSettled;
    journal
        .advance_outbound(&settled.bundle, event, noon())
        .unwrap();
    let reason = ReturnReason::Refused(Refusal::TooLarge);
    journal
        .record_return(&returned.bundle, reason, noon())
        .unwrap();
    assert_eq!(kept().len(), 2);
    for row in kept() {
        for _ in 0..2 {
            journal.sent_destroyed(&row.bundle, noon()).unwrap();
        }
    }
    assert!(kept().is_empty());
    assert_eq!(place.destroyed(), 2);
    let state = |row: &crate::journal::OutboundRow| {
        let row = journal.outbound(&row.bundle).unwrap();
        row.unwrap().state
    };
    assert_eq!(state(&settled), Outbound::Destroyed);
    assert_eq!(state(&returned), Outbound::Returned);
}

/// Years of rows lie behind these lists: none of them may be read to find what is due.
#[test]
fn what_is_kept_is_found_by_its_index() {
    let place = open();
    for (query, index) in [
        (
            format!("SELECT 1 FROM inbound INDEXED BY inbound_kept WHERE {KEPT} AND {TERMS} > ?1 ORDER BY {TERMS} LIMIT 1"),
            "inbound_kept",
        ),
        (
            format!(
                "SELECT * FROM inbound INDEXED BY inbound_kept WHERE {TERMS} = ?1 AND received <= ?2 AND {KEPT} ORDER BY received, age LIMIT 9"
            ),
            "inbound_kept",
        ),
        (
            "SELECT agreement, flow FROM outbound INDEXED BY outbound_kept WHERE destroyed IS NULL AND digest IS NOT NULL
             AND state IN ('settled', 'returned') AND (agreement, flow) > (?1, ?2) ORDER BY agreement, flow LIMIT 1"
                .to_owned(),
            "outbound_kept",
        ),
        (
            "SELECT * FROM outbound WHERE agreement = ?1 AND flow = ?2 AND changed <= ?3 AND destroyed IS NULL
             AND digest IS NOT NULL AND state IN ('settled', 'returned') ORDER BY changed, age LIMIT 9"
                .to_owned(),
            "outbound_kept",
        ),
        (
            "SELECT * FROM inbound INDEXED BY inbound_destroyed WHERE destroyed IS NOT NULL
             ORDER BY destroyed DESC, age DESC LIMIT 9 OFFSET 9"
                .to_owned(),
            "inbound_destroyed",
        ),
    ] {
        let plan = place.journal.read(|sql| {
            let mut explained = sql.prepare(&format!("EXPLAIN QUERY PLAN {query}"))?;
            let many = explained.parameter_count();
            let nulls = rusqlite::params_from_iter(vec![rusqlite::types::Null; many]);
            let lines = explained.query_map(nulls, |row| row.get::<_, String>("detail"))?;
            Ok(lines.collect::<Result<Vec<_>, _>>()?)
        });
        let plan = plan.unwrap().join("; ");
        // The last list is the index itself, from its end.
        let is_walked = plan.contains("SCAN") && index != "inbound_destroyed";
        assert!(plan.contains(index) && !is_walked && !plan.contains("TEMP"), "{plan}");
    }
}
