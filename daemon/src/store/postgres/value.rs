//! How values of a schema stand in PostgreSQL: exact, in its own types, and as texts where it has none that keeps all of them (a
//! moment's offset, a month of a year). Encoded as its binary formats have it; who reads the tables finds it in `docs/tables.md`.

use std::error::Error;

use amanah_format::table::{Decimal, Kind, Value};
use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::store::table::print;

/// 2000-01-01, where PostgreSQL counts days from, in days since 1970-01-01.
const DAYS_FIRST: i32 = 10_957;
/// Digits of one place of its exact numbers: they are written to the base of 10,000.
const BASE: u128 = 10_000;
/// 10^18: what a decimal number is a whole count of.
const ONE: u128 = 1_000_000_000_000_000_000;
/// Places of four digits behind the point that 18 digits fill, and before it those that 20 digits fill.
const PLACES: usize = 5;
/// Its word for a negative number.
const NEGATIVE: u16 = 0x4000;

/// The type of a column.
pub(super) const fn column_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::DateTime | Kind::YearMonth => "TEXT",
        Kind::Integer => "BIGINT",
        Kind::Number => "NUMERIC",
        Kind::Boolean => "BOOLEAN",
        Kind::Date => "DATE",
        Kind::Time => "TIME",
        Kind::Year => "INTEGER",
    }
}

/// The text of a column's value as [`print`] writes it. A column of texts stays what its index was made of.
pub(super) fn text_of(column: &str, kind: &str) -> String {
    match kind {
        "string" | "datetime" | "yearmonth" => column.to_owned(),
        "boolean" => format!("{column}::integer::text"),
        _ => format!("{column}::text"),
    }
}

/// One cell on its way into the database.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell<'a> {
    /// Of the table.
    Of(&'a Value<'a>),
    /// The store's own.
    Whole(i64),
    /// A text that is compared.
    Text(&'a str),
}

impl ToSql for Cell<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Of(value) => put(value, out),
            Self::Whole(number) => put(&Value::Integer(*number), out),
            Self::Text(text) => put(&Value::Text(text), out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// The binary form of a value: each kind has its own, whatever the column is declared as.
pub(super) fn put(
    value: &Value<'_>,
    out: &mut impl BufMut,
) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
    match value {
        Value::Missing => return Ok(IsNull::Yes),
        Value::Text(text) => out.put_slice(text.as_bytes()),
        Value::Integer(number) => out.put_i64(*number),
        Value::Number(number) => put_number(*number, out)?,
        Value::Boolean(yes) => out.put_u8(u8::from(*yes)),
        Value::Date(date) => out.put_i32(date.days() - DAYS_FIRST),
        Value::Time(time) => out.put_i64(time.micros()),
        Value::Year(year) => out.put_i32(*year),
        Value::DateTime(_) | Value::YearMonth(_) => {
            let mut text = String::new();
            print(value, &mut text);
            out.put_slice(text.as_bytes());
        }
    }
    Ok(IsNull::No)
}

/// The binary form of an exact number (`numeric_send` of the server): places of four digits, the weight of the first, the sign,
/// how many decimal digits are shown.
fn put_number(number: Decimal, out: &mut impl BufMut) -> Result<(), std::num::TryFromIntError> {
    let count = number.count();
    let size = count.unsigned_abs();
    let (mut whole, fraction) = (size / ONE, size % ONE);
    let mut digits = [0_u16; PLACES * 2];
    let (before, behind) = digits.split_at_mut(PLACES);
    for place in before.iter_mut().rev() {
        *place = u16::try_from(whole % BASE)?;
        whole /= BASE;
    }
    // 18 digits and two zeros more fill the places.
    let mut rest = fraction * 100;
    for place in behind.iter_mut().rev() {
        *place = u16::try_from(rest % BASE)?;
        rest /= BASE;
    }
    let first = digits.iter().take_while(|place| **place == 0).count();
    let used = digits.get(first..).unwrap_or_default();
    let zeros = used.iter().rev().take_while(|place| **place == 0).count();
    let used = used.get(..used.len() - zeros).unwrap_or_default();
    let weight = i16::try_from(PLACES)? - 1 - i16::try_from(first)?;
    out.put_i16(i16::try_from(used.len())?);
    out.put_i16(if used.is_empty() { 0 } else { weight });
    out.put_u16(if count < 0 { NEGATIVE } else { 0 });
    out.put_i16(shown_digits(fraction));
    for place in used {
        out.put_u16(*place);
    }
    Ok(())
}

/// Digits of a fraction without the zeros at its end.
fn shown_digits(mut fraction: u128) -> i16 {
    if fraction == 0 {
        return 0;
    }
    let mut shown = 18;
    while fraction.is_multiple_of(10) {
        fraction /= 10;
        shown -= 1;
    }
    shown
}
