//! Tests of destruction records.
//! Held against FORMAT.md §19: the signer's key and time, the sums, each bundle once and not before its days were over.

use super::*;
use crate::card::tests::{card, noon, secret, verified};
use crate::limits::CLOCK_SKEW_SECS;

const DAYS: u32 = 30;

fn keyring() -> Keyring {
    let mut keyring = Keyring::default();
    keyring.trust(verified(&card("bpkh")));
    keyring.trust(verified(&card("kemenag")));
    keyring
}

fn one(number: u64) -> Destroyed {
    Destroyed {
        manifest: Digest::of(&number.to_be_bytes()),
        epoch: Epoch::FIRST,
        sequence: Sequence::try_from(number).unwrap(),
        since: noon().plus_secs(-i64::from(DAYS) * DAY_SECS - 5),
        at: noon().plus_secs(-5),
        sealed: true,
        files: 2,
        rows: 0,
        record: 40 + number,
    }
}

/// By kemenag, of what it sent to bpkh.
fn destruction() -> Destruction {
    let bundles = vec![one(1), one(2)];
    Destruction {
        format: Destruction::FORMAT.into(),
        number: 1,
        from: "kemenag".parse().unwrap(),
        peer: "bpkh".parse().unwrap(),
        side: Side::Sent,
        agreement: AgreementRef {
            id: "pks-haji".parse().unwrap(),
            version: 1,
            digest: Digest::of(b"agreement"),
        },
        flow: "setoran".parse().unwrap(),
        rule: Rule {
            days: DAYS,
            from: "settled".into(),
            action: "destroy".into(),
        },
        begun: noon().plus_secs(-5),
        finished: noon(),
        program: "amanahd 1.0.0".into(),
        ledger: "amanah/kemenag/1".into(),
        totals: Totals::of(&bundles).unwrap(),
        bundles,
        ext: Ext::default(),
        critical: Vec::new(),
    }
}

fn verify(destruction: &Destruction, at: UtcTime) -> Result<VerifiedDestruction, DestructionError> {
    let (_, container) = sign(destruction, &secret("kemenag", 1));
    VerifiedDestruction::verify(&container, &keyring(), at)
}

#[test]
fn a_destruction_record_says_who_destroyed_what() {
    let verified = verify(&destruction(), noon()).unwrap();
    assert_eq!(verified.destruction(), &destruction());
    assert_eq!(
        verified.digest(),
        sign(&destruction(), &secret("kemenag", 1)).0
    );
    assert_eq!(verified.signer(), secret("kemenag", 1).public());
    assert_eq!(verified.destruction().totals.files, 4);
}

#[test]
fn it_is_signed_by_who_destroyed_at_a_moment_at_which_the_key_was_valid() {
    let (_, other) = sign(&destruction(), &secret("bpkh", 1));
    let error = VerifiedDestruction::verify(&other, &keyring(), noon()).unwrap_err();
    assert!(error.to_string().contains("bpkh signed it"), "{error}");
    let (_, stranger) = sign(&destruction(), &SecretKey::from_seed(&[99; 32]));
    assert!(VerifiedDestruction::verify(&stranger, &keyring(), noon()).is_err());
    let early = noon().plus_secs(-CLOCK_SKEW_SECS);
    assert!(verify(&destruction(), early).is_ok());
    assert!(verify(&destruction(), early.plus_secs(-1)).is_err());
    let mut late = destruction();
    late.finished = noon().plus_secs(40 * 366 * DAY_SECS);
    assert!(verify(&late, late.finished).is_err(), "the key has ended");
}

#[test]
fn a_signature_for_anything_else_is_none() {
    let text = document::print(&destruction());
    let slip = secret("kemenag", 1).sign(Purpose::Slip, &text);
    let container = pack_signed(NAME, &text, &slip);
    assert!(VerifiedDestruction::verify(&container, &keyring(), noon()).is_err());
    let right = secret("kemenag", 1).sign(Purpose::Destruction, &text);
    let container = pack_signed("slip.json", &text, &right);
    assert!(VerifiedDestruction::verify(&container, &keyring(), noon()).is_err());
}

#[test]
fn what_does_not_add_up_is_refused() {
    type Change = fn(&mut Destruction);
    let changes: [(&str, Change); 14] = [
        ("one party", |d| d.peer = d.from.clone()),
        ("numbers start", |d| d.number = 0),
        ("versions start", |d| d.agreement.version = 0),
        ("the rule", |d| d.rule.days = 36_501),
        ("the rule", |d| d.rule.from = "received".into()),
        ("the rule", |d| d.rule.action = "keep".into()),
        ("the program", |d| d.program = "\u{202e}amanahd".into()),
        ("the ledger", |d| d.ledger = "amanah/bpkh/1".into()),
        ("1 to 128", |d| d.bundles.clear()),
        ("totals", |d| d.totals.files += 1),
        ("finished before", |d| d.begun = d.finished.plus_secs(1)),
        ("twice", |d| d.bundles[1].manifest = d.bundles[0].manifest),
        ("order", |d| d.bundles[1].record = d.bundles[0].record),
        ("days were not over", |d| d.rule.days += 1),
    ];
    for (rule, change) in changes {
        let mut wrong = destruction();
        change(&mut wrong);
        let error = verify(&wrong, noon()).unwrap_err().to_string();
        assert!(error.contains(rule), "{rule}: {error}");
    }
    let mut rows = destruction();
    rows.bundles[0].rows = 3;
    rows.totals.rows = 3;
    assert!(verify(&rows, noon()).is_err());
    rows.side = Side::Received;
    assert!(verify(&rows, noon()).is_ok());
    let mut outside = destruction();
    outside.bundles[0].at = noon().plus_secs(1);
    assert!(verify(&outside, noon()).is_err());
}

#[test]
fn as_many_bundles_as_may_be_fit_whatever_their_numbers_are() {
    let most = u64::try_from(crate::limits::JSON_INTEGER_MAX).unwrap();
    let mut long = destruction();
    let full = u64::try_from(DESTROYED_MAX).unwrap();
    long.side = Side::Received;
    long.bundles = (0..full)
        .map(|number| Destroyed {
            manifest: Digest::of(&number.to_be_bytes()),
            epoch: Epoch::try_from(u64::from(u32::MAX)).unwrap(),
            sequence: Sequence::try_from(most).unwrap(),
            sealed: false,
            files: most / full,
            rows: most / full,
            record: most - full + number,
            ..one(1)
        })
        .collect();
    long.totals = Totals::of(&long.bundles).unwrap();
    assert!(verify(&long, noon()).is_ok());
    let one_more = Destroyed {
        record: most,
        ..one(1)
    };
    long.bundles.push(one_more);
    long.totals = Totals::of(&long.bundles).unwrap();
    assert!(verify(&long, noon()).is_err());
}

#[test]
fn a_cut_or_changed_byte_is_noticed() {
    let (_, container) = sign(&destruction(), &secret("kemenag", 1));
    for end in (0..container.len()).step_by(97) {
        assert!(VerifiedDestruction::verify(&container[..end], &keyring(), noon()).is_err());
    }
    for place in (512..1_500).step_by(31) {
        let mut changed = container.clone();
        changed[place] ^= 1;
        assert!(VerifiedDestruction::verify(&changed, &keyring(), noon()).is_err());
    }
}
