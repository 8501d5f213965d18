//! `amanah reconcile` between two daemons: what truly happened reconciles on both sides, while they run and when they are stopped; and
//! each thing that somebody does to the sender's journal or receipts afterwards is named. Of the recipient's: `tampered`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use amanah_format::home;
use amanah_tests::exchange::{Arrived, Exchange};
use amanah_tests::ministry::Ministry;
use serde_json::{Value, json};

use super::ground::{connected, delivered, rows_of};

const APPEND: &str = "append";
/// Earlier than anything here.
pub(crate) const FROM: &str = "2026-01-01";

/// The exit code and the facts.
pub(crate) fn asked(ministry: &Ministry, peer: &Ministry, words: &[&str]) -> (Option<i32>, Value) {
    let mut all = vec!["reconcile", peer.party().as_str()];
    all.extend_from_slice(words);
    all.push("--json");
    let ran = ministry.attempt(&all).unwrap();
    let facts = serde_json::from_str(&ran.stdout);
    (
        ran.status.code(),
        facts.unwrap_or_else(|_| json!(ran.stderr)),
    )
}

/// The codes of what differs, one for each finding, in their order.
pub(crate) fn codes(facts: &Value) -> Vec<&str> {
    found(facts, "differences")
}

/// The codes of what is only noted.
pub(crate) fn notes(facts: &Value) -> Vec<&str> {
    found(facts, "notes")
}

fn found<'f>(facts: &'f Value, which: &str) -> Vec<&'f str> {
    let sides = facts["sides"]
        .as_array()
        .unwrap_or_else(|| panic!("{facts}"))
        .iter();
    let found = sides.flat_map(|side| side[which].as_array().unwrap());
    found
        .map(|finding| finding["code"].as_str().unwrap())
        .collect()
}

/// What truly happened reconciles, seen from either side.
pub(crate) fn clean(exchange: &mut Exchange) {
    exchange.at_rest().unwrap();
    noted(exchange, &[]);
}

/// The same once all is at rest; and these notes are made on each side, no others.
pub(crate) fn noted(exchange: &Exchange, expected: &[&str]) {
    let (phu, imigrasi) = (&exchange.pair.phu, &exchange.pair.imigrasi);
    let flow = exchange.out.flow.as_str();
    for (ministry, peer) in [(phu, imigrasi), (imigrasi, phu)] {
        let (code, facts) = asked(ministry, peer, &[flow, "--from", FROM]);
        assert_eq!((code, codes(&facts).len()), (Some(0), 0), "{facts:#}");
        assert_eq!(notes(&facts), expected, "{facts:#}");
    }
}

#[test]
fn a_flow_that_nobody_agreed_upon_is_no_answer() {
    let (exchange, _) = three_bundles();
    let (phu, imigrasi) = (&exchange.pair.phu, &exchange.pair.imigrasi);
    let (code, said) = asked(phu, imigrasi, &["bukan-alur", "--from", FROM]);
    assert_eq!(code, Some(64), "{said}");
    assert!(
        said.to_string().contains(exchange.out.flow.as_str()),
        "{said}"
    );
}

fn three_bundles() -> (Exchange, Vec<Arrived>) {
    let mut exchange = connected(&appended());
    let arrived = three_into(&mut exchange);
    (exchange, arrived)
}

/// A flow whose rows are added.
pub(crate) fn appended() -> Value {
    json!({"mode": APPEND, "key": ["nomor"], "partition": null})
}

/// Bundles of three, two and four rows.
pub(crate) fn three_into(exchange: &mut Exchange) -> Vec<Arrived> {
    let tables = [("satu.csv", 1, 3), ("dua.csv", 4, 2), ("tiga.csv", 6, 4)];
    let arrived = tables.map(|(name, from, count)| {
        let rows = rows_of(from, count, "contoh");
        delivered(exchange, name, &rows)
    });
    arrived.into()
}

#[test]
fn what_happened_reconciles_while_both_daemons_run_and_what_waits_is_named() {
    let (mut exchange, _) = three_bundles();
    clean(&mut exchange);
    let flow = exchange.out.flow.to_string();
    let (phu, imigrasi) = (&exchange.pair.phu, &exchange.pair.imigrasi);
    for (ministry, peer, side) in [(phu, imigrasi, 0), (imigrasi, phu, 1)] {
        let (_, facts) = asked(ministry, peer, &[&flow, "--from", FROM]);
        let side = &facts["sides"][side];
        assert_eq!(
            (&side["bundles"], &side["imported"], &side["rows"]),
            (&json!(3), &json!(3), &json!(9))
        );
        // Three rows of 10.50: no total is told, not even here.
        assert!(!facts.to_string().contains("31.5"), "{facts}");
        let (code, facts) = asked(
            ministry,
            peer,
            &[&flow, "--from", FROM, "--to", "2026-01-02"],
        );
        assert_eq!((code, &facts["sides"][0]["bundles"]), (Some(0), &json!(0)));
    }
    exchange.pair.imigrasi.stop().unwrap();
    let way = exchange.out.clone();
    exchange
        .drop_text(&way, "empat.csv", &rows_of(10, 1, "contoh"))
        .unwrap();
    let queued = |status: &amanahd::snapshot::Snapshot| {
        let mut bundles = status.outgoing.iter();
        bundles.any(|bundle| bundle.state == "queued").then_some(())
    };
    let patience = amanah_tests::exchange::PATIENCE;
    exchange
        .pair
        .phu
        .wait_for("the queue", patience, queued)
        .unwrap();
    let (phu, imigrasi) = (&exchange.pair.phu, &exchange.pair.imigrasi);
    let (code, facts) = asked(phu, imigrasi, &[&flow, "--from", FROM]);
    assert_eq!(
        (code, codes(&facts)),
        (Some(1), vec!["waiting"]),
        "{facts:#}"
    );
    let (code, _) = asked(
        phu,
        imigrasi,
        &[&flow, "--from", FROM, "--to", "2025-12-30"],
    );
    assert_eq!(code, Some(64), "a time that ends before it begins");
}

/// A file as it was, put back when the test has looked.
pub(super) struct Untouched(pub(super) PathBuf, Vec<u8>);

impl Untouched {
    pub(super) fn of(path: PathBuf) -> Self {
        let bytes = fs::read(&path).unwrap();
        Self(path, bytes)
    }
}

impl Drop for Untouched {
    fn drop(&mut self) {
        fs::write(&self.0, &self.1).unwrap();
    }
}

pub(super) fn sql(path: &Path, words: &str) {
    let ran = Command::new("sqlite3")
        .arg(path)
        .arg(words)
        .output()
        .unwrap();
    assert!(
        ran.status.success() && ran.stderr.is_empty(),
        "{words}: {ran:?}"
    );
}

/// What is done to the sender's journal, and what `reconcile` calls it.
fn at_the_sender() -> [(&'static str, Vec<&'static str>); 8] {
    [
        (
            "UPDATE outbound SET sequence = 9 WHERE sequence = 2",
            vec!["journal-row-changed", "gap", "gap"],
        ),
        (
            "UPDATE outbound SET peer = 'lain' WHERE sequence = 2",
            vec!["gap", "journal-row-gone"],
        ),
        (
            "DELETE FROM items; DELETE FROM outbound WHERE sequence = 3",
            vec!["gap", "journal-row-gone"],
        ),
        (
            "UPDATE outbound SET state = 'handed-over' WHERE sequence = 1",
            vec!["outcome-differs"],
        ),
        (
            "UPDATE outbound SET manifest = x'7b7d' WHERE sequence = 1",
            vec!["journal-row-changed"],
        ),
        (
            "UPDATE outbound SET receipt_digest = zeroblob(32) WHERE sequence = 1",
            vec!["receipt-changed"],
        ),
        (
            "UPDATE outbound SET digest = zeroblob(32) WHERE sequence = 1",
            vec![
                "journal-row-changed",
                "not-in-ledger",
                "receipt-gone",
                "journal-row-gone",
            ],
        ),
        ("UPDATE streams_out SET next = next + 2", vec!["gap"]),
    ]
}

#[test]
fn whatever_is_done_to_the_senders_journal_or_receipts_is_named() {
    let (mut exchange, arrived) = three_bundles();
    exchange.at_rest().unwrap();
    exchange.pair.phu.stop().unwrap();
    exchange.pair.imigrasi.stop().unwrap();
    let (phu, imigrasi) = (&exchange.pair.phu, &exchange.pair.imigrasi);
    let flow = exchange.out.flow.as_str();
    let ledger = imigrasi.path(home::LEDGER);
    let words = [flow, "--from", FROM, "--ledger", ledger.to_str().unwrap()];
    let look = || asked(phu, imigrasi, &words);
    let (code, facts) = look();
    assert_eq!((code, codes(&facts).len()), (Some(0), 0), "{facts:#}");
    let journal = phu.path(home::JOURNAL);
    for (tampering, expected) in at_the_sender() {
        let _as_it_was = Untouched::of(journal.clone());
        sql(&journal, tampering);
        let (code, facts) = look();
        assert_eq!(
            (code, codes(&facts)),
            (Some(1), expected),
            "{tampering}: {facts:#}"
        );
    }
    let [first, second] =
        [0, 1].map(|place| phu.receipt(imigrasi.party(), &arrived[place].manifest));
    {
        let taken = Untouched::of(first.clone());
        fs::remove_file(&taken.0).unwrap();
        assert_eq!(codes(&look().1), ["receipt-gone"]);
        fs::copy(&second, &taken.0).unwrap();
        assert_eq!(codes(&look().1), ["receipt-changed", "receipt-of-another"]);
        let mut bytes = taken.1.clone();
        let place = bytes
            .windows(8)
            .position(|word| word == b"imported")
            .unwrap();
        bytes[place] = b'I';
        fs::write(&taken.0, bytes).unwrap();
        assert_eq!(codes(&look().1), ["receipt-invalid"]);
    }
    let records = Untouched::of(ledger.join("records.jsonl"));
    let text = String::from_utf8(records.1.clone()).unwrap();
    fs::write(&records.0, text.replacen("imported", "refused", 1)).unwrap();
    let (code, facts) = look();
    assert_eq!(
        code,
        Some(1),
        "a ledger that its checkpoint does not cover: {facts}"
    );
    assert!(facts["sides"].is_null(), "{facts}");
}
