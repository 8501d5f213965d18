//! A peer that fills its quota is told so and waits, an alarm names it, and everybody else goes on: also its own receipts, and our
//! files to it. When what waits is done, it goes on by itself.

use std::fs;

use amanah_format::home;
use amanah_format::id::PartyId;
use amanah_tests::exchange::{Exchange, PATIENCE, files_below};
use amanah_tests::items::Way;
use amanah_tests::ministry::Ministry;

use crate::program;

/// What the peer may have waiting, and what it sends: digits, of which half is left when they are sealed.
const QUOTA: u64 = 1_500_000;
const BYTES: usize = 2_000_000;

/// Text in which no compressor sees a rule.
fn noise(seed: usize) -> String {
    let mut state = u64::try_from(seed).unwrap() + 1;
    let mut digits = String::new();
    while digits.len() < BYTES {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        digits += &format!("{:016x}", state ^ (state >> 29));
    }
    digits
}

/// Returns the configuration without it.
fn with_quota(ministry: &Ministry) -> String {
    let config = ministry.folder().join(home::CONFIG);
    let text = fs::read_to_string(&config).unwrap();
    fs::write(
        &config,
        format!("{text}\n[limits]\npeer_bytes_max = {QUOTA}\n"),
    )
    .unwrap();
    text
}

fn has_alarm(ministry: &mut Ministry, code: &str, about: &str) {
    ministry
        .wait_for(code, PATIENCE, |status| {
            let alarm = |alarm: &amanahd::snapshot::Alarm| {
                alarm.code == code && alarm.subject.contains(about)
            };
            status.alarms.iter().any(alarm).then_some(())
        })
        .unwrap();
}

fn waits_within_the_quota(receiver: &Ministry, from: &PartyId) {
    let folder = receiver.path(&home::incoming(from));
    let files = files_below(&folder).unwrap();
    // A part that becomes its bundle meanwhile counts under neither name.
    let lengths = files.iter().filter_map(|file| fs::metadata(file).ok());
    let lengths = lengths.map(|metadata| metadata.len());
    let waiting: u64 = lengths.sum();
    assert!(waiting <= QUOTA, "{waiting} bytes wait");
}

/// The receiver's store is missing, so that what arrives waits; then it is back.
fn fills_its_quota(way: impl Fn(&Exchange) -> Way) {
    let mut exchange = Exchange::found(program()).unwrap();
    let way = way(&exchange);
    let (_, receiver) = exchange.pair.sender_and_receiver(&way.from);
    with_quota(receiver);
    exchange.pair.start().unwrap();
    let (_, receiver) = exchange.pair.sender_and_receiver(&way.from);
    let marker = receiver.path(home::INBOX).join(".amanah-store");
    let aside = receiver.folder().with_extension("marker");
    fs::copy(&marker, &aside).unwrap();
    fs::remove_file(&marker).unwrap();

    let mut dropped = Vec::new();
    for number in 1..=3 {
        let name = format!("{number}.bin");
        dropped.push(
            exchange
                .drop_text(&way, &name, &noise(dropped.len()))
                .unwrap(),
        );
        let (sender, _) = exchange.pair.sender_and_receiver(&way.from);
        sender
            .wait_for("its place in the queue", PATIENCE, |status| {
                let queued =
                    |bundle: &&amanahd::snapshot::OutgoingStatus| bundle.sequence.is_some();
                let queued = status.outgoing.iter().filter(queued).count();
                (queued >= number).then_some(())
            })
            .unwrap();
    }
    let (_, receiver) = exchange.pair.sender_and_receiver(&way.from);
    has_alarm(receiver, "quota-exceeded", way.from.as_str());
    waits_within_the_quota(receiver, &way.from);

    // The other way, and its receipts, which come from the peer that is over its quota.
    let other = if way.flow == exchange.out.flow {
        exchange.back.clone()
    } else {
        exchange.out.clone()
    };
    let mine = exchange
        .drop_text(&other, "tetap jalan.csv", "isi")
        .unwrap();
    exchange.settled(&[mine]).unwrap();

    let (sender, receiver) = exchange.pair.sender_and_receiver(&way.from);
    fs::copy(&aside, &marker).unwrap();
    receiver
        .wait_for("no alarm", PATIENCE, |status| {
            sender.run(&["retry"]).unwrap();
            let over = |alarm: &amanahd::snapshot::Alarm| alarm.code == "quota-exceeded";
            (!status.alarms.iter().any(over)).then_some(())
        })
        .unwrap();
    exchange.settled(&dropped).unwrap();
}

/// One that is larger than the quota, until the quota is.
#[test]
fn a_peer_beyond_its_quota_is_told_so_and_everything_else_goes_on() {
    let mut exchange = Exchange::found(program()).unwrap();
    let text = with_quota(&exchange.pair.imigrasi);
    exchange.pair.start().unwrap();
    let (out, back) = (exchange.out.clone(), exchange.back.clone());
    let large = exchange
        .drop_text(&out, "besar.bin", &(noise(1) + &noise(2)))
        .unwrap();
    has_alarm(&mut exchange.pair.imigrasi, "quota-exceeded", "phu");
    has_alarm(&mut exchange.pair.phu, "peer-denies", "quota-exceeded");
    let small = exchange.drop_text(&out, "kecil.csv", "isi").unwrap();
    let mine = exchange.drop_text(&back, "tetap jalan.csv", "isi").unwrap();
    exchange.settled(&[mine]).unwrap();
    let imigrasi = &mut exchange.pair.imigrasi;
    waits_within_the_quota(imigrasi, &out.from);
    imigrasi.stop().unwrap();
    fs::write(imigrasi.folder().join(home::CONFIG), text).unwrap();
    imigrasi.start().unwrap();
    exchange.pair.phu.run(&["retry"]).unwrap();
    let arrived = exchange.settled(&[large, small]).unwrap();
    exchange.holds(&arrived).unwrap();
}

#[test]
#[ignore = "campaign: half a minute"]
fn a_peer_that_uploads_beyond_its_quota_waits_and_goes_on_by_itself() {
    fills_its_quota(|exchange| exchange.out.clone());
}

#[test]
#[ignore = "campaign: the other direction, half a minute"]
fn a_peer_that_offers_beyond_its_quota_waits_and_goes_on_by_itself() {
    fills_its_quota(|exchange| exchange.back.clone());
}
