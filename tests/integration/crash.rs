//! Killed at every kill point of SPOOL.md §5, once each, on either side: after a restart nothing is lost, nothing is
//! imported twice, every receipt and both ledgers verify, and nothing is left under way.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use amanah_format::home;
use amanah_tests::exchange::{Dropped, Exchange, PATIENCE, files_below};
use amanah_tests::items::Way;
use amanah_tests::ministry::Ministry;
use amanah_tests::pilgrims;
use amanahd::snapshot::OutgoingStatus;
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
        const POINTS: &[&str] = &[
            $($name),+, ONLY_DIALLING, COMMITS[0], COMMITS[1], RESTORED[0], RESTORED[1], RESTORED[2], GIVEN_UP[0], GIVEN_UP[1],
            GIVEN_UP[2], IN_DATABASES[0], IN_DATABASES[1], IN_DATABASES[2], ON_A_SERVER[0], ON_A_SERVER[1], ON_A_SERVER[2],
            ON_A_SERVER[3], ON_A_SERVER[4], ON_A_SERVER[5], ON_A_SERVER[6], KEPT[0], KEPT[1], KEPT[2], KEPT[3], KEPT[4], KEPT[5], KEPT[6],
            KEPT[7], KEPT[8],
        ];
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

/// Passed by a restored home alone: `restored` dies there.
const RESTORED: [&str; 3] = [
    "position.stopped",
    "again.receipt-regained",
    "import.taken-up-again",
];
/// Passed where rows land in a database: `stores` dies there.
const IN_DATABASES: [&str; 3] = [
    "sqlite.before-commit",
    "sqlite.after-commit",
    "sqlite.before-indexed",
];
/// Passed where they land on a server: `postgres` dies there, and breaks the wire around the last two.
const ON_A_SERVER: [&str; 7] = [
    "postgres.begun",
    "postgres.copied",
    "postgres.before-commit",
    "postgres.after-commit",
    "postgres.before-indexed",
    "postgres.before-destroyed",
    "postgres.destroyed",
];
/// Passed when agreed days are over: `retention` dies there.
const KEPT: [&str; 9] = [
    "retention.came-back",
    "retention.begun",
    "files.put-aside",
    "sqlite.before-destroyed",
    "sqlite.destroyed",
    "retention.store-emptied",
    "retention.removed",
    "retention.certified",
    "retention.record-written",
];
/// Passed where a number is given up alone: `given_up` dies there.
const GIVEN_UP: [&str; 3] = ["void.given-up", "void.kept", "void.heard"];
/// Passed by the side that dials alone.
const ONLY_DIALLING: &str = "ship.handed-over";
/// Passed again and again: each time is put to the test.
const COMMITS: [&str; 2] = ["journal.before-commit", "journal.after-commit"];
/// More commits than one item costs on either side: the test ends by itself before that.
const COMMITS_MAX: u32 = 60;

kill_points! {
    collect_recorded at "collect.recorded" while Sending;
    collect_stood_aside at "collect.stood-aside" while Sending;
    seal_opened at "seal.opened" while Sending;
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
    files_staged at "files.staged" while Receiving;
    files_synced at "files.synced" while Receiving;
    files_marked at "files.marked" while Receiving;
    files_renamed at "files.renamed" while Receiving;
    import_committed at "import.committed" while Receiving;
    import_recorded at "import.recorded" while Receiving;
    acknowledge_kept at "acknowledge.kept" while Receiving;
    acknowledge_signed at "acknowledge.signed" while Receiving;
    return_intended at "return.intended" while Returning;
    return_moved at "return.moved" while Returning;
}

#[test]
fn nothing_is_lost_or_doubled_when_the_dialling_side_is_killed_after_a_hand_over() {
    survives(ONLY_DIALLING, Part::Sending, Victim::Phu);
}

#[test]
fn nothing_is_lost_or_doubled_when_the_sender_is_killed_before_or_after_any_commit() {
    survives_every_commit(Victim::Phu);
}

#[test]
fn nothing_is_lost_or_doubled_when_the_receiver_is_killed_before_or_after_any_commit() {
    survives_every_commit(Victim::Imigrasi);
}

/// The victim dies at its first commit, its second, and so on, an item under way each time, until one life is long enough
/// for an item's whole journey.
fn survives_every_commit(victim: Victim) {
    let mut exchange = Exchange::found(program()).unwrap();
    // What is dropped while a life begins is unsure, and there are many lives.
    let config = exchange.pair.phu.folder().join(home::CONFIG);
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}\n[outbox]\nquiet_secs_files = 0\n")).unwrap();
    exchange.pair.start().unwrap();
    let way = exchange.out.clone();
    let mut dropped = Vec::new();
    for point in COMMITS {
        for passing in 1.. {
            assert!(passing < COMMITS_MAX, "an item's journey never ends");
            if !dies_at(
                &mut exchange,
                victim,
                &format!("{point}:{passing}"),
                &mut dropped,
            ) {
                break;
            }
        }
    }
    assert!(
        dropped.len() > COMMITS.len() * 3,
        "{} lives are too few",
        dropped.len()
    );
    assert_eq!(dropped[0].item.from, way.from);
    // The last life is armed still, and a later commit would end it.
    ministry(&mut exchange, victim).kill().unwrap();
    ministry(&mut exchange, victim).start().unwrap();
    let arrived = exchange.settled(&dropped).unwrap();
    exchange.holds(&arrived).unwrap();
}

/// One life of the victim with one more item; whether it died at the point before that item was settled.
fn dies_at(
    exchange: &mut Exchange,
    victim: Victim,
    point: &str,
    dropped: &mut Vec<Dropped>,
) -> bool {
    ministry(exchange, victim).kill().unwrap();
    let launch = ministry(exchange, victim)
        .launch()
        .clone()
        .with(KILL_AT, point);
    ministry(exchange, victim).launch_daemon(&launch).unwrap();
    let way = exchange.out.clone();
    let name = format!("{}.csv", point.replace([':', '.'], "-"));
    dropped.push(exchange.drop_text(&way, &name, point).unwrap());
    let ended = amanah_tests::waiting::until("an end", PATIENCE, || {
        let status = exchange.pair.phu.status()?;
        let carries = |bundle: &OutgoingStatus| {
            bundle.items.iter().any(|item| item.name == name) && bundle.state == "settled"
        };
        let settled = status.is_some_and(|status| status.outgoing.iter().any(carries));
        let died = ministry(exchange, victim).has_ended()?;
        Ok(died.then_some(true).or_else(|| settled.then_some(false)))
    });
    let died = ended.unwrap();
    if died {
        let status = ministry(exchange, victim).until_ended().unwrap();
        assert_eq!(
            status.signal(),
            Some(Signal::KILL.as_raw()),
            "{point}: {status}"
        );
        ministry(exchange, victim).start().unwrap();
    }
    died
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
