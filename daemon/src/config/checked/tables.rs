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

/// Where rows land.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// The database's file; absolute.
    pub path: PathBuf,
    /// Who may read it beside the daemon's own user.
    pub readers: Readers,
    /// Table flows that land as files all the same.
    pub as_files: BTreeSet<FlowName>,
}

impl Tables {
    /// The folder in which the database and its log lie.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
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
        if tables.kind != "sqlite" {
            return Err(self.at(TABLE, "kind", "expected \"sqlite\""));
        }
        let path: PathBuf = home.join(&tables.path).components().collect();
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
                tables.path.display()
            );
            return Err(self.at(TABLE, "path", &reason));
        }
        let as_files = tables
            .as_files
            .iter()
            .map(|flow| self.read(TABLE, "as_files", flow));
        Ok(Some(Tables {
            path,
            readers: tables.readers,
            as_files: as_files.collect::<Result<_, _>>()?,
        }))
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
        assert_eq!(found.path, Path::new("/var/lib/amanah/store/tables.sqlite"));
        assert_eq!(found.readers, Readers::Owner);
        let text = "[store.tables]\nkind = \"sqlite\"\npath = \"/srv/a/t.sqlite\"\nreaders = \"group\"\nas_files = [\"rekap\"]";
        let found = parse(text).unwrap().unwrap();
        assert_eq!(
            (found.folder(), found.readers, found.as_files.len()),
            (Path::new("/srv/a"), Readers::Group, 1)
        );
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
            "kind = \"postgres\"",
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
