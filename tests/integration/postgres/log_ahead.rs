//! A long import has the server's log written beside it, over a connection of its own. Nothing depends on that one: an import stands
//! where there is no room for it, where the role may not, and where it is lost.

use amanah_tests::exchange::PATIENCE;
use amanah_tests::postgres::Postgres;
use amanah_tests::waiting::until;
use amanahd::engine::policy::Mode;
use amanahd::store::table::TableStore;

use super::ground::{import, land, land_with, server, store, table};

/// The daemon's sessions.
const SESSIONS: &str = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'amanahd'";
/// Transactions that were given a number so far.
const NUMBERED: &str = "SELECT pg_snapshot_xmax(pg_current_snapshot())";
/// Of the session that has the log written.
const HURRYING: &str = "FROM pg_stat_activity WHERE application_name = 'amanahd' AND query LIKE '%txid_current()%' AND pid <> pg_backend_pid()";

/// Some 18 MB.
fn long() -> String {
    table(1, 20_000, &"n".repeat(900))
}

fn number(server: &Postgres, words: &str) -> u64 {
    server.ask(words).unwrap().parse().unwrap()
}

fn until_there_are(server: &Postgres, sessions: u64) {
    until("sessions", PATIENCE, || {
        Ok((number(server, SESSIONS) == sessions).then_some(()))
    })
    .unwrap();
}

fn has_all_rows(server: &Postgres) {
    let rows = "SELECT count(*), count(DISTINCT nomor) FROM amanah.manifes";
    assert_eq!(server.ask(rows).unwrap(), "20000|20000");
}

#[test]
fn the_log_is_written_while_a_long_import_goes_on() {
    let server = server();
    let store = store(&server);
    // Its two connections, and no third for what is short.
    land_with(
        &store,
        &import("haji", 1),
        &table(1, 2_000, "satu"),
        &mut || {
            assert_eq!(number(&server, SESSIONS), 1);
        },
    )
    .unwrap()
    .unwrap();
    assert_eq!(number(&server, SESSIONS), 2);
    let before = number(&server, NUMBERED);
    land_with(&store, &import("manifes", 2), &long(), &mut || {
        // The import's own, and at least one of those that have the log written.
        until("a transaction beside", PATIENCE, || {
            Ok((number(&server, NUMBERED) >= before + 2).then_some(()))
        })
        .unwrap();
        assert_eq!(number(&server, SESSIONS), 3);
    })
    .unwrap()
    .unwrap();
    has_all_rows(&server);
    until_there_are(&server, 2);
}

#[test]
fn rows_that_are_merged_lie_in_no_log_before_and_have_no_companion() {
    let server = server();
    let store = store(&server);
    let [mut first, mut second] = [1, 2].map(|number| import("manifes", number));
    (first.landing.mode, second.landing.mode) = (Mode::Upsert, Mode::Upsert);
    land(&store, &first, &table(1, 1, "satu"), true)
        .unwrap()
        .unwrap();
    land_with(&store, &second, &long(), &mut || {
        assert_eq!(number(&server, SESSIONS), 2);
    })
    .unwrap()
    .unwrap();
    has_all_rows(&server);
}

#[test]
fn an_import_stands_where_its_companion_is_lost() {
    let server = server();
    let store = store(&server);
    land_with(&store, &import("manifes", 1), &long(), &mut || {
        until("the companion", PATIENCE, || {
            let ended = server.ask(&format!("SELECT pg_terminate_backend(pid) {HURRYING}"))?;
            Ok((ended == "t").then_some(()))
        })
        .unwrap();
    })
    .unwrap()
    .unwrap();
    has_all_rows(&server);
}

#[test]
fn what_the_companion_brought_to_disk_is_nothing_without_the_commit() {
    let mut server = server();
    let store = store(&server);
    let died = land_with(&store, &import("manifes", 1), &long(), &mut || {
        until("the companion", PATIENCE, || {
            let there = server.ask(&format!("SELECT count(*) {HURRYING}"))?;
            Ok((there == "1").then_some(()))
        })
        .unwrap();
        server.crash().unwrap();
    });
    assert!(died.is_err(), "{died:?}");
    server.again().unwrap();
    let there = "SELECT count(*) FROM pg_class WHERE relname = 'manifes'";
    assert_eq!(server.ask(there).unwrap(), "0");
    until("another try", PATIENCE, || {
        Ok(land(&store, &import("manifes", 1), &long(), true).unwrap_or_default())
    })
    .unwrap();
    has_all_rows(&server);
}

#[test]
fn an_import_stands_where_there_is_no_room_or_no_right_for_its_companion() {
    for words in [
        "ALTER ROLE amanah CONNECTION LIMIT 2",
        "REVOKE EXECUTE ON FUNCTION txid_current() FROM PUBLIC",
    ] {
        let server = server();
        server.ask(words).unwrap();
        let store = store(&server);
        store.identity().unwrap();
        land(&store, &import("manifes", 1), &long(), true)
            .unwrap()
            .unwrap();
        has_all_rows(&server);
        until_there_are(&server, 2);
    }
}
