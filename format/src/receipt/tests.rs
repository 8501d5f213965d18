//! Tests of receipts.
//! Held against FORMAT.md §13: both outcomes, the sender's key and time, and fields that must not stand together.

use super::*;
use crate::card::tests::{card, noon, secret, verified};
use crate::limits::CLOCK_SKEW_SECS;
use crate::signature::SecretKey;

fn keyring() -> Keyring {
    let mut keyring = Keyring::default();
    keyring.trust(verified(&card("bpkh")));
    keyring.trust(verified(&card("kemenag")));
    keyring
}

/// From kemenag, to bpkh: imported.
fn imported() -> Receipt {
    Receipt {
        format: Receipt::FORMAT.into(),
        manifest: Digest::of(b"manifest"),
        agreement: Some(Digest::of(b"agreement")),
        flow: Some("setoran".parse().unwrap()),
        epoch: Some(Epoch::FIRST),
        sequence: Some(Sequence::FIRST),
        from: "kemenag".parse().unwrap(),
        to: "bpkh".parse().unwrap(),
        outcome: Outcome::Imported,
        refusal: None,
        received: noon().plus_secs(-2),
        verified: noon().plus_secs(-1),
        finished: noon(),
        store: Some(StoreRef {
            kind: "files".into(),
            entries: 3,
            records: 0,
        }),
        contents: Some(Digest::of(b"contents")),
        ledger: LedgerRef {
            origin: "amanah/kemenag/1".into(),
            index: 7,
        },
        ext: Ext::default(),
        critical: Vec::new(),
    }
}

fn refused() -> Receipt {
    Receipt {
        outcome: Outcome::Refused,
        refusal: Some(Refusal::ManifestMalformed),
        agreement: None,
        flow: None,
        epoch: None,
        sequence: None,
        store: None,
        contents: None,
        ..imported()
    }
}

fn packed(receipt: &Receipt, key: &SecretKey) -> Vec<u8> {
    let text = document::print(receipt);
    pack(&text, &key.sign(Purpose::Receipt, &text))
}

fn verify(receipt: &Receipt, key: &SecretKey) -> Result<VerifiedReceipt, ReceiptError> {
    VerifiedReceipt::verify(&packed(receipt, key), &keyring(), noon())
}

#[test]
fn both_outcomes_survive_signing_and_verifying() {
    let key = secret("kemenag", 1);
    for receipt in [imported(), refused()] {
        let verified = verify(&receipt, &key).unwrap();
        assert_eq!(verified.receipt(), &receipt);
        assert_eq!(verified.signer(), key.public());
        assert_eq!(verified.digest(), Digest::of(&document::print(&receipt)));
    }
}

#[test]
fn only_a_key_of_its_sender_may_sign_it() {
    for wrong in [secret("bpkh", 1), secret("kemenag", 2), secret("other", 1)] {
        assert!(verify(&imported(), &wrong).is_err());
    }
}

#[test]
fn a_receipt_from_the_future_or_of_a_key_not_yet_valid_is_refused() {
    let key = secret("kemenag", 1);
    let mut receipt = imported();
    receipt.finished = noon().plus_secs(CLOCK_SKEW_SECS);
    assert!(verify(&receipt, &key).is_ok());
    receipt.finished = noon().plus_secs(CLOCK_SKEW_SECS + 1);
    assert!(verify(&receipt, &key).is_err());
    receipt.finished = "2025-12-31T23:59:59Z".parse().unwrap();
    assert!(verify(&receipt, &key).is_err());
}

#[test]
fn a_receipt_whose_parts_contradict_each_other_is_refused() {
    let imported_changes: [fn(&mut Receipt); 13] = [
        |r| r.refusal = Some(Refusal::Expired),
        |r| r.outcome = Outcome::Refused,
        |r| r.store = None,
        |r| r.contents = None,
        |r| r.agreement = None,
        |r| r.flow = None,
        |r| r.epoch = None,
        |r| r.sequence = None,
        |r| r.to = r.from.clone(),
        |r| r.ledger.origin = "a\nb".into(),
        |r| r.ledger.origin = "amanah/kemenag/0".into(),
        |r| r.ledger.origin = "amanah/bpkh/1".into(),
        |r| r.store.as_mut().unwrap().kind = "tape".into(),
    ];
    let refused_changes: [fn(&mut Receipt); 7] = [
        |r| r.refusal = None,
        |r| r.outcome = Outcome::Imported,
        |r| r.refusal = Some(Refusal::SignatureInvalid),
        |r| r.refusal = Some(Refusal::Expired),
        |r| r.flow = imported().flow,
        |r| r.store = imported().store,
        |r| r.contents = imported().contents,
    ];
    let imported = imported_changes.iter().map(|change| (imported(), change));
    let refused = refused_changes.iter().map(|change| (refused(), change));
    for ((mut receipt, change), number) in imported.chain(refused).zip(0..) {
        change(&mut receipt);
        assert!(verify(&receipt, &secret("kemenag", 1)).is_err(), "{number}");
    }
}

#[test]
fn a_receipt_cut_short_is_refused() {
    let bytes = packed(&imported(), &secret("kemenag", 1));
    for end in 0..bytes.len() {
        assert!(VerifiedReceipt::verify(&bytes[..end], &keyring(), noon()).is_err());
    }
}

#[test]
fn a_receipts_name_is_its_bundles() {
    let digest = Digest::of(b"manifest");
    assert_eq!(parse_name(&name(&digest)), Some(digest));
    for wrong in ["", ".receipt.amanah", "x.receipt.amanah", &digest.to_hex()] {
        assert_eq!(parse_name(wrong), None);
    }
}
