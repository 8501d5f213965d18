//! Those who read the database while rows come in, and those who lock it; and how much memory a long table takes.
//! Readers are the stock `sqlite3`; memory is the kernel's count.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use amanah_format::home;
use amanah_tests::exchange::Exchange;
use amanah_tests::ministry::Ministry;
use serde_json::json;

use super::ground::{ask, connected, database, delivered, name, row, rows_of, table};

/// Rows of each bundle in the test of the poller.
const PART: u32 = 700;
/// Bundles in it.
const BUNDLES: u32 = 30;

#[test]
fn a_reader_never_sees_part_of_a_bundle() {
    let mut exchange = connected(&json!({"mode": "append", "key": [], "partition": null}));
    delivered(&mut exchange, "0.csv", &rows_of(0, PART, "x"));
    let (path, table) = (database(&exchange), name(&exchange));
    let done = AtomicBool::new(false);
    let looks = thread::scope(|scope| {
        let poller = scope.spawn(|| {
            let mut shell = Command::new("sqlite3")
                .arg("-readonly")
                .arg(&path)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut typed = shell.stdin.take().unwrap();
            let mut looks = 0_u32;
            while !done.load(Ordering::Relaxed) {
                let count = format!("SELECT count(*) FROM {table};\n");
                typed.write_all(count.as_bytes()).unwrap();
                looks += 1;
                thread::sleep(std::time::Duration::from_millis(1));
            }
            drop(typed);
            let seen = shell.wait_with_output().unwrap();
            (looks, String::from_utf8(seen.stdout).unwrap())
        });
        let way = exchange.out.clone();
        let dropped: Vec<_> = (1..=BUNDLES)
            .map(|bundle| {
                let text = rows_of(bundle * PART, PART, "x");
                exchange
                    .drop_text(&way, &format!("{bundle}.csv"), &text)
                    .unwrap()
            })
            .collect();
        exchange.settled(&dropped).unwrap();
        done.store(true, Ordering::Relaxed);
        poller.join().unwrap()
    });
    let counts: Vec<u32> = looks.1.lines().map(|line| line.parse().unwrap()).collect();
    assert!(looks.0 > 50 && counts.len() > 50, "{} looks", counts.len());
    assert!(counts.iter().all(|count| count % PART == 0), "{counts:?}");
    assert!(counts.is_sorted());
    assert_eq!(
        ask(&exchange, "SELECT count(*) FROM TABEL"),
        [(PART * (BUNDLES + 1)).to_string()]
    );
}

/// A shell of `sqlite3` that holds a transaction until it is dropped.
fn holding(exchange: &Exchange, words: &str) -> std::process::Child {
    let mut shell = Command::new("sqlite3")
        .arg(database(exchange))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let typed = shell.stdin.as_mut().unwrap();
    writeln!(
        typed,
        "{}\n.print ready",
        words.replace("TABEL", &name(exchange))
    )
    .unwrap();
    let mut line = String::new();
    let mut said = std::io::BufReader::new(shell.stdout.as_mut().unwrap());
    while line.trim() != "ready" {
        line.clear();
        std::io::BufRead::read_line(&mut said, &mut line).unwrap();
    }
    shell
}

#[test]
fn a_reader_s_snapshot_and_a_writer_s_lock_fail_no_import() {
    let mut exchange = connected(&json!({"mode": "append", "key": [], "partition": null}));
    delivered(&mut exchange, "satu.csv", &rows_of(1, 1, "satu"));
    let mut reader = holding(&exchange, "BEGIN; SELECT count(*) FROM TABEL;");
    delivered(&mut exchange, "dua.csv", &rows_of(2, 1, "dua"));
    drop(reader.stdin.take());
    reader.wait().unwrap();
    let mut writer = holding(&exchange, "BEGIN IMMEDIATE;");
    let way = exchange.out.clone();
    let third = exchange
        .drop_text(&way, "tiga.csv", &rows_of(3, 1, "tiga"))
        .unwrap();
    let arrived = |status: &amanahd::snapshot::Snapshot| {
        let mut incoming = status.incoming.iter();
        incoming
            .any(|bundle| bundle.state == "admitted")
            .then_some(())
    };
    let imigrasi = &mut exchange.pair.imigrasi;
    imigrasi
        .wait_for("it waits", amanah_tests::exchange::PATIENCE, arrived)
        .unwrap();
    drop(writer.stdin.take());
    writer.wait().unwrap();
    exchange.settled(&[third]).unwrap();
    assert_eq!(
        ask(&exchange, "SELECT group_concat(nama) FROM TABEL"),
        ["satu,dua,tiga"]
    );
}

/// Highest resident memory of a daemon, in KiB.
fn peak(ministry: &Ministry) -> u64 {
    let id = ministry.daemon_id().unwrap();
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Rows that hardly compress: the payload is long enough to be opened while it arrives, which rows for a database are not.
fn noise(from: u32, count: u32) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut word = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        format!("{state:016x}")
    };
    let mut text = table(&[]);
    text.pop();
    for number in from..from + count {
        let name: String = (0..8).map(|_| word()).collect();
        text.push_str(&row(number, "2030-01-02", &name));
        text.push('\n');
    }
    text
}

#[test]
fn memory_does_not_grow_with_the_table() {
    let mut exchange = connected(&json!({"mode": "upsert", "key": ["nomor"], "partition": null}));
    delivered(&mut exchange, "satu.csv", &rows_of(1, 100_000, "satu"));
    let both = |exchange: &Exchange| exchange.pair.both().map(peak);
    let small = both(&exchange);
    delivered(&mut exchange, "dua.csv", &noise(100_001, 300_000));
    let large = both(&exchange);
    assert_eq!(ask(&exchange, "SELECT count(*) FROM TABEL"), ["400000"]);
    let way = &exchange.out;
    let inbox = exchange
        .pair
        .imigrasi
        .path(home::INBOX)
        .join(way.from.as_str());
    assert!(!inbox.exists(), "nothing of it is a file");
    // Of a table that is ten times as long: neither side holds a part of it that grows.
    for (small, large) in small.into_iter().zip(large) {
        assert!(large < 160 * 1024, "{large} KiB");
        assert!(large < small + 40 * 1024, "{small} KiB, then {large} KiB");
    }
}
