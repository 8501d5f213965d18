//! A campaign of deaths under table traffic into PostgreSQL: the recipient's daemon is killed at random moments, and the server too,
//! sometimes both; then everything that was dropped is there exactly once, by what the database says, and every receipt is true.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use amanah_tests::evidence::{verify_ledger, verify_receipts};
use amanah_tests::exchange::Dropped;
use amanah_tests::mutation::Seeded;
use serde_json::json;

use super::daemons::{ask, founded, says_no_password};
use super::ground::server;
use crate::stores::ground::rows_of;

/// Longest life before the next death, in milliseconds.
const LIFE_MILLIS: usize = 500;

#[test]
fn nothing_is_doubled_or_lost_in_postgresql_by_eight_deaths_of_daemon_and_server() {
    campaign(8, 41);
}

#[test]
#[ignore = "the full tier: two hundred deaths"]
fn nothing_is_doubled_or_lost_in_postgresql_by_two_hundred_deaths_of_daemon_and_server() {
    campaign(200, 42);
}

fn campaign(deaths: u32, seed: u64) {
    println!("postgres: {deaths} deaths, seed {seed}");
    let mut dice = Seeded::new(seed);
    let mut server = server();
    let mode = json!({"mode": "append", "key": [], "partition": null});
    let mut exchange = founded(&server, &mode);
    exchange.pair.start().unwrap();
    let way = exchange.out.clone();
    let (mut dropped, mut expected, mut next) = (Vec::<Dropped>::new(), BTreeMap::new(), 1_u32);
    for death in 0..deaths {
        for _ in 0..=dice.below(3) {
            let rows = u32::try_from(1 + dice.below(3_000)).unwrap();
            let name = format!("b{}", expected.len());
            let text = rows_of(next, rows, &name);
            dropped.push(
                exchange
                    .drop_text(&way, &format!("{name}.csv"), &text)
                    .unwrap(),
            );
            expected.insert(name, rows);
            next += rows;
        }
        // The moment of the death is the fault that is put to the test; nothing is synchronised by it.
        sleep(Duration::from_millis(
            u64::try_from(dice.below(LIFE_MILLIS)).unwrap(),
        ));
        let victims = dice.below(4);
        if victims != 1 {
            exchange.pair.imigrasi.kill().unwrap();
        }
        if victims == 1 || victims == 2 {
            server.crash().unwrap();
        }
        if victims != 1 && death % 3 == 0 {
            // A second death during the recovery.
            let launch = exchange.pair.imigrasi.launch().clone();
            exchange.pair.imigrasi.launch_daemon(&launch).unwrap();
            sleep(Duration::from_millis(
                u64::try_from(dice.below(120)).unwrap(),
            ));
            exchange.pair.imigrasi.kill().unwrap();
        }
        if victims == 1 || victims == 2 {
            server.again().unwrap();
        }
        if victims != 1 {
            exchange.pair.imigrasi.start().unwrap();
        }
    }
    exchange.settled(&dropped).unwrap();
    let found = ask(
        &exchange,
        &server,
        "SELECT nama, count(*), count(DISTINCT nomor), count(DISTINCT amanah_import) FROM TABEL GROUP BY nama",
    );
    let found: BTreeMap<String, String> = found
        .lines()
        .filter_map(|line| line.split_once('|'))
        .map(|(name, counts)| (name.to_owned(), counts.to_owned()))
        .collect();
    let whole: BTreeMap<String, String> = expected
        .iter()
        .map(|(name, rows)| (name.clone(), format!("{rows}|{rows}|1")))
        .collect();
    assert_eq!(found, whole);
    let records = ask(
        &exchange,
        &server,
        "SELECT count(*), (SELECT imports FROM amanah_store) FROM amanah_imports",
    );
    assert_eq!(records, format!("{0}|{0}", expected.len()));
    verify_receipts(&exchange.pair.phu, &exchange.pair.imigrasi).unwrap();
    verify_ledger(&exchange.pair.imigrasi).unwrap();
    says_no_password(&exchange);
    println!(
        "postgres: {} bundles, {} rows, each once",
        expected.len(),
        next - 1
    );
}
