//! The papers of one peer of a hub: its keys, its card, and an agreement with one flow from it to the hub that both have signed.
//! They are made here and not by the commands of the manual, of which two hundred peers would need some thousands.

use amanah_format::agreement::{
    Agreement, AgreementFile, Flow, FlowKind, Lane, Party, PurposeText, Retention,
};
use amanah_format::card::{Card, CardKeys, Valid, VerifiedCard, sign};
use amanah_format::document::{Document, Ext};
use amanah_format::id::{FlowName, PartyId};
use amanah_format::manifest::{AgreementRef, Manifest};
use amanah_format::recipient::Identity;
use amanah_format::signature::SecretKey;
use amanah_format::time::UtcTime;
use amanahd::clock::Clock;
use anyhow::Result;

/// What the flow is for.
pub(super) const PURPOSE: &str = "UJI";
const YEAR_SECS: i64 = 365 * 86_400;
const HOUR_SECS: i64 = 3_600;

/// A peer's papers.
pub(super) struct Papers {
    pub(super) party: PartyId,
    pub(super) hub: PartyId,
    pub(super) flow: FlowName,
    pub(super) signing: SecretKey,
    pub(super) transport: SecretKey,
    /// Its signed card.
    pub(super) card: Vec<u8>,
    pub(super) agreement: AgreementRef,
    /// The agreement, signed by both.
    pub(super) agreed: Vec<u8>,
}

/// Makes them. The hub signs with its own key.
pub(super) fn of(party: &PartyId, (hub, key): (&VerifiedCard, &SecretKey)) -> Result<Papers> {
    let now = Clock::default().now();
    let [signing, transport, ledger] = [new_key()?, new_key()?, new_key()?];
    let card = sign(&card(party, [&signing, &transport, &ledger], now), &signing)?;
    let verified = VerifiedCard::verify(&card)?;
    let flow: FlowName = format!("setoran-{party}").parse()?;
    let agreement = agreement([&verified, hub], &flow, now)?;
    let mut file = AgreementFile::draft(&agreement)?;
    file.sign(party, &signing)?;
    file.sign(&hub.card().party, key)?;
    Ok(Papers {
        party: party.clone(),
        hub: hub.card().party.clone(),
        flow,
        signing,
        transport,
        card,
        agreement: AgreementRef {
            id: agreement.id,
            version: 1,
            digest: file.digest(),
        },
        agreed: file.to_bytes(),
    })
}

fn new_key() -> Result<SecretKey> {
    let mut seed = [0; 32];
    std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut seed)?;
    Ok(SecretKey::from_seed(&seed))
}

fn card(party: &PartyId, [signing, transport, ledger]: [&SecretKey; 3], now: UtcTime) -> Card {
    fn valid<K>(key: K, now: UtcTime) -> Vec<Valid<K>> {
        let (from, until) = (now.plus_secs(-HOUR_SECS), now.plus_secs(YEAR_SECS));
        vec![Valid { key, from, until }]
    }
    Card {
        format: Card::FORMAT.to_owned(),
        party: party.clone(),
        name: format!("Instansi {party} (uji)"),
        number: 1,
        previous: None,
        created: now,
        keys: CardKeys {
            signing: valid(signing.public(), now),
            transport: valid(transport.public(), now),
            decryption: valid(Identity::generate().recipient(), now),
            ledger: valid(ledger.public(), now),
        },
        addresses: Vec::new(),
        contact: format!("piket@{party}.test"),
        formats: vec![Manifest::FORMAT.to_owned()],
        successor_of: None,
        ext: Ext::default(),
        critical: Vec::new(),
    }
}

fn agreement(cards: [&VerifiedCard; 2], flow: &FlowName, now: UtcTime) -> Result<Agreement> {
    let parties = cards.map(|card| Party {
        id: card.card().party.clone(),
        name: card.card().name.clone(),
        card: card.digest(),
        document_number: "UJI/1".to_owned(),
        signatory: "Direktur Jenderal".to_owned(),
        contact: card.card().contact.clone(),
        data_protection_officer: format!("ppdp@{}.test", card.card().party),
    });
    let [from, to] = parties.each_ref().map(|party| party.id.clone());
    let flow = Flow {
        name: flow.clone(),
        from: from.clone(),
        to,
        purpose: vec![PURPOSE.to_owned()],
        kind: FlowKind::Files,
        schema: None,
        import: None,
        totals: Vec::new(),
        bytes_max: 4 << 30,
        records_max: None,
        rhythm: None,
        lane: Lane::Normal,
        retention: Retention {
            days: 30,
            from: "settled".to_owned(),
            action: "destroy".to_owned(),
            legal_hold: false,
        },
        classification: "terbatas".to_owned(),
    };
    Ok(Agreement {
        format: Agreement::FORMAT.to_owned(),
        id: format!("pks-{from}").parse()?,
        version: 1,
        title: "Uji".to_owned(),
        supersedes: None,
        parties,
        effective: now.plus_secs(-HOUR_SECS),
        ends: now.plus_secs(YEAR_SECS),
        zone: "Asia/Jakarta".to_owned(),
        legal_basis: vec!["UU 27/2022 pasal 20 ayat (2) huruf e".to_owned()],
        purposes: vec![PurposeText {
            code: PURPOSE.to_owned(),
            text: "Menguji pertukaran".to_owned(),
        }],
        flows: vec![flow],
        drain_days: 10,
        dpia: "DPIA-UJI-01".to_owned(),
        ext: Ext::default(),
        critical: Vec::new(),
    })
}
