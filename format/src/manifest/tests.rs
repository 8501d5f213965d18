//! Manifests: the exact bytes, what they say of themselves, and each check of a head, in its order.
//! The order is that of FORMAT.md §9.3, steps 1 to 4; which faults may be answered by a receipt is part of each
//! expectation.

use super::*;
use crate::{
    card::{self, Card, CardKeys, Valid, VerifiedCard},
    container::{bundle_head, manifest_bytes_for},
    keyring::Keyring,
    open::tests::sealed,
    recipient::Identity,
    refusal::Refusal,
    seal::SealOptions,
    signature::{PublicKey, Purpose, SecretKey},
};

fn manifest() -> Manifest {
    let options = SealOptions {
        level: 1,
        workers: 0,
    };
    let recipient = Identity::generate().recipient();
    sealed(&[("a", b"1")], &[recipient], options).1
}

fn time(text: &str) -> UtcTime {
    text.parse().unwrap()
}

fn valid<K>(key: K, until: &str) -> Valid<K> {
    Valid {
        key,
        from: time("2026-01-01T00:00:00Z"),
        until: time(until),
    }
}

/// The card of `party` with one signing key, valid in 2026.
fn trusted(party: &str, key: &SecretKey) -> Keyring {
    let until = "2027-01-01T00:00:00Z";
    let other = |seed| valid(SecretKey::from_seed(&[seed; 32]).public(), until);
    let card = Card {
        format: "amanah-card/1".to_owned(),
        party: party.parse().unwrap(),
        name: "Kementerian".to_owned(),
        number: 1,
        previous: None,
        created: time("2026-01-01T00:00:00Z"),
        keys: CardKeys {
            signing: vec![valid(key.public(), until)],
            transport: vec![other(101)],
            decryption: vec![valid(Identity::generate().recipient(), until)],
            ledger: vec![other(102)],
        },
        addresses: Vec::new(),
        contact: "pusdatin@example.go.id".to_owned(),
        formats: vec!["amanah-bundle/1".to_owned()],
        successor_of: None,
        ext: Ext::default(),
        critical: Vec::new(),
    };
    let mut keyring = Keyring::default();
    let container = card::sign(&card, key).unwrap();
    keyring.trust(VerifiedCard::verify(&container).unwrap());
    keyring
}

fn key() -> SecretKey {
    SecretKey::from_seed(&[1; 32])
}

/// A head with this manifest text, signed for `purpose`, its tar header declaring `payload_bytes`.
fn head(text: &[u8], payload_bytes: u64, purpose: Purpose) -> UnverifiedHead {
    let signature = key().sign(purpose, text);
    let head = bundle_head(text, &signature, payload_bytes).unwrap();
    UnverifiedHead::parse(&head).unwrap()
}

fn verify(manifest: &Manifest) -> Result<VerifiedHead, VerifyError> {
    let text = manifest.to_bytes().unwrap();
    let received = time("2026-11-23T00:00:00Z");
    let head = head(&text, manifest.payload.bytes, Purpose::Bundle);
    head.verify(&trusted("kemenag", &key()), received)
}

fn verify_text(text: &str) -> VerifyError {
    let padded = format!("{text:<14336}");
    let received = time("2026-11-23T00:00:00Z");
    let head = head(padded.as_bytes(), 9, Purpose::Bundle);
    let verified = head.verify(&trusted("kemenag", &key()), received);
    verified.err().unwrap()
}

#[test]
fn the_text_fills_the_head_and_reads_back() {
    let mut manifest = manifest();
    for payload_bytes in [1, 1 << 33] {
        manifest.payload.bytes = payload_bytes;
        let text = manifest.to_bytes().unwrap();
        assert_eq!(text.len(), manifest_bytes_for(payload_bytes));
        assert!(text.ends_with(b" }\n"));
        assert_eq!(document::parse::<Manifest>(&text).unwrap(), manifest);
    }
    manifest.recipients = vec![Digest::of(b"r"); 200];
    assert!(manifest.to_bytes().is_err());
}

#[test]
fn a_signed_head_verifies() {
    let manifest = manifest();
    let text = manifest.to_bytes().unwrap();
    let head = verify(&manifest).ok().unwrap();
    assert_eq!(*head.manifest(), manifest);
    assert_eq!(head.digest(), Digest::of(&text));
    assert_eq!(head.signer(), key().public());
    assert_eq!(head.evidence().0, text);
    let again: PublicKey =
        crate::signature::verify(Purpose::Bundle, &text, head.evidence().1).unwrap();
    assert_eq!(again, key().public());
}

#[test]
fn junk_is_refused_without_a_signer() {
    let manifest = manifest();
    let text = manifest.to_bytes().unwrap();
    let received = time("2026-11-23T00:00:00Z");
    let bytes = manifest.payload.bytes;
    let refused = |head: UnverifiedHead, keyring: &Keyring| {
        let error = head.verify(keyring, received).err().unwrap();
        assert_eq!((error.signer, error.manifest), (None, None));
        error.refusal
    };
    let other = trusted("kemenag", &SecretKey::from_seed(&[2; 32]));
    let unknown = refused(head(&text, bytes, Purpose::Bundle), &other);
    assert_eq!(unknown, Refusal::SignerUnknown);
    let known = trusted("kemenag", &key());
    let receipt = refused(head(&text, bytes, Purpose::Receipt), &known);
    assert_eq!(receipt, Refusal::SignatureInvalid);
    let mut changed = text.clone();
    changed[100] ^= 1;
    let signature = key().sign(Purpose::Bundle, &text);
    let changed = bundle_head(&changed, &signature, bytes).unwrap();
    let changed = refused(UnverifiedHead::parse(&changed).unwrap(), &known);
    assert_eq!(changed, Refusal::SignatureInvalid);
    assert_eq!(
        UnverifiedHead::parse(&[0; 100]).err(),
        Some(Refusal::ContainerMalformed)
    );
}

#[test]
fn a_text_that_is_no_manifest_is_refused_with_its_signer() {
    for (text, refusal) in [
        ("{}", Refusal::ManifestMalformed),
        ("not JSON", Refusal::ManifestMalformed),
        (
            "{\"format\": \"amanah-bundle/2\"}",
            Refusal::FormatUnsupported,
        ),
        (
            "{\"format\": \"amanah-bundle/1\", \"critical\": [\"x\"]}",
            Refusal::FormatUnsupported,
        ),
    ] {
        let error = verify_text(text);
        assert_eq!(error.refusal, refusal, "{text}");
        assert_eq!(error.signer, Some("kemenag".parse().unwrap()));
        assert_eq!(error.manifest, None);
    }
}

#[test]
fn a_manifest_in_the_name_of_another_is_refused() {
    let mut manifest = manifest();
    manifest.from = "someone-else".parse().unwrap();
    let error = verify(&manifest).err().unwrap();
    assert_eq!(error.refusal, Refusal::SenderMismatch);
    assert_eq!(error.signer, Some("kemenag".parse().unwrap()));
    assert_eq!(error.manifest.map(|manifest| *manifest), Some(manifest));
}

#[test]
fn a_key_must_be_valid_when_signing_and_at_hand_over() {
    let mut old = manifest();
    old.created = time("2025-12-31T23:59:59Z");
    assert_eq!(verify(&old).err().unwrap().refusal, Refusal::SignerNotValid);
    let manifest = manifest();
    let text = manifest.to_bytes().unwrap();
    let head = head(&text, manifest.payload.bytes, Purpose::Bundle);
    let late = head.verify(&trusted("kemenag", &key()), time("2027-01-01T00:00:00Z"));
    assert_eq!(late.err().unwrap().refusal, Refusal::SignerNotValid);
}

#[test]
fn a_length_that_the_container_denies_is_refused() {
    let manifest = manifest();
    let text = manifest.to_bytes().unwrap();
    let head = head(&text, manifest.payload.bytes + 1, Purpose::Bundle);
    assert_eq!(head.payload_bytes(), manifest.payload.bytes + 1);
    let verified = head.verify(&trusted("kemenag", &key()), time("2026-11-23T00:00:00Z"));
    let error = verified.err().unwrap();
    assert_eq!(error.refusal, Refusal::ContainerMalformed);
    assert_eq!(error.signer, None, "damage by anybody buys no signature");
}

type Change = fn(&mut Manifest);

#[test]
fn a_manifest_that_contradicts_itself_is_refused() {
    let refused: [Change; 14] = [
        |m| m.previous = Some(Digest::of(b"p")),
        |m| m.sequence = "2".parse().unwrap(),
        |m| m.epoch = "2".parse().unwrap(),
        |m| m.recipients.clear(),
        |m| m.recipients = vec![m.recipients[0]; 2],
        |m| m.recipients = (0..17).map(|n| Digest::of(&[n])).collect(),
        |m| m.expires = m.created,
        |m| m.to = m.from.clone(),
        |m| m.agreement.version = 0,
        |m| m.purpose = String::new(),
        |m| m.purpose = "ha jj".to_owned(),
        |m| m.purpose = "A".repeat(65),
        |m| m.contents.entries = 0,
        |m| m.contents.entries = ENTRIES_MAX + 1,
    ];
    for (number, change) in refused.into_iter().enumerate() {
        let mut manifest = manifest();
        change(&mut manifest);
        let error = verify(&manifest).err().unwrap();
        assert_eq!(error.refusal, Refusal::ManifestMalformed, "{number}");
    }
}

#[test]
fn a_manifest_that_agrees_with_itself_is_accepted() {
    let accepted: [Change; 4] = [
        |m| (m.sequence, m.previous) = ("2".parse().unwrap(), Some(Digest::of(b"p"))),
        |m| (m.epoch, m.previous) = ("2".parse().unwrap(), Some(Digest::of(b"p"))),
        |m| m.recipients = (0..16).map(|n| Digest::of(&[n])).collect(),
        |m| (m.purpose, m.contents.entries) = ("A-1_".repeat(16), ENTRIES_MAX),
    ];
    for (number, change) in accepted.into_iter().enumerate() {
        let mut manifest = manifest();
        change(&mut manifest);
        assert!(verify(&manifest).is_ok(), "{number}");
    }
}
