//! Silence is told: a flow whose agreement says by when a bundle is due, and none comes. On both sides, until one does.
//! The calendar itself is tested in `engine::rhythm`.

use std::fs;

use amanah_format::agreement::{Agreement, AgreementFile};
use amanah_format::document;
use amanah_format::home;
use amanah_tests::exchange::{Exchange, PATIENCE};
use amanah_tests::ministry::Ministry;
use amanah_tests::papers;
use amanahd::clock::Clock;
use amanahd::snapshot::Snapshot;
use serde_json::json;

use crate::program;

/// The agreement of the pair again, begun ten days ago, with a bundle due each midnight; signed by both.
fn daily(exchange: &Exchange) {
    let (phu, imigrasi) = (&exchange.pair.phu, &exchange.pair.imigrasi);
    let (mut text, _) = papers::newest(phu).unwrap();
    papers::take_away([phu, imigrasi]).unwrap();
    let begun = Clock::default().now().plus_secs(-10 * 86_400);
    text["effective"] = json!(begun.to_string());
    text["zone"] = json!("Asia/Jakarta");
    text["flows"][0]["rhythm"] = json!({"every": "day", "by": "00:00"});
    text["flows"][1]["rhythm"] = json!({"every": "sometimes", "by": "00:00"});
    let draft: Agreement = document::parse(&serde_json::to_vec(&text).unwrap()).unwrap();
    let name = format!("{}-v{}.agreement.amanah", draft.id, draft.version);
    let draft = AgreementFile::draft(&draft).unwrap().to_bytes();
    let agreements = phu.folder().join(home::AGREEMENTS);
    fs::write(agreements.join(name), draft).unwrap();
    let id = text["id"].as_str().unwrap();
    papers::sign_both((phu, imigrasi), id, exchange.folder()).unwrap();
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
