//! Opening, reopening, locking; the ledger beside the bundles; facts, slips.
//! What must not open: another party's journal, a newer program's, one that is open elsewhere (tried from a second
//! process), one whose ledger was changed on the disk.

use std::os::unix::fs::PermissionsExt;

use amanah_format::digest::Digest;
use amanah_format::ledger::RecordKind;
use rusqlite::Connection;

use super::{noon, open, party};
use crate::journal::{Journal, JournalError, LedgerEntry};

fn loaded() -> LedgerEntry {
    LedgerEntry {
        kind: RecordKind::Loaded,
        manifest: None,
        digests: vec![Digest::of(b"card")],
        code: None,
        by: Some(1000),
    }
}

#[test]
fn a_new_journal_begins_its_ledger_and_keeps_it_over_a_restart() {
    let place = open();
    assert_eq!(place.kinds(), [RecordKind::Opened]);
    assert_eq!(place.journal.record(loaded(), noon()).unwrap(), 1);
    let before = place.journal.checkpoint().unwrap();
    let place = place.reopened();
    assert_eq!(place.journal.checkpoint().unwrap(), before);
    assert_eq!(place.kinds(), [RecordKind::Opened, RecordKind::Loaded]);
    assert_eq!(place.records()[1].by, Some(1000));
}

#[test]
fn a_journal_that_is_not_where_it_was_records_nothing_until_it_is_back() {
    let place = open();
    let before = place.journal.checkpoint().unwrap();
    let (path, away) = (place.path(), place.path().with_extension("away"));
    let refused = || {
        let changed = place.journal.record(loaded(), noon()).map(drop);
        for outcome in [changed, place.journal.set_fact("fakta", Some("ya"))] {
            assert!(matches!(outcome, Err(JournalError::Away(_))), "{outcome:?}");
        }
        assert_eq!(place.journal.checkpoint().unwrap(), before);
        assert_eq!(place.journal.fact("fakta").unwrap(), None);
    };
    std::fs::rename(&path, &away).unwrap();
    refused();
    // Another file in its place is not it.
    std::fs::write(&path, "").unwrap();
    refused();
    std::fs::rename(&away, &path).unwrap();
    assert_eq!(place.journal.record(loaded(), noon()).unwrap(), 1);
}

/// Tells the test below that it runs in the other process, and names the journal.
const OTHER_PROCESS: &str = "AMANAH_TEST_JOURNAL";

#[test]
fn a_journal_that_is_open_opens_for_no_other_process() {
    if let Ok(path) = std::env::var(OTHER_PROCESS) {
        let second = Journal::open(path.as_ref(), &party("kemenhaj"), noon());
        assert!(matches!(second, Err(JournalError::Open { .. })));
        return;
    }
    let place = open();
    let name = "journal::tests::opening::a_journal_that_is_open_opens_for_no_other_process";
    let other = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .env(OTHER_PROCESS, place.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&other.stdout);
    assert!(
        other.status.success() && said.contains("1 passed"),
        "{said}"
    );
    place.journal.record(loaded(), noon()).unwrap();
}

#[test]
fn a_journal_that_is_open_opens_a_second_time_for_nobody_here() {
    let place = open();
    let second = Journal::open(&place.path(), &party("kemenhaj"), noon());
    let Err(JournalError::Open { reason, .. }) = second else {
        panic!("a second journal opened");
    };
    assert!(reason.contains("another process"), "{reason}");
    place.journal.record(loaded(), noon()).unwrap();
}

#[test]
fn the_journal_of_another_party_or_of_a_newer_program_is_refused() {
    let place = open();
    let path = place.path();
    drop(place.journal);
    let other = Journal::open(&path, &party("imigrasi"), noon());
    assert!(matches!(other, Err(JournalError::Foreign { .. })));
    let sql = Connection::open(&path).unwrap();
    sql.pragma_update(None, "user_version", 99).unwrap();
    drop(sql);
    let Err(JournalError::Foreign { reason, .. }) =
        Journal::open(&path, &party("kemenhaj"), noon())
    else {
        panic!("a newer program's journal opened");
    };
    assert!(
        reason.contains("a newer Amanah wrote it (schema 99;"),
        "{reason}"
    );
}

#[test]
fn only_the_owner_reads_the_journal_and_what_lies_beside_it() {
    let place = open();
    let mode = |path: &std::path::Path| {
        let metadata = std::fs::metadata(path).unwrap();
        metadata.permissions().mode() & 0o777
    };
    for file in std::fs::read_dir(place.folder.path()).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
    std::fs::set_permissions(place.path(), PermissionsExt::from_mode(0o644)).unwrap();
    let place = place.reopened();
    assert_eq!(mode(&place.path()), 0o600);
}

#[test]
fn a_link_in_the_place_of_a_new_journal_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    std::os::unix::fs::symlink(folder.path().join("elsewhere"), &path).unwrap();
    assert!(Journal::open(&path, &party("kemenhaj"), noon()).is_err());
    assert!(!folder.path().join("elsewhere").exists());
}

#[test]
fn ten_thousand_records_are_recalled_at_opening() {
    let place = open();
    let journal = &place.journal;
    journal
        .change(noon(), |change| {
            (0..10_000).try_for_each(|_| change.append(loaded()).map(drop))
        })
        .unwrap();
    let before = journal.checkpoint().unwrap();
    let place = place.reopened();
    assert_eq!(place.journal.checkpoint().unwrap(), before);
    assert_eq!(before.size, 10_001);
    assert_eq!(place.records().len(), 10_001);
    assert_eq!(place.journal.ledger_lines(9_999, 1).unwrap().len(), 1);
}

#[test]
fn an_earlier_checkpoint_is_that_of_its_time_and_a_later_one_is_unknown() {
    let place = open();
    let journal = &place.journal;
    let mut seen = vec![journal.checkpoint().unwrap()];
    for _ in 0..4 {
        journal.record(loaded(), noon()).unwrap();
        seen.push(journal.checkpoint().unwrap());
    }
    for checkpoint in seen {
        assert_eq!(journal.checkpoint_at(checkpoint.size).unwrap(), checkpoint);
    }
    let later = journal.checkpoint_at(6);
    assert!(matches!(later, Err(JournalError::Unknown(_))));
}

#[test]
fn a_ledger_that_was_changed_on_the_disk_is_noticed_at_opening() {
    for damage in [
        "UPDATE ledger SET line = x'7b7d' WHERE idx = 1",
        "UPDATE ledger SET leaf = zeroblob(32) WHERE idx = 1",
        "DELETE FROM ledger WHERE idx = 1",
        "DELETE FROM ledger",
    ] {
        let place = open();
        for _ in 0..3 {
            place.journal.record(loaded(), noon()).unwrap();
        }
        let path = place.path();
        drop(place.journal);
        Connection::open(&path)
            .unwrap()
            .execute_batch(damage)
            .unwrap();
        let opened = Journal::open(&path, &party("kemenhaj"), noon());
        assert!(matches!(opened, Err(JournalError::Damaged(_))), "{damage}");
    }
}

#[test]
fn facts_are_kept_until_they_are_removed() {
    let place = open();
    place
        .journal
        .set_fact("paused.imigrasi", Some("yes"))
        .unwrap();
    let place = place.reopened();
    let fact = |key| place.journal.fact(key).unwrap();
    assert_eq!(fact("paused.imigrasi").as_deref(), Some("yes"));
    place.journal.set_fact("paused.imigrasi", None).unwrap();
    assert_eq!(place.journal.fact("paused.imigrasi").unwrap(), None);
}

#[test]
fn slips_are_numbered_per_peer_and_kind_and_wait_until_they_are_taken() {
    let place = open();
    let journal = &place.journal;
    let (peer, other) = (party("imigrasi"), party("bpkh"));
    let mut numbers = Vec::new();
    for (peer, kind) in [
        (&peer, "held"),
        (&peer, "held"),
        (&other, "held"),
        (&peer, "void"),
    ] {
        let mut make = |number: u64| {
            numbers.push(number);
            let text = format!("{peer} {kind} {number}").into_bytes();
            (Digest::of(&text), text)
        };
        journal.add_slip(peer, kind, noon(), &mut make).unwrap();
    }
    assert!(numbers[0] < numbers[1], "{numbers:?}");
    let waiting = journal.slips_for(&peer).unwrap();
    assert_eq!(waiting.len(), 3);
    journal.slip_taken(&other, &waiting[0].digest).unwrap();
    assert_eq!(journal.slips_for(&peer).unwrap().len(), 3, "not its own");
    journal.slip_taken(&peer, &waiting[0].digest).unwrap();
    journal.slip_taken(&peer, &waiting[0].digest).unwrap();
    let left = journal.slips_for(&peer).unwrap();
    let second = format!("imigrasi held {}", numbers[1]);
    assert_eq!(left[0].container, second.into_bytes());
    assert_eq!(left.len(), 2);
}

#[test]
fn a_slip_number_counts_once_and_only_rising() {
    let place = open();
    let peer = party("imigrasi");
    let note = |number| place.journal.note_slip(&peer, "held", number).unwrap();
    assert!(note(3));
    assert!(!note(3));
    assert!(!note(2));
    assert!(note(4));
    assert!(place.journal.note_slip(&peer, "revocation", 1).unwrap());
}

#[test]
fn a_slip_that_is_added_again_after_a_crash_waits_once() {
    let place = open();
    let (journal, peer) = (&place.journal, party("imigrasi"));
    for _ in 0..2 {
        let mut make = |_| (Digest::of(b"slip"), b"slip".to_vec());
        journal
            .add_slip(&peer, "revocation", noon(), &mut make)
            .unwrap();
    }
    assert_eq!(journal.slips_for(&peer).unwrap().len(), 1);
}

#[test]
fn a_statement_is_prepared_once_whatever_is_bound() {
    let place = open();
    let query =
        "SELECT age FROM inbound WHERE peer = ?1 AND state = 'acknowledged' ORDER BY age LIMIT ?2";
    let again = place.journal.read(|sql| {
        let mut statement = sql.prepare_cached(query)?;
        for (peer, most) in [("bpkh", 1), ("rsud", 2), ("imigrasi", 300)] {
            assert!(statement.query((peer, most))?.next()?.is_none());
        }
        Ok(statement.get_status(rusqlite::StatementStatus::RePrepare))
    });
    assert_eq!(again.unwrap(), 0);
}
