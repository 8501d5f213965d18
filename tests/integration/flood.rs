//! Strangers cannot stop a peer: idle connections and attackers from many addresses, and beside them a peer that logs in again and
//! again and a file that arrives. The figures are printed; the full crowd is a campaign.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use amanah_format::home;
use amanah_tests::exchange::Exchange;
use amanah_tests::flood::Crowd;

use crate::program;

/// Longest that a connection may stand without a login: the grace, and what a busy machine adds.
const IDLE_MAX: Duration = Duration::from_secs(20 + 3);
/// The slowest login of a hundred.
const LOGIN_P99_MAX: Duration = Duration::from_secs(2);
const MEMORY_KB_MAX: u64 = 128 * 1024;
/// What the daemon holds of its own, a socket and its second handle for each that may stand without a login, and the peers.
const DESCRIPTORS_MAX: usize = 100 + 2 * 128 + 50;

/// A line of `/proc/PID/status`, in kB.
fn memory(process: u32, line: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find(|found| found.starts_with(line))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// How long one login of the peer takes, by OpenSSH's client with the peer's key, to the end of a listing.
fn login(exchange: &Exchange) -> Duration {
    let pair = &exchange.pair;
    let key = pair.phu.folder().join(home::KEY_TRANSPORT);
    let begun = Instant::now();
    let mut sftp = Command::new("sftp");
    sftp.args(["-q", "-b", "/dev/null", "-F", "none"]);
    for option in [
        "BatchMode=yes",
        "IdentitiesOnly=yes",
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
        "LogLevel=ERROR",
        // An address of its own, which has never logged in before.
        "BindAddress=127.202.0.1",
    ] {
        sftp.arg(format!("-o{option}"));
    }
    sftp.arg("-i")
        .arg(key)
        .arg("-P")
        .arg(pair.address.port().to_string());
    sftp.arg(format!("{}@{}", pair.phu.party(), pair.address.ip()));
    let ended = sftp.stdin(Stdio::null()).status().unwrap();
    assert!(ended.success(), "the peer does not get in: {ended}");
    begun.elapsed()
}

/// The crowd, and what a peer feels of it.
fn flood(idle: usize, attackers: usize, logins: usize) {
    let mut exchange = Exchange::connected(program()).unwrap();
    let way = exchange.out.clone();
    let process = exchange.pair.imigrasi.status().unwrap().unwrap().process;
    let alone = login(&exchange);
    let mut crowd = Crowd::gather(exchange.pair.address, idle, attackers).unwrap();
    let mut took: Vec<Duration> = (0..logins).map(|_| login(&exchange)).collect();
    took.sort_unstable();
    let p99 = took[logins - 1 - logins / 100];
    let begun = Instant::now();
    let dropped = exchange
        .drop_text(&way, "di tengah serbuan.csv", "isi")
        .unwrap();
    let arrived = exchange.settled(&[dropped]).unwrap();
    let arrival = begun.elapsed();
    let descriptors = fs::read_dir(format!("/proc/{process}/fd")).unwrap().count();
    // Only the campaign waits for the grace's end.
    let closed = (idle >= 1_000).then(|| crowd.until_idle_are_closed(IDLE_MAX).unwrap());
    let counts = crowd.counts();
    let (made, shut_out) = (&counts.made, &counts.shut_out);
    println!(
        "{idle} idle, {attackers} attacking: {} connections made, {} shut out; the last idle one was closed after {closed:.1?}; login alone {alone:.0?}, in the crowd median {:.0?}, p99 {p99:.0?}; a file settled in {arrival:.1?}; \
         memory {} KiB at most, {descriptors} descriptors",
        made.load(Ordering::Relaxed),
        shut_out.load(Ordering::Relaxed),
        took[logins / 2],
        memory(process, "VmHWM"),
    );
    assert!(p99 <= LOGIN_P99_MAX, "{p99:?}");
    assert!(memory(process, "VmHWM") <= MEMORY_KB_MAX);
    assert!(descriptors <= DESCRIPTORS_MAX, "{descriptors}");
    assert!(shut_out.load(Ordering::Relaxed) > 0, "nobody is shut out");
    drop(crowd);
    exchange.holds(&arrived).unwrap();
}

#[test]
fn a_peer_logs_in_and_delivers_among_strangers() {
    flood(200, 20, 20);
}

#[test]
#[ignore = "campaign: 1,000 idle connections and 200 attackers, a minute"]
fn a_peer_logs_in_and_delivers_among_a_thousand_idle_connections_and_two_hundred_attackers() {
    flood(1_000, 200, 100);
}
