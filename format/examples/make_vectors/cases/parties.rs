//! Two pretend ministries, their keys, cards and agreement, as texts. The keys are of no use elsewhere.
//! The documents are texts written out as in FORMAT.md, not printed by the crate: a fault of its printer cannot hide in
//! them.

use amanah_format::{
    container,
    digest::Digest,
    signature::{Purpose, SecretKey},
};

/// Decryption key of imigrasi.
pub(crate) const RECIPIENT: &str = "age1kdhmy8nhr5jja99hz2pc9er4z73xjzrvycsexvcsfcsdhtcsfu0q6yvu2j";
/// Its secret half.
pub(crate) const IDENTITY: &str =
    "AGE-SECRET-KEY-193KXRARN8J3QMT9XWN5KFS5DLDU8PHPPPWSRTF80LVJG3VXDND9QZ3YFPV";
/// Decryption key of kemenhaj.
pub(crate) const RECIPIENT_OWN: &str =
    "age1mz038nr4a4vd2hdux9s56qe6w5v26pkcxdcwetqp2w34wjnpfdcsv4608p";
/// Its secret half.
pub(crate) const IDENTITY_OWN: &str =
    "AGE-SECRET-KEY-15T5JA52UYAQS7NFY6PJ7VVCG8Q8XD08KZJSD3SZN5UK8ZJWAYGZQJU73SX";

/// The keys of the vectors, each from a seed of one repeated byte.
pub(crate) fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}
/// Signing key of kemenhaj, 2026 and 2027.
pub(crate) const KEMENHAJ: u8 = 1;
/// Signing key of kemenhaj until June 2026.
pub(crate) const RETIRED: u8 = 7;
/// Signing key of imigrasi.
pub(crate) const IMIGRASI: u8 = 4;
/// Ledger key of imigrasi.
pub(crate) const LEDGER: u8 = 6;
/// In no card.
pub(crate) const STRANGER: u8 = 9;

/// A `{key, from, until}` object.
fn valid(key: &str, from: &str, until: &str) -> String {
    format!(r#"{{"key": "{key}", "from": "{from}-01T00:00:00Z", "until": "{until}-01T00:00:00Z"}}"#)
}

fn public(seed: u8) -> String {
    key(seed).public().to_string()
}

/// card.json of kemenhaj.
pub(crate) fn kemenhaj() -> String {
    let signing = format!(
        "{},\n {}",
        valid(&public(KEMENHAJ), "2026-01", "2028-01"),
        valid(&public(RETIRED), "2026-01", "2026-06")
    );
    card(
        "kemenhaj",
        "Kementerian Haji dan Umrah (contoh)",
        &signing,
        [2, 3],
        RECIPIENT_OWN,
    )
}

/// card.json of imigrasi.
pub(crate) fn imigrasi() -> String {
    let signing = valid(&public(IMIGRASI), "2026-01", "2028-01");
    card(
        "imigrasi",
        "Direktorat Jenderal Imigrasi (contoh)",
        &signing,
        [5, LEDGER],
        RECIPIENT,
    )
}

fn card(party: &str, name: &str, signing: &str, others: [u8; 2], recipient: &str) -> String {
    let [transport, ledger] = others.map(|seed| valid(&public(seed), "2026-01", "2028-01"));
    let decryption = valid(recipient, "2026-01", "2028-01");
    format!(
        r#"{{"format": "amanah-card/1", "party": "{party}", "name": "{name}",
"number": 1, "previous": null, "created": "2026-01-01T00:00:00Z",
"keys": {{
"signing": [{signing}],
"transport": [{transport}],
"decryption": [{decryption}],
"ledger": [{ledger}]}},
"addresses": ["10.20.0.2:2222"], "contact": "Piket, +62 21 0000 0000", "formats": ["amanah-bundle/1"],
"successor_of": null, "ext": {{}}, "critical": []}}
"#
    )
}

/// A container of one document and its signature.
pub(crate) fn signed(name: &str, text: &[u8], seed: u8, purpose: Purpose) -> Vec<u8> {
    let armour = key(seed).sign(purpose, text);
    container::pack(&[(name, text), (&format!("{name}.sig"), armour.as_bytes())])
}

/// The digest of a text, as documents write it.
pub(crate) fn digest(text: impl AsRef<[u8]>) -> String {
    Digest::of(text.as_ref()).to_string()
}

/// agreement.json.
pub(crate) fn agreement() -> String {
    let party = |id: &str, name: &str, card: &str| {
        format!(
            r#"{{"id": "{id}", "name": "{name}", "card": "{}", "document_number": "01/2026",
"signatory": "Direktur Jenderal", "contact": "Piket, +62 21 0000 0000", "data_protection_officer": "PPDP, +62 21 0000 0001"}}"#,
            digest(card)
        )
    };
    let flow = |name: &str, from: &str, to: &str| {
        format!(
            r#"{{"name": "{name}", "from": "{from}", "to": "{to}", "purpose": ["PENGAWASAN"], "kind": "files",
"schema": null, "import": null, "totals": [], "bytes_max": 1000000, "records_max": null, "rhythm": null, "lane": "normal",
"retention": {{"days": 30, "from": "settled", "action": "destroy", "legal_hold": false}}, "classification": "terbatas"}}"#
        )
    };
    format!(
        r#"{{"format": "amanah-agreement/1", "id": "pks-manifes", "version": 1, "title": "Contoh", "supersedes": null,
"parties": [{},
{}],
"effective": "2026-01-31T17:00:00Z", "ends": "2027-12-31T17:00:00Z", "zone": "Asia/Jakarta",
"legal_basis": ["UU 14/2025"], "purposes": [{{"code": "PENGAWASAN", "text": "Pengawasan keberangkatan"}}],
"flows": [{},
{}],
"drain_days": 30, "dpia": "DPIA-01", "ext": {{}}, "critical": []}}
"#,
        party(
            "kemenhaj",
            "Kementerian Haji dan Umrah (contoh)",
            &kemenhaj()
        ),
        party(
            "imigrasi",
            "Direktorat Jenderal Imigrasi (contoh)",
            &imigrasi()
        ),
        flow("manifes-umrah", "kemenhaj", "imigrasi"),
        flow("perlintasan", "imigrasi", "kemenhaj"),
    )
}
