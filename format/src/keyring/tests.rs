//! Tests of the keyring, also of its export against the real `ssh-keygen`.
//! A key counts for one party, in one role, for its time, and for nobody where two parties list it: FORMAT.md §11,
//! §11.1.

use std::fs;
use std::process::Command;

use super::*;
use crate::card::tests::{card, noon, secret, verified};

fn party(text: &str) -> PartyId {
    text.parse().unwrap()
}

/// A keyring with the first cards of two parties.
fn keyring() -> Keyring {
    let mut keyring = Keyring::default();
    keyring.trust(verified(&card("bpkh")));
    keyring.trust(verified(&card("kemenag")));
    keyring
}

#[test]
fn a_key_counts_for_its_party_in_its_role_and_time_only() {
    let keyring = keyring();
    let (bpkh, kemenag) = (party("bpkh"), party("kemenag"));
    let (signing, transport) = (secret("bpkh", 1).public(), secret("bpkh", 2).public());
    assert_eq!(keyring.signer(&signing), Some(&bpkh));
    assert!(keyring.may_sign(&bpkh, &signing, noon()));
    assert!(keyring.may_connect(&bpkh, &transport, noon()));
    let late = "2028-01-01T00:00:00Z".parse().unwrap();
    assert!(!keyring.may_sign(&bpkh, &signing, late));
    assert!(!keyring.may_connect(&bpkh, &transport, late));
    assert!(!keyring.may_sign(&kemenag, &signing, noon()));
    assert!(!keyring.may_sign(&bpkh, &transport, noon()));
    assert!(!keyring.may_connect(&bpkh, &signing, noon()));
    assert!(!keyring.may_connect(&kemenag, &transport, noon()));
    assert_eq!(keyring.signer(&transport), None);
    assert_eq!(keyring.ledger_keys(&bpkh), [secret("bpkh", 3).public()]);
}

#[test]
fn a_payload_is_sealed_to_the_valid_keys_of_the_newest_card() {
    let mut keyring = keyring();
    let bpkh = party("bpkh");
    let first = keyring.recipients(&bpkh, noon());
    assert_eq!(first.len(), 1);
    assert!(
        keyring
            .recipients(&bpkh, "2025-01-01T00:00:00Z".parse().unwrap())
            .is_empty()
    );
    assert!(keyring.recipients(&party("other"), noon()).is_empty());

    let mut later = card("bpkh");
    (later.number, later.previous) = (2, Some(keyring.card(&bpkh).unwrap().digest()));
    keyring.trust(verified(&later));
    let second = keyring.recipients(&bpkh, noon());
    assert_ne!(first, second);
    // What was sealed to the first card's key is still ours.
    assert!(keyring.is_recipient(&bpkh, &first[0].digest()));
    assert!(keyring.is_recipient(&bpkh, &second[0].digest()));
    assert!(!keyring.is_recipient(&party("kemenag"), &first[0].digest()));
    assert_eq!(keyring.card(&bpkh).unwrap().card().number, 2);
}

#[test]
fn a_newer_card_shortens_a_keys_validity() {
    let mut keyring = keyring();
    let bpkh = party("bpkh");
    let mut later = card("bpkh");
    (later.number, later.previous) = (2, Some(keyring.card(&bpkh).unwrap().digest()));
    later.keys.signing[0].until = noon();
    keyring.trust(verified(&later));
    let key = secret("bpkh", 1).public();
    assert!(keyring.may_sign(&bpkh, &key, noon().plus_secs(-1)));
    assert!(!keyring.may_sign(&bpkh, &key, noon()));
    assert_eq!(keyring.to_allowed_signers().matches("bpkh ").count(), 1);
}

#[test]
fn a_key_that_two_parties_list_is_nobodys() {
    let mut keyring = keyring();
    let mut thief = card("thief");
    thief
        .keys
        .signing
        .push(card("bpkh").keys.signing[0].clone());
    keyring.trust(verified(&thief));
    let key = secret("bpkh", 1).public();
    assert_eq!(keyring.signer(&key), None);
    assert!(!keyring.may_sign(&party("thief"), &key, noon()));
    assert!(!keyring.may_sign(&party("bpkh"), &key, noon()));
    assert!(!keyring.to_allowed_signers().contains(&key.to_string()));
}

#[test]
fn ssh_keygen_judges_by_the_exported_lines_as_we_do() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let keyring = keyring();
    fs::write(at("allowed"), keyring.to_allowed_signers()).unwrap();
    fs::write(at("message"), b"receipt").unwrap();
    let key = secret("bpkh", 1);
    let verify = |who: &str, purpose: Purpose, time: &str| {
        fs::write(at("sig"), key.sign(purpose, b"receipt")).unwrap();
        let option = format!("verify-time={time}");
        Command::new("ssh-keygen")
            .args(["-Y", "verify", "-f", "allowed", "-I", who, "-s", "sig"])
            .args(["-n", purpose.namespace(), "-O", &option])
            .current_dir(folder.path())
            .stdin(fs::File::open(at("message")).unwrap())
            .output()
            .unwrap()
            .status
            .success()
    };
    for purpose in Purpose::ALL {
        assert!(verify("bpkh", *purpose, "20261122120000Z"));
    }
    assert!(!verify("kemenag", Purpose::Receipt, "20261122120000Z"));
    for time in [
        "2025-12-31T23:59:59Z",
        "2026-01-01T00:00:00Z",
        "2027-12-31T23:59:59Z",
        "2028-01-01T00:00:00Z",
    ] {
        let time: UtcTime = time.parse().unwrap();
        assert_eq!(
            verify("bpkh", Purpose::Bundle, &time.to_compact()),
            keyring.may_sign(&party("bpkh"), &key.public(), time),
            "{time}"
        );
    }
}
