//! A bulk bundle is on a narrow line, pushed by the side that dials or fetched by it: an urgent one that is dropped while its
//! bytes move is settled before it.

use std::fs;

use amanah_format::home;
use amanah_tests::exchange::{Exchange, PATIENCE};
use amanah_tests::narrow::Narrow;
use anyhow::Result;

use super::{BOTH, Heading, bundle_of, drop_bytes, founded, passes, way};

/// So many bytes pass in a second while it is narrow.
const NARROW: u64 = 12_000_000;
/// Many times the 8 MiB that may be under way on one channel before what is urgent: the line widens when it has passed.
const BULK_BYTES: usize = 100_000_000;

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

fn passes_on_the_line(exchange: &mut Exchange, line: &Narrow, heading: Heading) {
    let (bulk, urgent) = (
        way(exchange, "besar", heading),
        way(exchange, "darurat", heading),
    );
    line.pass(NARROW);
    let before = line.passed();
    let name = format!("besar {heading:?}.bin");
    let mut dropped = vec![drop_bytes(exchange, &bulk, &name, BULK_BYTES).unwrap()];
    let (sender, _) = exchange.pair.sender_and_receiver(&bulk.from);
    let moves = |status: &amanahd::snapshot::Snapshot| {
        let one = bundle_of(status, &name)?;
        (one.state == "queued" && line.passed() > before + 2_000_000).then_some(())
    };
    sender
        .wait_for("bytes on the line", PATIENCE, moves)
        .unwrap();
    let own = format!("kecil {heading:?}.bin");
    dropped.push(drop_bytes(exchange, &urgent, &own, 10_000).unwrap());
    let bulk = passes(exchange, &urgent, (&own, &name)).unwrap();
    assert_eq!(bulk.state, "queued", "{own}: the bulk one is on the line");
    line.widen();
    for one in dropped {
        exchange.settled(&[one]).unwrap();
    }
}

#[test]
fn what_is_urgent_passes_a_bulk_bundle_on_the_line_both_ways() {
    let mut exchange = founded().unwrap();
    let line = behind_a_narrow_line(&exchange).unwrap();
    exchange.pair.start().unwrap();
    for heading in BOTH {
        passes_on_the_line(&mut exchange, &line, heading);
    }
    exchange.at_rest().unwrap();
}
