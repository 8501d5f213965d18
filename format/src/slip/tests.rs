//! Tests of slips.
//! Held against FORMAT.md §14: each kind with its fields, one spelling, and no effect without a valid key of the
//! sender.

use super::*;
use crate::card::tests::{card, noon, secret, verified};

fn keyring() -> Keyring {
    let mut keyring = Keyring::default();
    keyring.trust(verified(&card("bpkh")));
    keyring.trust(verified(&card("kemenag")));
    keyring
}

fn held() -> Slip {
    Slip {
        format: Slip::FORMAT.into(),
        body: Body::Held {
            manifest: Digest::of(b"manifest"),
            reason: HeldReason::AgreementUnknown,
        },
        from: "bpkh".parse().unwrap(),
        to: "kemenag".parse().unwrap(),
        number: 1,
        created: noon(),
        expires: noon().plus_secs(86_400),
        ext: Ext::default(),
        critical: Vec::new(),
    }
}

fn revocation() -> Slip {
    Slip {
        body: Body::Revocation {
            agreement: AgreementRef {
                id: "pks-haji".parse().unwrap(),
                version: 1,
                digest: Digest::of(b"agreement"),
            },
            reason: "Kebocoran data".into(),
            ledger_own: 12,
            ledger_peer: None,
        },
        ..held()
    }
}

fn verify(container: &[u8]) -> Result<VerifiedSlip, SlipError> {
    VerifiedSlip::verify(container, &keyring(), noon())
}

/// A slip of this text, rightly signed.
fn signed(text: &str) -> Vec<u8> {
    let armor = secret("bpkh", 1).sign(Purpose::Slip, text.as_bytes());
    pack_signed(NAME, text.as_bytes(), &armor)
}

fn text(slip: &Slip) -> String {
    String::from_utf8(document::print(slip)).unwrap()
}

#[test]
fn both_kinds_survive_signing_and_verifying() {
    for slip in [held(), revocation()] {
        let verified = verify(&sign(&slip, &secret("bpkh", 1))).unwrap();
        assert_eq!(verified.slip(), &slip);
        assert_eq!(verified.digest(), Digest::of(text(&slip).as_bytes()));
        assert_eq!(verified.digest(), digest(&slip));
    }
    assert!(text(&held()).contains("\"kind\": \"held\""));
}

#[test]
fn only_a_valid_key_of_its_sender_may_sign_it() {
    for wrong in [secret("kemenag", 1), secret("bpkh", 2), secret("other", 1)] {
        assert!(verify(&sign(&held(), &wrong)).is_err());
    }
    let container = sign(&held(), &secret("bpkh", 1));
    let late = "2028-01-01T00:00:00Z".parse().unwrap();
    assert!(VerifiedSlip::verify(&container, &keyring(), late).is_err());
    let mut early = held();
    early.created = "2025-12-31T23:59:59Z".parse().unwrap();
    assert!(verify(&sign(&early, &secret("bpkh", 1))).is_err());
}

#[test]
fn another_shape_is_refused() {
    let (held, revocation) = (text(&held()), text(&revocation()));
    assert!(verify(&signed(&held)).is_ok());
    for (good, piece, other) in [
        (&held, "\"number\"", "\"more\": 1, \"number\""),
        (&held, "\"manifest\"", "\"more\": 1, \"manifest\""),
        (&held, "\"held\"", "\"revocation\""),
        (&held, "\"held\"", "\"resend\""),
        (&held, "\"held\"", "{\"held\":null}"),
        (&held, "\"agreement-unknown\"", "\"weather\""),
        (&held, "\"kind\": \"held\",", ""),
        (&revocation, "\"revocation\"", "\"held\""),
        (&revocation, "\"ledger_peer\": null", "\"ledger_peer\": -1"),
        (&revocation, ",\n    \"ledger_peer\": null", ""),
        (&revocation, "\"version\": 1", "\"version\": 1, \"more\": 2"),
    ] {
        assert!(good.contains(piece), "{piece}");
        assert!(
            verify(&signed(&good.replace(piece, other))).is_err(),
            "{other}"
        );
    }
    let list = held.replace(
        &held[held.find("\"body\"").unwrap()..held.find("\"ext\"").unwrap()],
        &format!("\"body\": [\"{}\", \"gap\"],", Digest::of(b"")),
    );
    assert!(verify(&signed(&list)).is_err());
}

#[test]
fn a_slip_that_breaks_a_rule_is_refused() {
    let changes: [fn(&mut Slip); 6] = [
        |s| {
            let Body::Revocation { agreement, .. } = &mut s.body else {
                panic!("a revocation");
            };
            agreement.version = 0;
        },
        |s| s.to = s.from.clone(),
        |s| s.number = 0,
        |s| s.expires = s.created,
        |s| {
            let Body::Revocation { reason, .. } = &mut s.body else {
                panic!("a revocation");
            };
            *reason = "a\u{202e}b".into();
        },
        |s| {
            let Body::Revocation { reason, .. } = &mut s.body else {
                panic!("a revocation");
            };
            reason.clear();
        },
    ];
    for change in changes {
        let mut slip = revocation();
        change(&mut slip);
        assert!(verify(&sign(&slip, &secret("bpkh", 1))).is_err());
    }
}

#[test]
fn a_slip_cut_short_is_refused() {
    let bytes = sign(&held(), &secret("bpkh", 1));
    for end in 0..bytes.len() {
        assert!(verify(&bytes[..end]).is_err(), "{end}");
    }
}

#[test]
fn reasons_and_names_have_one_spelling() {
    for reason in HeldReason::ALL {
        let json = format!("\"{}\"", reason.code());
        assert_eq!(serde_json::to_string(reason).unwrap(), json);
    }
    let digest = Digest::of(b"slip");
    assert_eq!(parse_name(&name(&digest)), Some(digest));
    assert_eq!(parse_name("x.slip.amanah"), None);
}
