//! The indexes of a new table in PostgreSQL come after its first import: also where the recipient dies before it came to that, or the
//! server refuses them. Only what an index may refuse is asked of it before the commit.

use std::fs;

use amanah_tests::exchange::{Exchange, PATIENCE};
use amanah_tests::postgres::Postgres;
use amanah_tests::waiting::until;
use amanahd::engine::policy::Mode;
use amanahd::store::StoreError;
use amanahd::store::table::TableStore;

use super::daemons::{ask, connected, database_for, founded};
use super::ground::{import, land, server, store, table};

use crate::stores::ground::{delivered, dies_with_the_first, founded_bare, rows_of};
use crate::stores::indexed::{agree_with_corrections, by, withdrawn};
use crate::stores::reconciled::clean;

const POINT: &str = "postgres.before-indexed";
const INDEXES: &str =
    "SELECT indexname || CASE WHEN indexdef LIKE 'CREATE UNIQUE %' THEN ' one' ELSE '' END
    FROM pg_indexes WHERE tablename = 'TABEL' ORDER BY indexname";
const ROWS: &str =
    "SELECT nama, count(*), count(DISTINCT nomor) FROM TABEL GROUP BY nama ORDER BY nama DESC;
    SELECT count(*) FROM amanah_imports";
/// By which index rows are found, in each mode.
const MODES: [(&str, &str); 2] = [
    ("append", "amanah_baris_1"),
    ("upsert", "amanah_kunci_1 one"),
];

fn until_indexed(exchange: &Exchange, server: &Postgres, expected: &str) {
    until("the index", PATIENCE, || {
        Ok((ask(exchange, server, INDEXES) == expected).then_some(()))
    })
    .unwrap();
}

#[test]
fn a_new_table_has_its_index_soon_after_its_first_import() {
    for (mode, expected) in MODES {
        let server = server();
        let mut exchange = connected(&server, &by(mode));
        delivered(&mut exchange, "satu.csv", &rows_of(1, 40, "satu"));
        until_indexed(&exchange, &server, expected);
    }
}

#[test]
fn the_next_import_makes_the_index_that_the_recipient_died_before() {
    for ((mode, expected), rows) in MODES
        .into_iter()
        .zip(["satu|40|40\ndua|40|40\n2", "satu|39|39\ndua|40|40\n2"])
    {
        let server = server();
        let mut exchange = founded(&server, &by(mode));
        dies_with_the_first(&mut exchange, POINT);
        assert_eq!(ask(&exchange, &server, INDEXES), "", "{mode}");
        assert_eq!(ask(&exchange, &server, ROWS), "satu|40|40\n1", "{mode}");
        delivered(&mut exchange, "dua.csv", &rows_of(40, 40, "dua"));
        assert_eq!(ask(&exchange, &server, ROWS), rows, "{mode}");
        assert_eq!(ask(&exchange, &server, INDEXES), expected);
        clean(&mut exchange);
    }
}

#[test]
fn a_correction_makes_the_index_that_the_recipient_died_before() {
    for (mode, expected) in MODES {
        let server = server();
        let mut exchange = founded_bare();
        agree_with_corrections(&exchange, mode);
        database_for(&exchange, &server);
        let first = dies_with_the_first(&mut exchange, POINT);
        assert_eq!(ask(&exchange, &server, INDEXES), "", "{mode}");
        withdrawn(&mut exchange, &first, "U-000007");
        let there = "SELECT count(*), count(*) FILTER (WHERE nomor = 'U-000007') FROM TABEL";
        assert_eq!(ask(&exchange, &server, there), "39|0", "{mode}");
        assert_eq!(ask(&exchange, &server, INDEXES), expected);
        clean(&mut exchange);
    }
}

#[test]
fn an_import_stands_where_the_server_has_no_room_for_its_index() {
    let server = server();
    let mut exchange = connected(&server, &by("upsert"));
    server
        .ask(
            "CREATE FUNCTION public.penuh() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
                RAISE EXCEPTION 'penuh' USING ERRCODE = '53100'; END $$;
            CREATE EVENT TRIGGER penuh ON ddl_command_start WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION public.penuh()",
        )
        .unwrap();
    delivered(&mut exchange, "satu.csv", &rows_of(1, 40, "satu"));
    until("the warning", PATIENCE, || {
        let log = fs::read_to_string(exchange.pair.imigrasi.log())?;
        Ok(log.contains("their table has no index").then_some(()))
    })
    .unwrap();
    assert_eq!(ask(&exchange, &server, INDEXES), "");
    assert_eq!(ask(&exchange, &server, ROWS), "satu|40|40\n1");
    server.ask("DROP EVENT TRIGGER penuh").unwrap();
    delivered(&mut exchange, "dua.csv", &rows_of(40, 1, "dua"));
    assert_eq!(ask(&exchange, &server, ROWS), "satu|39|39\ndua|1|1\n2");
    assert_eq!(ask(&exchange, &server, INDEXES), "amanah_kunci_1 one");
    clean(&mut exchange);
}

#[test]
fn a_key_that_no_index_takes_is_known_before_the_commit() {
    let server = server();
    let store = store(&server);
    // What differs everywhere cannot be packed into less.
    let noise = |bytes: u64| -> String {
        let digests =
            (0..bytes.div_ceil(64)).map(|n| amanah_format::digest::Digest::of(&n.to_le_bytes()));
        digests
            .map(|digest| digest.to_string().replace("sha256:", ""))
            .collect()
    };
    let with_key = |key: &str| table(1, 3, "a").replace("U-000002", key);
    for mode in [Mode::Append, Mode::Upsert] {
        let mut one = import("panjang", 1);
        one.landing.mode = mode;
        let refused = land(&store, &one, &with_key(&noise(16_384)), true);
        assert!(matches!(refused, Err(StoreError::Schema(_))), "{refused:?}");
        assert_eq!(store.lookup(&one.id.manifest).unwrap(), None);
        assert_eq!(store.identity().unwrap().imports, 0);
    }
    // One that is long, and not too long, has its index at once; any other later.
    let indexes = "SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes WHERE tablename IN ('panjang', 'pendek')";
    land(
        &store,
        &import("panjang", 2),
        &with_key(&noise(1_024)),
        true,
    )
    .unwrap();
    land(&store, &import("pendek", 3), &table(1, 3, "a"), true).unwrap();
    let first = server.ask(indexes).unwrap();
    assert!(
        first.starts_with("amanah_baris_") && !first.contains(' '),
        "{first}"
    );
    store.index(&import("pendek", 3)).unwrap();
    assert_eq!(server.ask(indexes).unwrap().split(' ').count(), 2);
}
