//! Ledgers shown by a peer that lies: two of them, proofs that prove nothing, notes of others, cosignatures of what is not ours.
//! It is caught once, kept once, and bounded; and what it shows never stops an exchange.

use std::fs;

use amanah_format::digest::Digest;
use amanah_format::document::Document;
use amanah_format::home;
use amanah_format::ledger::{Checkpoint, Prover, Tree, leaf_hash};
use amanah_format::signature::SecretKey;
use amanah_format::slip::{self, Body, Seen, Shown, Slip};
use amanah_tests::exchange::PATIENCE;
use amanah_tests::intruder::Answer;
use amanahd::snapshot::Snapshot;
use amanahd::transport::link::WireName;

use super::Ground;
use super::workshop::now;

/// A peer with its ledger key.
struct Liar {
    ground: Ground,
    ledger: SecretKey,
    number: u64,
}

fn leaf(ledger: &str, index: u64) -> Digest {
    leaf_hash(format!("{ledger} {index}").as_bytes())
}

impl Liar {
    fn new() -> Self {
        let ground = Ground::new();
        let key = ground.exchange.pair.phu.folder().join(home::KEY_LEDGER);
        let ledger = SecretKey::from_openssh(&fs::read_to_string(key).unwrap()).unwrap();
        Self {
            ground,
            ledger,
            number: 0,
        }
    }

    fn checkpoint(&self, ledger: &str, size: u64) -> Checkpoint {
        let mut tree = Tree::default();
        (0..size).for_each(|index| tree.push(leaf(ledger, index)));
        let origin = format!("amanah/{}/1", self.ground.shop.way.from);
        let root = tree.root();
        Checkpoint { origin, size, root }
    }

    fn say(&mut self, body: Body) {
        self.number += 1;
        let way = &self.ground.shop.way;
        let slip = Slip {
            format: Slip::FORMAT.to_owned(),
            body,
            from: way.from.clone(),
            to: way.to.clone(),
            number: self.number,
            created: now(),
            expires: now().plus_secs(600),
            ext: Default::default(),
            critical: Vec::new(),
        };
        let name = WireName::Slip(slip::digest(&slip));
        let bytes = slip::sign(&slip, &self.ground.shop.signing);
        let answer = self.ground.intruder.push_as(name, &bytes).unwrap();
        assert_eq!(answer, Answer::Taken);
    }

    /// Shows so much of a ledger, with the proof from `from`.
    fn shows(&mut self, ledger: &str, size: u64, from: u64) {
        let mut prover = Prover::new(from, size);
        (0..size).for_each(|index| prover.push(leaf(ledger, index)));
        let note = self.checkpoint(ledger, size).sign(&self.ledger);
        self.say(Body::Checkpoint(Shown {
            note,
            consistency: prover.finish(),
            previous_size: from,
            inclusions: Vec::new(),
        }));
    }

    fn forks(&self) -> usize {
        let folder = self.ground.exchange.pair.imigrasi.path(home::LEDGER_PEERS);
        let names = fs::read_dir(folder).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name());
        names
            .filter(|name| name.to_string_lossy().ends_with(".fork"))
            .count()
    }

    fn until_alarm(&mut self, wanted: bool) {
        let found = |status: &Snapshot| {
            let mut alarms = status.alarms.iter();
            (alarms.any(|alarm| alarm.code == "ledger-fork") == wanted).then_some(())
        };
        let imigrasi = &mut self.ground.exchange.pair.imigrasi;
        imigrasi.wait_for("ledger-fork", PATIENCE, found).unwrap();
    }

    fn accepted(&mut self) {
        let party = self.ground.shop.way.from.to_string();
        let imigrasi = &self.ground.exchange.pair.imigrasi;
        imigrasi.run(&["ledger", "accept", &party]).unwrap();
        self.until_alarm(false);
    }
}

#[test]
fn a_peer_that_shows_two_ledgers_is_caught_once_and_bounded() {
    let mut liar = Liar::new();
    liar.shows("satu", 5, 0);
    liar.shows("satu", 9, 5);
    // Not of this peer's ledger, and nothing of ours: neither is believed, and neither is an alarm.
    let foreign = Checkpoint {
        origin: "amanah/imigrasi/1".to_owned(),
        ..liar.checkpoint("satu", 9)
    };
    let note = foreign.sign(&liar.ledger);
    liar.say(Body::Checkpoint(Shown {
        note: note.clone(),
        consistency: Vec::new(),
        previous_size: 0,
        inclusions: Vec::new(),
    }));
    let own = format!("amanah/{}/1", liar.ground.shop.way.from);
    let cosigned = foreign.cosign(&note, (&own, &liar.ledger), now()).unwrap();
    liar.say(Body::Cosignature(Seen { note: cosigned }));
    liar.say(Body::Cosignature(Seen {
        note: "bukan".to_owned(),
    }));
    assert_eq!(liar.forks(), 0);
    // Another ledger of the same size; and from then on whatever it shows.
    liar.shows("dua", 9, 9);
    liar.until_alarm(true);
    for size in 10..30 {
        liar.shows("dua", size, 9);
    }
    assert_eq!(liar.forks(), 1);
    liar.accepted();
    // Cut off; a proof that proves nothing.
    liar.shows("tiga", 9, 0);
    liar.shows("tiga", 8, 8);
    liar.until_alarm(true);
    liar.accepted();
    liar.shows("empat", 9, 0);
    liar.shows("lima", 12, 9);
    liar.until_alarm(true);
    liar.accepted();
    // Proofs that begin elsewhere are answered; as long as the answer is not taken nothing is held against it.
    liar.shows("enam", 9, 0);
    for size in 10..20 {
        liar.shows("enam", size, 3);
    }
    assert_eq!(liar.forks(), 3);
    liar.ground.good();
    liar.ground.told("witnesses");
}
