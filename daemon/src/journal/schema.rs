//! The journal's tables, and how the file is opened: created owner-only, locked for this process alone, its ledger
//! checked against itself.

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use amanah_format::digest::Digest;
use amanah_format::id::PartyId;
use amanah_format::ledger::{self, RecordKind, Tree, leaf_hash};
use amanah_format::time::UtcTime;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use rustix::fs::{CWD, Mode, OFlags};

use super::change::{Place, State};
use super::ledger::{set_fact, tree_of};
use super::rows::{from_sql_int, sql_int};
use super::{Journal, JournalError, came_back, tallies, turns};
use crate::clock::Clock;

/// Epoch of a ledger: one more for each ledger begun anew; this version begins one only with a new journal.
const LEDGER_EPOCH: u32 = 1;
/// How many of the last lines are hashed again at opening: what a power cut could have touched.
const LINES_CHECKED: u64 = 64;
/// More records than any ledger has: SQLite's largest row number.
const LEDGER_RECORDS_MAX: u64 = i64::MAX.unsigned_abs();
/// More than the distinct statements of this module (some 160): each is prepared once.
const STATEMENTS_CACHED: usize = 256;
/// The fact that names the party whose journal this is.
const FACT_PARTY: &str = "journal.party";
/// The fact that names the last opening.
const FACT_OPENED: &str = "journal.opened";

/// What each version has more than the one before it; `user_version` says how many of them a journal has. What was released is
/// never changed: a change is one more step. Partial indexes keep what is looked at often (active, waiting) small while
/// finished rows grow.
const STEPS: [&str; 4] = [
    include_str!("schema.sql"),
    include_str!("schema-2.sql"),
    include_str!("schema-3.sql"),
    include_str!("schema-4.sql"),
];

/// Order matters: the lock mode before the first access of WAL keeps the index of the WAL out of shared memory.
/// Temporary tables stay in memory: names of items never reach another folder; what is removed of them is overwritten.
const PRAGMAS: &str = "
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA secure_delete = ON;
    PRAGMA journal_size_limit = 16777216;
";

impl Journal {
    /// Opens or creates it; a new one begins its ledger with `opened`. Fails when another process holds it, when it is
    /// another party's, or when its schema is newer.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn open(path: &Path, party: &PartyId, now: UtcTime) -> Result<Self, JournalError> {
        let failed = |reason: String| JournalError::Open {
            path: path.to_owned(),
            reason,
        };
        make_private(path).map_err(|error| failed(error.to_string()))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
        // A plan that peeks at what is bound is made anew whenever that changes: a tenth of the work for a small bundle.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        let version =
            lock_for_us(&connection).map_err(|error| match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                    failed("another process holds it".to_owned())
                }
                Some(_) | None => JournalError::Sqlite(error),
            })?;
        let missing = steps_after(version).map_err(|reason| foreign(path, reason))?;
        let journal = Self {
            state: Mutex::new(State {
                tree: if version == 0 {
                    Tree::default()
                } else {
                    recall(&connection)?
                },
                connection,
                halted: false,
            }),
            clock: Clock::default(),
            origin: ledger::origin(party, LEDGER_EPOCH),
            place: Place::of(path)
                .ok_or_else(|| failed("it went away while it was opened".to_owned()))?,
        };
        if version == 0 {
            journal.begin(party, now)?;
        }
        match journal.fact(FACT_PARTY)? {
            Some(owner) if owner == party.as_str() => {}
            owner => {
                let reason = format!("it is the journal of {owner:?}, not of {party}");
                return Err(foreign(path, reason));
            }
        }
        if version > 0 && !missing.is_empty() {
            let (from, to) = (version, STEPS.len());
            tracing::info!(from, to, "the journal is brought up to date");
            journal.edit(|sql| grow(sql, missing))?;
        }
        journal.edit(|sql| {
            tallies::ensure(sql)?;
            turns::ensure(sql)?;
            came_back::ensure(sql)
        })?;
        // A first write: a lock that is only read-shared would fail here, not in the middle of a journey.
        journal.set_fact(FACT_OPENED, Some(&now.to_string()))?;
        Ok(journal)
    }

    /// The same journal, with changes stamped by another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    fn begin(&self, party: &PartyId, now: UtcTime) -> Result<(), JournalError> {
        self.change(now, |change| {
            grow(change.sql, &STEPS)?;
            set_fact(change.sql, FACT_PARTY, Some(party.as_str()))?;
            change.append_about(RecordKind::Opened, None, None)?;
            Ok(())
        })
    }
}

/// What a journal of this version lacks; why it is none of ours where there is no such version.
fn steps_after(version: i64) -> Result<&'static [&'static str], String> {
    let has = usize::try_from(version).ok();
    has.and_then(|has| STEPS.get(has..)).ok_or_else(|| {
        format!(
            "a newer Amanah wrote it (schema {version}; this program knows up to {}); nothing was changed: install that version or a newer one again",
            STEPS.len()
        )
    })
}

/// Why this program cannot read a journal of this version.
pub(super) fn knows(version: i64) -> Result<(), String> {
    match steps_after(version) {
        Ok([]) => Ok(()),
        Ok(_) => Err(
            "an older Amanah wrote it; start the daemon once, which brings it up to date"
                .to_owned(),
        ),
        Err(reason) => Err(reason),
    }
}

fn foreign(path: &Path, reason: String) -> JournalError {
    JournalError::Foreign {
        path: path.to_owned(),
        reason,
    }
}

/// Takes the steps that a journal lacks, in the transaction of the caller: all or none, like every change.
fn grow(sql: &Connection, missing: &[&str]) -> Result<(), JournalError> {
    missing
        .iter()
        .try_for_each(|step| sql.execute_batch(step))?;
    let version = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    Ok(sql.pragma_update(None, "user_version", version)?)
}

/// Creates the file owner-only whatever the umask, or narrows the one that is there. Never opens a file that exists:
/// closing it would drop the locks that this process may hold on it (fcntl(2), SQLite "how to corrupt").
/// SQLite syncs the folder itself when it creates the WAL beside it, before the first commit.
fn make_private(path: &Path) -> rustix::io::Result<()> {
    let owner_only = Mode::RUSR | Mode::WUSR;
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::open(path, flags, owner_only) {
        Ok(file) => rustix::fs::fchmod(&file, owner_only),
        Err(rustix::io::Errno::EXIST) => {
            rustix::fs::chmodat(CWD, path, owner_only, rustix::fs::AtFlags::empty())
        }
        Err(error) => Err(error),
    }
}

/// Sets the pragmas and takes the lock; the schema's version.
fn lock_for_us(connection: &Connection) -> rusqlite::Result<i64> {
    connection.busy_timeout(Duration::ZERO)?;
    connection.execute_batch(PRAGMAS)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| {
        let mode: String = row.get(0)?;
        if mode == "wal" {
            Ok(())
        } else {
            Err(rusqlite::Error::InvalidParameterName(format!(
                "journal mode {mode}, expected wal"
            )))
        }
    })?;
    connection.execute_batch("BEGIN IMMEDIATE; COMMIT;")?;
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// The tree of the recorded leaves; the last lines are hashed again.
fn recall(connection: &Connection) -> Result<Tree, JournalError> {
    let tree = tree_of(connection, LEDGER_RECORDS_MAX)?;
    if tree.size() == 0 {
        return Err(damaged(0, "is missing"));
    }
    let from = tree.size().saturating_sub(LINES_CHECKED);
    let mut statement = connection.prepare("SELECT idx, line, leaf FROM ledger WHERE idx >= ?1")?;
    let mut rows = statement.query([sql_int(from)?])?;
    while let Some(row) = rows.next()? {
        let line: Vec<u8> = row.get(1)?;
        if leaf_hash(&line) != Digest::from_bytes(row.get(2)?) {
            return Err(damaged(from_sql_int(row.get(0)?)?, "is not its leaf"));
        }
    }
    Ok(tree)
}

fn damaged(index: u64, what: &str) -> JournalError {
    JournalError::Damaged(format!("ledger record {index} {what}"))
}
