//! The tables of the flows, made from their schemas and kept fitting: what can be added is added, what would drop a column or read
//! one as something else is refused, with what must be done. Nothing is ever dropped here. Names come from the checked schema
//! and from the grammar of flows and parties, are quoted all the same, and are never taken from a row.

use std::collections::BTreeMap;

use amanah_format::table::Field;
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use super::value::column_type;
use super::{StoreError, failed};
use crate::engine::policy::Mode;
use crate::store::table::TableImport;

/// Beginnings of names that are the store's own, or SQLite's.
const RESERVED: [&str; 2] = ["amanah_", "sqlite_"];
/// More tables than any store has flows: a bound for the search of a free name.
const NAMES_TRIED: u32 = 1_000;

/// The table of a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    /// Its name.
    pub(super) name: String,
    agreement_id: String,
    agreement_version: u32,
    key: String,
    /// The import that made it: names of indexes are built on it, so that a table that was put aside keeps its own.
    made_by: i64,
}

/// A name as SQL writes it. Every name here is of letters, digits and underscores.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The table that this import's rows go to, made or widened where it must be.
pub(super) fn ensure(
    sql: &Connection,
    import: &TableImport,
    record: i64,
) -> Result<Table, StoreError> {
    let fields = import.schema.fields();
    if let Some(field) = fields.iter().find(|field| is_reserved(field.name())) {
        return Err(StoreError::Schema(format!(
            "column {} of flow {}: names that begin with amanah_ are the store's; agree on another",
            field.name(),
            import.flow()
        )));
    }
    let table = match known(sql, import)? {
        Some(table) if is_there(sql, &table.name)? => widened(sql, import, table)?,
        // Renamed or removed by whoever keeps the database: it is theirs, and a new one is made.
        Some(table) => {
            forget(sql, &table.name)?;
            made(sql, import, record)?
        }
        None => made(sql, import, record)?,
    };
    indexed(sql, import, &table)?;
    Ok(table)
}

fn is_reserved(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    RESERVED.iter().any(|reserved| name.starts_with(reserved))
}

fn known(sql: &Connection, import: &TableImport) -> Result<Option<Table>, StoreError> {
    let query = "SELECT name, agreement_id, agreement_version, row_key, made_by FROM amanah_tables
        WHERE peer = ?1 AND flow = ?2";
    let (peer, flow) = (import.id.peer.as_str(), import.flow().as_str());
    let found = sql.query_row(query, [peer, flow], |row| {
        Ok(Table {
            name: row.get(0)?,
            agreement_id: row.get(1)?,
            agreement_version: row.get(2)?,
            key: row.get(3)?,
            made_by: row.get(4)?,
        })
    });
    found.optional().map_err(failed)
}

fn is_there(sql: &Connection, name: &str) -> Result<bool, StoreError> {
    let query = "SELECT 1 FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE";
    let found = sql.query_row(query, [name], |_| Ok(())).optional();
    Ok(found.map_err(failed)?.is_some())
}

fn forget(sql: &Connection, name: &str) -> Result<(), StoreError> {
    for store in [
        "DELETE FROM amanah_tables WHERE name = ?1",
        "DELETE FROM amanah_columns WHERE table_name = ?1",
    ] {
        sql.execute(store, [name]).map_err(failed)?;
    }
    Ok(())
}

/// The flow's name; with the peer's behind it where that is taken, by another peer's flow or by whatever stands there.
fn free_name(sql: &Connection, import: &TableImport) -> Result<String, StoreError> {
    let plain = import.flow().as_str().replace('-', "_");
    let plain = if is_reserved(&plain) {
        format!("flow_{plain}")
    } else {
        plain
    };
    let peer = import.id.peer.as_str().replace('-', "_");
    for tried in 0..NAMES_TRIED {
        let name = match tried {
            0 => plain.clone(),
            1 => format!("{plain}__{peer}"),
            _ => format!("{plain}__{peer}_{tried}"),
        };
        if !is_there(sql, &name)? {
            return Ok(name);
        }
    }
    Err(StoreError::Schema(format!(
        "no free name for a table of flow {}",
        import.flow()
    )))
}

fn made(sql: &Connection, import: &TableImport, record: i64) -> Result<Table, StoreError> {
    let table = Table {
        name: free_name(sql, import)?,
        agreement_id: import.agreement.id.to_string(),
        agreement_version: import.agreement.version,
        key: key_of(import),
        made_by: record,
    };
    let fields = import.schema.fields();
    let columns: Vec<String> = fields.iter().map(declared).collect();
    let make = format!(
        "CREATE TABLE {} ({}, amanah_import INTEGER NOT NULL REFERENCES amanah_imports (import), \
         amanah_row INTEGER NOT NULL) STRICT",
        quoted(&table.name),
        columns.join(", ")
    );
    sql.execute_batch(&make).map_err(failed)?;
    let store = "INSERT INTO amanah_tables VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let values = params![
        table.name,
        import.id.peer.as_str(),
        import.flow().as_str(),
        table.agreement_id,
        table.agreement_version,
        table.key,
        record,
    ];
    sql.execute(store, values).map_err(failed)?;
    for field in fields {
        note_column(sql, &table.name, field)?;
    }
    Ok(table)
}

fn declared(field: &Field) -> String {
    format!("{} {}", quoted(field.name()), column_type(field.kind()))
}

fn note_column(sql: &Connection, table: &str, field: &Field) -> Result<(), StoreError> {
    let store = "INSERT INTO amanah_columns VALUES (?1, ?2, ?3)";
    let values = [table, field.name(), field.kind().code()];
    sql.execute(store, values).map(drop).map_err(failed)
}

fn key_of(import: &TableImport) -> String {
    let fields = import.schema.fields();
    let key = import.landing.key.iter();
    let names: Vec<&str> = key
        .filter_map(|place| Some(fields.get(*place)?.name()))
        .collect();
    names.join(",")
}

/// Adds what the schema has more; refuses what it has not, or has as something else.
fn widened(sql: &Connection, import: &TableImport, table: Table) -> Result<Table, StoreError> {
    let mut there = columns(sql, &table.name)?;
    for field in import.schema.fields() {
        match there.remove(&field.name().to_ascii_lowercase()) {
            None => {
                let add = format!(
                    "ALTER TABLE {} ADD COLUMN {}",
                    quoted(&table.name),
                    declared(field)
                );
                sql.execute_batch(&add).map_err(failed)?;
                note_column(sql, &table.name, field)?;
            }
            Some((name, kind)) if name == field.name() && kind == field.kind().code() => {}
            Some((name, kind)) => {
                let is = field.kind().code();
                let reason = format!(
                    "column {name} is {kind} there, and is {} {is} now",
                    field.name()
                );
                return Err(refused(import, &table, &reason));
            }
        }
    }
    let same = table.agreement_id == import.agreement.id.as_str();
    let is_older = same && import.agreement.version < table.agreement_version;
    // What a version before this one sends while it drains has no more than it had.
    if !is_older && let Some((name, _)) = there.into_values().next() {
        let reason = format!("column {name} is there, and is not agreed any more");
        return Err(refused(import, &table, &reason));
    }
    if is_older || (same && import.agreement.version == table.agreement_version) {
        return Ok(table);
    }
    let store =
        "UPDATE amanah_tables SET agreement_id = ?2, agreement_version = ?3 WHERE name = ?1";
    let (id, version) = (import.agreement.id.as_str(), import.agreement.version);
    sql.execute(store, params![table.name, id, version])
        .map_err(failed)?;
    Ok(table)
}

/// Name and kind of each column, by its name in lower case.
fn columns(
    sql: &Connection,
    table: &str,
) -> Result<BTreeMap<String, (String, String)>, StoreError> {
    let query = "SELECT name, kind FROM amanah_columns WHERE table_name = ?1";
    let mut query = sql.prepare_cached(query).map_err(failed)?;
    let rows = query.query_map([table], |row| {
        let name: String = row.get(0)?;
        Ok((name.to_ascii_lowercase(), (name, row.get(1)?)))
    });
    rows.and_then(Iterator::collect).map_err(failed)
}

/// Nothing is dropped: whoever keeps the database puts the table aside, and the next import makes one that fits.
fn refused(import: &TableImport, table: &Table, reason: &str) -> StoreError {
    StoreError::Schema(format!(
        "table {name} cannot take agreement {id} version {version}: {reason}. Keep the old rows under another name: \
         ALTER TABLE {name} RENAME TO {name}_lama;",
        name = table.name,
        id = import.agreement.id,
        version = import.agreement.version,
    ))
}

/// Rows are found by their key, and by the partition that is replaced; where they are merged, one key is one row.
fn indexed(sql: &Connection, import: &TableImport, table: &Table) -> Result<(), StoreError> {
    let upserts = import.landing.mode == Mode::Upsert;
    if upserts && key_of(import) != table.key {
        let reason = format!(
            "rows are named by ({}), and are by ({}) now",
            table.key,
            key_of(import)
        );
        return Err(refused(import, table, &reason));
    }
    let fields = import.schema.fields();
    let index = |what: &str, unique: &str, places: &[usize]| {
        let columns: Vec<String> = places
            .iter()
            .filter_map(|place| Some(quoted(fields.get(*place)?.name())))
            .collect();
        if columns.is_empty() {
            return Ok(());
        }
        let make = format!(
            "CREATE {unique} INDEX IF NOT EXISTS {} ON {} ({})",
            quoted(&format!("{}_{}_{what}", table.name, table.made_by)),
            quoted(&table.name),
            columns.join(", ")
        );
        sql.execute_batch(&make)
    };
    let made = if upserts {
        index("kunci", "UNIQUE", &import.landing.key)
    } else {
        index("baris", "", &import.landing.key)
    };
    let partition: Vec<usize> = import.landing.partition.into_iter().collect();
    let made = made.and_then(|()| index("bagian", "", &partition));
    made.map_err(|error| {
        if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) {
            return refused(import, table, "several rows have one key there");
        }
        failed(error)
    })
}
