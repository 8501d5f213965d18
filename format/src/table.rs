//! Tables: agreed columns, checked row by row. FORMAT.md §17; what differs from the standard: `docs/tables.md`.
//!
//! A [`Schema`] is read from the exact bytes that an agreement pins. [`check()`] reads a CSV or JSON Lines table once, in bounded
//! memory, hands each sound row to a [`RowSink`] as typed values, and returns what it counted with a [`Report`] that names columns,
//! rules, counts and row numbers, and never a value. Both parties run the same check, before sealing and before importing;
//! [`check_on`] is the same on several threads.

mod across;
mod batch;
mod cell;
mod check;
mod commas;
mod constraint;
mod csv;
mod decimal;
mod first_look;
mod header;
mod json_lines;
mod keys;
mod kinds;
mod layout;
pub mod limits;
mod lines;
mod pattern;
mod plain;
mod raw;
mod report;
mod rows;
mod schema;
mod side_by_side;
mod sorter;
mod stretch;
mod temporal;
mod total;
mod value;
mod warning;

pub use across::{Compare, Op, Rule, RuleBody};
pub use batch::{Batch, RowForm};
pub use check::{Checked, Plan, RowSink, Rows, check, check_on};
pub use decimal::Decimal;
pub use kinds::Kind;
pub use report::{Fault, Finding, Level, Report, Subject};
pub use rows::Dialect;
pub use schema::{Field, ForeignKey, Schema, SchemaError};
pub use side_by_side::check_threads;
pub use sorter::{Memory, Spill};
pub use temporal::{Date, Moment, TimeOfDay};
pub use value::Value;
