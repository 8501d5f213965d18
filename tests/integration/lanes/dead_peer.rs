//! A third party that takes calls and never says a word: its connection stands, and no login ever comes.
//! What waits for it waits, and nothing else waits with it.

use std::net::TcpListener;

use amanah_tests::exchange::PATIENCE;
use amanah_tests::ministry::Ministry;
use amanah_tests::papers::{agree, found, introduce};
use amanah_tests::pilgrims;

use super::{drop_bytes, founded};

/// How many files wait for the silent one.
const WAITING: usize = 20;

#[test]
fn a_peer_that_never_answers_blocks_none_that_does() {
    let mut exchange = founded().unwrap();
    let desk = exchange.folder().to_owned();
    let silent = TcpListener::bind(amanah_tests::pair::free_address().unwrap()).unwrap();
    let dead = silent.local_addr().unwrap();
    let launch = exchange.pair.phu.launch().clone();
    let third = Ministry::new(launch, desk.join("bpkh"), "bpkh".parse().unwrap());
    found(&third, Some(dead)).unwrap();
    introduce(&exchange.pair.phu, &third, dead, &desk).unwrap();
    let flows = ["setoran:out:1GB:urgent"];
    agree((&exchange.pair.phu, &third), "pks-setoran", &flows, &desk).unwrap();
    exchange.pair.start().unwrap();
    let mut to_the_dead = exchange.out.clone();
    (to_the_dead.to, to_the_dead.flow) = ("bpkh".parse().unwrap(), "setoran".parse().unwrap());
    for number in 0..WAITING {
        let name = format!("menunggu {number}.csv");
        drop_bytes(&mut exchange, &to_the_dead, &name, 200_000).unwrap();
    }
    let phu = &mut exchange.pair.phu;
    phu.wait_for("the queue of the dead", PATIENCE, |status| {
        let dead = status.peers.iter().find(|peer| peer.party == "bpkh")?;
        (dead.waiting_bundles > 0 && !dead.connected).then_some(())
    })
    .unwrap();
    for way in [exchange.out.clone(), exchange.back.clone()] {
        let text = pilgrims::manifest(5, 50);
        let dropped = exchange.drop_text(&way, "hidup.csv", &text).unwrap();
        exchange.settled(&[dropped]).unwrap();
    }
    // The two may well have settled before all twenty are sealed: those, too, come as far as the queue, and no further.
    let phu = &mut exchange.pair.phu;
    phu.wait_for("all twenty in the queue", PATIENCE, |status| {
        let mut to_the_dead = status.outgoing.iter().filter(|one| one.peer == "bpkh");
        let queued = to_the_dead.clone().filter(|one| one.state == "queued");
        let queued: usize = queued.map(|one| one.items.len()).sum();
        assert!(to_the_dead.all(|one| one.sent_bytes == 0), "something went");
        (queued == WAITING).then_some(())
    })
    .unwrap();
    drop(silent);
}
