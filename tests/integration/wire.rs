//! The exchange over bad lines, through the tests' own proxy: cut in the middle, slow, far away, narrow, silent, one way only.
//! What is counted is counted on the wire. The short ones run always; those that wait for every timeout are campaigns.

use std::fs;
use std::time::Duration;

use amanah_tests::exchange::{Dropped, Exchange, drop_item};
use amanah_tests::items::{Item, Way, tree_of};
use amanah_tests::link::Link;
use amanah_tests::ministry::Ministry;

use crate::program;

mod cuts;
mod lines;
mod loss;
mod partitions;
mod speed;

/// Two ministries whose one connection is a line of ours.
fn over_a_line() -> (Exchange, Link) {
    let mut exchange = Exchange::found(program()).unwrap();
    let link = Link::between(&exchange.pair.phu, exchange.pair.address).unwrap();
    exchange.pair.start().unwrap();
    (exchange, link)
}

/// Bytes that nothing makes smaller, the same for one seed.
fn noise(bytes: u64, seed: u64) -> Vec<u8> {
    let bytes = usize::try_from(bytes).unwrap();
    let mut state = seed | 1;
    let mut noise = Vec::with_capacity(bytes + 8);
    while noise.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend(state.to_le_bytes());
    }
    noise.truncate(bytes);
    noise
}

/// Drops noise as a file.
fn drop_noise(exchange: &mut Exchange, way: &Way, name: &str, bytes: u64) -> Dropped {
    let material = exchange.folder().join(format!("{}-{name}", way.from));
    fs::write(&material, noise(bytes, bytes + 77)).unwrap();
    let item = Item {
        from: way.from.clone(),
        to: way.to.clone(),
        flow: way.flow.clone(),
        name: name.into(),
        tree: tree_of(&material).unwrap(),
        material,
    };
    let (sender, _) = exchange.pair.sender_and_receiver(&way.from);
    drop_item(sender, item).unwrap()
}

/// The same, until everything that was dropped is settled and all that must hold does.
fn delivered(exchange: &mut Exchange, dropped: &[Dropped], within: Duration) {
    let first = dropped.first().unwrap();
    let (sender, _) = exchange.pair.sender_and_receiver(&first.item.from);
    let arrived =
        amanah::demo::exchange::until_settled(sender, dropped, within, &mut |_| {}).unwrap();
    exchange.holds(&arrived).unwrap();
}

/// An operator who does not wait for the next attempt.
fn retry(ministry: &Ministry) {
    ministry.run(&["retry"]).unwrap();
}
