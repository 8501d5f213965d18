//! The store by itself: names, kinds of change, what is left of what was not committed, and files that are no store.
//! What it does within a daemon, killed and restored, is in `tests/integration/stores`.

mod destroyed;
mod indexed;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use amanah_format::contents::ContentsSummary;
use amanah_format::manifest::AgreementRef;
use amanah_format::table::{Dialect, Memory, Plan, RowSink, Schema, check};
use tempfile::TempDir;

use super::*;
use crate::engine::policy::{Landing, Mode};
use crate::store::ImportId;
use crate::store::table::Sums;

const COLUMNS: &str = r#"{"name": "nomor", "type": "string"}, {"name": "hari", "type": "date"}, {"name": "jumlah", "type": "number"}"#;

fn schema(columns: &str) -> Arc<Schema> {
    let text = format!(r#"{{"fields": [{columns}], "primaryKey": ["nomor"]}}"#);
    Arc::new(Schema::parse(text.as_bytes()).unwrap())
}

fn store_in(folder: &TempDir) -> SqliteStore {
    let path = folder.path().join("store/tables.sqlite");
    SqliteStore::new(path, "imigrasi".parse().unwrap(), Readers::Owner)
}

fn made() -> (TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = store_in(&folder);
    store.create().unwrap();
    (folder, store)
}

/// A bundle of a flow, the `number`-th; appended, of the agreement's first version.
fn import(flow: &str, number: u8) -> TableImport {
    let landing = Landing {
        mode: Mode::Append,
        key: vec![0],
        partition: None,
    };
    TableImport {
        id: ImportId {
            manifest: Digest::of(&[number]),
            peer: "kemenhaj".parse().unwrap(),
            flow: flow.parse().unwrap(),
            bundle: "01934f6e-0000-7000-8000-000000000001".parse().unwrap(),
            contents: ContentsSummary {
                digest: Digest::of(b"isi"),
                entries: 1,
                bytes: 1,
            },
        },
        agreement: AgreementRef {
            id: "pks".parse().unwrap(),
            version: 1,
            digest: Digest::of(b"pks"),
        },
        epoch: amanah_format::id::Epoch::FIRST,
        sequence: amanah_format::id::Sequence::FIRST,
        schema: schema(COLUMNS),
        landing,
        corrects: None,
        received: "2030-01-02T00:00:00Z".parse().unwrap(),
        now: "2030-01-02T00:00:01Z".parse().unwrap(),
    }
}

/// Writes a table's rows; commits where `commits`.
fn land(
    store: &SqliteStore,
    import: &TableImport,
    text: &str,
    commits: bool,
) -> Result<Option<StoreRef>, StoreError> {
    store.import(import, &mut |rows: &mut dyn RowSink| {
        let plan = Plan {
            schema: &import.schema,
            dialect: Dialect::Csv,
            rows_max: None,
            totals: &[],
            key: [7; 16],
        };
        let checked = check(&mut text.as_bytes(), &plan, &mut Memory::default(), rows).unwrap();
        assert!(checked.report.is_sound(), "{:?}", checked.report);
        commits.then_some(Sums {
            rows: checked.rows,
            totals: BTreeMap::new(),
        })
    })
}

const TABLE: &str = "nomor,hari,jumlah\nA-1,2030-01-02,0.10\nA-2,2030-01-03,12.50\n";

fn answer(store: &SqliteStore, question: &str) -> String {
    let found = store.with(|sql| {
        sql.query_row(question, [], |row| row.get::<_, rusqlite::types::Value>(0))
            .map_err(failed)
    });
    let found = found.unwrap();
    if let rusqlite::types::Value::Text(text) = found {
        text
    } else {
        format!("{found:?}")
    }
}

#[test]
fn what_is_not_committed_leaves_nothing_and_what_is_can_be_looked_up() {
    let (_folder, store) = made();
    let one = import("manifes-umrah", 1);
    assert_eq!(land(&store, &one, TABLE, false).unwrap(), None);
    assert_eq!(store.lookup(&one.id.manifest).unwrap(), None);
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'manifes_umrah'";
    assert_eq!(answer(&store, tables), "Integer(0)");
    let stored = land(&store, &one, TABLE, true).unwrap().unwrap();
    assert_eq!((stored.kind.as_str(), stored.records), ("sqlite", 2));
    assert_eq!(store.lookup(&one.id.manifest).unwrap(), Some(stored));
    assert_eq!(store.identity().unwrap().imports, 1);
    // A twin meets the record.
    assert!(land(&store, &one, TABLE, true).is_err());
    assert_eq!(
        answer(&store, "SELECT group_concat(jumlah) FROM manifes_umrah"),
        "0.1,12.5"
    );
}

#[test]
fn a_row_that_the_database_does_not_take_ends_the_import() {
    let (_folder, store) = made();
    let one = import("manifes", 1);
    land(&store, &one, TABLE, true).unwrap();
    store
        .with(|sql| {
            let words = "CREATE UNIQUE INDEX milik_kita ON manifes (nomor)";
            sql.execute_batch(words).map_err(failed)
        })
        .unwrap();
    let mut two = import("manifes", 2);
    two.landing.key = Vec::new();
    let mut told = None;
    let failure = store.import(&two, &mut |rows| {
        told = rows
            .row(1, &[amanah_format::table::Value::Text("A-1"); 3])
            .err()
            .map(|error| error.kind());
        None
    });
    assert_eq!(told, Some(io::ErrorKind::Other));
    assert!(
        matches!(failure, Err(StoreError::Database(_))),
        "{failure:?}"
    );
    assert_eq!(answer(&store, "SELECT count(*) FROM manifes"), "Integer(2)");
}

#[test]
fn a_flow_s_table_never_takes_a_name_that_is_another_s() {
    let (_folder, store) = made();
    let of_another = {
        let mut import = import("manifes", 2);
        import.id.peer = "garuda-sehat".parse().unwrap();
        import
    };
    land(&store, &import("manifes", 1), TABLE, true).unwrap();
    land(&store, &of_another, TABLE, true).unwrap();
    land(&store, &import("amanah-imports", 3), TABLE, true).unwrap();
    land(&store, &import("sqlite-schema", 4), TABLE, true).unwrap();
    let names = "SELECT group_concat(name) FROM (SELECT name FROM amanah_tables ORDER BY made_by)";
    assert_eq!(
        answer(&store, names),
        "manifes,manifes__garuda_sehat,flow_amanah_imports,flow_sqlite_schema"
    );
    let reserved = schema(&format!(
        "{COLUMNS}, {{\"name\": \"Amanah_Row\", \"type\": \"string\"}}"
    ));
    let wrong = TableImport {
        schema: reserved,
        ..import("rekap", 5)
    };
    let refused = land(&store, &wrong, TABLE, true);
    assert!(matches!(refused, Err(StoreError::Schema(_))), "{refused:?}");
}

#[test]
fn columns_are_added_and_none_is_dropped_or_read_as_something_else() {
    let (_folder, store) = made();
    land(&store, &import("manifes", 1), TABLE, true).unwrap();
    let next = |number: u8, version: u32, columns: &str| {
        let mut next = import("manifes", number);
        next.agreement.version = version;
        next.schema = schema(columns);
        next
    };
    let wider = format!("{COLUMNS}, {{\"name\": \"baru\", \"type\": \"integer\"}}");
    let text = "nomor,hari,jumlah,baru\nA-3,2030-01-02,1,5\n";
    land(&store, &next(2, 2, &wider), text, true).unwrap();
    // The version before it still drains.
    let drained = next(3, 1, COLUMNS);
    land(
        &store,
        &drained,
        "nomor,hari,jumlah\nA-4,2030-01-02,1\n",
        true,
    )
    .unwrap();
    let rows = "SELECT group_concat(nomor || coalesce(baru, '-')) FROM manifes";
    assert_eq!(answer(&store, rows), "A-1-,A-2-,A-35,A-4-");
    for (number, columns, text) in [
        (4, COLUMNS.to_owned(), TABLE),
        (
            5,
            wider.replace("integer", "string"),
            "nomor,hari,jumlah,baru\n",
        ),
        (6, wider.replace("baru", "Baru"), "nomor,hari,jumlah,Baru\n"),
    ] {
        let refused = land(&store, &next(number, 3, &columns), text, true);
        let Err(StoreError::Schema(said)) = refused else {
            panic!("{number}: {refused:?}");
        };
        assert!(
            said.contains("ALTER TABLE manifes RENAME TO manifes_lama"),
            "{said}"
        );
    }
    // Put aside by whoever keeps it; the next import makes one that fits, with indexes of its own.
    let aside = |sql: &Connection| {
        sql.execute_batch("ALTER TABLE manifes RENAME TO manifes_lama")
            .map_err(failed)
    };
    store.with(aside).unwrap();
    let mut merged = next(7, 3, COLUMNS);
    merged.landing.mode = Mode::Upsert;
    land(&store, &merged, TABLE, true).unwrap();
    let both =
        "SELECT (SELECT count(*) FROM manifes) || ' ' || (SELECT count(*) FROM manifes_lama)";
    assert_eq!(answer(&store, both), "2 4");
}

#[test]
fn a_table_is_put_aside_under_a_name_that_is_free() {
    let (_folder, store) = made();
    land(&store, &import("manifes", 1), TABLE, true).unwrap();
    let taken = |sql: &Connection| {
        let make = sql.execute_batch("CREATE TABLE manifes_lama (isi TEXT)");
        make.map_err(failed)
    };
    store.with(taken).unwrap();
    let mut other = import("manifes", 2);
    other.schema = schema(&COLUMNS.replace("number", "integer"));
    other.agreement.version = 2;
    let refused = land(&store, &other, TABLE, true);
    let Err(StoreError::Schema(said)) = refused else {
        panic!("{refused:?}");
    };
    assert!(
        said.contains("ALTER TABLE manifes RENAME TO manifes_lama_2;"),
        "{said}"
    );
}

#[test]
fn rows_that_share_a_key_keep_a_table_from_being_merged() {
    let (_folder, store) = made();
    land(&store, &import("manifes", 1), TABLE, true).unwrap();
    land(&store, &import("manifes", 2), TABLE, true).unwrap();
    let mut merged = import("manifes", 3);
    merged.landing.mode = Mode::Upsert;
    let refused = land(&store, &merged, TABLE, true);
    let Err(StoreError::Schema(said)) = refused else {
        panic!("{refused:?}");
    };
    assert!(said.contains("several rows have one key"), "{said}");
}

#[test]
fn only_an_empty_file_becomes_a_store() {
    let (folder, store) = made();
    assert_eq!(store.identity().unwrap().party, "imigrasi");
    let mode = fs::metadata(&store.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let first = store.identity().unwrap().store_id;
    assert_eq!(store_in(&folder).identity().unwrap().store_id, first);
    drop(store);
    let path = folder.path().join("store/tables.sqlite");
    for name in ["tables.sqlite", "tables.sqlite-wal", "tables.sqlite-shm"] {
        let _ = fs::remove_file(path.with_file_name(name));
    }
    let store = store_in(&folder);
    assert!(matches!(store.identity(), Err(StoreError::Missing(_))));
    assert!(!path.exists());
    fs::write(
        &path,
        "bukan basis data, tetapi cukup panjang untuk kepala berkas",
    )
    .unwrap();
    assert!(store.identity().is_err());
    fs::remove_file(&path).unwrap();
    let foreign = Connection::open(&path).unwrap();
    foreign
        .execute_batch("CREATE TABLE milik_orang (a)")
        .unwrap();
    drop(foreign);
    assert!(matches!(store.identity(), Err(StoreError::Strange { .. })));
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
    assert!(matches!(store.identity(), Err(StoreError::Strange { .. })));
}

/// Corrections of `manifes`, as D8 has them.
fn corrections(number: u8) -> TableImport {
    let columns: Vec<String> = [
        "nomor",
        "alur",
        "ref_kiriman",
        "ref_kunci",
        "jenis",
        "baris_baru",
    ]
    .iter()
    .map(|name| format!(r#"{{"name": "{name}", "type": "string"}}"#))
    .collect();
    TableImport {
        schema: schema(&columns.join(",")),
        corrects: Some(vec![("manifes".parse().unwrap(), schema(COLUMNS))]),
        ..import("ralat", number)
    }
}

#[test]
fn corrections_replace_and_withdraw_the_rows_that_they_name_all_or_none() {
    let (_folder, store) = made();
    let first = import("manifes", 1);
    land(&store, &first, TABLE, true).unwrap();
    let bundle = first.id.manifest.to_string();
    let new = r#""{""nomor"":""A-1"",""hari"":""2030-02-02"",""jumlah"":9}""#;
    let head = "nomor,alur,ref_kiriman,ref_kunci,jenis,baris_baru\n";
    let other = Digest::of(b"lain").to_string();
    let moved = new.replace("A-1", "A-9");
    let typed = new.replace("2030-02-02", "02/02/2030");
    for (number, wrong) in [
        format!("R-1,manifes,{bundle},A-3,TARIK,"),
        format!("R-1,manifes,{other},A-1,TARIK,"),
        format!("R-1,perlintasan,{bundle},A-1,TARIK,"),
        format!("R-1,amanah_imports,{bundle},A-1,TARIK,"),
        format!("R-1,manifes,{bundle},A-1|A-2,TARIK,"),
        format!("R-1,manifes,{bundle},A-1,GANTI,{moved}"),
        format!("R-1,manifes,{bundle},A-1,GANTI,{typed}"),
        format!("R-1,manifes,{bundle},A-1,GANTI,bukan"),
    ]
    .into_iter()
    .enumerate()
    {
        let right = format!("R-0,manifes,{bundle},A-2,TARIK,");
        let text = format!("{head}{right}\n{wrong}\n");
        let mut said = None;
        let import = corrections(100 + u8::try_from(number).unwrap());
        let stored = store.import(&import, &mut |rows| {
            let plan = Plan {
                schema: &import.schema,
                dialect: Dialect::Csv,
                rows_max: None,
                totals: &[],
                key: [7; 16],
            };
            let mut memory = Memory::default();
            said = check(&mut text.as_bytes(), &plan, &mut memory, rows).err();
            None
        });
        assert_eq!(stored.unwrap(), None);
        let said = said.unwrap_or_else(|| panic!("{wrong} was applied"));
        let inner = said.get_ref().unwrap();
        let row = inner
            .downcast_ref::<crate::store::table::Uncorrectable>()
            .unwrap()
            .row;
        assert_eq!(row, 2, "{wrong}");
        assert_eq!(answer(&store, "SELECT count(*) FROM manifes"), "Integer(2)");
    }
    let right =
        format!("{head}R-1,manifes,{bundle},A-1,GANTI,{new}\nR-2,manifes,{bundle},A-2,TARIK,\n");
    land(&store, &corrections(3), &right, true)
        .unwrap()
        .unwrap();
    let rows = "SELECT group_concat(nomor || hari || jumlah || amanah_import) FROM manifes";
    assert_eq!(answer(&store, rows), "A-12030-02-0291");
    assert_eq!(answer(&store, "SELECT count(*) FROM ralat"), "Integer(2)");
}
