//! Databases that are not what they were: an older copy, none, another one. It is said, nothing is doubled, and what is missing is
//! imported again in its order.

use std::fs;
use std::time::Duration;

use amanah_tests::exchange::{Exchange, PATIENCE};
use amanah_tests::waiting::until;
use amanahd::snapshot::Snapshot;
use serde_json::json;

use super::ground::{ask, connected, database, delivered, has_alarm, rows_of, until_alarm};
use crate::restored::{copy, restore};

const MERGED: &str = "SELECT nomor, nama, records FROM TABEL JOIN amanah_imports ON import = amanah_import ORDER BY nomor";

fn folder(exchange: &Exchange) -> std::path::PathBuf {
    database(exchange).parent().unwrap().to_owned()
}

fn until_whole(exchange: &Exchange, expected: &[&str]) {
    let made = "SELECT 1 FROM sqlite_schema WHERE name = 'TABEL'";
    let whole = until("all rows", PATIENCE, || {
        let is_there = !ask(exchange, made).is_empty();
        Ok((is_there && ask(exchange, MERGED) == expected).then_some(()))
    });
    assert!(whole.is_ok(), "{:?}", ask(exchange, MERGED));
}

#[test]
fn what_an_older_copy_of_the_database_lacks_is_imported_again_in_its_order() {
    let mut exchange = connected(&json!({"mode": "upsert", "key": ["nomor"], "partition": null}));
    delivered(&mut exchange, "satu.csv", &rows_of(1, 2, "satu"));
    exchange.at_rest().unwrap();
    exchange.pair.imigrasi.stop().unwrap();
    let backup = exchange.folder().join("cadangan");
    copy(&folder(&exchange), &backup);
    exchange.pair.imigrasi.start().unwrap();
    delivered(&mut exchange, "dua.csv", &rows_of(1, 3, "dua"));
    delivered(&mut exchange, "tiga.csv", &rows_of(2, 1, "tiga"));
    exchange.at_rest().unwrap();
    let whole = ["U-000001|dua|3", "U-000002|tiga|1", "U-000003|dua|3"];
    assert_eq!(ask(&exchange, MERGED), whole);
    let receipts = exchange
        .pair
        .phu
        .run(&["receipts", "--json"])
        .unwrap()
        .stdout;
    exchange.pair.imigrasi.stop().unwrap();
    restore(&backup, &folder(&exchange));
    exchange.pair.imigrasi.start().unwrap();
    until_alarm(&mut exchange.pair.imigrasi, "store-behind");
    until_whole(&exchange, &whole);
    exchange.at_rest().unwrap();
    delivered(&mut exchange, "empat.csv", &rows_of(4, 1, "empat"));
    assert_eq!(
        ask(
            &exchange,
            "SELECT group_concat(sequence) FROM amanah_imports; SELECT imports FROM amanah_store"
        ),
        ["1,2,3,4", "4"]
    );
    let after = exchange
        .pair
        .phu
        .run(&["receipts", "--json"])
        .unwrap()
        .stdout;
    assert_eq!(
        after.matches("imported").count(),
        receipts.matches("imported").count() + 1
    );
}

/// Two bundles are imported, and then the copy of the database from between them is put in its place, under the running daemon.
fn replaced() -> Exchange {
    let mut exchange = connected(&json!({"mode": "append", "key": [], "partition": null}));
    delivered(&mut exchange, "satu.csv", &rows_of(1, 1, "satu"));
    let backup = exchange.folder().join("cadangan");
    // As a careful keeper copies it: by SQLite.
    let words = format!("VACUUM INTO '{}'", backup.display());
    super::ground::run(&exchange, &[], &words);
    delivered(&mut exchange, "dua.csv", &rows_of(2, 1, "dua"));
    for name in ["tables.sqlite-wal", "tables.sqlite-shm"] {
        let _ = fs::remove_file(folder(&exchange).join(name));
    }
    fs::rename(&backup, database(&exchange)).unwrap();
    exchange
}

#[test]
fn a_database_that_is_replaced_while_nothing_is_imported_is_noticed() {
    let mut exchange = replaced();
    let behind = |status: &Snapshot| {
        let mut alarms = status.alarms.iter();
        alarms
            .any(|alarm| alarm.code == "store-behind")
            .then_some(())
    };
    until("the alarm", PATIENCE, || {
        exchange.pair.imigrasi.run(&["retry"])?;
        let short = Duration::from_secs(2);
        Ok(exchange.pair.imigrasi.wait_for("it", short, behind).ok())
    })
    .unwrap();
    until_whole(&exchange, &["U-000001|satu|1", "U-000002|dua|1"]);
}

#[test]
fn a_database_that_is_replaced_while_the_daemon_runs_is_noticed() {
    let mut exchange = replaced();
    delivered(&mut exchange, "tiga.csv", &rows_of(3, 1, "tiga"));
    until_alarm(&mut exchange.pair.imigrasi, "store-behind");
    until_whole(
        &exchange,
        &["U-000001|satu|1", "U-000002|dua|1", "U-000003|tiga|1"],
    );
}

#[test]
fn without_its_database_a_bundle_waits_and_none_is_made_in_its_place() {
    let mut exchange = connected(&json!({"mode": "append", "key": [], "partition": null}));
    delivered(&mut exchange, "satu.csv", &rows_of(1, 1, "satu"));
    exchange.at_rest().unwrap();
    let aside = exchange.folder().join("samping");
    fs::rename(folder(&exchange), &aside).unwrap();
    let way = exchange.out.clone();
    let text = rows_of(2, 1, "dua");
    let second = exchange.drop_text(&way, "dua.csv", &text).unwrap();
    let held = |status: &Snapshot| {
        let mut incoming = status.incoming.iter();
        incoming.any(|bundle| bundle.state == "held").then_some(())
    };
    let imigrasi = &mut exchange.pair.imigrasi;
    imigrasi.wait_for("a held bundle", PATIENCE, held).unwrap();
    assert!(!folder(&exchange).exists());
    fs::rename(&aside, folder(&exchange)).unwrap();
    exchange.settled(&[second]).unwrap();
    until_whole(&exchange, &["U-000001|satu|1", "U-000002|dua|1"]);
}

#[test]
fn another_database_is_not_taken_for_the_one_that_was_there() {
    let mut exchange = connected(&json!({"mode": "append", "key": [], "partition": null}));
    delivered(&mut exchange, "satu.csv", &rows_of(1, 1, "satu"));
    exchange.at_rest().unwrap();
    let aside = exchange.folder().join("samping");
    fs::rename(folder(&exchange), &aside).unwrap();
    copy(&aside, &folder(&exchange));
    let other = "UPDATE amanah_store SET store_id = 'lain'";
    super::ground::run(&exchange, &[], other);
    let way = exchange.out.clone();
    let text = rows_of(2, 1, "dua");
    let second = exchange.drop_text(&way, "dua.csv", &text).unwrap();
    until_alarm(&mut exchange.pair.imigrasi, "store-other");
    assert_eq!(ask(&exchange, "SELECT count(*) FROM TABEL"), ["1"]);
    restore(&aside, &folder(&exchange));
    exchange.settled(&[second]).unwrap();
    until_whole(&exchange, &["U-000001|satu|1", "U-000002|dua|1"]);
    let quiet = |status: &Snapshot| (!has_alarm(status, "store-other")).then_some(());
    let imigrasi = &mut exchange.pair.imigrasi;
    imigrasi.wait_for("quiet", PATIENCE, quiet).unwrap();
}

#[test]
fn an_empty_file_in_its_place_says_that_the_database_is_gone_and_all_comes_again() {
    let mut exchange = connected(&json!({"mode": "upsert", "key": ["nomor"], "partition": null}));
    delivered(&mut exchange, "satu.csv", &rows_of(1, 2, "satu"));
    delivered(&mut exchange, "dua.csv", &rows_of(2, 1, "dua"));
    exchange.at_rest().unwrap();
    exchange.pair.imigrasi.stop().unwrap();
    for file in fs::read_dir(folder(&exchange)).unwrap() {
        fs::remove_file(file.unwrap().path()).unwrap();
    }
    fs::write(database(&exchange), "").unwrap();
    exchange.pair.imigrasi.start().unwrap();
    until_alarm(&mut exchange.pair.imigrasi, "store-behind");
    until_whole(&exchange, &["U-000001|satu|2", "U-000002|dua|1"]);
}
