//! Bundles of a table flow by a sender with valid keys who declares other rows or totals than he sends, or sends more than a table:
//! refused with a code and a signed receipt, whatever kind of store they are for, and nothing of them is imported.

use amanah_tests::exchange::Exchange;
use serde_json::{Value, json};

use super::{Bundle, Expect, Ground};
use crate::stores::ground::{agree, ask, database_for, founded_bare, row, rows_of};

const MISCOUNTED: Expect = Expect::Refused("totals-mismatch");
const NO_TABLE: Expect = Expect::Refused("schema-mismatch");
const UNSOUND: Expect = Expect::Refused("records-invalid");
/// So many rows are written by another thread than the one that checks them.
const MANY: u32 = 12_000;

type Files = Vec<(&'static str, String)>;

/// A name, what must come of it, the files, and what is declared of them.
type Wrong = (&'static str, Expect, Files, fn(&mut Value));

fn wrong(name: &'static str, expect: Expect, files: Files, declare: fn(&mut Value)) -> Wrong {
    (name, expect, files, declare)
}

fn table() -> Files {
    vec![("a.csv", rows_of(1, 2, "x"))]
}

/// As it is: two rows of 10.50 each.
fn truly(entries: &mut Value) {
    entries[0]["records"] = json!(2);
    entries[0]["totals"] = json!({"biaya": "21"});
}

fn truly_many(entries: &mut Value) {
    entries[0]["records"] = json!(MANY);
    entries[0]["totals"] = json!({"biaya": (MANY / 2 * 21).to_string()});
}

/// Of the one table, something else than it has.
#[rustfmt::skip]
fn miscounted() -> Vec<Wrong> {
    vec![
        wrong("a row more", MISCOUNTED, table(), |entries| { truly(entries); entries[0]["records"] = json!(3); }),
        wrong("a row fewer", MISCOUNTED, table(), |entries| { truly(entries); entries[0]["records"] = json!(1); }),
        wrong("no rows counted", MISCOUNTED, table(), |entries| entries[0]["totals"] = json!({"biaya": "21"})),
        wrong("another total", MISCOUNTED, table(), |entries| { truly(entries); entries[0]["totals"]["biaya"] = json!("21.01"); }),
        wrong("a total spelled otherwise", MISCOUNTED, table(), |entries| { truly(entries); entries[0]["totals"]["biaya"] = json!("21.0"); }),
        wrong("no totals", MISCOUNTED, table(), |entries| entries[0]["records"] = json!(2)),
        wrong("empty totals", MISCOUNTED, table(), |entries| { truly(entries); entries[0]["totals"] = json!({}); }),
        wrong("a total that is not agreed", MISCOUNTED, table(), |entries| { truly(entries); entries[0]["totals"]["nomor"] = json!("1"); }),
        wrong("totals that are none", Expect::Refused("contents-mismatch"), table(), |entries| { truly(entries); entries[0]["totals"] = json!(null); }),
        wrong("of many rows a wrong total", MISCOUNTED, vec![("a.csv", rows_of(1, MANY, "x"))], |entries| {
            truly_many(entries);
            entries[0]["totals"]["biaya"] = json!("1");
        }),
    ]
}

/// More than a table, or none.
fn other_entries() -> Vec<Wrong> {
    let note = ("z.txt", "catatan".to_owned());
    let doubled = rows_of(1, MANY, "x") + &row(1, "2030-01-02", "lagi") + "\n";
    vec![
        wrong(
            "two tables",
            NO_TABLE,
            [table(), vec![("b.csv", rows_of(3, 2, "y"))]].concat(),
            |entries| {
                truly(entries);
                entries[1]["records"] = json!(2);
                entries[1]["totals"] = json!({"biaya": "21"});
            },
        ),
        wrong(
            "a table and a note",
            NO_TABLE,
            [table(), vec![note.clone()]].concat(),
            truly,
        ),
        wrong("a note", NO_TABLE, vec![note], |_| {}),
        wrong(
            "a CSV table that calls itself JSON Lines",
            UNSOUND,
            vec![("a.jsonl", rows_of(1, 2, "x"))],
            truly,
        ),
        wrong(
            "many rows, the last a double",
            UNSOUND,
            vec![("a.csv", doubled)],
            truly_many,
        ),
    ]
}

fn made(ground: &Ground, files: &Files, declare: fn(&mut Value)) -> Bundle {
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(name, text)| (*name, text.as_bytes()))
        .collect();
    let mut draft = ground.shop.draft(&files);
    let mut list: Value = serde_json::from_str(&draft.list).unwrap();
    declare(&mut list["entries"]);
    draft.list = list.to_string();
    ground.shop.seal(&draft).unwrap()
}

fn agreed() -> Exchange {
    let exchange = founded_bare();
    let append = json!({"mode": "append", "key": [], "partition": null});
    agree(&exchange, crate::stores::ground::SCHEMA, &append);
    exchange
}

fn all_are_refused(ground: &mut Ground) {
    for (name, expect, files, declare) in [miscounted(), other_entries()].concat() {
        let bundle = made(ground, &files, declare);
        ground.attempt(name, &bundle, expect);
    }
}

#[test]
fn a_table_that_is_not_what_its_sender_declared_is_refused() {
    let mut ground = Ground::with(agreed());
    all_are_refused(&mut ground);
    let good = made(&ground, &table(), truly);
    ground.attempt("as declared", &good, Expect::Imported);
    ground.told("tables as files");
}

#[test]
fn no_row_of_a_table_that_is_not_what_its_sender_declared_is_in_the_database() {
    let exchange = agreed();
    database_for(&exchange);
    let mut ground = Ground::with(exchange);
    let many = vec![("a.csv", rows_of(1, MANY, "x"))];
    // In the inbox nothing comes of it: its rows are in the database.
    let good = made(&ground, &many, truly_many);
    ground.attempt("many rows as declared", &good, Expect::Known);
    all_are_refused(&mut ground);
    let good = made(&ground, &table(), truly);
    ground.attempt("as declared", &good, Expect::Known);
    let count = "SELECT count(*) FROM TABEL; SELECT count(*), sum(records) FROM amanah_imports";
    let expected = [(MANY + 2).to_string(), format!("2|{}", MANY + 2)];
    assert_eq!(ask(&ground.exchange, count), expected);
    ground.told("tables for a database");
}
