//! Far, narrow and uneven lines: what is small arrives soon, what is large arrives at all, and an urgent answer is not stuck
//! behind what is under way.

use std::time::{Duration, Instant};

use amanah_tests::exchange::PATIENCE;
use amanah_tests::link::{Direction, Way};

use super::{delivered, drop_noise, over_a_line};

fn far(round_trip_millis: u64) -> Way {
    Way {
        delay: Duration::from_millis(round_trip_millis / 2),
        ..Way::default()
    }
}

#[test]
fn files_arrive_both_ways_over_a_line_of_600_ms_whose_pieces_overtake_each_other() {
    let (mut exchange, link) = over_a_line();
    let way = Way {
        jitter: Duration::from_millis(200),
        ..far(600)
    };
    link.set_both(way);
    let (out, back) = (exchange.out.clone(), exchange.back.clone());
    let there = drop_noise(&mut exchange, &out, "jauh.bin", 200_000);
    let here = drop_noise(&mut exchange, &back, "jauh.bin", 200_000);
    delivered(&mut exchange, &[there], PATIENCE);
    delivered(&mut exchange, &[here], PATIENCE);
}

/// What a line of so many bits a second must carry, and within how many times of what the bits alone take.
fn narrow(bits_per_sec: u64, bytes: u64) {
    const TIMES_MAX: u32 = 3;
    let (mut exchange, link) = over_a_line();
    let way = Way {
        bytes_per_sec: Some(bits_per_sec / 8),
        ..far(100)
    };
    link.set_both(way);
    // The connection begins anew on this line.
    link.cut();
    let alone = Duration::from_secs(bytes * 8 / bits_per_sec);
    for one in [exchange.out.clone(), exchange.back.clone()] {
        let (connections, begun) = (link.connections(), Instant::now());
        let dropped = drop_noise(&mut exchange, &one, "sempit.bin", bytes);
        delivered(&mut exchange, &[dropped], alone * TIMES_MAX + PATIENCE);
        let took = begun.elapsed();
        println!(
            "{bits_per_sec} bit/s, from {}: {bytes} bytes in {took:.1?}; the bits alone {alone:.1?}; {} more connections; {} up, {} down",
            one.from,
            link.connections() - connections,
            link.carried(Direction::Up),
            link.carried(Direction::Down),
        );
        assert!(
            link.connections() - connections <= 1,
            "it was lost on the way"
        );
        assert!(took <= alone * TIMES_MAX + PATIENCE / 3, "{took:?}");
    }
}

#[test]
fn a_file_arrives_over_a_line_of_256_kbit_a_second() {
    narrow(256_000, 50_000);
}

#[test]
#[ignore = "campaign: some ten minutes"]
fn a_file_of_2_mb_arrives_over_a_line_of_64_kbit_a_second_without_losing_the_connection() {
    narrow(64_000, 2_000_000);
}
