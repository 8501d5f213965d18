//! A campaign of deaths under table traffic into PostgreSQL: the recipient's daemon is killed at random moments, and the server too,
//! sometimes both; then everything that was dropped is there exactly once, by what the database says, and every receipt is true.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use amanah_tests::evidence::{verify_ledger, verify_receipts};
use amanah_tests::exchange::{Dropped, Exchange};
use amanah_tests::mutation::Seeded;
use amanah_tests::postgres::Postgres;
use serde_json::json;

use super::daemons::{ask, founded, says_no_password};
use super::ground::server;
use crate::stores::ground::rows_of;

/// Longest life before the next death, in milliseconds.
const LIFE_MILLIS: usize = 500;
/// Longest time into a recovery at which a second death comes.
const RECOVERY_MILLIS: usize = 120;

/// So many are waited for at a time: the status shows no more than the newest.
const SETTLED_AT_ONCE: usize = 60;

#[test]
fn nothing_is_doubled_or_lost_in_postgresql_by_eight_deaths_of_daemon_and_server() {
    campaign(8, 41);
}

#[test]
#[ignore = "the full tier: two hundred deaths"]
fn nothing_is_doubled_or_lost_in_postgresql_by_two_hundred_deaths_of_daemon_and_server() {
    campaign(200, 42);
}

/// Two daemons, the recipient's server, and what was dropped.
struct Ground {
    server: Postgres,
    exchange: Exchange,
    dice: Seeded,
    dropped: Vec<Dropped>,
    /// Rows of each bundle, by the name in them.
    expected: BTreeMap<String, u32>,
    next: u32,
}

fn campaign(deaths: u32, seed: u64) {
    println!("postgres: {deaths} deaths, seed {seed}");
    let server = server();
    let mode = json!({"mode": "append", "key": [], "partition": null});
    let mut exchange = founded(&server, &mode);
    exchange.pair.start().unwrap();
    let mut ground = Ground {
        server,
        exchange,
        dice: Seeded::new(seed),
        dropped: Vec::new(),
        expected: BTreeMap::new(),
        next: 1,
    };
    for death in 0..deaths {
        ground.drop_some();
        // The moment of the death is the fault that is put to the test; nothing is synchronised by it.
        ground.lives(LIFE_MILLIS);
        ground.one_dies(death % 3 == 0);
        if ground.dropped.len() > SETTLED_AT_ONCE {
            ground.settle();
        }
    }
    ground.holds();
    let (bundles, rows) = (ground.expected.len(), ground.next - 1);
    println!("postgres: {bundles} bundles, {rows} rows, each once");
}

impl Ground {
    fn drop_some(&mut self) {
        let way = self.exchange.out.clone();
        for _ in 0..=self.dice.below(3) {
            let rows = u32::try_from(1 + self.dice.below(3_000)).unwrap();
            let name = format!("b{}", self.expected.len());
            let text = rows_of(self.next, rows, &name);
            let file = format!("{name}.csv");
            let dropped = self.exchange.drop_text(&way, &file, &text).unwrap();
            self.dropped.push(dropped);
            self.expected.insert(name, rows);
            self.next += rows;
        }
    }

    fn lives(&mut self, millis_max: usize) {
        let millis = self.dice.below(millis_max);
        sleep(Duration::from_millis(u64::try_from(millis).unwrap()));
    }

    /// The daemon, the server, or both; the daemon once more while it recovers.
    fn one_dies(&mut self, twice: bool) {
        let victims = self.dice.below(4);
        let (daemon, server) = (victims != 1, victims == 1 || victims == 2);
        if daemon {
            self.exchange.pair.imigrasi.kill().unwrap();
        }
        if server {
            self.server.crash().unwrap();
        }
        if daemon && twice {
            let launch = self.exchange.pair.imigrasi.launch().clone();
            self.exchange.pair.imigrasi.launch_daemon(&launch).unwrap();
            self.lives(RECOVERY_MILLIS);
            self.exchange.pair.imigrasi.kill().unwrap();
        }
        if server {
            self.server.again().unwrap();
        }
        if daemon {
            self.exchange.pair.imigrasi.start().unwrap();
        }
    }

    fn settle(&mut self) {
        let dropped = std::mem::take(&mut self.dropped);
        self.exchange.settled(&dropped).unwrap();
    }

    fn holds(&mut self) {
        self.settle();
        let found = ask(
            &self.exchange,
            &self.server,
            "SELECT nama, count(*), count(DISTINCT nomor), count(DISTINCT amanah_import) FROM TABEL GROUP BY nama",
        );
        let found: BTreeMap<String, String> = found
            .lines()
            .filter_map(|line| line.split_once('|'))
            .map(|(name, counts)| (name.to_owned(), counts.to_owned()))
            .collect();
        let expected = self.expected.iter();
        let whole: BTreeMap<String, String> = expected
            .map(|(name, rows)| (name.clone(), format!("{rows}|{rows}|1")))
            .collect();
        assert_eq!(found, whole);
        let records = "SELECT count(*), (SELECT imports FROM amanah_store) FROM amanah_imports";
        let records = ask(&self.exchange, &self.server, records);
        assert_eq!(records, format!("{0}|{0}", whole.len()));
        let pair = &self.exchange.pair;
        verify_receipts(&pair.phu, &pair.imigrasi).unwrap();
        verify_ledger(&pair.imigrasi).unwrap();
        says_no_password(&self.exchange);
    }
}
