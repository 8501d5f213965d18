//! Thirty days, by a clock that is moved (libfaketime): rows that are due go and rows that a later bundle took over stay; files go, but
//! for what is held; nothing of what was destroyed is in any file of either home, and all of it is proved to have been exchanged, by
//! `amanah` and by the stock tools of FORMAT.md §19.

use std::fs;
use std::path::{Path, PathBuf};

use amanah_format::digest::Digest;
use amanah_format::home;
use amanah_tests::exchange::{Exchange, PATIENCE, files_below};
use amanah_tests::ministry::Ministry;
use amanah_tests::waiting::until;
use amanah_tests::{evidence, printed};
use serde_json::json;

use super::by_hold::{due, until_due};
use super::{is_certified, records};
use crate::stores::ground::{ask, delivered, founded, row, rows_of, table};

/// Where Debian has it.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
const FORMAT: &str = include_str!("../../../format/FORMAT.md");
/// In contents, and in names.
const CANARY: &str = "KENARI-3201-Rahmawati";
const DAY: u32 = 86_400;

/// The file that says what a ministry's clock is: in its home, for a daemon reads nowhere else.
fn clock_of(ministry: &Ministry) -> PathBuf {
    ministry.home().join("jam")
}

/// Sets the clocks of both: so many days ahead.
fn set_clocks(exchange: &Exchange, days: u32) {
    for ministry in [&exchange.pair.phu, &exchange.pair.imigrasi] {
        fs::write(clock_of(ministry), format!("+{}", days * DAY)).unwrap();
    }
}

/// Both daemons, and the commands that are typed, go by these clocks.
fn by_clock(exchange: &mut Exchange) {
    set_clocks(exchange, 0);
    for ministry in [&mut exchange.pair.phu, &mut exchange.pair.imigrasi] {
        let launch = ministry.launch().clone();
        let launch = launch
            .with("LD_PRELOAD", FAKETIME)
            .with(
                "FAKETIME_TIMESTAMP_FILE",
                &clock_of(ministry).to_string_lossy(),
            )
            .with("FAKETIME_NO_CACHE", "1")
            .with("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        ministry.types_through(launch);
    }
}

fn sings(ministry: &Ministry) -> Vec<String> {
    let files = files_below(ministry.home()).unwrap().into_iter();
    let sings = |file: &std::path::PathBuf| {
        let bytes = fs::read(file).unwrap_or_default();
        let needle = CANARY.as_bytes();
        bytes.windows(needle.len()).any(|window| window == needle)
            || file.to_string_lossy().contains(CANARY)
    };
    let found = files.filter(sings);
    found.map(|file| file.display().to_string()).collect()
}

/// The receipt of what imigrasi sent back last.
fn sent_back(exchange: &mut Exchange, name: &str, text: &str) -> Digest {
    let way = exchange.back.clone();
    let dropped = exchange.drop_text(&way, name, text).unwrap();
    exchange.settled(&[dropped]).unwrap()[0].manifest
}

/// FORMAT.md §19 taken at its word, on the first destruction record of a ministry.
fn by_stock_tools(exchange: &Exchange, ministry: &Ministry) {
    let folder = exchange
        .folder()
        .join(format!("periksa-{}", ministry.party()));
    fs::create_dir(&folder).unwrap();
    let records = files_below(&ministry.path(home::DESTRUCTIONS)).unwrap();
    let record = &records[0];
    fs::copy(record, folder.join(record.file_name().unwrap())).unwrap();
    fs::copy(
        ministry.path(home::LEDGER_RECORDS),
        folder.join("records.jsonl"),
    )
    .unwrap();
    let signers = ministry.run(&["card", "allowed-signers"]).unwrap().stdout;
    // Its key began before its clock was moved; stock ssh-keygen goes by the machine's.
    fs::write(folder.join("allowed_signers"), signers).unwrap();
    let block = printed::block(FORMAT, "destruction").unwrap();
    let said = printed::run_well(block, &folder).unwrap();
    assert!(said.contains("Good \"destruction@amanah\""), "{said}");
    let wrong = fs::read_to_string(folder.join("records.jsonl")).unwrap();
    let wrong = wrong.replace("\"kind\":\"destroyed\"", "\"kind\":\"settled\"");
    fs::write(folder.join("records.jsonl"), wrong).unwrap();
    assert!(!printed::run(block, &folder).unwrap().status.success());
}

#[test]
fn after_thirty_days_nothing_is_left_but_the_proof() {
    if !Path::new(FAKETIME).exists() {
        println!("retention: not run here: libfaketime is not installed");
        return;
    }
    let mut exchange = founded(&json!({"mode": "upsert", "key": ["nomor"], "partition": null}));
    by_clock(&mut exchange);
    exchange.pair.start().unwrap();
    let first = delivered(
        &mut exchange,
        &format!("{CANARY}.csv"),
        &rows_of(1, 3, CANARY),
    );
    let (held, sent) = (exchange.back.clone(), sent_back_named(&mut exchange));
    let phu = &exchange.pair.phu;
    let reason = ["--reason", "Perkara 7"];
    let words = ["retention", "hold", "imigrasi", held.flow.as_str()];
    phu.run(&[&words[..], &reason].concat()).unwrap();
    assert!(!sings(&exchange.pair.phu).is_empty() && !sings(&exchange.pair.imigrasi).is_empty());
    // Twenty days later another bundle takes one row over.
    set_clocks(&exchange, 20);
    let rows = [row(3, "2030-01-09", "baru"), row(4, "2030-01-09", "baru")];
    let rows = table(&rows.each_ref().map(String::as_str));
    let second = delivered(&mut exchange, "baru.csv", &rows);
    is_scheduled(
        &exchange.pair.imigrasi,
        [&first.manifest, &sent],
        &second.manifest,
    );
    assert_eq!(
        records(&exchange.pair.imigrasi, "destroyed", &first.manifest),
        0
    );
    set_clocks(&exchange, 31);
    is_certified(&exchange.pair.imigrasi, &first.manifest, (0, 2));
    is_certified(&exchange.pair.phu, &first.manifest, (1, 0));
    is_certified(&exchange.pair.imigrasi, &sent, (1, 0));
    let left = "SELECT nomor, nama, amanah_import FROM TABEL ORDER BY nomor";
    assert_eq!(ask(&exchange, left), ["U-000003|baru|2", "U-000004|baru|2"]);
    assert_eq!(
        records(&exchange.pair.imigrasi, "destroyed", &second.manifest),
        0
    );
    held_then_let_go(&exchange, &sent, held.flow.as_str());
    for ministry in [&exchange.pair.phu, &exchange.pair.imigrasi] {
        // The status is written anew a moment after the names are gone.
        until("silence", PATIENCE, || {
            Ok(sings(ministry).is_empty().then_some(()))
        })
        .unwrap_or_else(|error| panic!("{error}: {:?}", sings(ministry)));
        by_stock_tools(&exchange, ministry);
    }
    proved_after_a_restart(&mut exchange, &first.manifest);
}

/// The list of the next fifteen days has these, and not that one.
fn is_scheduled(ministry: &Ministry, these: [&Digest; 2], other: &Digest) {
    let said = || due(ministry, &["--within", "15"]);
    let found = until("the list", PATIENCE, || {
        let said = said();
        let due = said["due"].as_array().unwrap().iter();
        let scheduled = due.filter(|one| one["state"] == "scheduled");
        let listed: Vec<_> = scheduled.map(|one| one["manifest"].to_string()).collect();
        let has = |one: &Digest| listed.contains(&format!("\"{one}\""));
        Ok((these.into_iter().all(has) && !has(other)).then_some(()))
    });
    found.unwrap_or_else(|error| panic!("{error}: {}", said()));
}

fn sent_back_named(exchange: &mut Exchange) -> Digest {
    sent_back(exchange, &format!("{CANARY}-hasil.csv"), CANARY)
}

/// What is held stays; when it is let go it is destroyed as soon as somebody says so, and not before.
fn held_then_let_go(exchange: &Exchange, sent: &Digest, flow: &str) {
    let phu = &exchange.pair.phu;
    let said = until_due(phu, "hold", 1);
    assert_eq!(said["due"][0]["manifest"], sent.to_string());
    assert_eq!(records(phu, "destroyed", sent), 0);
    let dry = phu.run(&["retention", "run", "--dry-run"]).unwrap().stdout;
    assert!(!dry.contains(&sent.to_string()), "{dry}");
    let inbox = files_below(&phu.path(home::INBOX).join("imigrasi")).unwrap();
    assert_eq!(inbox.len(), 1, "{inbox:?}");
    let words = ["retention", "hold", "imigrasi", flow, "--release"];
    phu.run(&[&words[..], &["--reason", "Perkara selesai"]].concat())
        .unwrap();
    let said = until_due(phu, "due", 1);
    assert_eq!(said["holds"], json!([]));
    let dry = phu.run(&["retention", "run", "--dry-run"]).unwrap().stdout;
    assert!(dry.contains(&sent.to_string()), "{dry}");
    phu.run(&["retention", "run"]).unwrap();
    is_certified(phu, sent, (1, 0));
}

/// Receipts, ledgers and the store's memory say what they said before; nothing is imported anew.
fn proved_after_a_restart(exchange: &mut Exchange, manifest: &Digest) {
    exchange.pair.imigrasi.kill().unwrap();
    exchange.pair.imigrasi.start().unwrap();
    exchange.pair.until_connected().unwrap();
    let again = delivered(exchange, "sesudah.csv", &rows_of(9, 1, "sesudah"));
    let (phu, imigrasi) = (&exchange.pair.phu, &exchange.pair.imigrasi);
    evidence::verify_receipts(phu, imigrasi).unwrap();
    let receipt = phu.receipt(imigrasi.party(), manifest);
    let said = phu
        .run(&["verify", &receipt.to_string_lossy(), "--json"])
        .unwrap();
    assert!(said.stdout.contains("\"imported\""), "{}", said.stdout);
    for ministry in [phu, imigrasi] {
        evidence::verify_ledger(ministry).unwrap();
        assert!(sings(ministry).is_empty(), "{:?}", sings(ministry));
    }
    let known = "SELECT count(*), sum(destroyed IS NOT NULL) FROM amanah_imports";
    assert_eq!(ask(exchange, known), ["3|1"]);
    let log = fs::read_to_string(imigrasi.log()).unwrap();
    assert!(!log.contains("lost an import"), "{}", again.manifest);
}
