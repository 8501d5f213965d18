//! What somebody does to a recipient's journal or database, and what `amanah reconcile` calls it. The same for every kind of database:
//! only how its words are said to it, and how it is put back, differs.

use std::fs;

use amanah_format::home;
use amanah_tests::exchange::{Exchange, PATIENCE};
use amanah_tests::waiting::until;
use serde_json::Value;

use super::ground::{connected, database, delivered, name, rows_of};
use super::reconciled::{FROM, Untouched, appended, asked, codes, notes, sql, three_into};

/// Of a bundle that nobody sent.
const NOBODYS: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000007";

/// What is done to the database of three bundles that were appended; `TABEL` stands for the flow's table.
const TO_THE_DATABASE: [(&str, &[&str]); 7] = [
    (
        "DELETE FROM TABEL WHERE nomor = 'U-000005'",
        &["rows-there-differ"],
    ),
    (
        "UPDATE TABEL SET amanah_import = 3 WHERE nomor = 'U-000001'",
        &["rows-there-differ", "rows-there-differ"],
    ),
    (
        "INSERT INTO TABEL SELECT * FROM TABEL WHERE nomor = 'U-000006'",
        &["rows-there-differ"],
    ),
    (
        "UPDATE amanah_imports SET records = 7 WHERE import = 1",
        &["rows-recorded-differ"],
    ),
    (
        "DELETE FROM amanah_imports WHERE import = 2",
        &["not-in-store"],
    ),
    (
        "UPDATE amanah_imports SET manifest = 'NOBODYS' WHERE import = 3",
        &["not-in-store", "store-only"],
    ),
    (
        "INSERT INTO amanah_imports (manifest, bundle, peer, flow, epoch, sequence, agreement, agreement_id, agreement_version,
            schema, mode, table_name, entries, records, totals, received, imported)
        SELECT 'NOBODYS', bundle, peer, flow, epoch, sequence + 3, agreement, agreement_id, agreement_version,
            schema, mode, table_name, entries, records, totals, received, imported FROM amanah_imports WHERE import = 1",
        &["store-only"],
    ),
];

/// And to its journal.
const TO_THE_JOURNAL: [(&str, &[&str]); 5] = [
    (
        "DELETE FROM inbound WHERE sequence = 2",
        &["gap", "journal-row-gone", "store-only"],
    ),
    (
        "UPDATE inbound SET state = 'acknowledged' WHERE sequence = 3",
        &["receipt-not-taken"],
    ),
    (
        "UPDATE inbound SET state = 'admitted' WHERE sequence = 3",
        &["undecided"],
    ),
    (
        "UPDATE inbound SET refusal = 'expired' WHERE sequence = 1",
        &["outcome-differs", "not-in-ledger"],
    ),
    (
        "UPDATE inbound SET receipt = CAST(receipt || x'0a' AS BLOB) WHERE sequence = 1",
        &["receipt-changed"],
    ),
];

/// What the recipient is told of the first flow.
pub(crate) fn look(exchange: &Exchange) -> (Option<i32>, Value) {
    let (phu, imigrasi) = (&exchange.pair.phu, &exchange.pair.imigrasi);
    asked(imigrasi, phu, &[exchange.out.flow.as_str(), "--from", FROM])
}

/// It differs so, and in nothing else.
pub(crate) fn differs(exchange: &Exchange, expected: &[&str], done: &str) {
    let (code, facts) = look(exchange);
    assert_eq!(
        (code, codes(&facts).as_slice()),
        (Some(1), expected),
        "{done}: {facts:#}"
    );
}

/// Stops both when nothing is under way. What came in this very second might have come after the journal was copied: it would not be
/// called unknown.
pub(crate) fn stopped(exchange: &mut Exchange) {
    exchange.at_rest().unwrap();
    exchange.pair.phu.stop().unwrap();
    exchange.pair.imigrasi.stop().unwrap();
    let second = || amanahd::clock::Clock::default().unix_millis() / 1_000;
    let begun = second();
    let passed = || Ok((second() > begun).then_some(()));
    until("the next second", PATIENCE, passed).unwrap();
}

/// Whatever is done to the database of [`three_into`] by `act` is named; `put_back` makes it what it was.
pub(crate) fn whatever_is_done_is_named(
    exchange: &Exchange,
    act: &dyn Fn(&str),
    put_back: &dyn Fn(),
) {
    for (tampering, expected) in TO_THE_DATABASE {
        act(&tampering.replace("NOBODYS", NOBODYS));
        differs(exchange, expected, tampering);
        put_back();
    }
    let (code, facts) = look(exchange);
    assert_eq!(
        (code, codes(&facts).len(), notes(&facts).len()),
        (Some(0), 0, 0),
        "{facts:#}"
    );
}

/// Rows of a table that was put aside are not counted, which is said; those of the one that was made after it are.
pub(crate) fn what_was_put_aside_is_not_counted(exchange: &mut Exchange, act: &dyn Fn(&str)) {
    act("ALTER TABLE TABEL RENAME TO disisihkan");
    let is_said = |exchange: &Exchange| {
        let (code, facts) = look(exchange);
        let noted = (code, codes(&facts).len(), notes(&facts));
        assert_eq!(noted, (Some(0), 0, vec!["table-put-aside"; 3]), "{facts:#}");
    };
    is_said(exchange);
    let (phu, flow) = (exchange.pair.phu.party(), &exchange.out.flow);
    let words = ["reconcile", phu.as_str(), flow.as_str(), "--from", FROM];
    let shown = exchange.pair.imigrasi.attempt(&words).unwrap().stdout;
    assert!(
        shown.contains("TIDAK dihitung") || shown.contains("NOT counted"),
        "{shown}"
    );
    delivered(exchange, "empat.csv", &rows_of(10, 2, "contoh"));
    exchange.at_rest().unwrap();
    is_said(exchange);
    act("DELETE FROM TABEL WHERE nomor = 'U-000011'");
    differs(exchange, &["rows-there-differ"], "of the new table");
}

#[test]
fn whatever_is_done_to_the_recipients_journal_or_database_is_named() {
    let mut exchange = connected(&appended());
    let arrived = three_into(&mut exchange);
    stopped(&mut exchange);
    let (journal, store) = (
        exchange.pair.imigrasi.path(home::JOURNAL),
        database(&exchange),
    );
    let whole = fs::read(&store).unwrap();
    let act = |words: &str| sql(&store, &words.replace("TABEL", &name(&exchange)));
    whatever_is_done_is_named(&exchange, &act, &|| fs::write(&store, &whole).unwrap());
    for (tampering, expected) in TO_THE_JOURNAL {
        let _as_it_was = Untouched::of(journal.clone());
        sql(&journal, tampering);
        differs(&exchange, expected, tampering);
    }
    let receipt = exchange
        .pair
        .imigrasi
        .path(&home::receipts_sent(exchange.pair.phu.party()))
        .join(amanah_format::receipt::name(&arrived[2].manifest));
    let taken = Untouched::of(receipt);
    fs::remove_file(&taken.0).unwrap();
    differs(&exchange, &["receipt-gone"], "the receipt");
    drop(taken);
    let (code, facts) = look(&exchange);
    assert_eq!((code, codes(&facts).len()), (Some(0), 0), "{facts:#}");
    // A database that is gone, or new and empty, has nothing of what was imported.
    for is_there in [false, true] {
        let _as_it_was = Untouched::of(store.clone());
        fs::remove_file(&store).unwrap();
        if is_there {
            fs::write(&store, b"").unwrap();
        }
        differs(&exchange, &["not-in-store"; 3], "no database");
    }
}

#[test]
fn rows_of_a_table_that_was_put_aside_are_not_counted_and_that_is_said() {
    let mut exchange = connected(&appended());
    three_into(&mut exchange);
    exchange.at_rest().unwrap();
    let (store, table) = (database(&exchange), name(&exchange));
    what_was_put_aside_is_not_counted(&mut exchange, &|words| {
        sql(&store, &words.replace("TABEL", &table));
    });
    // A receipt that speaks of another kind of store than the configuration.
    let config = exchange.pair.imigrasi.folder().join(home::CONFIG);
    let text = fs::read_to_string(&config).unwrap();
    fs::write(
        &config,
        text.replace("[store.tables]\nkind = \"sqlite\"\n", ""),
    )
    .unwrap();
    let (code, facts) = look(&exchange);
    let noted = (code, codes(&facts).len(), notes(&facts));
    assert_eq!(noted, (Some(0), 0, vec!["store-not-read"; 4]), "{facts:#}");
}
