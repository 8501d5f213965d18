//! How values of a schema stand in SQLite: exact, in the forms that its own functions read. Whoever reads the tables finds it
//! in `docs/tables.md`; a test of two daemons holds each form.

use std::fmt::Write;

use amanah_format::table::{Kind, Value};
use rusqlite::Statement;
use rusqlite::types::Null;

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

/// The text of a value that has no number of its own in SQLite.
pub(super) fn print(value: &Value<'_>, text: &mut String) {
    // Writing to a string never fails.
    let _ = match value {
        Value::Missing => Ok(()),
        Value::Text(found) => text.write_str(found),
        Value::Integer(number) => write!(text, "{number}"),
        Value::Number(number) => write!(text, "{number}"),
        Value::Boolean(yes) => write!(text, "{}", u8::from(*yes)),
        Value::Date(date) => write!(text, "{date}"),
        Value::Time(time) => write!(text, "{time}"),
        Value::DateTime(moment) => write!(text, "{moment}"),
        Value::Year(year) => write!(text, "{year}"),
        Value::YearMonth(months) => {
            let (year, month) = (months.div_euclid(12), months.rem_euclid(12));
            write!(text, "{year:04}-{:02}", month.saturating_add(1))
        }
    };
}
