//! The receiving side as a pure state machine, in the order of SPOOL.md §3 and §4. Every move of a row goes through the
//! daemon's own `engine::inbound::next`, every verdict through its `Policy::judge`.

use std::collections::{BTreeMap, BTreeSet};

use amanah_format::digest::Digest;
use amanah_format::manifest::Manifest;
use amanah_format::time::UtcTime;
use amanahd::engine::inbound::{Inbound, InboundEvent, consumes_number, next};
use amanahd::engine::policy::{Place, Policy, Verdict};

use super::fate::{Died, Fate};
use super::papers::Fault;
use super::{Flaw, Message, Receipt};

/// A row of the journal.
pub(super) struct Row {
    manifest: Manifest,
    fault: Fault,
    pub(super) state: Inbound,
    holds_place: bool,
    received: UtcTime,
    receipt: Option<Receipt>,
}

/// By what rules the receiver judges in this moment, and what is wrong with it.
pub(super) struct Rules<'a> {
    pub(super) policy: &'a Policy,
    pub(super) now: UtcTime,
    pub(super) flaw: Flaw,
}

/// What survives.
#[derive(Default)]
pub(super) struct Receiver {
    pub(super) rows: BTreeMap<Digest, Row>,
    pub(super) incoming: BTreeSet<Digest>,
    /// Staged bundles, and whether all of it is synced.
    pub(super) staging: BTreeMap<Digest, bool>,
    markers: BTreeSet<Digest>,
    /// How often a bundle lies in the inbox.
    pub(super) inbox: BTreeMap<Digest, u64>,
    pub(super) contiguous: u64,
    /// Receipts that were ever written: each text is another.
    written: u64,
}

impl Receiver {
    /// A bundle arrived whole.
    pub(super) fn take_over(
        &mut self,
        (manifest, digest, fault): (&Manifest, Digest, Fault),
        rules: &Rules<'_>,
        fate: &mut Fate,
    ) -> Result<Message, Died> {
        let received = self.rows.get(&digest).map_or(rules.now, |row| row.received);
        let verdict = rules
            .policy
            .judge(manifest, &self.place(&digest, manifest), received);
        self.incoming.insert(digest);
        fate.point("admit.moved")?;
        if self.rows.contains_key(&digest) {
            self.step(&digest, InboundEvent::CameAgain);
        } else {
            self.insert((manifest, digest, fault), verdict, received);
        }
        fate.point("admit.recorded")?;
        if matches!(
            self.rows[&digest].state,
            Inbound::Acknowledged | Inbound::Delivered
        ) {
            self.incoming.remove(&digest);
        }
        Ok(Message::TookOver(digest))
    }

    fn insert(
        &mut self,
        (manifest, digest, fault): (&Manifest, Digest, Fault),
        verdict: Verdict,
        received: UtcTime,
    ) {
        let state = match verdict {
            Verdict::Admit => Inbound::Admitted,
            Verdict::Hold(_) => Inbound::Held,
            Verdict::Refuse(_) => Inbound::Refused,
        };
        let (manifest, receipt, holds_place) = (manifest.clone(), None, false);
        self.rows.insert(
            digest,
            Row {
                manifest,
                fault,
                state,
                holds_place,
                received,
                receipt,
            },
        );
        match verdict {
            Verdict::Refuse(refusal) => {
                if consumes_number(refusal) {
                    self.occupy(&digest);
                }
                self.write_receipt(&digest, false);
            }
            Verdict::Admit | Verdict::Hold(_) => self.occupy(&digest),
        }
    }

    /// One more step of the row, as its stage would do it.
    pub(super) fn pass(
        &mut self,
        digest: &Digest,
        rules: &Rules<'_>,
        fate: &mut Fate,
    ) -> Result<(), Died> {
        match self.rows[digest].state {
            Inbound::Held => {
                let row = &self.rows[digest];
                match rules.policy.judge(
                    &row.manifest,
                    &self.place(digest, &row.manifest),
                    rules.now,
                ) {
                    Verdict::Admit => self.step(digest, InboundEvent::Admitted),
                    Verdict::Hold(_) => self.step(digest, InboundEvent::Held),
                    Verdict::Refuse(refusal) => self.refuse(digest, consumes_number(refusal)),
                }
                Ok(())
            }
            Inbound::Admitted => self.import(digest, rules.flaw, fate),
            Inbound::Imported | Inbound::Refused => {
                if rules.flaw == Flaw::SignsAnew {
                    let imported = self.rows[digest].state == Inbound::Imported;
                    self.write_receipt(digest, imported);
                }
                fate.point("acknowledge.kept")?;
                self.step(digest, InboundEvent::ReceiptSigned);
                fate.point("acknowledge.signed")?;
                self.incoming.remove(digest);
                Ok(())
            }
            Inbound::Acknowledged | Inbound::Delivered => Ok(()),
        }
    }

    fn import(&mut self, digest: &Digest, flaw: Flaw, fate: &mut Fate) -> Result<(), Died> {
        if flaw == Flaw::ReceiptBeforeCommit {
            self.step(digest, InboundEvent::StoreCommitted);
            self.write_receipt(digest, true);
            fate.point("planted")?;
            return self.commit(digest, flaw, fate);
        }
        // `lookup`: the marker decides, and with staging beside it the rename is done now.
        if self.markers.contains(digest) {
            self.rename(digest);
        } else {
            self.staging.insert(*digest, false);
            fate.point("import.unpacking")?;
            if self.rows[digest].fault == Fault::Contents {
                self.staging.remove(digest);
                self.refuse(digest, true);
                return Ok(());
            }
            self.commit(digest, flaw, fate)?;
        }
        fate.point("import.committed")?;
        self.step(digest, InboundEvent::StoreCommitted);
        self.write_receipt(digest, true);
        fate.point("import.recorded")
    }

    fn commit(&mut self, digest: &Digest, flaw: Flaw, fate: &mut Fate) -> Result<(), Died> {
        fate.point("files.staged")?;
        self.staging.insert(*digest, flaw != Flaw::NoSync);
        fate.point("files.synced")?;
        if flaw == Flaw::MarkerAfterRename {
            self.rename(digest);
            fate.point("planted")?;
        }
        self.markers.insert(*digest);
        fate.point("files.marked")?;
        self.rename(digest);
        fate.point("files.renamed")
    }

    fn rename(&mut self, digest: &Digest) {
        if let Some(synced) = self.staging.remove(digest) {
            *self.inbox.entry(*digest).or_default() += 1;
            assert!(synced, "what was not on disk was moved into the inbox");
        }
    }

    fn refuse(&mut self, digest: &Digest, consumes: bool) {
        self.step(digest, InboundEvent::Refused);
        if consumes {
            self.occupy(digest);
        } else {
            self.row(digest).holds_place = false;
        }
        self.write_receipt(digest, false);
    }

    /// A receipt that waits for the peer.
    pub(super) fn offer(&self, digest: &Digest) -> Option<Message> {
        let row = &self.rows[digest];
        let receipt = row.receipt.filter(|_| row.state == Inbound::Acknowledged)?;
        Some(Message::Receipt(receipt))
    }

    /// The peer has the receipt. What it says of another state than `acknowledged` or `delivered` is turned away at the door.
    pub(super) fn taken(&mut self, digest: &Digest) {
        if matches!(
            self.rows[digest].state,
            Inbound::Acknowledged | Inbound::Delivered
        ) {
            self.step(digest, InboundEvent::ReceiptTaken);
        }
    }

    /// After a death: what was moved but not recorded becomes a part again; what was not synced may be gone.
    pub(super) fn starts(&mut self, flaw: Flaw, fate: &mut Fate) {
        let rows = &self.rows;
        self.incoming.retain(|digest| {
            rows.get(digest)
                .is_some_and(|row| !matches!(row.state, Inbound::Acknowledged | Inbound::Delivered))
        });
        let dice = &mut fate.dice;
        self.staging.retain(|_, synced| *synced || dice.chance(50));
        if flaw == Flaw::SeenBeforeImport {
            let seen: Vec<_> = self
                .rows
                .iter()
                .filter(|(_, row)| row.state == Inbound::Admitted)
                .map(|(digest, _)| *digest)
                .collect();
            for digest in seen {
                self.step(&digest, InboundEvent::StoreCommitted);
                self.write_receipt(&digest, true);
            }
        }
    }

    fn place(&self, digest: &Digest, manifest: &Manifest) -> Place {
        let holder_of = |sequence: u64| {
            let mut rows = self.rows.iter();
            let found =
                rows.find(|(_, row)| row.holds_place && row.manifest.sequence.get() == sequence);
            found.map(|(digest, _)| *digest)
        };
        let sequence = manifest.sequence.get();
        let same = |(found, row): &(&Digest, &Row)| {
            row.manifest.bundle == manifest.bundle && row.holds_place && *found != digest
        };
        Place {
            holder: holder_of(sequence).filter(|found| found != digest),
            closed: false,
            same_id: self.rows.iter().find(same).map(|(digest, _)| *digest),
            before: holder_of(sequence - 1),
            contiguous: self.contiguous,
        }
    }

    fn occupy(&mut self, digest: &Digest) {
        let manifest = self.rows[digest].manifest.clone();
        if self.place(digest, &manifest).holder.is_none() {
            self.row(digest).holds_place = true;
        }
        let held: BTreeSet<u64> = self
            .rows
            .values()
            .filter(|row| row.holds_place)
            .map(|row| row.manifest.sequence.get())
            .collect();
        while held.contains(&(self.contiguous + 1)) {
            self.contiguous += 1;
        }
    }

    fn write_receipt(&mut self, digest: &Digest, imported: bool) {
        self.written += 1;
        let receipt = Receipt {
            digest: *digest,
            imported,
            text: self.written,
        };
        self.row(digest).receipt = Some(receipt);
    }

    /// Receipts that are signed, or will be.
    pub(super) fn receipts(&self) -> impl Iterator<Item = Receipt> + '_ {
        self.rows.values().filter_map(|row| row.receipt)
    }

    fn row(&mut self, digest: &Digest) -> &mut Row {
        self.rows.get_mut(digest).unwrap()
    }

    fn step(&mut self, digest: &Digest, event: InboundEvent) {
        let row = self.row(digest);
        row.state =
            next(row.state, event).unwrap_or_else(|error| panic!("the daemon would halt: {error}"));
    }
}
