//! What an attacker, a careless operator or a broken disk may try, and what must not follow from it: endless work, growth
//! without bound, an answer that is not true.

use std::fs;

use amanah_format::home;
use amanah_tests::exchange::{Exchange, PATIENCE};
use rustix::process::Signal;

use crate::program;

/// How often the log says so.
fn times(log: &std::path::Path, words: &str) -> usize {
    fs::read_to_string(log).unwrap().matches(words).count()
}

#[test]
fn a_reload_is_done_once_and_does_not_ask_for_the_next_one() {
    const WORDS: &str = "configuration read again";
    let mut exchange = Exchange::connected(program()).unwrap();
    let ministry = &mut exchange.pair.phu;
    let log = ministry.log();
    for reloads in 1..=2 {
        ministry.signal(Signal::HUP).unwrap();
        ministry
            .wait_for("the reload", PATIENCE, |_| {
                (times(&log, WORDS) >= reloads).then_some(())
            })
            .unwrap();
    }
    // Three snapshots take longer than three looks at the bell.
    let mut written = None;
    for _ in 0..3 {
        written = Some(
            ministry
                .wait_for("a newer status", PATIENCE, |status| {
                    (Some(status.written) > written).then_some(status.written)
                })
                .unwrap(),
        );
    }
    assert_eq!(times(&log, WORDS), 2);
}

#[test]
fn a_bundle_whose_store_is_missing_waits_quietly_and_is_imported_when_it_is_back() {
    let mut exchange = Exchange::connected(program()).unwrap();
    let marker = exchange
        .pair
        .imigrasi
        .path(home::INBOX)
        .join(".amanah-store");
    let aside = exchange.folder().join("marker");
    fs::copy(&marker, &aside).unwrap();
    fs::remove_file(&marker).unwrap();
    let way = exchange.out.clone();
    let dropped = exchange.drop_text(&way, "menunggu.csv", "isi").unwrap();
    let receiver = &mut exchange.pair.imigrasi;
    let mut held = |after| {
        receiver
            .wait_for("the hold", PATIENCE, |status| {
                let held = status.incoming.iter().any(|bundle| bundle.held.is_some());
                (held && Some(status.written) > after)
                    .then_some((status.written, status.ledger_size))
            })
            .unwrap()
    };
    let (first, size) = held(None);
    let (second, _) = held(Some(first.plus_secs(1)));
    let (_, later) = held(Some(second.plus_secs(1)));
    assert_eq!(later, size, "nothing happens, so nothing is recorded");
    fs::copy(&aside, &marker).unwrap();
    exchange.pair.imigrasi.signal(Signal::HUP).unwrap();
    let arrived = exchange.settled(&[dropped]).unwrap();
    exchange.holds(&arrived).unwrap();
}
