//! How tables are asked for, made and widened in PostgreSQL, in the transaction of an import. What is decided about them:
//! `table/shape`. Names are quoted; values are parameters.

use amanah_format::manifest::AgreementRef;
use amanah_format::table::Field;
use tokio_postgres::Row;

use super::StoreError;
use super::link::Session;
use super::value::column_type;
use crate::store::table::TableImport;
use crate::store::table::shape::{Columns, Ground, Index, Table, quoted};

impl Ground for Session<'_> {
    const RESERVED: &'static str = "pg_";
    /// Columns that every table has.
    const NO_COLUMNS: &'static [&'static str] =
        &["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];
    const NAME_BYTES_MAX: usize = 63;

    fn known(&self, import: &TableImport) -> Result<Option<Table>, StoreError> {
        let query =
            "SELECT name, agreement_id, agreement_version, row_key, made_by FROM amanah_tables
            WHERE peer = $1 AND flow = $2";
        let (peer, flow) = (import.id.peer.as_str(), import.flow().as_str());
        let found = self.rows(query, &[&peer, &flow])?;
        Ok(found.first().map(table_of))
    }

    fn noted(&self, name: &str) -> Result<Option<(Table, String)>, StoreError> {
        let query =
            "SELECT t.name, t.agreement_id, t.agreement_version, t.row_key, t.made_by, i.mode
            FROM amanah_tables AS t JOIN amanah_imports AS i ON i.import = t.made_by WHERE t.name = $1";
        let found = self.rows(query, &[&name])?;
        Ok(found.first().map(|row| (table_of(row), row.get(5))))
    }

    /// A table's name is that of a type too.
    fn is_there(&self, name: &str) -> Result<bool, StoreError> {
        let query = "SELECT EXISTS (SELECT FROM pg_class WHERE relname = $1 AND relnamespace = current_schema()::regnamespace)
            OR EXISTS (SELECT FROM pg_type WHERE typname = $1 AND typnamespace = current_schema()::regnamespace)";
        let found = self.rows(query, &[&name])?;
        Ok(found.first().is_some_and(|row| row.get(0)))
    }

    /// With the store's schema, which is in nobody else's search path.
    fn place_of(&self, table: &str) -> String {
        let schema = self.rows("SELECT current_schema()::text", &[]).ok();
        let schema = schema.and_then(|rows| rows.first()?.try_get::<_, String>(0).ok());
        schema.map_or_else(|| table.to_owned(), |schema| format!("{schema}.{table}"))
    }

    fn forget(&self, name: &str) -> Result<(), StoreError> {
        self.change("DELETE FROM amanah_tables WHERE name = $1", &[&name])?;
        self.change("DELETE FROM amanah_columns WHERE table_name = $1", &[&name])?;
        Ok(())
    }

    fn make(&self, table: &Table, import: &TableImport) -> Result<(), StoreError> {
        let fields = import.schema.fields();
        let columns: Vec<String> = fields.iter().map(declared).collect();
        self.run(&format!(
            "CREATE TABLE {} ({}, amanah_import BIGINT NOT NULL, amanah_row BIGINT NOT NULL)",
            quoted(&table.name),
            columns.join(", ")
        ))?;
        let store = "INSERT INTO amanah_tables VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let (peer, flow) = (import.id.peer.as_str(), import.flow().as_str());
        let version = i64::from(table.agreement_version);
        self.change(
            store,
            &[
                &table.name,
                &peer,
                &flow,
                &table.agreement_id,
                &version,
                &table.key,
                &table.made_by,
            ],
        )?;
        fields
            .iter()
            .try_for_each(|field| note_column(self, &table.name, field))
    }

    fn columns(&self, table: &str) -> Result<Columns, StoreError> {
        let query = "SELECT name, kind FROM amanah_columns WHERE table_name = $1";
        let found = self.rows(query, &[&table])?;
        let columns = found.iter().map(|row| {
            let name: String = row.get(0);
            (name.to_ascii_lowercase(), (name, row.get(1)))
        });
        Ok(columns.collect())
    }

    fn add(&self, table: &str, field: &Field) -> Result<(), StoreError> {
        self.run(&format!(
            "ALTER TABLE {} ADD COLUMN {}",
            quoted(table),
            declared(field)
        ))?;
        note_column(self, table, field)
    }

    fn fits(&self, table: &str, agreement: &AgreementRef) -> Result<(), StoreError> {
        let store =
            "UPDATE amanah_tables SET agreement_id = $2, agreement_version = $3 WHERE name = $1";
        let version = i64::from(agreement.version);
        self.change(store, &[&table, &agreement.id.as_str(), &version])?;
        Ok(())
    }

    fn index(&self, table: &Table, index: Index<'_>) -> Result<bool, StoreError> {
        let name = format!("amanah_{}_{}", index.what, table.made_by);
        // Making it would lock the table, also where it is there already.
        if self.is_there(&name)? {
            return Ok(true);
        }
        let columns: Vec<String> = index.columns.iter().map(|name| quoted(name)).collect();
        let make = format!(
            "CREATE {} INDEX {} ON {} ({})",
            if index.is_unique { "UNIQUE" } else { "" },
            quoted(&name),
            quoted(&table.name),
            columns.join(", ")
        );
        match self.run(&make) {
            Err(failure) if failure.is_double() => Ok(false),
            made => Ok(made.map(|()| true)?),
        }
    }
}

fn table_of(row: &Row) -> Table {
    Table {
        name: row.get(0),
        agreement_id: row.get(1),
        agreement_version: u32::try_from(row.get::<_, i64>(2)).unwrap_or(u32::MAX),
        key: row.get(3),
        made_by: row.get(4),
    }
}

pub(super) fn declared(field: &Field) -> String {
    format!("{} {}", quoted(field.name()), column_type(field.kind()))
}

fn note_column(session: &Session<'_>, table: &str, field: &Field) -> Result<(), StoreError> {
    let store = "INSERT INTO amanah_columns VALUES ($1, $2, $3)";
    session.change(store, &[&table, &field.name(), &field.kind().code()])?;
    Ok(())
}
