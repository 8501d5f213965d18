//! How values of a schema stand in SQLite: exact, in the forms that its own functions read. Whoever reads the tables finds it
//! in `docs/tables.md`; a test of two daemons holds each form.

use amanah_format::table::{Kind, Value};
use rusqlite::Statement;
use rusqlite::types::Null;

use crate::store::table::print;

/// The declared type of a column. Numbers are texts: SQLite's own would be binary floats.
pub(super) const fn column_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Integer | Kind::Boolean | Kind::Year => "INTEGER",
        Kind::Text | Kind::Number | Kind::Date | Kind::Time | Kind::DateTime | Kind::YearMonth => {
            "TEXT"
        }
    }
}

/// Binds a value to a place of a statement, counted from 1; `text` is room for printing.
pub(super) fn bind(
    statement: &mut Statement<'_>,
    place: usize,
    value: &Value<'_>,
    text: &mut String,
) -> rusqlite::Result<()> {
    match value {
        Value::Missing => return statement.raw_bind_parameter(place, Null),
        Value::Text(found) => return statement.raw_bind_parameter(place, *found),
        Value::Integer(number) => return statement.raw_bind_parameter(place, *number),
        Value::Boolean(yes) => return statement.raw_bind_parameter(place, *yes),
        Value::Year(year) => return statement.raw_bind_parameter(place, *year),
        Value::Number(_)
        | Value::Date(_)
        | Value::Time(_)
        | Value::DateTime(_)
        | Value::YearMonth(_) => {}
    }
    text.clear();
    print(value, text);
    statement.raw_bind_parameter(place, text.as_str())
}
