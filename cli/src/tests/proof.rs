//! `verify`, `inspect`, `open`, `ledger`: what counts, what does not, and what is only said.
//! Each proof has its forgery beside it.

use super::stand::{Ministry, agreed, amanah, bundle, now, pair, receipt, receipt_at};
use crate::Exit;
use amanah_format::{
    card::{VerifiedCard, sign},
    digest::Digest,
    ledger::{Checkpoint, Record, RecordKind, Tree, leaf_hash, origin},
    time::UtcTime,
};

#[test]
fn verify_says_what_is_proven_and_what_is_not() {
    let (one, other) = agreed();
    let (file, evidence) = (one.path().join("b.amanah"), one.path().join("r.amanah"));
    let (manifest, digest) = bundle(&one, &other, &file);
    std::fs::write(&evidence, receipt(&other, &manifest, digest)).unwrap();
    let agreement = one
        .path()
        .join("agreements/pks-manifes-v1.agreement.amanah");
    let (card, cards) = (one.card(), [one.card(), other.card()]);
    let files = [&file, &evidence, &agreement, &card].map(|path| path.to_str().unwrap());
    let mut arguments = vec!["--lang", "en", "verify"];
    for card in &cards {
        arguments.extend(["--card", card.to_str().unwrap()]);
    }
    arguments.extend(files);
    let text = amanah(&arguments).ok().out;
    for part in [
        "bundle VALID",
        "receipt VALID",
        "agreement VALID",
        "card VALID",
        "Not proven",
        "imported and durable",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let facts = one.run(&["verify", "--json", files[0]]).ok().facts();
    assert_eq!(facts["files"][0]["proof"], "valid");
    assert_eq!(facts["files"][0]["digest"], digest.to_string());
}

#[test]
fn a_receipt_by_a_key_that_has_expired_since_is_valid_with_its_time_not_proven() {
    let (one, other) = pair();
    let (manifest, digest) = bundle(&one, &other, &one.path().join("b.amanah"));
    let verified = VerifiedCard::verify(&std::fs::read(other.card()).unwrap()).unwrap();
    let mut card = verified.card().clone();
    let [from, then, until] = ["2020-01-01", "2020-06-01", "2021-01-01"]
        .map(|day| format!("{day}T00:00:00Z").parse::<UtcTime>().unwrap());
    for valid in &mut card.keys.signing {
        (valid.from, valid.until) = (from, until);
    }
    let (card_path, path) = (one.path().join("old.card"), one.path().join("r.amanah"));
    std::fs::write(&card_path, sign(&card, &other.signing()).unwrap()).unwrap();
    let arguments = [
        "--lang",
        "en",
        "verify",
        "--card",
        card_path.to_str().unwrap(),
        path.to_str().unwrap(),
    ];
    std::fs::write(&path, receipt_at(&other, (&manifest, digest), then)).unwrap();
    let text = amanah(&arguments).ok().out;
    assert!(
        text.contains("Time NOT proven") && text.contains("1 June 2020 07:00 WIB"),
        "{text}"
    );
    std::fs::write(&path, receipt(&other, &manifest, digest)).unwrap();
    assert_eq!(amanah(&arguments).exit, Exit::Negative);
}

#[test]
fn a_revocation_verifies_as_a_slip() {
    let (one, other) = agreed();
    one.run(&["agreement", "revoke", "pks-manifes", "--reason", "selesai"])
        .ok();
    let slip = one
        .path()
        .join("agreements/pks-manifes-v1.kemenhaj.revocation.amanah");
    let text = other.run(&["verify", slip.to_str().unwrap()]).ok().out;
    assert!(
        text.contains("slip VALID") && text.contains("selesai"),
        "{text}"
    );
}

#[test]
fn what_was_changed_or_is_of_an_unknown_signer_does_not_verify() {
    let (one, other) = pair();
    let file = one.path().join("b.amanah");
    bundle(&one, &other, &file);
    let path = file.to_str().unwrap();
    let whole = std::fs::read(&file).unwrap();
    let tail = whole.len() - 1;
    for (place, part) in [
        (16_384 + 40, "not the one that was signed"),
        (600, ""),
        (tail, "follows the payload"),
    ] {
        let mut damaged = whole.clone();
        damaged[place] ^= 1;
        std::fs::write(&file, &damaged).unwrap();
        let judged = one.run(&["verify", path]);
        assert_eq!(judged.exit, Exit::Negative, "{place}: {judged:?}");
        assert!(
            judged.out.contains("NOT VALID") && judged.out.contains(part),
            "{judged:?}"
        );
    }
    std::fs::write(&file, &whole[..whole.len() - 2_000]).unwrap();
    assert!(one.run(&["verify", path]).out.contains("cut short"));
    std::fs::write(&file, &whole).unwrap();
    let stranger = Ministry::new("kanwil");
    let judged = stranger.run(&["verify", path]);
    assert_eq!(judged.exit, Exit::Negative);
    assert!(judged.out.contains("signer-unknown"), "{judged:?}");
}

#[test]
fn a_file_that_is_no_document_ends_with_65_and_a_missing_one_with_66() {
    let one = Ministry::new("kemenhaj");
    let file = one.path().join("x");
    std::fs::write(&file, "nothing").unwrap();
    assert_eq!(
        one.run(&["verify", file.to_str().unwrap()]).exit,
        Exit::Document
    );
    let card = one.card();
    let judged = one.run(&["verify", "/nowhere/x", card.to_str().unwrap()]);
    assert_eq!(judged.exit, Exit::Missing);
    assert!(
        judged.out.contains("/nowhere/x does not exist") && judged.out.contains("card VALID"),
        "the others are judged all the same: {judged:?}"
    );
    assert_eq!(
        one.run(&["inspect", file.to_str().unwrap()]).exit,
        Exit::Document
    );
}

#[test]
fn inspect_shows_a_bundle_without_keys_and_says_that_it_proves_nothing() {
    let (one, other) = pair();
    let file = one.path().join("b.amanah");
    let (_, digest) = bundle(&one, &other, &file);
    let path = file.to_str().unwrap();
    let text = amanah(&["--lang", "en", "inspect", path]).ok().out;
    assert!(
        text.contains("NOT VERIFIED") && text.contains("manifes-umrah"),
        "{text}"
    );
    let facts = amanah(&["--json", "inspect", path]).ok().facts();
    assert_eq!(
        (&facts["verified"], &facts["digest"]),
        (&false.into(), &digest.to_string().into())
    );
    let card = one.card();
    let text = amanah(&["--lang", "en", "inspect", card.to_str().unwrap()])
        .ok()
        .out;
    assert!(text.contains("amanah-card/1"));
}

#[test]
fn open_writes_all_entries_or_nothing() {
    let (one, other) = pair();
    let file = other.path().join("b.amanah");
    bundle(&one, &other, &file);
    let (path, into) = (file.to_str().unwrap().to_owned(), other.path().join("isi"));
    let into_text = into.to_str().unwrap();
    let open = ["open", &path, "--into", into_text];
    one.run(&open).fails(Exit::Negative, "decryption-failed");
    assert!(!into.exists());
    other.run(&open).ok();
    assert_eq!(
        std::fs::read_to_string(into.join("manifes umrah.csv")).unwrap(),
        "a;b\n1"
    );
    other.run(&open).fails(Exit::Usage, "exists already");
    std::fs::remove_dir_all(&into).unwrap();
    let mut damaged = std::fs::read(&file).unwrap();
    let last = damaged.len() - 1_600;
    damaged[last] ^= 1;
    std::fs::write(&file, damaged).unwrap();
    assert_eq!(other.run(&open).exit, Exit::Negative);
    assert!(!into.exists());
    let left = std::fs::read_dir(other.path()).unwrap().flatten();
    assert!(left.into_iter().all(|entry| {
        !entry
            .file_name()
            .to_string_lossy()
            .starts_with(".amanah-open")
    }));
}

#[test]
fn open_refuses_a_key_that_others_may_read() {
    use std::os::unix::fs::PermissionsExt;
    let (one, other) = pair();
    let file = other.path().join("b.amanah");
    bundle(&one, &other, &file);
    let key = other.path().join("key.txt");
    std::fs::copy(other.path().join("keys/decryption.txt"), &key).unwrap();
    let into = other.path().join("isi");
    let open = [
        "open",
        file.to_str().unwrap(),
        "--into",
        into.to_str().unwrap(),
        "--key",
        key.to_str().unwrap(),
    ];
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).unwrap();
    other.run(&open).fails(Exit::Permission, "chmod 600");
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
    other.run(&open).ok();
}

/// A ledger of `count` records under a checkpoint that covers `covered` of them.
fn ledger(of: &Ministry, count: u64, covered: u64) {
    let folder = of.path().join("ledger");
    std::fs::create_dir_all(&folder).unwrap();
    let (mut tree, mut lines) = (Tree::default(), Vec::new());
    for index in 0..count {
        let record = Record {
            index,
            time: now(),
            kind: if index == 0 {
                RecordKind::Opened
            } else {
                RecordKind::Loaded
            },
            manifest: None,
            digests: if index == 0 {
                Vec::new()
            } else {
                vec![Digest::of(b"card")]
            },
            code: None,
            by: None,
        };
        let line = record.to_line();
        if index < covered {
            tree.push(leaf_hash(&line));
        }
        lines.extend(line);
        lines.push(b'\n');
    }
    let checkpoint = Checkpoint {
        origin: origin(&of.party.parse().unwrap(), 1),
        size: tree.size(),
        root: tree.root(),
    };
    std::fs::write(folder.join("records.jsonl"), lines).unwrap();
    std::fs::write(
        folder.join("checkpoint"),
        checkpoint.sign(&of.key("ledger")),
    )
    .unwrap();
}

#[test]
fn a_whole_ledger_verifies_and_shows_its_newest_records() {
    let (one, other) = pair();
    ledger(&one, 5, 4);
    let text = one.run(&["ledger", "verify"]).ok().out;
    assert!(
        text.contains("whole: 4 records") && text.contains("newest 1 records"),
        "{text}"
    );
    let folder = one.path().join("ledger");
    other
        .run(&["ledger", "verify", folder.to_str().unwrap()])
        .ok();
    let checkpoint = folder.join("checkpoint");
    other.run(&["verify", checkpoint.to_str().unwrap()]).ok();
    let shown = one
        .run(&["ledger", "show", "--last", "2", "--json"])
        .ok()
        .facts();
    assert_eq!(shown["records"].as_array().unwrap().len(), 2);
    assert_eq!(shown["records"][1]["index"], 4);
    assert!(one.run(&["ledger", "show"]).ok().out.contains("opened"));
}

#[test]
fn a_ledger_that_was_changed_cut_or_signed_by_another_does_not_verify() {
    let (one, other) = pair();
    ledger(&one, 5, 5);
    let path = one.path().join("ledger/records.jsonl");
    let whole = std::fs::read_to_string(&path).unwrap();
    let changed = whole.replacen("loaded", "opened", 1);
    let cut: String = whole
        .lines()
        .take(4)
        .map(|line| format!("{line}\n"))
        .collect();
    let swapped: Vec<&str> = whole.lines().rev().collect();
    for (wrong, why) in [
        (changed, "a record was changed"),
        (cut, "only 4 are here"),
        (swapped.join("\n"), "record 0 is missing or out of place"),
    ] {
        std::fs::write(&path, wrong).unwrap();
        let judged = one.run(&["ledger", "verify"]);
        assert_eq!(judged.exit, Exit::Negative, "{judged:?}");
        assert!(judged.out.contains("NOT whole"));
        assert!(judged.out.contains(why), "{why}: {judged:?}");
    }
    std::fs::write(&path, whole).unwrap();
    ledger(&other, 5, 5);
    std::fs::copy(
        other.path().join("ledger/checkpoint"),
        one.path().join("ledger/checkpoint"),
    )
    .unwrap();
    let facts = one.run(&["ledger", "verify", "--json"]);
    assert_eq!(facts.exit, Exit::Negative);
    assert_eq!(facts.facts()["verified"], false);
    let stranger = Ministry::new("kanwil");
    let folder = one.path().join("ledger");
    ledger(&other, 6, 6);
    std::fs::copy(
        other.path().join("ledger/checkpoint"),
        folder.join("checkpoint"),
    )
    .unwrap();
    let mixed = other.run(&["ledger", "verify", folder.to_str().unwrap()]);
    assert_eq!(mixed.exit, Exit::Negative, "{mixed:?}");
    assert_eq!(
        stranger
            .run(&["ledger", "verify", folder.to_str().unwrap()])
            .exit,
        Exit::Negative
    );
}
