//! Where a bundle lands: files in the inbox, rows of a table flow in the database where one is configured. And whether that
//! database is the one that it was: another one, or an older copy, is noticed before anything is written to it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use amanah_format::id::{FlowName, PartyId};
use amanah_format::manifest::Manifest;
use amanah_format::receipt::Receipt;
use amanah_format::slip::HeldReason;

use crate::engine::policy::{Carries, Policy};
use crate::journal::{InboundRow, JournalError};
use crate::stage::{Node, StageError};
use crate::store::table::TableStore;
use crate::store::{ImportId, StoreError};

use super::{End, Import};

/// The fact that names the database of this home.
const FACT_STORE: &str = "tables store";
/// What an alarm about the database is about.
const KIND: &str = "store.tables";
/// What is said of another database than ours.
const OTHER: &str = "it is not the database that this home has used; put that one back, or an empty one in its place (a file of no bytes, a schema without tables)";

/// The database for table flows.
pub struct Tables {
    /// It.
    pub store: Arc<dyn TableStore>,
    /// Table flows that land as files all the same.
    pub as_files: BTreeSet<FlowName>,
    /// Imports that it had taken when it was looked at last, in this life of the process.
    pub seen: Mutex<u64>,
}

impl Tables {
    /// The store, and the flows that it does not take.
    #[must_use]
    pub fn new(store: Arc<dyn TableStore>, as_files: BTreeSet<FlowName>) -> Self {
        Self {
            store,
            as_files,
            seen: Mutex::default(),
        }
    }

    fn takes(&self, flow: &FlowName) -> bool {
        !self.as_files.contains(flow)
    }

    /// Refuses a database that is not the one of this home. An empty one that was put in its place knowingly is.
    ///
    /// # Errors
    /// [`StoreError`]; the journal's.
    pub(in crate::stage) fn is_ours(&self, node: &Node) -> Result<(), StageError> {
        let found = self.store.identity()?;
        let known = node.journal.fact(FACT_STORE)?;
        let other = known.is_some_and(|known| known != found.store_id);
        if found.party != node.rules.now().own().as_str() || (other && found.imports > 0) {
            return Err(StoreError::Database(OTHER.to_owned()).into());
        }
        Ok(())
    }

    /// Whether it is the database that it was, and has all that it had. `false`: it lacks imports, or is a new one that was put
    /// there knowingly; then the journal is to be compared with it.
    ///
    /// # Errors
    /// [`StoreError::Strange`] where it is another one.
    pub(super) fn is_current(&self, node: &Node) -> Result<bool, StageError> {
        let found = self.store.identity()?;
        let own = node.rules.now().own().clone();
        let known = node.journal.fact(FACT_STORE)?;
        let other = known.as_ref().is_some_and(|known| *known != found.store_id);
        if found.party != own.as_str() || (other && found.imports > 0) {
            node.board.alarm("store-other", KIND, node.clock.now());
            return Err(StoreError::Database(OTHER.to_owned()).into());
        }
        node.board.quiet("store-other", KIND);
        if known.is_none() || other {
            node.journal.set_fact(FACT_STORE, Some(&found.store_id))?;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let lacks = found.imports < *seen;
        *seen = found.imports;
        Ok(!other && !lacks)
    }
}

impl Tables {
    /// An import more: a copy of before it is noticed.
    pub(super) fn has_taken_one(&self) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = seen.saturating_add(1);
    }
}

impl Import {
    /// In the database or in files; what a store has is never imported again, also where the flow lands elsewhere by now.
    ///
    /// # Errors
    /// This machine's.
    pub(super) fn land(
        &self,
        row: &InboundRow,
        manifest: &Manifest,
        id: &ImportId,
    ) -> Result<End, StageError> {
        if let Some(done) = self.node.early.commit(&row.digest) {
            return Ok(End::Stored(done?));
        }
        if let Some(stored) = self.store.lookup(id)? {
            return Ok(End::Stored(stored));
        }
        // By our own copy of the agreement, which may have been taken away since the bundle was admitted.
        let policy = self.node.rules.now();
        let Some(carries) = policy.carries(&manifest.agreement.digest, &manifest.flow) else {
            return Ok(End::Held(HeldReason::AgreementUnknown));
        };
        let Some(tables) = self.tables_for(&manifest.flow) else {
            return self.unpack(row, manifest, id, &carries);
        };
        let Carries::Table(terms) = &carries else {
            return self.unpack(row, manifest, id, &carries);
        };
        if !tables.is_current(&self.node)? {
            // What is missing in it comes before what is new.
            self.rechecked.is_due_again();
            self.node.bells.import.ring();
            return Ok(End::Waits);
        }
        match tables.store.lookup(&row.digest)? {
            Some(stored) => Ok(End::Stored(stored)),
            None => self.land_rows(tables, (row, manifest, id), terms),
        }
    }

    /// The database that this flow's rows land in.
    pub(super) fn tables_for(&self, flow: &FlowName) -> Option<&Tables> {
        self.tables.as_deref().filter(|tables| tables.takes(flow))
    }

    /// The flows whose bundles land strictly in the order of their numbers.
    pub(super) fn in_sequence(&self, policy: &Policy) -> BTreeSet<(PartyId, FlowName)> {
        let mut flows = policy.in_sequence();
        flows.retain(|(_, flow)| self.tables_for(flow).is_some());
        flows
    }

    /// What the store of this bundle has left; none where it is missing.
    #[must_use]
    pub fn room_for(&self, row: &InboundRow) -> Option<u64> {
        match self.table_store_of(row) {
            Some(tables) => tables.store.room().ok(),
            None => self.store.room().ok(),
        }
    }

    fn table_store_of(&self, row: &InboundRow) -> Option<&Tables> {
        let (agreement, flow) = row.agreement.as_ref().zip(row.flow.as_ref())?;
        let tables = self.tables_for(flow)?;
        let carries = self.node.rules.now().carries(agreement, flow)?;
        matches!(carries, Carries::Table(_)).then_some(tables)
    }

    /// Whether the store in which its receipt says that it is has it. A store that is not configured any more is not asked.
    ///
    /// # Errors
    /// The store's; a receipt that is not what was written.
    pub(super) fn still_has(&self, row: &InboundRow) -> Result<bool, StageError> {
        let text = row.receipt.as_deref().unwrap_or_default();
        let receipt: Receipt = serde_json::from_slice(text).map_err(|error| {
            JournalError::Damaged(format!("receipt of {}: {error}", row.digest))
        })?;
        let kind = receipt.store.map(|store| store.kind).unwrap_or_default();
        if kind == self.store.kind() {
            return Ok(self.store.has(&row.digest)?);
        }
        match self
            .tables
            .as_ref()
            .filter(|tables| tables.store.kind() == kind)
        {
            Some(tables) => Ok(tables.store.lookup(&row.digest)?.is_some()),
            None => Ok(true),
        }
    }

    /// Whether every store that is configured is there, and the database is ours.
    pub(super) fn stores_are_there(&self) -> bool {
        let tables = self.tables.as_ref();
        self.store.room().is_ok()
            && tables.is_none_or(|tables| tables.is_current(&self.node).is_ok())
    }

    /// A table that cannot take what is agreed now: said to people by an alarm, with the flow, until it can.
    pub(super) fn tell_of_schema(&self, row: &InboundRow, error: Option<&StoreError>) {
        let flow = row.flow.as_ref().map(FlowName::as_str).unwrap_or_default();
        let subject = format!("{}/{flow}", row.peer);
        let now = self.node.clock.now();
        match error {
            Some(StoreError::Schema(_)) => self.node.board.alarm("store-schema", &subject, now),
            Some(StoreError::Strange { .. }) => self.node.board.alarm("store-other", KIND, now),
            Some(_) => {}
            None => self.node.board.quiet("store-schema", &subject),
        }
    }
}
