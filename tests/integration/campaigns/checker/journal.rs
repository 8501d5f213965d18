//! The journal of a daemon that does not run, read from a copy with plain SQL: the states that occur, and the ledger's lines.
//! The states are held against the tables of SPOOL.md, read as text.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::tree;

/// Rows by state, out and in; the lines of the ledger.
pub(super) struct Rows {
    pub(super) outbound: BTreeMap<String, i64>,
    pub(super) inbound: BTreeMap<String, i64>,
    pub(super) lines: Vec<Vec<u8>>,
}

/// Where a row may rest: nothing more happens there by itself.
const RESTS_OUT: [&str; 4] = ["settled", "returned", "put-back", "destroyed"];
const RESTS_IN: [&str; 1] = ["delivered"];

impl Rows {
    pub(super) fn read(home: &Path) -> Result<Self> {
        let copy = tempfile::tempdir()?;
        for name in ["journal.sqlite", "journal.sqlite-wal"] {
            let from = home.join("spool").join(name);
            if from.exists() {
                fs::copy(&from, copy.path().join(name))?;
            }
        }
        let sql = rusqlite::Connection::open(copy.path().join("journal.sqlite"))?;
        let whole: String = sql.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        ensure!(whole == "ok", "integrity_check: {whole}");
        let states = |table: &str| -> Result<BTreeMap<String, i64>> {
            let text = format!("SELECT state, count(*) FROM {table} GROUP BY state");
            let mut statement = sql.prepare(&text)?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        };
        let mut statement = sql.prepare("SELECT line FROM ledger ORDER BY idx")?;
        let lines = statement.query_map([], |row| row.get(0))?;
        Ok(Self {
            outbound: states("outbound")?,
            inbound: states("inbound")?,
            lines: lines.collect::<rusqlite::Result<_>>()?,
        })
    }

    /// Every state is one of SPOOL.md's table, and one to rest in.
    pub(super) fn rest(&self) -> Result<()> {
        let text = fs::read_to_string(tree::root().join("daemon/src/SPOOL.md"))?;
        for (section, states, rests) in [
            (2, &self.outbound, &RESTS_OUT[..]),
            (3, &self.inbound, &RESTS_IN[..]),
        ] {
            let listed = states_listed(&text, section)?;
            for state in states.keys() {
                ensure!(
                    listed.contains(state),
                    "{state:?} is not in SPOOL.md §{section}"
                );
                ensure!(
                    rests.contains(&state.as_str()),
                    "under way still: {states:?}"
                );
            }
            for rest in rests {
                ensure!(
                    listed.iter().any(|state| state == rest),
                    "{rest} is not in SPOOL.md"
                );
            }
        }
        Ok(())
    }
}

/// The first column of the table of states in this section.
fn states_listed(text: &str, section: u32) -> Result<Vec<String>> {
    let part = text
        .split(&format!("\n## {section} "))
        .nth(1)
        .context("no such section")?;
    let table = part
        .split("| state | rows |")
        .nth(1)
        .context("no table of states")?;
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with("| `"));
    let names: Vec<String> = rows
        .filter_map(|row| row.split('`').nth(1))
        .map(str::to_owned)
        .collect();
    ensure!(!names.is_empty(), "an empty table of states");
    Ok(names)
}
