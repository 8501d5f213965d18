//! The database of table flows, opened for reading: what it recorded of an import, and how many of its rows are there still. How many
//! should be follows from the flow's mode: appended rows stay, as those of the newest import do; what a later import replaced or took
//! over is gone, and so is what a correction withdrew.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use amanah_format::digest::Digest;
use amanah_format::receipt::StoreRef;
use amanah_format::time::UtcTime;
use amanahd::config::checked::Database as Kind;
use amanahd::engine::policy::CORRECTING;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::Ground;
use super::finding::{Finding, What};
use super::kept::Bundle;
use crate::exit::{Exit, Failure, Outcome};

/// What receipts call it.
const KIND: &str = "sqlite";
/// The mode in which nothing that came later touches a row.
const APPEND: &str = "append";
/// The word by which a correction takes a row away.
const WITHDRAWS: &str = "TARIK";

/// The database.
pub(super) struct Database {
    sql: Connection,
    /// Rows by import, of each table that was counted.
    counted: RefCell<BTreeMap<String, BTreeMap<i64, i64>>>,
}

/// An import as the database recorded it.
struct Import {
    number: i64,
    records: i64,
    mode: String,
    table: String,
    is_newest: bool,
}

fn failed(error: rusqlite::Error) -> Failure {
    Failure::new(Exit::Io, error)
}

/// Where it is a file.
fn file(database: &Kind) -> Option<&Path> {
    match database {
        Kind::Sqlite { path, .. } => Some(path),
        Kind::Postgres { .. } => None,
    }
}

impl Database {
    /// None where there is none.
    pub(super) fn open(ground: &Ground) -> Outcome<Option<Self>> {
        let database = ground.tables.as_ref().map(|tables| &tables.database);
        let Some(path) = database.and_then(file).filter(|path| path.exists()) else {
            return Ok(None);
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let about = |error| Failure::new(Exit::Io, format_args!("{}: {error}", path.display()));
        let sql = Connection::open_with_flags(path, flags).map_err(about)?;
        // One transaction: all of it is of one moment, whatever comes in meanwhile.
        sql.execute_batch("PRAGMA trusted_schema = OFF; BEGIN")
            .map_err(about)?;
        let has = "SELECT 1 FROM sqlite_schema WHERE name = 'amanah_imports'";
        let has = sql
            .query_row(has, [], |_| Ok(()))
            .optional()
            .map_err(about)?;
        let counted = RefCell::default();
        Ok(has.map(|()| Self { sql, counted }))
    }

    /// As receipts name it.
    pub(super) const fn kind(&self) -> &'static str {
        KIND
    }

    /// What it holds of a bundle otherwise than the receipt says.
    pub(super) fn compare<State>(
        &self,
        bundle: &Bundle<State>,
        store: &StoreRef,
        ground: &Ground,
    ) -> Outcome<Vec<Finding>> {
        let Some(import) = self.import(&bundle.digest, ground)? else {
            return Ok(vec![bundle.finding(What::NotStored)]);
        };
        if u64::try_from(import.records) != Ok(store.records) {
            let values: [&dyn std::fmt::Display; 2] = [&store.records, &import.records];
            return Ok(vec![bundle.finding(What::RowsRecorded).with(&values)]);
        }
        let Some(there) = self.rows_of(&import)? else {
            return Ok(vec![bundle.finding(What::Aside)]);
        };
        let expected = import.records - self.withdrawn(&bundle.digest, ground)?;
        let is_exact = import.mode == APPEND || import.is_newest;
        let fits = if is_exact {
            there == expected
        } else {
            there <= expected
        };
        let values: [&dyn std::fmt::Display; 3] = [&import.records, &expected, &there];
        let differs = (!fits).then(|| bundle.finding(What::RowsThere).with(&values));
        Ok(differs.into_iter().collect())
    }

    fn import(&self, manifest: &Digest, ground: &Ground) -> Outcome<Option<Import>> {
        let query = "SELECT import, records, mode, table_name,
            import = (SELECT max(import) FROM amanah_imports WHERE peer = ?2 AND flow = ?3)
            FROM amanah_imports WHERE manifest = ?1 AND peer = ?2 AND flow = ?3";
        let manifest = manifest.to_string();
        let values = [&manifest, ground.peer.as_str(), ground.flow.as_str()];
        let found = self.sql.query_row(query, values, |row| {
            Ok(Import {
                number: row.get(0)?,
                records: row.get(1)?,
                mode: row.get(2)?,
                table: row.get(3)?,
                is_newest: row.get(4)?,
            })
        });
        found.optional().map_err(failed)
    }

    /// How many of its rows are there; none where whoever keeps the database put the table aside.
    fn rows_of(&self, import: &Import) -> Outcome<Option<i64>> {
        let mut counted = self.counted.borrow_mut();
        if !counted.contains_key(&import.table) {
            let known = "SELECT 1 FROM amanah_tables JOIN sqlite_schema USING (name) WHERE name = ?1 AND type = 'table'";
            let known = self.sql.query_row(known, [&import.table], |_| Ok(()));
            if known.optional().map_err(failed)?.is_none() {
                return Ok(None);
            }
            let name = import.table.replace('"', "\"\"");
            let count =
                format!("SELECT amanah_import, count(*) FROM \"{name}\" GROUP BY amanah_import");
            let mut count = self.sql.prepare(&count).map_err(failed)?;
            let rows = count.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
            let rows = rows.and_then(Iterator::collect).map_err(failed)?;
            counted.insert(import.table.clone(), rows);
        }
        let rows = counted.get(&import.table);
        Ok(rows.map(|rows| rows.get(&import.number).copied().unwrap_or(0)))
    }

    /// Rows of this bundle that corrections of the same peer took away.
    fn withdrawn(&self, manifest: &Digest, ground: &Ground) -> Outcome<i64> {
        let [flow, bundle, _, kind, _] = CORRECTING;
        let tables = "SELECT t.name FROM amanah_tables t WHERE peer = ?1 AND (SELECT count(*) FROM amanah_columns c
            WHERE c.table_name = t.name AND c.name IN (?2, ?3, ?4)) = 3";
        let mut tables = self.sql.prepare(tables).map_err(failed)?;
        let names = tables.query_map([ground.peer.as_str(), flow, bundle, kind], |row| row.get(0));
        let names: Vec<String> = names.and_then(Iterator::collect).map_err(failed)?;
        let mut withdrawn = 0;
        for name in names {
            let name = name.replace('"', "\"\"");
            let count = format!(
                "SELECT count(*) FROM \"{name}\" WHERE {flow} = ?1 AND {bundle} = ?2 AND {kind} = ?3"
            );
            let manifest = manifest.to_string();
            let values = [ground.flow.as_str(), &manifest, WITHDRAWS];
            let found: i64 = self
                .sql
                .query_row(&count, values, |row| row.get(0))
                .map_err(failed)?;
            withdrawn += found;
        }
        Ok(withdrawn)
    }

    /// Imports of this flow and time whose bundle `is_known` does not know.
    pub(super) fn strays(
        &self,
        ground: &Ground,
        is_known: impl Fn(&Digest) -> bool,
    ) -> Outcome<Vec<Finding>> {
        let query = "SELECT manifest, epoch, sequence, received FROM amanah_imports
            WHERE peer = ?1 AND flow = ?2 ORDER BY import";
        let mut query = self.sql.prepare(query).map_err(failed)?;
        let of = [ground.peer.as_str(), ground.flow.as_str()];
        let rows = query.query_map(of, |row| {
            let (epoch, number): (i64, i64) = (row.get(1)?, row.get(2)?);
            let place = (epoch.unsigned_abs(), number.unsigned_abs());
            Ok((row.get::<_, String>(0)?, place, row.get::<_, String>(3)?))
        });
        let rows: Vec<_> = rows.and_then(Iterator::collect).map_err(failed)?;
        let strays = rows.into_iter().filter_map(|(manifest, place, received)| {
            let manifest: Digest = manifest.parse().ok()?;
            let received: UtcTime = received.parse().ok()?;
            // What came after the journal was copied cannot be in the copy.
            let is_older = received < ground.now;
            let is_stray = is_older && ground.covers(received) && !is_known(&manifest);
            is_stray.then(|| Finding {
                place: Some(place),
                ..Finding::about(What::StoreOnly, manifest, None)
            })
        });
        Ok(strays.collect())
    }
}
