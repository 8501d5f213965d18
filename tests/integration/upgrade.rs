//! Upgrades: a home that an older version wrote goes on, also when the upgrade itself is killed at any of its commits; a home and
//! documents of a newer version are refused in words, and nothing of them is changed. P23.

use std::fs;
use std::path::{Path, PathBuf};

use amanah_format::container::{pack, unpack_small};
use amanah_format::digest::Digest;
use amanah_format::home;
use amanah_format::signature::{Purpose, SecretKey};
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
fn a_home_of_version_3_goes_on_though_its_upgrade_is_killed_at_every_commit() {
    goes_on_from(3);
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

/// The document with another version's name in it, signed again where its owner alone signs it.
fn newer(container: &[u8], to: &str, signing: Option<&SecretKey>) -> Vec<u8> {
    let files = unpack_small(container, 1 << 20).unwrap();
    let (name, text) = &files[0];
    let older = to.replace("/2", "/1");
    let text = String::from_utf8(text.clone()).unwrap();
    assert!(text.contains(&older), "{text}");
    let text = text.replacen(&older, to, 1).into_bytes();
    let signature = signing.map(|key| key.sign(Purpose::Card, &text).into_bytes());
    let signature = signature.map(|signature| (format!("{name}.sig"), signature));
    let mut listed = vec![(name.as_str(), text.as_slice())];
    listed.extend(
        signature
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_slice())),
    );
    pack(&listed)
}

fn first_of(folder: &Path) -> Vec<u8> {
    let first = fs::read_dir(folder).unwrap().next().unwrap();
    fs::read(first.unwrap().path()).unwrap()
}

#[test]
fn documents_of_a_newer_version_are_named_and_refused_by_every_command() {
    let exchange = Exchange::found(program()).unwrap();
    let phu = &exchange.pair.phu;
    let key = fs::read_to_string(phu.folder().join(home::KEY_SIGNING)).unwrap();
    let key = SecretKey::from_openssh(&key).unwrap();
    let own = phu
        .folder()
        .join(home::CARDS)
        .join(home::card_file(phu.party()));
    let card = newer(&fs::read(own).unwrap(), "amanah-card/2", Some(&key));
    let agreement = first_of(&phu.folder().join(home::AGREEMENTS));
    let agreement = newer(&agreement, "amanah-agreement/2", None);
    let other = &exchange.pair.imigrasi;
    let before = first_of(&other.folder().join(home::AGREEMENTS));
    for (document, format) in [(card, "amanah-card/2"), (agreement, "amanah-agreement/2")] {
        let file = exchange.folder().join("baru.amanah");
        fs::write(&file, document).unwrap();
        let file = file.to_str().unwrap();
        let fingerprint = Digest::of(b"").to_string();
        let add = ["peer", "add", file, "--fingerprint", &fingerprint];
        let commands: [&[&str]; 4] = [
            if format == "amanah-card/2" {
                &add
            } else {
                &["agreement", "import", file]
            },
            &["verify", file],
            &["inspect", file],
            &["verify", file, "--json"],
        ];
        for words in commands {
            let ran = other.attempt(&[words, &["--lang", "en"]].concat()).unwrap();
            let said = format!("{}{}", ran.stdout, ran.stderr);
            println!("{} -> {:?}\n{said}", words.join(" "), ran.status.code());
            assert!(
                said.contains(format),
                "{words:?} does not name the format: {said}"
            );
        }
    }
    assert!(first_of(&other.folder().join(home::AGREEMENTS)) == before);
}
