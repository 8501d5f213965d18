//! The indexes of a new table come after its first import, between two daemons: also where the recipient dies before it came to that.
//! Whoever needs one makes it first.

use std::fs;

use amanah_tests::exchange::{Arrived, Exchange, PATIENCE};
use amanah_tests::waiting::until;
use serde_json::{Value, json};

use super::ground::{
    agree_with, ask, connected, database_for, delivered, dies_with_the_first, founded,
    founded_bare, name, rows_of,
};
use super::reconciled;
use crate::tree;

const POINT: &str = "sqlite.before-indexed";
const INDEXES: &str = "SELECT name || ':' || \"unique\" FROM pragma_index_list('TABEL')";
const ROWS: &str =
    "SELECT nama, count(*), count(DISTINCT nomor) FROM TABEL GROUP BY nama ORDER BY nama DESC;
    SELECT count(*) FROM amanah_imports";

/// Rows land in this mode.
pub(crate) fn by(mode: &str) -> Value {
    json!({"mode": mode, "key": ["nomor"], "partition": null})
}

/// Gives a founded pair's first flow this mode, and its sender a flow of corrections.
pub(crate) fn agree_with_corrections(exchange: &Exchange, mode: &str) {
    let path = tree::root().join("docs/datasets/d8-ralat.schema.json");
    let ralat = fs::read_to_string(path).unwrap();
    agree_with(exchange, &by(mode), Some(("ralat-uji", &ralat)));
}

/// A correction withdraws one row of a bundle.
pub(crate) fn withdrawn(exchange: &mut Exchange, from: &Arrived, key: &str) {
    let mut way = exchange.out.clone();
    let text = format!(
        "id_ralat,alur,ref_kiriman,ref_kunci,jenis,alasan,waktu,baris_baru\n\
         RAL-000001,{},{},{key},TARIK,SALAH_KETIK,2030-01-06T09:00:00+07:00,\n",
        way.flow, from.manifest
    );
    way.flow = "ralat-uji".parse().unwrap();
    let dropped = exchange.drop_text(&way, "ralat.csv", &text).unwrap();
    exchange.settled(&[dropped]).unwrap();
}

/// By which index rows of this mode are found.
fn expected(exchange: &Exchange, mode: &str) -> [String; 1] {
    let table = name(exchange);
    [match mode {
        "upsert" => format!("{table}_1_kunci:1"),
        _ => format!("{table}_1_baris:0"),
    }]
}

#[test]
fn a_new_table_has_its_index_soon_after_its_first_import() {
    for mode in ["append", "upsert"] {
        let mut exchange = connected(&by(mode));
        delivered(&mut exchange, "satu.csv", &rows_of(1, 40, "satu"));
        until("the index", PATIENCE, || {
            let found = ask(&exchange, INDEXES);
            Ok((found == expected(&exchange, mode)).then_some(()))
        })
        .unwrap();
    }
}

#[test]
fn the_next_import_makes_the_index_that_the_recipient_died_before() {
    for (mode, rows) in [
        ("append", ["satu|40|40", "dua|40|40", "2"]),
        ("upsert", ["satu|39|39", "dua|40|40", "2"]),
    ] {
        let mut exchange = founded(&by(mode));
        dies_with_the_first(&mut exchange, POINT);
        assert_eq!(ask(&exchange, INDEXES), [""; 0], "{mode}");
        assert_eq!(ask(&exchange, ROWS), ["satu|40|40", "1"], "{mode}");
        delivered(&mut exchange, "dua.csv", &rows_of(40, 40, "dua"));
        assert_eq!(ask(&exchange, ROWS), rows, "{mode}");
        assert_eq!(ask(&exchange, INDEXES), expected(&exchange, mode));
        reconciled::clean(&mut exchange);
    }
}

#[test]
fn a_correction_makes_the_index_that_the_recipient_died_before() {
    for mode in ["append", "upsert"] {
        let mut exchange = founded_bare();
        agree_with_corrections(&exchange, mode);
        database_for(&exchange);
        let first = dies_with_the_first(&mut exchange, POINT);
        assert_eq!(ask(&exchange, INDEXES), [""; 0], "{mode}");
        withdrawn(&mut exchange, &first, "U-000007");
        let there = "SELECT count(*), count(CASE nomor WHEN 'U-000007' THEN 1 END) FROM TABEL";
        assert_eq!(ask(&exchange, there), ["39|0"], "{mode}");
        assert_eq!(ask(&exchange, INDEXES), expected(&exchange, mode));
        reconciled::clean(&mut exchange);
    }
}
