//! Receipts and slips (FORMAT.md sections 13 and 14): what imigrasi answers.
//! Signed properly but for the cases about signatures; what is wrong is one field, or two that contradict each other.

use amanah_format::signature::Purpose;

use super::{
    Case,
    case::swap,
    parties::{IMIGRASI, KEMENHAJ, STRANGER, agreement, digest, signed},
};

/// receipt.json with `imported`.
pub(crate) fn imported() -> String {
    let manifest = format!("sha256:{}", "3".repeat(64));
    let contents = format!("sha256:{}", "5".repeat(64));
    let agreement = digest(agreement());
    format!(
        r#"{{"format": "amanah-receipt/1", "manifest": "{manifest}", "agreement": "{agreement}",
"flow": "manifes-umrah", "epoch": 1, "sequence": 1, "from": "imigrasi", "to": "kemenhaj",
"outcome": "imported", "refusal": null,
"received": "2026-11-22T20:32:05Z", "verified": "2026-11-22T20:32:05Z", "finished": "2026-11-22T20:32:06Z",
"store": {{"kind": "files", "entries": 1, "records": 0}}, "contents": "{contents}",
"ledger": {{"origin": "amanah/imigrasi/1", "index": 41}}, "ext": {{}}, "critical": []}}
"#
    )
}

/// receipt.json with `refused`.
fn refused() -> String {
    let text = swap(
        &imported(),
        r#""outcome": "imported", "refusal": null"#,
        r#""outcome": "refused", "refusal": "expired""#,
    );
    let store = r#""store": {"kind": "files", "entries": 1, "records": 0}"#;
    let text = swap(&text, store, r#""store": null"#);
    swap(
        &text,
        &format!(r#""contents": "sha256:{}""#, "5".repeat(64)),
        r#""contents": null"#,
    )
}

/// A refusal of a manifest that could not be read.
fn unread() -> String {
    let text = swap(&refused(), "\"expired\"", "\"manifest-malformed\"");
    let known = format!(
        "\"agreement\": \"{}\",\n\"flow\": \"manifes-umrah\", \"epoch\": 1, \"sequence\": 1",
        digest(agreement())
    );
    let unknown = "\"agreement\": null,\n\"flow\": null, \"epoch\": null, \"sequence\": null";
    swap(&text, &known, unknown)
}

/// One case of a paper by imigrasi, read a minute later by somebody who trusts both cards.
fn paper(name: &str, expect: &str, comment: &str, container: Vec<u8>) -> Case {
    Case::new(name, expect, comment, container)
        .with("cards", "card/ok-kemenhaj card/ok-imigrasi")
        .with("at", "2026-11-22T20:33:00Z")
}

/// Receipts.
// One case a line, as in a table.
#[rustfmt::skip]
pub(crate) fn receipts() -> Vec<Case> {
    let seal = |text: &str| signed("receipt.json", text.as_bytes(), IMIGRASI, Purpose::Receipt);
    let case = |name: &str, expect: &str, comment: &str, container: Vec<u8>| {
        paper(&format!("receipt/{name}"), expect, comment, container)
    };
    let with = |piece: &str, other: &str| seal(&swap(&imported(), piece, other));
    let by = |seed, purpose| signed("receipt.json", imported().as_bytes(), seed, purpose);
    let mut torn = seal(&imported());
    torn.truncate(1536);
    vec![
        case("ok-imported", "ok", "the one success", seal(&imported())),
        case("ok-refused", "ok", "with a code", seal(&refused())),
        case("ok-unread", "ok", "the manifest's text could not be read: four fields are null", seal(&unread())),
        case("signer-not-from", "refused", "signed by the other party", by(KEMENHAJ, Purpose::Receipt)),
        case("signer-unknown", "refused", "signed by a key in no card", by(STRANGER, Purpose::Receipt)),
        case("namespace", "refused", "signed as a bundle", by(IMIGRASI, Purpose::Bundle)),
        case("altered", "refused", "a byte changed after signing", {
            let mut container = seal(&imported());
            if let Some(byte) = container.iter_mut().skip(512).find(|byte| **byte == b'3') {
                *byte = b'4';
            }
            container
        }),
        case("imported-with-code", "refused", "imported, and a refusal code", with(r#""refusal": null"#, r#""refusal": "expired""#)),
        case("imported-without-store", "refused", "imported, and no store", with(r#"{"kind": "files", "entries": 1, "records": 0}"#, "null")),
        case("imported-without-contents", "refused", "imported, and no contents", with(&format!("\"sha256:{}\"", "5".repeat(64)), "null")),
        case("refused-without-code", "refused", "refused, and no code", seal(&swap(&refused(), "\"expired\"", "null"))),
        case("refused-with-store", "refused", "refused, and a store", seal(&swap(&refused(), r#""store": null"#, r#""store": {"kind": "files", "entries": 1, "records": 0}"#))),
        case("door-code", "refused", "a code that no receipt may carry", seal(&swap(&refused(), "\"expired\"", "\"signature-invalid\""))),
        case("unknown-code", "refused", "a code that is not in the list", seal(&swap(&refused(), "\"expired\"", "\"tired\""))),
        case("from-the-future", "refused", "finished more than 300 s after the reader's clock", with("\"finished\": \"2026-11-22T20:32:06Z\"", "\"finished\": \"2026-11-22T20:38:01Z\"")),
        case("ok-clock-skew", "ok", "finished 300 s after the reader's clock", with("\"finished\": \"2026-11-22T20:32:06Z\"", "\"finished\": \"2026-11-22T20:38:00Z\"")),
        case("key-ended", "refused", "finished after the key's until", seal(&imported().replace("2026-11-22", "2028-01-01"))).instead("at", "2028-01-02T00:00:00Z"),
        case("cut-short", "refused", "the container ends in the middle", torn),
        case("store-unknown", "refused", "a store that is none of the three", with(r#""kind": "files""#, r#""kind": "mysql""#)),
        case("ledger-of-another", "refused", "the ledger of the other party", with("amanah/imigrasi/1", "amanah/kemenhaj/1")),
        case("ledger-epoch-zero", "refused", "ledger epochs begin with 1", with("amanah/imigrasi/1", "amanah/imigrasi/0")),
        case("ledger-without-epoch", "refused", "a ledger of no epoch", with("amanah/imigrasi/1", "amanah/imigrasi")),
        case("imported-without-flow", "refused", "imported, and no flow", with(r#""flow": "manifes-umrah""#, r#""flow": null"#)),
        case("refused-without-flow", "refused", "refused for a reason for which the text was read, and no flow", seal(&swap(&unread(), "\"manifest-malformed\"", "\"expired\""))),
        case("unread-in-part", "refused", "the text could not be read, but its flow", seal(&swap(&unread(), "\"flow\": null", "\"flow\": \"manifes-umrah\""))),
        case("ok-refused-unread-with-flow", "ok", "the text could not be read in one place, and its flow could", seal(&swap(&refused(), "\"expired\"", "\"manifest-malformed\""))),
        case("ok-voided", "ok", "the sender gave its number up", seal(&swap(&refused(), "\"expired\"", "\"voided\""))),
        case("ok-sqlite", "ok", "another of the three stores", with(r#""kind": "files""#, r#""kind": "sqlite""#)),
        case("slip-inside", "refused", "a slip in a receipt's place", signed("receipt.json", held().as_bytes(), IMIGRASI, Purpose::Receipt)),
    ]
}

/// slip.json with `held`.
fn held() -> String {
    let body = format!(
        r#"{{"manifest": "sha256:{}", "reason": "agreement-unknown"}}"#,
        "3".repeat(64)
    );
    slip("held", &body)
}

fn slip(kind: &str, body: &str) -> String {
    format!(
        r#"{{"format": "amanah-slip/1", "kind": "{kind}", "body": {body}, "from": "imigrasi", "to": "kemenhaj", "number": 1,
"created": "2026-11-22T20:32:05Z", "expires": "2026-11-29T20:32:05Z", "ext": {{}}, "critical": []}}
"#
    )
}

/// Slips.
// One case a line, as in a table.
#[rustfmt::skip]
pub(crate) fn slips() -> Vec<Case> {
    let seal = |text: &str| signed("slip.json", text.as_bytes(), IMIGRASI, Purpose::Slip);
    let case = |name: &str, expect: &str, comment: &str, container: Vec<u8>| {
        paper(&format!("slip/{name}"), expect, comment, container)
    };
    let with = |piece: &str, other: &str| seal(&swap(&held(), piece, other));
    let revocation = slip(
        "revocation",
        &format!(
            r#"{{"agreement": {{"id": "pks-manifes", "version": 1, "digest": "{}"}}, "reason": "kunci hilang", "ledger_own": 42, "ledger_peer": null}}"#,
            digest(agreement())
        ),
    );
    vec![
        case("ok-held", "ok", "a bundle waits", seal(&held())),
        case("ok-revocation", "ok", "an agreement ends", seal(&revocation)),
        case("signer-not-from", "refused", "signed by the other party", signed("slip.json", held().as_bytes(), KEMENHAJ, Purpose::Slip)),
        case("namespace", "refused", "signed as a receipt", signed("slip.json", held().as_bytes(), IMIGRASI, Purpose::Receipt)),
        case("unknown-kind", "refused", "a kind that is not in the list", with("\"held\"", "\"whispered\"")),
        case("unknown-reason", "refused", "a reason that is not in the list", with("agreement-unknown", "moon")),
        case("unknown-body-field", "refused", "a field that this body has not", with(r#""reason""#, r#""extra": 1, "reason""#)),
        case("unknown-field", "refused", "a field that slips have not", with(r#""number": 1"#, r#""number": 1, "extra": 1"#)),
        case("body-of-another-kind", "refused", "the body of a revocation in a held slip", seal(&swap(&revocation, "\"revocation\"", "\"held\""))),
        case("agreement-version-zero", "refused", "about version 0 of an agreement", seal(&swap(&revocation, r#""version": 1"#, r#""version": 0"#))),
        case("number-zero", "refused", "numbers begin with 1", with(r#""number": 1"#, r#""number": 0"#)),
        case("expires-before-created", "refused", "expires before created", with("2026-11-29", "2026-11-21")),
        case("ok-resend", "ok", "numbers are missing", seal(&resend())),
        case("ok-void", "ok", "a number is given up", seal(&void())),
        case("ok-position", "ok", "how far the signer has seen", seal(&position())),
        case("ok-position-empty", "ok", "it has seen nothing, and asks", seal(&slip("position", r#"{"streams": []}"#).replace("{}", r#"{"asks": "000102030405060708090a0b0c0d0e0f"}"#))),
        case("resend-backwards", "refused", "the last number is before the first", seal(&swap(&resend(), "\"first\": 3", "\"first\": 6"))),
        case("resend-too-many", "refused", "more than 1,024 numbers", seal(&swap(&resend(), "\"last\": 5", "\"last\": 1027"))),
        case("resend-one-bundle-many-numbers", "refused", "it names one bundle and asks for three", seal(&swap(&resend(), "null", &format!("\"sha256:{}\"", "3".repeat(64))))),
        case("void-unknown-reason", "refused", "a reason that is not in the list", seal(&swap(&void(), "\"expired\"", "\"tired\""))),
        case("void-number-zero", "refused", "numbers of a stream begin with 1", seal(&swap(&void(), "\"sequence\": 3", "\"sequence\": 0"))),
        case("ok-checkpoint", "ok", "how the signer's ledger has grown", seal(&checkpoint())),
        case("ok-cosignature", "ok", "the reader's ledger, seen", seal(&slip("cosignature", &format!(r#"{{"note": "{NOTE}"}}"#)))),
        case("ok-card", "ok", "a card of the signer's; what it carries is judged by who reads it", seal(&slip("card", r#"{"card": "YWJj"}"#))),
        case("card-no-base64", "refused", "a card that is no base64", seal(&slip("card", r#"{"card": "YWJj!"}"#))),
        case("checkpoint-proof-too-long", "refused", "a proof of 129 nodes", seal(&swap(&checkpoint(), "[\"sha256:", &format!("[{}\"sha256:", format!("\"sha256:{}\", ", "5".repeat(64)).repeat(128))))),
        case("checkpoint-size-negative", "refused", "a size below 0", seal(&swap(&checkpoint(), "\"previous_size\": 3", "\"previous_size\": -3"))),
        case("cosignature-empty", "refused", "no note", seal(&slip("cosignature", r#"{"note": ""}"#))),
        case("position-of-others", "refused", "a stream to a third party", seal(&position().replace("\"to\": \"imigrasi\"", "\"to\": \"bpkh\""))),
        case("position-twice", "refused", "one stream twice", seal(&swap(&position(), "\"manifes-batal\"", "\"manifes-umrah\""))),
    ]
}

fn resend() -> String {
    slip(
        "resend",
        r#"{"manifest": null, "agreement": "pks-manifes", "flow": "manifes-umrah", "epoch": 1, "first": 3, "last": 5}"#,
    )
}

fn void() -> String {
    slip(
        "void",
        r#"{"agreement": "pks-manifes", "flow": "manifes-umrah", "epoch": 1, "sequence": 3, "manifest": null, "reason": "expired"}"#,
    )
}

/// A note as JSON has it; whether it verifies is not asked of a slip.
const NOTE: &str = "amanah/imigrasi/1\\n7\\n3dc6HNAlsRrpjmPHd2dqWaZ6/0tIM1eKrAKqS4Z79EI=\\n\\n\u{2014} amanah/imigrasi/1 R0rp0Q==\\n";

fn checkpoint() -> String {
    let node = "5".repeat(64);
    slip(
        "checkpoint",
        &format!(
            r#"{{"note": "{NOTE}", "consistency": ["sha256:{node}"], "previous_size": 3, "inclusions": []}}"#
        ),
    )
}

fn position() -> String {
    let stream = |flow: &str| {
        let manifest = "4".repeat(64);
        format!(
            r#"{{"from": "kemenhaj", "to": "imigrasi", "agreement": "pks-manifes", "flow": "{flow}", "epoch": 1, "sequence": 7, "manifest": "sha256:{manifest}"}}"#
        )
    };
    let streams = [stream("manifes-umrah"), stream("manifes-batal")].join(", ");
    slip("position", &format!(r#"{{"streams": [{streams}]}}"#))
}
