//! Rows in SQLite, killed at each instant of their destruction: gone once, counted once, and the record of their import stays. The
//! agreement says: no day at all.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use amanah_format::home;
use amanah_tests::exchange::PATIENCE;
use amanah_tests::papers;
use amanah_tests::waiting::until;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{answered, is_certified};
use crate::stores::ground::{ask, founded, rows_of};
use crate::stores::reconciled;

/// A second flow, where there is one.
pub(crate) const CORRECTIONS: &str = "ralat-uji";

/// The agreement again, as its next version, with other days for its first flow.
pub(crate) fn kept_for(exchange: &amanah_tests::exchange::Exchange, days: u32) {
    let (phu, imigrasi) = (&exchange.pair.phu, &exchange.pair.imigrasi);
    let (mut text, digest): (Value, _) = papers::newest(phu).unwrap();
    text["supersedes"] = json!(digest);
    text["version"] = json!(text["version"].as_u64().unwrap() + 1);
    text["flows"][0]["retention"]["days"] = json!(days);
    text["flows"][0]["schema"] = json!("uji.schema.json");
    let flows = text["flows"].as_array_mut().unwrap().iter_mut();
    for flow in flows.filter(|flow| flow["name"] == json!(CORRECTIONS)) {
        flow["schema"] = json!("juga.schema.json");
    }
    let paper = exchange.folder().join("singkat.json");
    fs::write(&paper, text.to_string()).unwrap();
    phu.run(&["agreement", "draft", "--file", &paper.to_string_lossy()])
        .unwrap();
    let id = text["id"].as_str().unwrap();
    papers::sign_both((phu, imigrasi), id, exchange.folder()).unwrap();
}

fn dies_at(point: &str) {
    let mut exchange = founded(&json!({"mode": "append", "key": ["nomor"], "partition": null}));
    kept_for(&exchange, 0);
    let launch = exchange.pair.imigrasi.launch().clone();
    let armed = launch.clone().with("AMANAH_KILL_AT", point);
    exchange.pair.imigrasi.types_through(armed);
    exchange.pair.start().unwrap();
    exchange.pair.imigrasi.types_through(launch);
    let way = exchange.out.clone();
    exchange
        .drop_text(&way, "satu.csv", &rows_of(1, 5, "KENARI"))
        .unwrap();
    let status = exchange.pair.imigrasi.until_ended().unwrap();
    assert_eq!(status.signal(), Some(Signal::KILL.as_raw()));
    exchange.pair.imigrasi.start().unwrap();
    let found = until("the receipt", PATIENCE, || {
        Ok(answered(&exchange).first().copied())
    });
    let manifest = found.unwrap();
    is_certified(&exchange.pair.imigrasi, &manifest, (0, 5));
    is_certified(&exchange.pair.phu, &manifest, (1, 0));
    assert_eq!(ask(&exchange, "SELECT count(*) FROM TABEL"), ["0"]);
    let import =
        "SELECT records, totals, destroyed_records FROM amanah_imports WHERE destroyed IS NOT NULL";
    assert_eq!(ask(&exchange, import), ["5|{}|5"]);
    let database = fs::read(exchange.pair.imigrasi.path(home::TABLES)).unwrap();
    assert!(!database.windows(6).any(|window| window == b"KENARI"));
    reconciled::noted(&exchange, &["destroyed"]);
}

#[test]
fn killed_before_the_rows_are_gone_it_destroys_them_once() {
    dies_at("sqlite.before-destroyed");
}

#[test]
fn killed_when_the_rows_are_gone_it_counts_them_once() {
    dies_at("sqlite.destroyed");
}
