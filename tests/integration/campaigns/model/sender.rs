//! The sending side as a pure state machine: what is on its disk, what is in its memory, and its stages, in the order of
//! SPOOL.md §2. Every move of a row goes through the daemon's own `engine::outbound::next`.

use std::collections::{BTreeMap, BTreeSet};

use amanah_format::digest::Digest;
use amanah_format::manifest::Manifest;
use amanahd::engine::outbound::{Outbound, OutboundEvent, next};

use super::fate::{Died, Fate};
use super::papers::{Fault, Papers};
use super::{Flaw, Message, Receipt};

/// A row of the journal, with what hangs on it.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) item: u8,
    pub(super) fault: Fault,
    pub(super) state: Outbound,
    pub(super) manifest: Option<(Manifest, Digest)>,
    pub(super) receipt: Option<Receipt>,
}

/// What survives.
#[derive(Default)]
pub(super) struct Sender {
    pub(super) rows: Vec<Row>,
    pub(super) outbox: BTreeMap<u8, Fault>,
    pub(super) claimed: BTreeSet<u8>,
    pub(super) sent: BTreeSet<u8>,
    pub(super) returned: BTreeSet<u8>,
    /// Rows whose payload lies in `work/`, and whether it is synced.
    work: BTreeMap<usize, bool>,
    pub(super) queue: BTreeSet<Digest>,
    kept: BTreeMap<Digest, Receipt>,
    next: u64,
    previous: Option<Digest>,
}

impl Sender {
    /// One more step of the row, as its stage would do it.
    pub(super) fn pass(
        &mut self,
        papers: &Papers,
        fate: &mut Fate,
        index: usize,
    ) -> Result<(), Died> {
        match self.rows[index].state {
            Outbound::Claiming => self.stand_aside(fate, index),
            Outbound::Claimed if fate.dice.chance(10) => {
                self.step(index, OutboundEvent::WentBack);
                self.back(index);
                Ok(())
            }
            Outbound::Claimed => self.seal(papers, fate, index),
            Outbound::Sealed => {
                self.step(index, OutboundEvent::SignatureStored);
                fate.point("seal.signed")
            }
            Outbound::Signed => self.queue(fate, index),
            Outbound::Imported | Outbound::Refused => self.settle(fate, index),
            Outbound::Queued
            | Outbound::HandedOver
            | Outbound::Settled
            | Outbound::Returned
            | Outbound::PutBack
            | Outbound::Destroyed => Ok(()),
        }
    }

    /// The row first, then the rename.
    pub(super) fn claim(&mut self, fate: &mut Fate) -> Result<(), Died> {
        let Some((item, fault)) = self
            .outbox
            .iter()
            .next()
            .map(|(&item, &fault)| (item, fault))
        else {
            return Ok(());
        };
        if self
            .rows
            .iter()
            .any(|row| row.item == item && row.state == Outbound::Claiming)
        {
            return Ok(());
        }
        let state = Outbound::Claiming;
        self.rows.push(Row {
            item,
            fault,
            state,
            manifest: None,
            receipt: None,
        });
        fate.point("collect.recorded")?;
        self.stand_aside(fate, self.rows.len() - 1)
    }

    fn stand_aside(&mut self, fate: &mut Fate, index: usize) -> Result<(), Died> {
        let item = self.rows[index].item;
        if self.outbox.remove(&item).is_some() {
            self.claimed.insert(item);
        }
        fate.point("collect.renamed")?;
        self.step(index, OutboundEvent::StoodAside);
        fate.point("collect.stood-aside")
    }

    fn back(&mut self, index: usize) {
        let Row { item, fault, .. } = self.rows[index];
        if self.claimed.remove(&item) {
            self.outbox.insert(item, fault);
        }
    }

    fn seal(&mut self, papers: &Papers, fate: &mut Fate, index: usize) -> Result<(), Died> {
        self.work.insert(index, false);
        fate.point("seal.payload-written")?;
        self.work.insert(index, true);
        fate.point("seal.payload-synced")?;
        let place = (self.next.max(1), self.previous);
        let bundle = u8::try_from(index).unwrap();
        let (manifest, digest) = papers.manifest(place, bundle, self.rows[index].fault);
        self.step(index, OutboundEvent::SealCommitted);
        (self.next, self.previous) = (place.0 + 1, Some(digest));
        self.rows[index].manifest = Some((manifest, digest));
        fate.point("seal.committed")
    }

    /// Head, rename, row: the work file may have been renamed before a death.
    fn queue(&mut self, fate: &mut Fate, index: usize) -> Result<(), Died> {
        let digest = self.digest(index);
        if self.work.remove(&index).is_some() {
            fate.point("seal.head-synced").inspect_err(|_| {
                self.work.insert(index, true);
            })?;
            self.queue.insert(digest);
        }
        fate.point("seal.renamed")?;
        assert!(
            self.queue.contains(&digest),
            "a signed bundle is neither in work/ nor in queue/"
        );
        self.step(index, OutboundEvent::BundleQueued);
        Ok(())
    }

    fn settle(&mut self, fate: &mut Fate, index: usize) -> Result<(), Died> {
        let digest = self.digest(index);
        self.queue.remove(&digest);
        fate.point("settle.archived")?;
        let (item, state) = (self.rows[index].item, self.rows[index].state);
        let imported = state == Outbound::Imported;
        if self.claimed.remove(&item) {
            if imported {
                self.sent.insert(item)
            } else {
                self.returned.insert(item)
            };
        }
        fate.point("settle.moved")?;
        let event = if imported {
            OutboundEvent::OriginalsSettled
        } else {
            OutboundEvent::OriginalsReturned
        };
        self.step(index, event);
        Ok(())
    }

    /// A bundle that waits for its receipt is offered, also when it was handed over.
    pub(super) fn offer(&self, index: usize) -> Option<Message> {
        let row = &self.rows[index];
        let waits = matches!(row.state, Outbound::Queued | Outbound::HandedOver);
        let (manifest, digest) = row.manifest.clone().filter(|_| waits)?;
        assert!(self.queue.contains(&digest), "what waits is not in queue/");
        Some(Message::Bundle(Box::new(manifest), digest, row.fault))
    }

    /// A message came.
    pub(super) fn hear(
        &mut self,
        message: &Message,
        flaw: Flaw,
        fate: &mut Fate,
    ) -> Result<Option<Message>, Died> {
        match message {
            Message::TookOver(digest) => {
                let index = self.index_of(digest);
                self.step(index, OutboundEvent::PeerTookOver);
                if flaw == Flaw::SettlesOnHandOver && self.claimed.remove(&self.rows[index].item) {
                    self.sent.insert(self.rows[index].item);
                }
                Ok(None)
            }
            Message::Receipt(receipt) => {
                let kept = *self.kept.entry(receipt.digest).or_insert(*receipt);
                assert_eq!(kept, *receipt, "a receipt that turned");
                fate.point("settle.receipt-kept")?;
                let index = self.index_of(&receipt.digest);
                if self.rows[index].receipt.is_none() {
                    let event = if receipt.imported {
                        OutboundEvent::ReceiptImported
                    } else {
                        OutboundEvent::ReceiptRefused
                    };
                    self.step(index, event);
                    self.rows[index].receipt = Some(*receipt);
                }
                fate.point("settle.answered")?;
                Ok(Some(Message::Taken(receipt.digest)))
            }
            Message::Bundle(..) | Message::Taken(_) => Ok(None),
        }
    }

    /// After a death: what was not synced may be gone, work is swept but for what is sealed or signed.
    pub(super) fn starts(&mut self) {
        let rows = &self.rows;
        self.work
            .retain(|&index, _| matches!(rows[index].state, Outbound::Sealed | Outbound::Signed));
        assert!(
            self.work.values().all(|&synced| synced),
            "a number was taken for a payload that is not on disk"
        );
    }

    fn step(&mut self, index: usize, event: OutboundEvent) {
        let row = &mut self.rows[index];
        row.state =
            next(row.state, event).unwrap_or_else(|error| panic!("the daemon would halt: {error}"));
    }

    fn digest(&self, index: usize) -> Digest {
        self.rows[index].manifest.as_ref().unwrap().1
    }

    fn index_of(&self, digest: &Digest) -> usize {
        let of = |row: &Row| {
            row.manifest
                .as_ref()
                .is_some_and(|(_, found)| found == digest)
        };
        self.rows.iter().position(of).unwrap()
    }
}
