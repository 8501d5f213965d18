//! What is done once an import is durable and recorded, while its receipt is signed already: the database tidies up, and references
//! into other datasets are looked at. Nothing here changes an outcome; a crash may come before it.

use amanah_format::manifest::Manifest;

use crate::engine::policy::Carries;
use crate::event::Event;
use crate::journal::InboundRow;
use crate::stage::StageError;
use crate::store::table::TableImport;

use super::landing::Tables;
use super::{Import, id_of};

impl Import {
    /// After the rows of a table flow.
    ///
    /// # Errors
    /// A failed sync.
    pub(super) fn afterwards(
        &self,
        row: &InboundRow,
        manifest: &Manifest,
    ) -> Result<(), StageError> {
        let Some(tables) = self.tables_for(&manifest.flow) else {
            return Ok(());
        };
        tables.store.tidy()?;
        self.tell_of_unmatched(tables, row, manifest)
    }

    /// A warning by counts: a value of these columns may be of a person.
    fn tell_of_unmatched(
        &self,
        tables: &Tables,
        row: &InboundRow,
        manifest: &Manifest,
    ) -> Result<(), StageError> {
        let policy = self.node.rules.now();
        let agreement = &manifest.agreement.digest;
        let Some(Carries::Table(terms)) = policy.carries(agreement, &manifest.flow) else {
            return Ok(());
        };
        let mut keys = terms.schema.foreign_keys().iter();
        if keys.all(|key| key.resource.is_none()) {
            return Ok(());
        }
        let (id, now) = (id_of(row, manifest), self.node.clock.now());
        let import = TableImport::of(manifest, &id, &terms, row.received, now);
        let others = policy.tables_of(agreement, &row.peer);
        for found in tables.store.unmatched(&import, &others)? {
            tracing::warn!(
                event = Event::Unmatched.name(), manifest = %row.digest, peer = %row.peer, flow = %manifest.flow,
                dataset = %found.dataset, rows = found.rows, "rows refer to another dataset, which has not what they name"
            );
        }
        Ok(())
    }
}
