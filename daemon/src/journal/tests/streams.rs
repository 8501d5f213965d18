//! Streams as the journal keeps them: what is missing, what was told, what is closed by a receipt; what is given again, how
//! often; what is stopped and opened anew. Held against SPOOL.md §2 and §3.

use amanah_format::agreement::Lane;
use amanah_format::digest::Digest;
use amanah_format::id::{Epoch, PartyId, Sequence};
use amanah_format::ledger::RecordKind as Kind;
use amanah_format::refusal::Refusal;
use amanah_format::slip::{Resend, StreamPlace, VoidReason};
use rusqlite::Connection;

mod void;

use super::{Place, agreement, arrived, bundle, claim, manifest, noon, open, party};
use crate::engine::inbound::Inbound;
use crate::engine::outbound::OutboundEvent;
use crate::engine::policy::Verdict;
use crate::engine::stream::StreamKey;
use crate::journal::{Journal, JournalError, OutboundRow, Page};

fn print(origin: &str, index: u64) -> Vec<u8> {
    format!("{origin} {index}").into_bytes()
}

impl Place {
    fn comes(&self, sequence: u64) {
        let name = format!("bundle {sequence}").into_bytes();
        let new = arrived(&name, manifest(sequence), Verdict::Admit);
        let row = self.journal.take_over(&new, noon(), &mut print).unwrap();
        assert_eq!(row.state, Inbound::Admitted);
    }

    fn waits(&self, shut: &[PartyId]) -> Result<Vec<OutboundRow>, JournalError> {
        self.journal.unsealed_in(Lane::Normal, shut, Page::first(9))
    }

    fn missing(&self) -> Vec<(u64, u64)> {
        let gaps = self.journal.gaps().unwrap();
        gaps.into_iter().flat_map(|gap| gap.runs).collect()
    }

    /// Claims bundle `n`, seals it and lets the peer take it over; its digest.
    fn goes(&self, n: u8) -> Result<Digest, JournalError> {
        let journal = &self.journal;
        journal.claim(&[claim(n)], noon())?;
        journal.advance_outbound(&bundle(n), OutboundEvent::StoodAside, noon())?;
        let mut make = |epoch: Epoch, sequence: Sequence, previous| {
            Ok((
                format!("{n} {epoch} {sequence} {previous:?}").into_bytes(),
                9,
            ))
        };
        let row = journal.commit_seal(&bundle(n), &agreement(), noon(), &mut make)?;
        journal.store_signature(&bundle(n), "armour", noon())?;
        for event in [OutboundEvent::BundleQueued, OutboundEvent::PeerTookOver] {
            journal.advance_outbound(&bundle(n), event, noon())?;
        }
        Ok(row.digest.unwrap())
    }
}

fn key() -> StreamKey {
    let manifest = manifest(1);
    StreamKey {
        peer: party("imigrasi"),
        agreement: manifest.agreement.id,
        flow: manifest.flow,
        epoch: manifest.epoch,
    }
}

/// A place of the stream to us, or (`ours`) from us.
fn place(ours: bool, epoch: u64, sequence: u64) -> StreamPlace {
    let (from, to) = match ours {
        true => (party("kemenhaj"), party("imigrasi")),
        false => (party("imigrasi"), party("kemenhaj")),
    };
    StreamPlace {
        from,
        to,
        agreement: if ours {
            agreement().id
        } else {
            key().agreement
        },
        flow: if ours { claim(1).flow } else { key().flow },
        epoch: epoch.try_into().unwrap(),
        sequence: sequence.try_into().unwrap(),
        manifest: Digest::of(b"seen"),
    }
}

#[test]
fn a_number_is_missing_as_soon_as_a_later_one_comes_and_no_longer() {
    let node = open();
    node.comes(1);
    assert!(node.missing().is_empty());
    node.comes(5);
    node.comes(3);
    assert_eq!(node.missing(), [(2, 2), (4, 4)]);
    node.comes(4);
    let node = node.reopened();
    assert_eq!(node.missing(), [(2, 2)]);
    node.comes(2);
    assert!(node.missing().is_empty());
}

#[test]
fn what_the_sender_says_was_taken_over_is_missing_until_it_comes_or_the_sender_says_otherwise() {
    let node = open();
    node.comes(1);
    assert!(!node.journal.note_told(&place(false, 1, 1)).unwrap());
    assert!(node.journal.note_told(&place(false, 1, 3)).unwrap());
    assert_eq!(node.missing(), [(2, 3)]);
    node.comes(2);
    assert_eq!(node.missing(), [(3, 3)]);
    assert!(!node.journal.note_told(&place(false, 1, 2)).unwrap());
    assert!(node.missing().is_empty());
}

#[test]
fn our_own_receipt_closes_its_number_for_every_other_bundle() {
    let node = open();
    node.comes(1);
    node.comes(3);
    let (forgotten, receipt) = (Digest::of(b"bundle 2"), Digest::of(b"receipt"));
    let close = || {
        let proof = (&forgotten, &receipt);
        node.journal
            .close_by_receipt(&key(), 2, proof, noon())
            .unwrap()
    };
    assert!(close());
    assert!(!close());
    assert!(node.missing().is_empty());
    let record = node.records().pop().unwrap();
    assert_eq!(
        (record.kind, record.manifest),
        (Kind::ReceiptSigned, Some(forgotten))
    );
    let asked = |digest: &Digest| {
        let place = node.journal.place(&party("imigrasi"), digest, &manifest(2));
        place.unwrap().closed
    };
    assert!(asked(&Digest::of(b"another")));
    assert!(!asked(&forgotten));
    node.comes(2);
}

#[test]
fn whoever_asks_for_everything_all_the_time_is_given_each_bundle_once_an_hour() {
    let node = open();
    let digest = node.goes(1).unwrap();
    let peer = party("imigrasi");
    let everything = Resend {
        manifest: None,
        agreement: agreement().id,
        flow: claim(1).flow,
        epoch: Epoch::FIRST,
        first: Sequence::FIRST,
        last: 1_024.try_into().unwrap(),
    };
    let asked = node.journal.asked_for(&peer, &everything).unwrap();
    assert_eq!(asked.len(), 1);
    assert!(
        node.journal
            .asked_for(&party("lain"), &everything)
            .unwrap()
            .is_empty()
    );
    let mut given = 0;
    for second in 0..7_200 {
        let now = noon().plus_secs(second);
        let what = (false, true);
        if node.journal.give_again(&peer, &digest, what, now).unwrap() {
            assert_eq!(
                node.journal.bundles_again(&peer, now).unwrap(),
                [(digest, 9)]
            );
            node.journal.bundle_given(&peer, &digest).unwrap();
            given += 1;
        }
        if second % 600 == 0 {
            assert!(node.journal.bundles_again(&peer, now).unwrap().is_empty());
        }
    }
    assert_eq!(given, 2);
}

#[test]
fn a_bundle_is_given_again_after_its_receipt_was_taken_and_not_for_ever() {
    let node = open();
    let digest = node.goes(1).unwrap();
    let (peer, journal) = (party("imigrasi"), &node.journal);
    assert!(
        journal
            .give_again(&peer, &digest, (true, true), noon())
            .unwrap()
    );
    assert!(journal.bundles_again(&peer, noon()).unwrap().is_empty());
    journal.receipt_given_back(&party("lain"), &digest).unwrap();
    assert_eq!(journal.due_again(&peer, &digest).unwrap(), (true, true));
    journal.receipt_given_back(&peer, &digest).unwrap();
    assert_eq!(journal.bundles_again(&peer, noon()).unwrap().len(), 1);
    let late = noon().plus_secs(86_401);
    assert!(journal.bundles_again(&peer, late).unwrap().is_empty());
}

#[test]
fn nothing_is_sealed_in_a_stopped_stream_until_its_next_epoch_is_opened() {
    let node = open();
    let journal = &node.journal;
    node.goes(1).unwrap();
    journal.stop_stream(&place(true, 3, 7), noon()).unwrap();
    assert!(matches!(node.goes(2), Err(JournalError::Make(_))));
    assert!(node.waits(&[]).unwrap().is_empty());
    let flow = claim(1).flow;
    assert!(
        !journal
            .open_epoch((&party("lain"), &flow), 1000, noon())
            .unwrap()
    );
    assert!(
        journal
            .open_epoch((&party("imigrasi"), &flow), 1000, noon())
            .unwrap()
    );
    let record = node.records().pop().unwrap();
    assert_eq!((record.kind, record.by), (Kind::EpochOpened, Some(1000)));
    assert_eq!(record.manifest, Some(Digest::of(b"seen")));
    assert!(
        !journal
            .open_epoch((&party("imigrasi"), &flow), 1000, noon())
            .unwrap()
    );
    let waiting = node.waits(&[]).unwrap();
    assert_eq!(waiting.len(), 1);
    assert!(node.waits(&[party("imigrasi")]).unwrap().is_empty());
    node.goes(3).unwrap();
    let row = journal.outbound(&bundle(3)).unwrap().unwrap();
    let seen = Some(Digest::of(b"seen"));
    assert_eq!(
        row.manifest.unwrap(),
        format!("3 4 1 {seen:?}").into_bytes()
    );
}

#[test]
fn a_peers_last_epoch_is_followed_by_none() {
    let node = open();
    let last = u64::from(u32::MAX);
    node.journal
        .stop_stream(&place(true, last, 1), noon())
        .unwrap();
    let stream = (&party("imigrasi"), &claim(1).flow);
    assert!(!node.journal.open_epoch(stream, 0, noon()).unwrap());
}

#[test]
fn a_position_says_the_highest_that_came_and_the_highest_that_was_taken_over() {
    let node = open();
    node.comes(1);
    node.comes(4);
    let digest = node.goes(1).unwrap();
    node.journal.claim(&[claim(2)], noon()).unwrap();
    let (own, peer) = (party("kemenhaj"), party("imigrasi"));
    let places = node.journal.seen_places(&own, &peer).unwrap();
    let said: Vec<_> = places
        .iter()
        .map(|place| (place.from.as_str(), place.sequence.get(), place.manifest))
        .collect();
    let expected = [
        ("imigrasi", 4, Digest::of(b"bundle 4")),
        ("kemenhaj", 1, digest),
    ];
    assert_eq!(said, expected);
    assert!(
        node.journal
            .seen_places(&own, &party("lain"))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn slips_are_numbered_by_the_clock_so_that_a_restored_home_is_still_heard() {
    let node = open();
    let mut numbers = Vec::new();
    for _ in 0..3 {
        let mut make = |number| {
            numbers.push(number);
            (Digest::of(&u64::to_be_bytes(number)), vec![1])
        };
        let key = (&party("imigrasi"), "position", "position 0");
        node.journal.put_slip(key, noon(), &mut make).unwrap();
    }
    assert!(numbers.is_sorted_by(|one, next| one < next));
    assert!(numbers[0] > 1_700_000_000_000, "{numbers:?}");
    assert_eq!(node.journal.slips_for(&party("imigrasi")).unwrap().len(), 1);
    assert!(node.journal.is_news(&party("imigrasi"), "held", 5).unwrap());
    assert!(
        node.journal
            .note_slip(&party("imigrasi"), "held", 5)
            .unwrap()
    );
    assert!(!node.journal.is_news(&party("imigrasi"), "held", 5).unwrap());
}

#[test]
fn a_journal_of_version_1_is_brought_up_with_what_it_holds() {
    let node = open();
    for sequence in [1, 2, 6] {
        node.comes(sequence);
    }
    let path = node.path();
    drop(node.journal);
    let sql = Connection::open(&path).unwrap();
    // As version 1 had it.
    sql.execute_batch(
        "DROP TABLE acts; DROP TABLE destructions; DROP TABLE holds;
        DROP INDEX inbound_kept; DROP INDEX outbound_kept; DROP INDEX inbound_destroyed;
        ALTER TABLE inbound DROP COLUMN destroyed; ALTER TABLE outbound DROP COLUMN destroyed;
        DROP INDEX again_due; DROP TABLE again; DROP TABLE stopped; DROP TABLE closed_in; DROP INDEX outbound_place;
        DROP INDEX outbound_flow; DROP INDEX inbound_flow;
        ALTER TABLE slips DROP COLUMN about; ALTER TABLE streams_in DROP COLUMN told;
        ALTER TABLE streams_in DROP COLUMN highest; ALTER TABLE streams_in DROP COLUMN highest_digest;
        PRAGMA user_version = 1;",
    )
    .unwrap();
    drop(sql);
    let journal = Journal::open(&path, &party("kemenhaj"), noon()).unwrap();
    let gaps = journal.gaps().unwrap();
    assert_eq!(gaps[0].runs, [(3, 5)]);
    let places = journal.seen_places(&party("kemenhaj"), &party("imigrasi"));
    assert_eq!(places.unwrap()[0].manifest, Digest::of(b"bundle 6"));
}
