//! Bundles on their way out: each change with its record, numbers without gaps, one answer.
//! Held against SPOOL.md §2: a step out of order must leave rows, numbers and ledger as they were.

use amanah_format::digest::Digest;
use amanah_format::document::Ext;
use amanah_format::id::Epoch;
use amanah_format::ledger::RecordKind as Kind;
use amanah_format::receipt::{LedgerRef, Outcome, Receipt, StoreRef};
use amanah_format::refusal::Refusal;
use amanah_format::slip::HeldReason;

use super::{Place, agreement, bundle, claim, item, noon, open, party};
use crate::engine::outbound::{Outbound, OutboundEvent};
use crate::engine::policy::ReturnReason;
use crate::journal::{JournalError, OutboundRow, Page};

impl Place {
    /// Claims bundle `n` and seals it.
    fn seal(&self, n: u8) -> OutboundRow {
        let journal = &self.journal;
        journal.claim(&[claim(n)], noon()).unwrap();
        let event = OutboundEvent::StoodAside;
        journal.advance_outbound(&bundle(n), event, noon()).unwrap();
        let mut make = |_, sequence, previous| Ok((print(n, sequence, previous), 99));
        journal
            .commit_seal(&bundle(n), &agreement(), noon(), &mut make)
            .unwrap()
    }

    /// And queues it.
    pub(super) fn queue(&self, n: u8) -> OutboundRow {
        let sealed = self.seal(n);
        let journal = &self.journal;
        journal
            .store_signature(&sealed.bundle, "armour", noon())
            .unwrap();
        let event = OutboundEvent::BundleQueued;
        journal
            .advance_outbound(&sealed.bundle, event, noon())
            .unwrap();
        sealed
    }

    fn state(&self, n: u8) -> Outbound {
        self.journal.outbound(&bundle(n)).unwrap().unwrap().state
    }
}

fn print(n: u8, sequence: impl std::fmt::Debug, previous: Option<Digest>) -> Vec<u8> {
    format!("{n} {sequence:?} {previous:?}").into_bytes()
}

pub(super) fn receipt(row: &OutboundRow, outcome: Outcome) -> Receipt {
    let refused = outcome == Outcome::Refused;
    Receipt {
        format: "amanah-receipt/1".to_owned(),
        manifest: row.digest.unwrap(),
        agreement: Some(agreement().digest),
        flow: Some(row.flow.clone()),
        epoch: row.epoch,
        sequence: row.sequence,
        from: party("imigrasi"),
        to: party("kemenhaj"),
        outcome,
        refusal: refused.then_some(Refusal::Expired),
        received: noon(),
        verified: noon(),
        finished: noon(),
        store: (!refused).then(|| StoreRef {
            kind: "files".to_owned(),
            entries: 1,
            records: 0,
        }),
        contents: (!refused).then(|| Digest::of(b"contents")),
        ledger: LedgerRef {
            origin: "amanah/imigrasi/1".to_owned(),
            index: 1,
        },
        ext: Ext::default(),
        critical: Vec::new(),
    }
}

#[test]
fn the_whole_journey_leaves_one_record_per_step() {
    let place = open();
    let row = place.queue(1);
    let journal = &place.journal;
    let id = row.bundle;
    let step = |event| journal.advance_outbound(&id, event, noon()).unwrap();
    assert_eq!(step(OutboundEvent::PeerTookOver), Outbound::HandedOver);
    assert_eq!(step(OutboundEvent::PeerTookOver), Outbound::HandedOver);
    let receipt = receipt(&row, Outcome::Imported);
    let answered = journal
        .answer(&receipt, &Digest::of(b"receipt"), b"container", noon())
        .unwrap()
        .unwrap();
    assert_eq!(answered.state, Outbound::Imported);
    assert_eq!(step(OutboundEvent::OriginalsSettled), Outbound::Settled);
    assert_eq!(step(OutboundEvent::RetentionEnded), Outbound::Destroyed);
    let records = place.records();
    let kinds: Vec<_> = records.iter().map(|record| record.kind).collect();
    assert_eq!(
        kinds,
        [
            Kind::Opened,
            Kind::Claimed,
            Kind::Sealed,
            Kind::Signed,
            Kind::HandedOver,
            Kind::ReceiptVerified,
            Kind::Settled,
            Kind::Destroyed,
        ]
    );
    assert_eq!(records[1].manifest, None);
    assert!(
        records[2..]
            .iter()
            .all(|record| record.manifest == row.digest)
    );
    assert_eq!(records[5].digests, [Digest::of(b"receipt")]);
    let kept = journal.answer_container(&id).unwrap();
    assert_eq!(kept.as_deref(), Some(&b"container"[..]));
}

#[test]
fn rows_come_out_as_they_went_in_also_after_a_restart() {
    let place = open();
    place.seal(1);
    let place = place.reopened();
    let row = place.journal.outbound(&bundle(1)).unwrap().unwrap();
    let text = print(1, row.sequence.unwrap(), None);
    assert_eq!(row.items, claim(1).items);
    assert_eq!(row.digest, Some(Digest::of(&text)));
    assert_eq!(row.manifest, Some(text));
    assert_eq!(row.agreement, Some(agreement()));
    assert_eq!((row.payload_bytes, row.seen_millis), (99, 7));
    assert_eq!((row.changed, row.epoch), (noon(), Some(Epoch::FIRST)));
    let found = place.journal.outbound_by_digest(&row.digest.unwrap());
    assert_eq!(found.unwrap().unwrap().bundle, row.bundle);
    assert!(place.journal.outbound(&bundle(9)).unwrap().is_none());
}

#[test]
fn numbers_of_a_stream_have_no_gap_and_name_the_one_before() {
    let place = open();
    let first = place.seal(1);
    let journal = &place.journal;
    journal.claim(&[claim(2)], noon()).unwrap();
    let event = OutboundEvent::StoodAside;
    journal.advance_outbound(&bundle(2), event, noon()).unwrap();
    let before = place.records().len();
    let mut fails = |_, _, _| Err("the payload is gone".to_owned());
    let failed = journal.commit_seal(&bundle(2), &agreement(), noon(), &mut fails);
    assert!(matches!(failed, Err(JournalError::Make(_))));
    assert_eq!(place.state(2), Outbound::Claimed);
    assert_eq!(place.records().len(), before);

    let place = place.reopened();
    let mut given = None;
    let mut make = |_, sequence, previous| {
        given = previous;
        Ok((print(2, sequence, previous), 1))
    };
    let second = place
        .journal
        .commit_seal(&bundle(2), &agreement(), noon(), &mut make)
        .unwrap();
    assert_eq!(second.sequence.unwrap().get(), 2);
    assert_eq!(given, first.digest);
}

#[test]
fn a_step_out_of_order_changes_nothing() {
    let place = open();
    place.seal(1);
    let before = place.records();
    let journal = &place.journal;
    let mut never = |_, _, _| panic!("asked for a second manifest");
    let again = journal.commit_seal(&bundle(1), &agreement(), noon(), &mut never);
    assert!(matches!(again, Err(JournalError::Illegal(_))));
    for event in [
        OutboundEvent::WentBack,
        OutboundEvent::BundleQueued,
        OutboundEvent::SignatureStored,
        OutboundEvent::OriginalsReturned,
    ] {
        let moved = journal.advance_outbound(&bundle(1), event, noon());
        assert!(matches!(moved, Err(JournalError::Illegal(_))), "{event:?}");
    }
    let returned = journal.record_return(&bundle(1), ReturnReason::TooLarge, noon());
    assert!(matches!(returned, Err(JournalError::Illegal(_))));
    let unknown = journal.advance_outbound(&bundle(9), OutboundEvent::StoodAside, noon());
    assert!(matches!(unknown, Err(JournalError::Unknown(_))));
    assert_eq!(place.records(), before);
    let row = journal.outbound(&bundle(1)).unwrap().unwrap();
    assert_eq!((row.state, row.return_reason), (Outbound::Sealed, None));
}

#[test]
fn the_same_receipt_again_changes_nothing_and_another_is_evidence() {
    let place = open();
    let row = place.queue(1);
    let receipt = receipt(&row, Outcome::Imported);
    let (one, other) = (Digest::of(b"one"), Digest::of(b"other"));
    let answer = |digest| place.journal.answer(&receipt, digest, b"container", noon());
    let would = |digest| place.journal.would_answer(&receipt, digest);
    assert!(would(&one).unwrap() && would(&other).unwrap());
    answer(&one).unwrap().unwrap();
    assert!(would(&one).unwrap());
    assert!(matches!(would(&other), Err(JournalError::Conflict)));
    let mut stray = receipt.clone();
    stray.from = party("bpkh");
    assert!(!place.journal.would_answer(&stray, &one).unwrap());
    let before = place.records();
    assert_eq!(answer(&one).unwrap().unwrap().state, Outbound::Imported);
    assert!(matches!(answer(&other), Err(JournalError::Conflict)));
    assert_eq!(place.records(), before);
}

#[test]
fn a_receipt_that_names_something_else_than_was_sent_does_not_count() {
    let place = open();
    let row = place.queue(1);
    let right = receipt(&row, Outcome::Imported);
    let answer = |receipt: &Receipt| {
        let digest = Digest::of(b"receipt");
        place.journal.answer(receipt, &digest, b"container", noon())
    };
    let mut unknown = right.clone();
    unknown.manifest = Digest::of(b"another");
    assert!(answer(&unknown).unwrap().is_none());
    let mut stranger = right.clone();
    stranger.from = party("bpkh");
    assert!(answer(&stranger).unwrap().is_none());
    let mut flow = right.clone();
    flow.flow = Some("paspor".parse().unwrap());
    let mut unread = right.clone();
    (unread.agreement, unread.flow, unread.epoch, unread.sequence) = (None, None, None, None);
    for wrong in [flow, unread] {
        assert!(matches!(answer(&wrong), Err(JournalError::Conflict)));
    }
    assert_eq!(place.state(1), Outbound::Queued);
    assert!(answer(&right).unwrap().is_some());
}

#[test]
fn a_refused_bundle_is_returned_with_its_code_in_row_and_ledger() {
    let place = open();
    let row = place.queue(1);
    let journal = &place.journal;
    journal
        .note_held(&row.digest.unwrap(), HeldReason::Clock)
        .unwrap();
    let held = journal.outbound(&row.bundle).unwrap().unwrap().held;
    assert_eq!(held, Some(HeldReason::Clock));
    let receipt = receipt(&row, Outcome::Refused);
    let digest = Digest::of(b"receipt");
    journal
        .answer(&receipt, &digest, b"container", noon())
        .unwrap();
    let reason = ReturnReason::Refused(Refusal::Expired);
    journal.record_return(&row.bundle, reason, noon()).unwrap();
    let row = journal.outbound(&row.bundle).unwrap().unwrap();
    assert_eq!(row.state, Outbound::Returned);
    assert_eq!((row.refusal, row.held), (Some(Refusal::Expired), None));
    assert_eq!(row.return_reason.as_deref(), Some("expired"));
    let last = place.records().pop().unwrap();
    assert_eq!((last.kind, last.manifest), (Kind::Returned, row.digest));
    assert_eq!(last.code.as_deref(), Some("expired"));
}

#[test]
fn facts_of_items_are_noted_and_unknown_items_refused() {
    let place = open();
    place.journal.claim(&[claim(1)], noon()).unwrap();
    let mut items = claim(1).items;
    items[1].ctime_nanos = -1;
    items[1].resting_place = Some("sent/imigrasi/manifes-umrah/x".to_owned());
    place.journal.note_items(&bundle(1), &items[1..]).unwrap();
    let row = place.journal.outbound(&bundle(1)).unwrap().unwrap();
    assert_eq!(row.items, items);
    let stranger = [items[0].clone(), item(b"stranger")];
    assert!(place.journal.note_items(&bundle(1), &stranger).is_err());
    // A claim whose bundle id is known is refused whole: nothing of it stays.
    assert!(place.journal.claim(&[claim(2), claim(1)], noon()).is_err());
    assert!(place.journal.outbound(&bundle(2)).unwrap().is_none());
}

#[test]
fn lists_are_ordered_and_bounded() {
    let place = open();
    for n in 1..=4 {
        place.queue(n);
    }
    let mut urgent = claim(5);
    urgent.lane = amanah_format::agreement::Lane::Urgent;
    let journal = &place.journal;
    journal.claim(&[urgent, claim(6)], noon()).unwrap();
    let took = OutboundEvent::PeerTookOver;
    journal.advance_outbound(&bundle(2), took, noon()).unwrap();
    let ids = |rows: Vec<OutboundRow>| rows.iter().map(|row| row.bundle).collect::<Vec<_>>();
    let states = [Outbound::Claiming, Outbound::Queued];
    let oldest = journal.outbound_in(&states, Page::first(4)).unwrap();
    assert_eq!(ids(oldest), [bundle(1), bundle(3), bundle(4), bundle(5)]);
    let peer = party("imigrasi");
    let waiting = journal.queued_for(&peer).unwrap();
    assert_eq!(ids(waiting), [bundle(1), bundle(3), bundle(4), bundle(2)]);
    assert_eq!(journal.waiting_for(&peer).unwrap(), (4, 4 * 99));
    assert!(journal.queued_for(&party("bpkh")).unwrap().is_empty());
    journal
        .advance_outbound(&bundle(6), OutboundEvent::WentBack, noon())
        .unwrap();
    let recent = journal.recent_outbound(2).unwrap();
    assert_eq!(ids(recent), [bundle(5), bundle(4), bundle(6)]);
    let counts = journal.counts().unwrap();
    let expected = [
        (Outbound::Claiming, 1),
        (Outbound::Queued, 3),
        (Outbound::HandedOver, 1),
        (Outbound::PutBack, 1),
    ];
    assert_eq!(counts.outbound, expected);
}
