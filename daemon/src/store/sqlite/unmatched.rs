//! References into other datasets: rows of an import that name what no table of the same peer has. A matter for a warning, asked after
//! the import: order varies, and a match may be missing for good reason.

use std::sync::Arc;

use amanah_format::id::FlowName;
use amanah_format::table::{ForeignKey, Schema};
use rusqlite::{Connection, OptionalExtension, params};

use super::{StoreError, failed};
use crate::store::table::shape::{self, quoted};
use crate::store::table::{TableImport, Unmatched};

/// One answer for each reference into a dataset that is here, as long as its rows are found by the columns that are referred to.
pub(super) fn unmatched(
    sql: &Connection,
    import: &TableImport,
    others: &[(FlowName, Arc<Schema>)],
) -> Result<Vec<Unmatched>, StoreError> {
    let query = "SELECT import, table_name FROM amanah_imports WHERE manifest = ?1";
    let own = sql.query_row(query, [import.id.manifest.to_string()], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
    });
    let Some((record, table)) = own.optional().map_err(failed)? else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for key in import.schema.foreign_keys() {
        let Some(dataset) = &key.resource else {
            continue;
        };
        let named = others.iter();
        let named = named.filter(|(_, schema)| schema.name() == Some(dataset.as_str()));
        let mut there = Vec::new();
        for (flow, _) in named {
            there.extend(keyed(sql, import, flow, &key.reference)?);
        }
        let Some(count) = count(import, key, &table, &there) else {
            continue;
        };
        let rows: i64 = sql
            .query_row(&count, [record], |row| row.get(0))
            .map_err(failed)?;
        if rows > 0 {
            found.push(Unmatched {
                dataset: dataset.clone(),
                rows: rows.unsigned_abs(),
            });
        }
    }
    Ok(found)
}

/// The table of another flow of this peer, where these columns are its key. Its index is made where it is missing: without it each row
/// would read all of the table.
fn keyed(
    sql: &Connection,
    import: &TableImport,
    flow: &FlowName,
    reference: &[String],
) -> Result<Option<String>, StoreError> {
    let query = "SELECT name FROM amanah_tables WHERE peer = ?1 AND flow = ?2 AND row_key = ?3
        AND EXISTS (SELECT 1 FROM sqlite_schema WHERE sqlite_schema.name = amanah_tables.name COLLATE NOCASE)";
    let values = params![import.id.peer.as_str(), flow.as_str(), reference.join(",")];
    let found = sql.query_row(query, values, |row| row.get::<_, String>(0));
    let found = found.optional().map_err(failed)?;
    if let Some(name) = &found {
        shape::found_by_key(&sql, name)?;
    }
    Ok(found)
}

/// The question; none where no such dataset is here.
fn count(import: &TableImport, key: &ForeignKey, table: &str, there: &[String]) -> Option<String> {
    if there.is_empty() {
        return None;
    }
    let fields = import.schema.fields();
    let own = key.fields.iter();
    let own = own.map(|place| Some(format!("own.{}", quoted(fields.get(*place)?.name()))));
    let own = own.collect::<Option<Vec<String>>>()?;
    let whole = own.iter().map(|column| format!("{column} IS NOT NULL"));
    let same: Vec<String> = own
        .iter()
        .zip(&key.reference)
        .map(|(own, other)| format!("other.{} = {own}", quoted(other)))
        .collect();
    let absent = there.iter().map(|other| {
        format!(
            "NOT EXISTS (SELECT 1 FROM {} AS other WHERE {})",
            quoted(other),
            same.join(" AND ")
        )
    });
    let all: Vec<String> = whole.chain(absent).collect();
    Some(format!(
        "SELECT count(*) FROM {} AS own WHERE own.amanah_import = ?1 AND {}",
        quoted(table),
        all.join(" AND ")
    ))
}
