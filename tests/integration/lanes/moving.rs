//! A bulk bundle is on a narrow line, pushed by the side that dials or fetched by it: an urgent one that is dropped while its
//! bytes move is settled before it, whether it is small or itself long.

use std::fs;
use std::time::{Duration, Instant};

use amanah_format::home;
use amanah_tests::exchange::{Exchange, PATIENCE};
use amanah_tests::items::Way;
use amanah_tests::narrow::Narrow;
use anyhow::Result;

use super::{Heading, bundle_of, drop_bytes, founded, passes, way};

/// How narrow the line is, and how long the bulk bundle that lies on it: one that would take minutes. It widens when the others
/// have passed.
#[derive(Clone, Copy)]
struct Size {
    bytes_per_sec: u64,
    bulk_bytes: usize,
}

/// What passes: one that is small, and one that is itself long.
const URGENT: [(&str, usize); 2] = [("kecil", 10_000), ("panjang", 1_500_000)];

/// Thrice what its bytes alone take, and what is always allowed.
fn patience(size: Size, bytes: usize) -> Duration {
    PATIENCE + Duration::from_secs(3 * u64::try_from(bytes).unwrap() / size.bytes_per_sec)
}

/// Waits until the bundle of an item is in this state.
fn until(exchange: &mut Exchange, way: &Way, name: &str, (state, patience): (&str, Duration)) {
    let (sender, _) = exchange.pair.sender_and_receiver(&way.from);
    let is_so = |status: &amanahd::snapshot::Snapshot| {
        (bundle_of(status, name)?.state == state).then_some(())
    };
    sender.wait_for(name, patience, is_so).unwrap();
}

/// What the line may carry until an urgent bundle is settled, beside its own bytes: a part of it, which stays the bulk
/// one's, and what passes during the round trips of its hand-over and of its receipt.
fn carried_max(size: Size, bytes: usize) -> u64 {
    let bytes = u64::try_from(bytes).unwrap();
    bytes * 3 / 2 + size.bytes_per_sec * 5 + 300_000
}

/// The line between the two goes through a proxy.
fn behind_a_narrow_line(exchange: &Exchange) -> Result<Narrow> {
    let line = Narrow::to(exchange.pair.address)?;
    let config = exchange.pair.phu.folder().join(home::CONFIG);
    let text = fs::read_to_string(&config)?;
    let own = exchange.pair.address.to_string();
    assert!(text.contains(&own), "{text}");
    fs::write(&config, text.replace(&own, &line.address().to_string()))?;
    Ok(line)
}

fn passes_on_the_line(exchange: &mut Exchange, line: &Narrow, (heading, size): (Heading, Size)) {
    let (bulk, urgent) = (
        way(exchange, "besar", heading),
        way(exchange, "darurat", heading),
    );
    line.pass(size.bytes_per_sec);
    let before = line.passed();
    let name = format!("besar {heading:?}.bin");
    let mut dropped = vec![drop_bytes(exchange, &bulk, &name, size.bulk_bytes).unwrap()];
    let (sender, _) = exchange.pair.sender_and_receiver(&bulk.from);
    let moves = |status: &amanahd::snapshot::Snapshot| {
        let one = bundle_of(status, &name)?;
        (one.state == "queued" && line.passed() > before + size.bytes_per_sec * 2).then_some(())
    };
    sender
        .wait_for("bytes on the line", PATIENCE, moves)
        .unwrap();
    for (short, bytes) in URGENT {
        let own = format!("{short} {heading:?}.bin");
        // The line stands still while it is sealed: how long that takes is the machine's matter, not the line's.
        line.pass(0);
        dropped.push(drop_bytes(exchange, &urgent, &own, bytes).unwrap());
        until(exchange, &urgent, &own, ("queued", PATIENCE));
        let (begun, before) = (Instant::now(), line.passed());
        line.pass(size.bytes_per_sec);
        until(exchange, &urgent, &own, ("settled", patience(size, bytes)));
        let bulk = passes(exchange, &urgent, (&own, &name)).unwrap();
        assert_eq!(bulk.state, "queued", "{own}: the bulk one is on the line");
        let (took, carried) = (begun.elapsed(), line.passed() - before);
        println!(
            "{} kbit/s, {heading:?}: {bytes} urgent bytes settled in {took:.1?}, {carried} bytes on the line meanwhile",
            size.bytes_per_sec / 125
        );
        assert!(carried <= carried_max(size, bytes), "{own}: {carried}");
    }
    line.widen();
    for one in dropped {
        exchange.settled(&[one]).unwrap();
    }
}

fn passes_on_a_line(heading: Heading, size: Size) {
    let mut exchange = founded().unwrap();
    let line = behind_a_narrow_line(&exchange).unwrap();
    exchange.pair.start().unwrap();
    passes_on_the_line(&mut exchange, &line, (heading, size));
    exchange.at_rest().unwrap();
}

const TWO_MBIT: Size = Size {
    bytes_per_sec: 250_000,
    bulk_bytes: 40_000_000,
};

#[test]
fn what_is_urgent_passes_a_bulk_bundle_that_is_pushed_over_a_narrow_line() {
    passes_on_a_line(Heading::Out, TWO_MBIT);
}

#[test]
fn what_is_urgent_passes_a_bulk_bundle_that_is_fetched_over_a_narrow_line() {
    passes_on_a_line(Heading::Back, TWO_MBIT);
}

#[test]
#[ignore = "campaign: 256 kbit/s both ways, four minutes"]
fn what_is_urgent_passes_a_bulk_bundle_on_a_line_of_256_kbit_both_ways() {
    for heading in [Heading::Out, Heading::Back] {
        let size = Size {
            bytes_per_sec: 32_000,
            bulk_bytes: 40_000_000,
        };
        passes_on_a_line(heading, size);
    }
}
