//! Upgrades: a home that an older version wrote goes on, also when the upgrade itself is killed at any of its commits; a home and
//! documents of a newer version are refused in words, and nothing of them is changed. P23.

use std::fs;
use std::path::PathBuf;

use amanah_format::home;
use amanah_tests::exchange::{Dropped, Exchange};
use amanah_tests::ministry::Ministry;
use amanah_tests::older;
use rustix::process::Signal;

use crate::program;

/// Commits of a start: at each of them it is killed once, before it and after it.
const COMMITS_MAX: u32 = 8;

fn journal(ministry: &Ministry) -> PathBuf {
    ministry.path(home::SPOOL).join("journal.sqlite")
}

/// A pair with a past and with work under way on both sides, stopped; what was dropped, by direction.
fn stopped() -> (Exchange, [Vec<Dropped>; 2]) {
    let mut exchange = Exchange::connected(program()).unwrap();
    let ways = [exchange.out.clone(), exchange.back.clone()];
    let mut dropped = ways.each_ref().map(|way| {
        let done = exchange.drop_text(way, "lama.csv", "satu").unwrap();
        exchange.settled(std::slice::from_ref(&done)).unwrap();
        vec![done]
    });
    exchange.at_rest().unwrap();
    exchange.pair.imigrasi.stop().unwrap();
    let waiting = exchange.drop_text(&ways[0], "menunggu.csv", "dua").unwrap();
    let phu = &mut exchange.pair.phu;
    let queued = phu.wait_for(
        "a queued bundle",
        amanah_tests::exchange::PATIENCE,
        |status| {
            let mut bundles = status.outgoing.iter();
            bundles.any(|bundle| bundle.state == "queued").then_some(())
        },
    );
    queued.unwrap();
    phu.stop().unwrap();
    dropped[0].push(waiting);
    (exchange, dropped)
}

/// Starts a daemon that dies at this commit; whether it did before it was up.
fn dies_upgrading(ministry: &mut Ministry, point: &str) -> bool {
    let launch = ministry.launch().clone().with("AMANAH_KILL_AT", point);
    ministry.launch_daemon(&launch).unwrap();
    let came_up = ministry.until_up().is_ok();
    if came_up {
        ministry.kill().unwrap();
        return false;
    }
    let status = ministry.until_ended().unwrap();
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    assert_eq!(signal, Some(Signal::KILL.as_raw()), "{point}: {status}");
    true
}

/// Brought up from that version, killed at the first commit of a start, at the second, and so on until it comes up; the versions
/// that were then found.
fn killed_upgrading(ministry: &mut Ministry, version: usize, point: &str) -> Vec<usize> {
    let path = journal(ministry);
    older::journal(&path, version).unwrap();
    let mut versions = Vec::new();
    for passing in 1..COMMITS_MAX {
        if !dies_upgrading(ministry, &format!("{point}:{passing}")) {
            break;
        }
        versions.push(older::version(&path).unwrap());
    }
    versions
}

fn goes_on_from(version: usize) {
    let (mut exchange, dropped) = stopped();
    for ministry in [&mut exchange.pair.phu, &mut exchange.pair.imigrasi] {
        let before = killed_upgrading(ministry, version, "journal.before-commit");
        assert_eq!(before.first(), Some(&version), "nothing of it happened");
        assert_eq!(before.last(), Some(&older::NEWEST));
        let after = killed_upgrading(ministry, version, "journal.after-commit");
        assert!(
            after.len() > 1 && after.iter().all(|has| *has == older::NEWEST),
            "all of it: {after:?}"
        );
    }
    exchange.pair.start().unwrap();
    for mut dropped in dropped {
        let way = exchange.pair.ways().unwrap();
        let way = way.into_iter().find(|way| way.from == dropped[0].item.from);
        let new = exchange
            .drop_text(&way.unwrap(), "sesudah.csv", "tiga")
            .unwrap();
        dropped.push(new);
        let arrived = exchange.settled(&dropped).unwrap();
        exchange.holds(&arrived).unwrap();
    }
}

#[test]
fn a_home_of_version_1_goes_on_though_its_upgrade_is_killed_at_every_commit() {
    goes_on_from(1);
}

#[test]
fn a_home_of_version_2_goes_on_though_its_upgrade_is_killed_at_every_commit() {
    goes_on_from(2);
}

#[test]
fn a_home_of_a_newer_version_is_refused_in_words_and_left_as_it_is() {
    let (mut exchange, _) = stopped();
    let phu = &mut exchange.pair.phu;
    let path = journal(phu);
    older::age_to(&path, 99).unwrap();
    let before = fs::read(&path).unwrap();
    let launch = phu.launch().clone();
    phu.launch_daemon(&launch).unwrap();
    let status = phu.until_ended().unwrap();
    assert_eq!(status.code(), Some(78), "{status}");
    let log = fs::read_to_string(phu.log()).unwrap();
    let said = log.lines().last().unwrap();
    for words in [
        "a newer Amanah wrote it",
        "schema 99",
        "install that version",
    ] {
        assert!(said.contains(words), "{said}");
    }
    assert!(
        fs::read(&path).unwrap() == before,
        "the journal was changed"
    );
}

/// A word that stands in the place of the one that this version reads.
fn newer(text: &[u8], from: &str, to: &str) -> Vec<u8> {
    let at = text
        .windows(from.len())
        .position(|window| window == from.as_bytes());
    let mut text = text.to_vec();
    let at = at.unwrap();
    text.splice(at..at + from.len(), to.bytes());
    text
}

#[test]
fn documents_of_a_newer_version_are_named_and_refused_by_every_command() {
    let exchange = Exchange::found(program()).unwrap();
    let phu = &exchange.pair.phu;
    let (cards, agreements) = (home::CARDS, home::AGREEMENTS);
    for (folder, from, to) in [
        (cards, "amanah-card/1", "amanah-card/2"),
        (agreements, "amanah-agreement/1", "amanah-agreement/2"),
    ] {
        let document = fs::read_dir(phu.folder().join(folder))
            .unwrap()
            .next()
            .unwrap();
        let text = fs::read(document.unwrap().path()).unwrap();
        let file = exchange.folder().join("baru.amanah");
        fs::write(&file, newer(&text, from, to)).unwrap();
        let file = file.to_str().unwrap();
        let fingerprint = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
        let add: &[&str] = if folder == cards {
            &[
                "peer",
                "add",
                file,
                "--fingerprint",
                fingerprint,
                "--lang",
                "en",
            ]
        } else {
            &["agreement", "import", file, "--lang", "en"]
        };
        for words in [
            add,
            &["verify", file, "--lang", "en"],
            &["inspect", file, "--lang", "en"],
        ] {
            let ran = phu.attempt(words).unwrap();
            let said = format!("{}{}", ran.stdout, ran.stderr);
            println!("{} -> {:?}\n{said}", words.join(" "), ran.status.code());
            assert!(
                said.contains(to),
                "{words:?} does not name the format: {said}"
            );
        }
    }
}
