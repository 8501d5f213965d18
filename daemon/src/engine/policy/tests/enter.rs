//! What may enter: one fault at a time, and the order of FORMAT.md §9.3 where two meet.
//! Each test takes a bundle that is right and breaks one thing, so that the code names that fault and no other.

use amanah_format::contents::ContentsSummary;
use amanah_format::digest::Digest;
use amanah_format::document::Ext;
use amanah_format::id::{BundleId, Epoch, Sequence};
use amanah_format::keyring::Keyring;
use amanah_format::limits::ENTRIES_MAX;
use amanah_format::manifest::{AgreementRef, Manifest, PayloadRef};
use amanah_format::refusal::Refusal;
use amanah_format::slip::HeldReason;

use super::{OWN, PEER, THIRD, World, flow_name, noon, party, time};
use crate::engine::policy::{Place, Policy, Verdict};

/// The first bundle of the flow that comes in, without fault.
fn manifest(world: &World, policy: &Policy) -> Manifest {
    Manifest {
        format: "amanah-bundle/1".to_owned(),
        bundle: BundleId::new_v7(1_790_000_000_000, [1; 10]),
        agreement: AgreementRef {
            id: "pks-manifes".parse().unwrap(),
            version: 1,
            digest: world.digest(0),
        },
        flow: flow_name("paspor"),
        purpose: "statistik".to_owned(),
        from: party(PEER),
        to: party(OWN),
        epoch: Epoch::FIRST,
        sequence: Sequence::FIRST,
        previous: None,
        recipients: vec![
            key_of(policy.keyring(), OWN),
            key_of(policy.keyring(), PEER),
        ],
        regarding: None,
        created: noon(),
        expires: noon().plus_secs(86_400),
        payload: PayloadRef {
            digest: Digest::of(b"payload"),
            bytes: 7,
        },
        contents: ContentsSummary {
            digest: Digest::of(b"contents"),
            entries: ENTRIES_MAX,
            bytes: 1000,
        },
        ext: Ext::default(),
        critical: Vec::new(),
    }
}

fn key_of(keyring: &Keyring, name: &str) -> Digest {
    keyring.recipients(&party(name), noon())[0].digest()
}

/// The verdict on the faultless bundle after `fault` was done to it and to its place.
fn verdict_after(fault: impl FnOnce(&mut Manifest, &mut Place)) -> Verdict {
    verdict_in(&World::new(), fault)
}

fn verdict_in(world: &World, fault: impl FnOnce(&mut Manifest, &mut Place)) -> Verdict {
    let policy = world.policy();
    let (mut manifest, mut place) = (manifest(world, &policy), Place::default());
    fault(&mut manifest, &mut place);
    policy.judge(&manifest, &place, noon())
}

fn refuses(refusal: Refusal, fault: impl FnOnce(&mut Manifest, &mut Place)) {
    assert_eq!(verdict_after(fault), Verdict::Refuse(refusal));
}

#[test]
fn a_bundle_within_the_agreement_is_admitted() {
    assert_eq!(verdict_after(|_, _| {}), Verdict::Admit);
    let only_ours = |manifest: &mut Manifest, _: &mut Place| {
        manifest.recipients.pop();
    };
    assert_eq!(verdict_after(only_ours), Verdict::Admit);
}

#[test]
fn a_bundle_for_another_party_or_for_other_keys_is_refused() {
    refuses(Refusal::WrongRecipient, |manifest, _| {
        manifest.to = party(THIRD)
    });
    refuses(Refusal::WrongRecipient, |manifest, _| {
        manifest.recipients.push(Digest::of(b"a stranger's key"));
    });
    refuses(Refusal::WrongRecipient, |manifest, _| {
        manifest.recipients.remove(0);
    });
    refuses(Refusal::WrongRecipient, |manifest, _| {
        manifest.recipients.clear()
    });
}

#[test]
fn a_bundle_from_the_future_is_held_until_the_clocks_agree() {
    let ahead = |secs| {
        verdict_after(move |manifest, _| {
            manifest.created = noon().plus_secs(secs);
            manifest.expires = noon().plus_secs(secs + 1);
        })
    };
    assert_eq!(ahead(300), Verdict::Admit);
    assert_eq!(ahead(301), Verdict::Hold(HeldReason::Clock));
}

#[test]
fn expires_is_the_last_moment_of_a_hand_over() {
    let at_last = verdict_after(|manifest, _| manifest.expires = noon());
    assert_eq!(at_last, Verdict::Admit);
    refuses(Refusal::Expired, |manifest, _| {
        manifest.expires = noon().plus_secs(-1);
    });
}

#[test]
fn an_agreement_that_is_not_known_here_holds() {
    let verdict = verdict_after(|manifest, _| manifest.agreement.digest = Digest::of(b"newer"));
    assert_eq!(verdict, Verdict::Hold(HeldReason::AgreementUnknown));
}

#[test]
fn an_agreement_named_by_another_id_or_version_is_refused() {
    refuses(Refusal::AgreementNotInForce, |manifest, _| {
        manifest.agreement.id = "pks-lain".parse().unwrap();
    });
    refuses(Refusal::AgreementNotInForce, |manifest, _| {
        manifest.agreement.version = 2
    });
}

#[test]
fn an_agreement_before_its_begin_after_its_end_or_revoked_is_refused() {
    let expected = Verdict::Refuse(Refusal::AgreementNotInForce);
    let mut world = World::new();
    world.agreements[0].effective = noon().plus_secs(1);
    assert_eq!(verdict_in(&world, |_, _| {}), expected);
    let mut world = World::new();
    world.agreements[0].ends = noon();
    assert_eq!(verdict_in(&world, |_, _| {}), expected);
    let mut world = World::new();
    world.revoked.push((world.digest(0), noon()));
    assert_eq!(verdict_in(&world, |_, _| {}), expected);
}

#[test]
fn an_agreement_with_two_texts_is_refused() {
    let mut world = World::new();
    world.agree("pks-manifes", 1, PEER).dpia = "DPIA-2026-02".to_owned();
    let expected = Verdict::Refuse(Refusal::AgreementNotInForce);
    assert_eq!(verdict_in(&world, |_, _| {}), expected);
}

#[test]
fn a_superseded_version_is_admitted_until_its_drain_is_over() {
    let after = |effective: &str, ends: &str| {
        let mut world = World::new();
        world.agreements[0].ends = time(ends);
        world.agree("pks-manifes", 2, PEER).effective = time(effective);
        verdict_in(&world, |_, _| {})
    };
    let (refused, late) = (
        Verdict::Refuse(Refusal::AgreementNotInForce),
        "2027-11-01T00:00:00Z",
    );
    assert_eq!(after("2026-11-22T12:00:01Z", late), Verdict::Admit);
    assert_eq!(after("2026-11-12T12:00:01Z", late), Verdict::Admit);
    assert_eq!(after("2026-11-12T12:00:00Z", late), refused);
    // Also where the older one ends with the begin of the newer: the drain is for what was under way.
    let both = "2026-11-20T00:00:00Z";
    assert_eq!(after(both, both), Verdict::Admit);
}

#[test]
fn a_flow_that_is_not_agreed_or_goes_the_other_way_is_refused() {
    refuses(Refusal::FlowNotAgreed, |manifest, _| {
        manifest.flow = flow_name("unknown");
    });
    refuses(Refusal::DirectionNotAgreed, |manifest, _| {
        manifest.flow = flow_name("manifes");
    });
}

#[test]
fn an_agreement_with_somebody_else_allows_nothing() {
    let mut world = World::new();
    world.agree("pks-ketiga", 1, THIRD);
    let verdict = verdict_in(&world, |manifest, _| {
        manifest.agreement.id = "pks-ketiga".parse().unwrap();
        manifest.agreement.digest = world.digest(1);
    });
    assert_eq!(verdict, Verdict::Refuse(Refusal::FlowNotAgreed));
}

#[test]
fn another_purpose_and_too_much_are_refused() {
    refuses(Refusal::PurposeNotAgreed, |manifest, _| {
        manifest.purpose = "lain".to_owned();
    });
    refuses(Refusal::TooLarge, |manifest, _| {
        manifest.contents.bytes = 1001
    });
    refuses(Refusal::TooLarge, |manifest, _| {
        manifest.contents.entries = ENTRIES_MAX + 1
    });
}

#[test]
fn a_place_or_id_that_another_bundle_has_is_refused() {
    let other = Some(Digest::of(b"other"));
    refuses(Refusal::SequenceConflict, |_, place| place.holder = other);
    refuses(Refusal::BundleIdReused, |_, place| place.same_id = other);
}

/// The verdict on the bundle at this sequence, where the stream has no gap up to `contiguous`.
fn at(sequence: u64, contiguous: u64, previous: Option<&[u8]>, before: Option<&[u8]>) -> Verdict {
    verdict_after(|manifest, place| {
        manifest.sequence = Sequence::try_from(sequence).unwrap();
        manifest.previous = previous.map(Digest::of);
        place.before = before.map(Digest::of);
        place.contiguous = contiguous;
    })
}

#[test]
fn a_gap_does_not_hold_files_but_too_far_beyond_it_is_refused() {
    let previous = Some(&b"unseen"[..]);
    assert_eq!(at(3, 1, previous, None), Verdict::Admit);
    assert_eq!(at(1026, 1, previous, None), Verdict::Admit);
    let far = Verdict::Refuse(Refusal::SequenceTooFar);
    assert_eq!(at(1027, 1, previous, None), far);
}

#[test]
fn a_bundle_names_the_one_before_it() {
    let (one, other) = (Some(&b"one"[..]), Some(&b"other"[..]));
    let mismatch = Verdict::Refuse(Refusal::PreviousMismatch);
    assert_eq!(at(2, 1, one, one), Verdict::Admit);
    assert_eq!(at(2, 1, other, one), mismatch);
    assert_eq!(at(2, 1, None, one), mismatch);
    assert_eq!(at(2, 0, None, None), mismatch);
    assert_eq!(at(1, 0, one, None), mismatch);
}

#[test]
fn the_first_fault_in_the_order_of_the_format_names_the_code() {
    refuses(Refusal::WrongRecipient, |manifest, _| {
        manifest.to = party(THIRD);
        manifest.expires = noon().plus_secs(-1);
    });
    refuses(Refusal::Expired, |manifest, _| {
        manifest.expires = noon().plus_secs(-1);
        manifest.agreement.digest = Digest::of(b"unknown");
    });
    refuses(Refusal::FlowNotAgreed, |manifest, place| {
        manifest.flow = flow_name("unknown");
        place.holder = Some(Digest::of(b"other"));
    });
}
