//! Homes restored from an older copy, one part or another of them, with real daemons: it is said, what is missing comes again
//! from the peer or the archive, nothing is imported twice, each bundle keeps its one receipt, and a sender gives no number
//! twice. SPOOL.md §2 and §3, FORMAT.md §9.4 and §14.1.

use std::fs;
use std::path::Path;
use std::process::Command;

use amanah_format::digest::Digest;
use amanah_format::home;
use amanah_format::ledger::{Record, RecordKind};
use amanah_tests::exchange::{Arrived, Exchange, PATIENCE, inbox_tree};
use amanah_tests::ministry::Ministry;
use amanahd::snapshot::Snapshot;

use crate::program;

/// An exact copy, as a backup makes it.
pub(crate) fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(status.unwrap().success(), "cp {}", from.display());
}

/// Puts a copy in the place of what is there.
pub(crate) fn restore(copied: &Path, place: &Path) {
    if place.is_dir() {
        fs::remove_dir_all(place).unwrap();
    } else {
        fs::remove_file(place).unwrap();
    }
    copy(copied, place);
}

/// One item, in a bundle of its own.
fn settled(exchange: &mut Exchange, name: &str) -> Vec<Arrived> {
    let way = exchange.out.clone();
    let dropped = exchange.drop_text(&way, name, name).unwrap();
    let arrived = exchange.settled(&[dropped]).unwrap();
    exchange.at_rest().unwrap();
    arrived
}

fn has_alarm(status: &Snapshot, code: &str) -> bool {
    status.alarms.iter().any(|alarm| alarm.code == code)
}

fn until_alarm(ministry: &mut Ministry, code: &str) {
    let found = |status: &Snapshot| has_alarm(status, code).then_some(());
    ministry.wait_for(code, PATIENCE, found).unwrap();
}

fn until_quiet(ministry: &mut Ministry, code: &str) {
    let gone = |status: &Snapshot| (!has_alarm(status, code)).then_some(());
    ministry.wait_for("no alarm", PATIENCE, gone).unwrap();
}

/// One item, a copy of `parts` of the recipient's home, two more items; then the copy in the place of what is there now.
/// Afterwards all must hold that holds of an exchange without a fault.
fn the_recipient_gets_back(parts: &[&str], says: &str) {
    the_recipient_is_killed(parts, says, None);
}

/// The same, but the recipient dies at a point when it is back for the first time.
fn the_recipient_is_killed(parts: &[&str], says: &str, at: Option<&str>) {
    let mut exchange = Exchange::connected(program()).unwrap();
    let mut arrived = settled(&mut exchange, "satu.csv");
    let backup = exchange.folder().join("cadangan");
    exchange.pair.imigrasi.stop().unwrap();
    copy(exchange.pair.imigrasi.home(), &backup);
    exchange.pair.imigrasi.start().unwrap();
    arrived.extend(settled(&mut exchange, "dua.csv"));
    arrived.extend(settled(&mut exchange, "tiga.csv"));
    exchange.pair.imigrasi.stop().unwrap();
    for part in parts {
        restore(&backup.join(part), &exchange.pair.imigrasi.path(part));
    }
    if let Some(point) = at {
        let imigrasi = &mut exchange.pair.imigrasi;
        let dying = imigrasi.launch().clone().with("AMANAH_KILL_AT", point);
        imigrasi.launch_daemon(&dying).unwrap();
        imigrasi.until_ended().unwrap();
    }
    exchange.pair.imigrasi.start().unwrap();
    if at.is_none() {
        until_alarm(&mut exchange.pair.imigrasi, says);
    }
    let complete = |status: &Snapshot| {
        let mut incoming = status.incoming.iter();
        let done = incoming.all(|bundle| bundle.state == "delivered");
        (done && status.incoming.len() == 3 && !has_alarm(status, "numbers-missing")).then_some(())
    };
    exchange
        .pair
        .imigrasi
        .wait_for("all three", PATIENCE, complete)
        .unwrap();
    exchange.holds(&arrived).unwrap();
    arrived.extend(settled(&mut exchange, "empat.csv"));
    exchange.holds(&arrived).unwrap();
    for ministry in [&exchange.pair.phu, &exchange.pair.imigrasi] {
        let status = ministry.status().unwrap().unwrap();
        for code in [
            "receipt-doubtful",
            "stage-failing",
            "numbers-missing",
            "bundle-missing",
        ] {
            assert!(!has_alarm(&status, code), "{}: {code}", ministry.party());
        }
    }
}

/// The rows without the data: what the operators have stays.
const JOURNAL: &[&str] = &["spool"];

#[test]
fn a_recipient_restored_whole_says_so_and_gets_what_it_lacks_once() {
    let all = ["spool", "inbox", "receipts", "ledger"];
    the_recipient_gets_back(&all, "home-behind");
}

#[test]
fn a_recipient_whose_journal_is_older_than_its_inbox_only_records_what_the_store_has() {
    the_recipient_gets_back(JOURNAL, "home-behind");
}

#[test]
fn a_recipient_whose_inbox_is_older_than_its_journal_imports_again_from_its_archive() {
    the_recipient_gets_back(&["inbox"], "store-behind");
}

#[test]
fn a_recipient_that_has_lost_inbox_and_archive_gets_both_from_the_sender() {
    the_recipient_gets_back(&["inbox", "spool/archive"], "store-behind");
}

#[test]
fn a_recipient_killed_where_its_receipt_came_back_is_complete_all_the_same() {
    let point = Some("again.receipt-regained");
    the_recipient_is_killed(
        &["spool", "inbox", "receipts", "ledger"],
        "home-behind",
        point,
    );
}

#[test]
fn a_recipient_killed_where_its_import_was_taken_up_again_is_complete_all_the_same() {
    let point = Some("import.taken-up-again");
    the_recipient_is_killed(&["inbox"], "store-behind", point);
}

/// Sends one item, copies the sender's home, sends two more, restores the copy. It runs and knows that it is behind.
fn a_sender_behind(exchange: &mut Exchange) -> Vec<Arrived> {
    let mut arrived = settled(exchange, "satu.csv");
    let backup = exchange.folder().join("cadangan");
    exchange.pair.phu.stop().unwrap();
    copy(exchange.pair.phu.home(), &backup);
    exchange.pair.phu.start().unwrap();
    arrived.extend(settled(exchange, "dua.csv"));
    arrived.extend(settled(exchange, "tiga.csv"));
    exchange.pair.phu.stop().unwrap();
    let home = exchange.pair.phu.home().to_owned();
    restore(&backup, &home);
    arrived
}

#[test]
fn a_restored_sender_learns_it_before_it_seals_and_goes_on_in_the_next_epoch() {
    let mut exchange = Exchange::connected(program()).unwrap();
    let arrived = a_sender_behind(&mut exchange);
    // It lies in the outbox before the daemon is there: nothing is sealed faster than this.
    let way = exchange.out.clone();
    let dropped = exchange.drop_text(&way, "empat.csv", "empat").unwrap();
    exchange.pair.phu.start().unwrap();
    until_alarm(&mut exchange.pair.phu, "sender-behind");
    until_quiet(&mut exchange.pair.phu, "home-copied");
    let claimed = |status: &Snapshot| {
        let mut outgoing = status.outgoing.iter();
        let waits = outgoing.any(|one| one.state == "claimed" && one.sequence.is_none());
        waits.then_some(())
    };
    let phu = &mut exchange.pair.phu;
    phu.wait_for("the claim", PATIENCE, claimed).unwrap();
    // The other direction is not stopped.
    let back = exchange.back.clone();
    let other = exchange.drop_text(&back, "balasan.csv", "lima").unwrap();
    exchange.settled(&[other]).unwrap();
    let status = exchange.pair.phu.status().unwrap().unwrap();
    assert_eq!(claimed(&status), Some(()), "{:?}", status.outgoing);

    let reopen = ["stream", "reopen", way.to.as_str(), way.flow.as_str()];
    exchange.pair.phu.run(&reopen).unwrap();
    let last = exchange.settled(&[dropped]).unwrap();
    until_quiet(&mut exchange.pair.phu, "sender-behind");
    let manifest = exchange.pair.phu.archived(&way.to, &last[0].manifest);
    let text = String::from_utf8_lossy(&fs::read(manifest).unwrap()).into_owned();
    assert!(text.contains("\"epoch\": 2") && text.contains("\"sequence\": 1,"));
    let previous = arrived.last().unwrap().manifest;
    assert!(text.contains(&format!("\"previous\": \"{previous}\"")));
    let records = fs::read_to_string(exchange.pair.phu.path(home::LEDGER_RECORDS)).unwrap();
    let records = records
        .lines()
        .map(|line| Record::parse(line.as_bytes()).unwrap());
    let opened: Vec<_> = records
        .filter(|record| record.kind == RecordKind::EpochOpened)
        .collect();
    assert_eq!(opened.len(), 1);
    assert_eq!(opened[0].manifest, Some(previous));
    assert_eq!(inbox_tree(&exchange.pair.imigrasi).unwrap().len(), 4);
}

#[test]
fn a_restored_sender_that_is_killed_where_it_learns_it_still_seals_nothing() {
    let mut exchange = Exchange::connected(program()).unwrap();
    a_sender_behind(&mut exchange);
    let way = exchange.out.clone();
    exchange.drop_text(&way, "empat.csv", "empat").unwrap();
    let phu = &mut exchange.pair.phu;
    let dying = phu
        .launch()
        .clone()
        .with("AMANAH_KILL_AT", "position.stopped");
    phu.launch_daemon(&dying).unwrap();
    phu.until_ended().unwrap();
    phu.start().unwrap();
    until_alarm(phu, "sender-behind");
    let status = phu.status().unwrap().unwrap();
    assert!(status.outgoing.iter().all(|one| one.sequence != Some(2)));
}

#[test]
fn a_number_that_is_missing_is_alarmed_and_asked_for_until_it_comes() {
    let mut exchange = Exchange::found(program()).unwrap();
    exchange.pair.phu.start().unwrap();
    let way = exchange.out.clone();
    let mut dropped = Vec::new();
    for name in ["satu.csv", "dua.csv"] {
        dropped.push(exchange.drop_text(&way, name, name).unwrap());
        let queued = |status: &Snapshot| {
            let mut outgoing = status.outgoing.iter();
            let all = outgoing.all(|one| one.state == "queued");
            (all && status.outgoing.len() == dropped.len()).then_some(())
        };
        let phu = &mut exchange.pair.phu;
        phu.wait_for("the queue", PATIENCE, queued).unwrap();
    }
    let status = exchange.pair.phu.status().unwrap().unwrap();
    let mut outgoing = status.outgoing.iter();
    let first = outgoing.find(|one| one.sequence == Some(1)).unwrap();
    let manifest: Digest = first.manifest.as_ref().unwrap().parse().unwrap();
    let queue = exchange.pair.phu.path(home::QUEUE).join(way.to.as_str());
    let lies = queue.join(amanah_format::container::bundle_name(&manifest));
    let aside = exchange.folder().join("disisihkan");
    fs::rename(&lies, &aside).unwrap();

    exchange.pair.imigrasi.start().unwrap();
    until_alarm(&mut exchange.pair.imigrasi, "numbers-missing");
    until_alarm(&mut exchange.pair.phu, "payload-lost");
    fs::rename(&aside, &lies).unwrap();
    exchange.pair.phu.run(&["retry"]).unwrap();
    let arrived = exchange.settled(&dropped).unwrap();
    until_quiet(&mut exchange.pair.imigrasi, "numbers-missing");
    exchange.holds(&arrived).unwrap();
}

#[test]
fn a_home_that_looks_like_a_copy_seals_nothing_until_its_peer_answers_or_somebody_vouches() {
    for vouched in [false, true] {
        let mut exchange = Exchange::connected(program()).unwrap();
        let mut arrived = settled(&mut exchange, "satu.csv");
        exchange.pair.imigrasi.stop().unwrap();
        exchange.pair.phu.stop().unwrap();
        // Moved: a copy of the newest state is as doubtful as one of an older.
        let (home, aside) = (
            exchange.pair.phu.home().to_owned(),
            exchange.folder().join("pindahan"),
        );
        copy(&home, &aside);
        restore(&aside, &home);
        let way = exchange.out.clone();
        let dropped = exchange.drop_text(&way, "dua.csv", "dua").unwrap();
        exchange.pair.phu.start().unwrap();
        until_alarm(&mut exchange.pair.phu, "home-copied");
        let waits = |status: &Snapshot| {
            let mut outgoing = status.outgoing.iter();
            let unreachable = status.peers.iter().any(|peer| peer.last_error.is_some());
            (unreachable && outgoing.any(|one| one.state == "claimed")).then_some(())
        };
        let phu = &mut exchange.pair.phu;
        phu.wait_for("a claim that waits", PATIENCE, waits).unwrap();
        if vouched {
            phu.run(&["stream", "vouch", way.to.as_str()]).unwrap();
            until_quiet(phu, "home-copied");
            let sealed = |status: &Snapshot| {
                let mut outgoing = status.outgoing.iter();
                outgoing.find(|one| one.state == "queued").map(drop)
            };
            phu.wait_for("the queue", PATIENCE, sealed).unwrap();
        }
        exchange.pair.imigrasi.start().unwrap();
        arrived.extend(exchange.settled(&[dropped]).unwrap());
        until_quiet(&mut exchange.pair.phu, "home-copied");
        exchange.holds(&arrived).unwrap();
    }
}
