//! What was opened before anybody listened: the daemon starts, or the kernel dropped events, while somebody writes and pauses.
//! Neither is the half-written file taken after the short quiet period, nor is one forgotten whose close nobody heard.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use amanah_tests::exchange::{Dropped, Exchange};
use anyhow::{Result, ensure};
use rustix::process::Signal;

use super::{connected, passes_on};

/// Quiet periods, in seconds.
const FILES: u32 = 2;
const FOLDERS: u32 = 2;
/// Longer than that of files, shorter than five of them.
const PAUSE: Duration = Duration::from_millis(3_500);
const TEXT: &str = "paruh pertama\nparuh kedua\n";

/// A file half written, and still open.
fn half(outbox: &Path, name: &str) -> Result<File> {
    let mut file = File::create(outbox.join(name))?;
    file.write_all(b"paruh pertama\n")?;
    Ok(file)
}

fn dropped(exchange: &Exchange, name: &str) -> Result<Dropped> {
    let item = exchange.item(&exchange.out.clone(), name, &[("", TEXT)])?;
    Ok(Dropped { item, at_millis: 0 })
}

/// More events than the kernel keeps for somebody who does not take them: no two alike after another.
fn burst(folder: &Path) -> Result<()> {
    let limit = std::fs::read_to_string("/proc/sys/fs/inotify/max_queued_events")?;
    let limit: u64 = limit.trim().parse()?;
    let names = [".satu", ".dua"].map(|name| folder.join(name));
    let [one, other] = names.each_ref().map(File::create);
    let (one, other) = (one?, other?);
    for _ in 0..limit {
        one.write_all_at(b"x", 0)?;
        other.write_all_at(b"x", 0)?;
    }
    Ok(names.iter().try_for_each(std::fs::remove_file)?)
}

#[test]
fn a_file_that_is_open_while_events_are_lost_arrives_whole_and_once() {
    let mut exchange = connected(FILES, FOLDERS).unwrap();
    let way = exchange.out.clone();
    let outbox = exchange.pair.phu.outbox(&way.to, &way.flow);
    let mut open = half(&outbox, "terbuka.csv").unwrap();
    // Its events are taken: it is known to be open.
    let mut arrived = passes_on(&mut exchange, "lewat 1.csv").unwrap();
    // Changed just now, however long that took: its time as an unsure one begins here.
    let mode = open.metadata().unwrap().permissions();
    open.set_permissions(mode).unwrap();
    exchange.pair.phu.signal(Signal::STOP).unwrap();
    burst(&outbox).unwrap();
    // Opened and half written, and closed, where nobody hears it.
    let mut unheard = half(&outbox, "tak terdengar.csv").unwrap();
    let mut closed = half(&outbox, "ditutup.csv").unwrap();
    closed.write_all(b"paruh kedua\n").unwrap();
    drop(closed);
    exchange.pair.phu.signal(Signal::CONT).unwrap();
    // The pause of the writers is what is put to the test; nothing is synchronised by it.
    sleep(PAUSE);
    for name in ["terbuka.csv", "tak terdengar.csv"] {
        assert!(
            outbox.join(name).exists(),
            "{name}: taken while it was open"
        );
    }
    for file in [&mut open, &mut unheard] {
        file.write_all(b"paruh kedua\n").unwrap();
    }
    // Its close is heard again; that of the third never was.
    drop((open, unheard));
    let names = ["terbuka.csv", "tak terdengar.csv", "ditutup.csv"];
    let all: Result<Vec<_>> = names
        .map(|name| dropped(&exchange, name))
        .into_iter()
        .collect();
    arrived.extend(exchange.settled(&all.unwrap()).unwrap());
    exchange.holds(&arrived).unwrap();
}

/// The sender starts again while a file is open, and meets one that was closed meanwhile and one of long ago.
fn over_a_start(exchange: &mut Exchange) -> Result<Vec<amanah_tests::exchange::Arrived>> {
    let way = exchange.out.clone();
    let outbox = exchange.pair.phu.outbox(&way.to, &way.flow);
    exchange.pair.phu.stop()?;
    let mut open = half(&outbox, "terbuka.csv")?;
    std::fs::write(outbox.join("kemarin.csv"), TEXT)?;
    let old = File::open(outbox.join("kemarin.csv"))?;
    let yesterday = std::time::SystemTime::now() - Duration::from_secs(86_400);
    old.set_modified(yesterday)?;
    exchange.pair.phu.start()?;
    // The pause of the writer is what is put to the test; nothing is synchronised by it.
    sleep(PAUSE);
    ensure!(
        outbox.join("terbuka.csv").exists(),
        "taken while it was open"
    );
    open.write_all(b"paruh kedua\n")?;
    drop(open);
    let (slow, long_ago) = (
        dropped(exchange, "terbuka.csv")?,
        dropped(exchange, "kemarin.csv")?,
    );
    exchange.settled(&[slow, long_ago])
}

#[test]
fn a_file_that_is_open_while_the_daemon_starts_arrives_whole_and_once() {
    let mut exchange = connected(FILES, FOLDERS).unwrap();
    let arrived = over_a_start(&mut exchange).unwrap();
    exchange.holds(&arrived).unwrap();
}
