//! `model`: both engines, the policy's judgement and a link that loses, doubles and reorders, as pure state machines under
//! random schedules: thousands of histories in seconds, each of which can be had again from its seed.
//!
//! Real: `engine::outbound::next`, `engine::inbound::next`, `consumes_number`, `Policy::judge`. Modelled: the stages' order of
//! steps (SPOOL.md §2-§5), files as sets, the wire as a bag of messages.

mod fate;
mod papers;
mod receiver;
mod schedules;
mod sender;

use std::collections::BTreeMap;

use amanah_format::digest::Digest;
use amanah_format::manifest::Manifest;
use amanah_format::time::UtcTime;
use amanahd::engine::inbound::Inbound;
use amanahd::engine::outbound::Outbound;

use fate::{Died, Fate};
use papers::{AHEAD_SECS, Fault, Papers};
use receiver::{Receiver, Rules};
use sender::Sender;

/// Rounds without faults after which everything must be at rest.
const ROUNDS_TO_REST: usize = 40;
const ITEMS: u8 = 5;

/// A receipt's text: another number is another text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Receipt {
    digest: Digest,
    imported: bool,
    text: u64,
}

/// On the wire.
#[derive(Debug, Clone)]
enum Message {
    Bundle(Box<Manifest>, Digest, Fault),
    TookOver(Digest),
    Receipt(Receipt),
    Taken(Digest),
}

/// A fault planted in the model, which the schedules must find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    ReceiptBeforeCommit,
    MarkerAfterRename,
    SeenBeforeImport,
    NoSync,
    SettlesOnHandOver,
    SignsAnew,
}

/// Both sides, and what is between them.
struct World<'a> {
    papers: &'a Papers,
    fate: Fate,
    flaw: Flaw,
    sender: Sender,
    receiver: Receiver,
    wire: Vec<Message>,
    now: UtcTime,
    has_agreement: bool,
    /// The first receipt ever seen for each bundle.
    receipts: BTreeMap<Digest, Receipt>,
}

impl<'a> World<'a> {
    fn new(papers: &'a Papers, seed: u64, flaw: Flaw) -> Self {
        let mut fate = Fate::new(seed, 8);
        let mut sender = Sender::default();
        for item in 0..ITEMS {
            let fault = *fate.dice.pick(&[
                Fault::None,
                Fault::None,
                Fault::None,
                Fault::Purpose,
                Fault::Contents,
                Fault::Early,
            ]);
            sender.outbox.insert(item, fault);
        }
        let has_agreement = fate.dice.chance(70);
        let (receiver, wire, receipts) = (Receiver::default(), Vec::new(), BTreeMap::new());
        Self {
            papers,
            fate,
            flaw,
            sender,
            receiver,
            wire,
            now: papers.noon(),
            has_agreement,
            receipts,
        }
    }

    /// One random thing happens.
    fn step(&mut self) {
        let action = self.fate.dice.below(10);
        self.fate.note(format!("action {action}"));
        let died = match action {
            0 => self.sender.claim(&mut self.fate).is_err().then_some(true),
            1..=3 => self.sender_passes().is_err().then_some(true),
            4 | 5 => self.receiver_passes().is_err().then_some(false),
            6 => {
                self.offers();
                None
            }
            7 | 8 => self.deliver(),
            _ => {
                self.changes();
                None
            }
        };
        if let Some(sender) = died {
            self.starts(sender);
        }
        self.holds();
    }

    fn rules(&self) -> Rules<'a> {
        let papers = self.papers;
        Rules {
            policy: if self.has_agreement {
                &papers.after
            } else {
                &papers.before
            },
            now: self.now,
            flaw: self.flaw,
        }
    }

    fn starts(&mut self, sender: bool) {
        if sender {
            self.sender.starts();
        } else {
            self.receiver.starts(self.flaw, &mut self.fate);
        }
    }

    fn sender_passes(&mut self) -> Result<(), Died> {
        let rows = self.sender.rows.len();
        if rows == 0 {
            return Ok(());
        }
        let index = usize::try_from(self.fate.dice.below(rows.try_into().unwrap())).unwrap();
        self.sender.pass(self.papers, &mut self.fate, index)
    }

    fn receiver_passes(&mut self) -> Result<(), Died> {
        let digests: Vec<Digest> = self.receiver.rows.keys().copied().collect();
        if digests.is_empty() {
            return Ok(());
        }
        let digest = *self.fate.dice.pick(&digests);
        let rules = self.rules();
        self.receiver.pass(&digest, &rules, &mut self.fate)
    }

    fn offers(&mut self) {
        self.wire
            .extend((0..self.sender.rows.len()).filter_map(|index| self.sender.offer(index)));
        self.wire.extend(
            self.receiver
                .rows
                .keys()
                .filter_map(|digest| self.receiver.offer(digest)),
        );
    }

    /// A message from anywhere in the bag arrives, is lost, or arrives and comes again. Who died of it: the sender (true).
    fn deliver(&mut self) -> Option<bool> {
        if self.wire.is_empty() {
            return None;
        }
        let index =
            usize::try_from(self.fate.dice.below(self.wire.len().try_into().unwrap())).unwrap();
        let message = self.wire.swap_remove(index);
        if self.fate.deaths > 0 && self.fate.dice.chance(25) {
            self.fate.note(format!("lost {message:?}"));
            return None;
        }
        if self.fate.deaths > 0 && self.fate.dice.chance(25) {
            self.wire.push(message.clone());
        }
        self.fate.note(format!("arrives {message:?}"));
        self.hear(&message)
    }

    fn hear(&mut self, message: &Message) -> Option<bool> {
        match message {
            Message::Bundle(manifest, digest, fault) => {
                let rules = self.rules();
                let bundle = (&**manifest, *digest, *fault);
                let answer = self.receiver.take_over(bundle, &rules, &mut self.fate);
                let died = answer.is_err().then_some(false);
                self.wire.extend(answer.ok());
                died
            }
            Message::Taken(digest) => {
                self.receiver.taken(digest);
                None
            }
            Message::TookOver(_) | Message::Receipt(_) => {
                let answer = self.sender.hear(message, self.flaw, &mut self.fate);
                let died = answer.is_err().then_some(true);
                self.wire.extend(answer.unwrap_or_default());
                died
            }
        }
    }

    /// The agreement is installed; the clock goes on; somebody pulls a plug.
    fn changes(&mut self) {
        match self.fate.dice.below(4) {
            0 => self.has_agreement = true,
            1 => self.now = self.now.plus_secs(AHEAD_SECS / 2),
            2 => self.starts(true),
            _ => self.starts(false),
        }
    }

    /// What holds at every instant.
    fn holds(&mut self) {
        for receipt in self.receiver.receipts() {
            let first = *self.receipts.entry(receipt.digest).or_insert(receipt);
            assert_eq!(first, receipt, "a receipt that turned");
            let there = self
                .receiver
                .inbox
                .get(&receipt.digest)
                .copied()
                .unwrap_or_default();
            assert_eq!(
                receipt.imported,
                there == 1,
                "a receipt says imported: {}",
                receipt.imported
            );
        }
        assert!(
            self.receiver.inbox.values().all(|&count| count == 1),
            "imported twice"
        );
        for item in 0..ITEMS {
            let (sender, at) = (&self.sender, |place: bool| u8::from(place));
            let places = at(sender.outbox.contains_key(&item))
                + at(sender.claimed.contains(&item))
                + at(sender.sent.contains(&item))
                + at(sender.returned.contains(&item));
            assert_eq!(places, 1, "an item is in one place");
            assert!(
                !sender.sent.contains(&item) || self.imported(item),
                "settled without an import"
            );
        }
    }

    fn imported(&self, item: u8) -> bool {
        let mut rows = self.sender.rows.iter().filter(|row| row.item == item);
        rows.any(|row| {
            row.manifest
                .as_ref()
                .is_some_and(|(_, digest)| self.receiver.inbox.contains_key(digest))
        })
    }

    /// Faults end: everything comes to its end, by itself.
    fn comes_to_rest(&mut self) {
        self.fate.deaths = 0;
        self.has_agreement = true;
        self.now = self.papers.noon().plus_secs(2 * AHEAD_SECS);
        for _ in 0..ROUNDS_TO_REST {
            assert!(self.sender.claim(&mut self.fate).is_ok());
            for index in 0..self.sender.rows.len() {
                assert!(self.sender.pass(self.papers, &mut self.fate, index).is_ok());
            }
            self.offers();
            while !self.wire.is_empty() {
                assert_eq!(self.deliver(), None);
            }
            let rules = self.rules();
            for digest in self.receiver.rows.keys().copied().collect::<Vec<_>>() {
                let passed = self.receiver.pass(&digest, &rules, &mut self.fate);
                assert!(passed.is_ok());
            }
            self.holds();
        }
        let ends = [Outbound::Settled, Outbound::Returned, Outbound::PutBack];
        assert!(
            self.sender.rows.iter().all(|row| ends.contains(&row.state)),
            "under way: {:?}",
            self.sender.rows
        );
        assert_eq!(
            self.sender.sent.len() + self.sender.returned.len(),
            usize::from(ITEMS)
        );
        assert!(
            self.receiver
                .rows
                .values()
                .all(|row| row.state == Inbound::Delivered)
        );
        let left = (
            self.sender.queue.len(),
            self.receiver.incoming.len(),
            self.receiver.staging.len(),
        );
        assert_eq!(left, (0, 0, 0), "left in queue, incoming, staging");
        let sealed = self
            .sender
            .rows
            .iter()
            .filter(|row| row.manifest.is_some())
            .count();
        assert_eq!(
            self.receiver.contiguous,
            u64::try_from(sealed).unwrap(),
            "a gap"
        );
    }
}
