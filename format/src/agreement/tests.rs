//! Tests of agreements: the rules, the container, the two signatures.
//! Held against FORMAT.md §12: cut short and changed at every byte, and each rule broken once in a text that is signed
//! properly.

use super::*;
use crate::card::VerifiedCard;
use crate::card::tests::{card, noon, secret, verified};
use crate::container::{pack, unpack_small};
use crate::document;
use crate::keyring::Keyring;

fn party(card: &VerifiedCard) -> Party {
    Party {
        id: card.card().party.clone(),
        name: card.card().name.clone(),
        card: card.digest(),
        document_number: "12/PKS/2026".into(),
        signatory: "Direktur Jenderal".into(),
        contact: "Pusat Data, 24 jam: +62 21 000".into(),
        data_protection_officer: "Pejabat PDP".into(),
    }
}

fn flow(name: &str, from: &str, to: &str) -> Flow {
    Flow {
        name: name.parse().unwrap(),
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        purpose: vec!["setoran".into()],
        kind: FlowKind::Files,
        schema: None,
        import: None,
        totals: Vec::new(),
        bytes_max: 1 << 30,
        records_max: None,
        rhythm: Some(Rhythm {
            every: "day".into(),
            by: "06:00".into(),
        }),
        lane: Lane::Normal,
        retention: Retention {
            days: 30,
            from: "settled".into(),
            action: "destroy".into(),
            legal_hold: false,
        },
        classification: "terbatas".into(),
    }
}

/// Two parties in a keyring, and an agreement between them.
fn sample() -> (Keyring, Agreement) {
    let (a, b) = (verified(&card("bpkh")), verified(&card("kemenag")));
    let agreement = Agreement {
        format: Agreement::FORMAT.into(),
        id: "pks-haji-2026".parse().unwrap(),
        version: 1,
        title: "Perjanjian Kerja Sama".into(),
        supersedes: None,
        parties: [party(&a), party(&b)],
        effective: "2026-11-01T00:00:00Z".parse().unwrap(),
        ends: "2027-11-01T00:00:00Z".parse().unwrap(),
        zone: "Asia/Jakarta".into(),
        legal_basis: vec!["UU 27/2022".into()],
        purposes: vec![PurposeText {
            code: "setoran".into(),
            text: "Rekonsiliasi setoran".into(),
        }],
        flows: vec![
            flow("setoran-harian", "bpkh", "kemenag"),
            flow("pelunasan", "kemenag", "bpkh"),
        ],
        drain_days: 14,
        dpia: "DPIA-7/2026".into(),
        ext: Ext::default(),
        critical: Vec::new(),
    };
    let mut keyring = Keyring::default();
    keyring.trust(a);
    keyring.trust(b);
    (keyring, agreement)
}

fn id(text: &str) -> PartyId {
    text.parse().unwrap()
}

fn co_signed(agreement: &Agreement) -> AgreementFile {
    let mut file = AgreementFile::draft(agreement).unwrap();
    file.sign(&id("kemenag"), &secret("kemenag", 1)).unwrap();
    file.sign(&id("bpkh"), &secret("bpkh", 1)).unwrap();
    file
}

#[test]
fn an_agreement_that_both_signed_is_verified() {
    let (keyring, agreement) = sample();
    let file = co_signed(&agreement);
    let read = AgreementFile::parse(&file.to_bytes()).unwrap();
    assert_eq!(read.to_bytes(), file.to_bytes());
    assert_eq!(read.agreement().unwrap(), agreement);
    assert_eq!(read.signers().count(), 2);
    let co_signed = read.verify(&keyring, noon()).unwrap();
    assert_eq!(co_signed.agreement(), &agreement);
    let reference = co_signed.reference();
    assert_eq!((reference.digest, reference.version), (file.digest(), 1));
    assert!(agreement.covers(noon()) && !agreement.covers(agreement.ends));
    assert!(agreement.flow(&"pelunasan".parse().unwrap()).is_some());
    assert!(agreement.flow(&"other".parse().unwrap()).is_none());
}

#[test]
fn an_agreement_without_both_right_signatures_is_refused() {
    let (keyring, agreement) = sample();
    let draft = AgreementFile::draft(&agreement).unwrap();
    assert!(draft.clone().verify(&keyring, noon()).is_err());
    let mut one = draft.clone();
    one.sign(&id("bpkh"), &secret("bpkh", 1)).unwrap();
    assert!(one.clone().verify(&keyring, noon()).is_err());
    assert!(one.sign(&id("other"), &secret("bpkh", 1)).is_err());
    // Signed for the other party by oneself, and by a key of another role.
    for (who, role) in [("bpkh", 1), ("kemenag", 2), ("kemenag", 3), ("other", 1)] {
        let mut both = one.clone();
        both.sign(&id("kemenag"), &secret(who, role)).unwrap();
        assert!(both.verify(&keyring, noon()).is_err(), "{who} {role}");
    }
    let late = "2028-01-01T00:00:00Z".parse().unwrap();
    assert!(co_signed(&agreement).verify(&keyring, late).is_err());
}

#[test]
fn an_agreement_that_pins_a_card_not_trusted_here_is_refused() {
    let (keyring, mut agreement) = sample();
    assert!(
        co_signed(&agreement)
            .verify(&Keyring::default(), noon())
            .is_err()
    );
    agreement.parties[1].card = Digest::of(b"another card");
    assert!(co_signed(&agreement).verify(&keyring, noon()).is_err());
}

#[test]
fn signatures_meet_over_the_same_bytes_only() {
    let (keyring, agreement) = sample();
    let draft = AgreementFile::draft(&agreement).unwrap();
    let (mut ours, mut theirs) = (draft.clone(), draft);
    ours.sign(&id("bpkh"), &secret("bpkh", 1)).unwrap();
    theirs.sign(&id("kemenag"), &secret("kemenag", 1)).unwrap();
    // What they send for us does not displace our own.
    theirs.sign(&id("bpkh"), &secret("kemenag", 1)).unwrap();
    ours.merge(&theirs).unwrap();
    assert!(ours.clone().verify(&keyring, noon()).is_ok());

    let mut other = agreement;
    other.drain_days = 15;
    assert!(ours.merge(&co_signed(&other)).is_err());
    let mut junk = theirs;
    junk.signatures[1].1[100] ^= 1;
    assert!(ours.merge(&junk).is_err());
}

#[test]
fn a_container_cut_short_is_refused() {
    let (_, agreement) = sample();
    let bytes = co_signed(&agreement).to_bytes();
    for end in 0..bytes.len() {
        assert!(AgreementFile::parse(&bytes[..end]).is_err(), "{end}");
    }
}

#[test]
fn a_text_changed_anywhere_is_refused() {
    let (keyring, agreement) = sample();
    let file = co_signed(&agreement);
    for at in 0..file.text.len() {
        let mut changed = file.clone();
        changed.text[at] ^= 1;
        assert!(changed.verify(&keyring, noon()).is_err(), "{at}");
    }
}

#[test]
fn files_that_do_not_belong_there_are_refused() {
    let (_, agreement) = sample();
    let files = unpack_small(&co_signed(&agreement).to_bytes(), 1 << 20).unwrap();
    let files: Vec<_> = files.iter().map(|(n, b)| (n.as_str(), &b[..])).collect();
    let [text, first, second] = files[..] else {
        panic!("three files");
    };
    let schema = format!("schema-{}.json", Digest::of(b"{}").to_hex());
    assert!(AgreementFile::parse(&pack(&[text, first, second])).is_ok());
    for wrong in [
        vec![],
        vec![first, text, second],
        vec![text, second, first],
        vec![text, first, first],
        vec![text, first, second, ("more", b"")],
        vec![text, ("agreement.json.other.sig", first.1)],
        vec![text, ("agreement.json.sig", first.1)],
        vec![text, (&schema, b"{}")],
    ] {
        assert!(AgreementFile::parse(&pack(&wrong)).is_err(), "{wrong:?}");
    }
}

#[test]
fn an_agreement_that_breaks_a_rule_is_neither_drafted_nor_read() {
    let changes: [fn(&mut Agreement); 34] = [
        |a| a.parties[1] = a.parties[0].clone(),
        |a| a.parties[1].card = a.parties[0].card,
        |a| a.version = 0,
        |a| a.version = 2,
        |a| a.supersedes = Some(Digest::of(b"")),
        |a| a.ends = a.effective,
        |a| a.zone = "jakarta".into(),
        |a| a.zone = "Asia//Jakarta".into(),
        |a| a.zone = "../etc".into(),
        |a| a.drain_days = 366,
        |a| a.title = String::new(),
        |a| a.title = "a\u{202e}b".into(),
        |a| a.dpia = " ".into(),
        |a| a.legal_basis.clear(),
        |a| a.legal_basis.push("\u{1b}[2J".into()),
        |a| a.purposes.push(a.purposes[0].clone()),
        |a| a.purposes[0].text = "a\u{200b}b".into(),
        |a| a.parties[0].contact = String::new(),
        |a| a.parties[1].data_protection_officer = String::new(),
        |a| a.parties[0].document_number = "a\nb".into(),
        |a| a.flows.push(a.flows[0].clone()),
        |a| a.flows[0].to = a.flows[0].from.clone(),
        |a| a.flows[0].from = "other".parse().unwrap(),
        |a| a.flows[0].purpose.clear(),
        |a| a.flows[0].purpose.push("unknown".into()),
        |a| a.flows[0].kind = FlowKind::Table,
        |a| a.flows[0].schema = Some(Digest::of(b"")),
        |a| a.flows[0].records_max = Some(1),
        |a| a.flows[0].bytes_max = 0,
        |a| a.flows[0].bytes_max = (1 << 40) + 1,
        |a| a.flows[0].retention.days = 36_501,
        |a| a.flows[0].retention.from = "sealed".into(),
        |a| a.flows[0].retention.action = "keep".into(),
        |a| a.flows[0].classification = String::new(),
    ];
    for (change, number) in changes.iter().zip(0..) {
        let (_, mut agreement) = sample();
        change(&mut agreement);
        assert!(agreement.check().is_err(), "{number}");
        assert!(AgreementFile::draft(&agreement).is_err(), "{number}");
        let container = pack(&[("agreement.json", &document::print(&agreement))]);
        assert!(AgreementFile::parse(&container).is_err(), "{number}");
    }
}

#[test]
fn another_number_of_parties_is_refused() {
    let (_, agreement) = sample();
    let read = |change: fn(&mut Vec<serde_json::Value>)| {
        let mut text = serde_json::to_value(&agreement).unwrap();
        change(text["parties"].as_array_mut().unwrap());
        document::parse::<Agreement>(text.to_string().as_bytes())
    };
    assert!(read(|_| ()).is_ok());
    assert!(read(|parties| parties.push(parties[0].clone())).is_err());
    assert!(read(|parties| drop(parties.pop())).is_err());
}

#[test]
fn a_later_version_names_the_one_before() {
    let (_, mut agreement) = sample();
    (agreement.version, agreement.supersedes) = (2, Some(Digest::of(b"version 1")));
    agreement.zone = "Etc/GMT+7".into();
    assert_eq!(agreement.check(), Ok(()));
}

#[test]
fn a_table_flow_pins_a_schema_that_its_container_carries() {
    const SCHEMA: &[u8] =
        br#"{"fields": [{"name": "a", "type": "string", "constraints": {"required": true}},
        {"name": "b", "type": "integer"}], "primaryKey": "a"}"#;
    let (_, mut agreement) = sample();
    let import = |mode: &str, key: &[&str], partition: Option<&str>| {
        Some(Import {
            mode: mode.to_owned(),
            key: key.iter().map(|name| (*name).to_owned()).collect(),
            partition: partition.map(str::to_owned),
        })
    };
    let flow = &mut agreement.flows[0];
    flow.kind = FlowKind::Table;
    flow.schema = Some(Digest::of(SCHEMA));
    flow.import = import("append", &[], None);
    flow.totals = vec!["b".to_owned()];
    flow.records_max = Some(10);
    let draft = |agreement: &Agreement| AgreementFile::draft_with(agreement, vec![SCHEMA.to_vec()]);
    let file = draft(&agreement).unwrap();
    assert_eq!(
        AgreementFile::parse(&file.to_bytes()).unwrap().to_bytes(),
        file.to_bytes()
    );
    assert!(
        AgreementFile::draft(&agreement).is_err(),
        "without its schema"
    );
    for good in [
        import("upsert", &["a"], None),
        import("replace", &[], Some("a")),
        import("replace", &[], None),
    ] {
        agreement.flows[0].import = good;
        assert!(draft(&agreement).is_ok());
    }
    for bad in [
        None,
        import("delta", &[], None),
        import("append", &[], Some("a")),
        import("upsert", &[], None),
        import("upsert", &["b"], None),
        import("replace", &[], Some("b")),
        import("replace", &[], Some("c")),
    ] {
        agreement.flows[0].import = bad.clone();
        assert!(draft(&agreement).is_err(), "{bad:?}");
    }
    agreement.flows[0].import = import("append", &[], None);
    let changes: [fn(&mut Flow); 4] = [
        |flow| flow.totals = vec!["c".to_owned()],
        |flow| flow.totals = vec!["b".to_owned(); 2],
        |flow| flow.records_max = Some(0),
        |flow| flow.schema = Some(Digest::of(b"")),
    ];
    for change in changes {
        let mut wrong = agreement.clone();
        change(&mut wrong.flows[0]);
        assert!(draft(&wrong).is_err());
    }
}
