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

fn resend() -> Slip {
    Slip {
        body: Body::Resend(Resend {
            manifest: None,
            agreement: "pks-haji".parse().unwrap(),
            flow: "setoran".parse().unwrap(),
            epoch: crate::id::Epoch::FIRST,
            first: 3.try_into().unwrap(),
            last: 5.try_into().unwrap(),
        }),
        ..held()
    }
}

fn void() -> Slip {
    Slip {
        body: Body::Void(Void {
            agreement: "pks-haji".parse().unwrap(),
            flow: "setoran".parse().unwrap(),
            epoch: crate::id::Epoch::FIRST,
            sequence: 3.try_into().unwrap(),
            manifest: None,
            reason: VoidReason::Expired,
        }),
        ..held()
    }
}

fn place(flow: &str) -> StreamPlace {
    StreamPlace {
        from: "kemenag".parse().unwrap(),
        to: "bpkh".parse().unwrap(),
        agreement: "pks-haji".parse().unwrap(),
        flow: flow.parse().unwrap(),
        epoch: crate::id::Epoch::FIRST,
        sequence: 7.try_into().unwrap(),
        manifest: Digest::of(b"seventh"),
    }
}

fn position() -> Slip {
    Slip {
        body: Body::Position(Position {
            streams: vec![place("setoran"), place("batal")],
        }),
        ..held()
    }
}

fn checkpoint() -> Slip {
    Slip {
        body: Body::Checkpoint(Shown {
            note: "amanah/bpkh/1\n7\n".into(),
            consistency: vec![Digest::of(b"node")],
            previous_size: 3,
            inclusions: vec![Inclusion {
                index: 2,
                leaf: Digest::of(b"leaf"),
                proof: Vec::new(),
            }],
        }),
        ..held()
    }
}

fn cosignature() -> Slip {
    let note = "amanah/kemenag/1\n7\n".into();
    Slip {
        body: Body::Cosignature(Seen { note }),
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

fn proposed() -> Slip {
    let card = crate::card::sign(&crate::card::tests::card("bpkh"), &secret("bpkh", 1)).unwrap();
    let proposed = Proposed::of(&card).unwrap();
    assert_eq!(proposed.container(), Some(card));
    Slip {
        body: Body::Card(proposed),
        ..held()
    }
}

#[test]
fn a_card_that_is_no_base64_or_too_long_is_not_carried() {
    assert_eq!(Proposed::of(&[0; 50_000]), None);
    let text = text(&proposed());
    let at = text.find("\"card\": \"").unwrap() + 9;
    for wrong in ["", "!", "YQ"] {
        let end = text[at..].find('"').unwrap() + at;
        let changed = format!("{}{wrong}{}", &text[..at], &text[end..]);
        assert!(verify(&signed(&changed)).is_err(), "{wrong}");
    }
}

fn of_each_kind() -> [Slip; 8] {
    [
        held(),
        revocation(),
        resend(),
        void(),
        position(),
        checkpoint(),
        cosignature(),
        proposed(),
    ]
}

fn text(slip: &Slip) -> String {
    String::from_utf8(document::print(slip)).unwrap()
}

#[test]
fn every_kind_survives_signing_and_verifying() {
    for slip in of_each_kind() {
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
    let (resend, void, position) = (text(&resend()), text(&void()), text(&position()));
    for good in [&resend, &void, &position] {
        assert!(verify(&signed(good)).is_ok());
    }
    assert!(verify(&signed(&held)).is_ok());
    for (good, piece, other) in [
        (&held, "\"number\"", "\"more\": 1, \"number\""),
        (&held, "\"manifest\"", "\"more\": 1, \"manifest\""),
        (&held, "\"held\"", "\"revocation\""),
        (&held, "\"held\"", "\"resend\""),
        (&held, "\"held\"", "{\"held\":null}"),
        (&held, "\"agreement-unknown\"", "\"weather\""),
        (&held, "\"kind\": \"held\",", ""),
        (&resend, ",\n    \"manifest\": null", ""),
        (&resend, "\"first\": 3", "\"first\": 0"),
        (&resend, "\"first\": 3", "\"first\": 6"),
        (&resend, "\"last\": 5", "\"last\": 1027"),
        (&resend, "\"last\": 5", "\"last\": 5, \"more\": 1"),
        (&resend, "\"resend\"", "\"void\""),
        (&resend, "\"resend\"", "\"statement\""),
        (&void, "\"manifest\": null,", ""),
        (&void, "\"sequence\": 3", "\"sequence\": 9007199254740992"),
        (&void, "\"expired\"", "\"tired\""),
        (&void, "\"epoch\": 1", "\"epoch\": 0"),
        (&position, "\"flow\": \"batal\"", "\"flow\": \"setoran\""),
        (&position, "\"to\": \"bpkh\"", "\"to\": \"dirjen\""),
        (&position, "\"sequence\": 7", "\"sequence\": 7, \"more\": 1"),
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
    for slip in [held(), resend(), void(), position()] {
        let bytes = sign(&slip, &secret("bpkh", 1));
        for end in 0..bytes.len() {
            assert!(verify(&bytes[..end]).is_err(), "{end}");
        }
    }
}

#[test]
fn a_slip_with_a_changed_byte_is_refused_or_says_what_was_signed() {
    for slip in [resend(), void(), position()] {
        let bytes = sign(&slip, &secret("bpkh", 1));
        for place in (0..bytes.len()).step_by(13) {
            let mut changed = bytes.clone();
            changed[place] ^= 0x01;
            if let Ok(verified) = verify(&changed) {
                assert_eq!(verified.slip(), &slip, "{place}");
            }
        }
    }
}

#[test]
fn a_position_of_as_many_streams_as_it_may_have_fits_into_a_document() {
    let longest = |number: usize| StreamPlace {
        agreement: format!("a{:063}", number).parse().unwrap(),
        flow: format!("f{:063}", number).parse().unwrap(),
        epoch: crate::id::Epoch::try_from(u64::from(u32::MAX)).unwrap(),
        sequence: ((1 << 53) - 1).try_into().unwrap(),
        ..place("x1")
    };
    let mut slip = position();
    let streams = (0..POSITION_STREAMS_MAX).map(longest).collect();
    slip.body = Body::Position(Position { streams });
    // Party ids are 32 bytes at most; those of this test have 4 and 7.
    let longer = POSITION_STREAMS_MAX * (28 + 25);
    let bytes = u64::try_from(document::print(&slip).len() + longer).unwrap();
    assert!(bytes < DOCUMENT_BYTES_MAX, "{bytes}");
    assert!(verify(&sign(&slip, &secret("bpkh", 1))).is_ok());
    let Body::Position(position) = &mut slip.body else {
        panic!("a position");
    };
    position.streams.push(place("satu-lagi"));
    assert!(slip.check().is_err());
}

#[test]
fn a_position_asks_and_its_answer_names_the_very_slip_that_asked() {
    let mut asking = position();
    assert!(!asking.asks());
    asking.ask([0x5a; 16]);
    assert!(asking.asks() && text(&asking).contains(&"5a".repeat(16)));
    let asked = verify(&sign(&asking, &secret("bpkh", 1))).unwrap().digest();
    let mut answer = position();
    assert_eq!(answer.answers(), None);
    answer.answer(&asked);
    assert_eq!(answer.answers(), Some(asked));
    assert!(verify(&sign(&answer, &secret("bpkh", 1))).is_ok());
    asking.ask([0x5b; 16]);
    assert_ne!(digest(&asking), asked);
}

#[test]
fn reasons_and_names_have_one_spelling() {
    for reason in HeldReason::ALL {
        let json = format!("\"{}\"", reason.code());
        assert_eq!(serde_json::to_string(reason).unwrap(), json);
    }
    for reason in VoidReason::ALL {
        let json = format!("\"{}\"", reason.code());
        assert_eq!(serde_json::to_string(reason).unwrap(), json);
    }
    for slip in of_each_kind() {
        let kind = format!("\"kind\": \"{}\"", slip.body.kind());
        assert!(text(&slip).contains(&kind));
    }
    let digest = Digest::of(b"slip");
    assert_eq!(parse_name(&name(&digest)), Some(digest));
    assert_eq!(parse_name("x.slip.amanah"), None);
}
