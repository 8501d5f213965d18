//! `[store.tables]`: the database that rows of table flows land in. It is never below a folder that others write to, and never the
//! daemon's own state.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use amanah_format::home;
use amanah_format::id::FlowName;

use super::{Check, raw};
use crate::store::sqlite::Readers;

/// The table of the configuration.
const TABLE: &str = "store.tables";
/// Folders of the home that others write to or read, or that are the daemon's own.
const NOT_BELOW: [&str; 12] = [
    home::OUTBOX,
    home::SENT,
    home::RETURNED,
    home::INBOX,
    home::RECEIPTS,
    home::LEDGER,
    home::REQUESTS,
    home::SPOOL,
    "stick",
    home::KEYS,
    home::CARDS,
    home::AGREEMENTS,
];

/// The schema in a database of PostgreSQL unless another is named.
#[cfg(feature = "postgres")]
const SCHEMA: &str = "amanah";
/// Longest name of one.
#[cfg(feature = "postgres")]
const SCHEMA_BYTES_MAX: usize = 63;

/// Where rows land.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// The database.
    pub database: Database,
    /// Table flows that land as files all the same.
    pub as_files: BTreeSet<FlowName>,
}

/// A database for rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// In a file of its own.
    Sqlite {
        /// The database's file; absolute.
        path: PathBuf,
        /// Who may read it beside the daemon's own user.
        readers: Readers,
    },
    /// On a server.
    Postgres {
        /// Its URL, without a password; none: the key file has it.
        url: Option<String>,
        /// The schema that the tables lie in.
        schema: String,
    },
}

impl Tables {
    /// The folder in which the database and its log lie, where it is a file.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match &self.database {
            Database::Sqlite { path, .. } => path.parent(),
            Database::Postgres { .. } => None,
        }
    }
}

impl Check<'_> {
    pub(super) fn tables(
        &self,
        tables: Option<&raw::Tables>,
        home: &Path,
    ) -> Result<Option<Tables>, String> {
        let Some(tables) = tables else {
            return Ok(None);
        };
        let database = match tables.kind.as_str() {
            "sqlite" => self.sqlite(tables, home)?,
            "postgres" => self.postgres(tables)?,
            _ => return Err(self.at(TABLE, "kind", "expected \"sqlite\" or \"postgres\"")),
        };
        let as_files = tables
            .as_files
            .iter()
            .map(|flow| self.read(TABLE, "as_files", flow));
        Ok(Some(Tables {
            database,
            as_files: as_files.collect::<Result<_, _>>()?,
        }))
    }

    /// What belongs to the other kind is a mistake, never passed over.
    fn foreign(&self, keys: [(&str, bool); 2], kind: &str) -> Result<(), String> {
        match keys.iter().find(|(_, is_there)| *is_there) {
            Some((key, _)) => Err(self.at(TABLE, key, &format!("is not for kind = \"{kind}\""))),
            None => Ok(()),
        }
    }

    fn sqlite(&self, tables: &raw::Tables, home: &Path) -> Result<Database, String> {
        let foreign = [
            ("url", tables.url.is_some()),
            ("schema", tables.schema.is_some()),
        ];
        self.foreign(foreign, "sqlite")?;
        let named = tables.path.clone().unwrap_or_else(|| home::TABLES.into());
        let path: PathBuf = home.join(&named).components().collect();
        let plain = path
            .components()
            .all(|part| !matches!(part, Component::ParentDir));
        let apart = NOT_BELOW
            .iter()
            .all(|folder| !path.starts_with(home.join(folder)));
        let in_folder = path.parent().is_some_and(|folder| folder != home) && path != home;
        if !(plain && apart && in_folder && path.extension().is_some_and(|end| end == "sqlite")) {
            let reason = format!(
                "expected a file NAME.sqlite in a folder of its own, as {} or /srv/amanah/tables.sqlite, found {}",
                home::TABLES,
                named.display()
            );
            return Err(self.at(TABLE, "path", &reason));
        }
        Ok(Database::Sqlite {
            path,
            readers: tables.readers.unwrap_or_default(),
        })
    }

    #[cfg(not(feature = "postgres"))]
    fn postgres(&self, _: &raw::Tables) -> Result<Database, String> {
        Err(self.at(TABLE, "kind", "this program was built without PostgreSQL"))
    }

    #[cfg(feature = "postgres")]
    fn postgres(&self, tables: &raw::Tables) -> Result<Database, String> {
        use crate::store::postgres::address::Address;
        let foreign = [
            ("path", tables.path.is_some()),
            ("readers", tables.readers.is_some()),
        ];
        self.foreign(foreign, "postgres")?;
        let schema = tables.schema.clone().unwrap_or_else(|| SCHEMA.to_owned());
        let mut letters = schema.chars();
        let plain = letters.next().is_some_and(|c| c.is_ascii_lowercase())
            && letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !plain || schema.len() > SCHEMA_BYTES_MAX || schema.starts_with("pg_") {
            let reason =
                "expected a name of a-z, 0-9 and _ that begins with a letter, and not with pg_";
            return Err(self.at(TABLE, "schema", reason));
        }
        if let Some(url) = &tables.url {
            let address: Address = self.read(TABLE, "url", url)?;
            if address.has_password() {
                let reason = "a password does not stand here: put the whole URL into the key file postgres-url";
                return Err(self.at(TABLE, "url", reason));
            }
        }
        Ok(Database::Postgres {
            url: tables.url.clone(),
            schema,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn parse(table: &str) -> Result<Option<Tables>, String> {
        let text = format!("party = \"kemenhaj\"\nhome = \"/var/lib/amanah\"\n{table}\n");
        Config::parse(&text, Path::new("/etc/amanah/amanah.toml")).map(|config| config.tables)
    }

    #[test]
    fn without_a_table_of_their_own_tables_land_as_files() {
        assert_eq!(parse("").unwrap(), None);
        let found = parse("[store.tables]\nkind = \"sqlite\"").unwrap().unwrap();
        let database = |path: &str, readers| Database::Sqlite {
            path: path.into(),
            readers,
        };
        assert_eq!(
            found.database,
            database("/var/lib/amanah/store/tables.sqlite", Readers::Owner)
        );
        let text = "[store.tables]\nkind = \"sqlite\"\npath = \"/srv/a/t.sqlite\"\nreaders = \"group\"\nas_files = [\"rekap\"]";
        let found = parse(text).unwrap().unwrap();
        assert_eq!(found.database, database("/srv/a/t.sqlite", Readers::Group));
        assert_eq!(
            (found.folder(), found.as_files.len()),
            (Some(Path::new("/srv/a")), 1)
        );
    }

    #[test]
    fn a_server_is_named_without_its_password_or_by_the_key_file() {
        let found = parse("[store.tables]\nkind = \"postgres\"")
            .unwrap()
            .unwrap();
        let (url, schema) = (None, "amanah".to_owned());
        assert_eq!(found.database, Database::Postgres { url, schema });
        assert_eq!(found.folder(), None);
        for (text, key) in [
            (
                "url = \"postgresql://amanah@db.example/jemaah\"\nschema = \"haji_2030\"",
                "",
            ),
            (
                "url = \"postgresql://amanah:RAHASIA@db.example/jemaah\"",
                "url",
            ),
            (
                "url = \"postgresql://amanah@db.example/jemaah?sslmode=disable\"",
                "url",
            ),
            ("schema = \"pg_catalog\"", "schema"),
            ("schema = \"A; DROP\"", "schema"),
            ("schema = \"\"", "schema"),
            ("path = \"store/tables.sqlite\"", "path"),
            ("readers = \"group\"", "readers"),
        ] {
            let found = parse(&format!("[store.tables]\nkind = \"postgres\"\n{text}"));
            match found {
                Ok(_) => assert!(key.is_empty(), "{text}"),
                Err(error) => {
                    assert!(error.contains(&format!("line 5: `{key}`")), "{error}");
                    assert!(!error.contains("RAHASIA"), "{error}");
                }
            }
        }
    }

    #[test]
    fn a_database_lies_apart_from_what_others_write_and_from_the_daemon_s_own() {
        for path in [
            "inbox/t.sqlite",
            "outbox/x/t.sqlite",
            "spool/journal.sqlite",
            "spool/t.sqlite",
            "t.sqlite",
            "../t.sqlite",
            "store/../spool/t.sqlite",
            "/var/lib/amanah/inbox/t.sqlite",
            "store/tables",
            "store/tables.db",
            "/",
            "",
        ] {
            let text = format!("[store.tables]\nkind = \"sqlite\"\npath = {path:?}");
            let error = parse(&text).unwrap_err();
            assert!(
                error.contains("line 5: `path`: expected a file"),
                "{path}: {error}"
            );
        }
        for wrong in [
            "kind = \"oracle\"",
            "kind = \"sqlite\"\nurl = \"postgresql://a@b/c\"",
            "kind = \"sqlite\"\nschema = \"a\"",
            "kind = \"sqlite\"\nreaders = \"all\"",
            "path = \"a/b.sqlite\"",
        ] {
            assert!(
                parse(&format!("[store.tables]\n{wrong}")).is_err(),
                "{wrong}"
            );
        }
        assert!(parse("[store.tables]\nkind = \"sqlite\"\nas_files = [\"A B\"]").is_err());
    }
}
