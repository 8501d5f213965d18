//! Good documents made slightly wrong, by a seed: what a second reader has to judge as we do. Some changes break the signature;
//! those of a text are signed again by the right keys, so that the rules behind the signature are put to the test too.

use std::collections::BTreeMap;

use amanah_format::container::{manifest_bytes_for, pack, unpack_small};
use amanah_format::id::PartyId;
use amanah_format::limits::AGREEMENT_BYTES_MAX;
use amanah_format::signature::{Purpose, SecretKey};
use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

/// A sequence of numbers that depends on its seed alone (splitmix64).
pub struct Seeded(u64);

impl Seeded {
    /// The sequence of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed >> 11).unwrap_or_default() % bound.max(1)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }
}

/// A good document, and who may sign it again.
pub struct Good {
    /// Its container.
    pub container: Vec<u8>,
    /// What its signatures are for.
    pub purpose: Purpose,
    /// Whose key makes each signature of it, in their order.
    pub signers: Vec<PartyId>,
}

/// The parties' signing keys.
pub type Keys = BTreeMap<PartyId, SecretKey>;

/// The document with something wrong, or something that only looks so.
///
/// # Errors
/// The document was no good one.
pub fn mutated(good: &Good, keys: &Keys, seeded: &mut Seeded) -> Result<Vec<u8>> {
    match seeded.below(10) {
        0 => Ok(bytes_changed(&good.container, seeded)),
        1 => Ok(header_changed(&good.container, seeded)),
        2 => files_changed(good, keys, seeded),
        3 => {
            let text = bytes_changed(&text_of(good)?, seeded);
            signed_again(good, keys, &text)
        }
        _ => {
            let text = value_changed(&text_of(good)?, seeded)?;
            signed_again(good, keys, &text)
        }
    }
}

/// The container's files; of a bundle those of its head.
fn files_of(good: &Good) -> Result<Vec<(String, Vec<u8>)>> {
    Ok(unpack_small(&good.container, AGREEMENT_BYTES_MAX)?)
}

fn text_of(good: &Good) -> Result<Vec<u8>> {
    let files = files_of(good)?;
    Ok(files.into_iter().next().context("an empty container")?.1)
}

/// The document of this text: every signature made anew by the right key.
fn signed_again(good: &Good, keys: &Keys, text: &[u8]) -> Result<Vec<u8>> {
    let mut files = files_of(good)?;
    let mut text = text.to_vec();
    if good.purpose == Purpose::Bundle {
        // As long as it was: the payload's place must not move.
        let end = text.trim_ascii_end().len();
        text.truncate(end.max(1));
        text.resize(manifest_bytes_for(0).max(text.len()), b' ');
    }
    let mut signers = good.signers.iter();
    for (number, (_, content)) in files.iter_mut().enumerate() {
        if number == 0 {
            content.clone_from(&text);
        } else if let Some(key) = signers.next().and_then(|party| keys.get(party)) {
            *content = key.sign(good.purpose, &text).into_bytes();
        }
    }
    Ok(packed(&files))
}

fn packed(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let files: Vec<_> = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    pack(&files)
}

/// Bits turned, bytes cut off, cut out, put in or repeated.
fn bytes_changed(good: &[u8], seeded: &mut Seeded) -> Vec<u8> {
    let mut bytes = good.to_vec();
    let at = seeded.below(bytes.len());
    let length = seeded.below(700).min(bytes.len() - at);
    match seeded.below(6) {
        0 | 1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << seeded.below(8);
            }
        }
        2 => bytes.truncate(at),
        3 => drop(bytes.drain(at..at + length)),
        4 => {
            let copy: Vec<u8> = bytes.iter().skip(at).take(length).copied().collect();
            bytes.splice(at..at, copy);
        }
        _ => {
            // At the end zeros may be welcome, anything else is not.
            let byte = *seeded.pick(&[0, 0, b' ', b'\n', b'x']).unwrap_or(&0);
            let count = *seeded.pick(&[1, 512, 9_216, 10_240, 10_752]).unwrap_or(&1);
            bytes.extend(std::iter::repeat_n(byte, count));
        }
    }
    bytes
}

/// One byte of a header changed to something that could be meant well, and the checksum made right again.
fn header_changed(good: &[u8], seeded: &mut Seeded) -> Vec<u8> {
    let mut bytes = good.to_vec();
    let starts: Vec<usize> = (0..bytes.len().saturating_sub(512))
        .step_by(512)
        .filter(|start| bytes.get(start + 257..start + 262) == Some(b"ustar"))
        .collect();
    let Some(start) = seeded.pick(&starts).copied() else {
        return bytes;
    };
    let Some(block) = bytes.get_mut(start..start + 512) else {
        return bytes;
    };
    let fields = [
        0, 100, 104, 107, 108, 115, 116, 124, 130, 135, 136, 147, 156, 157, 256, 257, 262, 263,
        265, 296, 297, 329, 336, 337, 345, 499, 500, 511,
    ];
    let place = seeded.pick(&fields).copied().unwrap_or_default();
    let values = [
        0, b' ', b'0', b'1', b'7', b'8', b'5', b'x', b'g', b'L', 0x80, 0xff,
    ];
    let value = seeded.pick(&values).copied().unwrap_or_default();
    if let Some(byte) = block.get_mut(place) {
        *byte = value;
    }
    if let Some(field) = block.get_mut(148..156) {
        field.fill(b' ');
    }
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    for (field, digit) in block
        .iter_mut()
        .skip(148)
        .zip(format!("{sum:06o}\0 ").bytes())
    {
        *field = digit;
    }
    bytes
}

/// Files swapped, left out, repeated, renamed or added; a signature for another purpose, by another key, or adorned.
fn files_changed(good: &Good, keys: &Keys, seeded: &mut Seeded) -> Result<Vec<u8>> {
    let mut files = files_of(good)?;
    let (one, other) = (seeded.below(files.len()), seeded.below(files.len()));
    let text = text_of(good)?;
    let key = keys
        .values()
        .nth(seeded.below(keys.len()))
        .context("a key")?;
    let purpose = *seeded.pick(Purpose::ALL).context("a purpose")?;
    match seeded.below(7) {
        0 => files.swap(one, other),
        1 => drop(files.remove(one)),
        2 => files.push(("more.json".to_owned(), b"{}".to_vec())),
        3 => {
            let copy = files.get(one).cloned();
            files.extend(copy);
        }
        4 => {
            if let Some((name, _)) = files.get_mut(one) {
                name.push('x');
            }
        }
        5 => {
            if let Some((_, armour)) = files.get_mut(1) {
                *armour = key.sign(purpose, &text).into_bytes();
            }
        }
        _ => {
            if let Some((_, armour)) = files.get_mut(1) {
                let more: &[u8] = seeded
                    .pick(&[
                        &b"\n"[..],
                        b" ",
                        b"\r\n",
                        b"Good",
                        b"-----END SSH SIGNATURE-----\n",
                    ])
                    .unwrap_or(&&b"\n"[..]);
                armour.extend_from_slice(more);
            }
        }
    }
    Ok(packed(&files))
}

/// A value somewhere in the text replaced, left out, put in twice, or given a name that nobody knows.
fn value_changed(text: &[u8], seeded: &mut Seeded) -> Result<Vec<u8>> {
    let mut document: Value = serde_json::from_slice(text)?;
    let mut places = Vec::new();
    walk(&document, String::new(), &mut places);
    let place = seeded.pick(&places).cloned().unwrap_or_default();
    let donor = seeded.pick(&places).cloned().unwrap_or_default();
    let donated = document.pointer(&donor).cloned().unwrap_or_default();
    let (parent, name) = place.rsplit_once('/').unwrap_or_default();
    let mut raw = None;
    match (seeded.below(8), document.pointer_mut(parent)) {
        (0, Some(Value::Object(members))) => drop(members.remove(name)),
        (1, Some(Value::Object(members))) => added(members, seeded),
        (1 | 0, Some(Value::Array(list))) => list.push(donated),
        (2, Some(Value::Object(members))) => {
            let value = members.get(name).cloned().unwrap_or_default();
            let again = format!("{value},\"{name}\":{value}");
            members.insert(name.to_owned(), json!(MARK));
            raw = Some(again);
        }
        (3, Some(_)) => raw = Some(replaced_by_text(&mut document, &place, seeded)),
        (4, Some(_)) => put(&mut document, &place, donated),
        _ => {
            let value = odd_value(seeded, document.pointer(&place));
            put(&mut document, &place, value);
        }
    }
    let text = serde_json::to_string(&document)?;
    let mark = format!("\"{MARK}\"");
    Ok(text.replace(&mark, &raw.unwrap_or_default()).into_bytes())
}

/// Stands where raw text comes.
const MARK: &str = "@mark@";

fn walk(value: &Value, place: String, places: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                walk(member, format!("{place}/{name}"), places);
            }
        }
        Value::Array(list) => {
            for (number, element) in list.iter().enumerate() {
                walk(element, format!("{place}/{number}"), places);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    if !place.is_empty() {
        places.push(place);
    }
}

fn put(document: &mut Value, place: &str, value: Value) {
    if let Some(found) = document.pointer_mut(place) {
        *found = value;
    }
}

/// A member that no table lists, or one where anything may stand.
fn added(members: &mut Map<String, Value>, seeded: &mut Seeded) {
    match seeded.below(3) {
        0 => drop(members.insert("more".to_owned(), Value::Null)),
        1 => drop(members.insert("ext".to_owned(), json!({"more": [1, {"a": null}]}))),
        _ => drop(members.insert("critical".to_owned(), json!(["more"]))),
    }
}

/// Text that JSON readers take differently; what is written where `place` is.
fn replaced_by_text(document: &mut Value, place: &str, seeded: &mut Seeded) -> String {
    let texts = [
        "1.0",
        "1e2",
        "-0",
        "01",
        "+1",
        "9007199254740991",
        "9007199254740992",
        "-1",
        "0x1",
        "NaN",
        "Infinity",
        "tru",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\\ud83d\\ude00\"",
        "\"\u{202e}\"",
        "'a'",
        "\"a\tb\"",
        "\"\\u0009\"",
        "[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]",
        "{\"a\":1,\"a\":1}",
        "1/**/",
        "\"\\x\"",
        "18446744073709551616",
        "\u{feff}1",
        "",
        "[1,]",
        "\"\\u00e9\"",
        "4294967296",
    ];
    put(document, place, json!(MARK));
    (*seeded.pick(&texts).unwrap_or(&"")).to_owned()
}

/// A value that is well formed in itself, near to what stands there.
fn odd_value(seeded: &mut Seeded, now: Option<&Value>) -> Value {
    let text = now.and_then(Value::as_str).unwrap_or("kata");
    let number = now.and_then(Value::as_u64).unwrap_or(1);
    let nearly: String = {
        let at = seeded.below(text.len().max(1));
        let put = *seeded
            .pick(&['a', 'Z', '0', '-', ' ', '/', 'é'])
            .unwrap_or(&'a');
        let changed = text.chars().enumerate();
        changed
            .map(|(place, c)| if place == at { put } else { c })
            .collect()
    };
    let digest = format!("sha256:{}", "7b".repeat(32));
    let values = [
        Value::Null,
        json!(true),
        json!(0),
        json!(1),
        json!(2),
        json!(number + 1),
        json!([]),
        json!({}),
        json!(""),
        json!(" "),
        json!("a"),
        json!("ab"),
        json!("a--b"),
        json!("kata-lain"),
        json!(nearly),
        json!(nearly),
        json!(text.to_uppercase()),
        json!(format!("{text} ")),
        json!(text.repeat(5)),
        json!([text]),
        json!(digest),
        json!("2026-02-29T00:00:00Z"),
        json!("2020-01-01T00:00:00Z"),
        json!("2999-12-31T23:59:59Z"),
        json!("2026-11-22T24:00:00Z"),
        json!("table"),
        json!("files"),
        json!("refused"),
        json!("expired"),
        json!("manifest-malformed"),
        json!("signature-invalid"),
        json!("é\u{301}"),
        json!("x".repeat(4_001)),
    ];
    seeded.pick(&values).cloned().unwrap_or_default()
}
