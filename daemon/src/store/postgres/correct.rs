//! How a correction finds and changes its row in PostgreSQL, in the transaction in which it lands. What it may mean: `table/correct`.
//! A key is compared as the text that a correction has, whatever the column's type: what is no number cannot fail the transaction.

use amanah_format::id::PartyId;
use amanah_format::table::{Field, Value};
use tokio_postgres::types::ToSql;

use super::StoreError;
use super::link::Session;
use super::value::{Cell, text_of};
use crate::store::table::correct::{Correctable, Target};
use crate::store::table::shape::{self, Ground, quoted};

impl Correctable for &Session<'_> {
    fn rows_of(
        &self,
        peer: &PartyId,
        flow: &str,
        bundle: &str,
    ) -> Result<Option<(String, String, i64)>, StoreError> {
        let query =
            "SELECT name, row_key, import FROM amanah_tables JOIN amanah_imports USING (peer, flow)
            WHERE peer = $1 AND flow = $2 AND manifest = $3";
        let found = self.rows(query, &[&peer.as_str(), &flow, &bundle])?;
        Ok(found
            .first()
            .map(|row| (row.get(0), row.get(1), row.get(2))))
    }

    fn found_by_key(&self, table: &str) -> Result<(), StoreError> {
        shape::found_by_key(*self, table)
    }

    fn withdraw(&self, target: &Target) -> Result<u64, StoreError> {
        let delete = format!(
            "DELETE FROM {} WHERE {}",
            quoted(&target.table),
            condition(self, target, 0)?
        );
        let cells = of_target(target);
        Ok(self.change(&delete, &asked(&cells))?)
    }

    fn replace(
        &self,
        target: &Target,
        fields: &[Field],
        values: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        let set: Vec<String> = (1..)
            .zip(fields)
            .map(|(place, field)| format!("{} = ${place}", quoted(field.name())))
            .collect();
        let update = format!(
            "UPDATE {} SET {} WHERE {}",
            quoted(&target.table),
            set.join(", "),
            condition(self, target, fields.len())?
        );
        let mut cells: Vec<Cell<'_>> = values.iter().map(Cell::Of).collect();
        cells.extend(of_target(target));
        Ok(self.change(&update, &asked(&cells))?)
    }
}

fn asked<'a>(cells: &'a [Cell<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    let mut asked: Vec<&(dyn ToSql + Sync)> = Vec::with_capacity(cells.len());
    for cell in cells {
        asked.push(cell);
    }
    asked
}

/// What its condition compares.
fn of_target(target: &Target) -> Vec<Cell<'_>> {
    let parts = target.parts.iter().map(|part| Cell::Text(part));
    parts.chain([Cell::Whole(target.import)]).collect()
}

/// The row, with the parameters that come after `before` others.
fn condition(session: &Session<'_>, target: &Target, before: usize) -> Result<String, StoreError> {
    let columns = session.columns(&target.table)?;
    let keys = (before + 1..).zip(&target.key).map(|(place, name)| {
        let kind = columns.get(&name.to_ascii_lowercase());
        let kind = kind.map_or("string", |(_, kind)| kind.as_str());
        format!("{} = ${place}::text", text_of(&quoted(name), kind))
    });
    let own = format!("amanah_import = ${}", before + target.key.len() + 1);
    Ok(keys.chain([own]).collect::<Vec<_>>().join(" AND "))
}
