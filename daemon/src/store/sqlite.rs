//! The `sqlite` store: rows of table flows in one database file, WAL, `synchronous=FULL`. SPOOL.md §4.
//! The rows of a bundle and its row in `amanah_imports` are one transaction. The file is never made anew where one was before: a
//! missing one is a disk that is not mounted. An empty one, put there by hand, says that the old one is gone for good.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use amanah_format::digest::Digest;
use amanah_format::id::{FlowName, PartyId};
use amanah_format::receipt::StoreRef;
use amanah_format::table::Schema;
use amanah_format::time::UtcTime;
use rusqlite::{Connection, ErrorCode, OptionalExtension};

pub use self::recorded::recorded;
use self::rows::Rows;
use super::table::{Fill, Identity, TableImport, TableStore, Unmatched, shape};
use super::{StoreError, room_at};
use crate::durable;
use crate::kill;
use crate::plant::{self, Bug};

mod correct;
mod ddl;
mod destroy;
mod open;
mod recorded;
mod rows;
#[cfg(test)]
mod tests;
mod unmatched;
mod value;

/// What receipts call it.
const KIND: &str = "sqlite";
/// How long another program's lock is waited for; then the bundle waits.
const BUSY: Duration = Duration::from_secs(5);
/// An index is sorted in memory, so that nothing of its rows is written elsewhere: 200,000 short keys, beside a cache of 24 MiB. The
/// rows after so many find their places one by one.
const SORTED_BYTES_MAX: usize = 16 * 1024 * 1024;
/// A row is seldom so many times what is sorted of it: a file that is longer than that has too many rows.
const ROW_TO_SORTED: usize = 4;
/// Readers of the group look into the folder.
const MODE_FOLDER: u32 = 0o2750;

/// Who may read the database beside the daemon's own user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Readers {
    /// Nobody.
    #[default]
    Owner,
    /// The group of its folder.
    Group,
}

impl Readers {
    const fn mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Group => 0o640,
        }
    }
}

/// Rows in a file of SQLite.
pub struct SqliteStore {
    path: PathBuf,
    party: PartyId,
    readers: Readers,
    /// Most bytes that are sorted at once for an index.
    sorted_bytes_max: usize,
    opened: Mutex<Option<Opened>>,
}

/// What is open, and which file that is.
struct Opened {
    connection: Connection,
    file: FileId,
}

/// Device and inode: another file may be put in its place at any time.
type FileId = (u64, u64);

impl SqliteStore {
    /// The database at `path`, which must be there ([`SqliteStore::create`] makes it once).
    #[must_use]
    pub fn new(path: PathBuf, party: PartyId, readers: Readers) -> Self {
        Self {
            path,
            party,
            readers,
            sorted_bytes_max: SORTED_BYTES_MAX,
            opened: Mutex::new(None),
        }
    }

    /// Makes the empty file of a new store; one that is there stays. Only once in a home's life.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn create(&self) -> Result<(), StoreError> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        durable::create_folder(folder, MODE_FOLDER)?;
        if self.path.symlink_metadata().is_ok() {
            return Ok(());
        }
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        Ok(durable::write(folder, &name, b"", self.readers.mode())?)
    }

    /// Looks at the file by its name each time: what is open may be a file that was put aside.
    fn with<T>(
        &self,
        act: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let file = self.file()?;
        if let Some(open) = opened.as_ref().filter(|open| open.file == file) {
            return act(&open.connection);
        }
        // Closed before it is opened: two handles of one process on one file would lose their locks (SQLite, "how to corrupt").
        *opened = None;
        let connection = self.open()?;
        let open = opened.insert(Opened { connection, file });
        act(&open.connection)
    }

    fn file(&self) -> Result<FileId, StoreError> {
        match self.path.symlink_metadata() {
            Ok(found) if found.is_file() => Ok((found.dev(), found.ino())),
            Ok(_) => Err(self.strange("it is no regular file")),
            Err(_) => Err(StoreError::not_mounted(&self.path)),
        }
    }

    fn strange(&self, reason: &str) -> StoreError {
        StoreError::Strange {
            place: durable::shown(&self.path),
            reason: reason.to_owned(),
        }
    }

    /// A failure of a commit: what is on the disk is not known then.
    fn committing(&self, error: &rusqlite::Error) -> StoreError {
        if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) {
            return durable::disbelieve(&self.path, &error.to_string()).into();
        }
        complaint(error)
    }

    fn commit(&self, sql: &Connection) -> Result<(), StoreError> {
        sql.execute_batch("COMMIT").map_err(|error| {
            roll_back(sql);
            self.committing(&error)
        })
    }

    /// A transaction; none of it where `act` fails.
    fn within<T>(
        &self,
        sql: &Connection,
        act: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        sql.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
        let done = act().inspect_err(|_| roll_back(sql))?;
        self.commit(sql)?;
        Ok(done)
    }

    /// In the transaction that the caller ends.
    fn write(
        &self,
        sql: &Connection,
        import: &TableImport,
        fill: &mut Fill<'_>,
    ) -> Result<Option<StoreRef>, StoreError> {
        let record = rows::begin_record(sql, import)?;
        let table = shape::ensure(&sql, import, record)?;
        // Sorting a part of what is too much by far would only be work more.
        let bytes = usize::try_from(import.id.contents.bytes).unwrap_or(usize::MAX);
        let may_fit = bytes / ROW_TO_SORTED <= self.sorted_bytes_max;
        let mut rows = if may_fit && table.is_new(import, record) {
            Rows::into_new(sql, &table, import, record, self.sorted_bytes_max)?
        } else {
            shape::indexed(&sql, import, &table)?;
            Rows::new(sql, &table, import, record)?
        };
        let sums = fill(&mut rows);
        rows.finish()?;
        let Some(sums) = sums else {
            return Ok(None);
        };
        if plant::has(Bug::RecordOutside) {
            let delete = "DELETE FROM amanah_imports WHERE import = ?1";
            sql.execute(delete, [record]).map_err(failed)?;
            sql.execute_batch("COMMIT; BEGIN IMMEDIATE")
                .map_err(failed)?;
            kill::point("sqlite.before-commit");
            rows::begin_record(sql, import)?;
        }
        rows::end_record(sql, import, &table, &sums)?;
        Ok(Some(StoreRef {
            kind: KIND.to_owned(),
            entries: 1,
            records: sums.rows,
        }))
    }
}

impl TableStore for SqliteStore {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn identity(&self) -> Result<Identity, StoreError> {
        self.with(|sql| {
            let query = "SELECT store_id, party, imports FROM amanah_store";
            let found = sql.query_row(query, [], |row| {
                Ok(Identity {
                    store_id: row.get(0)?,
                    party: row.get(1)?,
                    imports: row.get::<_, i64>(2)?.unsigned_abs(),
                })
            });
            found.map_err(failed)
        })
    }

    fn lookup(&self, manifest: &Digest) -> Result<Option<StoreRef>, StoreError> {
        self.with(|sql| {
            let query = "SELECT entries, records FROM amanah_imports WHERE manifest = ?1";
            let mut query = sql.prepare_cached(query).map_err(failed)?;
            let found = query.query_row([manifest.to_string()], |row| {
                Ok(StoreRef {
                    kind: KIND.to_owned(),
                    entries: row.get::<_, i64>(0)?.unsigned_abs(),
                    records: row.get::<_, i64>(1)?.unsigned_abs(),
                })
            });
            found.optional().map_err(failed)
        })
    }

    fn room(&self) -> Result<u64, StoreError> {
        self.file()?;
        room_at(self.path.parent().unwrap_or(Path::new("/")))
    }

    fn import(
        &self,
        import: &TableImport,
        fill: &mut Fill<'_>,
    ) -> Result<Option<StoreRef>, StoreError> {
        self.with(|sql| {
            sql.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
            let written = self.write(sql, import, fill);
            if !matches!(written, Ok(Some(_))) {
                roll_back(sql);
                return written;
            }
            kill::point("sqlite.before-commit");
            self.commit(sql)?;
            kill::point("sqlite.after-commit");
            written
        })
    }

    fn index(&self, import: &TableImport) -> Result<(), StoreError> {
        self.with(|sql| {
            self.within(sql, || {
                shape::indexed_afterwards(&sql, import)?;
                kill::point("sqlite.before-indexed");
                Ok(())
            })
        })
    }

    fn tidy(&self) -> Result<(), StoreError> {
        let put =
            |sql: &Connection| destroy::into_the_file(sql).map_err(|error| self.committing(&error));
        match self.with(put) {
            // Where somebody reads it stays in the log; a file that was put aside meanwhile has its log beside it.
            Err(StoreError::Busy | StoreError::Missing(_) | StoreError::Strange { .. }) => Ok(()),
            done => done,
        }
    }

    fn unmatched(
        &self,
        import: &TableImport,
        others: &[(FlowName, Arc<Schema>)],
    ) -> Result<Vec<Unmatched>, StoreError> {
        self.with(|sql| self.within(sql, || unmatched::unmatched(sql, import, others)))
    }

    fn destroy(&self, manifest: &Digest, now: UtcTime) -> Result<u64, StoreError> {
        self.with(|sql| {
            let destroyed = self.within(sql, || {
                let destroyed = destroy::rows_of(sql, manifest, now)?;
                kill::point("sqlite.before-destroyed");
                Ok(destroyed)
            })?;
            kill::point("sqlite.destroyed");
            destroy::out_of_the_log(sql).map_err(|error| self.committing(&error))?;
            Ok(destroyed)
        })
    }

    fn keeps(&self, manifest: &Digest) -> Result<bool, StoreError> {
        self.with(|sql| destroy::is_kept(sql, manifest))
    }
}

/// Best effort: a transaction that an error has rolled back already is none, and closing rolls back too.
fn roll_back(sql: &Connection) {
    if !sql.is_autocommit() {
        let _ = sql.execute_batch("ROLLBACK");
    }
}

/// A failure of anything but a commit.
fn failed(error: rusqlite::Error) -> StoreError {
    complaint(&error)
}

/// SQLite's messages name tables and columns, never what stands in them.
fn complaint(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy,
        Some(_) | None => StoreError::Database(error.to_string()),
    }
}
