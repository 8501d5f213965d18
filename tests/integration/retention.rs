//! After the agreed days: originals and sealed copies are destroyed on both sides, once, with a record in each ledger, though a
//! process dies on the way; receipts, rows and what others agreed longer stay. The agreement here says: no day at all.

use std::fs;
use std::path::PathBuf;

use amanah_format::digest::Digest;
use amanah_format::home;
use amanah_tests::exchange::{Exchange, PATIENCE, files_below};
use amanah_tests::ministry::Ministry;
use amanah_tests::waiting::until;
use amanah_tests::{evidence, papers};
use rustix::process::Signal;

use crate::program;

const AGREEMENT: &str = "pks-singkat";
const FLOW: &str = "singkat";
const POINT: &str = "retention.removed";

/// Two that agreed to keep what goes over this flow for no day; the demo's own flows are kept for thirty.
pub(crate) fn short_lived() -> Exchange {
    let mut exchange = Exchange::found(program()).unwrap();
    let flow = format!("{FLOW}:out:1000000:normal:0");
    let pair = (&exchange.pair.phu, &exchange.pair.imigrasi);
    papers::agree(pair, AGREEMENT, &[&flow], exchange.folder()).unwrap();
    exchange.out.flow = FLOW.parse().unwrap();
    exchange
}

/// Where the bytes of a bundle from `phu` to `imigrasi` lie after it was imported.
fn copies(exchange: &Exchange, manifest: &Digest, name: &str) -> [PathBuf; 3] {
    let (phu, imigrasi) = (&exchange.pair.phu, &exchange.pair.imigrasi);
    let archive = imigrasi.path(home::SPOOL).join("archive/received/phu");
    [
        phu.archived(imigrasi.party(), manifest),
        phu.path(home::SENT).join("imigrasi").join(FLOW).join(name),
        archive.join(amanah_format::container::bundle_name(manifest)),
    ]
}

/// Waits for the state in which the sender's status shows the item, and gives its manifest.
fn in_state(exchange: &mut Exchange, name: &str, state: &str) -> Digest {
    let shown = exchange.pair.phu.wait_for(state, PATIENCE, |status| {
        let mut bundles = status.outgoing.iter();
        let carries = bundles.find(|bundle| bundle.items.iter().any(|item| item.name == name));
        let bundle = carries.filter(|bundle| bundle.state == state)?;
        bundle.manifest.clone()
    });
    shown.unwrap().parse().unwrap()
}

/// How many records of this kind a published ledger has of the bundle.
fn records(ministry: &Ministry, kind: &str, manifest: &Digest) -> usize {
    let lines = ministry.path(home::LEDGER).join("records.jsonl");
    let (kind, digest) = (format!("\"kind\":\"{kind}\""), manifest.to_string());
    let lines = fs::read_to_string(lines).unwrap();
    let of = |line: &&str| line.contains(&kind) && line.contains(&digest);
    lines.lines().filter(of).count()
}

fn until_recorded(ministry: &Ministry, manifest: &Digest) {
    let what = format!("the destruction at {}", ministry.party());
    let found = until(&what, PATIENCE, || {
        Ok((records(ministry, "destroyed", manifest) > 0).then_some(()))
    });
    found.unwrap();
}

/// Destroyed on both sides: no copy is left, one record is, and everything is proved as before.
fn is_destroyed(exchange: &mut Exchange, name: &str) {
    let manifest = in_state(exchange, name, "destroyed");
    until_recorded(&exchange.pair.phu, &manifest);
    until_recorded(&exchange.pair.imigrasi, &manifest);
    for copy in copies(exchange, &manifest, name) {
        assert!(!copy.exists(), "{} is left", copy.display());
    }
    let (phu, imigrasi) = (&exchange.pair.phu, &exchange.pair.imigrasi);
    for ministry in [phu, imigrasi] {
        assert_eq!(
            records(ministry, "destroyed", &manifest),
            1,
            "{}",
            ministry.party()
        );
        evidence::verify_ledger(ministry).unwrap();
    }
    assert!(evidence::verify_receipts(phu, imigrasi).unwrap() > 0);
    let inbox = imigrasi.path(home::INBOX).join("phu").join(FLOW);
    let names = files_below(&inbox).unwrap();
    assert!(
        names.iter().any(|path| path.ends_with(name)),
        "what was imported is its consumers'"
    );
}

#[test]
fn what_is_past_its_days_is_destroyed_on_both_sides_and_the_rest_is_kept() {
    let mut exchange = short_lived();
    exchange.pair.start().unwrap();
    let longer = exchange.pair.ways().unwrap()[0].clone();
    let kept = exchange
        .drop_text(&longer, "tiga puluh hari.csv", "lama")
        .unwrap();
    let kept = exchange.settled(&[kept]).unwrap();
    let way = exchange.out.clone();
    exchange.drop_text(&way, "singkat.csv", "satu").unwrap();
    is_destroyed(&mut exchange, "singkat.csv");
    exchange.pair.imigrasi.kill().unwrap();
    exchange.pair.imigrasi.start().unwrap();
    exchange.pair.until_connected().unwrap();
    exchange
        .drop_text(&way, "sesudah mulai lagi.csv", "dua")
        .unwrap();
    is_destroyed(&mut exchange, "sesudah mulai lagi.csv");
    let receiver = exchange.pair.imigrasi.path(home::SPOOL);
    let archive = files_below(&receiver.join("archive/received/phu")).unwrap();
    assert_eq!(archive.len(), kept.len(), "{archive:?}");
    let log = fs::read_to_string(exchange.pair.imigrasi.log()).unwrap();
    assert!(
        !log.contains("lost an import"),
        "what was destroyed is not missed"
    );
}

fn dies_while_it_destroys(victim: fn(&mut Exchange) -> &mut Ministry) {
    let mut exchange = short_lived();
    let launch = victim(&mut exchange).launch().clone();
    let armed = launch.clone().with("AMANAH_KILL_AT", POINT);
    victim(&mut exchange).types_through(armed);
    exchange.pair.start().unwrap();
    victim(&mut exchange).types_through(launch);
    let way = exchange.out.clone();
    exchange.drop_text(&way, "singkat.csv", "satu").unwrap();
    let status = victim(&mut exchange).until_ended().unwrap();
    assert_eq!(
        std::os::unix::process::ExitStatusExt::signal(&status),
        Some(Signal::KILL.as_raw())
    );
    victim(&mut exchange).start().unwrap();
    is_destroyed(&mut exchange, "singkat.csv");
    exchange.drop_text(&way, "sesudah mati.csv", "dua").unwrap();
    is_destroyed(&mut exchange, "sesudah mati.csv");
}

#[test]
fn a_sender_killed_while_it_destroys_destroys_once() {
    dies_while_it_destroys(|exchange| &mut exchange.pair.phu);
}

#[test]
fn a_recipient_killed_while_it_destroys_destroys_once() {
    dies_while_it_destroys(|exchange| &mut exchange.pair.imigrasi);
}
