//! What a connection finds before it is used: the schema that the store lies in, with rights and settings that make a commit last.
//! An empty schema becomes a store; one that holds other things never does.

use amanah_format::id::PartyId;
use tokio_postgres::types::ToSql;

use super::StoreError;
use super::complaint::{Failure, missing};
use super::link::Session;
use crate::store::table::Identity;
use crate::store::table::shape::quoted;

/// Of the store's own tables.
const VERSION: i32 = 1;
const TABLES: &str = include_str!("schema.sql");
/// Where the rights are made.
const GRANTS: &str = "docs/postgresql-grants.sql";

/// What every session has, whatever the role's defaults are. A lock that others hold is waited for so long; then the bundle waits.
fn settings(schema: &str) -> String {
    format!(
        "SET search_path TO {}, pg_temp; SET lock_timeout TO '5s'; SET statement_timeout TO '1h';
        SET datestyle TO 'ISO, YMD'; SET timezone TO 'UTC'; SET client_min_messages TO error",
        quoted(schema)
    )
}

/// What the server says of itself and of the schema.
struct Found {
    is_utf8: bool,
    lasts: bool,
    is_writable: bool,
    is_standby: bool,
    has_schema: bool,
    may_look: bool,
    may_make: bool,
    has_store: bool,
    is_empty: bool,
}

const LOOK: &str = "SELECT current_setting('server_encoding') = 'UTF8',
        coalesce(current_setting('fsync', true), 'on') <> 'off',
        current_setting('transaction_read_only') = 'off',
        pg_is_in_recovery(),
        n.oid IS NOT NULL,
        coalesce(has_schema_privilege(n.oid, 'USAGE'), false),
        coalesce(has_schema_privilege(n.oid, 'USAGE') AND has_schema_privilege(n.oid, 'CREATE'), false)
            AND has_database_privilege(current_database(), 'TEMPORARY'),
        EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid AND relname = 'amanah_store'),
        NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid)
    FROM (SELECT 1) AS one LEFT JOIN pg_namespace AS n ON n.nspname = $1::text";

fn look(session: &Session<'_>, schema: &str) -> Result<Found, Failure> {
    let rows = session.rows(LOOK, &[&schema])?;
    let is = |place: usize| rows.first().is_some_and(|row| row.get(place));
    Ok(Found {
        is_utf8: is(0),
        lasts: is(1),
        is_writable: is(2),
        is_standby: is(3),
        has_schema: is(4),
        may_look: is(5),
        may_make: is(6),
        has_store: is(7),
        is_empty: is(8),
    })
}

/// Sets a new session up; makes the store's tables where the schema is empty.
pub(super) fn prepare(
    session: &Session<'_>,
    schema: &str,
    party: &PartyId,
) -> Result<(), StoreError> {
    if !is_store(session, schema)? {
        begin_new(session, party)?;
    }
    is_of_this_version(session)
}

/// Whether this program knows what its tables mean.
pub(super) fn is_of_this_version(session: &Session<'_>) -> Result<(), StoreError> {
    let version = session.rows("SELECT version FROM amanah_store", &[]);
    let version = version.map_err(Failure::into_unusable)?;
    match version.first().map(|row| row.get::<_, i32>(0)) {
        Some(VERSION) => Ok(()),
        _ => Err(StoreError::Strange {
            place: session.place().to_owned(),
            reason: "a newer version of Amanah made it".to_owned(),
        }),
    }
}

/// Whether the role may more than it needs: then whoever takes the daemon over may too.
pub(super) fn is_too_mighty(session: &Session<'_>) -> Result<bool, Failure> {
    let query = "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
        FROM pg_roles WHERE rolname = current_user";
    let found = session.rows(query, &[])?;
    Ok(found.first().is_some_and(|row| row.get(0)))
}

/// Sets a new session up and looks; changes nothing. `false`: the schema is empty, and may become a store.
pub(super) fn is_store(session: &Session<'_>, schema: &str) -> Result<bool, StoreError> {
    let place = session.place();
    let found = set_up(session, schema)?;
    let strange = |reason: &str| strange(session, reason);
    if !found.lasts {
        return Err(strange(
            "the server runs with fsync = off: what it commits does not last; set fsync = on",
        ));
    }
    if !found.is_utf8 {
        return Err(strange(
            "the database's encoding is not UTF8; make one that is",
        ));
    }
    found.is_there(session, schema)?;
    if !found.is_writable {
        return Err(missing(place, "it can only be read (a standby?)"));
    }
    if !found.may_make {
        let why = format!("the role may not make tables in schema {schema}; see {GRANTS}");
        return Err(missing(place, &why));
    }
    found.is_ours(session)
}

/// The same for who only reads, whose role may be one that can do no more. A standby may lack what was imported last.
pub(super) fn is_readable(session: &Session<'_>, schema: &str) -> Result<bool, StoreError> {
    let place = session.place();
    let found = set_up(session, schema)?;
    found.is_there(session, schema)?;
    if found.is_standby {
        let why = "it is a standby, which may lag behind; ask the primary";
        return Err(missing(place, why));
    }
    if !found.may_look {
        let why = format!("the role may not read schema {schema}; see {GRANTS}");
        return Err(missing(place, &why));
    }
    found.is_ours(session)
}

fn set_up(session: &Session<'_>, schema: &str) -> Result<Found, StoreError> {
    session
        .run(&settings(schema))
        .and_then(|()| look(session, schema))
        .map_err(Failure::into_unusable)
}

fn strange(session: &Session<'_>, reason: &str) -> StoreError {
    StoreError::Strange {
        place: session.place().to_owned(),
        reason: reason.to_owned(),
    }
}

impl Found {
    fn is_there(&self, session: &Session<'_>, schema: &str) -> Result<(), StoreError> {
        if self.has_schema {
            return Ok(());
        }
        let why = format!("there is no schema {schema}; make it by {GRANTS}");
        Err(missing(session.place(), &why))
    }

    /// Whether the store is there already; what others keep in the schema never becomes one.
    fn is_ours(&self, session: &Session<'_>) -> Result<bool, StoreError> {
        if self.has_store || self.is_empty {
            return Ok(self.has_store);
        }
        let reason = "the schema has tables, but is no store of Amanah; make an empty one";
        Err(strange(session, reason))
    }
}

/// The tables of a new store, all or nothing. Where another connection makes them at this moment, they are there then.
fn begin_new(session: &Session<'_>, party: &PartyId) -> Result<(), StoreError> {
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random).map_err(|error| StoreError::Database(error.to_string()))?;
    let store_id: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let made = session.run(&format!("BEGIN; {TABLES}")).and_then(|()| {
        let store = "INSERT INTO amanah_store (one, version, store_id, party, imports) VALUES (1, $1, $2, $3, 0)";
        let values: [&(dyn ToSql + Sync); 3] = [&VERSION, &store_id, &party.as_str()];
        session.change(store, &values)?;
        session.run("COMMIT")
    });
    match made {
        Ok(()) => Ok(()),
        // 42P07: the table; 23505: its name, in the catalogue.
        Err(failure) if failure.is_double() || failure.code() == Some("42P07") => {
            Ok(session.run("ROLLBACK")?)
        }
        Err(failure) => Err(failure.into()),
    }
}

/// Which database it is.
pub(super) fn identity(session: &Session<'_>) -> Result<Identity, Failure> {
    let found = session.rows("SELECT store_id, party, imports FROM amanah_store", &[])?;
    let identity = found.first().map(|row| Identity {
        store_id: row.get(0),
        party: row.get(1),
        imports: row.get::<_, i64>(2).unsigned_abs(),
    });
    // INVARIANT: `prepare` has seen the row.
    Ok(identity.unwrap_or(Identity {
        store_id: String::new(),
        party: String::new(),
        imports: 0,
    }))
}
