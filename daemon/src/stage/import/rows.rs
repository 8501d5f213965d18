//! A table flow that lands in a database: the payload is opened, the table checked by this side's own copy of the agreement, and its
//! rows written beside that, in one reading and one transaction. Nobody sees a row before the whole payload is verified and found sound.

use std::io::{self, Read};
use std::path::PathBuf;

use amanah_format::contents::Contents;
use amanah_format::digest::Digest;
use amanah_format::entry_path::EntryPath;
use amanah_format::manifest::Manifest;
use amanah_format::open::{EntrySink, OpenError, open_payload_within};
use amanah_format::refusal::Refusal;
use amanah_format::table::{Checked, RowSink};

use crate::engine::inbound::Inbound;
use crate::engine::policy::TableTerms;
use crate::journal::InboundRow;
use crate::stage::StageError;
use crate::stage::table::check_table;
use crate::store::table::{Sums, TableImport, Uncorrectable};
use crate::store::{ImportId, StoreError};

use super::beside;
use super::effort::Effort;
use super::landing::Tables;
use super::table::verdict;
use super::{End, Import, payload_of};

/// Contents that fit into one piece are not worth a thread.
const BESIDE_BYTES_MIN: u64 = 256 * 1024;

/// The check, and the rows that it lets through.
struct IntoRows<'a> {
    rows: &'a mut dyn RowSink,
    terms: &'a TableTerms,
    work: PathBuf,
    checked: Option<Checked>,
    /// Entries beyond the first.
    more: bool,
}

impl EntrySink for IntoRows<'_> {
    fn entry(&mut self, path: &EntryPath, _: u64, content: &mut dyn Read) -> io::Result<()> {
        if self.checked.is_some() {
            self.more = true;
        } else {
            let name = path.as_str();
            let rows: &mut dyn RowSink = self.rows;
            let checked = check_table(content, name, self.terms, &self.work, Some(rows))?;
            self.checked = Some(checked);
        }
        // A check that saw enough leaves the rest, which is verified all the same.
        io::copy(content, &mut io::sink()).map(drop)
    }
}

impl IntoRows<'_> {
    fn sums(self, contents: &Contents) -> Result<Sums, Refusal> {
        verdict(self.checked.as_ref(), self.more, contents)?;
        let checked = self.checked.ok_or(Refusal::SchemaMismatch)?;
        Ok(Sums {
            rows: checked.rows,
            totals: checked.totals,
        })
    }
}

impl Import {
    /// A correction of what is not here is refused, and its sender learns it by the receipt. Where the bundle that it means has
    /// come and is not imported yet, it waits for that.
    fn meant(&self, manifest: &Digest, error: io::Error) -> Result<OpenError, StageError> {
        let inner = error.get_ref();
        let Some(wrong) = inner.and_then(|inner| inner.downcast_ref::<Uncorrectable>()) else {
            return Ok(OpenError::Io(error));
        };
        let named = wrong
            .bundle
            .map(|bundle| self.node.journal.inbound(&bundle));
        let named = named.transpose()?.flatten();
        if named.is_some_and(|row| matches!(row.state, Inbound::Held | Inbound::Admitted)) {
            let why = "corrections wait for the import of the bundle that they correct";
            return Err(StageError::Other(why.to_owned()));
        }
        // Its sender is told no more than the code: the receipt has room for nothing that might be a value.
        tracing::warn!(%manifest, row = wrong.row, reason = %wrong.why, "a correction is refused (its row is counted without the header)");
        Ok(OpenError::Refused(Refusal::RecordsInvalid))
    }

    /// Opens the payload and checks its table; every row that is sound so far goes to `rows`.
    fn open_rows(
        &self,
        payload: &mut (dyn Read + Send),
        manifest: &Manifest,
        terms: &TableTerms,
        rows: &mut dyn RowSink,
    ) -> Result<Sums, OpenError> {
        let mut into = IntoRows {
            rows,
            terms,
            work: self.node.spool.work(),
            checked: None,
            more: false,
        };
        let effort = Effort::of_rows(manifest);
        let spent = || effort.is_spent();
        let keys = &self.identities;
        let contents = open_payload_within(payload, keys, manifest, &mut into, &spent)?;
        into.sums(&contents).map_err(OpenError::Refused)
    }

    /// Has `open` on a thread of its own while this one writes; what is short is not worth one.
    fn beside(
        &self,
        rows: &mut dyn RowSink,
        manifest: &Manifest,
        open: impl FnOnce(&mut dyn RowSink) -> Result<Sums, OpenError> + Send,
    ) -> Result<Sums, OpenError> {
        if manifest.contents.bytes <= BESIDE_BYTES_MIN {
            return open(rows);
        }
        beside::writing(rows, open)?
    }

    /// Opens, checks, imports.
    ///
    /// # Errors
    /// This machine's.
    pub(super) fn land_rows(
        &self,
        tables: &Tables,
        (row, manifest, id): (&InboundRow, &Manifest, &ImportId),
        terms: &TableTerms,
    ) -> Result<End, StageError> {
        let path = self.node.spool.incoming(&row.peer, &row.digest);
        let now = self.node.clock.now();
        let mut import = TableImport::of(manifest, id, terms, row.received, now);
        import.corrects = terms.corrects().then(|| {
            let policy = self.node.rules.now();
            policy.tables_of(&manifest.agreement.digest, &row.peer)
        });
        let mut payload = payload_of(&self.node.stop, &path, manifest)?;
        let mut broken = None;
        let stored = tables.store.import(&import, &mut |rows| {
            let opened = self.beside(rows, manifest, |rows| {
                self.open_rows(&mut payload, manifest, terms, rows)
            });
            opened.map_err(|error| broken = Some(error)).ok()
        })?;
        let broken = match broken {
            Some(OpenError::Io(error)) => Some(self.meant(&row.digest, error)?),
            other => other,
        };
        match (stored, broken) {
            (Some(stored), _) => {
                tables.has_taken_one();
                Ok(End::Stored(stored))
            }
            (None, Some(OpenError::Refused(refusal))) => {
                self.prove(&path, manifest)?;
                Ok(End::Refused(refusal))
            }
            (None, Some(OpenError::Io(error))) if error.kind() == io::ErrorKind::StorageFull => {
                Err(StoreError::Full.into())
            }
            (None, Some(OpenError::Io(error))) => {
                Err(StageError::Other(format!("{}: {error}", path.display())))
            }
            (None, None) => Err(StageError::Other("a database took nothing".to_owned())),
        }
    }
}
