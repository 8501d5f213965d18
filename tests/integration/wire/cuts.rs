//! One upload or fetch, cut again and again: it goes on from the durable prefix, proved by the bytes that the line carried.
//! A cut is no reset: what had arrived stays arrived.

use std::time::Duration;

use amanah_tests::exchange::PATIENCE;
use amanah_tests::link::Direction;
use amanah_tests::waiting::until;

use super::{delivered, drop_noise, over_a_line, retry};

/// Long enough that what a cut may cost at most, an unfinished write on each and a login, is a small part of it.
const LONG_BYTES: u64 = 96 << 20;
const CUTS: u64 = 10;
/// What the journey may cost on the wire, as a part of the bundle's size, with ten cuts in it.
const WIRE_PERCENT_MAX: u64 = 105;

/// Cuts it ten times, evenly; returns what the line carried and how long the bundle is.
fn cut_ten_times(direction: Direction) {
    let (mut exchange, link) = over_a_line();
    let way = match direction {
        Direction::Up => exchange.out.clone(),
        Direction::Down => exchange.back.clone(),
    };
    let before = link.carried(direction);
    let step = LONG_BYTES / (CUTS + 1);
    link.cut_after(direction, step);
    let dropped = drop_noise(&mut exchange, &way, "panjang.bin", LONG_BYTES);
    for cut in 0..CUTS {
        until("the cut", PATIENCE, || {
            Ok((!link.cut_is_pending(direction)).then_some(()))
        })
        .unwrap();
        if cut + 1 < CUTS {
            link.cut_after(direction, step);
        }
        retry(&exchange.pair.phu);
    }
    delivered(&mut exchange, &[dropped], PATIENCE);
    let carried = link.carried(direction) - before;
    let percent = carried * 1000 / LONG_BYTES;
    println!(
        "{direction:?}: {carried} bytes on the wire for {LONG_BYTES}, {CUTS} cuts, {} connections: {}.{} %",
        link.connections(),
        percent / 10,
        percent % 10
    );
    assert!(
        link.connections() > CUTS,
        "{} connections",
        link.connections()
    );
    assert!(percent <= WIRE_PERCENT_MAX * 10, "{carried} bytes carried");
}

#[test]
fn ten_cuts_of_one_upload_cost_at_most_a_twentieth_more_on_the_wire() {
    cut_ten_times(Direction::Up);
}

#[test]
#[ignore = "campaign: the other direction, 15 s"]
fn ten_cuts_of_one_fetch_cost_at_most_a_twentieth_more_on_the_wire() {
    cut_ten_times(Direction::Down);
}

/// Offsets of a connection at which something begins or ends: the greeting, the key exchange, the login, the channels, the
/// first write, the head (16 KiB), and then anywhere.
#[test]
#[ignore = "campaign: 150 cuts, some four minutes"]
fn one_upload_survives_a_cut_at_every_kind_of_offset_of_its_connection() {
    const BYTES: u64 = 3 << 20;
    let (mut exchange, link) = over_a_line();
    let way = exchange.out.clone();
    let mut offsets: Vec<u64> = vec![1, 15, 16, 17, 24, 100, 1_000];
    offsets.extend((1_200..7_000).step_by(97));
    offsets.extend((7_000..40_000).step_by(1_500));
    offsets.extend((40_000..600_000).step_by(11_003));
    let dropped = drop_noise(&mut exchange, &way, "berliku.bin", BYTES);
    let mut cuts = 0;
    for direction in [Direction::Up, Direction::Down] {
        for offset in &offsets {
            link.cut_after(direction, *offset);
            link.cut();
            retry(&exchange.pair.phu);
            let patience = Duration::from_secs(2);
            // Downwards little comes: a cut that is not reached is as good.
            let reached = until("the cut", patience, || {
                Ok((!link.cut_is_pending(direction)).then_some(()))
            });
            cuts += usize::from(reached.is_ok());
        }
        link.cut_after(direction, u64::MAX);
    }
    println!("{cuts} cuts of {} were reached", 2 * offsets.len());
    assert!(cuts > offsets.len());
    delivered(&mut exchange, &[dropped], PATIENCE);
}
