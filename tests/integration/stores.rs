//! Table flows that land in a database, between two real daemons: rows and the record of their import together or not at all, in each
//! mode, killed at each instant, with databases that are missing, older or another one; read by the stock `sqlite3`.

mod changed;
mod corrected;
pub(crate) mod ground;
pub(crate) mod indexed;
mod outside;
mod reading;
pub(crate) mod reconciled;
mod references;
mod restored;
pub(crate) mod tampered;

use std::fs;

use amanah_format::home;
use amanah_tests::evidence::verify_receipts;
use amanahd::plant::Bug;
use serde_json::json;

use self::ground::{ask, connected, delivered, dies_with_the_second, founded, row, rows_of, table};

const FIRST: &str = "U-1,2030-01-02,\"O'Brien \"\"Ab\"\"; DROP TABLE x;--\",12345678901234567890.123456789012345678,-7,true,2030-01-05T05:10:00+07:00,23:59:59.5,2030,2030-07";
const SECOND: &str = "U-2,2030-01-03,,,,,,,,";
const THIRD: &str =
    "U-3,2030-01-03,TEKS,0.10,9223372036854775807,0,2030-01-05T05:10:00Z,00:00:00,1999,1999-12";
const LINE: &str = "{\"nomor\":\"U-4\",\"hari\":\"2030-01-04\",\"nama\":\"baris\\ndua\",\"biaya\":1.5,\"umur\":null,\"transit\":false,\"waktu\":null,\"jam\":null,\"tahun\":null,\"bulan\":null}\n";

#[test]
fn values_stand_in_the_database_exactly_whatever_they_are() {
    let mut exchange = connected(&json!({"mode": "append", "key": ["nomor"], "partition": null}));
    let third = THIRD.replace("TEKS", &"x".repeat(900_000));
    delivered(&mut exchange, "satu.csv", &table(&[FIRST, SECOND, &third]));
    delivered(&mut exchange, "dua.jsonl", LINE);
    let all = "nomor, hari, biaya, umur, transit, waktu, jam, tahun, bulan";
    for (question, expected) in [
        (
            format!("SELECT {all} FROM TABEL WHERE nomor = 'U-1'"),
            "U-1|2030-01-02|12345678901234567890.123456789012345678|-7|1|2030-01-05T05:10:00+07:00|23:59:59.5|2030|2030-07",
        ),
        (
            "SELECT nama FROM TABEL WHERE nomor = 'U-1'".to_owned(),
            "O'Brien \"Ab\"; DROP TABLE x;--",
        ),
        (
            "SELECT length(nama), typeof(biaya), biaya, typeof(umur), umur, transit FROM TABEL WHERE nomor = 'U-3'".to_owned(),
            "900000|text|0.1|integer|9223372036854775807|0",
        ),
        (
            "SELECT coalesce(nama, biaya, umur, transit, waktu, jam, tahun, bulan) IS NULL FROM TABEL WHERE nomor = 'U-2'".to_owned(),
            "1",
        ),
        (
            "SELECT replace(nama, char(10), '/') FROM TABEL WHERE nomor = 'U-4'".to_owned(),
            "baris/dua",
        ),
    ] {
        assert_eq!(ask(&exchange, &question), [expected], "{question}");
    }
}

#[test]
fn rows_land_with_the_record_of_their_import_and_the_receipt_counts_them() {
    let mut exchange = connected(&json!({"mode": "append", "key": ["nomor"], "partition": null}));
    let one = delivered(&mut exchange, "satu.csv", &table(&[FIRST, SECOND, THIRD]));
    delivered(&mut exchange, "dua.jsonl", LINE);
    assert_eq!(
        ask(
            &exchange,
            "SELECT amanah_import || ':' || amanah_row FROM TABEL ORDER BY nomor"
        ),
        ["1:1", "1:2", "1:3", "2:1"]
    );
    assert_eq!(
        ask(
            &exchange,
            "SELECT manifest, bundle, records, totals, sequence, table_name FROM amanah_imports WHERE import = 1"
        ),
        [format!(
            "{}|{}|3|{{\"biaya\":\"12345678901234567890.223456789012345678\"}}|1|{}",
            one.manifest,
            one.bundle,
            ground::name(&exchange)
        )]
    );
    let receipts = exchange.pair.phu.run(&["receipts", "--json"]).unwrap();
    assert!(receipts.stdout.contains("sqlite"), "{}", receipts.stdout);
    assert!(
        !receipts.stdout.contains("12345678901234567890"),
        "no total leaves"
    );
    let inbox = exchange.pair.imigrasi.path(home::INBOX);
    let way = &exchange.out;
    assert!(
        !inbox
            .join(way.from.as_str())
            .join(way.flow.as_str())
            .exists()
    );
    verify_receipts(&exchange.pair.phu, &exchange.pair.imigrasi).unwrap();
}

#[test]
fn rows_are_merged_by_their_key() {
    let mut exchange = connected(&json!({"mode": "upsert", "key": ["nomor"], "partition": null}));
    delivered(&mut exchange, "satu.csv", &rows_of(1, 3, "lama"));
    delivered(&mut exchange, "dua.csv", &rows_of(3, 2, "baru"));
    assert_eq!(
        ask(
            &exchange,
            "SELECT nomor, nama, amanah_import, amanah_row FROM TABEL ORDER BY nomor"
        ),
        [
            "U-000001|lama|1|1",
            "U-000002|lama|1|2",
            "U-000003|baru|2|1",
            "U-000004|baru|2|2"
        ]
    );
    reconciled::clean(&mut exchange);
}

#[test]
fn a_snapshot_takes_the_place_of_what_was_there() {
    let mut exchange = connected(&json!({"mode": "replace", "key": [], "partition": null}));
    delivered(&mut exchange, "satu.csv", &rows_of(1, 3, "lama"));
    delivered(&mut exchange, "dua.csv", &rows_of(3, 2, "baru"));
    let names = "SELECT group_concat(nomor || nama) FROM TABEL";
    assert_eq!(ask(&exchange, names), ["U-000003baru,U-000004baru"]);
    reconciled::clean(&mut exchange);
    let mut exchange =
        connected(&json!({"mode": "replace", "key": ["nomor"], "partition": "hari"}));
    let rows = [
        row(1, "2030-01-01", "lama"),
        row(2, "2030-01-02", "lama"),
        row(3, "2030-01-03", "lama"),
    ];
    delivered(
        &mut exchange,
        "satu.csv",
        &table(&rows.each_ref().map(String::as_str)),
    );
    // The partitions in turn, so that each comes back after another.
    let rows = [
        row(4, "2030-01-02", "baru"),
        row(5, "2030-01-01", "baru"),
        row(6, "2030-01-02", "baru"),
        row(7, "2030-01-01", "baru"),
    ];
    delivered(
        &mut exchange,
        "dua.csv",
        &table(&rows.each_ref().map(String::as_str)),
    );
    assert_eq!(
        ask(&exchange, "SELECT nomor || nama FROM TABEL ORDER BY nomor"),
        [
            "U-000003lama",
            "U-000004baru",
            "U-000005baru",
            "U-000006baru",
            "U-000007baru"
        ]
    );
    reconciled::clean(&mut exchange);
}

/// One bundle before, one that the recipient dies with, one after; whether each is there exactly once.
fn survives(point: &str, planted: Option<Bug>) -> Vec<String> {
    let mut exchange = founded(&json!({"mode": "append", "key": [], "partition": null}));
    dies_with_the_second(&mut exchange, point, planted);
    if planted.is_none() {
        reconciled::clean(&mut exchange);
    }
    ask(
        &exchange,
        "SELECT nama, count(*), count(DISTINCT nomor) FROM TABEL GROUP BY nama ORDER BY min(nomor);
        SELECT count(*) FROM amanah_imports",
    )
}

const ONCE: [&str; 4] = ["satu|40|40", "dua|40|40", "tiga|40|40", "3"];

#[test]
fn rows_are_there_once_when_the_recipient_dies_before_the_database_commits() {
    assert_eq!(survives("sqlite.before-commit:2", None), ONCE);
}

#[test]
fn rows_are_there_once_when_the_recipient_dies_after_the_database_committed() {
    assert_eq!(survives("sqlite.after-commit:2", None), ONCE);
}

#[test]
fn a_record_beside_the_transaction_of_its_rows_would_be_caught() {
    // With the bug each import passes it twice.
    assert_ne!(
        survives("sqlite.before-commit:3", Some(Bug::RecordOutside)),
        ONCE
    );
}

#[test]
fn nothing_of_a_table_that_is_refused_is_in_the_database() {
    let mut exchange = founded(&json!({"mode": "replace", "key": [], "partition": null}));
    let launch = exchange.pair.phu.launch().clone();
    let careless = launch.with("AMANAH_PLANT", Bug::TableUnchecked.name());
    exchange.pair.phu.launch_daemon(&careless).unwrap();
    exchange.pair.imigrasi.start().unwrap();
    delivered(&mut exchange, "satu.csv", &rows_of(1, 3, "lama"));
    let way = exchange.out.clone();
    // The last row is the first one again: found when all rows have been written.
    let text = rows_of(10, 5_000, "baru") + &row(10, "2030-01-02", "baru") + "\n";
    exchange.drop_text(&way, "dua.csv", &text).unwrap();
    let back = exchange
        .pair
        .phu
        .path(home::RETURNED)
        .join(way.to.as_str())
        .join(way.flow.as_str())
        .join("dua.csv");
    amanah_tests::waiting::until("the table back", amanah_tests::exchange::PATIENCE, || {
        Ok(back.exists().then_some(()))
    })
    .unwrap();
    assert_eq!(fs::read_to_string(back).unwrap(), text);
    assert_eq!(
        ask(
            &exchange,
            "SELECT count(*), min(nama) FROM TABEL; SELECT count(*) FROM amanah_imports; SELECT imports FROM amanah_store"
        ),
        ["3|lama", "1", "1"]
    );
}
