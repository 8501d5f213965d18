//! A daemon that has no descriptors left takes no new connections for a while, and goes on: with those that it has, and with
//! everything once descriptors are free again.

use std::fs;
use std::net::TcpStream;
use std::process::Command;

use amanah_tests::exchange::{Exchange, PATIENCE};
use amanah_tests::waiting::until;

use crate::program;

/// Connections at once from one address; the daemon lets so many wait for their login.
const CONNECTIONS: usize = 8;
/// Descriptors that are left to the daemon: fewer than those take.
const SPARE: usize = 3;

/// Looks at what is open.
const LOOKS: usize = 300;

/// Sets the soft limit of a running process.
fn limit(process: u32, descriptors: &str) {
    let mut prlimit = Command::new("prlimit");
    prlimit
        .arg(format!("--pid={process}"))
        .arg(format!("--nofile={descriptors}:"));
    assert!(prlimit.status().unwrap().success());
}

#[test]
fn a_daemon_without_descriptors_accepts_nobody_and_goes_on() {
    let mut exchange = Exchange::connected(program()).unwrap();
    let process = exchange.pair.imigrasi.status().unwrap().unwrap().process;
    let log = exchange.pair.imigrasi.log();
    let refused = || {
        fs::read_to_string(&log)
            .unwrap()
            .matches("could not be accepted")
            .count()
    };
    let limits = fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let usual = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let usual = usual.unwrap().split_whitespace().nth(3).unwrap().to_owned();
    assert_eq!(refused(), 0);

    // The fewest of many looks, until the daemon has come round once more: what is open for a moment only would be room afterwards.
    exchange.at_rest().unwrap();
    let written = || exchange.pair.imigrasi.status().unwrap().unwrap().written;
    let (first, mut open) = (written(), usize::MAX);
    until("a later status", PATIENCE, || {
        for _ in 0..LOOKS {
            let now = fs::read_dir(format!("/proc/{process}/fd")).unwrap().count();
            open = open.min(now);
        }
        Ok((written() > first).then_some(()))
    })
    .unwrap();
    limit(process, &(open + SPARE).to_string());
    let address = exchange.pair.address;
    let crowd: Vec<TcpStream> = (0..CONNECTIONS)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    // Again and again: it does not give up after the first.
    until("no descriptors", PATIENCE, || {
        Ok((refused() >= 3).then_some(()))
    })
    .unwrap();
    assert!(!exchange.pair.imigrasi.has_ended().unwrap());
    drop(crowd);
    limit(process, &usual);

    let (out, back) = (exchange.out.clone(), exchange.back.clone());
    for way in [out, back] {
        let dropped = exchange.drop_text(&way, "sesudahnya.csv", "satu").unwrap();
        let arrived = exchange.settled(&[dropped]).unwrap();
        exchange.holds(&arrived).unwrap();
    }
    assert!(!exchange.pair.imigrasi.has_ended().unwrap());
    assert_eq!(
        exchange.pair.imigrasi.status().unwrap().unwrap().process,
        process
    );
}
