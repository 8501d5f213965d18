//! Names, and the agreement's next version: columns are added; what would drop or reinterpret one is refused with what must be done,
//! and what whoever keeps the database does then is taken as it is.

use amanahd::engine::policy::Mode;
use amanahd::store::StoreError;
use amanahd::store::table::TableImport;

use super::ground::{import, land, schema, server, store, table};

const COLUMNS: &str = r#"{"name": "nomor", "type": "string"}, {"name": "hari", "type": "date"}, {"name": "jumlah", "type": "number"}"#;

fn of(flow: &str, number: u8, version: u32, columns: &str) -> TableImport {
    let mut import = import(flow, number);
    let text = format!(r#"{{"fields": [{columns}], "primaryKey": ["nomor"]}}"#);
    import.schema = schema(&text);
    import.agreement.version = version;
    import
}

#[test]
fn columns_are_added_and_none_is_dropped_or_read_as_something_else() {
    let server = server();
    let store = store(&server);
    let lands = |import: &TableImport, text: &str| land(&store, import, text, true);
    let first = "nomor,hari,jumlah\nA-1,2030-01-02,0.10\nA-2,2030-01-03,12.50\n";
    lands(&of("manifes", 1, 1, COLUMNS), first).unwrap();
    let wider = format!("{COLUMNS}, {{\"name\": \"baru\", \"type\": \"integer\"}}");
    lands(
        &of("manifes", 2, 2, &wider),
        "nomor,hari,jumlah,baru\nA-3,2030-01-02,1,5\n",
    )
    .unwrap();
    // The version before it still drains.
    lands(
        &of("manifes", 3, 1, COLUMNS),
        "nomor,hari,jumlah\nA-4,2030-01-02,1\n",
    )
    .unwrap();
    let rows = "SELECT string_agg(nomor || coalesce(baru::text, '-'), ',' ORDER BY nomor) FROM amanah.manifes";
    assert_eq!(server.ask(rows).unwrap(), "A-1-,A-2-,A-35,A-4-");
    for (number, columns, text) in [
        (4, COLUMNS.to_owned(), first),
        (
            5,
            wider.replace("integer", "string"),
            "nomor,hari,jumlah,baru\n",
        ),
        (6, wider.replace("baru", "Baru"), "nomor,hari,jumlah,Baru\n"),
    ] {
        let refused = lands(&of("manifes", number, 3, &columns), text);
        let Err(StoreError::Schema(said)) = refused else {
            panic!("{number}: {refused:?}");
        };
        assert!(
            said.contains("ALTER TABLE amanah.manifes RENAME TO manifes_lama"),
            "{said}"
        );
    }
    server
        .ask("ALTER TABLE amanah.manifes RENAME TO manifes_lama")
        .unwrap();
    let mut merged = of("manifes", 7, 3, COLUMNS);
    merged.landing.mode = Mode::Upsert;
    lands(&merged, first).unwrap();
    let both =
        "SELECT (SELECT count(*) FROM amanah.manifes), (SELECT count(*) FROM amanah.manifes_lama)";
    assert_eq!(server.ask(both).unwrap(), "2|4");
    // Rows that share a key keep a table from being merged.
    lands(&of("rekap", 8, 1, COLUMNS), first).unwrap();
    lands(&of("rekap", 9, 1, COLUMNS), first).unwrap();
    let mut merged = of("rekap", 10, 1, COLUMNS);
    merged.landing.mode = Mode::Upsert;
    let refused = lands(&merged, first);
    let Err(StoreError::Schema(said)) = refused else {
        panic!("{refused:?}");
    };
    assert!(said.contains("several rows have one key"), "{said}");
    let count = "SELECT count(*) FROM amanah.rekap";
    assert_eq!(server.ask(count).unwrap(), "4");
}

#[test]
fn a_flow_s_table_never_takes_a_name_that_is_another_s() {
    let server = server();
    let store = store(&server);
    let lands = |import: &TableImport| land(&store, import, &table(1, 1, "a"), true);
    lands(&import("manifes", 1)).unwrap();
    let mut of_another = import("manifes", 2);
    of_another.id.peer = "garuda-sehat".parse().unwrap();
    lands(&of_another).unwrap();
    lands(&import("amanah-imports", 3)).unwrap();
    lands(&import("pg-class", 4)).unwrap();
    // A name that the server would cut off, of two peers; and one that is a view of the database's keeper.
    let long = format!("a{}", "-panjang".repeat(7));
    lands(&import(&long, 5)).unwrap();
    of_another.id = import(&long, 6).id;
    of_another.id.peer = "garuda-sehat".parse().unwrap();
    lands(&of_another).unwrap();
    server
        .ask("CREATE VIEW amanah.perlintasan AS SELECT 1")
        .unwrap();
    lands(&import("perlintasan", 7)).unwrap();
    let names = "SELECT string_agg(name, ',' ORDER BY made_by) FROM amanah.amanah_tables";
    let plain = long.replace('-', "_");
    let cut = &plain[..63 - "__garuda_sehat".len()];
    assert_eq!(
        server.ask(names).unwrap(),
        format!(
            "manifes,manifes__garuda_sehat,flow_amanah_imports,flow_pg_class,{plain},{cut}__garuda_sehat,perlintasan__kemenhaj"
        )
    );
    for (number, name) in [(8, "Amanah_Row"), (9, "ctid"), (10, "XMAX"), (11, "pg_x")] {
        let columns = format!("{COLUMNS}, {{\"name\": \"{name}\", \"type\": \"string\"}}");
        let refused = land(&store, &of("rekap", number, 1, &columns), "", true);
        assert!(
            matches!(refused, Err(StoreError::Schema(_))),
            "{name}: {refused:?}"
        );
    }
}
