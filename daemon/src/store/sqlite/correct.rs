//! How a correction finds and changes its row in SQLite, in the transaction in which it lands. What it may mean: `table/correct`.
//! Names are quoted; keys and values are parameters.

use amanah_format::id::PartyId;
use amanah_format::table::{Field, Value};
use rusqlite::{CachedStatement, Connection, OptionalExtension};

use super::value::bind;
use super::{StoreError, failed};
use crate::store::table::correct::{Correctable, Target};
use crate::store::table::shape::{self, quoted};

impl Correctable for &Connection {
    fn rows_of(
        &self,
        peer: &PartyId,
        flow: &str,
        bundle: &str,
    ) -> Result<Option<(String, String, i64)>, StoreError> {
        let query =
            "SELECT name, row_key, import FROM amanah_tables JOIN amanah_imports USING (peer, flow)
            WHERE peer = ?1 AND flow = ?2 AND manifest = ?3";
        let mut query = self.prepare_cached(query).map_err(failed)?;
        let found = query.query_row([peer.as_str(), flow, bundle], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        });
        found.optional().map_err(failed)
    }

    fn found_by_key(&self, table: &str) -> Result<(), StoreError> {
        shape::found_by_key(self, table)
    }

    fn withdraw(&self, target: &Target) -> Result<u64, StoreError> {
        let delete = format!(
            "DELETE FROM {} WHERE {}",
            quoted(&target.table),
            condition(target, 0)
        );
        let mut delete = self.prepare_cached(&delete).map_err(failed)?;
        bind_target(target, &mut delete, 0).map_err(failed)?;
        counted(delete.raw_execute())
    }

    fn replace(
        &self,
        target: &Target,
        fields: &[Field],
        values: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        let set: Vec<String> = (1..)
            .zip(fields)
            .map(|(place, field)| format!("{} = ?{place}", quoted(field.name())))
            .collect();
        let update = format!(
            "UPDATE {} SET {} WHERE {}",
            quoted(&target.table),
            set.join(", "),
            condition(target, fields.len())
        );
        let mut update = self.prepare_cached(&update).map_err(failed)?;
        let mut text = String::new();
        for (place, value) in (1..).zip(values) {
            bind(&mut update, place, value, &mut text).map_err(failed)?;
        }
        bind_target(target, &mut update, values.len()).map_err(failed)?;
        counted(update.raw_execute())
    }
}

fn counted(rows: rusqlite::Result<usize>) -> Result<u64, StoreError> {
    rows.map(|rows| u64::try_from(rows).unwrap_or(u64::MAX))
        .map_err(failed)
}

/// The row, with the parameters that come after `before` others.
fn condition(target: &Target, before: usize) -> String {
    let keys = (before + 1..).zip(&target.key);
    let keys = keys.map(|(place, name)| format!("{} = ?{place}", quoted(name)));
    let own = format!("amanah_import = ?{}", before + target.key.len() + 1);
    keys.chain([own]).collect::<Vec<_>>().join(" AND ")
}

fn bind_target(
    target: &Target,
    statement: &mut CachedStatement<'_>,
    before: usize,
) -> rusqlite::Result<()> {
    for (place, part) in (before + 1..).zip(&target.parts) {
        statement.raw_bind_parameter(place, part)?;
    }
    statement.raw_bind_parameter(before + target.parts.len() + 1, target.import)
}
