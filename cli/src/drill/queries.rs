//! D5 `cek-paspor` and `status-paspor`: a question for each row and its answer, in requests of at most 50,000 rows. The answer says
//! whether number and day of birth belong together, and little else.

use std::ops::ControlFlow;

use super::dice::{Dice, Purpose};
use super::plan::Plan;
use super::row::Row;
use super::traveller::Person;
use super::umrah::Put;

/// Rows of one request.
const REQUEST_ROWS: u64 = 50_000;

/// What is asked for, and what the answer is.
pub(crate) fn outcome(seed: u64, number: u64) -> &'static str {
    match Dice::of(seed, Purpose::Query, number).below(1_000) {
        0..15 => "TIDAK_DITEMUKAN",
        15..40 => "TIDAK_SESUAI",
        _ => "SESUAI",
    }
}

fn key(plan: &Plan, number: u64, row: &mut Row) {
    let (year, ..) = plan.from.civil();
    let year = u64::try_from(year).unwrap_or(0);
    row.clear();
    let request = number / REQUEST_ROWS + 1;
    row.text(&format!("CEK-{year:04}-{request:06}"));
    row.number(number % REQUEST_ROWS + 1);
}

/// D5, the questions.
pub(crate) fn questions(plan: &Plan, rows: u64, row: &mut Row, put: Put<'_>) -> ControlFlow<()> {
    for number in 0..rows {
        let person = Person::of(plan.seed, number, plan.from);
        key(plan, number, row);
        row.coded("Z", person.passport, 7).day(person.born);
        put(row)?;
    }
    ControlFlow::Continue(())
}

/// D5, the answers.
pub(crate) fn answers(plan: &Plan, rows: u64, row: &mut Row, put: Put<'_>) -> ControlFlow<()> {
    for number in 0..rows {
        let outcome = outcome(plan.seed, number);
        key(plan, number, row);
        row.text(outcome);
        if outcome == "SESUAI" {
            document(plan, number, row);
        } else {
            row.nothing().nothing().nothing();
        }
        put(row)?;
    }
    ControlFlow::Continue(())
}

fn document(plan: &Plan, number: u64, row: &mut Row) {
    let mut dice = Dice::of(plan.seed, Purpose::Query, number | 1 << 60);
    let (status, days) = match dice.below(100) {
        0..90 => ("TERBIT", Some(200 + dice.below(3_400))),
        90..94 => ("DALAM_PROSES", None),
        94..96 => ("BELUM_DIAJUKAN", None),
        96 => ("DIBATALKAN", None),
        97 => ("HILANG", None),
        _ => ("KEDALUWARSA", Some(0)),
    };
    row.text(status);
    row.maybe_day(days.map(|days| plan.from.plus(i64::try_from(days).unwrap_or(0) - 1)));
    if days.is_some() {
        row.coded("KANIM CONTOH ", 1 + dice.below(151), 3);
    } else {
        row.nothing();
    }
}
