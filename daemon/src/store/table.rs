//! The joint to a database that takes the rows of table flows, all of a bundle or none. A second kind of database needs this trait
//! and nothing else; its words of SQL stay in its own files. What each writes when: SPOOL.md §4.
//!
//! Rows come while they are checked, and the bundle that they are of is verified only when the last one was read: nobody sees any
//! of them before the commit, which writes the record of the import with them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use amanah_format::digest::Digest;
use amanah_format::id::{Epoch, FlowName, Sequence};
use amanah_format::manifest::{AgreementRef, Manifest};
use amanah_format::receipt::StoreRef;
use amanah_format::table::{RowSink, Schema, Value};
use amanah_format::time::UtcTime;

use super::{ImportId, Store, StoreError};
use crate::engine::policy::{Landing, TableTerms};

pub(in crate::store) mod correct;
pub mod recorded;
pub(in crate::store) mod shape;

/// A database for rows.
pub trait TableStore: Send + Sync {
    /// What receipts call it.
    fn kind(&self) -> &'static str;

    /// Which database it is, and how much it has taken.
    ///
    /// # Errors
    /// [`StoreError`]; `Missing` where it is not there.
    fn identity(&self) -> Result<Identity, StoreError>;

    /// What became of this bundle here. `Some` is durable.
    ///
    /// # Errors
    /// [`StoreError`].
    fn lookup(&self, manifest: &Digest) -> Result<Option<StoreRef>, StoreError>;

    /// Bytes that it can still take.
    ///
    /// # Errors
    /// [`StoreError`]; `Missing` where it is not there.
    fn room(&self) -> Result<u64, StoreError>;

    /// Imports a bundle that `lookup` does not know, in one transaction: makes the table fit the schema, has `fill` write the rows,
    /// and commits them with the record of the import, where `fill` says what it counted. `None`: `fill` did not, and nothing of it
    /// is left.
    ///
    /// # Errors
    /// [`StoreError`]; `Schema` before `fill` is called, where the table cannot take this schema.
    fn import(
        &self,
        import: &TableImport,
        fill: &mut Fill<'_>,
    ) -> Result<Option<StoreRef>, StoreError>;

    /// Makes the indexes that the table of an import that is durable and recorded lacks, in a transaction of their own. Nothing depends
    /// on it: a crash may come before it, and who needs one makes it first.
    ///
    /// # Errors
    /// [`StoreError`]; the import stays.
    fn index(&self, import: &TableImport) -> Result<(), StoreError>;

    /// Tidies up after an import that is durable and recorded. Nothing depends on it: a crash may come before it.
    ///
    /// # Errors
    /// [`StoreError`].
    fn tidy(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Rows of an import that refer to a dataset of the same peer which is here and has not what they name; `others` are that
    /// peer's flows. For a warning: nothing is refused for it.
    ///
    /// # Errors
    /// [`StoreError`].
    fn unmatched(
        &self,
        import: &TableImport,
        others: &[(FlowName, Arc<Schema>)],
    ) -> Result<Vec<Unmatched>, StoreError> {
        let _ = (import, others);
        Ok(Vec::new())
    }

    /// Destroys what is left of a bundle, in one transaction: every row whose `amanah_import` is this bundle's (rows that a later
    /// bundle took over are that one's), also in a table that was put aside by renaming it; and in the record of its import the
    /// totals, with the mark `destroyed` (now) and the number of rows (`destroyed_records`). The record itself stays, so that
    /// `lookup` goes on knowing the bundle. The number of rows; asked again the same number, of a bundle that is not known here 0.
    ///
    /// `Ok` says that it is durable, and that the database has done what it can so that the rows' bytes are in none of its files.
    ///
    /// # Errors
    /// [`StoreError`]; `Busy` also after the commit, where a reader still keeps the rows' bytes alive: ask again.
    fn destroy(&self, manifest: &Digest, now: UtcTime) -> Result<u64, StoreError>;

    /// Whether it has an import of this bundle that is not marked as destroyed: also where `destroy` marked it once, and an older
    /// copy of the database was put in its place since.
    ///
    /// # Errors
    /// [`StoreError`]; `Missing` where it is not there.
    fn keeps(&self, manifest: &Digest) -> Result<bool, StoreError>;
}

/// All stores of a home: a bundle is imported where any of them has it.
#[derive(Clone)]
pub struct Stores {
    /// Where files land.
    pub files: Arc<dyn Store>,
    /// Where rows land, where a database is configured.
    pub tables: Option<Arc<dyn TableStore>>,
}

impl Stores {
    /// Whether any has committed this bundle, ever.
    ///
    /// # Errors
    /// [`StoreError`]; a store that is not there cannot say no.
    pub fn has(&self, manifest: &Digest) -> Result<bool, StoreError> {
        let in_rows = self.tables.as_ref().map(|tables| tables.lookup(manifest));
        let in_rows = in_rows.transpose()?.flatten().is_some();
        Ok(in_rows || self.files.has(manifest)?)
    }
}

/// Writes the rows of a bundle; what it counted, where all of it is sound.
pub type Fill<'a> = dyn FnMut(&mut dyn RowSink) -> Option<Sums> + 'a;

/// Which database it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Random, made with it.
    pub store_id: String,
    /// Whose it is.
    pub party: String,
    /// Imports that it has taken: never fewer, unless an older copy was put in its place.
    pub imports: u64,
}

/// What a sound table had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sums {
    /// Rows without the header.
    pub rows: u64,
    /// Control totals by column. They stay in the database.
    pub totals: BTreeMap<String, String>,
}

/// What is imported, and how.
#[derive(Debug, Clone)]
pub struct TableImport {
    /// The bundle.
    pub id: ImportId,
    /// The agreement that it names.
    pub agreement: AgreementRef,
    /// Its place in the stream.
    pub epoch: Epoch,
    /// Its place in the stream.
    pub sequence: Sequence,
    /// The columns.
    pub schema: Arc<Schema>,
    /// How its rows meet those that are there.
    pub landing: Landing,
    /// Where its rows correct others: the sender's tables that they may mean.
    pub corrects: Option<Vec<(FlowName, Arc<Schema>)>>,
    /// When it was taken over.
    pub received: UtcTime,
    /// Now.
    pub now: UtcTime,
}

/// Rows whose reference into another dataset has no match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmatched {
    /// The dataset that they refer to, by its schema's name.
    pub dataset: String,
    /// How many rows.
    pub rows: u64,
}

/// A correction that cannot be applied in this database: its number, the bundle that it names, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("row {row} cannot be applied: {why}")]
pub struct Uncorrectable {
    /// In the corrections' file, without its header.
    pub row: u64,
    /// What is in its way.
    pub why: Unapplied,
    /// Where it names one.
    pub bundle: Option<Digest>,
}

/// Why a correction is not applied. No value of a row is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unapplied {
    /// The bundle is not here, or not in this flow; or its table was put aside.
    #[error(
        "`alur` and `ref_kiriman` name no import whose rows are in a table here; one that was put aside is none"
    )]
    NoImport,
    /// The flow's rows have no key, or one of another number of parts.
    #[error("`ref_kunci` has not the parts of the key by which the rows of that flow are named")]
    NoKey,
    /// No row of that import has the key.
    #[error(
        "no row of that import has this key: it was withdrawn, or a later bundle has taken it over, or it never was"
    )]
    NoRow,
    /// What should replace it is no sound row of its flow, under the same key.
    #[error(
        "`baris_baru` is no row that keeps its flow's schema, under the same key (`amanah check-table` checks it as JSON Lines)"
    )]
    BadRow,
}

impl TableImport {
    /// Of a bundle whose rows correct nothing.
    #[must_use]
    pub fn of(
        manifest: &Manifest,
        id: &ImportId,
        terms: &TableTerms,
        received: UtcTime,
        now: UtcTime,
    ) -> Self {
        Self {
            id: id.clone(),
            agreement: manifest.agreement.clone(),
            epoch: manifest.epoch,
            sequence: manifest.sequence,
            schema: terms.schema.clone(),
            landing: terms.landing.clone(),
            corrects: None,
            received,
            now,
        }
    }

    /// The flow, as tables are named by it.
    #[must_use]
    pub fn flow(&self) -> &FlowName {
        &self.id.flow
    }

    /// Bytes of a row's values in that index of its table which has most of them, at most.
    pub(in crate::store) fn indexed_bytes(&self, values: &[Value<'_>]) -> usize {
        self.indexed_bytes_by(|place| values.get(place).map_or(0, bytes_max))
    }

    /// The same, of values of so many bytes each.
    pub(in crate::store) fn indexed_bytes_by(&self, bytes: impl Fn(usize) -> usize) -> usize {
        let key: usize = self.landing.key.iter().map(|place| bytes(*place)).sum();
        key.max(self.landing.partition.map_or(0, bytes))
    }
}

/// What a value takes at most, in whichever form a database has it.
const fn bytes_max(value: &Value<'_>) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Number(_) | Value::DateTime(_) => 48,
        Value::Missing
        | Value::Integer(_)
        | Value::Boolean(_)
        | Value::Date(_)
        | Value::Time(_)
        | Value::Year(_)
        | Value::YearMonth(_) => 16,
    }
}

/// The text of a value: what it stands as where a database has no type of its own for it, and how a correction names it in a key.
pub(in crate::store) fn print(value: &Value<'_>, text: &mut String) {
    // Writing to a string never fails.
    let _ = match value {
        Value::Missing => Ok(()),
        Value::Text(found) => text.write_str(found),
        Value::Integer(number) => write!(text, "{number}"),
        Value::Number(number) => write!(text, "{number}"),
        Value::Boolean(yes) => write!(text, "{}", u8::from(*yes)),
        Value::Date(date) => write!(text, "{date}"),
        Value::Time(time) => write!(text, "{time}"),
        Value::DateTime(moment) => write!(text, "{moment}"),
        Value::Year(year) => write!(text, "{year}"),
        Value::YearMonth(months) => {
            let (year, month) = (months.div_euclid(12), months.rem_euclid(12));
            write!(text, "{year:04}-{:02}", month.saturating_add(1))
        }
    };
}
