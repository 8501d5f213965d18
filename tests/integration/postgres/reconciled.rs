//! `amanah reconcile` with tables in PostgreSQL: rows are counted there as in SQLite, by the same words, also by a role that only reads.
//! Where they cannot be counted the command fails, says what to do, and never that nothing differs; no password is in any word.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};

use amanah_format::home;
use amanah_tests::exchange::Exchange;
use amanah_tests::postgres::{PASSWORD, Postgres};
use serde_json::{Value, json};

use super::daemons::{ask, connected, database_for, says_no_password};
use super::ground::{hold, server};
use crate::stores::ground::{
    agree_with, delivered, founded_bare, name, row, rows_of, table as table_of,
};
use crate::stores::reconciled::{FROM, appended, clean, codes, notes, three_into};
use crate::stores::tampered::{
    differs, look, stopped, what_was_put_aside_is_not_counted, whatever_is_done_is_named,
};
use crate::tree;

/// What `act` did is undone by these, once `KEPT` was said.
const KEPT: &str = "CREATE SCHEMA cadangan; CREATE TABLE cadangan.baris AS TABLE TABEL; CREATE TABLE cadangan.impor AS TABLE amanah_imports";
const PUT_BACK: &str =
    "DELETE FROM TABEL; INSERT INTO TABEL TABLE cadangan.baris; DELETE FROM amanah_imports;
    INSERT INTO amanah_imports OVERRIDING SYSTEM VALUE TABLE cadangan.impor";

fn reconciles(exchange: &Exchange) {
    let (code, facts) = look(exchange);
    assert_eq!(
        (code, codes(&facts).len(), notes(&facts).len()),
        (Some(0), 0, 0),
        "{facts:#}"
    );
}

/// The recipient's URL from now on.
fn speaks_to(exchange: &Exchange, url: &str) {
    let folder = exchange.pair.imigrasi.folder();
    let key = folder.join(home::KEYS).join("postgres-url");
    fs::write(key, format!("{url}\n")).unwrap();
}

#[test]
fn what_happened_reconciles_and_whatever_is_done_to_a_database_of_postgresql_is_named() {
    let server = server();
    let mut exchange = connected(&server, &appended());
    three_into(&mut exchange);
    clean(&mut exchange);
    stopped(&mut exchange);
    let act = |words: &str| {
        ask(&exchange, &server, words);
    };
    act(KEPT);
    whatever_is_done_is_named(&exchange, &act, &|| act(PUT_BACK));
    let (code, facts) = look(&exchange);
    assert_eq!(
        (code, &facts["sides"][1]["rows"]),
        (Some(0), &json!(9)),
        "{facts:#}"
    );
    // Whoever may only read counts as well.
    server
        .ask("CREATE ROLE pembaca LOGIN; GRANT amanah_pembaca TO pembaca; ALTER ROLE pembaca SET default_transaction_read_only TO on")
        .unwrap();
    speaks_to(&exchange, &server.url("pembaca"));
    reconciles(&exchange);
    act("DELETE FROM TABEL WHERE nomor = 'U-000005'");
    differs(&exchange, &["rows-there-differ"], "read by a reader");
    act(PUT_BACK);
    // A time that nobody can place is no place to hide.
    act(
        "UPDATE amanah_imports SET received = 'infinity', manifest = replace(manifest, right(manifest, 8), '00000007') WHERE import = 2",
    );
    differs(&exchange, &["not-in-store", "store-only"], "infinity");
    act(PUT_BACK);
    // An empty schema has nothing of what was imported.
    server
        .ask("ALTER SCHEMA amanah RENAME TO amanah_lama; CREATE SCHEMA amanah; GRANT USAGE ON SCHEMA amanah TO amanah_pembaca")
        .unwrap();
    differs(&exchange, &["not-in-store"; 3], "an empty schema");
    let made = "SELECT count(*) FROM pg_class WHERE relnamespace = 'amanah'::regnamespace";
    assert_eq!(server.ask(made).unwrap(), "0");
}

#[test]
fn rows_of_a_table_of_postgresql_that_was_put_aside_are_not_counted_and_that_is_said() {
    let server = server();
    let mut exchange = connected(&server, &appended());
    three_into(&mut exchange);
    exchange.at_rest().unwrap();
    let table = name(&exchange);
    what_was_put_aside_is_not_counted(&mut exchange, &|words| {
        let words = words.replace("TABEL", &table);
        server
            .ask(&format!("SET search_path TO amanah; {words}"))
            .unwrap();
    });
}

#[test]
fn imports_that_a_later_one_overtook_reconcile_and_more_rows_than_they_may_have_do_not() {
    for (mode, partition) in [
        ("upsert", Value::Null),
        ("replace", Value::Null),
        ("replace", json!("hari")),
    ] {
        let server = server();
        let import = json!({"mode": mode, "key": ["nomor"], "partition": partition});
        let mut exchange = connected(&server, &import);
        let days = ["2030-01-01", "2030-01-02", "2030-01-03"].map(|day| row(1, day, "lama"));
        let rows: Vec<String> = (1..)
            .zip(days)
            .map(|(number, row)| row.replace("U-000001", &format!("U-{number:06}")))
            .collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        delivered(&mut exchange, "satu.csv", &table_of(&rows));
        delivered(&mut exchange, "dua.csv", &rows_of(3, 2, "baru"));
        clean(&mut exchange);
        stopped(&mut exchange);
        // Of the newest each row must be there; of the one before it no more than were imported.
        ask(
            &exchange,
            &server,
            "DELETE FROM TABEL WHERE nomor = 'U-000004'",
        );
        differs(&exchange, &["rows-there-differ"], mode);
        ask(
            &exchange,
            &server,
            "DROP INDEX IF EXISTS amanah_kunci_1; INSERT INTO TABEL (nomor, hari, amanah_import, amanah_row)
            SELECT 'U-' || n, '2030-01-09', 1, n FROM generate_series(100, 103) AS n",
        );
        differs(&exchange, &["rows-there-differ"; 2], mode);
    }
}

#[test]
fn rows_that_a_correction_withdrew_from_postgresql_are_not_missed_and_others_are() {
    let server = server();
    let mut exchange = founded_bare();
    let path = tree::root().join("docs/datasets/d8-ralat.schema.json");
    let ralat = fs::read_to_string(path).unwrap();
    agree_with(&exchange, &appended(), Some(("ralat-uji", &ralat)));
    database_for(&exchange, &server);
    exchange.pair.start().unwrap();
    let first = delivered(&mut exchange, "satu.csv", &rows_of(1, 3, "salah"));
    let mut way = exchange.out.clone();
    let flow = way.flow.clone();
    way.flow = "ralat-uji".parse().unwrap();
    let text = format!(
        "id_ralat,alur,ref_kiriman,ref_kunci,jenis,alasan,waktu,baris_baru\n\
         RAL-000001,{flow},{},U-000002,TARIK,SALAH_KETIK,2030-01-06T09:00:00+07:00,\n",
        first.manifest
    );
    let dropped = exchange.drop_text(&way, "ralat.csv", &text).unwrap();
    exchange.settled(&[dropped]).unwrap();
    let names = "SELECT string_agg(nomor, ',' ORDER BY nomor) FROM TABEL";
    assert_eq!(ask(&exchange, &server, names), "U-000001,U-000003");
    clean(&mut exchange);
    // Also where the corrections were put aside.
    ask(
        &exchange,
        &server,
        "ALTER TABLE ralat_uji RENAME TO ralat_lama",
    );
    clean(&mut exchange);
    ask(
        &exchange,
        &server,
        "DELETE FROM TABEL WHERE nomor = 'U-000003'",
    );
    differs(&exchange, &["rows-there-differ"], "a row that stays");
}

/// It fails with this exit code, and says this and nothing that passes for agreement.
fn fails(exchange: &Exchange, code: i32, expected: &[&str]) {
    let (phu, flow) = (exchange.pair.phu.party(), &exchange.out.flow);
    let words = ["reconcile", phu.as_str(), flow.as_str(), "--from", FROM];
    let ran = exchange.pair.imigrasi.attempt(&words).unwrap();
    assert_eq!((ran.status.code(), ran.stdout.as_str()), (Some(code), ""));
    for word in expected {
        assert!(ran.stderr.contains(word), "{word}: {}", ran.stderr);
    }
    assert!(!ran.stderr.contains(PASSWORD), "{}", ran.stderr);
}

/// Three bundles imported into this server, both stopped; and how people know it.
fn at_rest(server: &Postgres) -> (Exchange, String) {
    let mut exchange = connected(server, &appended());
    three_into(&mut exchange);
    stopped(&mut exchange);
    let port = server.port();
    (
        exchange,
        format!("PostgreSQL jemaah at 127.0.0.1:{port}, schema amanah"),
    )
}

#[test]
fn rows_that_a_server_keeps_from_being_counted_end_the_command_with_what_to_do() {
    let mut server = server();
    let (exchange, place) = at_rest(&server);
    let table = name(&exchange);
    ask(&exchange, &server, "REVOKE SELECT ON TABEL FROM amanah");
    let denied = format!("permission denied for table {table}");
    fails(&exchange, 74, &[&place, &denied, "postgresql-grants.sql"]);
    // A policy of the server's that would hide rows.
    let hide = "GRANT SELECT ON TABEL TO amanah; ALTER TABLE TABEL ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY";
    ask(&exchange, &server, hide);
    fails(&exchange, 74, &[&place, "row-level security"]);
    let show = "ALTER TABLE TABEL DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY";
    ask(&exchange, &server, show);
    let lock = format!("BEGIN; LOCK TABLE amanah.{table} IN ACCESS EXCLUSIVE MODE; SELECT 1;");
    let mut holder = hold(&server, &lock);
    fails(&exchange, 74, &[&place, "locked"]);
    holder.end();
    reconciles(&exchange);
    server.crash().unwrap();
    fails(&exchange, 74, &[&place, "refused"]);
    says_no_password(&exchange);
}

#[test]
fn who_may_not_count_rows_is_told_so_without_a_password() {
    let server = server();
    let (exchange, place) = at_rest(&server);
    server.ask("CREATE ROLE orang LOGIN").unwrap();
    speaks_to(&exchange, &server.url("orang"));
    let advice = ["may not read schema amanah", "postgresql-grants.sql"];
    fails(&exchange, 74, &advice);
    let url = Postgres::url_of_port(server.port(), "?sslmode=disable");
    speaks_to(&exchange, &url.replace(PASSWORD, "salah"));
    fails(&exchange, 74, &[&place, "password authentication failed"]);
    speaks_to(&exchange, &url);
    let keys = exchange.pair.imigrasi.folder().join(home::KEYS);
    let key = keys.join("postgres-url");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    fails(&exchange, 77, &["postgres-url", "chmod 600"]);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    if rustix::process::geteuid().is_root() {
        chown(&key, Some(65_534), None).unwrap();
        fails(&exchange, 77, &["postgres-url", "only its owner may read"]);
        chown(&key, Some(0), None).unwrap();
    }
    reconciles(&exchange);
    fs::remove_file(&key).unwrap();
    fails(&exchange, 66, &["postgres-url"]);
}
