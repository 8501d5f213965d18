//! Slips that a malicious recipient hands to a sender: by another, for another, about nothing that is here.
//! A slip never settles anything: what it says is noted, or doubted, and the bundle waits on.

use amanah_format::digest::Digest;
use amanah_format::document::{Document, Ext};
use amanah_format::manifest::AgreementRef;
use amanah_format::slip::{self, Body, HeldReason, Slip};
use amanahd::transport::link::WireName;

use super::Desk;
use crate::bad_input::workshop::now;

pub(super) fn all(desk: &mut Desk) {
    let way = desk.ground.exchange.back.clone();
    let slip = |number: u64, body: Body| Slip {
        format: Slip::FORMAT.to_owned(),
        body,
        from: way.to.clone(),
        to: way.from.clone(),
        number,
        created: now(),
        expires: now().plus_secs(1_000),
        ext: Ext::default(),
        critical: Vec::new(),
    };
    let held = |manifest| Body::Held {
        manifest,
        reason: HeldReason::Gap,
    };
    let right = slip(1, held(desk.manifest));
    let mut from_other = right.clone();
    from_other.from = "pihak-lain".parse().unwrap();
    let mut to_other = right.clone();
    to_other.to = "pihak-lain".parse().unwrap();
    let not_ours = slip(2, held(Digest::of(b"lain")));
    let revocation = slip(1, revocation());
    let shop = &desk.ground.shop;
    let (by, others) = (&shop.signing, &shop.others_signing);
    let doubtful = Some("slip-doubtful");
    let unknown = Some("agreement-unknown");
    let cases = [
        ("slip: noise", vec![0xff; 2048], doubtful),
        ("slip: by its reader", slip::sign(&right, others), doubtful),
        ("slip: from another", slip::sign(&from_other, by), doubtful),
        ("slip: for another", slip::sign(&to_other, by), doubtful),
        ("slip: not ours", slip::sign(&not_ours, by), None),
        (
            "slip: revokes nothing",
            slip::sign(&revocation, by),
            unknown,
        ),
        ("slip: number goes back", slip::sign(&right, by), None),
    ];
    let wire = WireName::Slip(slip::digest(&right));
    for (name, container, expect) in cases {
        desk.answers(name, wire, &container, expect);
    }
}

/// Of an agreement that nobody has.
fn revocation() -> Body {
    let agreement = AgreementRef {
        id: "pks-lain".parse().unwrap(),
        version: 1,
        digest: Digest::of(b"lain"),
    };
    Body::Revocation {
        agreement,
        reason: "kunci hilang".to_owned(),
        ledger_own: 1,
        ledger_peer: None,
    }
}
