//! Rows whose days are over: gone from table, index and log, counted once, though a later bundle took some over or the table was put
//! aside; the record of the import stays. A store of before there was such a thing grows into one.

use super::*;

const SECRET: &str = "KENARI-RAHASIA";

fn now() -> UtcTime {
    "2031-01-02T00:00:00Z".parse().unwrap()
}

/// Two rows of which one bears the secret.
fn secret(number: u32) -> String {
    format!("nomor,hari,jumlah\nA-{number},2030-01-02,0.10\n{SECRET}-{number},2030-01-03,1\n")
}

/// Whether the secret is in any file of the store.
fn sings(folder: &TempDir) -> bool {
    let files = fs::read_dir(folder.path().join("store")).unwrap();
    let mut files = files.map(|file| fs::read(file.unwrap().path()).unwrap());
    files.any(|bytes| {
        bytes
            .windows(SECRET.len())
            .any(|window| window == SECRET.as_bytes())
    })
}

#[test]
fn the_rows_of_a_bundle_are_in_no_file_any_more_and_its_import_is_known() {
    let (folder, store) = made();
    let (one, two) = (import("manifes", 1), import("manifes", 2));
    let stored = land(&store, &one, &secret(1), true).unwrap();
    land(&store, &two, TABLE, true).unwrap();
    assert!(sings(&folder), "the canary can sing");
    for _ in 0..2 {
        assert_eq!(store.destroy(&one.id.manifest, now()).unwrap(), 2);
        assert!(!sings(&folder));
    }
    assert_eq!(store.lookup(&one.id.manifest).unwrap(), stored);
    assert_eq!(
        answer(&store, "SELECT group_concat(nomor) FROM manifes"),
        "A-1,A-2"
    );
    let marked = "SELECT group_concat(import || totals || destroyed || destroyed_records) FROM amanah_imports WHERE destroyed IS NOT NULL";
    assert_eq!(answer(&store, marked), "1{}2031-01-02T00:00:00Z2");
    assert_eq!(store.destroy(&Digest::of(b"unknown"), now()).unwrap(), 0);
    assert_eq!(store.identity().unwrap().imports, 2);
}

#[test]
fn a_row_that_a_later_bundle_took_over_is_that_one_s() {
    let (folder, store) = made();
    let merged = |number| {
        let mut import = import("manifes", number);
        import.landing.mode = Mode::Upsert;
        import
    };
    let (one, two) = (merged(1), merged(2));
    land(&store, &one, &secret(7), true).unwrap();
    land(&store, &two, "nomor,hari,jumlah\nA-7,2030-01-09,9\n", true).unwrap();
    assert_eq!(store.destroy(&one.id.manifest, now()).unwrap(), 1);
    assert!(!sings(&folder), "also of the index over the key");
    let left = "SELECT group_concat(nomor || hari) FROM manifes";
    assert_eq!(answer(&store, left), "A-72030-01-09");
}

#[test]
fn rows_of_a_table_that_was_put_aside_go_too_and_tables_of_others_stay() {
    let (folder, store) = made();
    let one = import("manifes", 1);
    land(&store, &one, &secret(1), true).unwrap();
    let others = "ALTER TABLE manifes RENAME TO manifes_lama; CREATE TABLE punya_lain (amanah_import INTEGER, isi TEXT);
        INSERT INTO punya_lain VALUES (1, 'tetap')";
    store
        .with(|sql| sql.execute_batch(others).map_err(failed))
        .unwrap();
    land(&store, &import("manifes", 2), TABLE, true).unwrap();
    assert_eq!(store.destroy(&one.id.manifest, now()).unwrap(), 2);
    assert!(!sings(&folder));
    assert_eq!(answer(&store, "SELECT count(*) FROM manifes"), "Integer(2)");
    assert_eq!(answer(&store, "SELECT isi FROM punya_lain"), "tetap");
}

#[test]
fn a_reader_that_keeps_the_rows_alive_is_waited_for() {
    let (folder, store) = made();
    let one = import("manifes", 1);
    land(&store, &one, &secret(1), true).unwrap();
    let reader = Connection::open(folder.path().join("store/tables.sqlite")).unwrap();
    let begin = "BEGIN; SELECT count(*) FROM manifes";
    reader.execute_batch(begin).unwrap();
    let seen: i64 = reader
        .query_row("SELECT count(*) FROM manifes", [], |row| row.get(0))
        .unwrap();
    assert_eq!(seen, 2);
    // Not for ever: the caller comes back.
    store
        .with(|sql| sql.busy_timeout(Duration::from_millis(50)).map_err(failed))
        .unwrap();
    let first = store.destroy(&one.id.manifest, now());
    assert!(matches!(first, Err(StoreError::Busy)), "{first:?}");
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(store.destroy(&one.id.manifest, now()).unwrap(), 2);
    assert!(!sings(&folder));
}

#[test]
fn a_store_of_the_version_before_grows_into_this_one() {
    let (folder, store) = made();
    let one = import("manifes", 1);
    land(&store, &one, &secret(1), true).unwrap();
    drop(store);
    let older = Connection::open(folder.path().join("store/tables.sqlite")).unwrap();
    let back = "ALTER TABLE amanah_imports DROP COLUMN destroyed; ALTER TABLE amanah_imports DROP COLUMN destroyed_records;
        PRAGMA user_version = 1";
    older.execute_batch(back).unwrap();
    drop(older);
    let store = store_in(&folder);
    assert_eq!(store.destroy(&one.id.manifest, now()).unwrap(), 2);
    assert_eq!(answer(&store, "PRAGMA user_version"), "Integer(2)");
}
