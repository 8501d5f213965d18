//! What was destroyed and comes back with an old copy of its store is destroyed again: rows of SQLite, folders of the inbox, sealed
//! bundles; put back while the daemon is stopped or runs; killed at each instant; once for each time, with a record and a destruction
//! record of its own. A hold keeps it. PostgreSQL: `postgres::came_back`.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use amanah_format::container::bundle_name;
use amanah_format::digest::Digest;
use amanah_format::home;
use amanah_tests::evidence;
use amanah_tests::exchange::{Exchange, PATIENCE, files_below};
use amanah_tests::waiting::until;
use amanahd::snapshot::Snapshot;
use rustix::process::Signal;

use super::by_hold::until_due;
use super::tables::{CORRECTIONS, kept_for};
use super::{exchanged, is_certified, records, said_of, short_lived};
use crate::restored::{copy, restore};
use crate::stores::ground::{
    agree_with, ask, database, database_for, founded, founded_bare, has_alarm, rows_of, run,
    until_alarm,
};
use crate::stores::reconciled;
use crate::tree;

const ALARM: &str = "destroyed-came-back";
const CANARY: &str = "KENARI";

/// Destroyed so often, each time with these files, rows and sealed copy, and each time with its own record.
pub(crate) fn certified_as(exchange: &Exchange, manifest: &Digest, each: &[(u64, u64, bool)]) {
    let imigrasi = &exchange.pair.imigrasi;
    let what = format!("destruction number {}", each.len());
    until(&what, PATIENCE, || {
        let recorded = records(imigrasi, "destroyed", manifest) >= each.len();
        Ok((recorded && said_of(imigrasi, manifest).len() >= each.len()).then_some(()))
    })
    .unwrap();
    let mut said = said_of(imigrasi, manifest);
    said.sort_by_key(|(_, document)| document["number"].as_u64());
    let found: Vec<_> = said
        .iter()
        .map(|(one, _)| {
            let number = |name: &str| one[name].as_u64().unwrap();
            let sealed = one["sealed"].as_bool().unwrap();
            (number("files"), number("rows"), sealed)
        })
        .collect();
    assert_eq!(found, each);
    assert_eq!(records(imigrasi, "destroyed", manifest), each.len());
    let lines = fs::read_to_string(imigrasi.path(home::LEDGER_RECORDS)).unwrap();
    let mut places: Vec<_> = said
        .iter()
        .map(|(one, _)| one["record"].as_u64().unwrap())
        .collect();
    places.dedup();
    assert_eq!(places.len(), each.len(), "each names its own record");
    for place in places {
        let line = lines.lines().nth(usize::try_from(place).unwrap()).unwrap();
        assert!(line.contains(&manifest.to_string()) && line.contains("\"destroyed\""));
    }
    evidence::verify_ledger(imigrasi).unwrap();
    evidence::verify_receipts(&exchange.pair.phu, imigrasi).unwrap();
}

/// The recipient's hold on the flow, or its end.
pub(crate) fn hold(exchange: &Exchange, more: &[&str]) {
    let flow = exchange.out.flow.as_str();
    let words = [
        "retention",
        "hold",
        "phu",
        flow,
        "--reason",
        "Perkara 3/2026",
    ];
    let imigrasi = &exchange.pair.imigrasi;
    imigrasi.run(&[&words, more].concat()).unwrap();
}

/// Starts both under the recipient's hold, so that there is a moment for a backup; one bundle is imported.
pub(crate) fn held_import(exchange: &mut Exchange, text: &str) -> Digest {
    fs::create_dir_all(exchange.pair.imigrasi.path(home::REQUESTS)).unwrap();
    hold(exchange, &[]);
    exchange.pair.start().unwrap();
    let manifest = exchanged(exchange, "satu.csv", text);
    until_due(&exchange.pair.imigrasi, "hold", 1);
    // Its sender holds nothing.
    is_certified(&exchange.pair.phu, &manifest, (1, 0));
    manifest
}

/// A pair of which the recipient's database keeps rows for no day.
fn founded_short() -> Exchange {
    let exchange = founded(&reconciled::appended());
    kept_for(&exchange, 0);
    exchange
}

fn folder(exchange: &Exchange) -> PathBuf {
    database(exchange).parent().unwrap().to_owned()
}

/// Five rows that were imported, are in the backup, and were destroyed then.
fn destroyed_rows() -> (Exchange, Digest, PathBuf) {
    let mut exchange = founded_short();
    let manifest = held_import(&mut exchange, &rows_of(1, 5, CANARY));
    exchange.pair.imigrasi.stop().unwrap();
    let backup = exchange.folder().join("cadangan");
    copy(&folder(&exchange), &backup);
    exchange.pair.imigrasi.start().unwrap();
    hold(&exchange, &["--release"]);
    certified_as(&exchange, &manifest, &[(0, 5, true)]);
    (exchange, manifest, backup)
}

/// The recipient starts, dies at this point, and starts again.
pub(crate) fn dies_once_at(exchange: &mut Exchange, point: &str) {
    let imigrasi = &mut exchange.pair.imigrasi;
    let armed = imigrasi.launch().clone().with("AMANAH_KILL_AT", point);
    imigrasi.launch_daemon(&armed).unwrap();
    let status = imigrasi.until_ended().unwrap();
    assert_eq!(status.signal(), Some(Signal::KILL.as_raw()), "{point}");
    imigrasi.start().unwrap();
}

/// The database as a careful keeper copies it: by SQLite, while the daemon runs.
fn careful_copy(exchange: &Exchange) -> PathBuf {
    let backup = exchange.folder().join("cadangan");
    let words = format!("VACUUM INTO '{}'", backup.display());
    run(exchange, &[], &words);
    backup
}

/// The copy, without what belongs to the file that it replaces.
fn put_in_its_place(exchange: &Exchange, backup: &Path) {
    for name in ["tables.sqlite-wal", "tables.sqlite-shm"] {
        let _ = fs::remove_file(folder(exchange).join(name));
    }
    fs::rename(backup, database(exchange)).unwrap();
}

fn no_row_is_left(exchange: &Exchange) {
    assert_eq!(ask(exchange, "SELECT count(*) FROM TABEL"), ["0"]);
    let marked = "SELECT totals, destroyed_records FROM amanah_imports WHERE destroyed IS NOT NULL";
    assert_eq!(ask(exchange, marked), ["{}|5"]);
    for file in files_below(&folder(exchange)).unwrap() {
        let bytes = fs::read(&file).unwrap();
        let sings = bytes
            .windows(CANARY.len())
            .any(|at| at == CANARY.as_bytes());
        assert!(!sings, "{}", file.display());
    }
}

/// Whatever is looked at again, nothing is destroyed that is not there.
fn not_once_more(exchange: &mut Exchange, manifest: &Digest, each: &[(u64, u64, bool)]) {
    exchange.pair.imigrasi.stop().unwrap();
    exchange.pair.imigrasi.start().unwrap();
    exchange.pair.until_connected().unwrap();
    let text = rows_of(70, 1, "sesudah");
    let other = exchanged(exchange, "sesudah.csv", &text);
    exchange.pair.imigrasi.run(&["retention", "run"]).unwrap();
    until("the other one's end", PATIENCE, || {
        Ok((records(&exchange.pair.imigrasi, "destroyed", &other) > 0).then_some(()))
    })
    .unwrap();
    certified_as(exchange, manifest, each);
}

#[test]
fn rows_that_come_back_with_an_old_database_are_destroyed_again() {
    let (mut exchange, manifest, backup) = destroyed_rows();
    exchange.pair.imigrasi.stop().unwrap();
    restore(&backup, &folder(&exchange));
    assert_eq!(ask(&exchange, "SELECT count(*) FROM TABEL"), ["5"]);
    // Nobody has looked yet; that is no difference either.
    let flow = exchange.out.flow.as_str().to_owned();
    let (code, facts) = reconciled::asked(
        &exchange.pair.imigrasi,
        &exchange.pair.phu,
        &[&flow, "--from", reconciled::FROM],
    );
    assert_eq!((code, reconciled::codes(&facts).len()), (Some(0), 0));
    exchange.pair.imigrasi.start().unwrap();
    until_alarm(&mut exchange.pair.imigrasi, ALARM);
    let twice = [(0, 5, true), (0, 5, false)];
    certified_as(&exchange, &manifest, &twice);
    no_row_is_left(&exchange);
    reconciled::noted(&exchange, &["destroyed"]);
    let log = fs::read_to_string(exchange.pair.imigrasi.log()).unwrap();
    assert!(log.contains("what was destroyed is there again"));
    assert!(!log.contains("lost an import"));
    not_once_more(&mut exchange, &manifest, &twice);
}

#[test]
fn rows_that_come_back_while_the_daemon_runs_are_destroyed_again() {
    let mut exchange = founded_short();
    let manifest = held_import(&mut exchange, &rows_of(1, 5, CANARY));
    // Nothing is imported after it, so no counter tells that it is old.
    let backup = careful_copy(&exchange);
    hold(&exchange, &["--release"]);
    certified_as(&exchange, &manifest, &[(0, 5, true)]);
    put_in_its_place(&exchange, &backup);
    exchange.pair.imigrasi.run(&["retention", "run"]).unwrap();
    until_alarm(&mut exchange.pair.imigrasi, ALARM);
    certified_as(&exchange, &manifest, &[(0, 5, true), (0, 5, false)]);
    no_row_is_left(&exchange);
}

#[test]
fn rows_that_come_back_are_noticed_by_the_next_import_too() {
    let mut exchange = founded_short();
    let manifest = held_import(&mut exchange, &rows_of(1, 5, CANARY));
    let backup = careful_copy(&exchange);
    hold(&exchange, &["--release"]);
    certified_as(&exchange, &manifest, &[(0, 5, true)]);
    exchanged(&mut exchange, "dua.csv", &rows_of(6, 1, "dua"));
    put_in_its_place(&exchange, &backup);
    exchanged(&mut exchange, "tiga.csv", &rows_of(7, 1, "tiga"));
    certified_as(&exchange, &manifest, &[(0, 5, true), (0, 5, false)]);
}

/// Has the recipient destroy what is due, and waits until it has: then it lists anew what it keeps.
fn until_run_again(exchange: &Exchange) {
    let imigrasi = &exchange.pair.imigrasi;
    let listed = || {
        let list = fs::read_to_string(imigrasi.path(home::RETENTION)).unwrap();
        let list: serde_json::Value = serde_json::from_str(&list).unwrap();
        list["written"].clone()
    };
    let before = listed();
    imigrasi.run(&["retention", "run"]).unwrap();
    until("another list", PATIENCE, || {
        let is_taken = files_below(&imigrasi.path(home::REQUESTS))?.is_empty();
        Ok((is_taken && listed() != before).then_some(()))
    })
    .unwrap();
}

#[test]
fn what_the_old_database_lacks_is_imported_again_before_what_came_back_is_destroyed() {
    let mut exchange = founded_bare();
    let path = tree::root().join("docs/datasets/d8-ralat.schema.json");
    let ralat = fs::read_to_string(path).unwrap();
    agree_with(
        &exchange,
        &reconciled::appended(),
        Some((CORRECTIONS, &ralat)),
    );
    database_for(&exchange);
    kept_for(&exchange, 0);
    let manifest = held_import(&mut exchange, &rows_of(1, 5, CANARY));
    let backup = exchange.folder().join("cadangan");
    exchange.pair.imigrasi.stop().unwrap();
    copy(&folder(&exchange), &backup);
    exchange.pair.imigrasi.start().unwrap();
    // Withdraws one of the five; it is kept longer than what it corrects.
    let mut way = exchange.out.clone();
    let flow = way.flow.clone();
    way.flow = CORRECTIONS.parse().unwrap();
    let text = format!(
        "id_ralat,alur,ref_kiriman,ref_kunci,jenis,alasan,waktu,baris_baru\nRAL-000001,{flow},{manifest},U-000003,TARIK,SALAH_KETIK,2030-01-06T09:00:00+07:00,\n"
    );
    let dropped = exchange.drop_text(&way, "ralat.csv", &text).unwrap();
    let correction = exchange.settled(&[dropped]).unwrap()[0].manifest;
    hold(&exchange, &["--release"]);
    certified_as(&exchange, &manifest, &[(0, 4, true)]);
    exchange.pair.imigrasi.stop().unwrap();
    restore(&backup, &folder(&exchange));
    // The correction has to come from its sender, which is away.
    let archive = exchange.pair.imigrasi.path(home::SPOOL);
    let archive = archive.join("archive/received/phu");
    fs::remove_file(archive.join(bundle_name(&correction))).unwrap();
    exchange.pair.phu.stop().unwrap();
    exchange.pair.imigrasi.start().unwrap();
    for code in ["store-behind", "bundle-missing"] {
        until_alarm(&mut exchange.pair.imigrasi, code);
    }
    until_run_again(&exchange);
    assert_eq!(ask(&exchange, "SELECT count(*) FROM TABEL"), ["5"]);
    exchange.pair.phu.start().unwrap();
    until_alarm(&mut exchange.pair.imigrasi, ALARM);
    certified_as(&exchange, &manifest, &[(0, 4, true), (0, 4, false)]);
    let rested = |status: &Snapshot| {
        let mut incoming = status.incoming.iter();
        let is_over = incoming.all(|bundle| bundle.state == "delivered");
        (is_over && !has_alarm(status, "receipt-doubtful")).then_some(())
    };
    let imigrasi = &mut exchange.pair.imigrasi;
    imigrasi.wait_for("rest", PATIENCE, rested).unwrap();
    let left = "SELECT count(*) FROM TABEL; SELECT count(*) FROM ralat_uji";
    assert_eq!(ask(&exchange, left), ["0", "1"]);
}

#[test]
fn killed_at_each_instant_what_came_back_is_destroyed_once_for_each_time() {
    let (mut exchange, manifest, backup) = destroyed_rows();
    let mut each = vec![(0, 5, true)];
    for point in [
        "retention.came-back",
        "retention.begun",
        "sqlite.before-destroyed",
        "sqlite.destroyed",
        "retention.store-emptied",
        "retention.removed",
        "retention.certified",
        "retention.record-written",
    ] {
        exchange.pair.imigrasi.stop().unwrap();
        restore(&backup, &folder(&exchange));
        dies_once_at(&mut exchange, point);
        each.push((0, 5, false));
        certified_as(&exchange, &manifest, &each);
        no_row_is_left(&exchange);
    }
    not_once_more(&mut exchange, &manifest, &each);
}

#[test]
fn what_came_back_under_a_hold_stays_and_is_alarmed_until_the_hold_ends() {
    let (mut exchange, manifest, backup) = destroyed_rows();
    exchange.pair.imigrasi.stop().unwrap();
    hold(&exchange, &[]);
    restore(&backup, &folder(&exchange));
    exchange.pair.imigrasi.start().unwrap();
    until_alarm(&mut exchange.pair.imigrasi, ALARM);
    let said = until_due(&exchange.pair.imigrasi, "hold", 1);
    assert_eq!(said["due"][0]["manifest"], manifest.to_string());
    exchange.pair.imigrasi.run(&["retention", "run"]).unwrap();
    // Over a restart as well.
    exchange.pair.imigrasi.stop().unwrap();
    exchange.pair.imigrasi.start().unwrap();
    until_due(&exchange.pair.imigrasi, "hold", 1);
    assert_eq!(ask(&exchange, "SELECT count(*) FROM TABEL"), ["5"]);
    certified_as(&exchange, &manifest, &[(0, 5, true)]);
    reconciled::noted(&exchange, &["destroyed"]);
    hold(&exchange, &["--release"]);
    certified_as(&exchange, &manifest, &[(0, 5, true), (0, 5, false)]);
    no_row_is_left(&exchange);
}

#[test]
fn a_folder_of_the_inbox_and_a_sealed_bundle_that_come_back_are_destroyed_again() {
    let mut exchange = short_lived();
    let manifest = held_import(&mut exchange, "satu");
    exchange.pair.imigrasi.stop().unwrap();
    let imigrasi = &exchange.pair.imigrasi;
    let inbox = imigrasi.path(home::INBOX);
    let archive = imigrasi.path(home::SPOOL).join("archive/received/phu");
    let (inbox_then, archive_then) = (
        exchange.folder().join("kotak"),
        exchange.folder().join("arsip"),
    );
    copy(&inbox, &inbox_then);
    copy(&archive, &archive_then);
    exchange.pair.imigrasi.start().unwrap();
    hold(&exchange, &["--release"]);
    let mut each = vec![(1, 0, true)];
    certified_as(&exchange, &manifest, &each);
    // Somebody's own file beside it is not of it.
    let beside = |inbox: &PathBuf| {
        inbox
            .join("phu")
            .join(exchange.out.flow.as_str())
            .join("catatan.txt")
    };
    fs::write(beside(&inbox_then), "milik orang").unwrap();
    let beside = beside(&inbox);
    exchange.pair.imigrasi.stop().unwrap();
    restore(&inbox_then, &inbox);
    exchange.pair.imigrasi.start().unwrap();
    until_alarm(&mut exchange.pair.imigrasi, ALARM);
    each.push((1, 0, false));
    certified_as(&exchange, &manifest, &each);
    // While it runs, both.
    restore(&archive_then, &archive);
    let bundle = files_below(&inbox_then.join("phu")).unwrap();
    let bundle = bundle.iter().find(|file| !file.ends_with("catatan.txt"));
    let bundle = bundle.unwrap().parent().unwrap();
    copy(bundle, beside.parent().unwrap());
    exchange.pair.imigrasi.run(&["retention", "run"]).unwrap();
    each.push((1, 0, true));
    certified_as(&exchange, &manifest, &each);
    assert!(files_below(&archive).unwrap().is_empty());
    let left = files_below(&inbox.join("phu")).unwrap();
    assert_eq!(left, [beside]);
}
