//! Tests of the policy, on agreements that two pretend parties really signed: each branch of what may leave and of
//! what may enter.

mod enter;
mod leave;

use amanah_format::agreement::{
    Agreement, AgreementFile, CoSigned, Flow, FlowKind, Lane, Party, PurposeText, Retention,
};
use amanah_format::card::{self, Card, CardKeys, Valid, VerifiedCard};
use amanah_format::digest::Digest;
use amanah_format::document::Ext;
use amanah_format::id::{FlowName, PartyId};
use amanah_format::keyring::Keyring;
use amanah_format::recipient::Identity;
use amanah_format::signature::SecretKey;
use amanah_format::time::UtcTime;

use super::{Kept, Policy};

const OWN: &str = "kemenhaj";
const PEER: &str = "imigrasi";
const THIRD: &str = "bpkh";

fn party(text: &str) -> PartyId {
    text.parse().unwrap()
}

fn flow_name(text: &str) -> FlowName {
    text.parse().unwrap()
}

fn time(text: &str) -> UtcTime {
    text.parse().unwrap()
}

fn noon() -> UtcTime {
    time("2026-11-22T12:00:00Z")
}

fn secret(party: &str, role: u8) -> SecretKey {
    let mut seed = *Digest::of(party.as_bytes()).as_bytes();
    seed[0] = role;
    SecretKey::from_seed(&seed)
}

/// Three parties that trust each other, and what is agreed between them.
struct World {
    cards: Vec<Vec<u8>>,
    agreements: Vec<Agreement>,
    revoked: Vec<(Digest, UtcTime)>,
}

impl World {
    /// One agreement of the own party and the peer: `manifes` goes out, `paspor` comes in.
    fn new() -> Self {
        let mut world = Self {
            cards: [OWN, PEER, THIRD].map(card).to_vec(),
            agreements: Vec::new(),
            revoked: Vec::new(),
        };
        world.agree("pks-manifes", 1, PEER);
        world
    }

    /// Adds an agreement of the own party and `peer`; it may be changed before [`World::policy`].
    fn agree(&mut self, id: &str, version: u32, peer: &str) -> &mut Agreement {
        let parties = [OWN, peer].map(|name| self.party(name));
        let supersedes = (version > 1).then(|| Digest::of(b"the version before"));
        self.agreements.push(Agreement {
            format: "amanah-agreement/1".to_owned(),
            id: id.parse().unwrap(),
            version,
            title: "Perjanjian kerja sama".to_owned(),
            supersedes,
            parties,
            effective: time("2026-11-01T00:00:00Z"),
            ends: time("2027-11-01T00:00:00Z"),
            zone: "Asia/Jakarta".to_owned(),
            legal_basis: vec!["UU 14/2025".to_owned()],
            purposes: ["pengawasan", "statistik", "lain"].map(purpose).to_vec(),
            flows: vec![flow("manifes", OWN, peer), flow("paspor", peer, OWN)],
            drain_days: 10,
            dpia: "DPIA-2026-01".to_owned(),
            ext: Ext::default(),
            critical: Vec::new(),
        });
        self.agreements.last_mut().unwrap()
    }

    fn party(&self, name: &str) -> Party {
        let mut cards = self
            .cards
            .iter()
            .map(|card| VerifiedCard::verify(card).unwrap());
        let card = cards.find(|card| card.card().party == party(name)).unwrap();
        Party {
            id: party(name),
            name: card.card().name.clone(),
            card: card.digest(),
            document_number: "PKS.01/2026".to_owned(),
            signatory: "Direktur Jenderal".to_owned(),
            contact: "Piket, +62 21 0000".to_owned(),
            data_protection_officer: "PPDP, +62 21 0000".to_owned(),
        }
    }

    fn keyring(&self) -> Keyring {
        let mut keyring = Keyring::default();
        for card in &self.cards {
            keyring.trust(VerifiedCard::verify(card).unwrap());
        }
        keyring
    }

    fn policy(&self) -> Policy {
        let keyring = self.keyring();
        let agreements = self.agreements.iter();
        let signed = agreements
            .map(|agreement| co_signed(agreement, &keyring))
            .collect();
        Policy::new(party(OWN), keyring, signed, self.revoked.clone())
    }

    fn digest(&self, index: usize) -> Digest {
        AgreementFile::draft(&self.agreements[index])
            .unwrap()
            .digest()
    }
}

fn co_signed(agreement: &Agreement, keyring: &Keyring) -> CoSigned {
    let mut file = AgreementFile::draft(agreement).unwrap();
    for signer in &agreement.parties {
        let key = secret(signer.id.as_str(), 1);
        file.sign(&signer.id, &key).unwrap();
    }
    file.verify(keyring, noon()).unwrap()
}

fn purpose(code: &str) -> PurposeText {
    PurposeText {
        code: code.to_owned(),
        text: format!("Untuk {code}"),
    }
}

fn flow(name: &str, from: &str, to: &str) -> Flow {
    Flow {
        name: flow_name(name),
        from: party(from),
        to: party(to),
        purpose: vec!["pengawasan".to_owned(), "statistik".to_owned()],
        kind: FlowKind::Files,
        schema: None,
        import: None,
        totals: Vec::new(),
        bytes_max: 1000,
        records_max: None,
        rhythm: None,
        lane: Lane::Urgent,
        retention: Retention {
            days: 30,
            from: "settled".to_owned(),
            action: "destroy".to_owned(),
            legal_hold: false,
        },
        classification: "terbatas".to_owned(),
    }
}

fn valid<K>(key: K) -> Valid<K> {
    Valid {
        key,
        from: time("2026-01-01T00:00:00Z"),
        until: time("2027-06-01T00:00:00Z"),
    }
}

/// The signed card of a party, its keys valid to the middle of 2027.
fn card(name: &str) -> Vec<u8> {
    let card = Card {
        format: "amanah-card/1".to_owned(),
        party: party(name),
        name: format!("Kementerian {name}"),
        number: 1,
        previous: None,
        created: time("2026-01-01T00:00:00Z"),
        keys: CardKeys {
            signing: vec![valid(secret(name, 1).public())],
            transport: vec![valid(secret(name, 2).public())],
            decryption: vec![valid(Identity::generate().recipient())],
            ledger: vec![valid(secret(name, 3).public())],
        },
        addresses: Vec::new(),
        contact: "Piket, +62 21 0000".to_owned(),
        formats: vec!["amanah-bundle/1".to_owned()],
        successor_of: None,
        ext: Ext::default(),
        critical: Vec::new(),
    };
    card::sign(&card, &secret(name, 1)).unwrap()
}

#[test]
fn an_agreement_is_in_force_within_its_dates_until_revoked_or_superseded() {
    let mut world = World::new();
    let digest = world.digest(0);
    world.revoked.push((digest, time("2027-03-01T00:00:00Z")));
    let newer = world.agree("pks-manifes", 2, PEER);
    newer.effective = time("2027-02-01T00:00:00Z");
    newer.ends = time("2027-02-15T00:00:00Z");
    let policy = world.policy();
    let in_force = |digest, at| policy.in_force(&digest, time(at));
    assert!(!in_force(digest, "2026-10-31T23:59:59Z"));
    assert!(in_force(digest, "2026-11-01T00:00:00Z"));
    assert!(in_force(digest, "2027-01-31T23:59:59Z"));
    assert!(!in_force(digest, "2027-02-01T00:00:00Z"));
    assert!(in_force(world.digest(1), "2027-02-01T00:00:00Z"));
    assert!(!in_force(world.digest(1), "2027-02-15T00:00:00Z"));
    // What was replaced does not come back when the newer version ends.
    assert!(!in_force(digest, "2027-02-16T00:00:00Z"));
    assert!(!policy.is_revoked(&digest, time("2027-02-28T23:59:59Z")));
    assert!(policy.is_revoked(&digest, time("2027-03-01T00:00:00Z")));
    assert!(!policy.in_force(&Digest::of(b"unknown"), noon()));
}

#[test]
fn a_revoked_agreement_is_not_in_force() {
    let mut world = World::new();
    world.revoked.push((world.digest(0), noon()));
    let policy = world.policy();
    assert!(policy.in_force(&world.digest(0), noon().plus_secs(-1)));
    assert!(!policy.in_force(&world.digest(0), noon()));
}

#[test]
fn of_two_texts_with_one_id_and_version_neither_is_in_force() {
    let mut world = World::new();
    world.agree("pks-manifes", 1, PEER).dpia = "DPIA-2026-02".to_owned();
    let policy = world.policy();
    assert!(!policy.in_force(&world.digest(0), noon()));
    assert!(!policy.in_force(&world.digest(1), noon()));
    assert_eq!(policy.alarms(), ["agreement-conflict pks-manifes/1"]);
}

#[test]
fn one_text_loaded_twice_is_one_agreement() {
    let mut world = World::new();
    world.agree("pks-manifes", 1, PEER);
    let policy = world.policy();
    assert_eq!(policy.agreements().len(), 1);
    assert!(policy.alarms().is_empty());
    assert!(policy.in_force(&world.digest(0), noon()));
}

#[test]
fn a_legal_hold_keeps_what_retention_would_destroy() {
    let mut world = World::new();
    world.agreements[0].flows[1].retention.legal_hold = true;
    let policy = world.policy();
    let kept = |flow| policy.kept(&world.digest(0), &flow_name(flow));
    assert_eq!(kept("manifes"), Kept::Days(30));
    assert_eq!(kept("paspor"), Kept::Held);
    assert_eq!(kept("unknown"), Kept::Unknown);
}

#[test]
fn return_reasons_have_the_code_that_they_print() {
    use super::ReturnReason as R;
    use amanah_format::refusal::Refusal;
    for reason in [
        R::PeerUnknown,
        R::FlowNotAgreed,
        R::DirectionNotAgreed,
        R::AgreementNotInForce,
        R::TooLarge,
        R::TooManyEntries,
        R::NotAFile,
        R::Unreadable,
        R::NameNotPortable,
        R::FolderEmpty,
        R::NoRecipientKey,
        R::Refused(Refusal::DecryptionFailed),
    ] {
        let text = serde_json::to_value(reason).unwrap();
        assert_eq!(text, reason.code());
        assert_eq!(serde_json::from_value::<R>(text).unwrap(), reason);
    }
}
