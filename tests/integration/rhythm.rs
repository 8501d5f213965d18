//! Silence is told: a flow whose agreement says by when a bundle is due, and none comes. On both sides, until one does.
//! The calendar itself is tested in `engine::rhythm`.

use std::fs;

use amanah_format::agreement::{Agreement, AgreementFile};
use amanah_format::container::unpack_small;
use amanah_format::document;
use amanah_format::home;
use amanah_tests::exchange::{Exchange, PATIENCE};
use amanah_tests::ministry::Ministry;
use amanahd::clock::Clock;
use amanahd::snapshot::Snapshot;
use serde_json::{Value, json};

use crate::program;

/// The agreement of the pair again, begun ten days ago, with a bundle due each midnight; signed by both.
fn daily(exchange: &Exchange) {
    let (phu, imigrasi) = (&exchange.pair.phu, &exchange.pair.imigrasi);
    let mut text = None;
    for ministry in [phu, imigrasi] {
        for file in fs::read_dir(ministry.folder().join(home::AGREEMENTS)).unwrap() {
            let path = file.unwrap().path();
            let parts = unpack_small(&fs::read(&path).unwrap(), 1 << 20).unwrap();
            text = Some(serde_json::from_slice::<Value>(&parts[0].1).unwrap());
            fs::remove_file(path).unwrap();
        }
    }
    let mut text = text.unwrap();
    let begun = Clock::default().now().plus_secs(-10 * 86_400);
    text["effective"] = json!(begun.to_string());
    text["zone"] = json!("Asia/Jakarta");
    text["flows"][0]["rhythm"] = json!({"every": "day", "by": "00:00"});
    text["flows"][1]["rhythm"] = json!({"every": "sometimes", "by": "00:00"});
    let paper = |name: &str| exchange.folder().join(name).to_string_lossy().into_owned();
    let draft: Agreement = document::parse(&serde_json::to_vec(&text).unwrap()).unwrap();
    let name = format!("{}-v{}.agreement.amanah", draft.id, draft.version);
    let draft = AgreementFile::draft(&draft).unwrap().to_bytes();
    let agreements = phu.folder().join(home::AGREEMENTS);
    fs::write(agreements.join(name), draft).unwrap();
    let (half, whole) = (paper("harian.1.amanah"), paper("harian.2.amanah"));
    let id = text["id"].as_str().unwrap();
    for (ministry, words) in [
        (phu, ["agreement", "sign", id].as_slice()),
        (phu, &["agreement", "export", id, &half]),
        (imigrasi, &["agreement", "import", &half]),
        (imigrasi, &["agreement", "sign", id]),
        (imigrasi, &["agreement", "export", id, &whole]),
        (phu, &["agreement", "import", &whole]),
    ] {
        ministry.run(words).unwrap();
    }
}

fn until(ministry: &mut Ministry, code: &str, subject: &str, raised: bool) {
    let found = |status: &Snapshot| {
        let mut alarms = status.alarms.iter();
        let is_raised = alarms.any(|alarm| alarm.code == code && alarm.subject == subject);
        (is_raised == raised).then_some(())
    };
    ministry.wait_for(code, PATIENCE, found).unwrap();
}

#[test]
fn a_bundle_that_is_due_and_does_not_come_is_told_on_both_sides_until_it_does() {
    let mut exchange = Exchange::found(program()).unwrap();
    daily(&exchange);
    exchange.pair.start().unwrap();
    let (out, back) = (exchange.out.clone(), exchange.back.clone());
    let at_sender = format!("{} {}", out.to, out.flow);
    let at_recipient = format!("{} {}", out.from, out.flow);
    until(&mut exchange.pair.phu, "rhythm-missed", &at_sender, true);
    until(
        &mut exchange.pair.imigrasi,
        "rhythm-missed",
        &at_recipient,
        true,
    );
    let unknown = format!("{} {}", back.to, back.flow);
    until(
        &mut exchange.pair.imigrasi,
        "rhythm-unknown",
        &unknown,
        true,
    );
    let dropped = exchange.drop_text(&out, "harian.csv", "satu").unwrap();
    let arrived = exchange.settled(&[dropped]).unwrap();
    until(&mut exchange.pair.phu, "rhythm-missed", &at_sender, false);
    until(
        &mut exchange.pair.imigrasi,
        "rhythm-missed",
        &at_recipient,
        false,
    );
    exchange.holds(&arrived).unwrap();
}
