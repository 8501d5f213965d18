//! The rows of one bundle on their way into a table, and the record of the import around them: begun first, so that whoever
//! imports the same bundle meets it there, completed last. All within the transaction of the store.

use std::collections::HashSet;
use std::io;

use amanah_format::table::{RowSink, Value};
use rusqlite::{CachedStatement, Connection, params};

use super::value::bind;
use super::{StoreError, failed};
use crate::engine::policy::Mode;
use crate::store::table::correct::Corrections;
use crate::store::table::shape::{self, Table, quoted};
use crate::store::table::{Sums, TableImport, Uncorrectable, print};

/// Values of a partition that are remembered as cleared; beyond them each row looks again, which changes nothing.
const CLEARED_MAX: usize = 4_096;

/// What sorting a row for an index takes beside its values.
const SORTED_ROW_BYTES: usize = 64;

/// Where sound rows go.
pub(super) struct Rows<'s> {
    insert: CachedStatement<'s>,
    clear: Option<Clear<'s>>,
    import: i64,
    text: String,
    corrections: Option<Corrections<'s, &'s Connection>>,
    unindexed: Option<Unindexed<'s>>,
    failure: Option<StoreError>,
}

/// A table whose indexes are made when its rows are there, as long as they can be sorted at once.
struct Unindexed<'s> {
    sql: &'s Connection,
    table: &'s Table,
    import: &'s TableImport,
    /// That may be sorted still.
    bytes_left: usize,
}

/// Removes what earlier bundles had of each value of a partition that this one has.
struct Clear<'s> {
    delete: CachedStatement<'s>,
    place: usize,
    cleared: HashSet<String>,
}

impl<'s> Rows<'s> {
    /// Prepares the table for the rows: where the bundle replaces all, those that are there go.
    pub(super) fn new(
        sql: &'s Connection,
        table: &Table,
        import: &'s TableImport,
        record: i64,
    ) -> Result<Self, StoreError> {
        let mut clear = None;
        if import.landing.mode == Mode::Replace {
            let name = quoted(&table.name);
            match import.landing.partition.and_then(|place| {
                let field = import.schema.fields().get(place)?;
                Some((place, quoted(field.name())))
            }) {
                None => {
                    let all = format!("DELETE FROM {name}");
                    sql.execute(&all, []).map_err(failed)?;
                }
                Some((place, column)) => {
                    let of_one =
                        format!("DELETE FROM {name} WHERE {column} IS ?1 AND amanah_import <> ?2");
                    clear = Some(Clear {
                        delete: sql.prepare_cached(&of_one).map_err(failed)?,
                        place,
                        cleared: HashSet::new(),
                    });
                }
            }
        }
        Ok(Self {
            insert: sql.prepare_cached(&insert(table, import)).map_err(failed)?,
            clear,
            import: record,
            text: String::new(),
            corrections: Corrections::of(sql, import),
            unindexed: None,
            failure: None,
        })
    }

    /// Into a table that this import makes, where no row meets another one. Its indexes are left for later, unless there is more to
    /// sort for one than so many bytes.
    pub(super) fn into_new(
        sql: &'s Connection,
        table: &'s Table,
        import: &'s TableImport,
        record: i64,
        sorted_bytes_max: usize,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            insert: sql.prepare_cached(&plain(table, import)).map_err(failed)?,
            clear: None,
            import: record,
            text: String::new(),
            corrections: None,
            unindexed: Some(Unindexed {
                sql,
                table,
                import,
                bytes_left: sorted_bytes_max,
            }),
            failure: None,
        })
    }

    /// What the database said of a row, where it did not take one.
    pub(super) fn finish(self) -> Result<(), StoreError> {
        self.failure.map_or(Ok(()), Err)
    }

    /// From the row on with which there is too much to sort, each finds its place in the indexes itself.
    fn indexed(&mut self, values: &[Value<'_>]) -> Result<(), StoreError> {
        let Some(waiting) = &mut self.unindexed else {
            return Ok(());
        };
        let bytes = waiting.import.indexed_bytes(values) + SORTED_ROW_BYTES;
        if let Some(left) = waiting.bytes_left.checked_sub(bytes) {
            waiting.bytes_left = left;
            return Ok(());
        }
        shape::indexed(&waiting.sql, waiting.import, waiting.table)?;
        self.unindexed = None;
        Ok(())
    }

    fn write(&mut self, number: u64, values: &[Value<'_>]) -> rusqlite::Result<()> {
        if let Some(clear) = &mut self.clear {
            clear.before(values, self.import, &mut self.text)?;
        }
        let mut place = 0;
        for value in values {
            place += 1;
            bind(&mut self.insert, place, value, &mut self.text)?;
        }
        self.insert.raw_bind_parameter(place + 1, self.import)?;
        self.insert
            .raw_bind_parameter(place + 2, i64::try_from(number).unwrap_or(i64::MAX))?;
        self.insert.raw_execute().map(drop)
    }
}

impl RowSink for Rows<'_> {
    fn row(&mut self, number: u64, values: &[Value<'_>]) -> io::Result<()> {
        let written = self.write(number, values).map_err(failed);
        let written = written.and_then(|()| self.indexed(values));
        let applied = written.and_then(|()| match &self.corrections {
            Some(corrections) => corrections.apply(values),
            None => Ok(Ok(())),
        });
        match applied {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => Err(io::Error::other(Uncorrectable {
                row: number,
                why,
                bundle: self.corrections.as_ref().and_then(|all| all.bundle(values)),
            })),
            Err(error) => {
                self.failure = Some(error);
                Err(io::Error::other("the database did not take a row"))
            }
        }
    }
}

impl Clear<'_> {
    fn before(
        &mut self,
        values: &[Value<'_>],
        import: i64,
        text: &mut String,
    ) -> rusqlite::Result<()> {
        let value = values.get(self.place).unwrap_or(&Value::Missing);
        text.clear();
        print(value, text);
        if self.cleared.contains(text.as_str()) {
            return Ok(());
        }
        if self.cleared.len() < CLEARED_MAX {
            self.cleared.insert(text.clone());
        }
        bind(&mut self.delete, 1, value, text)?;
        self.delete.raw_bind_parameter(2, import)?;
        self.delete.raw_execute().map(drop)
    }
}

/// The statement for one row. Names come from the checked schema, values never do.
fn plain(table: &Table, import: &TableImport) -> String {
    let names = names(import);
    let places: Vec<String> = (1..=names.len() + 2)
        .map(|place| format!("?{place}"))
        .collect();
    let (name, columns, places) = (quoted(&table.name), names.join(", "), places.join(", "));
    format!("INSERT INTO {name} ({columns}, amanah_import, amanah_row) VALUES ({places})")
}

/// Names of the schema's columns.
fn names(import: &TableImport) -> Vec<String> {
    let fields = import.schema.fields();
    fields.iter().map(|field| quoted(field.name())).collect()
}

/// The same, where a row may meet one that is there.
fn insert(table: &Table, import: &TableImport) -> String {
    let (plain, names) = (plain(table, import), names(import));
    if import.landing.mode != Mode::Upsert {
        return plain;
    }
    let key = import
        .landing
        .key
        .iter()
        .filter_map(|place| names.get(*place));
    let key: Vec<&str> = key.map(String::as_str).collect();
    let set = names.iter().map(String::as_str);
    let set = set.chain(["amanah_import", "amanah_row"]);
    let set: Vec<String> = set
        .map(|column| format!("{column} = excluded.{column}"))
        .collect();
    format!(
        "{plain} ON CONFLICT ({}) DO UPDATE SET {}",
        key.join(", "),
        set.join(", ")
    )
}

/// The record of an import that has counted nothing yet; its number.
pub(super) fn begin_record(sql: &Connection, import: &TableImport) -> Result<i64, StoreError> {
    let store = "INSERT INTO amanah_imports (manifest, bundle, peer, flow, epoch, sequence, agreement, agreement_id,
        agreement_version, schema, mode, table_name, entries, records, totals, received, imported)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, '', 1, 0, '{}', ?12, ?13)";
    let (id, agreement) = (&import.id, &import.agreement);
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    sql.execute(
        store,
        params![
            id.manifest.to_string(),
            id.bundle.to_string(),
            id.peer.as_str(),
            id.flow.as_str(),
            whole(import.epoch.get()),
            whole(import.sequence.get()),
            agreement.digest.to_string(),
            agreement.id.as_str(),
            agreement.version,
            import.schema.digest().to_string(),
            import.landing.mode.as_str(),
            import.received.to_string(),
            import.now.to_string(),
        ],
    )
    .map_err(failed)?;
    Ok(sql.last_insert_rowid())
}

/// What it counted; the store has taken one more.
pub(super) fn end_record(
    sql: &Connection,
    import: &TableImport,
    table: &Table,
    sums: &Sums,
) -> Result<(), StoreError> {
    let totals = serde_json::to_string(&sums.totals)
        .map_err(|error| StoreError::Database(error.to_string()))?;
    let records = i64::try_from(sums.rows).unwrap_or(i64::MAX);
    let store =
        "UPDATE amanah_imports SET table_name = ?2, records = ?3, totals = ?4 WHERE manifest = ?1";
    let manifest = import.id.manifest.to_string();
    sql.execute(store, params![manifest, table.name, records, totals])
        .and_then(|_| sql.execute("UPDATE amanah_store SET imports = imports + 1", []))
        .map(drop)
        .map_err(failed)
}
