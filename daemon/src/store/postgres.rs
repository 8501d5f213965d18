//! The `postgres` store: rows of table flows in a schema of a PostgreSQL database, or of one that speaks and behaves like it.
//! SPOOL.md §4.
//!
//! The rows of a bundle and its row in `amanah_imports` are one transaction, which is demanded to last (`synchronous_commit`).
//! Whether it does is not known where the connection is lost in its commit: then a new one is asked.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use amanah_format::digest::Digest;
use amanah_format::id::{FlowName, PartyId};
use amanah_format::receipt::StoreRef;
use amanah_format::table::Schema;
use amanah_format::time::UtcTime;
use tokio_postgres::Client;

use self::address::Address;
use self::complaint::Failure;
use self::link::{Courier, Reach, Session};
use self::log_ahead::LogAhead;
use self::rows::Rows;
use super::StoreError;
use super::table::{Fill, Identity, TableImport, TableStore, Unmatched, shape};
use crate::kill;
use crate::plant::{self, Bug};

pub mod address;
mod complaint;
mod copying;
mod correct;
mod ddl;
mod destroy;
mod link;
mod log_ahead;
mod open;
mod recorded;
mod rows;
mod unmatched;
mod value;

/// What receipts call it.
const KIND: &str = "postgres";
/// A server that could not be reached is not asked again before this: every stage that wants it would wait.
const AGAIN: Duration = Duration::from_secs(2);
/// The room of a server is not told; what it has not got it says in the import.
const ROOM: u64 = u64::MAX;
/// A commit is durable here before it is told, whatever the role's default; a stricter one stays.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
    SELECT set_config('synchronous_commit',
        CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true)";

/// Rows in a database of PostgreSQL.
pub struct PostgresStore {
    reach: Reach,
    schema: String,
    party: PartyId,
    /// What people know it by.
    place: String,
    /// Imports, one at a time.
    writing: Mutex<Option<Client>>,
    /// Questions, which never wait for an import.
    asking: Mutex<Option<Client>>,
    /// When it could not be used last, and why.
    down: Mutex<Option<(Instant, String)>>,
    /// What was told of it last: an import that meets another one is not for it.
    told: Mutex<Option<Identity>>,
    courier: Courier,
}

/// How an import's statements ended.
enum Written {
    /// All is there but the commit.
    Whole,
    /// The rows were not sound.
    Unsound,
    /// Somebody has committed this very bundle meanwhile.
    Twin,
}

impl PostgresStore {
    /// The store in `schema` of the database at `address`. The server need not be there yet.
    ///
    /// # Errors
    /// Certificates that cannot be read.
    pub fn new(address: Address, schema: &str, party: PartyId) -> Result<Self, StoreError> {
        let tls = address.verifying();
        let tls = tls.map_err(|error| StoreError::Database(error.to_string()))?;
        Ok(Self {
            place: format!("PostgreSQL {address}, schema {schema}"),
            reach: Reach { address, tls },
            schema: schema.to_owned(),
            party,
            writing: Mutex::default(),
            asking: Mutex::default(),
            down: Mutex::default(),
            told: Mutex::default(),
            courier: Courier::start()?,
        })
    }

    fn session<'s>(&'s self, client: &'s Client) -> Session<'s> {
        Session::new(&self.courier, client, &self.place)
    }

    /// A connection that is set up, or at once the failure of a moment ago.
    fn connect(&self) -> Result<Client, StoreError> {
        let mut down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, why)) = down.as_ref().filter(|(at, _)| at.elapsed() < AGAIN) {
            tracing::debug!(since = ?at.elapsed(), "not asked again yet");
            return Err(StoreError::Missing(why.clone()));
        }
        let connected = self.connect_now();
        *down = match &connected {
            Err(StoreError::Missing(why)) => Some((Instant::now(), why.clone())),
            Ok(_) | Err(_) => None,
        };
        connected
    }

    fn connect_now(&self) -> Result<Client, StoreError> {
        let client = self.reach()?;
        open::prepare(&self.session(&client), &self.schema, &self.party)?;
        Ok(client)
    }

    /// Looks at it without changing anything: whether its role may more than it needs.
    ///
    /// # Errors
    /// What an import would fail with.
    pub fn look(&self) -> Result<bool, StoreError> {
        let client = self.reach()?;
        let session = self.session(&client);
        open::is_store(&session, &self.schema)?;
        Ok(open::is_too_mighty(&session)?)
    }

    fn reach(&self) -> Result<Client, StoreError> {
        let client = self.courier.connect(&self.reach);
        client.map_err(|error| {
            let place = self.place.clone();
            Failure { place, error }.into_unusable()
        })
    }

    /// Asks; once more over a new connection where the old one turns out to be lost.
    fn ask<T>(
        &self,
        question: impl Fn(&Session<'_>) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = asking.take().filter(|client| !client.is_closed()) {
            match question(&self.session(&client)) {
                Err(failure) if failure.is_lost() => {}
                answer => {
                    *asking = Some(client);
                    return Ok(answer?);
                }
            }
        }
        let client = self.connect()?;
        let answer = question(&self.session(&client))?;
        *asking = Some(client);
        Ok(answer)
    }

    /// A connection in a transaction; a new one where the old one turns out to be lost.
    fn begin(&self, kept: Option<Client>) -> Result<Client, StoreError> {
        if let Some(client) = kept.filter(|client| !client.is_closed())
            && self.session(&client).run(BEGIN).is_ok()
        {
            return Ok(client);
        }
        let client = self.connect()?;
        self.session(&client).run(BEGIN)?;
        Ok(client)
    }

    /// The database of this connection is the one that was looked at, and no older copy.
    fn is_same(&self, session: &Session<'_>) -> Result<(), StoreError> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(told) = told.as_ref() else {
            return Ok(());
        };
        let found = open::identity(session)?;
        if found.store_id == told.store_id && found.imports >= told.imports {
            return Ok(());
        }
        let place = &self.place;
        Err(StoreError::Database(format!(
            "{place}: another database answers than a moment ago; it is looked at again"
        )))
    }

    /// In the transaction that the caller ends.
    fn write(
        &self,
        session: &Session<'_>,
        import: &TableImport,
        fill: &mut Fill<'_>,
    ) -> Result<Written, StoreError> {
        let record = match rows::begin_record(session, import) {
            Err(failure) if failure.is_double() => return Ok(Written::Twin),
            record => record?,
        };
        kill::point("postgres.begun");
        self.is_same(session)?;
        let table = shape::ensure(session, import, record)?;
        let is_new = table.is_new(import, record);
        if !is_new {
            shape::indexed(session, import, &table)?;
        }
        let log = LogAhead::new(&self.courier, &self.reach);
        let mut rows = Rows::begin(session, &table, import, record, log)?;
        let Some(sums) = fill(&mut rows) else {
            // Where the database did not take a row, that is what is told.
            return rows.failure().map_or(Ok(Written::Unsound), Err);
        };
        let may_be_too_long = rows.may_be_too_long();
        let taken = rows.finish()?;
        if taken.is_some_and(|taken| taken != sums.rows) {
            let place = &self.place;
            return Err(StoreError::Database(format!(
                "{place}: it took another number of rows than were written"
            )));
        }
        kill::point("postgres.copied");
        if !is_new {
            rows::merge(session, &table, import, record)?;
        } else if may_be_too_long {
            // What no index takes must be known before a receipt says that it is here.
            shape::indexed(session, import, &table)?;
        }
        if plant::has(Bug::RecordOutside) {
            session.run(&format!(
                "DELETE FROM amanah_imports WHERE import = {record}; COMMIT; {BEGIN}"
            ))?;
            kill::point("postgres.before-commit");
            rows::begin_record(session, import)?;
        }
        rows::end_record(session, import, &table, &sums)?;
        Ok(Written::Whole)
    }

    /// Ends a transaction without its work; the connection where it can be used again.
    fn roll_back(&self, client: Client) -> Option<Client> {
        let ended = self.session(&client).run("ROLLBACK").is_ok();
        ended.then_some(client)
    }
}

impl TableStore for PostgresStore {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn identity(&self) -> Result<Identity, StoreError> {
        let found = self.ask(open::identity)?;
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        *told = Some(found.clone());
        Ok(found)
    }

    fn lookup(&self, manifest: &Digest) -> Result<Option<StoreRef>, StoreError> {
        let query = "SELECT entries, records FROM amanah_imports WHERE manifest = $1";
        let found = self.ask(|session| session.rows(query, &[&manifest.to_string()]))?;
        Ok(found
            .first()
            .map(|row| stored(row.get::<_, i64>(0), row.get::<_, i64>(1))))
    }

    fn room(&self) -> Result<u64, StoreError> {
        self.ask(open::identity).map(|_| ROOM)
    }

    fn import(
        &self,
        import: &TableImport,
        fill: &mut Fill<'_>,
    ) -> Result<Option<StoreRef>, StoreError> {
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let client = self.begin(writing.take())?;
        let written = self.write(&self.session(&client), import, fill);
        match written {
            Ok(Written::Whole) => {}
            Ok(Written::Unsound) => {
                *writing = self.roll_back(client);
                return Ok(None);
            }
            Ok(Written::Twin) => {
                *writing = self.roll_back(client);
                return self
                    .lookup(&import.id.manifest)?
                    .map_or(Err(StoreError::Busy), |stored| Ok(Some(stored)));
            }
            Err(error) => {
                // What is there now is looked at anew by the next one.
                drop(self.roll_back(client));
                return Err(error);
            }
        }
        kill::point("postgres.before-commit");
        let ended = self.session(&client).run("COMMIT");
        kill::point("postgres.after-commit");
        let lost = ended.is_err();
        // Whatever was answered: a commit of a transaction that failed is a rollback and no error, and where no answer came, the server
        // may have committed all the same.
        let found = self.lookup(&import.id.manifest)?;
        if !lost {
            *writing = Some(client);
        }
        match (found, ended) {
            (Some(stored), _) => Ok(Some(stored)),
            (None, Err(failure)) => Err(failure.into()),
            (None, Ok(())) => Err(StoreError::Database(format!(
                "{}: it committed nothing; it is tried again",
                self.place
            ))),
        }
    }

    /// Over the importing connection, as whatever may take long: no other question waits for it.
    fn index(&self, import: &TableImport) -> Result<(), StoreError> {
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let client = self.begin(writing.take())?;
        let session = self.session(&client);
        let made = shape::indexed_afterwards(&session, import).and_then(|()| {
            kill::point("postgres.before-indexed");
            Ok(session.run("COMMIT")?)
        });
        drop(session);
        match made {
            Ok(()) => *writing = Some(client),
            Err(_) => drop(self.roll_back(client)),
        }
        made
    }

    /// Over the same: an answer may take as long.
    fn unmatched(
        &self,
        import: &TableImport,
        others: &[(FlowName, Arc<Schema>)],
    ) -> Result<Vec<Unmatched>, StoreError> {
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let client = self.begin(writing.take())?;
        let found = unmatched::unmatched(&self.session(&client), import, others);
        *writing = self.roll_back(client);
        found
    }

    fn destroy(&self, manifest: &Digest, now: UtcTime) -> Result<u64, StoreError> {
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let client = self.begin(writing.take())?;
        let session = self.session(&client);
        let destroyed = self
            .is_same(&session)
            .and_then(|()| destroy::rows_of(&session, manifest, now));
        let rows = match destroyed {
            Ok(rows) => rows,
            Err(error) => {
                drop(self.roll_back(client));
                return Err(error);
            }
        };
        kill::point("postgres.before-destroyed");
        // Where the answer is lost it is asked again: the mark tells what was destroyed.
        session.run("COMMIT")?;
        kill::point("postgres.destroyed");
        destroy::vacuum(&session)?;
        drop(session);
        *writing = Some(client);
        Ok(rows)
    }

    fn keeps(&self, manifest: &Digest) -> Result<bool, StoreError> {
        self.ask(|session| destroy::is_kept(session, manifest))
    }
}

/// What the receipt says of it.
fn stored(entries: i64, records: i64) -> StoreRef {
    StoreRef {
        kind: KIND.to_owned(),
        entries: entries.unsigned_abs(),
        records: records.unsigned_abs(),
    }
}
