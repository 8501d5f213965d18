//! Numbers given up by a peer that lies: of what was imported, of what never came, of what comes afterwards, of streams of
//! others, too far, without proof, again and again. An import is never taken back, and what is given up is never imported.

use std::fs;

use amanah_format::digest::Digest;
use amanah_format::document::Document;
use amanah_format::home;
use amanah_format::id::{Epoch, PartyId, Sequence};
use amanah_format::ledger::{Record, RecordKind};
use amanah_format::manifest::{Manifest, UnverifiedHead};
use amanah_format::signature::Purpose;
use amanah_format::slip::{self, Body, Slip, Void, VoidReason};
use amanah_tests::intruder::Answer;
use amanahd::transport::link::WireName;

use super::workshop::now;
use super::{Bundle, Draft, Expect, Ground};

/// With whose key.
#[derive(Clone, Copy)]
enum Signer {
    Peer,
    Other,
}

/// Who gives up, and what was said last.
struct Giver {
    ground: Ground,
    number: u64,
}

/// A slip that gives up `manifest`, of which it carries `text` and `armour`.
fn giving_up(manifest: &Manifest, digest: Digest, proof: Option<(&[u8], &[u8])>) -> Slip {
    let mut slip = Slip {
        format: Slip::FORMAT.to_owned(),
        body: Body::Void(Void {
            agreement: manifest.agreement.id.clone(),
            flow: manifest.flow.clone(),
            epoch: manifest.epoch,
            sequence: manifest.sequence,
            manifest: Some(digest),
            reason: VoidReason::PayloadLost,
        }),
        from: manifest.from.clone(),
        to: manifest.to.clone(),
        number: 0,
        created: now(),
        expires: now().plus_secs(600),
        ext: Default::default(),
        critical: Vec::new(),
    };
    if let Some((text, armour)) = proof {
        let [text, armour] = [text, armour].map(|part| std::str::from_utf8(part).unwrap());
        slip.attach(text, armour);
    }
    slip
}

/// The manifest of a bundle, and what proves it.
fn head(bundle: &Bundle) -> (Manifest, Vec<u8>, Vec<u8>) {
    let parsed = UnverifiedHead::parse(&bundle.bytes).unwrap();
    let (text, armour) = parsed.evidence();
    (amanah_format::document::parse(&text).unwrap(), text, armour)
}

impl Giver {
    fn new() -> Self {
        Self {
            ground: Ground::new(),
            number: 0,
        }
    }

    fn bundle(&self, change: impl Fn(&mut Draft)) -> Bundle {
        let mut draft = self.ground.shop.hello();
        change(&mut draft);
        self.ground.shop.seal(&draft).unwrap()
    }

    /// Signs it under the next number and hands it over.
    fn say(&mut self, slip: &mut Slip, signer: Signer) -> Answer {
        self.number += 1;
        slip.number = self.number;
        let name = WireName::Slip(slip::digest(slip));
        let shop = &self.ground.shop;
        let key = match signer {
            Signer::Peer => &shop.signing,
            Signer::Other => &shop.others_signing,
        };
        let bytes = slip::sign(slip, key);
        self.ground.intruder.push_as(name, &bytes).unwrap()
    }

    /// Gives this bundle up as its sender would.
    fn give_up(&mut self, bundle: &Bundle) {
        let (manifest, text, armour) = head(bundle);
        let mut slip = giving_up(&manifest, bundle.manifest, Some((&text, &armour)));
        assert_eq!(self.say(&mut slip, Signer::Peer), Answer::Taken);
    }

    /// The records of the recipient's ledger about a manifest.
    fn records(&self, manifest: Digest) -> Vec<(RecordKind, Option<String>)> {
        let path = self
            .ground
            .exchange
            .pair
            .imigrasi
            .path(home::LEDGER_RECORDS);
        let text = fs::read_to_string(path).unwrap();
        let lines = text
            .lines()
            .map(|line| Record::parse(line.as_bytes()).unwrap());
        let about = lines.filter(|record| record.manifest == Some(manifest));
        about.map(|record| (record.kind, record.code)).collect()
    }
}

#[test]
fn an_import_is_never_given_up_and_what_is_given_up_is_never_imported() {
    let mut giver = Giver::new();
    let imported = giver.bundle(|_| {});
    giver
        .ground
        .attempt("a bundle", &imported, Expect::Imported);
    let receipt = giver.ground.intruder.receipt(imported.manifest).unwrap();
    for _ in 0..3 {
        giver.give_up(&imported);
        let again = giver.ground.intruder.receipt(imported.manifest).unwrap();
        assert_eq!(again, receipt, "another receipt");
    }
    let never = giver.bundle(|_| {});
    giver.give_up(&never);
    let refused = giver.ground.intruder.receipt(never.manifest).unwrap();
    giver.give_up(&never);
    let voided = Expect::Refused("voided");
    giver
        .ground
        .attempt("what was given up comes", &never, voided);
    let again = giver.ground.intruder.receipt(never.manifest).unwrap();
    assert_eq!(again, refused, "another receipt");
    giver.ground.restart();
    giver.give_up(&never);
    giver
        .ground
        .attempt("and after a power cut", &never, voided);
    let voids = giver.ground.exchange.pair.imigrasi.path(home::SPOOL);
    assert_eq!(fs::read_dir(voids.join("voids")).unwrap().count(), 1);
    giver.ground.good();
    let refusals = giver.records(never.manifest);
    let refusals = refusals
        .iter()
        .filter(|(kind, _)| *kind == RecordKind::Refused);
    assert_eq!(refusals.count(), 1);
    let kinds = giver.records(imported.manifest);
    assert!(kinds.iter().all(|(kind, _)| *kind != RecordKind::Refused));
    giver.ground.told("given up");
}

/// Slips that prove nothing about `bundle`, and the other bundles that they name.
fn wrong_slips(giver: &Giver, bundle: &Bundle) -> (Vec<Slip>, [Digest; 4]) {
    let (manifest, text, armour) = head(bundle);
    let proof = Some((&text[..], &armour[..]));
    let mut wrong = vec![giving_up(&manifest, bundle.manifest, None)];
    let other = giver.bundle(|_| {});
    let (_, other_text, other_armour) = head(&other);
    wrong.push(giving_up(
        &manifest,
        bundle.manifest,
        Some((&other_text, &other_armour)),
    ));
    wrong.push(giving_up(
        &manifest,
        bundle.manifest,
        Some((&text, &other_armour)),
    ));
    wrong.push(giving_up(&manifest, other.manifest, proof));
    let mut elsewhere = manifest.clone();
    elsewhere.sequence = Sequence::try_from(2).unwrap();
    wrong.push(giving_up(&elsewhere, bundle.manifest, proof));
    elsewhere = manifest.clone();
    elsewhere.epoch = Epoch::FIRST;
    wrong.push(giving_up(&elsewhere, bundle.manifest, proof));
    elsewhere = manifest.clone();
    elsewhere.flow = "tidak-ada".parse().unwrap();
    wrong.push(giving_up(&elsewhere, bundle.manifest, proof));
    // Signed by the recipient itself, as if the stream went the other way.
    let (key, to) = (&giver.ground.shop.others_signing, manifest.to.clone());
    let forged = key.sign(Purpose::Bundle, &text);
    wrong.push(giving_up(
        &manifest,
        bundle.manifest,
        Some((&text, forged.as_bytes())),
    ));
    let far = giver.bundle(|draft| draft.manifest.sequence = Sequence::try_from(2_000).unwrap());
    let strange = giver.bundle(|draft| draft.manifest.flow = "tidak-ada".parse().unwrap());
    let third: PartyId = "bpkh".parse().unwrap();
    let astray = giver.bundle(|draft| draft.manifest.to = third.clone());
    for bundle in [&far, &strange, &astray] {
        let (mut manifest, text, armour) = head(bundle);
        manifest.to = to.clone();
        wrong.push(giving_up(
            &manifest,
            bundle.manifest,
            Some((&text, &armour)),
        ));
    }
    let named = [other, far, strange, astray].map(|bundle| bundle.manifest);
    (wrong, named)
}

#[test]
fn nothing_is_given_up_without_its_signed_manifest_of_this_very_place() {
    let mut giver = Giver::new();
    let bundle = giver.bundle(|_| {});
    let (manifest, text, armour) = head(&bundle);
    let proof = Some((&text[..], &armour[..]));
    let (mut wrong, named) = wrong_slips(&giver, &bundle);
    for slip in &mut wrong {
        assert_eq!(giver.say(slip, Signer::Peer), Answer::Taken);
    }
    let mut forged = giving_up(&manifest, bundle.manifest, proof);
    let doubtful = Answer::Denied("slip-doubtful".to_owned());
    assert_eq!(giver.say(&mut forged, Signer::Other), doubtful);
    // A repeat of an old number, and one that has run out, say nothing.
    let mut late = giving_up(&manifest, bundle.manifest, proof);
    (late.created, late.expires) = (now().plus_secs(-60), now().plus_secs(-1));
    assert_eq!(giver.say(&mut late, Signer::Peer), Answer::Taken);
    giver.number = 0;
    let mut old = giving_up(&manifest, bundle.manifest, proof);
    assert_eq!(giver.say(&mut old, Signer::Peer), Answer::Taken);
    giver.ground.good();
    for manifest in named.into_iter().chain([bundle.manifest]) {
        assert!(!giver.ground.intruder.is_receipt_offered(manifest).unwrap());
        assert!(giver.records(manifest).is_empty());
    }
    giver
        .ground
        .attempt("and it is imported", &bundle, Expect::Imported);
    giver.ground.told("not given up");
}
