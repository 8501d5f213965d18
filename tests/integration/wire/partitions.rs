//! Lines that say nothing: a peer that accepts and never answers, a connection that is half open, no way there, no way back, for
//! longer than every timeout. Afterwards everything goes on by itself, and nothing was lost or doubled.

use std::time::{Duration, Instant};

use amanah_tests::exchange::PATIENCE;
use amanah_tests::link::{Direction, Way};
use amanah_tests::waiting::until;

use super::{delivered, drop_noise, over_a_line, retry};

/// Longer than the login (15 s), the keepalives (60 s) and the silence (120 s) after which an end gives up.
const BEYOND_EVERY_TIMEOUT: Duration = Duration::from_secs(150);
/// A connection that died in silence is noticed by its keepalives within this time.
const NOTICED: Duration = Duration::from_secs(90);

const BLOCKED: Way = Way {
    delay: Duration::ZERO,
    jitter: Duration::ZERO,
    bytes_per_sec: None,
    blocked: true,
};

#[test]
#[ignore = "campaign: a login's timeout, 20 s"]
fn a_peer_that_accepts_and_never_answers_is_given_up_and_dialled_again() {
    let (mut exchange, link) = over_a_line();
    let way = exchange.out.clone();
    link.mute(true);
    link.cut();
    let peer = way.to.clone();
    exchange
        .pair
        .phu
        .wait_for_peer("the loss", &peer, |peer| !peer.connected)
        .unwrap();
    let dropped = drop_noise(&mut exchange, &way, "diam.bin", 100_000);
    let before = link.connections();
    until("an attempt that is not answered", PATIENCE, || {
        retry(&exchange.pair.phu);
        Ok((link.connections() > before).then_some(()))
    })
    .unwrap();
    exchange
        .pair
        .phu
        .wait_for_peer("its end", &peer, |peer| {
            let error = peer.last_error.as_deref();
            error.is_some_and(|error| error.contains("took longer than"))
        })
        .unwrap();
    link.mute(false);
    retry(&exchange.pair.phu);
    delivered(&mut exchange, &[dropped], PATIENCE);
}

#[test]
#[ignore = "campaign: two minutes"]
fn a_half_open_connection_is_noticed_by_both_ends_and_the_upload_goes_on() {
    const BYTES: u64 = 24 << 20;
    let (mut exchange, link) = over_a_line();
    let way = exchange.out.clone();
    let slow = Way {
        bytes_per_sec: Some(4 << 20),
        ..Way::default()
    };
    link.set(Direction::Up, slow);
    let dropped = drop_noise(&mut exchange, &way, "setengah.bin", BYTES);
    until("half of it", PATIENCE, || {
        Ok((link.carried(Direction::Up) > BYTES / 2).then_some(()))
    })
    .unwrap();
    link.fall_silent();
    link.set(Direction::Up, Way::default());
    let (begun, before) = (Instant::now(), link.connections());
    until("another connection", NOTICED, || {
        Ok((link.connections() > before).then_some(()))
    })
    .unwrap();
    println!("dialled again {:.1?} after it fell silent", begun.elapsed());
    delivered(&mut exchange, &[dropped], PATIENCE);
    let carried = link.carried(Direction::Up);
    println!("{carried} bytes on the wire for {BYTES}");
    // What was in flight when it fell silent is sent again: a window and what the line held.
    assert!(carried < BYTES + (16 << 20), "{carried}");
}

fn partition(up: Way, down: Way) {
    let (mut exchange, link) = over_a_line();
    let (out, back) = (exchange.out.clone(), exchange.back.clone());
    link.set(Direction::Up, up);
    link.set(Direction::Down, down);
    let there = drop_noise(&mut exchange, &out, "terputus.bin", 5 << 20);
    let here = drop_noise(&mut exchange, &back, "terputus.bin", 5 << 20);
    let begun = Instant::now();
    let peer = out.to.clone();
    while begun.elapsed() < BEYOND_EVERY_TIMEOUT {
        // Both daemons live and tell what they see; nothing arrives.
        let alive = exchange.pair.phu.wait_for_peer("a status", &peer, |_| true);
        alive.unwrap();
        std::thread::park_timeout(Duration::from_secs(1));
        assert!(!exchange.pair.phu.has_ended().unwrap());
        assert!(!exchange.pair.imigrasi.has_ended().unwrap());
    }
    exchange
        .pair
        .phu
        .wait_for_peer("the loss of the peer", &peer, |peer| !peer.connected)
        .unwrap();
    link.set_both(Way::default());
    let healed = Instant::now();
    delivered(&mut exchange, &[there], PATIENCE);
    delivered(&mut exchange, &[here], PATIENCE);
    println!("all settled {:.1?} after it healed", healed.elapsed());
}

#[test]
#[ignore = "campaign: three minutes"]
fn a_partition_both_ways_longer_than_every_timeout_heals() {
    partition(BLOCKED, BLOCKED);
}

#[test]
#[ignore = "campaign: three minutes"]
fn a_partition_of_the_way_there_longer_than_every_timeout_heals() {
    partition(BLOCKED, Way::default());
}

#[test]
#[ignore = "campaign: three minutes"]
fn a_partition_of_the_way_back_longer_than_every_timeout_heals() {
    partition(Way::default(), BLOCKED);
}
