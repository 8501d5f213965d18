//! A bulk bundle stands still while it is sealed, or while it is imported, for as long as it takes: an urgent and a normal one
//! that come after it are settled meanwhile.

use super::{BOTH, Heading, drop_bytes, founded, passes, shut, start_with_gates, way};
use amanah_tests::exchange::Exchange;

/// Who stands still, and at which instant.
#[derive(Clone, Copy)]
enum Still {
    Sender(&'static str),
    Receiver(&'static str),
}

fn others_pass(exchange: &mut Exchange, heading: Heading, still: Still) {
    let bulk = way(exchange, "besar", heading);
    let gate = match still {
        Still::Sender(point) => shut(exchange, &bulk.from, point),
        Still::Receiver(point) => shut(exchange, &bulk.to, point),
    };
    let gate = gate.unwrap();
    let point = match still {
        Still::Sender(point) | Still::Receiver(point) => point,
    };
    let name = |lane: &str| format!("{lane} {point}.bin");
    let mut dropped = vec![(
        bulk.clone(),
        drop_bytes(exchange, &bulk, &name("besar"), 100_000),
    )];
    gate.until_reached().unwrap();
    gate.lets_others_by().unwrap();
    for lane in ["darurat", "biasa"] {
        let own = way(exchange, lane, heading);
        dropped.push((
            own.clone(),
            drop_bytes(exchange, &own, &name(lane), 100_000),
        ));
        passes(exchange, &own, (&name(lane), &name("besar"))).unwrap();
    }
    drop(gate);
    for (_, one) in dropped {
        exchange.settled(&[one.unwrap()]).unwrap();
    }
}

#[test]
fn what_is_urgent_is_settled_while_a_bulk_bundle_is_sealed_or_imported() {
    let mut exchange = founded().unwrap();
    start_with_gates(&mut exchange).unwrap();
    for heading in BOTH {
        others_pass(&mut exchange, heading, Still::Sender("seal.opened"));
        others_pass(&mut exchange, heading, Still::Receiver("files.staged"));
    }
    exchange.at_rest().unwrap();
}
