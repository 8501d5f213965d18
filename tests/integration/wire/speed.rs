//! As fast as OpenSSH's own client where the line is long: side by side on one line, in one run, measured by what the line
//! carried between two marks, so that nothing counts but the transfer.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use amanah_format::home;
use amanah_tests::drop_server::DropServer;
use amanah_tests::exchange::PATIENCE;
use amanah_tests::link::{Direction, Link, Way};
use amanah_tests::waiting::until;

use super::{drop_noise, noise, over_a_line};

const BYTES: u64 = 160 << 20;
/// The marks: behind what a connection needs to come to speed, and before its last breath.
const FROM: u64 = 24 << 20;
const TO: u64 = 152 << 20;
const RUNS: usize = 3;
const ROUND_TRIP: Duration = Duration::from_millis(100);
/// What is demanded of ours, in hundredths of OpenSSH's.
const PERCENT_MIN: u64 = 80;

/// Bytes a second between the marks.
fn rate(link: &Link, before: u64) -> u64 {
    let passed = |mark: u64| {
        until("bytes on the line", PATIENCE, || {
            Ok((link.carried(Direction::Up) - before >= mark).then(Instant::now))
        })
        .unwrap()
    };
    let (from, to) = (passed(FROM), passed(TO));
    (TO - FROM) * 1000 / u64::try_from((to - from).as_millis()).unwrap()
}

fn median(mut rates: Vec<u64>) -> u64 {
    rates.sort_unstable();
    rates[rates.len() / 2]
}

#[test]
#[ignore = "a measurement: two minutes, and nothing else should run"]
fn at_a_round_trip_of_100_ms_an_upload_is_nearly_as_fast_as_openssh_with_a_large_window() {
    let (mut exchange, ours) = over_a_line();
    let server = DropServer::start(exchange.pair.both()).unwrap();
    let theirs = Link::to(server.address()).unwrap();
    for link in [&ours, &theirs] {
        link.set_both(Way {
            delay: ROUND_TRIP / 2,
            ..Way::default()
        });
    }
    let source = exchange.folder().join("sumber.bin");
    std::fs::write(&source, noise(BYTES, 5)).unwrap();
    let key = exchange.pair.phu.folder().join(home::KEY_TRANSPORT);
    let way = exchange.out.clone();
    let (mut amanah, mut openssh, mut arrived) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..RUNS {
        let mut sftp = Command::new("sh")
            .arg("-c")
            .arg("echo \"put $1 $2\" | exec sftp -q -b - -R 256 -B 261120 -F none -P $3 -i $4 -oBatchMode=yes -oIdentitiesOnly=yes -oStrictHostKeyChecking=no -oUserKnownHostsFile=/dev/null -oLogLevel=ERROR $(id -un)@$5")
            .arg("sftp")
            .arg(&source)
            .arg(server.waiting_for(&way.to).join(format!("{run}.bin")))
            .arg(theirs.address.port().to_string())
            .arg(&key)
            .arg(theirs.address.ip().to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        openssh.push(rate(&theirs, theirs.carried(Direction::Up)));
        assert!(sftp.wait().unwrap().success());
        let before = ours.carried(Direction::Up);
        let dropped = drop_noise(&mut exchange, &way, &format!("{run}.bin"), BYTES);
        amanah.push(rate(&ours, before));
        arrived.extend(exchange.settled(&[dropped]).unwrap());
    }
    exchange.holds(&arrived).unwrap();
    let (amanah, openssh) = (median(amanah), median(openssh));
    let percent = amanah * 100 / openssh;
    println!(
        "round trip {ROUND_TRIP:?}: amanah {}.{} MB/s, OpenSSH sftp -R 256 -B 261120 {}.{} MB/s, ratio {percent} %",
        amanah / 1_000_000,
        amanah / 100_000 % 10,
        openssh / 1_000_000,
        openssh / 100_000 % 10
    );
    assert!(percent >= PERCENT_MIN, "{percent} %");
}
