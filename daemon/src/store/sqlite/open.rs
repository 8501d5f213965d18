//! Opening the file of a store: a new one gets its own tables, an older one grows, and what is no store is not written to. Each connection
//! is set up so that what others put into the file does not run, and what it deletes is overwritten.

use std::os::unix::fs::PermissionsExt;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, params};

use super::{BUSY, SqliteStore, StoreError, failed, roll_back};

/// `application_id`: "AMNH". Another database is not written to.
const APPLICATION: i32 = 0x414d_4e48;
/// `user_version` of the store's own tables.
const VERSION: i32 = 2;
/// Statements kept: each flow has a few.
const STATEMENTS_CACHED: usize = 64;
/// Of a new database: a large import writes half as many pages as with SQLite's own 4 KiB; larger ones would cost keys that come in no order.
const PAGE_BYTES: u32 = 8 * 1024;
const SCHEMA: &str = include_str!("schema.sql");
/// What a store of version 1 lacks: what was destroyed, and when.
const SINCE_1: &str = include_str!("schema-2.sql");
/// How each connection works, with the reasons.
const PRAGMAS: &str = include_str!("pragmas.sql");

impl SqliteStore {
    pub(super) fn open(&self) -> Result<Connection, StoreError> {
        let mode = std::fs::Permissions::from_mode(self.readers.mode());
        std::fs::set_permissions(&self.path, mode).map_err(|source| StoreError::Io {
            operation: "setting the mode of",
            path: self.path.clone(),
            source,
        })?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let sql = Connection::open_with_flags(&self.path, flags).map_err(failed)?;
        self.prepare(&sql)?;
        Ok(sql)
    }

    fn prepare(&self, sql: &Connection) -> Result<(), StoreError> {
        sql.busy_timeout(BUSY).map_err(failed)?;
        sql.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
        // Readers find log and index also while nobody writes; what others put into the schema does not run here.
        for (config, on) in [
            (DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true),
            (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
            (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
            (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
        ] {
            sql.set_db_config(config, on).map_err(failed)?;
        }
        let number = |name: &str| sql.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        let tables: i64 = sql
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(failed)?;
        let application = number("application_id").map_err(failed)?;
        let version = number("user_version").map_err(failed)?;
        let is_new = match (application, version) {
            (APPLICATION, 1 | VERSION) => false,
            (0, 0) if tables == 0 => true,
            (APPLICATION, _) => return Err(self.strange("a newer version of Amanah made it")),
            _ => return Err(self.strange("it is a database, but not a store of Amanah")),
        };
        if is_new {
            // Before its log, and before the size of the cache, which would stay as many pages of another size.
            sql.pragma_update(None, "page_size", PAGE_BYTES)
                .map_err(failed)?;
        }
        sql.execute_batch(PRAGMAS).map_err(failed)?;
        // A copy that SQLite made may be in another mode.
        sql.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))
            .map_err(failed)?;
        if is_new {
            self.begin_new(sql)?;
        } else if version < VERSION {
            let grow =
                format!("BEGIN IMMEDIATE; {SINCE_1} PRAGMA user_version = {VERSION}; COMMIT");
            sql.execute_batch(&grow).map_err(|error| {
                roll_back(sql);
                self.committing(&error)
            })?;
        }
        // A commit that nobody saw come back is made to last: one more commit syncs the log that it is in.
        let touch = "UPDATE amanah_store SET opened = strftime('%Y-%m-%dT%H:%M:%SZ', 'now')";
        sql.execute(touch, [])
            .map_err(|error| self.committing(&error))?;
        Ok(())
    }

    /// The tables of a new store, all or nothing.
    fn begin_new(&self, sql: &Connection) -> Result<(), StoreError> {
        let mut random = [0_u8; 16];
        getrandom::fill(&mut random).map_err(|error| StoreError::Database(error.to_string()))?;
        let store_id: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let make = || -> rusqlite::Result<()> {
            sql.execute_batch("BEGIN IMMEDIATE")?;
            sql.execute_batch(SCHEMA)?;
            sql.execute_batch(SINCE_1)?;
            let now = "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')";
            let store = format!("INSERT INTO amanah_store VALUES (1, ?1, ?2, 0, {now}, {now})");
            sql.execute(&store, params![store_id, self.party.as_str()])?;
            sql.pragma_update(None, "application_id", APPLICATION)?;
            sql.pragma_update(None, "user_version", VERSION)?;
            sql.execute_batch("COMMIT")
        };
        make().map_err(|error| self.committing(&error))
    }
}
