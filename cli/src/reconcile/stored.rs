//! The database of table flows: what it recorded of an import, and how many of its rows are there still, against the receipts. How many
//! should be follows from the flow's mode: appended rows stay, as those of the newest import do; what a later import replaced or took
//! over is gone, and so is what a correction withdrew. Rows that cannot be counted end the command: silence would pass for agreement.

use std::io::ErrorKind;

use amanah_format::digest::Digest;
use amanah_format::receipt::StoreRef;
use amanahd::catalogue::faces::reconcile as face;
use amanahd::config::checked::Config;
use amanahd::keys::KeysError;
use amanahd::store::table::recorded::Recorded;
use amanahd::supervise::{self, RunError};

use super::Ground;
use super::finding::{Finding, What};
use super::kept::Bundle;
use crate::exit::{Exit, Failure, Outcome};
use crate::screen::Screen;

/// The database.
pub(super) struct Database(Recorded);

impl Database {
    /// None where none is configured. It is read after the journal was copied: what the journal knows must be in it.
    pub(super) fn read(
        config: &Config,
        ground: &Ground,
        screen: &Screen<'_>,
    ) -> Outcome<Option<Self>> {
        let recorded = supervise::recorded(config, ground.stream());
        let recorded = recorded.map_err(|error| unread(error, screen))?;
        Ok(recorded.map(Self))
    }

    /// As receipts name it.
    pub(super) const fn kind(&self) -> &'static str {
        self.0.kind
    }

    /// What it holds of a bundle otherwise than the receipt says.
    pub(super) fn compare<State>(
        &self,
        bundle: &Bundle<State>,
        store: &StoreRef,
    ) -> Option<Finding> {
        let Some(import) = self.0.import(&bundle.digest) else {
            return Some(bundle.finding(What::NotStored));
        };
        if u64::try_from(import.records) != Ok(store.records) {
            let values: [&dyn std::fmt::Display; 2] = [&store.records, &import.records];
            return Some(bundle.finding(What::RowsRecorded).with(&values));
        }
        let Some(there) = self.0.rows_of(import) else {
            return Some(bundle.finding(What::Aside));
        };
        let expected = import.records - self.0.withdrawn_of(import);
        let fits = if self.0.is_untouched(import) {
            there == expected
        } else {
            there <= expected
        };
        let values: [&dyn std::fmt::Display; 3] = [&import.records, &expected, &there];
        (!fits).then(|| bundle.finding(What::RowsThere).with(&values))
    }

    /// Imports of this flow and time whose bundle `is_known` does not know.
    pub(super) fn strays(
        &self,
        ground: &Ground,
        is_known: impl Fn(&Digest) -> bool,
    ) -> Vec<Finding> {
        let strays = self.0.imports().iter().filter_map(|import| {
            let manifest: Digest = import.manifest.parse().ok()?;
            // What came after the journal was copied cannot be in the copy; what came at no time is nobody's.
            let is_asked = import
                .received
                .is_none_or(|received| received < ground.now && ground.covers(received));
            let is_stray = is_asked && !is_known(&manifest);
            is_stray.then(|| Finding {
                place: Some((import.epoch, import.sequence)),
                ..Finding::about(What::StoreOnly, manifest, None)
            })
        });
        strays.collect()
    }
}

/// Why rows are not counted, and what to do.
fn unread(error: RunError, screen: &Screen<'_>) -> Failure {
    match error {
        RunError::Keys(KeysError::Io { path, source })
            if source.kind() == ErrorKind::PermissionDenied =>
        {
            screen.failure(Exit::Permission, face::URL_CLOSED, &[&path.display()])
        }
        RunError::Keys(KeysError::Owner { path, .. }) => {
            screen.failure(Exit::Permission, face::URL_CLOSED, &[&path.display()])
        }
        RunError::Keys(error) => error.into(),
        RunError::Config(error) => error.into(),
        RunError::Foreign(reason) | RunError::Start(reason) | RunError::Halted(reason) => {
            screen.failure(Exit::Io, face::UNCOUNTED, &[&reason])
        }
    }
}
