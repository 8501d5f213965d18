//! `amanah status` of a pair that has exchanged something: each flow's numbers on both sides, followed on a terminal and
//! in a log.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use amanah_tests::exchange::{Exchange, PATIENCE};
use amanah_tests::ministry::Ministry;
use amanah_tests::python;
use rustix::process::{Pid, Signal, kill_process};

use crate::program;

/// The one flow of this way in a side's status.
fn stream(of: &mut Ministry, way: &str) -> amanahd::snapshot::StreamStatus {
    let found = of.wait_for("a flow's numbers", PATIENCE, |status| {
        let mut streams = status.streams.iter();
        let found = streams.find(|stream| stream.way == way && stream.imported == 2);
        found
            .filter(|stream| stream.oldest_unsettled.is_none())
            .cloned()
    });
    found.unwrap()
}

#[test]
fn each_side_counts_what_its_flows_delivered_and_remembers_its_peer_over_a_restart() {
    let mut exchange = Exchange::connected(program()).unwrap();
    let way = exchange.out.clone();
    for name in ["satu.csv", "dua.csv"] {
        let dropped = exchange.drop_text(&way, name, "1\n").unwrap();
        exchange.settled(&[dropped]).unwrap();
    }
    let out = stream(&mut exchange.pair.phu, "out");
    assert_eq!((out.delivered, out.waiting, out.refused), (2, 0, 0));
    assert_eq!(out.flow, way.flow.as_str());
    let back = stream(&mut exchange.pair.imigrasi, "in");
    assert_eq!(back.delivered, 2);
    assert_eq!(
        (back.contiguous, back.highest, back.missing),
        (Some(2), Some(2), Some(0))
    );
    exchange.pair.imigrasi.stop().unwrap();
    let phu = &mut exchange.pair.phu;
    phu.wait_for_peer("a lost peer", &way.to, |peer| !peer.connected)
        .unwrap();
    let lost = phu.status().unwrap().unwrap().peers[0].last_contact;
    exchange.pair.phu.stop().unwrap();
    exchange.pair.phu.start().unwrap();
    let status = exchange.pair.phu.status().unwrap().unwrap();
    let contact = status.peers[0].last_contact;
    assert!(contact.is_some() && contact == lost, "{contact:?}");
}

#[test]
fn the_status_is_followed_on_a_terminal_and_gives_it_back() {
    let mut exchange = Exchange::found(program()).unwrap();
    exchange.pair.phu.start().unwrap();
    let script = python::programs().join("watch_terminal.py");
    let ran = Command::new("python3")
        .arg(script)
        .arg(program())
        .args(["--lang", "en", "status", "--watch", "--home"])
        .arg(exchange.pair.phu.folder())
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let picture = String::from_utf8_lossy(&ran.stdout);
    assert!(picture.contains("the daemon has been running"), "{picture}");
}

#[test]
fn without_a_terminal_each_change_of_the_status_is_a_line() {
    let mut exchange = Exchange::connected(program()).unwrap();
    let mut watch = Command::new(program())
        .args(["--lang", "en", "status", "--watch", "--home"])
        .arg(exchange.pair.phu.folder())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    assert!(lines.next().unwrap().contains("has been running"));
    assert!(lines.next().unwrap().contains("connected since"));
    let way = exchange.out.clone();
    let dropped = exchange.drop_text(&way, "satu.csv", "1\n").unwrap();
    exchange.settled(&[dropped]).unwrap();
    let settled = lines
        .find(|line| line.contains("imported 1, refused 0"))
        .unwrap();
    assert!(
        !settled.contains("satu") && !settled.contains('\u{1b}'),
        "{settled}"
    );
    kill_process(Pid::from_child(&watch), Signal::TERM).unwrap();
    assert!(watch.wait().unwrap().success());
}
