//! Killed at every kill point of SPOOL.md, once each, on either side: after a restart nothing is lost, nothing is imported
//! twice, every receipt and both ledgers verify, and nothing is left under way. DESIGN §3.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use amanah_format::home;
use amanah_tests::exchange::{Exchange, PATIENCE, files_below};
use amanah_tests::items::Way;
use amanah_tests::ministry::Ministry;
use amanah_tests::pilgrims;
use rustix::process::Signal;

use crate::{program, tree};

/// The variable that names the point at which a program under test dies.
const KILL_AT: &str = "AMANAH_KILL_AT";

/// In which part the process that dies passes the point.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Sending,
    Receiving,
    Returning,
}

/// Two tests for each point: the side that dials dies there, and the side that listens does.
macro_rules! kill_points {
    ($($point:ident at $name:literal while $part:ident;)+) => {
        const POINTS: &[&str] = &[$($name),+, ONLY_DIALLING];
        $(mod $point {
            use super::*;

            #[test]
            fn nothing_is_lost_or_doubled_when_the_dialling_side_is_killed() {
                survives($name, Part::$part, Victim::Phu);
            }

            #[test]
            fn nothing_is_lost_or_doubled_when_the_listening_side_is_killed() {
                survives($name, Part::$part, Victim::Imigrasi);
            }
        })+
    };
}

/// Passed by the side that dials alone.
const ONLY_DIALLING: &str = "ship.handed-over";

kill_points! {
    collect_recorded at "collect.recorded" while Sending;
    collect_stood_aside at "collect.stood-aside" while Sending;
    seal_payload_synced at "seal.payload-synced" while Sending;
    seal_committed at "seal.committed" while Sending;
    seal_signed at "seal.signed" while Sending;
    seal_head_synced at "seal.head-synced" while Sending;
    seal_renamed at "seal.renamed" while Sending;
    settle_receipt_kept at "settle.receipt-kept" while Sending;
    settle_moved at "settle.moved" while Sending;
    settle_recorded at "settle.recorded" while Sending;
    admit_moved at "admit.moved" while Receiving;
    admit_recorded at "admit.recorded" while Receiving;
    import_committed at "import.committed" while Receiving;
    import_recorded at "import.recorded" while Receiving;
    acknowledge_kept at "acknowledge.kept" while Receiving;
    acknowledge_signed at "acknowledge.signed" while Receiving;
    return_moved at "return.moved" while Returning;
}

#[test]
fn nothing_is_lost_or_doubled_when_the_dialling_side_is_killed_after_a_hand_over() {
    survives(ONLY_DIALLING, Part::Sending, Victim::Phu);
}

#[test]
fn every_kill_point_of_the_daemon_is_put_to_the_test() {
    let mut found = BTreeSet::new();
    for source in files_below(&tree::root().join("daemon/src")).unwrap() {
        let text = fs::read_to_string(&source).unwrap();
        for call in text.split("kill::point(\"").skip(1) {
            found.insert(call.split('"').next().unwrap().to_owned());
        }
    }
    let tested: BTreeSet<String> = POINTS.iter().map(|&point| point.to_owned()).collect();
    assert_eq!(found, tested);
}

/// Who dies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Victim {
    Phu,
    Imigrasi,
}

/// Drops, waits for the death at the point, starts again, and checks what must hold.
fn survives(point: &str, part: Part, victim: Victim) {
    let mut exchange = Exchange::found(program()).unwrap();
    let way = way(&exchange, part, victim);
    start_armed(&mut exchange, victim, point);
    if part == Part::Returning {
        return comes_back(&mut exchange, &way, victim);
    }
    let mut dropped = vec![
        exchange
            .drop_text(&way, "manifes umrah.csv", &pilgrims::manifest(7, 50))
            .unwrap(),
    ];
    dropped.push(exchange.drop_text(&way, "kosong.csv", "").unwrap());
    dies_and_starts_again(&mut exchange, victim);
    dropped.push(
        exchange
            .drop_text(&way, "sesudah mati.csv", "tiga")
            .unwrap(),
    );
    let arrived = exchange.settled(&dropped).unwrap();
    exchange.holds(&arrived).unwrap();
}

/// The direction in which the victim passes the point.
fn way(exchange: &Exchange, part: Part, victim: Victim) -> Way {
    let victim_sends = part != Part::Receiving;
    if victim_sends == (victim == Victim::Phu) {
        exchange.out.clone()
    } else {
        exchange.back.clone()
    }
}

/// Both run, the victim with a death ahead of it.
fn start_armed(exchange: &mut Exchange, victim: Victim, point: &str) {
    let pair = &mut exchange.pair;
    for (ministry, own) in [
        (&mut pair.imigrasi, Victim::Imigrasi),
        (&mut pair.phu, Victim::Phu),
    ] {
        let launch = ministry.launch().clone();
        let launch = if own == victim {
            launch.with(KILL_AT, point)
        } else {
            launch
        };
        ministry.launch_daemon(&launch).unwrap();
        ministry.until_up().unwrap();
    }
    pair.until_connected().unwrap();
}

fn dies_and_starts_again(exchange: &mut Exchange, victim: Victim) {
    let ministry = ministry(exchange, victim);
    let status = ministry.until_ended().unwrap();
    assert_eq!(status.signal(), Some(Signal::KILL.as_raw()), "{status}");
    ministry.start().unwrap();
}

fn ministry(exchange: &mut Exchange, victim: Victim) -> &mut Ministry {
    match victim {
        Victim::Phu => &mut exchange.pair.phu,
        Victim::Imigrasi => &mut exchange.pair.imigrasi,
    }
}

/// An item that may not be sent comes back once, with its bytes and its reason, though the process died on the way.
fn comes_back(exchange: &mut Exchange, way: &Way, victim: Victim) {
    let mut wrong = way.clone();
    wrong.flow = "bukan-alur".parse().unwrap();
    exchange.drop_text(&wrong, "kembali.csv", "satu").unwrap();
    dies_and_starts_again(exchange, victim);
    let ministry = ministry(exchange, victim);
    ministry
        .wait_for("the returned item", PATIENCE, |status| {
            status
                .outgoing
                .iter()
                .any(|bundle| bundle.state == "returned")
                .then_some(())
        })
        .unwrap();
    let names = |folder: &Path| -> BTreeSet<_> {
        fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect()
    };
    let place = ministry.path(&home::returned(&wrong.to, &wrong.flow));
    assert_eq!(
        names(&place),
        BTreeSet::from(["kembali.csv".into(), "kembali.csv.why.txt".into()])
    );
    assert_eq!(
        fs::read_to_string(place.join("kembali.csv")).unwrap(),
        "satu"
    );
    amanah_tests::exchange::nothing_left(ministry).unwrap();
    amanah_tests::evidence::verify_ledger(ministry).unwrap();
}
