//! Rows that were destroyed come back to PostgreSQL with an old copy: of the whole server while the daemon is stopped, by `pg_dump` while
//! it runs, by hand. They are destroyed again, once for each time, also by a daemon that is killed; a hold keeps them.

use std::process::Command;

use amanah_format::digest::Digest;
use amanah_tests::exchange::Exchange;
use amanah_tests::postgres::Postgres;

use super::daemons::{ask, founded};
use super::ground::server;
use crate::restored::{copy, restore};
use crate::retention::by_hold::until_due;
use crate::retention::came_back::{certified_as, dies_once_at, held_import, hold};
use crate::retention::tables::kept_for;
use crate::stores::ground::{rows_of, until_alarm};
use crate::stores::reconciled::{appended, noted};

const ALARM: &str = "destroyed-came-back";

/// Five rows that are imported and held.
fn held_rows(server: &Postgres) -> (Exchange, Digest) {
    let mut exchange = founded(server, &appended());
    kept_for(&exchange, 0);
    let manifest = held_import(&mut exchange, &rows_of(1, 5, "KENARI"));
    (exchange, manifest)
}

fn no_row_is_left(exchange: &Exchange, server: &Postgres) {
    assert_eq!(ask(exchange, server, "SELECT count(*) FROM TABEL"), "0");
    let marked = "SELECT totals, destroyed_records FROM amanah_imports WHERE destroyed IS NOT NULL";
    assert_eq!(ask(exchange, server, marked), "{}|5");
}

#[test]
fn rows_that_come_back_with_an_old_server_are_destroyed_again_and_held_ones_stay() {
    let mut server = server();
    let (mut exchange, manifest) = held_rows(&server);
    exchange.pair.imigrasi.stop().unwrap();
    server.stop().unwrap();
    let backup = exchange.folder().join("cadangan");
    copy(&server.cluster(), &backup);
    server.again().unwrap();
    exchange.pair.imigrasi.start().unwrap();
    hold(&exchange, &["--release"]);
    let mut each = vec![(0, 5, true)];
    certified_as(&exchange, &manifest, &each);
    let mut put_back = |exchange: &mut Exchange| {
        exchange.pair.imigrasi.stop().unwrap();
        server.stop().unwrap();
        restore(&backup, &server.cluster());
        server.hand_over().unwrap();
        server.again().unwrap();
        let rows = ask(exchange, &server, "SELECT count(*) FROM TABEL");
        assert_eq!(rows, "5");
    };
    for point in ["postgres.before-destroyed", "postgres.destroyed"] {
        put_back(&mut exchange);
        dies_once_at(&mut exchange, point);
        each.push((0, 5, false));
        certified_as(&exchange, &manifest, &each);
    }
    put_back(&mut exchange);
    hold(&exchange, &[]);
    exchange.pair.imigrasi.start().unwrap();
    until_alarm(&mut exchange.pair.imigrasi, ALARM);
    until_due(&exchange.pair.imigrasi, "hold", 1);
    certified_as(&exchange, &manifest, &each);
    noted(&exchange, &["destroyed"]);
    hold(&exchange, &["--release"]);
    each.push((0, 5, false));
    certified_as(&exchange, &manifest, &each);
    no_row_is_left(&exchange, &server);
    noted(&exchange, &["destroyed"]);
}

/// A stock program of PostgreSQL's, as its administrator.
fn by_stock(server: &Postgres, program: &str, words: &[&str]) {
    let url = server.url("pengelola");
    let ran = Command::new(program)
        .args(["-d", &url])
        .args(words)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{program}: {said}");
}

#[test]
fn rows_that_come_back_to_a_running_server_are_destroyed_again() {
    let server = server();
    let (mut exchange, manifest) = held_rows(&server);
    let dump = exchange.folder().join("cadangan.sql");
    let dump = dump.to_string_lossy().into_owned();
    by_stock(&server, "pg_dump", &["-n", "amanah", "-f", &dump]);
    ask(
        &exchange,
        &server,
        "CREATE SCHEMA cadangan; CREATE TABLE cadangan.baris AS TABLE TABEL",
    );
    hold(&exchange, &["--release"]);
    let mut each = vec![(0, 5, true)];
    certified_as(&exchange, &manifest, &each);
    ask(&exchange, &server, "DROP SCHEMA amanah CASCADE");
    by_stock(
        &server,
        "psql",
        &["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", &dump],
    );
    exchange.pair.imigrasi.run(&["retention", "run"]).unwrap();
    until_alarm(&mut exchange.pair.imigrasi, ALARM);
    each.push((0, 5, false));
    certified_as(&exchange, &manifest, &each);
    no_row_is_left(&exchange, &server);
    // By hand, as its owner.
    ask(
        &exchange,
        &server,
        "INSERT INTO TABEL TABLE cadangan.baris; UPDATE amanah_imports SET destroyed = NULL, destroyed_records = NULL",
    );
    exchange.pair.imigrasi.run(&["retention", "run"]).unwrap();
    each.push((0, 5, false));
    certified_as(&exchange, &manifest, &each);
    no_row_is_left(&exchange, &server);
}
