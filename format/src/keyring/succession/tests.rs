//! Tests of the chain: what follows by itself, and each way in which a card does not. FORMAT.md §11.2.
//! The party `bpkh` rolls over, `kemenag` is another; the moments are days after the sample cards.

use super::*;
use crate::card::sign_successor;
use crate::card::tests::{card, noon, secret, verified};
use crate::signature::SecretKey;

fn party(text: &str) -> PartyId {
    text.parse().unwrap()
}

fn keyring() -> Keyring {
    let mut keyring = Keyring::default();
    keyring.trust(verified(&card("bpkh")));
    keyring.trust(verified(&card("kemenag")));
    keyring
}

fn later(days: i64) -> UtcTime {
    noon().plus_secs(days * 86_400)
}

/// The next card of bpkh: all old keys, and a new signing key that begins with it.
fn next(keyring: &Keyring) -> Card {
    let newest = keyring.card(&party("bpkh")).unwrap();
    let mut card = newest.card().clone();
    card.number += 1;
    card.previous = Some(newest.digest());
    card.created = later(10);
    let key = Valid {
        key: secret("bpkh", 10 + u8::try_from(card.number).unwrap()).public(),
        from: later(10),
        until: later(800),
    };
    card.keys.signing.push(key);
    card
}

fn signed(card: &Card, before: &SecretKey) -> VerifiedCard {
    let key = secret("bpkh", 10 + u8::try_from(card.number).unwrap());
    VerifiedCard::verify(&sign_successor(card, &key, before).unwrap()).unwrap()
}

fn judged(keyring: &Keyring, card: &VerifiedCard) -> Result<Succession, NotFollowing> {
    keyring.judge_successor(card, later(11))
}

#[test]
fn a_card_that_the_one_before_it_signed_follows_and_is_then_known() {
    let mut keyring = keyring();
    let old = secret("bpkh", 1);
    let second = next(&keyring);
    let second_signed = signed(&second, &old);
    assert_eq!(judged(&keyring, &second_signed), Ok(Succession::Follows));
    let again = signed(&second, &old);
    keyring.trust(second_signed);
    assert_eq!(judged(&keyring, &again), Ok(Succession::Known));
    let mut third = next(&keyring);
    third.created = later(11);
    assert_eq!(
        judged(&keyring, &signed(&third, &secret("bpkh", 12))),
        Ok(Succession::Follows)
    );
    // A key of the first card only: the third is the second's to sign.
    let mut without = third.clone();
    without.keys.signing.remove(0);
    keyring
        .cards
        .retain(|card| card.card().number == 1 || card.card().party != party("bpkh"));
    assert_eq!(
        judged(&keyring, &signed(&without, &old)),
        Ok(Succession::Early)
    );
}

#[test]
fn a_second_successor_of_one_card_is_a_rival_while_the_old_key_is_valid_and_nothing_after() {
    let mut keyring = keyring();
    let old = secret("bpkh", 1);
    let mut rival = next(&keyring);
    rival.contact = "Pencuri".into();
    let rival = signed(&rival, &old);
    let mut second = next(&keyring);
    keyring.trust(signed(&second, &old));
    assert_eq!(judged(&keyring, &rival), Ok(Succession::Rival));
    // The second card revokes the old key from the day on which it was made.
    keyring.cards.retain(|card| card.card().number == 1);
    second.keys.signing[0].until = later(10);
    keyring.trust(signed(&second, &old));
    assert_eq!(judged(&keyring, &rival), Err(NotFollowing::SignerNotValid));
}

#[test]
fn what_does_not_follow_by_itself_says_why() {
    use NotFollowing::{OtherPrevious, SignerNotValid, TakenKey, TurnsBack, WrongTime};
    type Change = fn(&mut Card);
    let changes: [(Change, NotFollowing); 13] = [
        (
            |c| c.previous = Some(crate::digest::Digest::of(b"x")),
            OtherPrevious,
        ),
        (|c| c.number = 3, OtherPrevious),
        (|c| c.created = noon().plus_secs(-1), WrongTime),
        (|c| c.created = later(12), WrongTime),
        (
            |c| c.created = noon().plus_secs(-86_400 * 700),
            SignerNotValid,
        ),
        // Another party's keys, in whichever role.
        (
            |c| c.keys.signing[0].key = secret("kemenag", 1).public(),
            TakenKey,
        ),
        (
            |c| c.keys.transport[0].key = secret("kemenag", 1).public(),
            TakenKey,
        ),
        (
            |c| c.keys.ledger[0].key = secret("kemenag", 2).public(),
            TakenKey,
        ),
        // A key of its own in another role.
        (
            |c| {
                c.keys.ledger.push(c.keys.transport[0].clone());
                c.keys.transport[0].key = secret("bpkh", 77).public();
            },
            TakenKey,
        ),
        // What was signed before would not count any more.
        (|c| c.keys.signing[0].until = noon(), TurnsBack),
        (|c| c.keys.signing[0].from = noon(), TurnsBack),
        (|c| c.keys.ledger[0].until = later(9), TurnsBack),
        (
            |c| {
                c.created = noon();
                c.keys.transport[0].until = noon().plus_secs(-1);
            },
            TurnsBack,
        ),
    ];
    let keyring = keyring();
    for (index, (change, expected)) in changes.into_iter().enumerate() {
        let mut card = next(&keyring);
        change(&mut card);
        let key = secret("bpkh", 12);
        let container = sign_successor(&card, &key, &secret("bpkh", 1)).unwrap();
        let card = VerifiedCard::verify(&container).unwrap();
        assert_eq!(judged(&keyring, &card), Err(expected), "{index}");
    }
}

#[test]
fn a_card_that_takes_anothers_recipient_does_not_follow() {
    let other_recipient = card("kemenag").keys.decryption;
    let mut keyring = Keyring::default();
    let mut other = card("kemenag");
    other.keys.decryption.clone_from(&other_recipient);
    keyring.trust(verified(&card("bpkh")));
    keyring.trust(verified(&other));
    let mut taken = next(&keyring);
    taken.keys.decryption = other_recipient;
    assert_eq!(
        judged(&keyring, &signed(&taken, &secret("bpkh", 1))),
        Err(NotFollowing::TakenKey)
    );
}

#[test]
fn only_a_valid_signing_key_of_the_card_before_makes_a_successor() {
    let keyring = keyring();
    let card = next(&keyring);
    for wrong in [
        secret("bpkh", 2),
        secret("bpkh", 3),
        secret("bpkh", 12),
        secret("kemenag", 1),
    ] {
        assert_eq!(
            judged(&keyring, &signed(&card, &wrong)),
            Err(NotFollowing::SignerNotValid)
        );
    }
    let alone = crate::card::sign(&card, &secret("bpkh", 12)).unwrap();
    let alone = VerifiedCard::verify(&alone).unwrap();
    assert_eq!(judged(&keyring, &alone), Err(NotFollowing::Unsigned));
    // Expired when it is taken, though not when it says that it was made.
    let good = signed(&card, &secret("bpkh", 1));
    let end = "2028-01-01T00:00:00Z".parse().unwrap();
    let at = |at| keyring.judge_successor(&good, at);
    assert_eq!(at(end), Err(NotFollowing::SignerNotValid));
    assert_eq!(at(end.plus_secs(-1)), Ok(Succession::Follows));
    let strangers = Keyring::default();
    assert_eq!(judged(&strangers, &good), Err(NotFollowing::Stranger));
}

#[test]
fn a_signature_before_that_does_not_match_refuses_the_card_and_a_first_card_has_none() {
    let keyring = keyring();
    let second = next(&keyring);
    let container = sign_successor(&second, &secret("bpkh", 12), &secret("bpkh", 1)).unwrap();
    let files = crate::container::unpack_small(&container, 1 << 16).unwrap();
    let first = card("bpkh");
    assert!(sign_successor(&first, &secret("bpkh", 1), &secret("bpkh", 1)).is_err());
    let own = crate::card::sign(&first, &secret("bpkh", 1)).unwrap();
    let own = crate::container::unpack_small(&own, 1 << 16).unwrap();
    for (with, third) in [(&files, &own[1].1), (&own, &own[1].1), (&own, &files[2].1)] {
        let packed = crate::container::pack(&[
            ("card.json", &with[0].1),
            ("card.json.sig", &with[1].1),
            ("card.json.previous.sig", third),
        ]);
        assert!(VerifiedCard::verify(&packed).is_err());
    }
    for end in 0..container.len() {
        assert!(VerifiedCard::verify(&container[..end]).is_err(), "{end}");
    }
}

#[test]
fn the_old_key_signs_up_to_the_middle_of_the_overlap_and_connects_up_to_its_last_minutes() {
    let mut keyring = keyring();
    let bpkh = party("bpkh");
    let mut second = next(&keyring);
    second.keys.signing[0].until = later(30);
    let transport = Valid {
        key: secret("bpkh", 22).public(),
        from: later(10),
        until: later(800),
    };
    second.keys.transport[0].until = later(30);
    second.keys.transport.push(transport);
    keyring.trust(signed(&second, &secret("bpkh", 1)));
    let (old, new) = (secret("bpkh", 1).public(), secret("bpkh", 12).public());
    let signs = |at| keyring.signing_order(&bpkh, at);
    assert_eq!(signs(later(9)), [old]);
    assert_eq!(signs(later(10)), [old, new]);
    assert_eq!(signs(later(20).plus_secs(-1)), [old, new]);
    assert_eq!(signs(later(20)), [new, old]);
    assert_eq!(signs(later(30)), [new]);
    let (old, new) = (secret("bpkh", 2).public(), secret("bpkh", 22).public());
    let connects = |at| keyring.use_order(&bpkh, at, Standing::Transport);
    assert_eq!(connects(later(30).plus_secs(-301)), [old, new]);
    assert_eq!(connects(later(30).plus_secs(-300)), [new, old]);
    assert_eq!(connects(later(30)), [new]);
    let ledger = |at| keyring.use_order(&bpkh, at, Standing::Ledger);
    assert_eq!(ledger(later(30)), [secret("bpkh", 3).public()]);
    assert_eq!(keyring.ledger_keys_at(&bpkh, later(5000)), []);
}
