//! A cable that loses every fifth packet each way, in the kernel itself: slow, yet whole.
//! The daemons live in network namespaces of their own, so no other test feels it.

use std::time::{Duration, Instant};

use amanah_tests::exchange::Exchange;
use amanah_tests::netns::Cable;

use super::{delivered, drop_noise};
use crate::program;

#[test]
#[ignore = "campaign: needs root and network namespaces, some two minutes"]
fn files_arrive_both_ways_over_a_cable_that_loses_every_fifth_packet() {
    const BYTES: u64 = 300_000;
    const WITHIN: Duration = Duration::from_secs(400);
    let mut exchange = Exchange::found(program()).unwrap();
    let cable = Cable::lay().unwrap();
    cable.start(&mut exchange).unwrap();
    cable.lose(20).unwrap();
    for way in [exchange.out.clone(), exchange.back.clone()] {
        let begun = Instant::now();
        let dropped = drop_noise(&mut exchange, &way, "hilang.bin", BYTES);
        delivered(&mut exchange, &[dropped], WITHIN);
        println!(
            "from {}: {BYTES} bytes in {:.1?}, {} packets lost so far",
            way.from,
            begun.elapsed(),
            cable.lost().unwrap()
        );
    }
    assert!(cable.lost().unwrap() > 20, "nothing was lost");
}
