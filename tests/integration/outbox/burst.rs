//! Very many files at once, more events than the kernel's queue holds: every one arrives exactly once, and the memory of both
//! daemons stays bounded.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use amanah_format::home;
use amanah_tests::exchange::{Exchange, files_below, nothing_left};
use amanah_tests::ministry::Ministry;
use amanah_tests::waiting::until;
use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use super::connected;

/// Most memory of a daemon at its peak.
const MEMORY_KIB_MAX: u64 = 256 * 1024;

/// The peak of a daemon's memory.
fn peak_kib(ministry: &Ministry) -> Result<u64> {
    let process = ministry.daemon_id().context("a daemon")?;
    let text = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.context("VmHWM")?.trim().trim_end_matches(" kB");
    Ok(kib.parse()?)
}

/// Writes so many files under their own names, each of its own content.
fn write(outbox: &Path, count: u64) -> Result<()> {
    for number in 0..count {
        let mut file = File::create(outbox.join(name_of(number)))?;
        file.write_all(text_of(number).as_bytes())?;
    }
    Ok(())
}

fn name_of(number: u64) -> String {
    format!("berkas-{number:06}.csv")
}

fn text_of(number: u64) -> String {
    format!("nomor\n{number}\n")
}

/// Each file once in the inbox with its content, and in `sent/`; nothing else anywhere.
fn all_once(exchange: &mut Exchange, count: u64) -> Result<()> {
    let (way, mut found) = (exchange.out.clone(), BTreeMap::new());
    let [phu, imigrasi] = exchange.pair.both();
    let inbox = imigrasi.path(home::INBOX).join(way.from.as_str());
    for path in files_below(&inbox)? {
        let name = path.file_name().context("a name")?.to_string_lossy();
        let twice = found.insert(name.into_owned(), fs::read_to_string(&path)?);
        ensure!(twice.is_none(), "{} came twice", path.display());
    }
    let expected = (0..count).map(|number| (name_of(number), text_of(number)));
    ensure!(
        found == expected.collect(),
        "{} of {count} are right",
        found.len()
    );
    let sent = phu.home().join(home::sent(&way.to, &way.flow));
    ensure!(fs::read_dir(sent)?.count() == usize::try_from(count)?);
    nothing_left(phu)
}

/// Drops so many while the sender stands still, so that its queue overflows, and waits until each of them is settled.
fn dropped_at_once(count: u64, patience: Duration) -> Result<()> {
    let mut exchange = connected(1, 3)?;
    let way = exchange.out.clone();
    let outbox = exchange.pair.phu.outbox(&way.to, &way.flow);
    let sent = exchange
        .pair
        .phu
        .home()
        .join(home::sent(&way.to, &way.flow));
    exchange.pair.phu.signal(Signal::STOP)?;
    write(&outbox, count)?;
    exchange.pair.phu.signal(Signal::CONT)?;
    let (start, all) = (Instant::now(), usize::try_from(count)?);
    until("all of them", patience, || {
        let done = fs::read_dir(&sent).map_or(0, Iterator::count);
        Ok((done == all).then_some(()))
    })?;
    let took = start.elapsed();
    all_once(&mut exchange, count)?;
    let [phu, imigrasi] = exchange.pair.both();
    let (out, back) = (peak_kib(phu)?, peak_kib(imigrasi)?);
    let rate = count * 1000 / u64::try_from(took.as_millis())?.max(1);
    println!(
        "outbox: {count} files at once settled in {took:.1?} ({rate}/s); peaks {out} KiB, {back} KiB"
    );
    ensure!(out.max(back) < MEMORY_KIB_MAX, "{out} KiB, {back} KiB");
    Ok(())
}

#[test]
fn five_thousand_files_dropped_at_once_over_a_full_queue_arrive_once_each() {
    dropped_at_once(5_000, Duration::from_secs(120)).unwrap();
}

#[test]
#[ignore = "the full tier: a hundred thousand files"]
fn a_hundred_thousand_files_dropped_at_once_arrive_once_each() {
    dropped_at_once(100_000, Duration::from_secs(3_600)).unwrap();
}
