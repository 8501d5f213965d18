//! When the indexes of a table are made: of a new one after its import, of any other before its rows, and by whoever needs one first.
//! The daemon's own part in it, killed in between, is in `tests/integration/stores/indexed`.

use amanah_format::id::FlowName;

use super::*;

const INDEXES: &str = "SELECT group_concat(name || ':' || \"unique\" || ':' || (SELECT group_concat(name) FROM pragma_index_info(list.name)), ' ')
    FROM (SELECT name, \"unique\" FROM pragma_index_list('manifes') ORDER BY name) AS list";
const NONE: &str = "Null";
const ROWS: &str = "SELECT group_concat(nomor || amanah_import, ',') FROM (SELECT * FROM manifes ORDER BY nomor, amanah_import)";

fn merged(number: u8) -> TableImport {
    let mut import = import("manifes", number);
    import.landing.mode = Mode::Upsert;
    import
}

/// A table of so many rows.
fn rows(from: u32, count: u32) -> String {
    let rows =
        (from..from + count).map(|number| format!("A-{number},2030-01-0{},1\n", number % 3 + 1));
    "nomor,hari,jumlah\n".to_owned() + &rows.collect::<String>()
}

#[test]
fn a_new_table_has_its_indexes_after_the_import_that_makes_it() {
    let (_folder, store) = made();
    let mut one = merged(1);
    land(&store, &one, &rows(1, 3), true).unwrap();
    assert_eq!(answer(&store, INDEXES), NONE);
    for _ in 0..2 {
        store.index(&one).unwrap();
        assert_eq!(answer(&store, INDEXES), "manifes_1_kunci:1:nomor");
    }
    // One that was put aside is somebody else's.
    store
        .with(|sql| {
            let aside = "DROP INDEX manifes_1_kunci; ALTER TABLE manifes RENAME TO manifes_lama";
            sql.execute_batch(aside).map_err(failed)
        })
        .unwrap();
    store.index(&one).unwrap();
    one.id.flow = "lain".parse().unwrap();
    store.index(&one).unwrap();
    let all = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'manifes_%_kunci'";
    assert_eq!(answer(&store, all), "Integer(0)");
}

#[test]
fn an_import_into_a_table_without_its_indexes_makes_them_first() {
    let (_folder, store) = made();
    land(&store, &merged(1), &rows(1, 3), true).unwrap();
    land(&store, &merged(2), &rows(3, 2), true).unwrap();
    assert_eq!(answer(&store, INDEXES), "manifes_1_kunci:1:nomor");
    assert_eq!(answer(&store, ROWS), "A-11,A-21,A-32,A-42");
    // Appended, and by what is replaced.
    let (_folder, store) = made();
    land(&store, &import("manifes", 1), &rows(1, 3), true).unwrap();
    let mut part = import("manifes", 2);
    part.landing.mode = Mode::Replace;
    part.landing.partition = Some(1);
    land(&store, &part, &rows(3, 1), true).unwrap();
    let both = "manifes_1_bagian:0:hari manifes_1_baris:0:nomor";
    assert_eq!(answer(&store, INDEXES), both);
    assert_eq!(answer(&store, ROWS), "A-11,A-21,A-32");
}

#[test]
fn a_new_table_whose_partitions_come_in_turn_keeps_all_its_rows() {
    let (_folder, store) = made();
    let mut part = import("manifes", 1);
    part.landing.mode = Mode::Replace;
    part.landing.partition = Some(1);
    land(&store, &part, &rows(1, 7), true).unwrap();
    assert_eq!(answer(&store, "SELECT count(*) FROM manifes"), "Integer(7)");
    store.index(&part).unwrap();
    let both = "manifes_1_bagian:0:hari manifes_1_baris:0:nomor";
    assert_eq!(answer(&store, INDEXES), both);
}

#[test]
fn what_is_too_much_to_sort_at_once_finds_its_places_one_by_one() {
    let (_folder, mut store) = made();
    let bytes = merged(1).indexed_bytes(&[amanah_format::table::Value::Text("A-1")]);
    assert_eq!(bytes, 3);
    // Three rows fit, with the fourth it is too much.
    store.sorted_bytes_max = 3 * (bytes + 64);
    land(&store, &import("sedikit", 1), &rows(1, 3), true).unwrap();
    let few = "SELECT count(*) FROM pragma_index_list('sedikit')";
    assert_eq!(answer(&store, few), "Integer(0)");
    land(&store, &merged(2), &rows(1, 9), true).unwrap();
    assert_eq!(answer(&store, INDEXES), "manifes_2_kunci:1:nomor");
    assert_eq!(
        answer(&store, ROWS),
        "A-12,A-22,A-32,A-42,A-52,A-62,A-72,A-82,A-92"
    );
    store.index(&merged(2)).unwrap();
    land(&store, &merged(3), &rows(9, 1), true).unwrap();
    assert!(answer(&store, ROWS).ends_with("A-82,A-93"));
    // A file that is too long by far has them before its rows, at once.
    let mut long = import("panjang", 4);
    long.id.contents.bytes = u64::try_from(store.sorted_bytes_max * 4 + 4).unwrap();
    land(&store, &long, &rows(1, 1), true).unwrap();
    let first = "SELECT group_concat(name) FROM pragma_index_list('panjang')";
    assert_eq!(answer(&store, first), "panjang_4_baris");
}

#[test]
fn a_correction_finds_its_row_by_the_index_that_the_table_will_have() {
    for (mode, expected) in [
        (Mode::Upsert, "manifes_1_kunci:1:nomor"),
        (Mode::Append, "manifes_1_baris:0:nomor"),
    ] {
        let (_folder, store) = made();
        let mut one = import("manifes", 1);
        one.landing.mode = mode;
        land(&store, &one, &rows(1, 3), true).unwrap();
        let mut correcting = import("ralat", 2);
        correcting.schema = schema(
            r#"{"name": "nomor", "type": "string"}, {"name": "alur", "type": "string"}, {"name": "ref_kiriman", "type": "string"},
            {"name": "ref_kunci", "type": "string"}, {"name": "jenis", "type": "string"}, {"name": "baris_baru", "type": "string"}"#,
        );
        correcting.corrects = Some(vec![(one.id.flow.clone(), one.schema.clone())]);
        let bundle = one.id.manifest;
        let text = format!(
            "nomor,alur,ref_kiriman,ref_kunci,jenis,baris_baru\nR-1,manifes,{bundle},A-1,TARIK,\nR-2,manifes,{bundle},A-3,TARIK,\n"
        );
        land(&store, &correcting, &text, true).unwrap();
        assert_eq!(answer(&store, ROWS), "A-21");
        assert_eq!(answer(&store, INDEXES), expected);
        // A flow that corrects has its own index in its transaction, as ever.
        let own = "SELECT group_concat(name) FROM pragma_index_list('ralat')";
        assert_eq!(answer(&store, own), "ralat_2_baris");
        // The next import finds the one that is there.
        let mut next = one.clone();
        next.id.manifest = Digest::of(&[3]);
        land(&store, &next, &rows(4, 1), true).unwrap();
        assert_eq!(answer(&store, INDEXES), expected);
    }
}

#[test]
fn rows_that_refer_to_a_table_without_its_index_have_it_made_first() {
    let (_folder, store) = made();
    let parent = merged(1);
    land(&store, &parent, &rows(1, 3), true).unwrap();
    let mut referring = import("rujukan", 2);
    let text = r#"{"fields": [{"name": "nomor", "type": "string"}, {"name": "rujuk", "type": "string"}], "primaryKey": ["nomor"],
        "foreignKeys": [{"fields": ["rujuk"], "reference": {"resource": "uji", "fields": ["nomor"]}}]}"#;
    referring.schema = Arc::new(Schema::parse(text.as_bytes()).unwrap());
    land(&store, &referring, "nomor,rujuk\n1,A-1\n2,A-9\n", true).unwrap();
    let named = format!(r#"{{"name": "uji", "fields": [{COLUMNS}], "primaryKey": ["nomor"]}}"#);
    let named = Arc::new(Schema::parse(named.as_bytes()).unwrap());
    let others: [(FlowName, Arc<Schema>); 1] = [(parent.id.flow.clone(), named)];
    let found = store.unmatched(&referring, &others).unwrap();
    assert_eq!((found.len(), found[0].rows), (1, 1));
    assert_eq!(answer(&store, INDEXES), "manifes_1_kunci:1:nomor");
}
