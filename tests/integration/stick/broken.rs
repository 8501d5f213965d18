//! What breaks off: a daemon that dies while a stick is taken in, a stick that is full, one that is locked.
//! Doing it again is all that is needed.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use amanah_format::home;
use amanah_tests::exchange::{PATIENCE, files_below};
use amanah_tests::pilgrims;
use amanah_tests::stick::{attempt, fates, unconnected};
use rustix::process::Signal;

use super::{exported, fate, holds, imported, queued, stick, until_answered};
use crate::program;

#[test]
fn a_daemon_that_dies_while_a_stick_is_taken_in_goes_on_with_the_same_stick() {
    for point in ["admit.moved", "admit.recorded"] {
        let mut exchange = unconnected(program()).unwrap();
        exchange.pair.phu.start().unwrap();
        let imigrasi = &mut exchange.pair.imigrasi;
        let dying = imigrasi.launch().clone().with("AMANAH_KILL_AT", point);
        imigrasi.launch_daemon(&dying).unwrap();
        imigrasi.until_up().unwrap();
        let way = exchange.out.clone();
        let dropped = queued(&mut exchange, &way, "manifes.csv", "satu");
        let stick = stick(&exchange, "putus");
        exported(&exchange.pair.phu, &stick);
        let words = ["import", &*stick.to_string_lossy()].map(str::to_owned);
        let launch = exchange.pair.imigrasi.launch().clone();
        let folder = exchange.pair.imigrasi.folder().to_owned();
        let importing = std::thread::spawn(move || {
            let mut all: Vec<std::ffi::OsString> = words.map(Into::into).to_vec();
            all.extend(["--home".into(), folder.into_os_string()]);
            launch.run(&all, PATIENCE).unwrap()
        });
        let died = exchange.pair.imigrasi.until_ended().unwrap();
        assert_eq!(died.signal(), Some(Signal::KILL.as_raw()), "{point}");
        exchange.pair.imigrasi.start().unwrap();
        let ran = importing.join().unwrap();
        assert_eq!(ran.status.code(), Some(69), "{point}: {ran:?}");
        let found = imported(&exchange.pair.imigrasi, &stick);
        assert!(
            found == [fate("taken-over")] || found == [fate("already-here")],
            "{point}: {found:?}"
        );
        until_answered(&mut exchange.pair.imigrasi, 1);
        exported(&exchange.pair.imigrasi, &stick);
        imported(&exchange.pair.phu, &stick);
        let arrived = exchange.settled(&[dropped]).unwrap();
        holds(&mut exchange, &arrived);
    }
}

#[test]
fn a_stick_that_is_full_takes_what_fits_and_the_next_one_the_rest() {
    let mut exchange = unconnected(program()).unwrap();
    exchange.pair.phu.start().unwrap();
    let way = exchange.out.clone();
    queued(&mut exchange, &way, "kecil.csv", "satu");
    queued(
        &mut exchange,
        &way,
        "besar.csv",
        &pilgrims::manifest_of(4, 6_000_000),
    );
    let [small, large] = ["kecil", "besar"].map(|name| stick(&exchange, name));
    let Some(_mounted) = Mounted::tmpfs(&small, "256k") else {
        return;
    };
    let ran = attempt(&exchange.pair.phu, "export", &small).unwrap();
    assert_eq!(ran.status.code(), Some(74), "{ran:?}");
    let mut results: Vec<_> = fates(&ran).unwrap().into_iter().map(|one| one.1).collect();
    results.sort();
    assert_eq!(results, ["copied", "no-room"]);
    assert_eq!(files_below(&small).unwrap().len(), 1, "no part is left");
    exported(&exchange.pair.phu, &large);
    assert_eq!(files_below(&large).unwrap().len(), 2);
}

#[test]
fn a_stick_whose_lock_is_set_is_said_to_be_read_only_and_the_rest_waits_on() {
    let mut exchange = unconnected(program()).unwrap();
    exchange.pair.phu.start().unwrap();
    let way = exchange.out.clone();
    queued(&mut exchange, &way, "menunggu.csv", "satu");
    let [locked, other] = ["terkunci", "terbuka"].map(|name| stick(&exchange, name));
    let Some(_mounted) = Mounted::tmpfs(&locked, "256k,ro") else {
        return;
    };
    let words = ["export", "--lang", "en", &*locked.to_string_lossy()];
    let ran = exchange.pair.phu.attempt(&words).unwrap();
    assert_eq!(ran.status.code(), Some(74), "{ran:?}");
    assert!(ran.stderr.contains("read-only. Slide"), "{ran:?}");
    assert_eq!(exported(&exchange.pair.phu, &other).len(), 1);
}

#[test]
fn a_machine_without_room_fails_here_and_the_same_stick_is_taken_in_later() {
    let mut exchange = unconnected(program()).unwrap();
    exchange.pair.phu.start().unwrap();
    let config = exchange.pair.imigrasi.folder().join(home::CONFIG);
    let roomy = std::fs::read_to_string(&config).unwrap();
    let tight = format!("{roomy}\n[limits]\nfree_bytes_min = {}\n", 1_u64 << 60);
    std::fs::write(&config, tight).unwrap();
    exchange.pair.imigrasi.start().unwrap();
    let way = exchange.out.clone();
    queued(&mut exchange, &way, "nanti.csv", "satu");
    let stick = stick(&exchange, "nanti");
    exported(&exchange.pair.phu, &stick);
    let no_space = [("failed".to_owned(), "no-space".to_owned())];
    assert_eq!(imported(&exchange.pair.imigrasi, &stick), no_space);
    // The command that knows of room, the daemon that does not: it keeps its floor by itself.
    std::fs::write(&config, &roomy).unwrap();
    assert_eq!(imported(&exchange.pair.imigrasi, &stick), no_space);
    exchange.pair.imigrasi.stop().unwrap();
    exchange.pair.imigrasi.start().unwrap();
    assert_eq!(
        imported(&exchange.pair.imigrasi, &stick),
        [fate("taken-over")]
    );
}

/// A file system of its own, as long as the value lives. Only root can have one.
struct Mounted(PathBuf);

impl Mounted {
    fn tmpfs(at: &Path, size: &str) -> Option<Self> {
        let mount = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "none"])
            .arg(at)
            .output();
        if mount.is_ok_and(|ran| ran.status.success()) {
            return Some(Self(at.to_owned()));
        }
        eprintln!("not tried: only root can mount a small file system; run ./check as root");
        None
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).output();
    }
}
