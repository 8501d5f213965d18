//! Replays after the agreed days: the bytes are destroyed, in archive and quarantine; the answer is the very same, nothing is
//! imported, nothing is kept again.

use std::fs;
use std::path::PathBuf;

use amanah_format::agreement::AgreementFile;
use amanah_format::destruction::{self, Destroyed, Destruction, Rule, Side, Totals};
use amanah_format::document::{Document, Ext};
use amanah_format::home;
use amanah_format::id::{Epoch, PartyId, Sequence};
use amanah_format::manifest::AgreementRef;
use amanah_format::signature::SecretKey;
use amanah_format::time::UtcTime;
use amanah_tests::exchange::{PATIENCE, files_below};
use amanah_tests::intruder::Answer;
use amanah_tests::waiting::until;
use amanahd::transport::link::WireName;

use super::{Bundle, Draft, Expect, Ground};
use crate::retention::short_lived;

/// Its ground, with the sender's table laid for the flow that is kept for no day.
fn ground() -> Ground {
    let exchange = short_lived();
    let flow = exchange.out.flow.clone();
    let id = "pks-singkat".parse().unwrap();
    let folder = exchange.pair.phu.folder().join(home::AGREEMENTS);
    let file = fs::read(folder.join(home::agreement_file(&id, 1))).unwrap();
    let file = AgreementFile::parse(&file).unwrap();
    let mut ground = Ground::with(exchange);
    ground.shop.way.flow = flow;
    ground.shop.agreement = AgreementRef {
        id,
        version: 1,
        digest: file.digest(),
    };
    ground
}

fn sealed(ground: &Ground, change: impl Fn(&mut Draft)) -> Bundle {
    let mut draft = ground.shop.hello();
    draft.manifest.purpose = "UJI".to_owned();
    change(&mut draft);
    ground.shop.seal(&draft).unwrap()
}

/// Every file of the spool that bears the bundle's name.
fn copies(ground: &Ground, bundle: &Bundle) -> Vec<PathBuf> {
    let spool = ground.exchange.pair.imigrasi.path(home::SPOOL);
    let mut files = files_below(&spool).unwrap();
    files.retain(|path| path.to_string_lossy().contains(&bundle.manifest.to_hex()));
    files
}

fn until_destroyed(ground: &Ground, bundle: &Bundle) {
    let gone = || Ok(copies(ground, bundle).is_empty().then_some(()));
    until("the end of the last copy", PATIENCE, gone).unwrap();
}

/// The list of what is kept says that it is, and why.
fn until_kept(ground: &Ground, bundle: &Bundle) {
    let list = ground.exchange.pair.imigrasi.path(home::RETENTION);
    let manifest = bundle.manifest.to_string();
    let said = || {
        let list = fs::read_to_string(&list).unwrap_or_default();
        let of_it = list.split(&manifest).nth(1).unwrap_or_default();
        let of_it = of_it.split('}').next().unwrap_or_default();
        Ok(of_it.contains("peer-unsettled").then_some(()))
    };
    until("what keeps it", PATIENCE, said).unwrap();
    assert_eq!(copies(ground, bundle).len(), 1);
}

/// A destruction record is no message: under whatever name a peer sends one, and whoever is said to have signed it, it is refused, and
/// nothing goes.
fn nothing_from_the_wire_destroys(ground: &Ground, bundle: &Bundle) {
    let (phu, imigrasi) = (&ground.exchange.pair.phu, &ground.exchange.pair.imigrasi);
    let key = fs::read_to_string(phu.folder().join(home::KEY_SIGNING)).unwrap();
    let (digest, forged) = destruction::sign(
        &forged(imigrasi.party(), phu.party(), ground, bundle),
        &SecretKey::from_openssh(&key).unwrap(),
    );
    let paper = ground.exchange.folder().join("palsu.destruction.amanah");
    fs::write(&paper, &forged).unwrap();
    let said = imigrasi
        .attempt(&["verify", &paper.to_string_lossy()])
        .unwrap();
    fs::remove_file(&paper).unwrap();
    assert_eq!(said.status.code(), Some(1), "{}", said.stdout);
    for name in [WireName::Slip(digest), WireName::Receipt(bundle.manifest)] {
        let answer = ground.intruder.push_as(name, &forged).unwrap();
        assert!(matches!(answer, Answer::Denied(_)), "{answer:?}");
    }
    assert_eq!(copies(ground, bundle).len(), 1);
}

/// That imigrasi had destroyed the bundle.
fn forged(from: &PartyId, peer: &PartyId, ground: &Ground, bundle: &Bundle) -> Destruction {
    let now = UtcTime::from_unix(1_790_000_000).unwrap();
    let bundles = vec![Destroyed {
        manifest: bundle.manifest,
        epoch: Epoch::FIRST,
        sequence: Sequence::FIRST,
        since: now,
        at: now,
        sealed: true,
        files: 1,
        rows: 0,
        record: 5,
    }];
    Destruction {
        format: Destruction::FORMAT.to_owned(),
        number: 1,
        from: from.clone(),
        peer: peer.clone(),
        side: Side::Received,
        agreement: ground.shop.agreement.clone(),
        flow: ground.shop.way.flow.clone(),
        rule: Rule {
            days: 0,
            from: "settled".to_owned(),
            action: "destroy".to_owned(),
        },
        begun: now,
        finished: now,
        program: "amanahd".to_owned(),
        ledger: format!("amanah/{from}/1"),
        totals: Totals::of(&bundles).unwrap(),
        bundles,
        ext: Ext::default(),
        critical: Vec::new(),
    }
}

/// The note on a refused bundle stays, and says that the bundle is gone.
fn until_noted(ground: &Ground, bundle: &Bundle) {
    let name = format!("quarantine/{}.amanah.json", bundle.manifest.to_hex());
    let note = ground.exchange.pair.imigrasi.path(&name);
    let said = || {
        let note: serde_json::Value = serde_json::from_slice(&fs::read(&note)?)?;
        Ok((note["state"] == "destroyed").then_some(()))
    };
    until("the note of the destruction", PATIENCE, said).unwrap();
}

#[test]
fn a_bundle_replayed_after_its_days_are_over_gets_the_same_receipt() {
    let mut ground = ground();
    let good = sealed(&ground, |_| {});
    let refused = sealed(&ground, |draft| draft.manifest.purpose = "LAIN".to_owned());
    let not_agreed = Expect::Refused("purpose-not-agreed");
    ground.attempt("kept for no day", &good, Expect::Imported);
    ground.attempt("quarantined for no day", &refused, not_agreed);
    let stranger = sealed(&ground, |draft| {
        draft.manifest.flow = "lain".parse().unwrap()
    });
    ground.attempt("of no flow", &stranger, Expect::Refused("flow-not-agreed"));
    let receipts = [&good, &refused].map(|bundle| ground.intruder.receipt(bundle.manifest));
    let receipts = receipts.map(Result::unwrap);
    until_destroyed(&ground, &refused);
    until_noted(&ground, &refused);
    // An import of which its sender has no receipt is not settled, however long ago it was.
    until_kept(&ground, &good);
    nothing_from_the_wire_destroys(&ground, &good);
    ground.intruder.take(good.manifest).unwrap();
    until_destroyed(&ground, &good);
    ground.attempt("replayed after its days", &good, Expect::Known);
    ground.attempt("refused and replayed after its days", &refused, not_agreed);
    ground.restart();
    ground.attempt("replayed after a restart too", &good, Expect::Known);
    for (bundle, receipt) in [&good, &refused].into_iter().zip(receipts) {
        assert!(ground.intruder.receipt(bundle.manifest).unwrap() == receipt);
        until_destroyed(&ground, bundle);
    }
    // What no agreement speaks for is kept as long as this machine's configuration says.
    assert_eq!(copies(&ground, &stranger).len(), 1);
    let config = ground.exchange.pair.imigrasi.folder().join(home::CONFIG);
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}\n[limits]\nquarantine_days = 0\n")).unwrap();
    ground.restart();
    until_destroyed(&ground, &stranger);
    until_noted(&ground, &stranger);
    ground.told("kept");
}
