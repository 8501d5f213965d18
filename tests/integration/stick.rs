//! Two ministries with no network between them, and a stick that is carried (FORMAT.md §16.4): everything arrives once with
//! its receipt; a stick that is lost, comes twice, is another's or was changed does no harm; what lies on it is never believed.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use amanah::demo::exchange::{compare, exactly_once};
use amanah_format::home;
use amanah_format::limits::BUNDLE_HEAD_BYTES;
use amanah_tests::evidence::{verify_ledger, verify_receipts};
use amanah_tests::exchange::{Arrived, Dropped, Exchange, PATIENCE, files_below};
use amanah_tests::items::Way;
use amanah_tests::ministry::Ministry;
use amanah_tests::pilgrims;
use amanah_tests::stick::{attempt, fates, unconnected};
use amanah_tests::waiting::until;
use amanahd::snapshot::Snapshot;

use crate::program;

mod broken;
mod hostile;

fn started() -> Exchange {
    let mut exchange = unconnected(program()).unwrap();
    exchange.pair.phu.start().unwrap();
    exchange.pair.imigrasi.start().unwrap();
    exchange
}

fn stick(exchange: &Exchange, name: &str) -> PathBuf {
    let folder = exchange.folder().join("stik").join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn wait(ministry: &mut Ministry, what: &str, holds: impl Fn(&Snapshot) -> bool) {
    let found = |status: &Snapshot| holds(status).then_some(());
    ministry.wait_for(what, PATIENCE, found).unwrap();
}

/// Drops an item and waits until its bundle waits to be carried.
fn queued(exchange: &mut Exchange, way: &Way, name: &str, text: &str) -> Dropped {
    let dropped = exchange.drop_text(way, name, text).unwrap();
    let (sender, _) = exchange.pair.sender_and_receiver(&way.from);
    wait(sender, "the queue", |status| {
        let mut bundles = status.outgoing.iter();
        bundles.any(|one| one.state == "queued" && one.items[0].name == name)
    });
    dropped
}

/// Exports without a fault: (name, result).
fn exported(ministry: &Ministry, stick: &Path) -> Vec<(String, String)> {
    let ran = attempt(ministry, "export", stick).unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let files = fates(&ran).unwrap().into_iter();
    files.map(|(name, result, _)| (name, result)).collect()
}

/// Imports: (fate, code) in the order of the names.
fn imported(ministry: &Ministry, stick: &Path) -> Vec<(String, String)> {
    let ran = attempt(ministry, "import", stick).unwrap();
    let mut files = fates(&ran).unwrap();
    files.sort();
    let files = files.into_iter();
    files.map(|(_, fate, code)| (fate, code)).collect()
}

fn fate(word: &str) -> (String, String) {
    (word.to_owned(), String::new())
}

fn bad(code: &str) -> (String, String) {
    ("turned-away".to_owned(), code.to_owned())
}

fn until_answered(ministry: &mut Ministry, receipts: u64) {
    wait(ministry, "signed receipts", |status| {
        status.peers[0].waiting_receipts == receipts
    });
}

/// Imported once, originals settled, evidence right; receipts may still be carried.
fn holds(exchange: &mut Exchange, arrived: &[Arrived]) {
    let from = arrived[0].item.from.clone();
    let (sender, receiver) = exchange.pair.sender_and_receiver(&from);
    for one in arrived {
        compare(sender, receiver, one).unwrap();
    }
    exactly_once(receiver, arrived).unwrap();
    verify_receipts(sender, receiver).unwrap();
    verify_ledger(sender).unwrap();
    verify_ledger(receiver).unwrap();
    for ministry in [&*sender, receiver] {
        for folder in [home::STICK_IN, home::STICK_OUT] {
            let place = ministry.path(folder);
            let empty = || Ok(files_below(&place)?.is_empty().then_some(()));
            until("an empty folder", PATIENCE, empty).unwrap();
        }
    }
}

#[test]
fn what_is_carried_on_a_stick_settles_both_ways() {
    let mut exchange = started();
    let [out, back] = [exchange.out.clone(), exchange.back.clone()];
    let sent = queued(
        &mut exchange,
        &out,
        "manifes.csv",
        &pilgrims::manifest(3, 50),
    );
    let answered = queued(&mut exchange, &back, "hasil.csv", "satu");
    let [there, here, again] = ["pergi", "pulang", "pergi lagi"].map(|name| stick(&exchange, name));

    assert_eq!(exported(&exchange.pair.phu, &there).len(), 1);
    let status = exchange.pair.phu.status().unwrap().unwrap();
    assert_eq!(status.outgoing[0].state, "queued", "nothing is handed over");
    assert_eq!(status.peers[0].side, "hand");
    assert_eq!(
        imported(&exchange.pair.imigrasi, &there),
        [fate("taken-over")]
    );
    until_answered(&mut exchange.pair.imigrasi, 1);

    // The receipt and a bundle of the other direction, together.
    assert_eq!(exported(&exchange.pair.imigrasi, &here).len(), 2);
    let taken = imported(&exchange.pair.phu, &here);
    assert_eq!(taken, [fate("taken-over"), fate("taken-over")]);
    let sent = exchange.settled(&[sent]).unwrap();
    until_answered(&mut exchange.pair.phu, 1);
    // On a stick is not delivered: it is still offered, and exported again.
    until_answered(&mut exchange.pair.imigrasi, 1);
    let names = exported(&exchange.pair.imigrasi, &here);
    assert!(
        names.iter().all(|(_, result)| result == "there"),
        "{names:?}"
    );

    // The receipt comes back without the first bundle: its own receipt has arrived.
    assert_eq!(exported(&exchange.pair.phu, &again).len(), 1);
    assert_eq!(
        imported(&exchange.pair.imigrasi, &again),
        [fate("taken-over")]
    );
    let answered = exchange.settled(&[answered]).unwrap();
    until_answered(&mut exchange.pair.imigrasi, 0);
    holds(&mut exchange, &sent);
    holds(&mut exchange, &answered);
}

#[test]
fn a_lost_stick_costs_another_export_and_the_same_stick_twice_changes_nothing() {
    let mut exchange = started();
    let way = exchange.out.clone();
    let dropped = queued(&mut exchange, &way, "manifes.csv", "satu");
    let [lost, found, home_again] = ["hilang", "dua", "tiga"].map(|name| stick(&exchange, name));
    let first = exported(&exchange.pair.phu, &lost);
    fs::remove_dir_all(&lost).unwrap();
    assert_eq!(exported(&exchange.pair.phu, &found), first);
    assert_eq!(
        imported(&exchange.pair.imigrasi, &found),
        [fate("taken-over")]
    );
    assert_eq!(
        imported(&exchange.pair.imigrasi, &found),
        [fate("already-here")]
    );
    until_answered(&mut exchange.pair.imigrasi, 1);
    // The first receipt is lost with its stick too.
    assert_eq!(exported(&exchange.pair.imigrasi, &home_again).len(), 1);
    let receipt = files_below(&home_again).unwrap().remove(0);
    let bytes = fs::read(&receipt).unwrap();
    fs::remove_file(&receipt).unwrap();
    assert_eq!(exported(&exchange.pair.imigrasi, &home_again).len(), 1);
    assert_eq!(
        fs::read(&receipt).unwrap(),
        bytes,
        "the same, byte for byte"
    );
    assert_eq!(
        imported(&exchange.pair.phu, &home_again),
        [fate("taken-over")]
    );
    assert_eq!(
        imported(&exchange.pair.phu, &home_again),
        [fate("already-here")]
    );
    // Brought to whoever made it.
    assert_eq!(
        imported(&exchange.pair.imigrasi, &home_again),
        [fate("ours")]
    );
    assert_eq!(imported(&exchange.pair.phu, &found), [fate("ours")]);
    let arrived = exchange.settled(&[dropped]).unwrap();
    // A late repeat after all that: the same receipt is carried once more.
    assert_eq!(
        imported(&exchange.pair.imigrasi, &found),
        [fate("already-here")]
    );
    until_answered(&mut exchange.pair.imigrasi, 1);
    holds(&mut exchange, &arrived);
}

#[test]
fn what_was_changed_on_the_stick_is_noticed_and_comes_whole_with_the_next() {
    let mut exchange = started();
    let way = exchange.out.clone();
    let dropped = ["satu", "dua dua", "tiga"].map(|text| {
        let name = format!("{text}.csv");
        queued(&mut exchange, &way, &name, text)
    });
    let stick = stick(&exchange, "diubah");
    assert_eq!(exported(&exchange.pair.phu, &stick).len(), 3);
    let mut files = files_below(&stick).unwrap();
    files.sort();
    let whole = fs::read(&files[0]).unwrap();
    let file = fs::File::options().write(true).open(&files[0]).unwrap();
    let at = BUNDLE_HEAD_BYTES + 100;
    let byte = whole[usize::try_from(at).unwrap()];
    file.write_all_at(&[byte ^ 1], at).unwrap();
    fs::copy(&files[0], &files[1]).unwrap();
    let file = fs::File::options().write(true).open(&files[2]).unwrap();
    file.set_len(BUNDLE_HEAD_BYTES + 10).unwrap();
    let found = imported(&exchange.pair.imigrasi, &stick);
    assert_eq!(
        found,
        [bad("damaged"), bad("name-mismatch"), bad("damaged")]
    );
    // The operator sees why, and nothing was imported.
    let notes = exchange.pair.imigrasi.run(&["quarantine", "list"]).unwrap();
    assert!(notes.stdout.contains("damaged") && notes.stdout.contains("name-mismatch"));
    assert_eq!(exported(&exchange.pair.phu, &stick).len(), 3);
    let found = imported(&exchange.pair.imigrasi, &stick);
    assert_eq!(
        found,
        [fate("taken-over"), fate("taken-over"), fate("taken-over")]
    );
    until_answered(&mut exchange.pair.imigrasi, 3);
    assert_eq!(exported(&exchange.pair.imigrasi, &stick).len(), 3);
    let found = imported(&exchange.pair.phu, &stick);
    assert_eq!(found.iter().filter(|one| **one == fate("ours")).count(), 3);
    let arrived = exchange.settled(&dropped).unwrap();
    holds(&mut exchange, &arrived);
}
