//! The database of table flows, as the configuration names it: a file, made once in a home's life, or a server, whose URL with its
//! password comes from the key file and goes to the store alone.

use std::sync::Arc;

use amanah_format::id::{FlowName, PartyId};

use crate::config::checked::{Config, ConfigError, Database};
use crate::stage::import::Tables;
use crate::stage::{Node, StageError};
use crate::store::sqlite::{self, SqliteStore};
use crate::store::table::TableStore;
use crate::store::table::recorded::Recorded;

use super::RunError;

/// None: rows land as files.
pub(super) fn tables(config: &Config, node: &Node) -> Result<Option<Tables>, RunError> {
    const MADE: &str = "tables store made";
    let Some(tables) = &config.tables else {
        return Ok(None);
    };
    let made = node.journal.fact(MADE).map_err(StageError::from)?;
    let store: Arc<dyn TableStore> = match &tables.database {
        Database::Sqlite { path, readers } => {
            let store = SqliteStore::new(path.clone(), config.party.clone(), *readers);
            // As the files store: later a missing one is a disk that is not mounted.
            if made.as_deref() != Some(store.kind()) {
                store.create().map_err(StageError::from)?;
            }
            Arc::new(store)
        }
        #[cfg(feature = "postgres")]
        Database::Postgres { schema, .. } => Arc::new(server::store(config, schema)?),
        #[cfg(not(feature = "postgres"))]
        Database::Postgres { .. } => return Err(without(config)),
    };
    let set = node.journal.set_fact(MADE, Some(store.kind()));
    set.map_err(StageError::from)?;
    Ok(Some(Tables::new(store, tables.as_files.clone())))
}

/// What the database holds of a peer's flow, read without changing anything. None: there is none, or this program cannot ask it.
pub(super) fn recorded(
    config: &Config,
    of: (&PartyId, &FlowName),
) -> Result<Option<Recorded>, RunError> {
    let Some(tables) = &config.tables else {
        return Ok(None);
    };
    let found = match &tables.database {
        Database::Sqlite { path, .. } => sqlite::recorded(path, of),
        #[cfg(feature = "postgres")]
        Database::Postgres { schema, .. } => server::store(config, schema)?.recorded(of),
        #[cfg(not(feature = "postgres"))]
        Database::Postgres { .. } => return Ok(None),
    };
    found
        .map(Some)
        .map_err(|error| RunError::Start(error.to_string()))
}

/// What a part of the program that is not there is refused with.
#[cfg(not(feature = "postgres"))]
fn without(config: &Config) -> RunError {
    RunError::Config(ConfigError {
        path: config.file.clone(),
        reason: "this program was built without PostgreSQL".to_owned(),
    })
}

#[cfg(feature = "postgres")]
pub(super) mod server {
    //! A server: where it is, read from the configuration or the key file.

    use super::{Config, ConfigError, Database, RunError};
    use crate::store::postgres::PostgresStore;
    use crate::store::postgres::address::Address;

    /// Its address; none where there is none.
    pub(in crate::supervise) fn address(config: &Config) -> Result<Option<Address>, RunError> {
        let tables = config.tables.as_ref().map(|tables| &tables.database);
        let Some(Database::Postgres { url, .. }) = tables else {
            return Ok(None);
        };
        let wrong = |path: &std::path::Path, reason: String| ConfigError {
            path: path.to_owned(),
            reason,
        };
        let address = match url {
            Some(url) => {
                url.parse()
                    .map_err(|error: crate::store::postgres::address::AddressError| {
                        wrong(&config.file, error.to_string())
                    })
            }
            None => config.keys.postgres_url()?.parse().map_err(
                |error: crate::store::postgres::address::AddressError| {
                    let file = config.keys.folder.join(crate::keys::POSTGRES_URL);
                    wrong(&file, error.to_string())
                },
            ),
        };
        Ok(Some(address?))
    }

    /// Looks at the server without changing anything.
    pub(in crate::supervise) fn look(config: &Config) -> Result<bool, RunError> {
        match config.tables.as_ref().map(|tables| &tables.database) {
            Some(Database::Postgres { schema, .. }) => store(config, schema)?
                .look()
                .map_err(|error| RunError::Start(error.to_string())),
            Some(Database::Sqlite { .. }) | None => Ok(false),
        }
    }

    pub(super) fn store(config: &Config, schema: &str) -> Result<PostgresStore, RunError> {
        let missing = || RunError::Start("no server is configured".to_owned());
        let address = address(config)?.ok_or_else(missing)?;
        PostgresStore::new(address, schema, config.party.clone())
            .map_err(|error| RunError::Start(error.to_string()))
    }
}
