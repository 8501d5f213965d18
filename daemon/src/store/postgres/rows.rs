//! The rows of one bundle on their way into a table. What is only added, or meets none there, goes there by COPY; what meets some
//! goes into a temporary table first and is merged when all of it was found sound. Corrections come one by one, each applied before
//! the next is read. Beside them the record of the import: begun first, so that a twin waits for it, completed last.

use std::io;

use amanah_format::table::{RowForm, RowSink, Value};
use tokio_postgres::types::ToSql;

use super::StoreError;
use super::complaint::Failure;
use super::copying::{self, Copying};
use super::ddl::declared;
use super::link::Session;
use super::log_ahead::LogAhead;
use super::value::Cell;
use crate::engine::policy::Mode;
use crate::store::table::correct::{Applied, Corrections};
use crate::store::table::shape::{Table, quoted};
use crate::store::table::{Sums, TableImport, Uncorrectable};

/// Where rows are until they are merged; of this transaction alone.
const STAGING: &str = "pg_temp.amanah_staging";

/// An index of PostgreSQL refuses keys of more than 2,704 bytes, on a server with smaller pages sooner; none of so many.
const INDEXED_BYTES_SURE: usize = 1_000;

/// Where sound rows go.
pub(super) struct Rows<'s> {
    session: &'s Session<'s>,
    /// Written into each row that goes into the table directly.
    record: Option<i64>,
    way: Way<'s>,
    import: &'s TableImport,
    /// Most that a row has in one index, of rows that are longer than an index takes for certain.
    indexed_bytes: usize,
    /// A row that came as values.
    row: Vec<u8>,
    failure: Option<StoreError>,
}

/// How rows are written.
enum Way<'s> {
    Copy(Copying<'s>),
    Insert(String, Corrections<'s, &'s Session<'s>>),
}

impl<'s> Rows<'s> {
    pub(super) fn begin(
        session: &'s Session<'s>,
        table: &Table,
        import: &'s TableImport,
        record: i64,
        log: LogAhead<'s>,
    ) -> Result<Self, StoreError> {
        let is_direct = import.landing.mode == Mode::Append || table.is_new(import, record);
        let fields = import.schema.fields();
        if !is_direct {
            let columns: Vec<String> = fields.iter().map(declared).collect();
            session.run(&format!(
                "CREATE TEMPORARY TABLE amanah_staging ({}, amanah_row BIGINT NOT NULL) ON COMMIT DROP",
                columns.join(", ")
            ))?;
        }
        let target = if is_direct {
            quoted(&table.name)
        } else {
            STAGING.to_owned()
        };
        let mut columns = names(import);
        columns.extend(is_direct.then(|| "amanah_import".to_owned()));
        columns.push("amanah_row".to_owned());
        let way = match Corrections::of(session, import) {
            Some(corrections) => {
                let places: Vec<String> = (1..=columns.len()).map(|n| format!("${n}")).collect();
                let (columns, places) = (columns.join(", "), places.join(", "));
                let insert = format!("INSERT INTO {target} ({columns}) VALUES ({places})");
                Way::Insert(insert, corrections)
            }
            None => {
                // What is in a temporary table is not in the log.
                let log = is_direct.then_some(log);
                Way::Copy(Copying::begin(session, &target, &columns, log)?)
            }
        };
        Ok(Self {
            session,
            record: is_direct.then_some(record),
            way,
            import,
            indexed_bytes: 0,
            row: Vec::new(),
            failure: None,
        })
    }

    /// Whether an index could refuse one of them.
    pub(super) const fn may_be_too_long(&self) -> bool {
        self.indexed_bytes > INDEXED_BYTES_SURE
    }

    /// Has the server take what was written; how many rows it took, where it counts.
    pub(super) fn finish(self) -> Result<Option<u64>, StoreError> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        match self.way {
            Way::Copy(copying) => Ok(Some(copying.finish(self.session)?)),
            Way::Insert(..) => Ok(None),
        }
    }

    /// What the database said of a row, where it did not take one.
    pub(super) fn failure(self) -> Option<StoreError> {
        self.failure
    }

    /// A row as its form has it.
    fn copy(&mut self, number: u64, row: &[u8]) -> Result<(), StoreError> {
        // A shorter row has no longer key.
        if row.len() > INDEXED_BYTES_SURE {
            let lengths: Vec<usize> = copying::lengths(row).collect();
            let bytes = |place| lengths.get(place).copied().unwrap_or_default();
            self.indexed_bytes = self.indexed_bytes.max(self.import.indexed_bytes_by(bytes));
        }
        let number = whole(number);
        let own: &[i64] = match self.record {
            Some(record) => &[record, number],
            None => &[number],
        };
        match &mut self.way {
            Way::Copy(copying) => copying.row(self.session, row, own),
            Way::Insert(..) => Err(StoreError::Database("a correction is no copy".to_owned())),
        }
    }

    fn write(&mut self, number: u64, values: &[Value<'_>]) -> Result<Applied, StoreError> {
        let Way::Insert(insert, corrections) = &mut self.way else {
            let mut row = std::mem::take(&mut self.row);
            row.clear();
            copying::form(values, &mut row)
                .map_err(|error| StoreError::Database(error.to_string()))?;
            self.copy(number, &row)?;
            self.row = row;
            return Ok(Ok(()));
        };
        self.indexed_bytes = self.indexed_bytes.max(self.import.indexed_bytes(values));
        let mut cells: Vec<Cell<'_>> = values.iter().map(Cell::Of).collect();
        cells.extend(self.record.map(Cell::Whole));
        cells.push(Cell::Whole(whole(number)));
        let asked = cells.iter().map(|cell| -> &(dyn ToSql + Sync) { cell });
        self.session.change(insert, &asked.collect::<Vec<_>>())?;
        corrections.apply(values)
    }

    fn failed(&mut self, error: StoreError) -> io::Error {
        self.failure = Some(error);
        io::Error::other("the database did not take a row")
    }

    fn named_bundle(&self, values: &[Value<'_>]) -> Option<amanah_format::digest::Digest> {
        match &self.way {
            Way::Copy(_) => None,
            Way::Insert(_, corrections) => corrections.bundle(values),
        }
    }
}

impl RowSink for Rows<'_> {
    fn row(&mut self, number: u64, values: &[Value<'_>]) -> io::Result<()> {
        match self.write(number, values) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => Err(io::Error::other(Uncorrectable {
                row: number,
                why,
                bundle: self.named_bundle(values),
            })),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn form(&self) -> Option<RowForm> {
        matches!(self.way, Way::Copy(_)).then_some(copying::form)
    }

    fn written(&mut self, number: u64, row: &[u8]) -> io::Result<()> {
        self.copy(number, row).map_err(|error| self.failed(error))
    }
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Names of the schema's columns.
fn names(import: &TableImport) -> Vec<String> {
    let fields = import.schema.fields();
    fields.iter().map(|field| quoted(field.name())).collect()
}

/// Brings what lies in the temporary table into the flow's, by its mode.
pub(super) fn merge(
    session: &Session<'_>,
    table: &Table,
    import: &TableImport,
    record: i64,
) -> Result<(), Failure> {
    let (name, columns) = (quoted(&table.name), names(import));
    let listed = columns.join(", ");
    let insert = format!(
        "INSERT INTO {name} ({listed}, amanah_import, amanah_row) SELECT {listed}, {record}, amanah_row FROM {STAGING}"
    );
    let partition = import.landing.partition;
    let partition = partition.and_then(|place| columns.get(place));
    match (import.landing.mode, partition) {
        (Mode::Append, _) => Ok(()),
        (Mode::Replace, None) => session.run(&format!("DELETE FROM {name}; {insert}")),
        (Mode::Replace, Some(part)) => session.run(&format!(
            "DELETE FROM {name} USING (SELECT DISTINCT {part} FROM {STAGING}) AS new WHERE {name}.{part} = new.{part};
            DELETE FROM {name} WHERE {part} IS NULL AND EXISTS (SELECT FROM {STAGING} WHERE {part} IS NULL);
            {insert}"
        )),
        (Mode::Upsert, _) => {
            let key = import.landing.key.iter();
            let key: Vec<&str> = key
                .filter_map(|place| columns.get(*place).map(String::as_str))
                .collect();
            let set = columns.iter().map(String::as_str);
            let set = set.chain(["amanah_import", "amanah_row"]);
            let set: Vec<String> = set
                .map(|column| format!("{column} = EXCLUDED.{column}"))
                .collect();
            session.run(&format!(
                "{insert} ON CONFLICT ({}) DO UPDATE SET {}",
                key.join(", "),
                set.join(", ")
            ))
        }
    }
}

/// The record of an import that has counted nothing yet; its number. Whoever imports the same bundle waits here for the first.
pub(super) fn begin_record(session: &Session<'_>, import: &TableImport) -> Result<i64, Failure> {
    let store = "INSERT INTO amanah_imports (manifest, bundle, peer, flow, epoch, sequence, agreement, agreement_id,
        agreement_version, schema, mode, table_name, entries, records, totals, received, imported)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '', 1, 0, '{}', $12::text::timestamptz, $13::text::timestamptz)
        RETURNING import";
    let (id, agreement) = (&import.id, &import.agreement);
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let found = session.rows(
        store,
        &[
            &id.manifest.to_string(),
            &id.bundle.to_string(),
            &id.peer.as_str(),
            &id.flow.as_str(),
            &whole(import.epoch.get()),
            &whole(import.sequence.get()),
            &agreement.digest.to_string(),
            &agreement.id.as_str(),
            &i64::from(agreement.version),
            &import.schema.digest().to_string(),
            &import.landing.mode.as_str(),
            &import.received.to_string(),
            &import.now.to_string(),
        ],
    )?;
    Ok(found.first().map_or(0, |row| row.get(0)))
}

/// What it counted; the store has taken one more.
pub(super) fn end_record(
    session: &Session<'_>,
    import: &TableImport,
    table: &Table,
    sums: &Sums,
) -> Result<(), StoreError> {
    let totals = serde_json::to_string(&sums.totals)
        .map_err(|error| StoreError::Database(error.to_string()))?;
    let records = i64::try_from(sums.rows).unwrap_or(i64::MAX);
    let store = "UPDATE amanah_imports SET table_name = $2, records = $3, totals = $4::text::jsonb WHERE manifest = $1";
    let manifest = import.id.manifest.to_string();
    session.change(store, &[&manifest, &table.name, &records, &totals])?;
    session.change("UPDATE amanah_store SET imports = imports + 1", &[])?;
    Ok(())
}
