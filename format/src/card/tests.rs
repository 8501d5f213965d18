//! Tests of cards, and the sample parties that other modules' tests use.
//! Held against FORMAT.md §11: a card changed anywhere, or signed by a key that it lists for something else, is no
//! card.

use super::*;
use crate::container::{pack, unpack_small};
use crate::recipient::Identity;

/// A moment of November 2026 within every sample key's validity.
pub(crate) fn noon() -> UtcTime {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

/// The sample party's secret key of a role: `role` 1 signs, 2 connects, 3 signs checkpoints.
pub(crate) fn secret(party: &str, role: u8) -> SecretKey {
    let mut seed = *Digest::of(party.as_bytes()).as_bytes();
    seed[0] = role;
    SecretKey::from_seed(&seed)
}

fn valid<K>(key: K) -> Valid<K> {
    Valid {
        key,
        from: "2026-01-01T00:00:00Z".parse().unwrap(),
        until: "2028-01-01T00:00:00Z".parse().unwrap(),
    }
}

/// A first card of a party, in order.
pub(crate) fn card(party: &str) -> Card {
    Card {
        format: Card::FORMAT.into(),
        party: party.parse().unwrap(),
        name: "Kementerian Contoh".into(),
        number: 1,
        previous: None,
        created: noon(),
        keys: CardKeys {
            signing: vec![valid(secret(party, 1).public())],
            transport: vec![valid(secret(party, 2).public())],
            decryption: vec![valid(Identity::generate().recipient())],
            ledger: vec![valid(secret(party, 3).public())],
        },
        addresses: vec!["sftp.contoh.example:2222".into(), "[fd00::1]:22".into()],
        contact: "Pusat Data, 24 jam: +62 21 000".into(),
        formats: vec!["amanah-bundle/1".into()],
        successor_of: None,
        ext: Ext::default(),
        critical: Vec::new(),
    }
}

/// The same, signed and verified.
pub(crate) fn verified(card: &Card) -> VerifiedCard {
    let key = secret(card.party.as_str(), 1);
    VerifiedCard::verify(&sign(card, &key).unwrap()).unwrap()
}

/// A container of this text, signed by this key, whatever it says.
fn signed(text: &[u8], key: &SecretKey) -> Vec<u8> {
    pack_signed(NAME, text, &key.sign(Purpose::Card, text))
}

#[test]
fn a_card_survives_signing_and_verifying() {
    let card = card("bpkh");
    let container = sign(&card, &secret("bpkh", 1)).unwrap();
    let verified = VerifiedCard::verify(&container).unwrap();
    assert_eq!(verified.card(), &card);
    assert_eq!(verified.digest(), Digest::of(&document::print(&card)));
    assert_eq!(verified.container(), container);
}

#[test]
fn a_card_signed_by_a_key_that_it_does_not_list_for_signing_is_refused() {
    let card = card("bpkh");
    let text = document::print(&card);
    for stranger in [secret("bpkh", 2), secret("bpkh", 3), secret("kemenag", 1)] {
        assert!(sign(&card, &stranger).is_err());
        assert!(VerifiedCard::verify(&signed(&text, &stranger)).is_err());
    }
}

#[test]
fn a_card_cut_short_or_changed_anywhere_is_refused() {
    let container = sign(&card("bpkh"), &secret("bpkh", 1)).unwrap();
    for end in 0..container.len() {
        assert!(VerifiedCard::verify(&container[..end]).is_err(), "{end}");
    }
    for (name, bytes) in unpack_small(&container, 1 << 16).unwrap() {
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let files = unpack_small(&container, 1 << 16).unwrap();
            let files: Vec<_> = files
                .iter()
                .map(|(n, b)| (n.as_str(), if *n == name { &changed[..] } else { &b[..] }))
                .collect();
            assert!(VerifiedCard::verify(&pack(&files)).is_err(), "{name} {at}");
        }
    }
}

#[test]
fn other_files_in_the_container_are_refused() {
    let text = document::print(&card("bpkh"));
    let armor = secret("bpkh", 1).sign(Purpose::Card, &text);
    let armor = armor.as_bytes();
    for files in [
        vec![(NAME, &text[..])],
        vec![("card.json.sig", armor), (NAME, &text)],
        vec![(NAME, &text), ("card.sig", armor)],
        vec![("slip.json", &text), ("slip.json.sig", armor)],
        vec![(NAME, &text), ("card.json.sig", armor), ("more", b"")],
    ] {
        assert!(VerifiedCard::verify(&pack(&files)).is_err());
    }
    let other = secret("bpkh", 1).sign(Purpose::Slip, &text);
    assert!(VerifiedCard::verify(&pack_signed(NAME, &text, &other)).is_err());
}

#[test]
fn a_card_that_breaks_a_rule_is_neither_signed_nor_read() {
    let changes: [fn(&mut Card); 17] = [
        |c| c.number = 0,
        |c| c.number = 2,
        |c| c.previous = Some(Digest::of(b"")),
        |c| c.successor_of = Some(Digest::of(b"")),
        |c| c.name = String::new(),
        |c| c.name = "a\u{202e}b".into(),
        |c| c.name = "a\nb".into(),
        |c| c.name = "a".repeat(201),
        |c| c.contact = " ".into(),
        |c| c.formats = vec!["\u{1b}[2J".into()],
        |c| c.addresses = vec!["host".into()],
        |c| c.addresses = vec!["ho st:22".into()],
        |c| c.addresses = vec!["host:+22".into()],
        |c| c.keys.ledger.clear(),
        |c| c.keys.signing = vec![c.keys.signing[0].clone(); 2],
        |c| c.keys.transport = c.keys.ledger.clone(),
        |c| c.keys.decryption[0].until = c.keys.decryption[0].from,
    ];
    for (change, number) in changes.iter().zip(0..) {
        let mut card = card("bpkh");
        change(&mut card);
        assert!(sign(&card, &secret("bpkh", 1)).is_err(), "{number}");
        let container = signed(&document::print(&card), &secret("bpkh", 1));
        assert!(VerifiedCard::verify(&container).is_err(), "{number}");
    }
}

#[test]
fn a_later_card_names_the_one_before() {
    let mut later = card("bpkh");
    (later.number, later.previous) = (2, Some(Digest::of(b"the first")));
    assert_eq!(verified(&later).card().number, 2);
}

#[test]
fn a_key_is_valid_from_its_first_moment_until_its_last() {
    let key = valid(());
    assert!(key.at(key.from) && key.at(key.until.plus_secs(-1)));
    assert!(!key.at(key.from.plus_secs(-1)) && !key.at(key.until));
}
