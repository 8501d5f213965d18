//! Table flows that land in PostgreSQL, between two real daemons: a ministry's own dataset, killed at each instant, with a server that
//! is away, older or another one. The recipient reads the server's URL, with its password, from its key file, and says it nowhere.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use amanah_format::home;
use amanah_tests::evidence::verify_receipts;
use amanah_tests::exchange::{Exchange, PATIENCE};
use amanah_tests::postgres::{PASSWORD, Postgres};
use amanah_tests::waiting::until;
use amanahd::plant::Bug;
use amanahd::snapshot::Snapshot;
use serde_json::{Value, json};

use super::ground::server;
use crate::restored::{copy, restore};
use crate::stores::ground::{
    SCHEMA, agree, delivered, dies_with_the_second, founded_bare, has_alarm, name, rows_of,
    until_alarm,
};
use crate::{program, tree};

/// Gives the recipient this server: the URL stands in its key file.
pub(super) fn database_for(exchange: &Exchange, server: &Postgres) {
    let folder = exchange.pair.imigrasi.folder();
    let config = folder.join(home::CONFIG);
    let text = fs::read_to_string(&config).unwrap();
    fs::write(config, text + "\n[store.tables]\nkind = \"postgres\"\n").unwrap();
    let key = folder.join(home::KEYS).join("postgres-url");
    let url = Postgres::url_of_port(server.port(), "?sslmode=disable");
    fs::write(&key, url + "\n").unwrap();
    fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
}

/// The pair, founded; its first flow imported so into this server.
pub(super) fn founded(server: &Postgres, import: &Value) -> Exchange {
    let exchange = founded_bare();
    agree(&exchange, SCHEMA, import);
    database_for(&exchange, server);
    exchange
}

pub(super) fn connected(server: &Postgres, import: &Value) -> Exchange {
    let mut exchange = founded(server, import);
    exchange.pair.start().unwrap();
    exchange
}

/// An answer; `TABEL` stands for the flow's table.
pub(super) fn ask(exchange: &Exchange, server: &Postgres, question: &str) -> String {
    let words = question.replace("TABEL", &name(exchange));
    server
        .ask(&format!("SET search_path TO amanah; {words}"))
        .unwrap()
}

/// No file of the recipient's but its key holds the password.
pub(super) fn says_no_password(exchange: &Exchange) {
    let folder = exchange.pair.imigrasi.folder();
    let found = Command::new("grep")
        .args(["-rlF", PASSWORD])
        .arg(folder)
        .arg(exchange.pair.imigrasi.home())
        .arg(exchange.pair.imigrasi.log())
        .output()
        .unwrap();
    let found = String::from_utf8(found.stdout).unwrap();
    assert!(
        found.contains("postgres-url"),
        "the key file is there: {found}"
    );
    assert!(
        found
            .lines()
            .all(|file| file.ends_with("keys/postgres-url")),
        "{found}"
    );
}

/// Two hundred pilgrims of dataset D1, fictitious by construction.
fn pilgrims(folder: &Path) -> String {
    let mut command = Command::new(program());
    command.args([
        "drill",
        "data",
        "--json",
        "--dataset",
        "D1",
        "--rows",
        "200",
        "--seed",
        "11",
        "--out",
    ]);
    let ran = command.arg(folder).output().unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let files = amanah_tests::exchange::files_below(folder).unwrap();
    let mut texts = files
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .filter(|text| text.starts_with("id_manifes") || text.contains("nomor_paspor"));
    texts.next().unwrap_or_else(|| panic!("{files:?}"))
}

#[test]
fn a_manifest_of_pilgrims_becomes_rows_in_postgresql_and_its_receipt_counts_them() {
    let server = server();
    let mut exchange = founded_bare();
    let schema = tree::root().join("docs/datasets/d1-manifes-umrah.schema.json");
    let schema = fs::read_to_string(schema).unwrap();
    let mode = json!({"mode": "append", "key": [], "partition": null});
    agree(&exchange, &schema, &mode);
    database_for(&exchange, &server);
    exchange.pair.start().unwrap();
    let text = pilgrims(&exchange.folder().join("latihan"));
    let rows = text.lines().count() - 1;
    let arrived = delivered(&mut exchange, "manifes.csv", &text);
    let counts = "SELECT count(*), count(DISTINCT nomor_paspor) > 100, min(amanah_row), max(amanah_row) FROM TABEL";
    assert_eq!(
        ask(&exchange, &server, counts),
        format!("{rows}|t|1|{rows}")
    );
    let record = "SELECT manifest, records, mode, table_name FROM amanah_imports";
    let expected = format!("{}|{rows}|append|{}", arrived.manifest, name(&exchange));
    assert_eq!(ask(&exchange, &server, record), expected);
    // The very table, as CSV again: every cell came through.
    let header = text.lines().next().unwrap();
    let list: Vec<&str> = header.split(',').collect();
    let first = text.lines().nth(1).unwrap();
    let back = format!(
        "COPY (SELECT {} FROM TABEL ORDER BY amanah_row LIMIT 1) TO STDOUT (FORMAT csv)",
        list.join(", ")
    );
    assert_eq!(ask(&exchange, &server, &back), first);
    let receipts = exchange.pair.phu.run(&["receipts", "--json"]).unwrap();
    let receipts: Value = serde_json::from_str(&receipts.stdout).unwrap();
    let shown = receipts.to_string();
    assert!(
        shown.contains("postgres") && shown.contains(&rows.to_string()),
        "{shown}"
    );
    verify_receipts(&exchange.pair.phu, &exchange.pair.imigrasi).unwrap();
    let checked = exchange.pair.imigrasi.run(&["doctor", "--json"]).unwrap();
    assert!(!checked.stdout.contains("tables-"), "{}", checked.stdout);
    says_no_password(&exchange);
}

/// One bundle before, one that the recipient dies with, one after; whether each is there exactly once.
fn survives(point: &str, planted: Option<Bug>) -> String {
    let server = server();
    let mut exchange = founded(
        &server,
        &json!({"mode": "append", "key": [], "partition": null}),
    );
    dies_with_the_second(&mut exchange, point, planted);
    ask(
        &exchange,
        &server,
        "SELECT nama, count(*), count(DISTINCT nomor) FROM TABEL GROUP BY nama ORDER BY min(nomor);
        SELECT count(*) FROM amanah_imports",
    )
}

const ONCE: &str = "satu|40|40\ndua|40|40\ntiga|40|40\n3";

#[test]
fn rows_are_there_once_when_the_recipient_dies_around_the_commit() {
    for point in [
        "postgres.begun:2",
        "postgres.copied:2",
        "postgres.before-commit:2",
        "postgres.after-commit:2",
    ] {
        assert_eq!(survives(point, None), ONCE, "{point}");
    }
}

#[test]
fn a_record_beside_the_transaction_of_its_rows_would_be_caught() {
    // With the bug each import passes it twice.
    assert_ne!(
        survives("postgres.before-commit:3", Some(Bug::RecordOutside)),
        ONCE
    );
}

#[test]
fn a_server_that_is_away_holds_tables_and_nothing_else_is_lost() {
    let mut server = server();
    let mut exchange = connected(
        &server,
        &json!({"mode": "append", "key": [], "partition": null}),
    );
    delivered(&mut exchange, "satu.csv", &rows_of(1, 40, "satu"));
    server.crash().unwrap();
    let way = exchange.out.clone();
    let second = exchange
        .drop_text(&way, "dua.csv", &rows_of(41, 40, "dua"))
        .unwrap();
    let held = |status: &Snapshot| {
        let mut incoming = status.incoming.iter();
        incoming.any(|bundle| bundle.state == "held").then_some(())
    };
    exchange
        .pair
        .imigrasi
        .wait_for("a held bundle", PATIENCE, held)
        .unwrap();
    let ran = exchange
        .pair
        .imigrasi
        .attempt(&["doctor", "--json"])
        .unwrap();
    assert!(ran.stdout.contains("tables-unusable"), "{ran:?}");
    // Also over a restart with no server.
    exchange.pair.imigrasi.stop().unwrap();
    exchange.pair.imigrasi.start().unwrap();
    server.again().unwrap();
    exchange.settled(&[second]).unwrap();
    let counts = "SELECT nama, count(*) FROM TABEL GROUP BY nama ORDER BY nama DESC";
    assert_eq!(ask(&exchange, &server, counts), "satu|40\ndua|40");
    let log = fs::read_to_string(exchange.pair.imigrasi.log()).unwrap();
    assert!(log.contains("cannot be used"), "{log}");
    says_no_password(&exchange);
}

#[test]
fn what_an_older_copy_of_the_database_lacks_is_imported_again_in_its_order() {
    let mut server = server();
    let mode = json!({"mode": "upsert", "key": ["nomor"], "partition": null});
    let mut exchange = connected(&server, &mode);
    delivered(&mut exchange, "satu.csv", &rows_of(1, 2, "satu"));
    exchange.at_rest().unwrap();
    let backup = exchange.folder().join("cadangan");
    server.stop().unwrap();
    copy(&server.cluster(), &backup);
    server.again().unwrap();
    delivered(&mut exchange, "dua.csv", &rows_of(1, 3, "dua"));
    delivered(&mut exchange, "tiga.csv", &rows_of(2, 1, "tiga"));
    exchange.at_rest().unwrap();
    let merged = "SELECT nomor, nama, sequence FROM TABEL JOIN amanah_imports ON import = amanah_import ORDER BY nomor";
    let whole = "U-000001|dua|2\nU-000002|tiga|3\nU-000003|dua|2";
    assert_eq!(ask(&exchange, &server, merged), whole);
    // Put back under the running daemon.
    server.stop().unwrap();
    restore(&backup, &server.cluster());
    server.hand_over().unwrap();
    server.again().unwrap();
    delivered(&mut exchange, "empat.csv", &rows_of(4, 1, "empat"));
    until_alarm(&mut exchange.pair.imigrasi, "store-behind");
    until("all rows", PATIENCE, || {
        let found = ask(&exchange, &server, merged);
        Ok((found == format!("{whole}\nU-000004|empat|4")).then_some(()))
    })
    .unwrap();
    exchange.at_rest().unwrap();
    // Another database, in which somebody else's imports are.
    server
        .ask("UPDATE amanah.amanah_store SET store_id = 'lain'")
        .unwrap();
    let way = exchange.out.clone();
    let fifth = exchange
        .drop_text(&way, "lima.csv", &rows_of(5, 1, "lima"))
        .unwrap();
    until_alarm(&mut exchange.pair.imigrasi, "store-other");
    assert_eq!(ask(&exchange, &server, "SELECT count(*) FROM TABEL"), "4");
    // A schema without tables says that the old one is gone for good, and all comes again.
    server
        .ask("ALTER SCHEMA amanah RENAME TO amanah_lama; CREATE SCHEMA amanah; GRANT USAGE, CREATE ON SCHEMA amanah TO amanah")
        .unwrap();
    exchange.settled(&[fifth]).unwrap();
    until("all rows again", PATIENCE, || {
        let there = "SELECT to_regclass('amanah.TABEL') IS NOT NULL";
        if ask(&exchange, &server, there) == "f" {
            return Ok(None);
        }
        let found = ask(&exchange, &server, merged);
        Ok((found == format!("{whole}\nU-000004|empat|4\nU-000005|lima|5")).then_some(()))
    })
    .unwrap();
    let quiet = |status: &Snapshot| (!has_alarm(status, "store-other")).then_some(());
    exchange
        .pair
        .imigrasi
        .wait_for("quiet", PATIENCE, quiet)
        .unwrap();
}
