//! Bundles on their way in: taken over once, one receipt, places of the stream.
//! Held against SPOOL.md §3: which event leads where, what is recorded, and what a bundle that comes again may change
//! (nothing).

use amanah_format::digest::Digest;
use amanah_format::ledger::RecordKind as Kind;
use amanah_format::refusal::Refusal;
use amanah_format::slip::HeldReason;

use super::{Place, arrived, bundle, manifest, noon, open, party};
use crate::engine::inbound::{Inbound, InboundEvent};
use crate::engine::policy::{self as engine, Verdict};
use crate::journal::{InboundRow, JournalError, NewInbound, Page};

/// Prints where the record of the outcome stands.
fn print(origin: &str, index: u64) -> Vec<u8> {
    format!("{origin} {index}").into_bytes()
}

impl Place {
    fn take(&self, new: &NewInbound) -> Result<InboundRow, JournalError> {
        self.journal.take_over(new, noon(), &mut print)
    }

    fn admit(&self, sequence: u64) -> Digest {
        let name = sequence.to_string().into_bytes();
        let new = arrived(&name, manifest(sequence), Verdict::Admit);
        self.take(&new).unwrap().digest
    }

    fn decide(&self, digest: &Digest, refusal: Option<Refusal>) -> InboundRow {
        self.journal
            .decide(digest, refusal, noon(), &mut print)
            .unwrap()
    }

    fn contiguous(&self) -> u64 {
        self.ask("imigrasi", b"?", 200).contiguous
    }

    /// What is known of the place that the bundle of these bytes claims.
    fn ask(&self, peer: &str, name: &[u8], sequence: u64) -> engine::Place {
        let (peer, digest) = (party(peer), Digest::of(name));
        let place = self.journal.place(&peer, &digest, &manifest(sequence));
        place.unwrap()
    }
}

#[test]
fn the_whole_journey_leaves_one_record_per_step_and_the_receipt_names_its_own() {
    let place = open();
    let digest = place.admit(1);
    let row = place.decide(&digest, None);
    assert_eq!(row.state, Inbound::Imported);
    assert_eq!(row.receipt.as_deref(), Some(&b"amanah/kemenhaj/1 2"[..]));
    let journal = &place.journal;
    journal
        .store_receipt_signature(&digest, "armour", noon())
        .unwrap();
    assert_eq!(journal.receipts_for(&party("imigrasi")).unwrap().len(), 1);
    let step = |event| journal.advance_inbound(&digest, event, noon()).unwrap();
    assert_eq!(step(InboundEvent::ReceiptTaken), Inbound::Delivered);
    assert_eq!(step(InboundEvent::CameAgain), Inbound::Acknowledged);
    assert_eq!(step(InboundEvent::ReceiptTaken), Inbound::Delivered);
    assert!(journal.receipts_for(&party("imigrasi")).unwrap().is_empty());
    let place = place.reopened();
    let records = place.records();
    let kinds: Vec<_> = records.iter().map(|record| record.kind).collect();
    assert_eq!(
        kinds,
        [
            Kind::Opened,
            Kind::Admitted,
            Kind::Imported,
            Kind::ReceiptSigned,
            Kind::ReceiptDelivered,
        ]
    );
    assert!(
        records[1..]
            .iter()
            .all(|record| record.manifest == Some(digest))
    );
    assert_eq!(records[3].digests, [Digest::of(b"amanah/kemenhaj/1 2")]);
    let row = place.journal.inbound(&digest).unwrap().unwrap();
    assert_eq!(row.receipt_signature.as_deref(), Some("armour"));
    assert_eq!((row.bundle, row.received), (Some(bundle(1)), noon()));
    assert_eq!(
        (row.manifest, row.signature),
        (b"1".to_vec(), b"armour".to_vec())
    );
}

#[test]
fn a_bundle_that_comes_again_gets_the_same_row_and_no_new_judgement() {
    let place = open();
    let verdict = Verdict::Refuse(Refusal::TooLarge);
    let new = arrived(b"one", manifest(1), verdict);
    let first = place.take(&new).unwrap();
    assert_eq!(first.state, Inbound::Refused);
    assert_eq!(first.receipt.as_deref(), Some(&b"amanah/kemenhaj/1 1"[..]));
    let before = place.records();
    assert_eq!(before[1].code.as_deref(), Some("too-large"));
    let again = arrived(b"one", manifest(1), Verdict::Admit);
    let mut never = |_: &str, _: u64| panic!("asked for a second receipt");
    let second = place.journal.take_over(&again, noon(), &mut never).unwrap();
    assert_eq!((second.state, second.receipt), (first.state, first.receipt));
    assert_eq!(place.records(), before);
}

#[test]
fn a_delivered_receipt_is_offered_again_when_the_bundle_comes_again() {
    let place = open();
    let digest = place.admit(1);
    place.decide(&digest, None);
    place
        .journal
        .store_receipt_signature(&digest, "armour", noon())
        .unwrap();
    let taken = InboundEvent::ReceiptTaken;
    place
        .journal
        .advance_inbound(&digest, taken, noon())
        .unwrap();
    let again = place
        .take(&arrived(b"1", manifest(1), Verdict::Admit))
        .unwrap();
    assert_eq!(again.state, Inbound::Acknowledged);
    assert_eq!(again.receipt_signature.as_deref(), Some("armour"));
}

#[test]
fn a_held_bundle_is_judged_again_and_the_same_reason_is_recorded_once() {
    let place = open();
    let hold = Verdict::Hold(HeldReason::Clock);
    let digest = place
        .take(&arrived(b"one", manifest(1), hold))
        .unwrap()
        .digest;
    let judge = |event, held| place.journal.rejudge(&digest, event, held, noon());
    judge(InboundEvent::Held, Some(HeldReason::Clock)).unwrap();
    judge(InboundEvent::Held, Some(HeldReason::AgreementUnknown)).unwrap();
    judge(InboundEvent::Admitted, None).unwrap();
    judge(InboundEvent::Held, Some(HeldReason::SpaceMissing)).unwrap();
    let row = place.journal.inbound(&digest).unwrap().unwrap();
    assert_eq!(
        (row.state, row.held),
        (Inbound::Held, Some(HeldReason::SpaceMissing))
    );
    let codes: Vec<_> = place
        .records()
        .into_iter()
        .map(|record| record.code)
        .collect();
    let code = |text: &str| Some(text.to_owned());
    let reasons = [
        code("clock"),
        code("agreement-unknown"),
        None,
        code("space-missing"),
    ];
    assert_eq!(codes[1..], reasons);
    for wrong in [
        judge(InboundEvent::Held, None),
        judge(InboundEvent::Admitted, Some(HeldReason::Clock)),
        judge(InboundEvent::StoreCommitted, None),
    ] {
        assert!(matches!(wrong, Err(JournalError::Illegal(_))));
    }
}

#[test]
fn a_step_out_of_order_changes_nothing() {
    let place = open();
    let digest = place.admit(1);
    place.decide(&digest, None);
    let before = place.records();
    let journal = &place.journal;
    let mut never = |_: &str, _: u64| panic!("asked for a second receipt");
    let refusal = Some(Refusal::EntryPath);
    let refused = journal.decide(&digest, refusal, noon(), &mut never);
    assert!(matches!(refused, Err(JournalError::Illegal(_))));
    for event in [InboundEvent::ReceiptTaken, InboundEvent::StoreCommitted] {
        let moved = journal.advance_inbound(&digest, event, noon());
        assert!(matches!(moved, Err(JournalError::Illegal(_))), "{event:?}");
    }
    assert_eq!(place.records(), before);
    let row = journal.inbound(&digest).unwrap().unwrap();
    assert_eq!((row.state, row.refusal), (Inbound::Imported, None));
    let unknown = journal.store_receipt_signature(&Digest::of(b"?"), "armour", noon());
    assert!(matches!(unknown, Err(JournalError::Unknown(_))));
}

#[test]
fn the_first_gap_of_a_stream_is_known_whatever_the_order_of_arrival() {
    let place = open();
    for (sequence, contiguous) in [(2, 0), (4, 0), (1, 2), (3, 4), (9, 4)] {
        place.admit(sequence);
        assert_eq!(place.contiguous(), contiguous);
    }
    let claimed = place.ask("imigrasi", b"new", 5);
    assert_eq!(claimed.before, Some(Digest::of(b"4")));
    assert_eq!((claimed.holder, claimed.same_id), (None, None));
    let taken = place.ask("imigrasi", b"new", 4);
    assert_eq!(taken.holder, Some(Digest::of(b"4")));
    assert_eq!(taken.same_id, taken.holder);
    let other = place.ask("bpkh", b"new", 4);
    assert_eq!(other, engine::Place::default());
}

#[test]
fn a_bundle_that_is_judged_again_is_not_its_own_rival() {
    let place = open();
    let hold = Verdict::Hold(HeldReason::AgreementUnknown);
    place.take(&arrived(b"one", manifest(1), hold)).unwrap();
    let own = place.ask("imigrasi", b"one", 1);
    assert_eq!((own.holder, own.same_id), (None, None));
    let rival = place.ask("imigrasi", b"rival", 1);
    assert_eq!(rival.holder, Some(Digest::of(b"one")));
}

#[test]
fn a_refused_number_is_consumed_only_where_the_place_was_the_senders() {
    let place = open();
    let refuse = |name: &[u8], sequence, refusal| {
        let new = arrived(name, manifest(sequence), Verdict::Refuse(refusal));
        place.take(&new).unwrap();
    };
    refuse(b"one", 1, Refusal::PurposeNotAgreed);
    assert_eq!(place.contiguous(), 1);
    refuse(b"another one", 1, Refusal::SequenceConflict);
    refuse(b"two", 2, Refusal::WrongRecipient);
    assert_eq!(place.contiguous(), 1);
    let digest = place.admit(2);
    place.decide(&digest, Some(Refusal::DecryptionFailed));
    assert_eq!(place.contiguous(), 2);
    let held = arrived(
        b"three",
        manifest(3),
        Verdict::Hold(HeldReason::AgreementUnknown),
    );
    let held = place.take(&held).unwrap().digest;
    place.decide(&held, Some(Refusal::FlowNotAgreed));
    place.admit(3);
}

#[test]
fn a_place_or_id_taken_meanwhile_is_to_be_judged_again() {
    let place = open();
    place.admit(1);
    let before = place.records();
    let conflict = arrived(b"other", manifest(1), Verdict::Admit);
    assert!(matches!(
        place.take(&conflict),
        Err(JournalError::PlaceTaken)
    ));
    let mut reused = manifest(2);
    reused.bundle = bundle(1);
    let reused = arrived(b"other", reused, Verdict::Admit);
    assert!(matches!(place.take(&reused), Err(JournalError::PlaceTaken)));
    assert_eq!(place.records(), before);
    assert!(place.journal.inbound(&conflict.digest).unwrap().is_none());
    // Held, it waits without the place, and is not admitted while another holds it.
    let held = arrived(b"other", manifest(1), Verdict::Hold(HeldReason::Clock));
    let held = place.take(&held).unwrap().digest;
    let admitted = InboundEvent::Admitted;
    let judged = place.journal.rejudge(&held, admitted, None, noon());
    assert!(matches!(judged, Err(JournalError::PlaceTaken)));
}

#[test]
fn somebody_elses_signature_on_a_manifest_blocks_nothing() {
    let place = open();
    let mut impostor = arrived(
        b"one",
        manifest(1),
        Verdict::Refuse(Refusal::SenderMismatch),
    );
    impostor.peer = party("bpkh");
    place.take(&impostor).unwrap();
    let genuine = place
        .take(&arrived(b"one", manifest(1), Verdict::Admit))
        .unwrap();
    assert_eq!(
        (genuine.state, genuine.peer),
        (Inbound::Admitted, party("imigrasi"))
    );
    assert!(matches!(place.take(&impostor), Err(JournalError::Conflict)));
    assert_eq!(
        place.journal.counts().unwrap().inbound,
        [(Inbound::Admitted, 1)]
    );
}

#[test]
fn a_manifest_that_could_not_be_read_holds_no_place() {
    let place = open();
    let mut unread = arrived(
        b"junk",
        manifest(1),
        Verdict::Refuse(Refusal::ManifestMalformed),
    );
    unread.manifest = None;
    let row = place.take(&unread).unwrap();
    assert_eq!((row.bundle, row.sequence), (None, None));
    assert_eq!(row.refusal, Some(Refusal::ManifestMalformed));
    place.admit(1);
}

#[test]
fn lists_are_ordered_and_bounded() {
    let place = open();
    let digests: Vec<_> = (1..=3).map(|sequence| place.admit(sequence)).collect();
    place.decide(&digests[1], None);
    let journal = &place.journal;
    let names = |rows: Vec<InboundRow>| rows.iter().map(|row| row.digest).collect::<Vec<_>>();
    let states = [Inbound::Admitted, Inbound::Imported];
    assert_eq!(
        names(journal.inbound_in(&states, Page::first(2)).unwrap()),
        digests[..2]
    );
    assert_eq!(names(journal.recent_inbound(1).unwrap()), digests[2..]);
    let counts = journal.counts().unwrap();
    assert_eq!(
        counts.inbound,
        [(Inbound::Admitted, 2), (Inbound::Imported, 1)]
    );
    assert_eq!(counts.ledger_size, 5);
}

#[test]
fn what_is_held_is_read_page_by_page_and_counted_per_peer() {
    let place = open();
    for sequence in 1..=5 {
        let name = format!("held {sequence}").into_bytes();
        let verdict = Verdict::Hold(HeldReason::AgreementUnknown);
        place
            .take(&arrived(&name, manifest(sequence), verdict))
            .unwrap();
    }
    place.admit(6);
    let journal = &place.journal;
    let first = journal.held_after(0, 3).unwrap();
    let (age, _) = first[2];
    let second = journal.held_after(age, 3).unwrap();
    assert_eq!((first.len(), second.len()), (3, 2));
    assert!(second.iter().all(|(younger, _)| *younger > age));
    assert_eq!(journal.held_of(&party("imigrasi")).unwrap(), 5);
    assert_eq!(journal.held_of(&party("bpkh")).unwrap(), 0);
}

#[test]
fn of_an_ordered_flow_only_what_has_nothing_before_it_is_to_be_imported() {
    use crate::journal::Flows;
    use std::collections::BTreeSet;
    let place = open();
    let flow = (party("imigrasi"), manifest(1).flow);
    let (all, ordered) = (Flows::AllBut(BTreeSet::new()), BTreeSet::from([flow]));
    let listed = |ordered: &BTreeSet<_>| -> Vec<u64> {
        let rows = place
            .journal
            .admitted_in(&all, ordered, &(0..=u64::MAX), Page::first(9));
        let places = rows.unwrap().into_iter().filter_map(|row| row.sequence);
        places.map(amanah_format::id::Sequence::get).collect()
    };
    let third = place.admit(3);
    assert!(listed(&ordered).is_empty(), "1 and 2 have not come");
    assert_eq!(listed(&BTreeSet::new()), [3]);
    let second = place.admit(2);
    let first = place.admit(1);
    assert_eq!(listed(&ordered), [1]);
    place.decide(&first, None);
    assert_eq!(listed(&ordered), [2]);
    let held = (InboundEvent::Held, Some(HeldReason::StoreMissing));
    let journal = &place.journal;
    journal.rejudge(&second, held.0, held.1, noon()).unwrap();
    assert!(listed(&ordered).is_empty(), "2 is held");
    let again = InboundEvent::Admitted;
    journal.rejudge(&second, again, None, noon()).unwrap();
    // A refusal is an outcome too.
    place.decide(&second, Some(Refusal::RecordsInvalid));
    assert_eq!(listed(&ordered), [3]);
    place.decide(&third, None);
    journal
        .store_receipt_signature(&third, "armour", noon())
        .unwrap();
    let fourth = place.admit(4);
    assert_eq!(listed(&ordered), [4]);
    // What a restored store has lost comes before what is new.
    journal.store_lost(&third, noon()).unwrap();
    assert_eq!(listed(&ordered), [3]);
    assert_ne!(third, fourth);
}
