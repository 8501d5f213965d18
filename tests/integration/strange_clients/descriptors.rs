//! A daemon that has no descriptors left takes no new connections for a while, and goes on: with those that it has, and with
//! everything once descriptors are free again.

use std::collections::HashSet;
use std::fs;
use std::net::TcpStream;
use std::process::Command;

use amanah_tests::exchange::{Exchange, PATIENCE};
use amanah_tests::waiting::until;

use crate::program;

/// Connections at once from one address; the daemon lets so many wait for their login.
const CONNECTIONS: usize = 8;

/// Sets the soft limit of a running process.
fn limit(process: u32, descriptors: &str) {
    let mut prlimit = Command::new("prlimit");
    prlimit
        .arg(format!("--pid={process}"))
        .arg(format!("--nofile={descriptors}:"));
    assert!(prlimit.status().unwrap().success());
}

/// The number that its next descriptor would have.
fn free(process: u32) -> usize {
    let open = fs::read_dir(format!("/proc/{process}/fd")).unwrap();
    let open: HashSet<usize> = open
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    (0..).find(|number| !open.contains(number)).unwrap()
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

    exchange.at_rest().unwrap();
    let address = exchange.pair.address;
    let (mut crowd, mut most) = (Vec::new(), usize::MAX);
    // Again and again: it does not give up after the first.
    until("no descriptors", PATIENCE, || {
        // What was open for a while only is room later, and is taken away then.
        let room = free(process);
        if room < most {
            most = room;
            limit(process, &most.to_string());
        }
        if crowd.len() < CONNECTIONS {
            crowd.push(TcpStream::connect(address)?);
        }
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
