//! Two ministries with no network between them, and a stick that is carried (FORMAT.md §16.4): everything arrives once with
//! its receipt; a stick that is lost, comes twice, is another's or was changed does no harm; what lies on it is never believed.

use std::fs;
use std::os::unix::fs::{FileExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use amanah::demo::exchange::{compare, exactly_once};
use amanah_format::home;
use amanah_format::limits::BUNDLE_HEAD_BYTES;
use amanah_tests::evidence::{verify_ledger, verify_receipts};
use amanah_tests::exchange::{Arrived, Dropped, Exchange, PATIENCE, files_below};
use amanah_tests::items::Way;
use amanah_tests::ministry::Ministry;
use amanah_tests::pilgrims;
use amanah_tests::stick::{attempt, fates, unconnected};
use amanah_tests::waiting::until;
use amanahd::by_hand::{Answer, Fate};
use amanahd::request::{Request, Ticket};
use amanahd::snapshot::Snapshot;
use rustix::fs::Mode;
use rustix::process::Signal;

use crate::program;

fn started() -> Exchange {
    let mut exchange = unconnected(program()).unwrap();
    exchange.pair.phu.start().unwrap();
    exchange.pair.imigrasi.start().unwrap();
    exchange
}

fn stick(exchange: &Exchange, name: &str) -> PathBuf {
    let folder = exchange.folder().join("stik").join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn wait(ministry: &mut Ministry, what: &str, holds: impl Fn(&Snapshot) -> bool) {
    let found = |status: &Snapshot| holds(status).then_some(());
    ministry.wait_for(what, PATIENCE, found).unwrap();
}

/// Drops an item and waits until its bundle waits to be carried.
fn queued(exchange: &mut Exchange, way: &Way, name: &str, text: &str) -> Dropped {
    let dropped = exchange.drop_text(way, name, text).unwrap();
    let (sender, _) = exchange.pair.sender_and_receiver(&way.from);
    wait(sender, "the queue", |status| {
        let mut bundles = status.outgoing.iter();
        bundles.any(|one| one.state == "queued" && one.items[0].name == name)
    });
    dropped
}

/// Exports without a fault: (name, result).
fn exported(ministry: &Ministry, stick: &Path) -> Vec<(String, String)> {
    let ran = attempt(ministry, "export", stick).unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let files = fates(&ran).unwrap().into_iter();
    files.map(|(name, result, _)| (name, result)).collect()
}

/// Imports: (fate, code) in the order of the names.
fn imported(ministry: &Ministry, stick: &Path) -> Vec<(String, String)> {
    let ran = attempt(ministry, "import", stick).unwrap();
    let mut files = fates(&ran).unwrap();
    files.sort();
    let files = files.into_iter();
    files.map(|(_, fate, code)| (fate, code)).collect()
}

fn fate(word: &str) -> (String, String) {
    (word.to_owned(), String::new())
}

fn bad(code: &str) -> (String, String) {
    ("turned-away".to_owned(), code.to_owned())
}

fn until_answered(ministry: &mut Ministry, receipts: u64) {
    wait(ministry, "signed receipts", |status| {
        status.peers[0].waiting_receipts == receipts
    });
}

/// Imported once, originals settled, evidence right; receipts may still be carried.
fn holds(exchange: &mut Exchange, arrived: &[Arrived]) {
    let from = arrived[0].item.from.clone();
    let (sender, receiver) = exchange.pair.sender_and_receiver(&from);
    for one in arrived {
        compare(sender, receiver, one).unwrap();
    }
    exactly_once(receiver, arrived).unwrap();
    verify_receipts(sender, receiver).unwrap();
    verify_ledger(sender).unwrap();
    verify_ledger(receiver).unwrap();
    for ministry in [&*sender, receiver] {
        for folder in [home::STICK_IN, home::STICK_OUT] {
            let place = ministry.path(folder);
            let empty = || Ok(files_below(&place)?.is_empty().then_some(()));
            until("an empty folder", PATIENCE, empty).unwrap();
        }
    }
}

#[test]
fn what_is_carried_on_a_stick_settles_both_ways() {
    let mut exchange = started();
    let [out, back] = [exchange.out.clone(), exchange.back.clone()];
    let sent = queued(
        &mut exchange,
        &out,
        "manifes.csv",
        &pilgrims::manifest(3, 50),
    );
    let answered = queued(&mut exchange, &back, "hasil.csv", "satu");
    let [there, here, again] = ["pergi", "pulang", "pergi lagi"].map(|name| stick(&exchange, name));

    assert_eq!(exported(&exchange.pair.phu, &there).len(), 1);
    let status = exchange.pair.phu.status().unwrap().unwrap();
    assert_eq!(status.outgoing[0].state, "queued", "nothing is handed over");
    assert_eq!(status.peers[0].side, "hand");
    assert_eq!(
        imported(&exchange.pair.imigrasi, &there),
        [fate("taken-over")]
    );
    until_answered(&mut exchange.pair.imigrasi, 1);

    // The receipt and a bundle of the other direction, together.
    assert_eq!(exported(&exchange.pair.imigrasi, &here).len(), 2);
    let taken = imported(&exchange.pair.phu, &here);
    assert_eq!(taken, [fate("taken-over"), fate("taken-over")]);
    let sent = exchange.settled(&[sent]).unwrap();
    until_answered(&mut exchange.pair.phu, 1);
    // On a stick is not delivered: it is still offered, and exported again.
    until_answered(&mut exchange.pair.imigrasi, 1);
    let names = exported(&exchange.pair.imigrasi, &here);
    assert!(
        names.iter().all(|(_, result)| result == "there"),
        "{names:?}"
    );

    // The receipt comes back without the first bundle: its own receipt has arrived.
    assert_eq!(exported(&exchange.pair.phu, &again).len(), 1);
    assert_eq!(
        imported(&exchange.pair.imigrasi, &again),
        [fate("taken-over")]
    );
    let answered = exchange.settled(&[answered]).unwrap();
    until_answered(&mut exchange.pair.imigrasi, 0);
    holds(&mut exchange, &sent);
    holds(&mut exchange, &answered);
}

#[test]
fn a_lost_stick_costs_another_export_and_the_same_stick_twice_changes_nothing() {
    let mut exchange = started();
    let way = exchange.out.clone();
    let dropped = queued(&mut exchange, &way, "manifes.csv", "satu");
    let [lost, found, home_again] = ["hilang", "dua", "tiga"].map(|name| stick(&exchange, name));
    let first = exported(&exchange.pair.phu, &lost);
    fs::remove_dir_all(&lost).unwrap();
    assert_eq!(exported(&exchange.pair.phu, &found), first);
    assert_eq!(
        imported(&exchange.pair.imigrasi, &found),
        [fate("taken-over")]
    );
    assert_eq!(
        imported(&exchange.pair.imigrasi, &found),
        [fate("already-here")]
    );
    until_answered(&mut exchange.pair.imigrasi, 1);
    // The first receipt is lost with its stick too.
    assert_eq!(exported(&exchange.pair.imigrasi, &home_again).len(), 1);
    let receipt = files_below(&home_again).unwrap().remove(0);
    let bytes = fs::read(&receipt).unwrap();
    fs::remove_file(&receipt).unwrap();
    assert_eq!(exported(&exchange.pair.imigrasi, &home_again).len(), 1);
    assert_eq!(
        fs::read(&receipt).unwrap(),
        bytes,
        "the same, byte for byte"
    );
    assert_eq!(
        imported(&exchange.pair.phu, &home_again),
        [fate("taken-over")]
    );
    assert_eq!(
        imported(&exchange.pair.phu, &home_again),
        [fate("already-here")]
    );
    // Brought to whoever made it.
    assert_eq!(
        imported(&exchange.pair.imigrasi, &home_again),
        [fate("ours")]
    );
    assert_eq!(imported(&exchange.pair.phu, &found), [fate("ours")]);
    let arrived = exchange.settled(&[dropped]).unwrap();
    // A late repeat after all that: the same receipt is carried once more.
    assert_eq!(
        imported(&exchange.pair.imigrasi, &found),
        [fate("already-here")]
    );
    until_answered(&mut exchange.pair.imigrasi, 1);
    holds(&mut exchange, &arrived);
}

#[test]
fn what_was_changed_on_the_stick_is_noticed_and_comes_whole_with_the_next() {
    let mut exchange = started();
    let way = exchange.out.clone();
    let dropped = ["satu", "dua dua", "tiga"].map(|text| {
        let name = format!("{text}.csv");
        queued(&mut exchange, &way, &name, text)
    });
    let stick = stick(&exchange, "diubah");
    assert_eq!(exported(&exchange.pair.phu, &stick).len(), 3);
    let mut files = files_below(&stick).unwrap();
    files.sort();
    let whole = fs::read(&files[0]).unwrap();
    let file = fs::File::options().write(true).open(&files[0]).unwrap();
    let at = BUNDLE_HEAD_BYTES + 100;
    let byte = whole[usize::try_from(at).unwrap()];
    file.write_all_at(&[byte ^ 1], at).unwrap();
    fs::copy(&files[0], &files[1]).unwrap();
    let file = fs::File::options().write(true).open(&files[2]).unwrap();
    file.set_len(BUNDLE_HEAD_BYTES + 10).unwrap();
    let found = imported(&exchange.pair.imigrasi, &stick);
    assert_eq!(
        found,
        [bad("damaged"), bad("name-mismatch"), bad("damaged")]
    );
    // The operator sees why, and nothing was imported.
    let notes = exchange.pair.imigrasi.run(&["quarantine", "list"]).unwrap();
    assert!(notes.stdout.contains("damaged") && notes.stdout.contains("name-mismatch"));
    assert_eq!(exported(&exchange.pair.phu, &stick).len(), 3);
    let found = imported(&exchange.pair.imigrasi, &stick);
    assert_eq!(
        found,
        [fate("taken-over"), fate("taken-over"), fate("taken-over")]
    );
    until_answered(&mut exchange.pair.imigrasi, 3);
    assert_eq!(exported(&exchange.pair.imigrasi, &stick).len(), 3);
    let found = imported(&exchange.pair.phu, &stick);
    assert_eq!(found.iter().filter(|one| **one == fate("ours")).count(), 3);
    let arrived = exchange.settled(&dropped).unwrap();
    holds(&mut exchange, &arrived);
}

#[test]
fn another_ministrys_stick_and_foreign_things_on_it_are_turned_away_one_by_one() {
    let mut exchange = started();
    let foreign = stick(&exchange, "asing");
    let mut strangers = unconnected(program()).unwrap();
    strangers.pair.phu.start().unwrap();
    let way = strangers.out.clone();
    queued(&mut strangers, &way, "bukan untuk kita.csv", "satu");
    assert_eq!(exported(&strangers.pair.phu, &foreign).len(), 1);
    let name = |digit: &str, suffix: &str| foreign.join(format!("{}{suffix}", digit.repeat(64)));
    symlink("/etc/passwd", name("0", ".amanah")).unwrap();
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        name("1", ".receipt.amanah"),
        Mode::from_raw_mode(0o644),
    )
    .unwrap();
    fs::create_dir(name("2", ".slip.amanah")).unwrap();
    // Sparse: two terabytes that take no room on the stick, and would in the home.
    let huge = fs::File::create(name("3", ".amanah")).unwrap();
    huge.set_len(2 << 40).unwrap();
    fs::write(name("4", ".amanah"), "junk").unwrap();
    fs::write(name("5", ".receipt.amanah"), "junk").unwrap();
    fs::write(name("6", ".slip.amanah"), "junk").unwrap();
    for other in ["foto.jpg", "autorun.inf", "A.amanah", &"F".repeat(64)] {
        fs::write(foreign.join(other), "x").unwrap();
    }
    let ran = attempt(&exchange.pair.imigrasi, "import", &foreign).unwrap();
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    let mut codes: Vec<_> = fates(&ran).unwrap();
    codes.sort();
    let stranger = codes
        .iter()
        .position(|(_, _, code)| code == "signer-unknown");
    codes.remove(stranger.unwrap_or_else(|| panic!("{codes:?}")));
    let found: Vec<&str> = codes.iter().map(|(_, _, code)| code.as_str()).collect();
    let expected = [
        "no-regular-file",
        "no-regular-file",
        "no-regular-file",
        "container-malformed",
        "container-malformed",
        "receipt-doubtful",
        "slip-doubtful",
    ];
    assert_eq!(found, expected);
    assert!(codes.iter().all(|(_, fate, _)| fate == "turned-away"));
    assert!(ran.stdout.contains("\"others\": 4"), "{ran:?}");
    let imigrasi = &mut exchange.pair.imigrasi;
    let notes = fs::read_dir(imigrasi.path("quarantine")).unwrap().count();
    assert_eq!(notes, 4, "what the daemon itself saw is noted");
    wait(imigrasi, "a daemon that is well", |status| {
        status.running && status.incoming.is_empty() && status.alarms.is_empty()
    });
}

/// What the daemon says of a ticket.
fn answer(ministry: &Ministry, ticket: &Ticket, holds: impl Fn(&Answer) -> bool) -> Answer {
    let folder = ministry.path(home::STICK_OUT).join(ticket.as_str());
    let found = until("an answer", PATIENCE, || {
        let Ok(json) = fs::read(folder.join(home::STICK_ANSWER)) else {
            return Ok(None);
        };
        let answer: Answer = serde_json::from_slice(&json)?;
        Ok(holds(&answer).then_some(answer))
    });
    found.unwrap()
}

fn ask(ministry: &Ministry, request: &Request) {
    let folder = ministry.path(home::REQUESTS);
    let hidden = folder.join(".baru");
    fs::write(&hidden, serde_json::to_vec(request).unwrap()).unwrap();
    let ticket = Ticket::draw().unwrap();
    let name = format!("{}{}", ticket.as_str(), home::REQUEST_SUFFIX);
    fs::rename(hidden, folder.join(name)).unwrap();
}

#[test]
fn an_operator_who_copies_in_links_pipes_and_things_nobody_asked_for_gains_nothing() {
    let exchange = started();
    let imigrasi = &exchange.pair.imigrasi;
    let ticket = Ticket::draw().unwrap();
    let names = ["0", "1", "2"].map(|digit| format!("{}.amanah", digit.repeat(64)));
    let request = Request::Import {
        ticket: ticket.clone(),
        names: names
            .iter()
            .cloned()
            .chain(["../../x".to_owned()])
            .collect(),
    };
    ask(imigrasi, &request);
    let first = answer(imigrasi, &ticket, |answer| answer.files.len() == 3);
    assert!(first.files.iter().all(|told| told.fate == Fate::Wanted));
    let folder = imigrasi.path(home::STICK_IN).join(ticket.as_str());
    let uninvited = folder.join(format!("{}.amanah", "9".repeat(64)));
    fs::write(&uninvited, "x").unwrap();
    symlink(imigrasi.path(home::JOURNAL), folder.join(&names[0])).unwrap();
    let pipe = folder.join(&names[1]);
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, Mode::from_raw_mode(0o666)).unwrap();
    fs::create_dir_all(folder.join(&names[2]).join("a/b")).unwrap();
    let last = answer(imigrasi, &ticket, |answer| {
        answer.files.iter().all(|told| told.fate != Fate::Wanted)
    });
    let code = Some("no-regular-file".to_owned());
    assert!(last.files.iter().all(|told| told.code == code), "{last:?}");
    assert!(imigrasi.path(home::JOURNAL).exists());
    assert!(uninvited.exists(), "nobody looked at it");
    ask(
        imigrasi,
        &Request::Carried {
            ticket,
            names: Vec::new(),
        },
    );
    let gone = || Ok((!folder.exists()).then_some(()));
    until("closed folders", PATIENCE, gone).unwrap();
}

#[test]
fn tickets_are_bounded_and_a_start_sweeps_what_they_left() {
    let mut exchange = started();
    let way = exchange.out.clone();
    queued(&mut exchange, &way, "menunggu.csv", "satu");
    let phu = &mut exchange.pair.phu;
    let tickets: Vec<Ticket> = (0..20).map(|_| Ticket::draw().unwrap()).collect();
    for ticket in &tickets {
        let (peer, ticket) = (way.to.clone(), ticket.clone());
        ask(
            phu,
            &Request::Export {
                peer,
                ticket: ticket.clone(),
            },
        );
        answer(phu, &ticket, |answer| answer.files.len() == 1);
    }
    let open = || fs::read_dir(phu.path(home::STICK_OUT)).unwrap().count();
    assert_eq!(open(), 16);
    phu.kill().unwrap();
    phu.start().unwrap();
    assert_eq!(fs::read_dir(phu.path(home::STICK_OUT)).unwrap().count(), 0);
    let stick = stick(&exchange, "sesudah");
    assert_eq!(exported(&exchange.pair.phu, &stick).len(), 1);
}

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
