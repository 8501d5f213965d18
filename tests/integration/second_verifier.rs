//! Two verifiers, one text: `amanah verify`, and tests/python/verify.py, which knows FORMAT.md and nothing of our code. On good
//! documents and on changed ones they say the same; where they do not, one of them, or the text, is wrong.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use amanah_format::card::VerifiedCard;
use amanah_format::destruction::{self, Destroyed, Destruction, Rule, Side, Totals};
use amanah_format::digest::Digest;
use amanah_format::document::{Document, Ext};
use amanah_format::home;
use amanah_format::id::{Epoch, PartyId, Sequence};
use amanah_format::manifest::AgreementRef;
use amanah_format::signature::{Purpose, SecretKey};
use amanah_format::slip::{self, Body, HeldReason, Slip};
use amanah_format::time::UtcTime;
use amanah_tests::exchange::{Arrived, Exchange};
use amanah_tests::mutation::{Good, Keys, Seeded, mutated};
use amanah_tests::python;
use serde_json::Value;

use crate::program;

/// Changed documents in the ordinary test; the campaign takes as many in each of its rounds.
const CHANGED: usize = 400;
/// Rounds of the campaign.
const ROUNDS: u64 = 20;
/// Of so many changed documents at least one is still good, or the changes are too coarse to tell anything.
const STILL_GOOD_ONE_IN: usize = 40;

/// Good documents of every kind, from an exchange, and the keys of both parties.
struct Bench {
    exchange: Exchange,
    good: Vec<Good>,
    keys: Keys,
}

impl Bench {
    fn new() -> Self {
        let mut exchange = Exchange::connected(program()).unwrap();
        let way = exchange.out.clone();
        let dropped = exchange.drop_text(&way, "satu.csv", "satu\n").unwrap();
        let arrived = exchange.settled(&[dropped]).unwrap();
        exchange.holds(&arrived).unwrap();
        let mut keys = Keys::new();
        for ministry in exchange.pair.both() {
            let key = fs::read_to_string(ministry.folder().join(home::KEY_SIGNING)).unwrap();
            let key = SecretKey::from_openssh(&key).unwrap();
            keys.insert(ministry.party().clone(), key);
        }
        let good = good_documents(&exchange, &keys, &arrived[0]);
        Self {
            exchange,
            good,
            keys,
        }
    }

    /// Writes the documents down, and asks both verifiers about all of them at once; those that both take.
    fn agreed(&self, round: &str, documents: &[Vec<u8>]) -> Vec<bool> {
        let folder = self.exchange.folder().join(round);
        fs::create_dir(&folder).unwrap();
        let paths: Vec<PathBuf> = (0..documents.len())
            .map(|number| folder.join(format!("{number}.amanah")))
            .collect();
        for (path, document) in paths.iter().zip(documents) {
            fs::write(path, document).unwrap();
        }
        let cards = ["phu.card.amanah", "imigrasi.card.amanah"];
        let cards = cards.map(|card| self.exchange.folder().join(card));
        let mut ours = Command::new(program());
        let ours = judged(ours.args(["verify", "--json"]), &cards, &paths);
        let mut theirs = Command::new("python3");
        let theirs = theirs.arg(python::programs().join("verify.py"));
        let theirs = judged(theirs, &cards, &paths);
        let differ: Vec<_> = paths
            .iter()
            .filter(|path| ours[*path]["verified"] != theirs[*path]["verified"])
            .map(|path| format!("ours {}\ntheirs {}\n", ours[path], theirs[path]))
            .collect();
        if !differ.is_empty() {
            // Kept for whoever has to decide which of the two is wrong.
            let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("disagreement");
            fs::create_dir_all(&kept).unwrap();
            for path in &paths {
                fs::copy(path, kept.join(path.file_name().unwrap())).unwrap();
            }
            panic!("{} of {}:\n{}", differ.len(), paths.len(), differ.concat());
        }
        let verified = |path| ours[path]["verified"].as_bool().unwrap();
        paths.iter().map(verified).collect()
    }

    /// One round of changed documents; how many of them are still good.
    fn round(&self, seed: u64) -> usize {
        let mut seeded = Seeded::new(seed);
        let change = |good| mutated(good, &self.keys, &mut seeded).unwrap();
        let good = self.good.iter().cycle().take(CHANGED);
        let changed: Vec<Vec<u8>> = good.map(change).collect();
        let verified = self.agreed(&format!("putaran-{seed}"), &changed);
        verified.into_iter().filter(|verified| *verified).count()
    }
}

/// One of each kind, and two kinds of slips.
fn good_documents(exchange: &Exchange, keys: &Keys, arrived: &Arrived) -> Vec<Good> {
    let (phu, imigrasi) = (&arrived.item.from, &arrived.item.to);
    let (manifest, sender) = (&arrived.manifest, &exchange.pair.phu);
    let file = |path: PathBuf, purpose, signers: &[&PartyId]| Good {
        container: fs::read(path).unwrap(),
        purpose,
        signers: signers.iter().copied().cloned().collect(),
    };
    let paper = |name: &str| exchange.folder().join(name);
    let (bundle, receipt) = (
        sender.archived(imigrasi, manifest),
        sender.receipt(imigrasi, manifest),
    );
    let agreement = paper("pks-contoh.2.amanah");
    let mut good = vec![
        file(bundle, Purpose::Bundle, &[phu]),
        file(receipt, Purpose::Receipt, &[imigrasi]),
        file(paper("phu.card.amanah"), Purpose::Card, &[phu]),
        file(agreement, Purpose::Agreement, &[imigrasi, phu]),
    ];
    let created = since(exchange).plus_secs(1);
    for body in [held(*manifest), revocation(*manifest)] {
        let slip = Slip {
            format: Slip::FORMAT.into(),
            body,
            from: imigrasi.clone(),
            to: phu.clone(),
            number: 1,
            created,
            expires: created.plus_secs(86_400),
            ext: Ext::default(),
            critical: Vec::new(),
        };
        good.push(Good {
            container: slip::sign(&slip, &keys[imigrasi]),
            purpose: Purpose::Slip,
            signers: vec![imigrasi.clone()],
        });
    }
    good.push(Good {
        container: destruction::sign(&destroyed(exchange, arrived), &keys[imigrasi]).1,
        purpose: Purpose::Destruction,
        signers: vec![imigrasi.clone()],
    });
    good
}

/// That the recipient destroyed a bundle of thirty days before.
fn destroyed(exchange: &Exchange, arrived: &Arrived) -> Destruction {
    let (at, days) = (since(exchange).plus_secs(1), 30);
    let bundle = |manifest: Digest, record| Destroyed {
        manifest,
        epoch: Epoch::FIRST,
        sequence: Sequence::FIRST,
        since: at.plus_secs(-i64::from(days) * 86_400),
        at,
        sealed: true,
        files: 1,
        rows: 250,
        record,
    };
    let bundles = vec![
        bundle(arrived.manifest, 7),
        bundle(Digest::of(b"another"), 9),
    ];
    Destruction {
        format: Destruction::FORMAT.into(),
        number: 3,
        from: arrived.item.to.clone(),
        peer: arrived.item.from.clone(),
        side: Side::Received,
        agreement: AgreementRef {
            id: "pks-contoh".parse().unwrap(),
            version: 1,
            digest: Digest::of(b"agreement"),
        },
        flow: arrived.item.flow.clone(),
        rule: Rule {
            days,
            from: "settled".into(),
            action: "destroy".into(),
        },
        begun: at,
        finished: at.plus_secs(1),
        program: "amanahd 0.1.0".into(),
        ledger: format!("amanah/{}/1", arrived.item.to),
        totals: Totals::of(&bundles).unwrap(),
        bundles,
        ext: Ext::default(),
        critical: Vec::new(),
    }
}

/// What a program says of each file.
fn judged(program: &mut Command, cards: &[PathBuf], paths: &[PathBuf]) -> BTreeMap<PathBuf, Value> {
    for card in cards {
        program.arg("--card").arg(card);
    }
    let ran = program.args(paths).output().unwrap();
    let said: Value = serde_json::from_slice(&ran.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&ran.stderr)));
    let files = said["files"].as_array().unwrap();
    let judged: BTreeMap<_, _> = files
        .iter()
        .map(|file| (PathBuf::from(file["file"].as_str().unwrap()), file.clone()))
        .collect();
    assert_eq!(judged.len(), paths.len());
    judged
}

fn held(manifest: Digest) -> Body {
    let reason = HeldReason::Clock;
    Body::Held { manifest, reason }
}

fn revocation(digest: Digest) -> Body {
    let agreement = AgreementRef {
        id: "pks-contoh".parse().unwrap(),
        version: 1,
        digest,
    };
    Body::Revocation {
        agreement,
        reason: "peragaan selesai".into(),
        ledger_own: 7,
        ledger_peer: None,
    }
}

/// Since when the recipient's key is valid: no slip of it is older.
fn since(exchange: &Exchange) -> UtcTime {
    let card = fs::read(exchange.folder().join("imigrasi.card.amanah")).unwrap();
    let card = VerifiedCard::verify(&card).unwrap();
    card.card().keys.signing[0].from
}

#[test]
fn a_second_verifier_agrees_on_good_documents_and_on_changed_ones() {
    let bench = Bench::new();
    let good: Vec<_> = bench
        .good
        .iter()
        .map(|good| good.container.clone())
        .collect();
    assert_eq!(bench.agreed("asli", &good), [true; 7]);
    let still_good = bench.round(1);
    assert!(still_good >= CHANGED / STILL_GOOD_ONE_IN, "{still_good}");
    assert!(still_good <= CHANGED / 2, "{still_good}");
}

#[test]
#[ignore = "a campaign of minutes: ./check --full"]
fn a_second_verifier_agrees_on_thousands_of_changed_documents() {
    let bench = Bench::new();
    for seed in 2..2 + ROUNDS {
        bench.round(seed);
    }
}
