//! References into another dataset: its receiver warns, by counts alone, where it has the other dataset and not what a row names; the
//! rows are imported all the same.

use std::fs;

use amanah_tests::exchange::{Exchange, PATIENCE};
use amanah_tests::waiting::until;
use serde_json::json;

use super::ground::{agree_with, ask, database_for, delivered, founded_bare, rows_of};

/// Refers to the first flow's table by its schema's name.
const REFERRING: &str = r#"{
  "name": "uji-rujuk",
  "fields": [
    {"name": "baris", "type": "integer", "constraints": {"required": true}},
    {"name": "rujuk", "type": "string"}
  ],
  "primaryKey": ["baris"],
  "foreignKeys": [{"fields": ["rujuk"], "reference": {"resource": "uji-simpan", "fields": ["nomor"]}}]
}"#;

/// Delivers a table of rows that name these.
fn refer(exchange: &mut Exchange, name: &str, named: &[&str]) {
    let mut way = exchange.out.clone();
    way.flow = "uji-rujuk".parse().unwrap();
    let rows: Vec<String> = (1..)
        .zip(named)
        .map(|(number, named)| format!("{number},{named}\n"))
        .collect();
    let text = format!("baris,rujuk\n{}", rows.concat());
    let dropped = exchange.drop_text(&way, name, &text).unwrap();
    exchange.settled(&[dropped]).unwrap();
}

fn log(exchange: &Exchange) -> String {
    fs::read_to_string(exchange.pair.imigrasi.log()).unwrap()
}

#[test]
fn rows_that_name_what_another_dataset_has_not_are_imported_with_a_warning() {
    let mut exchange = founded_bare();
    let append = json!({"mode": "append", "key": ["nomor"], "partition": null});
    agree_with(&exchange, &append, Some(("uji-rujuk", REFERRING)));
    database_for(&exchange);
    exchange.pair.start().unwrap();
    // Before the other dataset came at all there is nothing to compare with.
    refer(&mut exchange, "satu.csv", &["U-000001", "U-000099"]);
    delivered(&mut exchange, "induk.csv", &rows_of(1, 3, "induk"));
    refer(&mut exchange, "dua.csv", &["U-000001", "", "U-000003"]);
    assert!(!log(&exchange).contains("unmatched"));
    let named = ["U-000098", "U-000002", "", "U-000099"];
    refer(&mut exchange, "tiga.csv", &named);
    until("the warning", PATIENCE, || {
        Ok(log(&exchange).contains("event=\"unmatched\"").then_some(()))
    })
    .unwrap();
    let log = log(&exchange);
    let lines: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("unmatched"))
        .collect();
    let [line] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    for said in ["WARN", "flow=uji-rujuk", "dataset=uji-simpan", "rows=2"] {
        assert!(line.contains(said), "{said}: {line}");
    }
    assert!(!line.contains("U-0000"), "no value: {line}");
    assert_eq!(
        ask(
            &exchange,
            "SELECT count(*), sum(rujuk IS NULL) FROM uji_rujuk"
        ),
        ["9|2"]
    );
}
