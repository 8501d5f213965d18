//! The store in PostgreSQL against a real server: all modes, the same rows as SQLite has, exactly once whatever becomes of the server
//! or the wire, databases that are not what they were, and rights that are missing. Between two daemons in `daemons`.

mod access;
mod alike;
mod broken;
mod came_back;
mod campaign;
mod changed;
mod daemons;
mod ground;
mod indexed;
mod log_ahead;
mod reconciled;

use amanah_tests::postgres::Postgres;
use amanahd::engine::policy::Mode;
use amanahd::store::StoreError;
use amanahd::store::table::TableStore;

use self::ground::{import, land, server, store, table};

#[test]
fn what_is_not_committed_leaves_nothing_and_what_is_can_be_looked_up() {
    let server = server();
    let store = store(&server);
    let one = import("manifes-umrah", 1);
    assert_eq!(
        land(&store, &one, &table(1, 2, "satu"), false).unwrap(),
        None
    );
    assert_eq!(store.lookup(&one.id.manifest).unwrap(), None);
    let tables =
        "SELECT count(*) FROM pg_class WHERE relname IN ('manifes_umrah', 'amanah_staging')";
    assert_eq!(server.ask(tables).unwrap(), "0");
    assert_eq!(store.identity().unwrap().imports, 0);
    let stored = land(&store, &one, &table(1, 2, "satu"), true)
        .unwrap()
        .unwrap();
    assert_eq!((stored.kind.as_str(), stored.records), ("postgres", 2));
    assert_eq!(
        store.lookup(&one.id.manifest).unwrap(),
        Some(stored.clone())
    );
    assert_eq!(store.identity().unwrap().imports, 1);
    // A twin finds what is there.
    let again = land(&store, &one, &table(1, 2, "satu"), true).unwrap();
    assert_eq!(again, Some(stored));
    let rows = "SELECT string_agg(nomor || biaya || amanah_row, ',' ORDER BY nomor) FROM amanah.manifes_umrah";
    assert_eq!(server.ask(rows).unwrap(), "U-00000110.511,U-00000210.522");
    let record = "SELECT records, table_name, totals, mode, amanah_import = import FROM amanah.amanah_imports, amanah.manifes_umrah LIMIT 1";
    assert_eq!(
        server.ask(record).unwrap(),
        "2|manifes_umrah|{\"biaya\": \"21.03\"}|append|t"
    );
}

#[test]
fn rows_meet_those_that_are_there_by_the_mode_of_their_flow() {
    let server = server();
    let store = store(&server);
    let as_mode = |flow: &str, number: u8, mode: Mode, partition: Option<usize>| {
        let mut import = import(flow, number);
        import.landing.mode = mode;
        import.landing.partition = partition;
        import
    };
    let names = |flow: &str| {
        let rows = format!(
            "SELECT string_agg(nomor || nama || amanah_row, ' ' ORDER BY nomor, amanah_import) FROM amanah.{flow}"
        );
        server.ask(&rows).unwrap()
    };
    let lands = |import, text: &str| {
        land(&store, &import, text, true).unwrap().unwrap();
    };
    lands(as_mode("tambah", 1, Mode::Append, None), &table(1, 2, "a"));
    lands(as_mode("tambah", 2, Mode::Append, None), &table(2, 1, "b"));
    assert_eq!(names("tambah"), "U-000001a1 U-000002a2 U-000002b1");
    lands(as_mode("gabung", 3, Mode::Upsert, None), &table(1, 3, "a"));
    lands(as_mode("gabung", 4, Mode::Upsert, None), &table(3, 2, "b"));
    assert_eq!(
        names("gabung"),
        "U-000001a1 U-000002a2 U-000003b1 U-000004b2"
    );
    lands(as_mode("ganti", 5, Mode::Replace, None), &table(1, 3, "a"));
    lands(as_mode("ganti", 6, Mode::Replace, None), &table(3, 2, "b"));
    assert_eq!(names("ganti"), "U-000003b1 U-000004b2");
    lands(as_mode("ganti", 7, Mode::Replace, None), &table(3, 0, "c"));
    assert_eq!(names("ganti"), "");
    // By the day, of which the third row of the first has none.
    let part = |number: u8| as_mode("bagian", number, Mode::Replace, Some(1));
    let days = |rows: &[(u32, &str)], name: &str| {
        let mut text = table(0, 0, "");
        for (number, day) in rows {
            text += &ground::row(*number, day, name);
        }
        text
    };
    let (first, second) = ("2030-01-01", "2030-01-02");
    lands(part(8), &days(&[(1, first), (2, second), (3, "")], "a"));
    lands(part(9), &days(&[(4, second), (5, second)], "b"));
    assert_eq!(
        names("bagian"),
        "U-000001a1 U-000003a3 U-000004b1 U-000005b2"
    );
    lands(part(10), &days(&[(6, ""), (7, first)], "c"));
    assert_eq!(
        names("bagian"),
        "U-000004b1 U-000005b2 U-000006c1 U-000007c2"
    );
    // What was unsound took nothing away.
    let unsound = as_mode("ganti", 11, Mode::Replace, None);
    land(&store, &unsound, &table(9, 3, "d"), false).unwrap();
    assert_eq!(names("ganti"), "");
    assert_eq!(store.identity().unwrap().imports, 10);
}

#[test]
fn twins_at_once_import_a_bundle_once() {
    let server = server();
    let stores = [store(&server), store(&server), store(&server)];
    for round in 0..6_u8 {
        let mut one = import("manifes", round);
        one.landing.mode = [Mode::Append, Mode::Replace, Mode::Upsert][usize::from(round % 3)];
        one.id.flow = format!("manifes-{}", round % 3).parse().unwrap();
        let text = table(u32::from(round) * 100, 40, "kembar");
        let answers: Vec<_> = std::thread::scope(|scope| {
            let runs: Vec<_> = stores
                .iter()
                .map(|store| scope.spawn(|| land(store, &one, &text, true)))
                .collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        for answer in answers {
            assert_eq!(answer.unwrap().unwrap().records, 40, "round {round}");
        }
    }
    let twice = "SELECT count(*) FROM (SELECT nomor FROM amanah.manifes_0 UNION ALL SELECT nomor FROM amanah.manifes_1
        UNION ALL SELECT nomor FROM amanah.manifes_2) AS all_rows GROUP BY nomor HAVING count(*) > 1";
    assert_eq!(server.ask(twice).unwrap(), "");
    let counts = "SELECT (SELECT count(*) FROM amanah.manifes_0), (SELECT count(*) FROM amanah.amanah_imports),
        (SELECT imports FROM amanah.amanah_store)";
    assert_eq!(server.ask(counts).unwrap(), "80|6|6");
}

#[test]
fn a_role_that_makes_commits_quick_does_not_make_them_so_here_and_a_lock_is_not_waited_for_long() {
    let server = server();
    server.ask("ALTER ROLE amanah SET synchronous_commit TO off; ALTER ROLE amanah SET statement_timeout TO '100ms'").unwrap();
    let store = store(&server);
    let mut one = import("manifes", 1);
    one.landing.mode = Mode::Upsert;
    let mut seen = String::new();
    ground::land_with(&store, &one, &table(1, 1, "a"), &mut || {
        // Longer than the role's statements may take. Of the session whose transaction is under way.
        let begun = std::time::Instant::now();
        while begun.elapsed().as_millis() < 200 {
            seen = server
                .ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'amanahd' AND state = 'active'")
                .unwrap();
        }
    })
    .unwrap()
    .unwrap();
    assert_eq!(seen, "1");
    // A function of the database's keeper tells what the transaction ran with.
    server
        .ask(
            "CREATE TABLE public.dilihat (nilai text); GRANT INSERT ON public.dilihat TO amanah;
            CREATE FUNCTION public.lihat() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                INSERT INTO public.dilihat VALUES (current_setting('synchronous_commit')); RETURN NEW; END $$;
            CREATE TRIGGER lihat BEFORE UPDATE ON amanah.amanah_store FOR EACH ROW EXECUTE FUNCTION public.lihat()",
        )
        .unwrap();
    one.id = import("manifes", 2).id;
    land(&store, &one, &table(2, 1, "a"), true)
        .unwrap()
        .unwrap();
    assert_eq!(
        server.ask("SELECT nilai FROM public.dilihat").unwrap(),
        "on"
    );
    // Somebody holds the table; the bundle waits, and goes on.
    let mut holder = ground::hold(
        &server,
        "BEGIN; LOCK TABLE amanah.manifes IN ACCESS EXCLUSIVE MODE; SELECT 1;",
    );
    one.id = import("manifes", 3).id;
    let begun = std::time::Instant::now();
    let busy = land(&store, &one, &table(3, 1, "a"), true);
    assert!(matches!(busy, Err(StoreError::Busy)), "{busy:?}");
    assert!(begun.elapsed().as_secs() < 20);
    holder.end();
    land(&store, &one, &table(3, 1, "a"), true)
        .unwrap()
        .unwrap();
    assert_eq!(
        server.ask("SELECT count(*) FROM amanah.manifes").unwrap(),
        "3"
    );
}

/// The server with the role of the shipped script.
fn granted() -> Postgres {
    Postgres::granted(&crate::tree::root().join("docs/postgresql-grants.sql")).unwrap()
}

#[test]
fn rows_whose_days_are_over_are_found_by_no_question_and_their_import_is_known() {
    let server = server();
    let store = store(&server);
    let now = "2031-01-02T00:00:00Z".parse().unwrap();
    let merged = |number: u8| {
        let mut import = import("manifes", number);
        import.landing.mode = Mode::Upsert;
        import
    };
    let (one, two) = (merged(1), merged(2));
    let stored = land(&store, &one, &table(1, 3, "a"), true).unwrap();
    // The third row is the later bundle's by then.
    land(&store, &two, &table(3, 1, "b"), true).unwrap();
    server
        .ask("ALTER TABLE amanah.manifes RENAME TO manifes_lama")
        .unwrap();
    for _ in 0..2 {
        assert_eq!(store.destroy(&one.id.manifest, now).unwrap(), 2);
    }
    assert_eq!(store.lookup(&one.id.manifest).unwrap(), stored);
    let rows = "SELECT string_agg(nomor || nama, ',') FROM amanah.manifes_lama";
    assert_eq!(server.ask(rows).unwrap(), "U-000003b");
    let marked = "SELECT import = 1, totals, destroyed AT TIME ZONE 'UTC', destroyed_records FROM amanah.amanah_imports
        WHERE destroyed IS NOT NULL";
    assert_eq!(server.ask(marked).unwrap(), "t|{}|2031-01-02 00:00:00|2");
    let unknown = amanah_format::digest::Digest::of(b"unknown");
    assert_eq!(store.destroy(&unknown, now).unwrap(), 0);
    let vacuumed = "SELECT vacuum_count > 0 FROM pg_stat_all_tables WHERE relname = 'manifes_lama'";
    assert_eq!(server.ask(vacuumed).unwrap(), "t");
    // What belongs to somebody else by now is said, and nothing is marked.
    server
        .ask("ALTER TABLE amanah.manifes_lama OWNER TO pengelola")
        .unwrap();
    let refused = store.destroy(&two.id.manifest, now);
    assert!(
        matches!(refused, Err(StoreError::Database(_))),
        "{refused:?}"
    );
    let marks = "SELECT count(destroyed) FROM amanah.amanah_imports";
    assert_eq!(server.ask(marks).unwrap(), "1");
}

#[test]
fn rows_that_name_what_another_dataset_has_not_are_counted_whatever_the_columns_are() {
    let server = server();
    let store = store(&server);
    let mut parent = import("induk", 1);
    parent.landing.mode = Mode::Upsert;
    let referring = |number: u8, kind: &str| {
        let mut import = import("rujukan", number);
        import.id.flow = format!("rujukan-{kind}").parse().unwrap();
        import.schema = ground::schema(&format!(
            r#"{{"name": "uji-rujuk", "fields": [{{"name": "baris", "type": "string"}}, {{"name": "rujuk", "type": "{kind}"}}],
            "primaryKey": ["baris"],
            "foreignKeys": [{{"fields": ["rujuk"], "reference": {{"resource": "uji-simpan", "fields": ["nomor"]}}}}]}}"#
        ));
        import
    };
    let (texts, numbers) = (referring(2, "string"), referring(3, "integer"));
    let others = [("induk".parse().unwrap(), parent.schema.clone())];
    land(
        &store,
        &texts,
        "baris,rujuk\n1,U-000001\n2,\n3,U-000009\n",
        true,
    )
    .unwrap();
    assert!(store.unmatched(&texts, &others).unwrap().is_empty());
    land(&store, &parent, &table(1, 3, "a"), true).unwrap();
    let found = store.unmatched(&texts, &others).unwrap();
    assert_eq!(
        (found[0].dataset.as_str(), found[0].rows),
        ("uji-simpan", 1)
    );
    land(&store, &numbers, "baris,rujuk\n1,5\n2,\n", true).unwrap();
    let found = store.unmatched(&numbers, &others).unwrap();
    assert_eq!((found.len(), found[0].rows), (1, 1));
}
