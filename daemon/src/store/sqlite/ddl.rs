//! How tables are asked for, made and widened in SQLite, in the transaction of an import. What is decided about them: `table/shape`.
//! Names are quoted; values are parameters.

use std::collections::BTreeMap;

use amanah_format::manifest::AgreementRef;
use amanah_format::table::Field;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};

use super::value::column_type;
use super::{StoreError, failed};
use crate::store::table::TableImport;
use crate::store::table::shape::{Columns, Ground, Index, Table, quoted};

impl Ground for &Connection {
    const RESERVED: &'static str = "sqlite_";
    const NO_COLUMNS: &'static [&'static str] = &[];
    const NAME_BYTES_MAX: usize = 256;

    fn known(&self, import: &TableImport) -> Result<Option<Table>, StoreError> {
        let query =
            "SELECT name, agreement_id, agreement_version, row_key, made_by FROM amanah_tables
            WHERE peer = ?1 AND flow = ?2";
        let (peer, flow) = (import.id.peer.as_str(), import.flow().as_str());
        let found = self.query_row(query, [peer, flow], table_of);
        found.optional().map_err(failed)
    }

    fn noted(&self, name: &str) -> Result<Option<(Table, String)>, StoreError> {
        let query =
            "SELECT t.name, t.agreement_id, t.agreement_version, t.row_key, t.made_by, i.mode
            FROM amanah_tables AS t JOIN amanah_imports AS i ON i.import = t.made_by WHERE t.name = ?1";
        let found = self.query_row(query, [name], |row| Ok((table_of(row)?, row.get(5)?)));
        found.optional().map_err(failed)
    }

    fn is_there(&self, name: &str) -> Result<bool, StoreError> {
        let query = "SELECT 1 FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE";
        let found = self.query_row(query, [name], |_| Ok(())).optional();
        Ok(found.map_err(failed)?.is_some())
    }

    fn forget(&self, name: &str) -> Result<(), StoreError> {
        for store in [
            "DELETE FROM amanah_tables WHERE name = ?1",
            "DELETE FROM amanah_columns WHERE table_name = ?1",
        ] {
            self.execute(store, [name]).map_err(failed)?;
        }
        Ok(())
    }

    fn make(&self, table: &Table, import: &TableImport) -> Result<(), StoreError> {
        let fields = import.schema.fields();
        let columns: Vec<String> = fields.iter().map(declared).collect();
        let make = format!(
            "CREATE TABLE {} ({}, amanah_import INTEGER NOT NULL REFERENCES amanah_imports (import), \
             amanah_row INTEGER NOT NULL) STRICT",
            quoted(&table.name),
            columns.join(", ")
        );
        self.execute_batch(&make).map_err(failed)?;
        let store = "INSERT INTO amanah_tables VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let values = params![
            table.name,
            import.id.peer.as_str(),
            import.flow().as_str(),
            table.agreement_id,
            table.agreement_version,
            table.key,
            table.made_by,
        ];
        self.execute(store, values).map_err(failed)?;
        for field in fields {
            note_column(self, &table.name, field)?;
        }
        Ok(())
    }

    fn columns(&self, table: &str) -> Result<Columns, StoreError> {
        let query = "SELECT name, kind FROM amanah_columns WHERE table_name = ?1";
        let mut query = self.prepare_cached(query).map_err(failed)?;
        let rows = query.query_map([table], |row| {
            let name: String = row.get(0)?;
            Ok((name.to_ascii_lowercase(), (name, row.get(1)?)))
        });
        rows.and_then(Iterator::collect::<Result<BTreeMap<_, _>, _>>)
            .map_err(failed)
    }

    fn add(&self, table: &str, field: &Field) -> Result<(), StoreError> {
        let add = format!(
            "ALTER TABLE {} ADD COLUMN {}",
            quoted(table),
            declared(field)
        );
        self.execute_batch(&add).map_err(failed)?;
        note_column(self, table, field)
    }

    fn fits(&self, table: &str, agreement: &AgreementRef) -> Result<(), StoreError> {
        let store =
            "UPDATE amanah_tables SET agreement_id = ?2, agreement_version = ?3 WHERE name = ?1";
        let (id, version) = (agreement.id.as_str(), agreement.version);
        self.execute(store, params![table, id, version])
            .map(drop)
            .map_err(failed)
    }

    fn index(&self, table: &Table, index: Index<'_>) -> Result<bool, StoreError> {
        let columns: Vec<String> = index.columns.iter().map(|name| quoted(name)).collect();
        let make = format!(
            "CREATE {} INDEX IF NOT EXISTS {} ON {} ({})",
            if index.is_unique { "UNIQUE" } else { "" },
            quoted(&format!("{}_{}_{}", table.name, table.made_by, index.what)),
            quoted(&table.name),
            columns.join(", ")
        );
        match self.execute_batch(&make) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                Ok(false)
            }
            made => made.map(|()| true).map_err(failed),
        }
    }
}

fn table_of(row: &Row<'_>) -> rusqlite::Result<Table> {
    Ok(Table {
        name: row.get(0)?,
        agreement_id: row.get(1)?,
        agreement_version: row.get(2)?,
        key: row.get(3)?,
        made_by: row.get(4)?,
    })
}

fn declared(field: &Field) -> String {
    format!("{} {}", quoted(field.name()), column_type(field.kind()))
}

fn note_column(sql: &Connection, table: &str, field: &Field) -> Result<(), StoreError> {
    let store = "INSERT INTO amanah_columns VALUES (?1, ?2, ?3)";
    let values = [table, field.name(), field.kind().code()];
    sql.execute(store, values).map(drop).map_err(failed)
}
