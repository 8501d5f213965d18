//! What may leave.
//! The same agreements as for what enters, asked from the sender's side: one permit, and a reason for each thing that
//! is not agreed.

use amanah_format::agreement::Lane;
use amanah_format::limits::ENTRIES_MAX;

use super::{OWN, PEER, THIRD, World, flow, flow_name, noon, party, time};
use crate::engine::policy::{Permit, Policy, ReturnReason, Size};

const SMALL: Size = Size {
    bytes: 1000,
    entries: 1,
};

fn ask(policy: &Policy, peer: &str, flow: &str, size: Size) -> Result<Permit, ReturnReason> {
    policy.may_send(&party(peer), &flow_name(flow), size, noon())
}

#[test]
fn an_agreed_flow_is_permitted_with_all_that_a_manifest_names() {
    let world = World::new();
    let policy = world.policy();
    let permit = ask(&policy, PEER, "manifes", SMALL).unwrap();
    assert_eq!(permit.agreement.digest, world.digest(0));
    assert_eq!(permit.agreement.version, 1);
    assert_eq!(permit.purpose, "pengawasan");
    assert_eq!((permit.lane, permit.bytes_max), (Lane::Urgent, 1000));
    let recipients = policy.keyring().recipients(&party(PEER), noon());
    assert_eq!(permit.recipients, recipients);
    assert_eq!(permit.expires, noon().plus_secs(30 * 86_400));
}

#[test]
fn what_is_not_agreed_does_not_leave() {
    let policy = World::new().policy();
    for (peer, flow, reason) in [
        ("kemenlu", "manifes", ReturnReason::PeerUnknown),
        (PEER, "unknown", ReturnReason::FlowNotAgreed),
        (THIRD, "manifes", ReturnReason::FlowNotAgreed),
        (PEER, "paspor", ReturnReason::DirectionNotAgreed),
    ] {
        assert_eq!(
            ask(&policy, peer, flow, SMALL),
            Err(reason),
            "{peer} {flow}"
        );
    }
}

#[test]
fn what_is_too_much_does_not_leave() {
    let policy = World::new().policy();
    let size = |bytes, entries| Size { bytes, entries };
    let large = ask(&policy, PEER, "manifes", size(1001, 1));
    assert_eq!(large, Err(ReturnReason::TooLarge));
    let many = ask(&policy, PEER, "manifes", size(0, ENTRIES_MAX + 1));
    assert_eq!(many, Err(ReturnReason::TooManyEntries));
    assert!(ask(&policy, PEER, "manifes", size(1000, ENTRIES_MAX)).is_ok());
}

#[test]
fn a_flow_of_an_agreement_that_is_over_does_not_leave() {
    let mut world = World::new();
    world.revoked.push((world.digest(0), noon()));
    let answer = ask(&world.policy(), PEER, "manifes", SMALL);
    assert_eq!(answer, Err(ReturnReason::AgreementNotInForce));
}

#[test]
fn a_peer_without_a_valid_key_gets_nothing() {
    let policy = World::new().policy();
    let late = time("2027-06-01T00:00:00Z");
    let answer = policy.may_send(&party(PEER), &flow_name("manifes"), SMALL, late);
    assert_eq!(answer, Err(ReturnReason::NoRecipientKey));
}

#[test]
fn a_flow_named_in_two_agreements_of_a_pair_is_sendable_in_neither() {
    let mut world = World::new();
    let other = world.agree("pks-kedua", 1, PEER);
    other.flows = vec![flow("manifes", PEER, OWN), flow("visa", OWN, PEER)];
    world.agree("pks-ketiga", 1, THIRD);
    let policy = world.policy();
    assert_eq!(policy.alarms(), ["flow-doubled manifes"]);
    let answer = ask(&policy, PEER, "manifes", SMALL);
    assert_eq!(answer, Err(ReturnReason::FlowNotAgreed));
    assert_eq!(policy.sendable(&party(PEER), noon()), [flow_name("visa")]);
    // Another pair may use the name.
    assert!(ask(&policy, THIRD, "manifes", SMALL).is_ok());
}

#[test]
fn only_flows_that_go_out_now_get_a_folder() {
    let policy = World::new().policy();
    let sendable = |peer, at| policy.sendable(&party(peer), time(at));
    let now = "2026-11-22T12:00:00Z";
    assert_eq!(sendable(PEER, now), [flow_name("manifes")]);
    assert!(sendable(PEER, "2026-10-01T00:00:00Z").is_empty());
    assert!(sendable(THIRD, now).is_empty());
    assert!(sendable("kemenlu", now).is_empty());
}

#[test]
fn sizes_add_up_or_are_too_much() {
    let two = SMALL.plus(SMALL).unwrap();
    assert_eq!((two.bytes, two.entries), (2000, 2));
    let endless = Size {
        bytes: u64::MAX,
        entries: 1,
    };
    assert_eq!(endless.plus(SMALL), None);
}
