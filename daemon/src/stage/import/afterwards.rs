//! What is done once an import is durable and recorded, while its receipt is signed already: the indexes of a new table are made, the
//! database tidies up, and references into other datasets are looked at. Nothing here changes an outcome; a crash may come before it.

use amanah_format::manifest::Manifest;

use crate::engine::policy::{Carries, Policy};
use crate::event::Event;
use crate::journal::InboundRow;
use crate::stage::StageError;
use crate::store::StoreError;
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
        let policy = self.node.rules.now();
        let import = self.landed(&policy, row, manifest);
        if let Some(import) = &import {
            index(tables, import)?;
        }
        tables.store.tidy()?;
        import.map_or(Ok(()), |import| tell_of_unmatched(tables, &policy, &import))
    }

    /// What it was, by our own copy of the agreement; none where that was taken away since.
    fn landed(
        &self,
        policy: &Policy,
        row: &InboundRow,
        manifest: &Manifest,
    ) -> Option<TableImport> {
        let Some(Carries::Table(terms)) =
            policy.carries(&manifest.agreement.digest, &manifest.flow)
        else {
            return None;
        };
        let (id, now) = (id_of(row, manifest), self.node.clock.now());
        Some(TableImport::of(manifest, &id, &terms, row.received, now))
    }
}

/// The import stands whether or not its table has indexes; who needs one makes it first.
fn index(tables: &Tables, import: &TableImport) -> Result<(), StageError> {
    match tables.store.index(import) {
        Ok(()) => Ok(()),
        Err(error @ StoreError::Durable(_)) => Err(error.into()),
        Err(error) => {
            tracing::warn!(
                manifest = %import.id.manifest, peer = %import.id.peer, flow = %import.flow(),
                "{error}; its rows were imported, but their table has no index: the next import of the flow makes it, until then who reads waits longer"
            );
            Ok(())
        }
    }
}

/// A warning by counts: a value of these columns may be of a person.
fn tell_of_unmatched(
    tables: &Tables,
    policy: &Policy,
    import: &TableImport,
) -> Result<(), StageError> {
    let mut keys = import.schema.foreign_keys().iter();
    if keys.all(|key| key.resource.is_none()) {
        return Ok(());
    }
    let (manifest, peer) = (&import.id.manifest, &import.id.peer);
    let others = policy.tables_of(&import.agreement.digest, peer);
    for found in tables.store.unmatched(import, &others)? {
        tracing::warn!(
            event = Event::Unmatched.name(), %manifest, %peer, flow = %import.flow(),
            dataset = %found.dataset, rows = found.rows, "rows refer to another dataset, which has not what they name"
        );
    }
    Ok(())
}
