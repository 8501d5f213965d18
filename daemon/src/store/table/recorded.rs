//! What a database of table flows recorded of a peer's flow, and how many of those rows are in its tables still: for whoever holds
//! both against the receipts. All of it is of one moment and a value afterwards: no transaction is left open for its reader.
//!
//! What is asked is the same for every database; how one is asked is its `Readable`, which changes nothing.

use std::collections::BTreeMap;

use amanah_format::digest::Digest;
use amanah_format::id::{FlowName, PartyId};
use amanah_format::time::UtcTime;

use crate::engine::policy::Mode;
use crate::store::StoreError;

/// A peer and its flow.
pub(in crate::store) type Stream<'a> = (&'a PartyId, &'a FlowName);
/// Rows of each import by its number, or of each bundle by its manifest.
pub(in crate::store) type Counts<Of> = BTreeMap<Of, i64>;

/// A database in a transaction that only reads, in which all answers are of one moment.
pub(in crate::store) trait Readable {
    /// The records of a flow's imports, in the order of their numbers.
    fn imports(&self, of: Stream<'_>) -> Result<Vec<Import>, StoreError>;

    /// The import that made the table of this name; none where no flow lands in it, or where it is not there.
    fn made_by(&self, table: &str) -> Result<Option<i64>, StoreError>;

    /// How many rows each import has in it.
    fn rows(&self, table: &str) -> Result<Counts<i64>, StoreError>;

    /// Tables with rows of bundles that have the columns of corrections, also those that were put aside.
    fn correcting(&self) -> Result<Vec<String>, StoreError>;

    /// How many rows of each of the flow's bundles the peer's corrections in one of them withdrew; by the manifest's text.
    fn withdrawn(&self, table: &str, of: Stream<'_>) -> Result<Counts<String>, StoreError>;
}

/// An import, as its record has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The text of its manifest's digest.
    pub manifest: String,
    /// The database's own number: a later import has a greater one.
    pub number: i64,
    /// Its place in the stream: the epoch.
    pub epoch: u64,
    /// Its place in the stream: the number.
    pub sequence: u64,
    /// How many rows were imported.
    pub records: i64,
    /// The agreement's word for how they met others.
    pub mode: String,
    /// The table that they went to.
    pub table: String,
    /// When the bundle was taken over; none where what stands there is no time.
    pub received: Option<UtcTime>,
}

/// What a database holds of a peer's flow.
#[derive(Debug)]
pub struct Recorded {
    /// As receipts name the database.
    pub kind: &'static str,
    /// In the order of their numbers.
    imports: Vec<Import>,
    places: BTreeMap<String, usize>,
    /// Of each table that they name.
    tables: BTreeMap<String, Counted>,
    withdrawn: Counts<String>,
}

/// A table that is there.
#[derive(Debug)]
struct Counted {
    made_by: i64,
    rows: Counts<i64>,
}

impl Recorded {
    /// Nothing: the database is not made yet.
    pub(in crate::store) const fn nothing(kind: &'static str) -> Self {
        Self {
            kind,
            imports: Vec::new(),
            places: BTreeMap::new(),
            tables: BTreeMap::new(),
            withdrawn: BTreeMap::new(),
        }
    }

    /// Asks for all of it.
    pub(in crate::store) fn read(
        kind: &'static str,
        database: &impl Readable,
        of: Stream<'_>,
    ) -> Result<Self, StoreError> {
        let mut found = Self::nothing(kind);
        found.imports = database.imports(of)?;
        if found.imports.is_empty() {
            return Ok(found);
        }
        for (place, import) in found.imports.iter().enumerate() {
            found.places.insert(import.manifest.clone(), place);
            if found.tables.contains_key(&import.table) {
                continue;
            }
            if let Some(made_by) = database.made_by(&import.table)? {
                let rows = database.rows(&import.table)?;
                let counted = Counted { made_by, rows };
                found.tables.insert(import.table.clone(), counted);
            }
        }
        for table in database.correcting()? {
            for (manifest, rows) in database.withdrawn(&table, of)? {
                *found.withdrawn.entry(manifest).or_default() += rows;
            }
        }
        Ok(found)
    }

    /// All imports of the flow, in their order.
    #[must_use]
    pub fn imports(&self) -> &[Import] {
        &self.imports
    }

    /// The import of a bundle.
    #[must_use]
    pub fn import(&self, manifest: &Digest) -> Option<&Import> {
        let place = self.places.get(&manifest.to_string())?;
        self.imports.get(*place)
    }

    /// How many rows of an import are in its table; none where whoever keeps the database put that table aside: it is gone, or another
    /// one was made under its name later.
    #[must_use]
    pub fn rows_of(&self, import: &Import) -> Option<i64> {
        let table = self.tables.get(&import.table)?;
        let is_its_own = table.made_by <= import.number;
        is_its_own.then(|| table.rows.get(&import.number).copied().unwrap_or(0))
    }

    /// How many rows of an import corrections took away.
    #[must_use]
    pub fn withdrawn_of(&self, import: &Import) -> i64 {
        let rows = self.withdrawn.get(&import.manifest);
        rows.copied().unwrap_or(0)
    }

    /// Whether no later import may have touched its rows: they were appended, or none came after it.
    #[must_use]
    pub fn is_untouched(&self, import: &Import) -> bool {
        let newest = self.imports.last().map(|newest| newest.number);
        import.mode == Mode::Append.as_str() || newest == Some(import.number)
    }
}
