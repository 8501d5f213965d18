//! Tests of records, tree and checkpoints; the tree's vectors are those of the certificate-transparency project.
//! Held against FORMAT.md §15: a line or note spelt in another way is refused, even where it is signed.

use super::*;
use crate::digest::Digest;
use crate::signature::SecretKey;
use crate::time::UtcTime;

/// Leaves of certificate-transparency's `merkle_tree_test.cc`, in hex.
const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];

/// Roots of the trees of the first 1 to 8 of them.
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn unhex(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn key() -> SecretKey {
    SecretKey::from_seed(&[3; 32])
}

fn record(index: u64) -> Record {
    Record {
        index,
        time: UtcTime::from_unix(1_795_379_520).unwrap(),
        kind: if index == 0 {
            RecordKind::Opened
        } else {
            RecordKind::Imported
        },
        manifest: (index > 0).then(|| Digest::of(b"manifest")),
        digests: vec![Digest::of(b"agreement")],
        code: None,
        by: None,
    }
}

/// A ledger of this many records and its checkpoint.
fn ledger(size: u64) -> (Vec<Vec<u8>>, Checkpoint) {
    let lines: Vec<_> = (0..size).map(|index| record(index).to_line()).collect();
    let mut tree = Tree::default();
    for line in &lines {
        tree.push(leaf_hash(line));
    }
    let checkpoint = Checkpoint {
        origin: origin(&"bpkh".parse().unwrap(), 1),
        size,
        root: tree.root(),
    };
    (lines, checkpoint)
}

fn walk(lines: &[Vec<u8>], checkpoint: &Checkpoint) -> Result<(), LedgerError> {
    verify_records(lines.iter().map(Vec::as_slice), checkpoint)
}

#[test]
fn the_roots_are_those_of_rfc_6962() {
    let mut tree = Tree::default();
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(tree.root().to_hex(), empty);
    for (leaf, root) in LEAVES.iter().zip(ROOTS) {
        tree.push(leaf_hash(&unhex(leaf)));
        assert_eq!(tree.root().to_hex(), root, "{}", tree.size());
        let again = Tree::from_edge(tree.size(), tree.edge().to_vec());
        assert_eq!(again, Some(tree.clone()));
    }
    assert_eq!(Tree::from_edge(3, tree.edge().to_vec()), None);
}

#[test]
fn a_record_is_one_line_that_reads_back() {
    let mut full = record(5);
    (full.code, full.by) = (Some("too-large".into()), Some(1000));
    for record in [record(0), record(1), full] {
        let line = record.to_line();
        assert!(!line.contains(&b'\n') && !line.contains(&b' '));
        assert_eq!(Record::parse(&line), Ok(record));
        for end in 0..line.len() {
            assert!(Record::parse(&line[..end]).is_err(), "{end}");
        }
    }
    let line = String::from_utf8(record(0).to_line()).unwrap();
    assert!(line.starts_with(
        r#"{"index":0,"time":"2026-11-22T20:32:00Z","kind":"opened","manifest":null,"digests":["sha256:"#
    ));
}

#[test]
fn a_record_spelt_otherwise_is_refused() {
    let good = String::from_utf8(record(0).to_line()).unwrap();
    for (piece, other) in [
        ("{", "{ "),
        ("{", "{\n"),
        ("}", "}\n"),
        ("\"manifest\":null,", ""),
        ("}", ",\"code\":null}"),
        ("}", ",\"code\":\"Siti Aminah\"}"),
        ("}", ",\"by\":-1}"),
        ("}", ",\"more\":1}"),
        ("\"opened\"", "\"Opened\""),
        ("\"index\":0", "\"index\":-0"),
        ("\"opened\"", "\"\\u006fpened\""),
    ] {
        assert!(good.contains(piece), "{piece}");
        let line = good.replacen(piece, other, 1);
        assert!(Record::parse(line.as_bytes()).is_err(), "{line}");
    }
    let long = record(0).digests.repeat(300);
    let long = Record {
        digests: long,
        ..record(0)
    };
    assert!(Record::parse(&long.to_line()).is_err());
}

#[test]
fn all_kinds_are_listed_in_order() {
    fn after(kind: RecordKind) -> Option<RecordKind> {
        use RecordKind::*;
        match kind {
            Opened => Some(Loaded),
            Loaded => Some(Claimed),
            Claimed => Some(Sealed),
            Sealed => Some(Signed),
            Signed => Some(HandedOver),
            HandedOver => Some(ReceiptVerified),
            ReceiptVerified => Some(Settled),
            Settled => Some(Returned),
            Returned => Some(Destroyed),
            Destroyed => Some(Admitted),
            Admitted => Some(Held),
            Held => Some(Damaged),
            Damaged => Some(Imported),
            Imported => Some(Refused),
            Refused => Some(ReceiptSigned),
            ReceiptSigned => Some(ReceiptDelivered),
            ReceiptDelivered => Some(Requested),
            Requested => Some(CheckpointCosigned),
            CheckpointCosigned => Some(Voided),
            Voided => Some(EpochOpened),
            EpochOpened => None,
        }
    }
    let walked: Vec<_> = std::iter::successors(Some(RecordKind::Opened), |k| after(*k)).collect();
    assert_eq!(walked, RecordKind::ALL);
    for kind in RecordKind::ALL {
        assert_eq!(kind.code().parse(), Ok(*kind));
    }
    assert!("Opened".parse::<RecordKind>().is_err());
}

#[test]
fn a_checkpoint_reads_back_under_its_key() {
    let (_, checkpoint) = ledger(3);
    let note = checkpoint.sign(&key());
    let lines: Vec<_> = note.split('\n').collect();
    assert_eq!(lines[..2], ["amanah/bpkh/1", "3"]);
    assert!(lines[3].is_empty() && lines[4].starts_with("— amanah/bpkh/1 "));
    let other = SecretKey::from_seed(&[4; 32]).public();
    assert_eq!(
        Checkpoint::verify(&note, &[other, key().public()]),
        Ok(checkpoint.clone())
    );
    // A witness's line beside the ledger's own is skipped.
    let witness = format!("{note}— witness.example/w 5ON1m+Zm0W8=\n");
    assert_eq!(
        Checkpoint::verify(&witness, &[key().public()]),
        Ok(checkpoint)
    );
}

#[test]
fn a_checkpoint_by_nobody_known_is_refused() {
    let note = ledger(3).1.sign(&key());
    assert!(Checkpoint::verify(&note, &[]).is_err());
    let other = SecretKey::from_seed(&[4; 32]).public();
    assert!(Checkpoint::verify(&note, &[other]).is_err());
}

#[test]
fn a_checkpoint_cut_short_or_changed_anywhere_is_refused() {
    let note = ledger(3).1.sign(&key());
    let keys = [key().public()];
    for (at, c) in note.char_indices() {
        assert!(Checkpoint::verify(&note[..at], &keys).is_err(), "{at}");
        let changed = if c == 'x' { 'y' } else { 'x' };
        let changed = format!("{}{changed}{}", &note[..at], &note[at + c.len_utf8()..]);
        assert!(Checkpoint::verify(&changed, &keys).is_err(), "{at}");
    }
}

#[test]
fn a_checkpoint_text_spelt_otherwise_is_refused_though_signed() {
    let text = ledger(3).1.sign(&key());
    let text = text.split_once("\n\n").unwrap().0.to_owned() + "\n";
    let root = text.lines().last().unwrap();
    for wrong in [
        text.replace("\n3\n", "\n03\n"),
        text.replace("\n3\n", "\n+3\n"),
        text.replace("\n3\n", "\n3 \n"),
        text.replace('=', ""),
        text.replace("bpkh/1", "bpkh/01"),
        text.replace("amanah/", "other/"),
        text.replace(root, &root[4..]),
        format!("{text}extension\n"),
        text.replace('\n', "\r\n"),
    ] {
        assert!(
            Checkpoint::verify(&signed(&wrong), &[key().public()]).is_err(),
            "{wrong}"
        );
    }
    assert!(Checkpoint::verify(&signed(&text), &[key().public()]).is_ok());
}

/// A note of any text, rightly signed by the name on its first line.
fn signed(text: &str) -> String {
    use base64ct::{Base64, Encoding};
    let name = text.lines().next().unwrap();
    let key = key();
    let named = [name.as_bytes(), b"\n\x01", key.public().as_bytes()].concat();
    let hash = &Digest::of(&named).as_bytes()[..4].to_vec();
    let signature = [hash, &key.sign_raw(text.as_bytes())[..]].concat();
    format!("{text}\n— {name} {}\n", Base64::encode_string(&signature))
}

#[test]
fn records_verify_against_their_checkpoint() {
    for size in [0, 1, 2, 7, 100] {
        let (lines, checkpoint) = ledger(size);
        assert_eq!(walk(&lines, &checkpoint), Ok(()));
    }
}

#[test]
fn records_that_are_not_the_checkpoints_are_refused() {
    let (lines, checkpoint) = ledger(5);
    let with = |change: fn(&mut Vec<Vec<u8>>)| {
        let mut lines = lines.clone();
        change(&mut lines);
        walk(&lines, &checkpoint)
    };
    assert!(with(|_| ()).is_ok());
    assert!(with(|l| l.truncate(4)).is_err());
    assert!(with(|l| l.push(record(5).to_line())).is_err());
    assert!(with(|l| l.swap(1, 2)).is_err());
    assert!(
        with(|l| l[0] = Record {
            kind: RecordKind::Loaded,
            ..record(0)
        }
        .to_line())
        .is_err()
    );
    assert!(
        with(|l| l[3] = Record {
            kind: RecordKind::Opened,
            ..record(3)
        }
        .to_line())
        .is_err()
    );
    let error = with(|l| {
        l[3] = Record {
            manifest: None,
            ..record(3)
        }
        .to_line()
    })
    .unwrap_err();
    assert!(error.to_string().contains("root"), "{error}");
}
