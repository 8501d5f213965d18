//! A disk is taken away (unmounted, unplugged) between two steps of a daemon that goes on running: its open journal can still be
//! written, and whatever it looks for is not there. Nothing that follows from that is recorded: no bundle is called settled whose
//! sealed copy was not archived, none destroyed that lies on that disk. When it is back everything goes on by itself.

use std::fs;

use amanah_tests::exchange::{Exchange, PATIENCE};
use amanah_tests::gate::{Gate, looks_for_gates};
use amanah_tests::ministry::Ministry;
use amanah_tests::pair::Pair;
use amanah_tests::waiting::until;
use rustix::process::Signal;

use crate::program;
use crate::retention::{exchanged, is_destroyed, short_lived};

/// At this instant of a ministry's daemon its home goes, and comes back once the stage has failed for it and said so.
fn goes_and_comes_back(ministry: &mut Ministry, gate: Gate, stage: &str) {
    gate.until_reached().unwrap();
    let home = ministry.home().to_owned();
    let away = home.with_extension("away");
    fs::rename(&home, &away).unwrap();
    // What is there where nothing is mounted.
    fs::create_dir(&home).unwrap();
    drop(gate);
    let (log, failing) = (ministry.log(), format!("stage=\"{stage}\""));
    let cause = format!("home {} is not there any more", home.display());
    until("the stage's failure, and its cause", PATIENCE, || {
        let log = fs::read_to_string(&log)?;
        let mut lines = log.lines().filter(|line| line.contains(&failing));
        Ok(lines.any(|line| line.contains(&cause)).then_some(()))
    })
    .unwrap();
    // It must be empty still: nothing was made where the home was not.
    fs::remove_dir(&home).unwrap();
    fs::rename(&away, &home).unwrap();
    // Waits have grown meanwhile; a reload wakes every stage.
    ministry.signal(Signal::HUP).unwrap();
}

/// Both run; the daemon of `whose` will stand at this instant.
fn started(exchange: &mut Exchange, whose: fn(&mut Pair) -> &mut Ministry, point: &str) -> Gate {
    let gates = exchange.folder().join("gerbang");
    looks_for_gates(whose(&mut exchange.pair), &gates).unwrap();
    exchange.pair.start().unwrap();
    Gate::shut(&gates, point).unwrap()
}

#[test]
fn a_bundle_whose_home_goes_while_it_settles_is_settled_with_its_sealed_copy_in_the_archive() {
    let mut exchange = Exchange::found(program()).unwrap();
    let gate = started(&mut exchange, |pair| &mut pair.phu, "settle.moved");
    let way = exchange.out.clone();
    let dropped = exchange.drop_text(&way, "manifes.csv", "satu").unwrap();
    goes_and_comes_back(&mut exchange.pair.phu, gate, "settle");
    let arrived = exchange.settled(&[dropped]).unwrap();
    let archived = exchange.pair.phu.archived(&way.to, &arrived[0].manifest);
    assert!(archived.is_file(), "{}", archived.display());
    exchange.holds(&arrived).unwrap();
}

#[test]
fn a_sealed_copy_on_a_home_that_goes_is_not_called_destroyed_before_it_is() {
    let mut exchange = short_lived();
    let point = "retention.store-emptied";
    let gate = started(&mut exchange, |pair| &mut pair.imigrasi, point);
    let manifest = exchanged(&mut exchange, "singkat.csv", "satu");
    goes_and_comes_back(&mut exchange.pair.imigrasi, gate, "retention");
    is_destroyed(&exchange, &manifest);
}
