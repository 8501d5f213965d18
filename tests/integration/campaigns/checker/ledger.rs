//! A ledger as RFC 6962 has it, recomputed from the published lines: numbered without a gap, under the root of its
//! checkpoint, and one record for each step of each bundle.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Kind and manifest digest of each record, by index.
pub(super) struct Ledger {
    pub(super) records: Vec<(String, Option<String>)>,
    pub(super) lines: Vec<Vec<u8>>,
}

impl Ledger {
    /// Reads it, and holds it against its own checkpoint.
    pub(super) fn read(home: &Path, party: &str) -> Result<Self> {
        let text = fs::read(home.join("ledger/records.jsonl")).context("records.jsonl")?;
        let mut lines: Vec<Vec<u8>> = text.split(|&b| b == b'\n').map(<[u8]>::to_vec).collect();
        ensure!(lines.pop() == Some(Vec::new()), "the last line has no end");
        let mut records = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            let record: Value = serde_json::from_slice(line)?;
            ensure!(record["index"] == index, "record {index} says {record}");
            let kind = record["kind"].as_str().context("a record has no kind")?;
            let manifest = record["manifest"].as_str().map(str::to_owned);
            records.push((kind.to_owned(), manifest));
        }
        let note = fs::read_to_string(home.join("ledger/checkpoint")).context("checkpoint")?;
        let mut said = note.lines();
        let origin = format!("amanah/{party}/1");
        ensure!(said.next() == Some(origin.as_str()), "origin of {note}");
        let size = said.next().unwrap_or_default().to_owned();
        ensure!(
            size == lines.len().to_string(),
            "{size}: {} lines",
            lines.len()
        );
        let leaves: Vec<[u8; 32]> = lines.iter().map(|line| hash(&[&[0], line])).collect();
        let root = base64(&root(&leaves));
        ensure!(
            said.next() == Some(root.as_str()),
            "the root is {root}, not that of {note}"
        );
        Ok(Self { records, lines })
    }

    /// How many records of each kind a bundle has.
    pub(super) fn of(&self, manifest: &str) -> BTreeMap<&str, usize> {
        let mut kinds = BTreeMap::new();
        for (kind, about) in &self.records {
            if about
                .as_deref()
                .is_some_and(|about| about.ends_with(manifest))
            {
                *kinds.entry(kind.as_str()).or_default() += 1;
            }
        }
        kinds
    }
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// RFC 6962 §2.1: the tree splits at the largest power of two below its size.
fn root(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [] => hash(&[]),
        [leaf] => *leaf,
        more => {
            let split = (more.len().next_power_of_two() / 2).max(1);
            let (left, right) = more.split_at(split);
            hash(&[&[1], &root(left), &root(right)])
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three
            .iter()
            .fold(0_u32, |bits, &b| (bits << 8) | u32::from(b))
            << (8 * (3 - three.len()));
        for letter in 0..4 {
            let index = usize::try_from((bits >> (18 - 6 * letter)) & 63).unwrap();
            text.push(if letter > three.len() {
                '='
            } else {
                char::from(LETTERS[index])
            });
        }
    }
    text
}

#[test]
fn the_root_and_base64_are_those_of_the_standards() {
    // RFC 6962's empty tree is the hash of nothing; of two leaves, of both under one node. RFC 4648 §10.
    assert_eq!(root(&[]), hash(&[]));
    let leaf = |text: &[u8]| hash(&[&[0], text]);
    let three = [leaf(b"a"), leaf(b"b"), leaf(b"c")];
    let pair = hash(&[&[1], &three[0], &three[1]]);
    assert_eq!(root(&three), hash(&[&[1], &pair, &three[2]]));
    let texts = [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foobar", "Zm9vYmFy"),
    ];
    for (plain, coded) in texts {
        assert_eq!(base64(plain.as_bytes()), coded);
    }
}
