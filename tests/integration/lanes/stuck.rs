//! A stuck stream: its store takes nothing, or its sender has lost the payload. More bundles of it than one look at the journal
//! shows, in the very lane of the others, and older than all of them: they pass, and it goes on when it can.

use std::fs;

use amanah_format::home;
use amanah_tests::exchange::{PATIENCE, files_below};
use amanah_tests::waiting::until;
use rustix::process::Signal;

use super::{Heading, configure, drop_bytes, founded, way};

/// More than one look takes up (64).
const MANY: usize = 70;

#[test]
fn a_stream_whose_store_takes_nothing_blocks_no_other_and_goes_on_later() {
    let mut exchange = founded().unwrap();
    configure(&exchange.pair.phu, "[outbox]\nbatch_items_max = 1").unwrap();
    let (stuck, other) = (exchange.out.clone(), way(&exchange, "biasa", Heading::Out));
    let place = exchange
        .pair
        .imigrasi
        .path(home::INBOX)
        .join(stuck.from.as_str());
    fs::create_dir_all(&place).unwrap();
    let in_its_way = place.join(stuck.flow.as_str());
    fs::write(&in_its_way, "bukan folder").unwrap();
    exchange.pair.start().unwrap();
    let mut waiting = Vec::new();
    for number in 0..MANY {
        let name = format!("macet {number}.csv");
        waiting.push(exchange.drop_text(&stuck, &name, "satu").unwrap());
    }
    let imigrasi = &mut exchange.pair.imigrasi;
    let all_here = |status: &amanahd::snapshot::Snapshot| {
        let states = status.incoming.iter().map(|one| one.state.as_str());
        (states.filter(|state| *state == "admitted").count() == MANY).then_some(())
    };
    imigrasi
        .wait_for("the stuck ones", PATIENCE, all_here)
        .unwrap();
    let passed = drop_bytes(&mut exchange, &other, "lewat.csv", 1_000).unwrap();
    let arrived = exchange.settled(&[passed]).unwrap();
    assert_eq!(arrived.len(), 1);
    fs::remove_file(&in_its_way).unwrap();
    // Its waits have grown meanwhile; a reload wakes every stage.
    exchange.pair.imigrasi.signal(Signal::HUP).unwrap();
    let all: Vec<_> = exchange
        .settled(&waiting)
        .unwrap()
        .into_iter()
        .chain(arrived)
        .collect();
    exchange.holds(&all).unwrap();
}

#[test]
fn a_bundle_whose_payload_was_lost_here_does_not_end_the_connection_for_the_others() {
    let mut exchange = founded().unwrap();
    exchange.pair.phu.start().unwrap();
    let (lost, other) = (exchange.out.clone(), way(&exchange, "biasa", Heading::Out));
    exchange.drop_text(&lost, "hilang.csv", "satu").unwrap();
    let queue = exchange.pair.phu.path(home::QUEUE);
    let queued = until("the queue", PATIENCE, || Ok(files_below(&queue)?.pop()));
    let queued = queued.unwrap();
    let waits = |status: &amanahd::snapshot::Snapshot| {
        (status.outgoing.first()?.state == "queued").then_some(())
    };
    exchange
        .pair
        .phu
        .wait_for("it waits", PATIENCE, waits)
        .unwrap();
    fs::remove_file(&queued).unwrap();
    exchange.pair.imigrasi.start().unwrap();
    let alarmed = |status: &amanahd::snapshot::Snapshot| {
        let mut alarms = status.alarms.iter();
        alarms
            .any(|alarm| alarm.code == "payload-lost")
            .then_some(())
    };
    exchange
        .pair
        .phu
        .wait_for("an alarm", PATIENCE, alarmed)
        .unwrap();
    let ways = [other, exchange.back.clone()];
    let dropped = ways.map(|way| exchange.drop_text(&way, "lewat.csv", "dua").unwrap());
    for one in dropped {
        exchange.settled(&[one]).unwrap();
    }
    let phu = exchange.pair.phu.status().unwrap().unwrap();
    let imigrasi = phu.peers.iter().find(|peer| peer.party == "imigrasi");
    assert!(imigrasi.is_some_and(|peer| peer.connected));
}
