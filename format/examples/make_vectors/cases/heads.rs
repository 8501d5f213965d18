//! Bundle heads (FORMAT.md section 9): from the tar to the signer's right.
//! Each refused one fails at one step of section 9.3; its header says whether a signer is proven by then, so that a
//! receipt may answer.

use amanah_format::{container, signature::Purpose};

use super::{
    Case, Made,
    case::swap,
    parties::{IMIGRASI, KEMENHAJ, RECIPIENT, RETIRED, STRANGER, agreement, digest, key},
    tape::{file, header, open_tar, pax},
};

/// Length of the payload that the heads announce.
const PAYLOAD_BYTES: u64 = 1234;
/// Length of manifest.json before a payload to 8 GiB - 1.
const MANIFEST_BYTES: usize = 14_336;

/// manifest.json, unpadded.
pub(crate) fn manifest() -> String {
    format!(
        r#"{{"format": "amanah-bundle/1", "bundle": "01920000-0000-7000-8000-000000000001",
"agreement": {{"id": "pks-manifes", "version": 1, "digest": "{}"}},
"flow": "manifes-umrah", "purpose": "PENGAWASAN", "from": "kemenhaj", "to": "imigrasi",
"epoch": 1, "sequence": 1, "previous": null, "recipients": ["{}"], "regarding": null,
"created": "2026-11-22T20:32:00Z", "expires": "2026-12-22T20:32:00Z",
"payload": {{"digest": "sha256:{}", "bytes": {PAYLOAD_BYTES}}},
"contents": {{"digest": "sha256:{}", "entries": 1, "bytes": 5}}, "ext": {{}}, "critical": []}}"#,
        digest(agreement()),
        digest(RECIPIENT),
        "4".repeat(64),
        "5".repeat(64),
    )
}

/// With spaces to `length` bytes.
fn padded(text: &str, length: usize) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(length, b' ');
    bytes
}

/// A head with this text, signed by this key.
fn head(text: &str, seed: u8) -> Made<Vec<u8>> {
    let manifest = padded(text, MANIFEST_BYTES);
    let armour = key(seed).sign(Purpose::Bundle, &manifest);
    Ok(container::bundle_head(&manifest, &armour, PAYLOAD_BYTES)?)
}

fn case(name: &str, expect: &str, signer: &str, comment: &str, head: Vec<u8>) -> Case {
    Case::new(&format!("manifest-head/{name}"), expect, comment, head)
        .with("cards", "card/ok-kemenhaj card/ok-imigrasi")
        .with("received", "2026-11-22T20:32:05Z")
        .with("signer", signer)
}

/// Heads.
pub(crate) fn all() -> Made<Vec<Case>> {
    let mut all = texts()?;
    all.extend(signers()?);
    all.extend(frames()?);
    Ok(all)
}

/// What is signed well and says the wrong thing.
// One case a line, as in a table.
#[rustfmt::skip]
fn texts() -> Made<Vec<Case>> {
    let good = manifest();
    let list: &[(&str, &str, &str, &str)] = &[
        ("duplicate-key", r#""epoch": 1"#, r#""epoch": 1, "epoch": 1"#, "manifest-malformed"),
        ("unknown-field", r#""epoch": 1"#, r#""epoch": 1, "name": "x""#, "manifest-malformed"),
        ("missing-field", r#""purpose": "PENGAWASAN", "#, "", "manifest-malformed"),
        ("sequence-zero", r#""sequence": 1"#, r#""sequence": 0"#, "manifest-malformed"),
        ("bundle-id-version-4", "-7000-8000", "-4000-8000", "manifest-malformed"),
        ("expires-before-created", "2026-12-22", "2026-11-21", "manifest-malformed"),
        ("no-recipients", r#""recipients": [""#, r#""recipients": [], "ext2": [""#, "manifest-malformed"),
        ("previous-missing", r#""sequence": 1"#, r#""sequence": 2"#, "manifest-malformed"),
        ("format-version", "amanah-bundle/1", "amanah-bundle/2", "format-unsupported"),
        ("critical", r#""critical": []"#, r#""critical": ["sealed-twice"]"#, "format-unsupported"),
        ("sender-mismatch", r#""from": "kemenhaj", "to": "imigrasi""#, r#""from": "imigrasi", "to": "kemenhaj""#, "sender-mismatch"),
    ];
    let mut all = Vec::new();
    for (name, piece, other, expect) in list {
        let text = swap(&good, piece, other);
        all.push(case(
            name,
            expect,
            "kemenhaj",
            "signed well",
            head(&text, KEMENHAJ)?,
        ));
    }
    Ok(all)
}

/// Who signed, and whether he might.
// One case a line, as in a table.
#[rustfmt::skip]
fn signers() -> Made<Vec<Case>> {
    let good = manifest();
    let text = padded(&good, MANIFEST_BYTES);
    let receipt = key(KEMENHAJ).sign(Purpose::Receipt, &text);
    let mut altered = head(&good, KEMENHAJ)?;
    super::tape::put(&mut altered, 14_000, b"\t");
    let early = swap(&good, "2026-11-22T20:32:00Z", "2026-05-31T23:59:58Z");
    Ok(vec![
        case("ok", "ok", "kemenhaj", "spaces after the last brace", head(&good, KEMENHAJ)?),
        case(
            "ok-inner-spaces",
            "ok",
            "kemenhaj",
            "spaces before the last brace",
            {
                let tail = r#""critical": []"#;
                let spaces = " ".repeat(MANIFEST_BYTES - good.len());
                head(&swap(&good, tail, &format!("{tail}{spaces}")), KEMENHAJ)?
            },
        ),
        case("ok-retired-then-valid", "ok", "kemenhaj", "by a key that ended since, in its last second", head(&early, RETIRED)?).instead("received", "2026-05-31T23:59:59Z"),
        case(
            "key-ended-at-hand-over",
            "signer-not-valid",
            "kemenhaj",
            "the key was valid when it was made, and not when it was handed over",
            head(&early, RETIRED)?,
        )
        .instead("received", "2026-06-01T00:00:00Z"),
        case("key-not-yet", "signer-not-valid", "kemenhaj", "created before the key's from", head(&swap(&good, "2026-11-22T20:32:00Z", "2025-12-31T23:59:59Z"), KEMENHAJ)?),
        case("signer-of-other-party", "sender-mismatch", "imigrasi", "signed by the recipient", head(&good, IMIGRASI)?),
        case("signer-unknown", "signer-unknown", "none", "a key in no card", head(&good, STRANGER)?),
        case("signature-altered-text", "signature-invalid", "none", "a byte of the padding changed after signing", altered),
        case("signature-namespace", "signature-invalid", "none", "signed as a receipt", container::bundle_head(&text, &receipt, PAYLOAD_BYTES)?),
        case("signature-text", "signature-invalid", "none", "no armour in the signature's file", container::bundle_head(&text, "unsigned\n", PAYLOAD_BYTES)?),
    ])
}

/// A head whose payload needs a PAX size.
fn huge() -> Made<Vec<u8>> {
    let text = swap(&manifest(), "\"bytes\": 1234", "\"bytes\": 9000000000");
    let text = padded(&text, 13_312);
    let armour = key(KEMENHAJ).sign(Purpose::Bundle, &text);
    Ok(container::bundle_head(&text, &armour, 9_000_000_000)?)
}

/// The tar around it.
// One case a line, as in a table.
#[rustfmt::skip]
fn frames() -> Made<Vec<Case>> {
    let good = manifest();
    let malformed = |name: &str, signer: &str, comment: &str, head: Vec<u8>| {
        case(name, "container-malformed", signer, comment, head)
    };
    let text = padded(&good, MANIFEST_BYTES);
    let armour = key(KEMENHAJ).sign(Purpose::Bundle, &text);
    let sealed = armour.as_bytes();
    let payload = |size| header(&file("payload.tar.zst.age", b""), size);
    let parts = |parts: &[_], size| {
        let mut head = [open_tar(parts), payload(size)].concat();
        head.resize(16_384, 0);
        head
    };
    let small = padded(&good, 13_824);
    let small_armour = key(KEMENHAJ).sign(Purpose::Bundle, &small);
    let pair = [file("manifest.json", &text), file("manifest.json.sig", sealed)];
    let [first, second] = &pair;
    let swapped = [file("manifest.json.sig", sealed), file("manifest.json", &text)];
    let early = [file("manifest.json", &small), file("manifest.json.sig", small_armour.as_bytes())];
    let with_time = [
        pax(b"13 mtime=1.5\n"),
        file("manifest.json", &small),
        file("manifest.json.sig", small_armour.as_bytes()),
    ];
    let renamed = [file("manifest.txt", &text), file("manifest.json.sig", sealed)];
    Ok(vec![
        case("ok-pax-size", "ok", "kemenhaj", "a payload of 9,000,000,000 bytes", huge()?),
        malformed("payload-size", "none", "the tar header announces another length than the manifest", parts(&pair, 1235)),
        malformed("order", "none", "the signature first", parts(&swapped, 1234)),
        malformed("payload-early", "none", "the payload starts before byte 16,384", parts(&early, 1234)),
        malformed("pax-mtime", "none", "a PAX key that is not allowed", parts(&with_time, 1234)),
        malformed("other-name", "none", "another name", parts(&renamed, 1234)),
        malformed("no-payload", "none", "two files only", {
            let mut head = open_tar(&pair);
            head.resize(16_384, 0);
            head
        }),
        malformed("folder-as-payload", "none", "the payload is a folder", {
            let mut head = open_tar(&pair);
            head.extend(header(
                &super::tape::special("payload.tar.zst.age", b'5', b""),
                0,
            ));
            head
        }),
        malformed("cut-short", "none", "16,383 bytes", head(&good, KEMENHAJ)?.split_at(16_383).0.to_vec()),
        malformed("zeros", "none", "16 KiB of zeros", vec![0; 16_384]),
        malformed("manifest-twice", "none", "the manifest in the signature's place", parts(&[file("manifest.json", first.bytes), file("manifest.json", second.bytes)], 1234)),
    ])
}
