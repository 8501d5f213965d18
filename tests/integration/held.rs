//! Held, not refused: a bundle that cannot be imported yet waits at its recipient, its sender is told why by a signed slip, and
//! it goes on by itself as soon as what was missing is there. No receipt comes before that.

use std::fs;

use amanah_format::home;
use amanah_tests::exchange::{Dropped, Exchange, PATIENCE, inbox_tree};
use rustix::process::Signal;

use crate::program;

/// Waits until both sides say that the bundle waits for `reason`, and checks that nothing of it was imported.
fn held_on_both_sides(exchange: &mut Exchange, reason: &str) {
    let waiting = exchange
        .pair
        .imigrasi
        .wait_for("the hold", PATIENCE, |status| {
            let mut held = status.incoming.iter().filter(|one| one.state == "held");
            held.next().and_then(|one| one.held.clone())
        });
    assert_eq!(waiting.unwrap(), reason);
    let told = exchange.pair.phu.wait_for("the slip", PATIENCE, |status| {
        status.outgoing.iter().find_map(|one| one.held.clone())
    });
    assert_eq!(told.unwrap(), reason);
    assert!(inbox_tree(&exchange.pair.imigrasi).unwrap().is_empty());
}

fn arrives_after_all(exchange: &mut Exchange, dropped: Dropped) {
    exchange.pair.imigrasi.signal(Signal::HUP).unwrap();
    let arrived = exchange.settled(&[dropped]).unwrap();
    exchange.holds(&arrived).unwrap();
}

#[test]
fn a_bundle_under_an_agreement_that_is_not_installed_yet_is_held_until_it_is() {
    let mut exchange = Exchange::found(program()).unwrap();
    let agreements = exchange.pair.imigrasi.folder().join(home::AGREEMENTS);
    let aside = exchange.folder().join("belum dipasang");
    fs::rename(&agreements, &aside).unwrap();
    exchange.pair.start().unwrap();
    let way = exchange.out.clone();
    let dropped = exchange.drop_text(&way, "lebih awal.csv", "satu").unwrap();
    held_on_both_sides(&mut exchange, "agreement-unknown");
    fs::rename(&aside, &agreements).unwrap();
    arrives_after_all(&mut exchange, dropped);
}

#[test]
fn a_bundle_whose_store_is_not_mounted_is_held_until_it_is() {
    let mut exchange = Exchange::connected(program()).unwrap();
    let store = exchange.pair.imigrasi.home().join("inbox/.amanah-store");
    let aside = exchange.folder().join("tanda penyimpanan");
    fs::rename(&store, &aside).unwrap();
    let way = exchange.out.clone();
    let dropped = exchange.drop_text(&way, "tanpa diska.csv", "satu").unwrap();
    held_on_both_sides(&mut exchange, "store-missing");
    fs::rename(&aside, &store).unwrap();
    arrives_after_all(&mut exchange, dropped);
}
