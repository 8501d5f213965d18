//! Cards and agreements (FORMAT.md sections 11 and 12).
//! A text is changed in one piece and then signed properly, so that only the rule can refuse it; or it is right, and a
//! signature is missing or somebody else's.

use amanah_format::{container, digest::Digest, signature::Purpose};

use super::{
    Case,
    case::swap,
    parties::{
        IMIGRASI, KEMENHAJ, LEDGER, RETIRED, STRANGER, agreement, imigrasi, kemenhaj, key, signed,
    },
};

/// Cards.
// One case a line, as in a table.
#[rustfmt::skip]
pub(crate) fn cards() -> Vec<Case> {
    let case = |name: &str, expect: &str, comment: &str, container: Vec<u8>| {
        Case::new(&format!("card/{name}"), expect, comment, container)
    };
    let seal = |text: &str| signed("card.json", text.as_bytes(), KEMENHAJ, Purpose::Card);
    let with = |piece: &str, other: &str| seal(&swap(&kemenhaj(), piece, other));
    let own = kemenhaj();
    let armour = key(KEMENHAJ).sign(Purpose::Card, own.as_bytes());
    let files: [(&str, &[u8]); 3] = [
        ("card.json", own.as_bytes()),
        ("card.json.sig", armour.as_bytes()),
        ("note.txt", b"x"),
    ];
    let [text, signature, note] = files;
    let digest = Digest::of(own.as_bytes());
    let second = swap(&own, r#""number": 1"#, r#""number": 2"#);
    let second = swap(&second, r#""previous": null"#, &format!(r#""previous": "{digest}""#));
    let follows = |text: &str, third: &str| {
        let armour = key(KEMENHAJ).sign(Purpose::Card, text.as_bytes());
        let files = [("card.json", text.as_bytes()), ("card.json.sig", armour.as_bytes()), ("card.json.previous.sig", third.as_bytes())];
        container::pack(&files)
    };
    let before = |seed: u8, purpose, text: &str| key(seed).sign(purpose, text.as_bytes());
    vec![
        case("ok-successor", "ok", "a second card, signed by a key of the first as well", follows(&second, &before(RETIRED, Purpose::Card, &second))),
        case("ok-successor-of-stranger", "ok", "whether the other key is one of the first card is the reader's to ask", follows(&second, &before(STRANGER, Purpose::Card, &second))),
        case("previous-signature-of-another", "refused", "the third file signs the first card", follows(&second, &before(KEMENHAJ, Purpose::Card, &own))),
        case("previous-signature-namespace", "refused", "the third file is signed as an agreement", follows(&second, &before(KEMENHAJ, Purpose::Agreement, &second))),
        case("previous-signature-of-first", "refused", "a first card has no third file", follows(&own, &before(KEMENHAJ, Purpose::Card, &own))),
        case("ok-kemenhaj", "ok", "two signing keys, one of them ended", seal(&own)),
        case("ok-imigrasi", "ok", "one key of each kind", signed("card.json", imigrasi().as_bytes(), IMIGRASI, Purpose::Card)),
        case("signer-unlisted", "refused", "signed by a key that is not in it", signed("card.json", own.as_bytes(), STRANGER, Purpose::Card)),
        case("ok-second-key", "ok", "signed by the second of its signing keys", signed("card.json", own.as_bytes(), RETIRED, Purpose::Card)),
        case("signer-ledger-key", "refused", "signed by a ledger key", signed("card.json", imigrasi().as_bytes(), LEDGER, Purpose::Card)),
        case("namespace", "refused", "signed as an agreement", signed("card.json", own.as_bytes(), KEMENHAJ, Purpose::Agreement)),
        case("unsigned", "refused", "no signature file", container::pack(&[text])),
        case("third-file", "refused", "a file too many", container::pack(&[text, signature, note])),
        case("order", "refused", "the signature before the text", container::pack(&[signature, text])),
        case("number-zero", "refused", "cards begin with 1", with(r#""number": 1"#, r#""number": 0"#)),
        case("previous-of-first", "refused", "a first card with a previous one", with(r#""previous": null"#, &format!(r#""previous": "sha256:{}""#, "1".repeat(64)))),
        case("key-type", "refused", "a key that is not Ed25519", with("ssh-ed25519", "ssh-rsa")),
        case("validity-backwards", "refused", "until before from", with(r#""until": "2028-01-01"#, r#""until": "2025-01-01"#)),
        case("unknown-field", "refused", "a field that cards have not", with(r#""number": 1"#, r#""number": 1, "colour": "red""#)),
        case("another-document", "refused", "an agreement in a card's place", signed("card.json", agreement().as_bytes(), KEMENHAJ, Purpose::Card)),
    ]
}

/// The container of an agreement with these signatures, in their order.
fn cosigned(text: &str, signers: &[(&str, u8, Purpose)]) -> Vec<u8> {
    let mut signatures: Vec<(String, String)> = signers
        .iter()
        .map(|(party, seed, purpose)| {
            let armour = key(*seed).sign(*purpose, text.as_bytes());
            (format!("agreement.json.{party}.sig"), armour)
        })
        .collect();
    signatures.sort();
    let mut files = vec![("agreement.json", text.as_bytes())];
    files.extend(
        signatures
            .iter()
            .map(|(name, armour)| (name.as_str(), armour.as_bytes())),
    );
    container::pack(&files)
}

fn both(text: &str) -> Vec<u8> {
    let signers = [
        ("kemenhaj", KEMENHAJ, Purpose::Agreement),
        ("imigrasi", IMIGRASI, Purpose::Agreement),
    ];
    cosigned(text, &signers)
}

/// Agreements.
// One case a line, as in a table.
#[rustfmt::skip]
pub(crate) fn agreements() -> Vec<Case> {
    let case = |name: &str, expect: &str, comment: &str, container: Vec<u8>| {
        Case::new(&format!("agreement/{name}"), expect, comment, container)
            .with("cards", "card/ok-kemenhaj card/ok-imigrasi")
            .with("at", "2026-11-22T20:33:00Z")
    };
    let with = |piece: &str, other: &str| both(&swap(&agreement(), piece, other));
    let text = agreement();
    let one = ("kemenhaj", KEMENHAJ, Purpose::Agreement);
    let pinned = super::parties::digest(imigrasi());
    let [ours, theirs] = [KEMENHAJ, IMIGRASI].map(|seed| key(seed).sign(Purpose::Agreement, text.as_bytes()));
    let falling: [(&str, &[u8]); 3] = [
        ("agreement.json", text.as_bytes()),
        ("agreement.json.kemenhaj.sig", ours.as_bytes()),
        ("agreement.json.imigrasi.sig", theirs.as_bytes()),
    ];
    vec![
        case("ok", "ok", "signed by both", both(&text)),
        case("one-signature", "refused", "signed by one party", cosigned(&text, &[one])),
        case("unsigned", "refused", "a draft", cosigned(&text, &[])),
        case("signed-twice-by-one", "refused", "one party's key under both names", cosigned(&text, &[one, ("imigrasi", KEMENHAJ, Purpose::Agreement)])),
        case("namespace", "refused", "one signature is for a slip", cosigned(&text, &[one, ("imigrasi", IMIGRASI, Purpose::Slip)])),
        case(
            "third-signer",
            "refused",
            "a signature by somebody who is not a party",
            cosigned(&text, &[one, ("imigrasi", IMIGRASI, Purpose::Agreement), ("orang-lain", STRANGER, Purpose::Agreement)]),
        ),
        case(
            "retired-key",
            "refused",
            "a key that ended before the agreement was loaded",
            cosigned(&text, &[("kemenhaj", RETIRED, Purpose::Agreement), ("imigrasi", IMIGRASI, Purpose::Agreement)]),
        ),
        case("signature-order", "refused", "the signatures in falling order", container::pack(&falling)),
        case("other-card", "refused", "pins another first card", with(&pinned, &format!("sha256:{}", "2".repeat(64)))),
        case("same-party-twice", "refused", "both parties are the same", with(r#"{"id": "imigrasi""#, r#"{"id": "kemenhaj""#)),
        case("flow-of-others", "refused", "a flow from somebody who is not a party", with(r#""from": "kemenhaj""#, r#""from": "orang-lain""#)),
        case("flow-to-itself", "refused", "a flow from a party to itself", with(r#""from": "kemenhaj""#, r#""from": "imigrasi""#)),
        case("flow-twice", "refused", "two flows of one name", with(r#""name": "perlintasan""#, r#""name": "manifes-umrah""#)),
        case("purpose-unknown", "refused", "a flow names a purpose that is not in the list", with(r#""purpose": ["PENGAWASAN"]"#, r#""purpose": ["lain"]"#)),
        case("purpose-code", "refused", "a purpose that no manifest could name", both(&text.replace("PENGAWASAN", "PENGAWASAN.UMUM"))),
        case("table-flow", "refused", "a flow of tables, which this version does not carry", with(r#""kind": "files""#, r#""kind": "table""#)),
        case("records-max-of-files", "refused", "a bound on records in a flow of files, which have none", with(r#""records_max": null"#, r#""records_max": 1000"#)),
        case("no-legal-basis", "refused", "an empty legal basis", with(r#"["UU 14/2025"]"#, "[]")),
        case("hidden-character", "refused", "a text that does not show as what it is", with("Contoh", "Con\u{202e}toh")),
        case("dates-backwards", "refused", "ends before it begins", with("2027-12-31T17", "2025-12-31T17")),
        case("no-officer", "refused", "no data protection officer", with("PPDP, +62 21 0000 0001", "")),
        case("no-dpia", "refused", "no impact assessment", with("DPIA-01", "")),
        case("lane-unknown", "refused", "a lane that is not in the list", with(r#""lane": "normal""#, r#""lane": "soon""#)),
        case("unknown-field", "refused", "a field that agreements have not", with(r#""drain_days": 30"#, r#""drain_days": 30, "penalty": 1"#)),
    ]
}
