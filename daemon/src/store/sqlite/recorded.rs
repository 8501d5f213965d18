//! What a file of SQLite recorded of a peer's flow, and the rows that it has still, for whoever compares them with receipts. The file
//! is opened for reading alone, beside the daemon or without it, and asked in one transaction.

use std::io;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, ToSql};

use super::{KIND, StoreError};
use crate::durable::shown;
use crate::engine::policy::CORRECTING;
use crate::store::table::correct::WITHDRAWS;
use crate::store::table::recorded::{Counts, Import, Readable, Recorded, Stream};
use crate::store::table::shape::quoted;

/// The open file.
struct Reading<'p> {
    sql: Connection,
    path: &'p Path,
}

/// Reads it. A file that is not there, or is empty, has recorded nothing.
///
/// # Errors
/// [`StoreError`], which names the file.
pub fn recorded(path: &Path, of: Stream<'_>) -> Result<Recorded, StoreError> {
    match path.symlink_metadata() {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Recorded::nothing(KIND));
        }
        Err(source) => {
            return Err(StoreError::Io {
                operation: "looking at",
                path: path.to_owned(),
                source,
            });
        }
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let sql = Connection::open_with_flags(path, flags).map_err(|error| about(path, &error))?;
    let reading = Reading { sql, path };
    let begun = reading
        .sql
        .execute_batch("PRAGMA trusted_schema = OFF; BEGIN");
    reading.told(begun)?;
    let has = "SELECT 1 FROM sqlite_schema WHERE name = 'amanah_imports'";
    let has = reading.told(reading.sql.query_row(has, [], |_| Ok(())).optional())?;
    match has {
        Some(()) => Recorded::read(KIND, &reading, of),
        None => Ok(Recorded::nothing(KIND)),
    }
}

/// SQLite's messages name tables and columns, never what stands in them.
fn about(path: &Path, error: &rusqlite::Error) -> StoreError {
    StoreError::Database(format!("{}: {error}", shown(path)))
}

impl Reading<'_> {
    fn told<T>(&self, answer: rusqlite::Result<T>) -> Result<T, StoreError> {
        answer.map_err(|error| about(self.path, &error))
    }

    fn all<T, Into: FromIterator<T>>(
        &self,
        question: &str,
        values: &[&dyn ToSql],
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Into, StoreError> {
        let mut question = self.told(self.sql.prepare(question))?;
        let rows = question.query_map(values, read);
        self.told(rows.and_then(Iterator::collect))
    }
}

impl Readable for Reading<'_> {
    fn imports(&self, (peer, flow): Stream<'_>) -> Result<Vec<Import>, StoreError> {
        let query = "SELECT manifest, import, epoch, sequence, records, mode, table_name, received
            FROM amanah_imports WHERE peer = ?1 AND flow = ?2 ORDER BY import";
        self.all(query, &[&peer.as_str(), &flow.as_str()], |row| {
            Ok(Import {
                manifest: row.get(0)?,
                number: row.get(1)?,
                epoch: row.get::<_, i64>(2)?.unsigned_abs(),
                sequence: row.get::<_, i64>(3)?.unsigned_abs(),
                records: row.get(4)?,
                mode: row.get(5)?,
                table: row.get(6)?,
                received: row.get::<_, String>(7)?.parse().ok(),
            })
        })
    }

    fn made_by(&self, table: &str) -> Result<Option<i64>, StoreError> {
        let query = "SELECT made_by FROM amanah_tables JOIN sqlite_schema USING (name) WHERE name = ?1 AND type = 'table'";
        let found = self.sql.query_row(query, [table], |row| row.get(0));
        self.told(found.optional())
    }

    fn rows(&self, table: &str) -> Result<Counts<i64>, StoreError> {
        let query = format!(
            "SELECT amanah_import, count(*) FROM {} GROUP BY amanah_import",
            quoted(table)
        );
        self.all(&query, &[], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn correcting(&self) -> Result<Vec<String>, StoreError> {
        let [flow, bundle, _, kind, _] = CORRECTING;
        let query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND 5 = (
            SELECT count(*) FROM pragma_table_info(sqlite_schema.name) AS c
            WHERE c.name IN ('amanah_import', 'amanah_row', ?1, ?2, ?3))";
        self.all(query, &[&flow, &bundle, &kind], |row| row.get(0))
    }

    fn withdrawn(
        &self,
        table: &str,
        (peer, flow): Stream<'_>,
    ) -> Result<Counts<String>, StoreError> {
        let [of, bundle, _, kind, _] = CORRECTING.map(quoted);
        let query = format!(
            "SELECT own.{bundle}, count(*) FROM {} AS own JOIN amanah_imports AS i ON i.import = own.amanah_import
            WHERE i.peer = ?1 AND own.{of} = ?2 AND own.{kind} = ?3 AND own.{bundle} IS NOT NULL GROUP BY own.{bundle}",
            quoted(table)
        );
        let values: [&dyn ToSql; 3] = [&peer.as_str(), &flow.as_str(), &WITHDRAWS];
        self.all(&query, &values, |row| Ok((row.get(0)?, row.get(1)?)))
    }
}
