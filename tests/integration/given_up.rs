//! A number whose payload is lost at its sender is given up, with two real daemons: only on an operator's word, only where it
//! cannot be served, and only by the recipient's signed answer. An import that it crosses stands. SPOOL.md §2, FORMAT.md §14.2.

use std::fs;
use std::path::{Path, PathBuf};

use amanah_format::container::bundle_name;
use amanah_format::digest::Digest;
use amanah_format::home;
use amanah_format::ledger::{Record, RecordKind};
use amanah_tests::exchange::{Dropped, Exchange, PATIENCE, files_below, inbox_tree};
use amanah_tests::gate::{Gate, HOLD_IN};
use amanah_tests::ministry::Ministry;
use amanah_tests::waiting::until;
use amanahd::snapshot::{OutgoingStatus, Snapshot};

use crate::program;
use crate::stores::reconciled;

fn until_alarm(ministry: &mut Ministry, code: &str, wanted: bool) {
    let found = |status: &Snapshot| {
        let mut alarms = status.alarms.iter();
        (alarms.any(|alarm| alarm.code == code) == wanted).then_some(())
    };
    ministry.wait_for(code, PATIENCE, found).unwrap();
}

fn numbered(status: &Snapshot, number: u64) -> Option<&OutgoingStatus> {
    let mut outgoing = status.outgoing.iter();
    outgoing.find(|one| one.sequence == Some(number))
}

fn until_state(ministry: &mut Ministry, number: u64, state: &str) -> Digest {
    let found = |status: &Snapshot| {
        let one = numbered(status, number).filter(|one| one.state == state)?;
        one.manifest.as_ref()?.parse().ok()
    };
    ministry.wait_for(state, PATIENCE, found).unwrap()
}

/// Two numbers wait at the sender, and the payload of the first is gone. Where it would be, too.
fn with_a_loss(exchange: &mut Exchange) -> (Vec<Dropped>, Digest, PathBuf) {
    exchange.pair.phu.start().unwrap();
    let way = exchange.out.clone();
    let mut dropped = Vec::new();
    let mut first = None;
    for (number, name) in [(1, "hilang.csv"), (2, "dua.csv")] {
        dropped.push(exchange.drop_text(&way, name, name).unwrap());
        let manifest = until_state(&mut exchange.pair.phu, number, "queued");
        first = first.or(Some(manifest));
    }
    let manifest = first.unwrap();
    let queue = exchange.pair.phu.path(home::QUEUE).join(way.to.as_str());
    let lies = queue.join(bundle_name(&manifest));
    fs::remove_file(&lies).unwrap();
    (dropped, manifest, lies)
}

fn give_up(exchange: &Exchange, number: &str) {
    let (peer, flow) = (exchange.out.to.as_str(), exchange.out.flow.as_str());
    let words = ["stream", "void", peer, flow, number];
    exchange.pair.phu.run(&words).unwrap();
}

fn records(ministry: &Ministry, manifest: &Digest) -> Vec<Record> {
    let text = fs::read_to_string(ministry.path(home::LEDGER_RECORDS)).unwrap();
    let lines = text
        .lines()
        .map(|line| Record::parse(line.as_bytes()).unwrap());
    lines
        .filter(|record| record.manifest.as_ref() == Some(manifest))
        .collect()
}

/// The end of every story: the first number is refused as given up, its original is back, the others went on.
fn ends_well(exchange: &mut Exchange, dropped: &[Dropped], lost: &Digest) {
    let mut arrived = exchange.settled(&dropped[1..]).unwrap();
    let way = exchange.out.clone();
    until_state(&mut exchange.pair.phu, 1, "returned");
    until_alarm(&mut exchange.pair.imigrasi, "numbers-missing", false);
    until_alarm(&mut exchange.pair.phu, "payload-lost", false);
    let later = exchange.drop_text(&way, "tiga.csv", "tiga").unwrap();
    arrived.extend(exchange.settled(&[later]).unwrap());
    exchange.holds(&arrived).unwrap();
    let returned = exchange.pair.phu.path(home::RETURNED);
    let returned = returned.join(way.to.as_str()).join(way.flow.as_str());
    assert_eq!(
        fs::read_to_string(returned.join("hilang.csv")).unwrap(),
        "hilang.csv"
    );
    let why = fs::read_to_string(returned.join("hilang.csv.why.txt")).unwrap();
    assert!(why.contains("voided"), "{why}");
    let (phu, imigrasi) = (&exchange.pair.phu, &exchange.pair.imigrasi);
    let slip = one_file(&imigrasi.path(home::SPOOL).join("voids"));
    let ours = records(phu, lost).into_iter();
    let ours: Vec<_> = ours
        .filter(|record| record.kind == RecordKind::Voided)
        .collect();
    assert_eq!(ours.len(), 1, "{ours:?}");
    assert_eq!(ours[0].code.as_deref(), Some("payload-lost"));
    assert_eq!(ours[0].by, Some(rustix::process::getuid().as_raw()));
    let digest = ours[0].digests[0].to_hex();
    assert!(
        slip.to_string_lossy().contains(&digest),
        "another slip is kept"
    );
    let theirs = records(imigrasi, lost).into_iter();
    let kinds: Vec<_> = theirs.map(|record| (record.kind, record.code)).collect();
    assert_eq!(kinds[0], (RecordKind::Refused, Some("voided".to_owned())));
    imigrasi
        .run(&["verify".as_ref(), slip.as_os_str()])
        .unwrap();
    assert_eq!(inbox_tree(imigrasi).unwrap().len(), arrived.len());
    // A number that was given up is no gap and no difference.
    reconciled::noted(exchange, &["voided"]);
}

fn one_file(folder: &Path) -> PathBuf {
    let mut found = files_below(folder).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn a_number_whose_payload_is_lost_is_given_up_and_later_numbers_go_on() {
    let mut exchange = Exchange::found(program()).unwrap();
    let (dropped, lost, _) = with_a_loss(&mut exchange);
    exchange.pair.imigrasi.start().unwrap();
    until_alarm(&mut exchange.pair.imigrasi, "numbers-missing", true);
    until_alarm(&mut exchange.pair.phu, "payload-lost", true);
    // What is whole is not given up, whoever asks; nor what was never sealed.
    let way = exchange.out.clone();
    for number in ["2", "9"] {
        give_up(&exchange, number);
        let subject = format!("{} {} {number}", way.to, way.flow);
        let denied = |status: &Snapshot| {
            let mut alarms = status.alarms.iter();
            alarms
                .find(|one| one.code == "void-denied" && one.subject == subject)
                .map(drop)
        };
        exchange
            .pair
            .phu
            .wait_for("a denial", PATIENCE, denied)
            .unwrap();
    }
    for _ in 0..3 {
        give_up(&exchange, "1");
    }
    ends_well(&mut exchange, &dropped, &lost);
}

#[test]
fn a_void_that_crosses_an_import_changes_nothing_and_the_receipt_is_true() {
    let mut exchange = Exchange::found(program()).unwrap();
    let gates = exchange.folder().join("gerbang");
    fs::create_dir(&gates).unwrap();
    let imigrasi = &mut exchange.pair.imigrasi;
    let held = imigrasi
        .launch()
        .clone()
        .with(HOLD_IN, &gates.to_string_lossy());
    let gate = Gate::shut(&gates, "import.committed").unwrap();
    imigrasi.launch_daemon(&held).unwrap();
    exchange.pair.phu.start().unwrap();
    let way = exchange.out.clone();
    let dropped = exchange.drop_text(&way, "satu.csv", "satu").unwrap();
    gate.until_reached().unwrap();
    let manifest = until_state(&mut exchange.pair.phu, 1, "handed-over");
    let queue = exchange.pair.phu.path(home::QUEUE).join(way.to.as_str());
    fs::remove_file(queue.join(bundle_name(&manifest))).unwrap();
    give_up(&exchange, "1");
    let log = exchange.pair.imigrasi.log();
    until("the void heard", PATIENCE, || {
        let text = fs::read_to_string(&log)?;
        Ok(text.contains("the peer gives a number up").then_some(()))
    })
    .unwrap();
    drop(gate);
    let arrived = exchange.settled(&[dropped]).unwrap();
    exchange.holds(&arrived).unwrap();
    let kinds = records(&exchange.pair.imigrasi, &manifest).into_iter();
    let kinds: Vec<_> = kinds.map(|record| record.kind).collect();
    assert!(kinds.contains(&RecordKind::Imported) && !kinds.contains(&RecordKind::Refused));
}

/// One side dies at a point of the story, and comes back.
fn one_dies_at(point: &str, sender: bool) {
    let mut exchange = Exchange::found(program()).unwrap();
    let (dropped, lost, _) = with_a_loss(&mut exchange);
    if sender {
        exchange.pair.phu.stop().unwrap();
    }
    let victim = match sender {
        true => &mut exchange.pair.phu,
        false => &mut exchange.pair.imigrasi,
    };
    let dying = victim.launch().clone().with("AMANAH_KILL_AT", point);
    victim.launch_daemon(&dying).unwrap();
    give_up(&exchange, "1");
    let victim = match sender {
        true => &mut exchange.pair.phu,
        false => &mut exchange.pair.imigrasi,
    };
    victim.until_ended().unwrap();
    victim.start().unwrap();
    if sender {
        exchange.pair.imigrasi.start().unwrap();
    }
    ends_well(&mut exchange, &dropped, &lost);
}

#[test]
fn a_sender_killed_when_it_has_given_a_number_up_goes_on_to_say_it() {
    one_dies_at("void.given-up", true);
}

#[test]
fn a_recipient_killed_when_it_has_kept_the_slip_answers_all_the_same() {
    one_dies_at("void.kept", false);
}

#[test]
fn a_recipient_killed_when_it_has_closed_the_number_answers_all_the_same() {
    one_dies_at("void.heard", false);
}

#[test]
fn what_is_left_of_a_slip_goes_at_the_next_start_and_one_that_is_fetched_leaves_nothing() {
    let mut exchange = Exchange::connected(program()).unwrap();
    let way = exchange.out.clone();
    exchange.pair.phu.stop().unwrap();
    let name = format!("{}.slip.amanah.part", Digest::of(b"usang").to_hex());
    let incoming = exchange.pair.phu.path(&home::incoming(&way.to));
    fs::create_dir_all(&incoming).unwrap();
    fs::write(incoming.join(name), "sepotong").unwrap();
    exchange.pair.phu.start().unwrap();
    let dropped = exchange.drop_text(&way, "satu.csv", "satu").unwrap();
    let arrived = exchange.settled(&[dropped]).unwrap();
    exchange.holds(&arrived).unwrap();
    assert_eq!(fs::read_dir(&incoming).unwrap().count(), 0);
}
