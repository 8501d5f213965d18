//! References into other datasets: rows of an import that name what no table of the same peer has. A matter for a warning, asked after
//! the import: order varies, and a match may be missing for good reason. Keys of two kinds are compared as texts.

use std::sync::Arc;

use amanah_format::id::FlowName;
use amanah_format::table::{ForeignKey, Schema};

use super::StoreError;
use super::link::Session;
use super::value::text_of;
use crate::store::table::shape::{Columns, Ground, quoted};
use crate::store::table::{TableImport, Unmatched};

/// One answer for each reference into a dataset that is here, as long as its rows are found by the columns that are referred to.
pub(super) fn unmatched(
    session: &Session<'_>,
    import: &TableImport,
    others: &[(FlowName, Arc<Schema>)],
) -> Result<Vec<Unmatched>, StoreError> {
    let query = "SELECT import, table_name FROM amanah_imports WHERE manifest = $1";
    let own = session.rows(query, &[&import.id.manifest.to_string()])?;
    let Some(own) = own.first() else {
        return Ok(Vec::new());
    };
    let (record, table): (i64, String) = (own.get(0), own.get(1));
    let mut found = Vec::new();
    for key in import.schema.foreign_keys() {
        let Some(dataset) = &key.resource else {
            continue;
        };
        let named = others.iter();
        let named = named.filter(|(_, schema)| schema.name() == Some(dataset));
        let mut there = Vec::new();
        for (flow, _) in named {
            there.extend(keyed(session, import, flow, &key.reference)?);
        }
        let Some(count) = count(import, key, &table, &there) else {
            continue;
        };
        let counted = session.rows(&count, &[&record])?;
        let rows = counted.first().map_or(0, |row| row.get::<_, i64>(0));
        if rows > 0 {
            found.push(Unmatched {
                dataset: dataset.clone(),
                rows: rows.unsigned_abs(),
            });
        }
    }
    Ok(found)
}

/// The table of another flow of this peer and its columns, where these are its key: by its index, or, where the daemon died before it came to
/// that, by joining all of it.
fn keyed(
    session: &Session<'_>,
    import: &TableImport,
    flow: &FlowName,
    reference: &[String],
) -> Result<Option<(String, Columns)>, StoreError> {
    let query = "SELECT name FROM amanah_tables WHERE peer = $1 AND flow = $2 AND row_key = $3";
    let peer = import.id.peer.as_str();
    let found = session.rows(query, &[&peer, &flow.as_str(), &reference.join(",")])?;
    let Some(name) = found.first().map(|row| row.get::<_, String>(0)) else {
        return Ok(None);
    };
    if !session.is_there(&name)? {
        return Ok(None);
    }
    let columns = session.columns(&name)?;
    Ok(Some((name, columns)))
}

/// The question; none where no such dataset is here.
fn count(
    import: &TableImport,
    key: &ForeignKey,
    table: &str,
    there: &[(String, Columns)],
) -> Option<String> {
    if there.is_empty() {
        return None;
    }
    let fields = import.schema.fields();
    let own = key.fields.iter().map(|place| fields.get(*place));
    let own = own.collect::<Option<Vec<_>>>()?;
    let whole = own
        .iter()
        .map(|field| format!("own.{} IS NOT NULL", quoted(field.name())));
    let absent = there.iter().map(|(other, columns)| {
        let same = own.iter().zip(&key.reference).map(|(field, name)| {
            let mine = format!("own.{}", quoted(field.name()));
            let theirs = format!("other.{}", quoted(name));
            let kind = columns.get(&name.to_ascii_lowercase());
            let kind = kind.map_or("string", |(_, kind)| kind.as_str());
            if kind == field.kind().code() {
                return format!("{theirs} = {mine}");
            }
            let mine = text_of(&mine, field.kind().code());
            format!("{} = {mine}", text_of(&theirs, kind))
        });
        let same: Vec<String> = same.collect();
        format!(
            "NOT EXISTS (SELECT 1 FROM {} AS other WHERE {})",
            quoted(other),
            same.join(" AND ")
        )
    });
    let all: Vec<String> = whole.chain(absent).collect();
    Some(format!(
        "SELECT count(*) FROM {} AS own WHERE own.amanah_import = $1 AND {}",
        quoted(table),
        all.join(" AND ")
    ))
}
