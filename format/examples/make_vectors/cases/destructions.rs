//! Destruction records (FORMAT.md section 19): what imigrasi says of bundles that it had received, and no longer keeps.
//! Signed properly but for the cases about signatures; what is wrong is one field, or two that contradict each other.

use amanah_format::signature::Purpose;

use super::{
    Case,
    case::swap,
    parties::{IMIGRASI, KEMENHAJ, STRANGER, agreement, digest, signed},
};

/// destruction.json: two bundles, thirty days after they were settled.
fn destruction() -> String {
    let bundle = |digit: &str, sequence: u64, record: u64| {
        format!(
            r#"{{"manifest": "sha256:{}", "epoch": 1, "sequence": {sequence}, "since": "2026-10-20T08:00:00Z",
"at": "2026-11-20T02:00:00Z", "sealed": true, "files": 0, "rows": 250, "record": {record}}}"#,
            digit.repeat(64)
        )
    };
    let agreement = digest(agreement());
    format!(
        r#"{{"format": "amanah-destruction/1", "number": 1, "from": "imigrasi", "peer": "kemenhaj", "side": "received",
"agreement": {{"id": "pks-manifes", "version": 1, "digest": "{agreement}"}}, "flow": "manifes-umrah",
"rule": {{"days": 30, "from": "settled", "action": "destroy"}},
"begun": "2026-11-20T02:00:00Z", "finished": "2026-11-20T02:00:01Z", "program": "amanahd 0.1.0",
"ledger": "amanah/imigrasi/1",
"bundles": [{}, {}],
"totals": {{"bundles": 2, "sealed": 2, "files": 0, "rows": 500}}, "ext": {{}}, "critical": []}}
"#,
        bundle("3", 7, 91),
        bundle("4", 8, 92),
    )
}

/// All of them, read by somebody who trusts both cards.
// One case a line, as in a table.
#[rustfmt::skip]
pub(crate) fn all() -> Vec<Case> {
    let seal = |text: &str| signed("destruction.json", text.as_bytes(), IMIGRASI, Purpose::Destruction);
    let case = |name: &str, expect: &str, comment: &str, container: Vec<u8>| {
        Case::new(&format!("destruction/{name}"), expect, comment, container)
            .with("cards", "card/ok-kemenhaj card/ok-imigrasi")
            .with("at", "2026-11-22T20:33:00Z")
    };
    let with = |piece: &str, other: &str| seal(&swap(&destruction(), piece, other));
    let gone = destruction().replace("\"sealed\": true", "\"sealed\": false").replace("\"sealed\": 2", "\"sealed\": 0");
    let by = |seed, purpose| signed("destruction.json", destruction().as_bytes(), seed, purpose);
    let mut torn = seal(&destruction());
    torn.truncate(1536);
    let sent = destruction().replace("\"received\"", "\"sent\"").replace("\"rows\": 250", "\"rows\": 0");
    let sent = sent.replace("\"files\": 0", "\"files\": 1").replace("\"files\": 1, \"rows\": 500", "\"files\": 2, \"rows\": 0");
    vec![
        case("ok-received", "ok", "rows and sealed bundles of the recipient", seal(&destruction())),
        case("ok-sent", "ok", "originals and sealed copies of the sender", seal(&sent)),
        case("ok-gone-before", "ok", "no sealed copy was left by then", seal(&gone)),
        case("ok-clock-skew", "ok", "finished 300 s after the reader's clock", with("\"finished\": \"2026-11-20T02:00:01Z\"", "\"finished\": \"2026-11-22T20:38:00Z\"")),
        case("from-the-future", "refused", "finished more than 300 s after the reader's clock", with("\"finished\": \"2026-11-20T02:00:01Z\"", "\"finished\": \"2026-11-22T20:38:01Z\"")),
        case("signer-not-from", "refused", "signed by the other party", by(KEMENHAJ, Purpose::Destruction)),
        case("signer-unknown", "refused", "signed by a key in no card", by(STRANGER, Purpose::Destruction)),
        case("namespace", "refused", "signed as a receipt", by(IMIGRASI, Purpose::Receipt)),
        case("cut-short", "refused", "the container ends in the middle", torn),
        case("one-party", "refused", "exchanged with itself", with("\"peer\": \"kemenhaj\"", "\"peer\": \"imigrasi\"")),
        case("number-zero", "refused", "numbers begin with 1", with("\"number\": 1", "\"number\": 0")),
        case("side-unknown", "refused", "neither sent nor received", with("\"received\"", "\"seen\"")),
        case("rule-from", "refused", "days that count from something else", with("\"from\": \"settled\"", "\"from\": \"received\"")),
        case("rule-action", "refused", "another action", with("\"action\": \"destroy\"", "\"action\": \"keep\"")),
        case("too-early", "refused", "its days were not over", with("\"days\": 30", "\"days\": 31")),
        case("totals", "refused", "sums that are not the bundles'", with("\"rows\": 500", "\"rows\": 501")),
        case("no-bundle", "refused", "of nothing", seal(&nothing())),
        case("bundle-twice", "refused", "one bundle twice", seal(&destruction().replace(&"4".repeat(64), &"3".repeat(64)))),
        case("record-order", "refused", "not in the order of the records", with("\"record\": 92", "\"record\": 90")),
        case("rows-of-a-sender", "refused", "a sender that destroyed rows", with("\"received\"", "\"sent\"")),
        case("finished-before-begun", "refused", "finished before it began", with("\"finished\": \"2026-11-20T02:00:01Z\"", "\"finished\": \"2026-11-20T01:59:59Z\"")),
        case("at-before-begun", "refused", "one destroyed before it began", with("\"begun\": \"2026-11-20T02:00:00Z\"", "\"begun\": \"2026-11-20T02:00:01Z\"")),
        case("ledger-of-another", "refused", "the ledger of the other party", with("amanah/imigrasi/1", "amanah/kemenhaj/1")),
        case("unknown-field", "refused", "a field that it has not", with("\"number\": 1", "\"number\": 1, \"extra\": 1")),
        case("names-an-item", "refused", "a name, which it has no place for", with("\"sealed\": true", "\"sealed\": true, \"name\": \"jemaah.csv\"")),
    ]
}

/// The same of no bundle.
fn nothing() -> String {
    let text = destruction();
    let (before, rest) = text.split_once("\"bundles\": [").unwrap_or_default();
    let (_, after) = rest.split_once("],\n\"totals\"").unwrap_or_default();
    let after = swap(
        after,
        "\"bundles\": 2, \"sealed\": 2",
        "\"bundles\": 0, \"sealed\": 0",
    );
    let after = swap(&after, "\"rows\": 500", "\"rows\": 0");
    format!("{before}\"bundles\": [],\n\"totals\"{after}")
}
