//! After the agreed days: originals, imports and sealed copies are destroyed on both sides, once, with a record in each ledger and a
//! signed destruction record, though a process dies on the way; receipts, rows and what others agreed longer stay. The agreement here
//! says: no day at all; `moved` has the thirty days of the demo's own, and a clock that is moved.

pub(crate) mod by_hold;
pub(crate) mod came_back;
mod moved;
pub(crate) mod tables;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use amanah_format::destruction;
use amanah_format::digest::Digest;
use amanah_format::home;
use amanah_tests::exchange::{Exchange, PATIENCE, files_below};
use amanah_tests::ministry::Ministry;
use amanah_tests::waiting::until;
use amanah_tests::{evidence, papers};
use rustix::process::Signal;
use serde_json::Value;

use crate::program;

const AGREEMENT: &str = "pks-singkat";
const FLOW: &str = "singkat";

/// Two that agreed to keep what goes over this flow for no day; the demo's own flows are kept for thirty.
pub(crate) fn short_lived() -> Exchange {
    let mut exchange = Exchange::found(program()).unwrap();
    let flow = format!("{FLOW}:out:1000000:normal:0");
    let pair = (&exchange.pair.phu, &exchange.pair.imigrasi);
    papers::agree(pair, AGREEMENT, &[&flow], exchange.folder()).unwrap();
    exchange.out.flow = FLOW.parse().unwrap();
    exchange
}

/// Manifests of which the sender has a receipt.
fn answered(exchange: &Exchange) -> BTreeSet<Digest> {
    let (phu, imigrasi) = (&exchange.pair.phu, &exchange.pair.imigrasi);
    let folder = phu.path(&home::receipts_received(imigrasi.party()));
    let names = files_below(&folder).unwrap().into_iter();
    let names = names.filter_map(|path| path.file_name()?.to_str().map(str::to_owned));
    names
        .filter_map(|name| amanah_format::receipt::parse_name(&name))
        .collect()
}

/// Drops a text in the flow of no day, and waits for its receipt: what it is called may be forgotten by then.
pub(crate) fn exchanged(exchange: &mut Exchange, name: &str, text: &str) -> Digest {
    let (before, way) = (answered(exchange), exchange.out.clone());
    exchange.drop_text(&way, name, text).unwrap();
    let found = until("the receipt", PATIENCE, || {
        Ok(answered(exchange).difference(&before).next().copied())
    });
    found.unwrap()
}

/// Where the bytes of a bundle from `phu` to `imigrasi` lie after it was imported.
fn copies(exchange: &Exchange, manifest: &Digest) -> Vec<PathBuf> {
    let (phu, imigrasi) = (&exchange.pair.phu, &exchange.pair.imigrasi);
    let archive = imigrasi.path(home::SPOOL).join("archive/received/phu");
    let mut copies = vec![
        phu.archived(imigrasi.party(), manifest),
        archive.join(amanah_format::container::bundle_name(manifest)),
    ];
    copies.retain(|copy| copy.exists());
    for folder in [
        phu.path(home::SENT).join("imigrasi").join(FLOW),
        imigrasi.path(home::INBOX).join("phu").join(FLOW),
        imigrasi.path(home::INBOX_STAGING),
    ] {
        copies.extend(files_below(&folder).unwrap());
    }
    copies
}

/// How many records of this kind a published ledger has of the bundle.
fn records(ministry: &Ministry, kind: &str, manifest: &Digest) -> usize {
    let lines = ministry.path(home::LEDGER_RECORDS);
    let (kind, digest) = (format!("\"kind\":\"{kind}\""), manifest.to_string());
    let lines = fs::read_to_string(lines).unwrap();
    let of = |line: &&str| line.contains(&kind) && line.contains(&digest);
    lines.lines().filter(of).count()
}

/// What the destruction records of a ministry say, each verified by `amanah verify`.
fn certified(ministry: &Ministry) -> Vec<Value> {
    let mut files = files_below(&ministry.path(home::DESTRUCTIONS)).unwrap();
    // Others are being written.
    files.retain(|file| file.to_string_lossy().ends_with(destruction::SUFFIX));
    if files.is_empty() {
        return Vec::new();
    }
    let mut words = vec!["verify".to_owned(), "--json".to_owned()];
    words.extend(files.iter().map(|file| file.to_string_lossy().into_owned()));
    let said = ministry.run(&words).unwrap().stdout;
    let said: Value = serde_json::from_str(&said).unwrap();
    let files = said["files"].as_array().unwrap().iter();
    files
        .map(|file| {
            assert_eq!(file["kind"], "destruction");
            assert!(file["verified"].as_bool().unwrap(), "{file}");
            file["facts"].clone()
        })
        .collect()
}

/// What they say of one bundle, each with its document.
fn said_of(ministry: &Ministry, manifest: &Digest) -> Vec<(Value, Value)> {
    let mut found = Vec::new();
    for document in certified(ministry) {
        for bundle in document["bundles"].as_array().unwrap() {
            if bundle["manifest"] == manifest.to_string() {
                found.push((bundle.clone(), document.clone()));
            }
        }
    }
    found
}

/// Certified once, with these counts, and its record of the ledger is the one that is named.
fn is_certified(ministry: &Ministry, manifest: &Digest, (files, rows): (u64, u64)) {
    let who = ministry.party();
    until(&format!("the record of {who}"), PATIENCE, || {
        let recorded = records(ministry, "destroyed", manifest) > 0;
        Ok((recorded && !said_of(ministry, manifest).is_empty()).then_some(()))
    })
    .unwrap();
    let said = said_of(ministry, manifest);
    assert_eq!(said.len(), 1, "{who}: {said:?}");
    let (bundle, document) = &said[0];
    assert_eq!(
        (&bundle["files"], &bundle["rows"], &bundle["sealed"]),
        (&files.into(), &rows.into(), &true.into()),
        "{who}"
    );
    assert_eq!(document["from"], who.as_str());
    assert_eq!(records(ministry, "destroyed", manifest), 1, "{who}");
    let lines = fs::read_to_string(ministry.path(home::LEDGER_RECORDS)).unwrap();
    let index = usize::try_from(bundle["record"].as_u64().unwrap()).unwrap();
    let line = lines.lines().nth(index).unwrap();
    assert!(line.contains(&manifest.to_string()) && line.contains("\"kind\":\"destroyed\""));
    evidence::verify_ledger(ministry).unwrap();
}

/// Destroyed on both sides: no copy is left, one record and one destruction record are, and everything is proved as before.
pub(crate) fn is_destroyed(exchange: &Exchange, manifest: &Digest) {
    for ministry in [&exchange.pair.phu, &exchange.pair.imigrasi] {
        is_certified(ministry, manifest, (1, 0));
    }
    let left = copies(exchange, manifest);
    assert!(left.is_empty(), "left: {left:?}");
    let (phu, imigrasi) = (&exchange.pair.phu, &exchange.pair.imigrasi);
    assert!(evidence::verify_receipts(phu, imigrasi).unwrap() > 0);
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
    let first = exchanged(&mut exchange, "singkat.csv", "satu");
    is_destroyed(&exchange, &first);
    exchange.pair.imigrasi.kill().unwrap();
    exchange.pair.imigrasi.start().unwrap();
    exchange.pair.until_connected().unwrap();
    let second = exchanged(&mut exchange, "sesudah mulai lagi.csv", "dua");
    is_destroyed(&exchange, &second);
    let receiver = exchange.pair.imigrasi.path(home::SPOOL);
    let archive = files_below(&receiver.join("archive/received/phu")).unwrap();
    assert_eq!(archive.len(), kept.len(), "{archive:?}");
    let inbox = exchange.pair.imigrasi.path(home::INBOX);
    let inbox = files_below(&inbox.join("phu").join(longer.flow.as_str())).unwrap();
    assert_eq!(inbox.len(), 1, "{inbox:?}");
    let log = fs::read_to_string(exchange.pair.imigrasi.log()).unwrap();
    assert!(
        !log.contains("lost an import"),
        "what was destroyed is not missed"
    );
}

/// Both die at the point, or the one side that passes it, and each goes on: destroyed, recorded and certified once.
fn dies_while_it_destroys(point: &str, victims: &[fn(&mut Exchange) -> &mut Ministry]) {
    let mut exchange = short_lived();
    for victim in victims {
        let ministry = victim(&mut exchange);
        let launch = ministry.launch().clone();
        ministry.types_through(launch.clone().with("AMANAH_KILL_AT", point));
        ministry.start().unwrap();
        ministry.types_through(launch);
    }
    for ministry in [&mut exchange.pair.imigrasi, &mut exchange.pair.phu] {
        if ministry.daemon_id().is_none() {
            ministry.start().unwrap();
        }
    }
    let way = exchange.out.clone();
    exchange.drop_text(&way, "singkat.csv", "satu").unwrap();
    for victim in victims {
        let ministry = victim(&mut exchange);
        let status = ministry.until_ended().unwrap();
        assert_eq!(
            std::os::unix::process::ExitStatusExt::signal(&status),
            Some(Signal::KILL.as_raw())
        );
        ministry.start().unwrap();
    }
    let found = until("the receipt", PATIENCE, || {
        Ok(answered(&exchange).first().copied())
    });
    is_destroyed(&exchange, &found.unwrap());
}

const SENDER: fn(&mut Exchange) -> &mut Ministry = |exchange| &mut exchange.pair.phu;
const RECIPIENT: fn(&mut Exchange) -> &mut Ministry = |exchange| &mut exchange.pair.imigrasi;

/// Points that both sides pass, and those that the recipient alone does.
macro_rules! dies {
    ($($name:ident at $point:literal by $victims:expr;)+) => {
        $(#[test]
        fn $name() {
            dies_while_it_destroys($point, &$victims);
        })+
    };
}

dies! {
    killed_when_it_has_begun_it_destroys_once at "retention.begun" by [RECIPIENT, SENDER];
    killed_when_a_folder_is_put_aside_it_destroys_once at "files.put-aside" by [RECIPIENT];
    killed_when_the_store_is_emptied_it_destroys_once at "retention.store-emptied" by [RECIPIENT];
    killed_when_all_is_removed_it_destroys_once at "retention.removed" by [RECIPIENT, SENDER];
    killed_when_it_is_certified_the_record_is_written_once at "retention.certified" by [RECIPIENT, SENDER];
    killed_when_the_record_is_written_there_is_one at "retention.record-written" by [RECIPIENT, SENDER];
}
