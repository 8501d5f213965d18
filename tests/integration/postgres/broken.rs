//! Exactly once, whatever becomes of the server or the wire: an import is broken at each message that the client sends, before the
//! server has it and after, by cutting the wire or by killing the server; then it is tried again, as the daemon does.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use amanah_tests::exchange::PATIENCE;
use amanah_tests::mutation::Seeded;
use amanah_tests::postgres::Postgres;
use amanah_tests::postgres_link::{At, PostgresLink, When};
use amanahd::engine::policy::Mode;
use amanahd::store::StoreError;
use amanahd::store::table::TableStore;

use super::ground::{import, land, server, store, store_at, table};

/// Rows of a bundle: some messages of COPY.
const ROWS: u32 = 4_000;
/// More messages than an import has.
const MESSAGES_MAX: usize = 200;
/// Between two tries of an import that was broken once: the wire is whole then, and the server comes back.
const AGAIN: Duration = Duration::from_millis(25);
/// As many as there is patience for.
const TRIES: u128 = PATIENCE.as_millis() / AGAIN.as_millis();

const MODES: [Mode; 3] = [Mode::Append, Mode::Upsert, Mode::Replace];

struct Ground {
    server: Arc<Mutex<Postgres>>,
    link: PostgresLink,
    store: amanahd::store::postgres::PostgresStore,
    number: u32,
    /// Rows that must be in the table of appended bundles.
    appended: u32,
}

impl Ground {
    fn new() -> Self {
        let server = server();
        let link = PostgresLink::to(server.port()).unwrap();
        let url = Postgres::url_of_port(link.port(), "?sslmode=disable");
        let store = store_at(&url, "amanah");
        store.identity().unwrap();
        Self {
            server: Arc::new(Mutex::new(server)),
            link,
            store,
            number: 0,
            appended: 0,
        }
    }

    /// One import, broken at a message; whether there was one.
    fn broken(&mut self, at: At, when: When, kills: bool) -> bool {
        self.number += 1;
        let mode = MODES[usize::try_from(self.number - 1).unwrap() % MODES.len()];
        let name = mode.as_str();
        let mut bundle = import(name, 0);
        bundle.id.manifest = amanah_format::digest::Digest::of(&self.number.to_be_bytes());
        bundle.landing.mode = mode;
        let from = self.number * ROWS;
        let text = table(from, ROWS, name);
        let server = Arc::clone(&self.server);
        self.link.arm(at, when, move || {
            if kills {
                let mut server = server.lock().unwrap();
                server.crash().unwrap();
                server.again().unwrap();
            }
        });
        let tried = |ground: &Self| {
            let known = ground.known(&bundle);
            known.unwrap_or_else(|| land(&ground.store, &bundle, &text, true))
        };
        let mut first = tried(self);
        for _ in 0..TRIES {
            if first.is_ok() || self.link.has_broken() {
                break;
            }
            // What broke behind the bundle before (its last words come after its commit) is noticed now: another try, another connection.
            std::thread::sleep(AGAIN);
            first = tried(self);
        }
        let broke = self.link.has_broken();
        if !broke {
            assert!(first.is_ok(), "unbroken, and yet {first:?}");
        }
        let mut landed = first;
        for _ in 0..TRIES {
            match landed {
                Ok(Some(stored)) => {
                    assert_eq!(stored.records, u64::from(ROWS));
                    self.holds(mode, from, &format!("{at:?} {when:?} ({})", self.link.at()));
                    return broke;
                }
                Ok(None) => panic!("sound rows were not"),
                Err(StoreError::Schema(said)) => panic!("{said}"),
                Err(_) => std::thread::sleep(AGAIN),
            }
            // As the daemon: what the store has is never imported again.
            landed = tried(self);
        }
        panic!("{at:?} {when:?}: {landed:?}");
    }

    /// What the store says of it already; none: it is to be imported.
    fn known(
        &self,
        bundle: &amanahd::store::table::TableImport,
    ) -> Option<Result<Option<amanah_format::receipt::StoreRef>, StoreError>> {
        self.store.identity().map(drop).err().map(Err).or_else(|| {
            self.store
                .lookup(&bundle.id.manifest)
                .transpose()
                .map(|known| known.map(Some))
        })
    }

    fn holds(&mut self, mode: Mode, from: u32, broken: &str) {
        let server = self.server.lock().unwrap();
        let name = mode.as_str();
        let words = format!(
            "SELECT count(*), count(DISTINCT nomor), count(DISTINCT amanah_import) FROM amanah.{name}
                WHERE nomor >= 'U-{from:06}' AND nomor < 'U-{:06}';
            SELECT count(*), (SELECT imports FROM amanah.amanah_store) FROM amanah.amanah_imports;
            SELECT count(*) FROM amanah.append",
            from + ROWS
        );
        if mode == Mode::Append {
            self.appended += ROWS;
        }
        let (number, appended) = (self.number, self.appended);
        let expected = format!("{ROWS}|{ROWS}|1\n{number}|{number}\n{appended}");
        assert_eq!(
            server.ask(&words).unwrap(),
            expected,
            "{name}, broken at {broken}"
        );
    }
}

/// Which messages.
#[derive(Clone, Copy)]
enum Messages {
    Each,
    Some(usize),
}

/// Breaks imports at each message, or at some by the dice, and at each commit; how many were broken.
fn break_all(messages: Messages, kills: bool, seed: u64) -> usize {
    let mut ground = Ground::new();
    let mut dice = Seeded::new(seed);
    // A first one of each mode, unbroken; so that all tables are there.
    for _ in MODES {
        assert!(!ground.broken(At::Nth(MESSAGES_MAX), When::Before, kills));
    }
    let mut broken = 0;
    for when in [When::Before, When::After] {
        for _ in MODES {
            assert!(
                ground.broken(At::Text("COMMIT"), when, kills),
                "no commit was met"
            );
            broken += 1;
        }
        let places: Vec<usize> = match messages {
            Messages::Each => (0..MESSAGES_MAX).collect(),
            Messages::Some(count) => (0..count).map(|_| dice.below(30)).collect(),
        };
        for at in places {
            let is_broken = ground.broken(At::Nth(at), when, kills);
            broken += usize::from(is_broken);
            if matches!(messages, Messages::Each) && !is_broken {
                break;
            }
        }
    }
    println!("postgres: {broken} imports broken, seed {seed}, each there once");
    broken
}

#[test]
fn a_wire_that_is_cut_within_an_import_doubles_nothing_and_loses_nothing() {
    assert!(break_all(Messages::Some(12), false, 5) > 20);
}

#[test]
fn a_server_that_is_killed_within_an_import_doubles_nothing_and_loses_nothing() {
    assert!(break_all(Messages::Some(1), true, 7) > 6);
}

#[test]
#[ignore = "the full tier: every message of an import, the wire and the server"]
fn no_message_of_an_import_is_one_at_which_anything_is_doubled_or_lost() {
    assert!(break_all(Messages::Each, false, 0) > 50);
    assert!(break_all(Messages::Each, true, 0) > 50);
}

#[test]
fn a_destruction_whose_answer_is_lost_is_asked_again_and_counts_the_same() {
    let ground = Ground::new();
    let now = "2031-01-02T00:00:00Z".parse().unwrap();
    for (number, when) in [(1_u8, When::Before), (2, When::After)] {
        let bundle = import("manifes", number);
        let text = table(u32::from(number) * 10, 4, "a");
        land(&ground.store, &bundle, &text, true).unwrap().unwrap();
        ground.link.arm(At::Text("COMMIT"), when, || {});
        let lost = ground.store.destroy(&bundle.id.manifest, now);
        assert!(matches!(lost, Err(StoreError::Database(_))), "{lost:?}");
        assert!(ground.link.has_broken());
        // A first attempt that the server has not given up yet holds the record.
        let again =
            amanah_tests::waiting::until("destroyed", amanah_tests::exchange::PATIENCE, || {
                Ok(ground.store.destroy(&bundle.id.manifest, now).ok())
            });
        assert_eq!(again.unwrap(), 4);
    }
    let server = ground.server.lock().unwrap();
    let rows = "SELECT count(*), (SELECT sum(destroyed_records) FROM amanah.amanah_imports) FROM amanah.manifes";
    assert_eq!(server.ask(rows).unwrap(), "0|8");
}

#[test]
fn an_older_copy_and_another_database_are_told_from_the_one_that_was_there() {
    let server = server();
    let own = store(&server);
    land(&own, &import("manifes", 1), &table(1, 1, "a"), true).unwrap();
    let before = own.identity().unwrap();
    land(&own, &import("manifes", 2), &table(2, 1, "a"), true).unwrap();
    assert_eq!(own.identity().unwrap().imports, 2);
    // As a restored copy would be.
    server
        .ask("DELETE FROM amanah.manifes WHERE nomor = 'U-000002'; DELETE FROM amanah.amanah_imports WHERE records = 1 AND import = 2;
            UPDATE amanah.amanah_store SET imports = 1")
        .unwrap();
    // An import that was begun for the newer one is not written into the older.
    let third = import("manifes", 3);
    let refused = land(&own, &third, &table(3, 1, "a"), true);
    assert!(
        matches!(refused, Err(StoreError::Database(_))),
        "{refused:?}"
    );
    assert_eq!(own.identity().unwrap(), before);
    assert_eq!(own.lookup(&import("manifes", 2).id.manifest).unwrap(), None);
    land(&own, &third, &table(3, 1, "a"), true)
        .unwrap()
        .unwrap();
    server.schema("lain").unwrap();
    let other = store_at(&server.url("amanah"), "lain");
    assert_ne!(other.identity().unwrap().store_id, before.store_id);
    assert_eq!(other.identity().unwrap().imports, 0);
    // The same, as the daemon's own connection meets it: what was there is put aside.
    server
        .ask("ALTER SCHEMA amanah RENAME TO samping; ALTER SCHEMA lain RENAME TO amanah")
        .unwrap();
    let refused = land(&own, &import("manifes", 4), &table(4, 1, "a"), true);
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(
        server
            .ask("SELECT count(*) FROM amanah.amanah_imports")
            .unwrap(),
        "0"
    );
}
