//! What a schema of PostgreSQL recorded of a peer's flow, and the rows that it has still, for whoever compares them with receipts. One
//! transaction that only reads, so that all of it is of one moment; a role that may do no more is enough.

use tokio_postgres::Row;

use super::complaint::{Failure, missing};
use super::link::{Asked, Session};
use super::{KIND, PostgresStore, StoreError, open};
use crate::engine::policy::CORRECTING;
use crate::store::table::correct::WITHDRAWS;
use crate::store::table::recorded::{Counts, Import, Readable, Recorded, Stream};
use crate::store::table::shape::quoted;

/// Rows that a policy of the server hides from the role would be missed: then it is an error.
const BEGIN: &str =
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL row_security TO off";

impl PostgresStore {
    /// Reads it. An empty schema has recorded nothing.
    ///
    /// # Errors
    /// [`StoreError`], which names the database and what to do; nothing of the URL but its host, port and database.
    pub fn recorded(&self, of: Stream<'_>) -> Result<Recorded, StoreError> {
        let client = self.reach()?;
        let found = read(&self.session(&client), &self.schema, of);
        // The connection is not used again.
        drop(self.roll_back(client));
        found
    }
}

fn read(session: &Session<'_>, schema: &str, of: Stream<'_>) -> Result<Recorded, StoreError> {
    if !open::is_readable(session, schema)? {
        return Ok(Recorded::nothing(KIND));
    }
    session.run(BEGIN).map_err(unread)?;
    open::is_of_this_version(session)?;
    Recorded::read(KIND, &Reading(session), of)
}

/// Nothing is tried again here: whoever asked is told what keeps it from being read.
fn unread(failure: Failure) -> StoreError {
    let why = match failure.code() {
        Some("55P03") => "somebody holds a table locked; ask again when that has ended",
        Some("53100") => "its disk is full",
        Some(_) | None => return failure.into_unusable(),
    };
    missing(&failure.place, why)
}

/// Within that transaction.
struct Reading<'s>(&'s Session<'s>);

impl Reading<'_> {
    fn all(&self, question: &str, values: Asked<'_>) -> Result<Vec<Row>, StoreError> {
        self.0.many(question, values).map_err(unread)
    }
}

impl Readable for Reading<'_> {
    fn imports(&self, (peer, flow): Stream<'_>) -> Result<Vec<Import>, StoreError> {
        let query = r#"SELECT manifest, import, epoch, sequence, records, mode, table_name,
                to_char(received AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
            FROM amanah_imports WHERE peer = $1 AND flow = $2 ORDER BY import"#;
        let rows = self.all(query, &[&peer.as_str(), &flow.as_str()])?;
        let imports = rows.iter().map(|row| Import {
            manifest: row.get(0),
            number: row.get(1),
            epoch: row.get::<_, i64>(2).unsigned_abs(),
            sequence: row.get::<_, i64>(3).unsigned_abs(),
            records: row.get(4),
            mode: row.get(5),
            table: row.get(6),
            received: row
                .get::<_, Option<String>>(7)
                .and_then(|received| received.parse().ok()),
        });
        Ok(imports.collect())
    }

    fn made_by(&self, table: &str) -> Result<Option<i64>, StoreError> {
        let query =
            "SELECT t.made_by FROM amanah_tables AS t JOIN pg_class AS c ON c.relname = t.name
            WHERE t.name = $1 AND c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace";
        let found = self.all(query, &[&table])?;
        Ok(found.first().map(|row| row.get(0)))
    }

    fn rows(&self, table: &str) -> Result<Counts<i64>, StoreError> {
        let query = format!(
            "SELECT amanah_import::bigint, count(*) FROM {} WHERE amanah_import IS NOT NULL GROUP BY amanah_import",
            quoted(table)
        );
        let rows = self.all(&query, &[])?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    fn correcting(&self) -> Result<Vec<String>, StoreError> {
        let [flow, bundle, _, kind, _] = CORRECTING;
        let query = "SELECT c.relname::text FROM pg_class AS c
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND 5 = (
                SELECT count(*) FROM pg_attribute AS a WHERE a.attrelid = c.oid AND NOT a.attisdropped
                AND a.attname IN ('amanah_import', 'amanah_row', $1::text, $2::text, $3::text))";
        let found = self.all(query, &[&flow, &bundle, &kind])?;
        Ok(found.iter().map(|row| row.get(0)).collect())
    }

    fn withdrawn(
        &self,
        table: &str,
        (peer, flow): Stream<'_>,
    ) -> Result<Counts<String>, StoreError> {
        let [of, bundle, _, kind, _] = CORRECTING.map(quoted);
        let query = format!(
            "SELECT own.{bundle}::text, count(*) FROM {} AS own JOIN amanah_imports AS i ON i.import = own.amanah_import
            WHERE i.peer = $1 AND own.{of}::text = $2 AND own.{kind}::text = $3 AND own.{bundle} IS NOT NULL
            GROUP BY own.{bundle}",
            quoted(table)
        );
        let rows = self.all(&query, &[&peer.as_str(), &flow.as_str(), &WITHDRAWS])?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }
}
