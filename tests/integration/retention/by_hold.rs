//! Legal holds: what is held stays, whoever's days are over; a hold that comes while a run is going stops the next item; its end lets
//! go. Asked for by files in `requests/`, also while the daemon is stopped, and recorded with who asked.

use std::fs;

use amanah_format::home;
use amanah_tests::exchange::{Exchange, PATIENCE};
use amanah_tests::gate::{Gate, looks_for_gates};
use amanah_tests::ministry::Ministry;
use amanah_tests::waiting::until;
use serde_json::Value;

use super::{FLOW, copies, exchanged, is_certified, is_destroyed, records, short_lived};

fn hold(ministry: &Ministry, peer: &str, more: &[&str]) {
    let words = [
        "retention",
        "hold",
        peer,
        FLOW,
        "--reason",
        "Perkara 12/2026",
    ];
    ministry.run(&[&words, more].concat()).unwrap();
}

/// What `amanah retention due` says.
pub(super) fn due(ministry: &Ministry, more: &[&str]) -> Value {
    let words = [&["retention", "due", "--json"], more].concat();
    serde_json::from_str(&ministry.run(&words).unwrap().stdout).unwrap()
}

/// Waits until it says of so many bundles that they are in this state.
pub(crate) fn until_due(ministry: &Ministry, state: &str, many: usize) -> Value {
    let what = format!("{many} bundles {state}");
    let found = until(&what, PATIENCE, || {
        if !ministry.path(home::RETENTION).exists() {
            return Ok(None);
        }
        let said = due(ministry, &[]);
        let bundles = said["due"].as_array().unwrap().iter();
        let found = bundles.filter(|bundle| bundle["state"] == state).count();
        Ok((found == many).then_some(said))
    });
    found.unwrap()
}

fn asked(ministry: &Ministry, verb: &str) -> usize {
    let lines = fs::read_to_string(ministry.path(home::LEDGER_RECORDS)).unwrap();
    let code = format!("\"code\":\"{verb}\"");
    lines.lines().filter(|line| line.contains(&code)).count()
}

#[test]
fn what_no_agreement_and_no_ledger_knows_is_not_held() {
    let mut exchange = short_lived();
    exchange.pair.start().unwrap();
    let manifest = exchanged(&mut exchange, "satu.csv", "satu");
    let imigrasi = &exchange.pair.imigrasi;
    let asked_for = |flow: &str, more: &[&str]| {
        let words = [
            "retention",
            "hold",
            "phu",
            flow,
            "--reason",
            "Perkara 12/2026",
        ];
        let ran = imigrasi.attempt(&[&words, more].concat()).unwrap();
        (ran.status.code(), ran.stderr)
    };
    let (code, said) = asked_for("bukan-alur", &[]);
    assert!(code == Some(64) && said.contains(FLOW), "{said}");
    let other = format!("sha256:{}", "ab".repeat(32));
    let (code, said) = asked_for(FLOW, &["--bundle", &other]);
    assert!(code == Some(64) && said.contains(&other), "{said}");
    let (code, said) = asked_for(FLOW, &["--release"]);
    assert!(code == Some(0) && said.contains("retention due"), "{said}");
    assert_eq!(
        asked_for(FLOW, &["--bundle", &manifest.to_hex()]),
        (Some(0), String::new())
    );
}

fn destroyed_at_recipient(
    exchange: &Exchange,
    manifests: &[amanah_format::digest::Digest],
) -> usize {
    let imigrasi = &exchange.pair.imigrasi;
    let of = |manifest| records(imigrasi, "destroyed", manifest);
    manifests.iter().map(of).sum()
}

#[test]
fn a_hold_keeps_what_is_due_and_one_that_comes_while_it_runs_stops_the_next() {
    let mut exchange = short_lived();
    let gates = exchange.folder().join("gerbang");
    // Before it ever ran, and while it is stopped: its file is enough.
    fs::create_dir_all(exchange.pair.imigrasi.path(home::REQUESTS)).unwrap();
    hold(&exchange.pair.imigrasi, "phu", &[]);
    looks_for_gates(&mut exchange.pair.imigrasi, &gates).unwrap();
    exchange.pair.start().unwrap();
    let both = ["satu.csv", "dua.csv"].map(|name| exchanged(&mut exchange, name, name));
    let imigrasi = &exchange.pair.imigrasi;
    let said = until_due(imigrasi, "hold", 2);
    assert_eq!(said["holds"][0]["reason"], "Perkara 12/2026");
    assert_eq!(destroyed_at_recipient(&exchange, &both), 0);
    let ledger = fs::read_to_string(imigrasi.path(home::LEDGER_RECORDS)).unwrap();
    assert!(!ledger.contains("Perkara"), "the reason stays at home");
    // Let go, and held again as soon as the first has begun.
    let gate = Gate::shut(&gates, "retention.begun").unwrap();
    hold(imigrasi, "phu", &["--release"]);
    gate.until_reached().unwrap();
    hold(imigrasi, "phu", &[]);
    until("the second hold", PATIENCE, || {
        Ok((asked(imigrasi, "hold") == 2).then_some(()))
    })
    .unwrap();
    drop(gate);
    until_due(imigrasi, "hold", 1);
    until("the record of the first", PATIENCE, || {
        Ok((destroyed_at_recipient(&exchange, &both) == 1).then_some(()))
    })
    .unwrap();
    assert!(!copies(&exchange, &both[0]).is_empty() || !copies(&exchange, &both[1]).is_empty());
    // A hold on one bundle is another than that on the flow.
    let kept = both
        .iter()
        .find(|one| records(imigrasi, "destroyed", one) == 0);
    let kept = *kept.unwrap();
    hold(imigrasi, "phu", &["--bundle", &kept.to_hex()]);
    hold(imigrasi, "phu", &["--release"]);
    until("the end of the flow's hold", PATIENCE, || {
        Ok((asked(imigrasi, "end-hold") == 2).then_some(()))
    })
    .unwrap();
    until_due(imigrasi, "hold", 1);
    hold(
        imigrasi,
        "phu",
        &["--bundle", &kept.to_string(), "--release"],
    );
    for manifest in &both {
        is_certified(&exchange.pair.imigrasi, manifest, (1, 0));
    }
    for manifest in &both {
        is_destroyed(&exchange, manifest);
    }
    // The list is written when all of it is done.
    until("a list of nothing", PATIENCE, || {
        let said = due(&exchange.pair.imigrasi, &["--within", "3650"]);
        Ok(said["due"].as_array().unwrap().is_empty().then_some(()))
    })
    .unwrap();
}
