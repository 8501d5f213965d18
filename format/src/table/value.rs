//! A typed value of one cell, borrowed from the row that is being read. Stores write it, keys and totals are made of it.
//! There are no floats: numbers are whole, or exact decimals.

use std::cmp::Ordering;
use std::hash::Hasher;

use super::decimal::Decimal;
use super::temporal::{Date, Moment, TimeOfDay};

/// What a cell holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// Nothing: one of the schema's `missingValues`, or `null`.
    Missing,
    /// A text.
    Text(&'a str),
    /// A whole number.
    Integer(i64),
    /// An exact decimal number.
    Number(Decimal),
    /// Yes or no.
    Boolean(bool),
    /// A day.
    Date(Date),
    /// A time of day.
    Time(TimeOfDay),
    /// A moment.
    DateTime(Moment),
    /// A year, 1 to 9999.
    Year(i32),
    /// A month: 12 × year + month − 1.
    YearMonth(i32),
}

impl Value<'_> {
    /// Whether the cell holds nothing.
    #[must_use]
    pub const fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }

    /// The order within one kind; `None` between kinds, and where one is missing. Integers and numbers are one kind.
    #[must_use]
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        Some(match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => a.cmp(b),
            (Self::Integer(a), Self::Number(b)) => Decimal::from(*a).cmp(b),
            (Self::Number(a), Self::Integer(b)) => a.cmp(&Decimal::from(*b)),
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            (Self::Date(a), Self::Date(b)) => a.cmp(b),
            (Self::Time(a), Self::Time(b)) => a.cmp(b),
            (Self::DateTime(a), Self::DateTime(b)) => a.cmp(b),
            (Self::Year(a), Self::Year(b)) | (Self::YearMonth(a), Self::YearMonth(b)) => a.cmp(b),
            _ => return None,
        })
    }

    /// Feeds what makes the value itself: the same for every spelling of it, different for two values side by side.
    pub(super) fn hash_into(&self, hasher: &mut impl Hasher) {
        match self {
            Self::Missing => hasher.write_u8(0),
            Self::Text(text) => {
                hasher.write_u8(1);
                hasher.write_u64(u64::try_from(text.len()).unwrap_or(u64::MAX));
                hasher.write(text.as_bytes());
            }
            // A foreign key may lead from one to the other.
            Self::Integer(number) => Self::Number(Decimal::from(*number)).hash_into(hasher),
            Self::Number(number) => {
                hasher.write_u8(2);
                hasher.write_i128(number.count());
            }
            Self::Boolean(yes) => hasher.write(&[3, u8::from(*yes)]),
            Self::Date(date) => tagged(hasher, 4, i64::from(date.days())),
            Self::Time(time) => tagged(hasher, 5, time.micros()),
            Self::DateTime(moment) => tagged(hasher, 6, moment.micros()),
            Self::Year(year) => tagged(hasher, 7, i64::from(*year)),
            Self::YearMonth(months) => tagged(hasher, 8, i64::from(*months)),
        }
    }

    /// The value and so many days, of a date or a moment; others stay as they are.
    pub(super) const fn plus_days(self, days: i32) -> Self {
        if let Self::Date(date) = self {
            Self::Date(date.plus_days(days))
        } else if let Self::DateTime(moment) = self {
            Self::DateTime(moment.plus_days(days))
        } else {
            self
        }
    }
}

fn tagged(hasher: &mut impl Hasher, tag: u8, number: i64) {
    hasher.write_u8(tag);
    hasher.write_i64(number);
}
