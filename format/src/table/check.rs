//! The check: a table is read once, row by row, against a schema. Memory follows from the schema, not from the table; what is
//! sound goes on to a sink as typed values; what is not becomes findings. The same code runs before sealing and before importing.

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::cell;
use super::first_look::{MARK, first_look, is_json};
use super::header;
use super::keys::{Key, Rounding, keys};
use super::limits::ROWS_MAX;
use super::report::{Draft, Fault, Level, Report, Subject};
use super::rows::{Cell, Dialect, Form, Lines, RowText, Rows as Source, Step};
use super::schema::{Field, Schema};
use super::sorter::{Runs, Spill, hash};
use super::total::Total;
use super::value::Value;

/// What a table is checked against.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'p> {
    /// The columns and their rules.
    pub schema: &'p Schema,
    /// How the table is written.
    pub dialect: Dialect,
    /// Most rows, where the flow bounds them.
    pub rows_max: Option<u64>,
    /// Places of the columns to total: the flow's `totals`.
    pub totals: &'p [usize],
    /// Random, of this check alone: the key of what spills.
    pub key: [u8; 16],
}

/// Where sound rows go. Those before a faulty one have been handed over by then: a store imports only after a sound report.
pub trait RowSink {
    /// Takes a row: its number from 1, and one value for each column of the schema, in order.
    ///
    /// # Errors
    /// The sink's own: it ends the check.
    fn row(&mut self, number: u64, values: &[Value<'_>]) -> io::Result<()>;
}

/// Rows counted and dropped.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rows;

impl RowSink for Rows {
    fn row(&mut self, _: u64, _: &[Value<'_>]) -> io::Result<()> {
        Ok(())
    }
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What is wrong.
    pub report: Report,
    /// Rows without the header, sound or not; of a table that could not be read to its end, those before.
    pub rows: u64,
    /// Totals of the planned columns, as decimal text. Of the sound rows only: they count when the report is sound.
    pub totals: BTreeMap<String, String>,
}

/// Reads `content` to its end, or to where it cannot be read on.
///
/// # Errors
/// The reader's, the spill's or the sink's. A wrong table is no error: it is in the report.
pub fn check(
    content: &mut dyn Read,
    plan: &Plan<'_>,
    spill: &mut dyn Spill,
    sink: &mut dyn RowSink,
) -> io::Result<Checked> {
    let mut check = Check::new(plan, spill);
    let mut lines = Lines::new(content);
    match first_look(lines.look()?) {
        None => {}
        Some(Fault::ByteOrderMark) => {
            check.draft.note(Fault::ByteOrderMark, Subject::File);
            lines.skip(MARK.len());
        }
        Some(fault) => {
            check.draft.note(fault, Subject::File);
            return Ok(check.report());
        }
    }
    if plan.dialect == Dialect::Csv && is_json(lines.look()?) {
        check.draft.note(Fault::Json, Subject::File);
        return Ok(check.report());
    }
    let mut source = Source::new(plan.dialect, lines, plan.schema);
    if plan.dialect == Dialect::Csv && !check.header(&mut source)? {
        return Ok(check.report());
    }
    check.rows(&mut source, sink)?;
    check.finish()
}

struct Check<'p> {
    plan: &'p Plan<'p>,
    fields: &'p [Field],
    draft: Draft,
    keys: Vec<Key>,
    rounding: Vec<Rounding>,
    /// The last sound text of each column.
    last: Vec<String>,
    totals: Vec<(usize, Total)>,
    runs: Runs<'p>,
    rows: u64,
}

impl<'p> Check<'p> {
    fn new(plan: &'p Plan<'p>, spill: &'p mut dyn Spill) -> Self {
        let fields = plan.schema.fields();
        let total = |place: &usize| {
            fields
                .get(*place)
                .map(|field| (*place, Total::of(field.kind())))
        };
        Self {
            plan,
            fields,
            draft: Draft::default(),
            keys: keys(plan.schema),
            rounding: vec![Rounding::default(); fields.len()],
            last: vec![String::new(); fields.len()],
            totals: plan.totals.iter().filter_map(total).collect(),
            runs: Runs::new(spill),
            rows: 0,
        }
    }

    /// Whether rows can be read by it.
    fn header(&mut self, source: &mut Source<'_>) -> io::Result<bool> {
        match source.next()? {
            Step::Row => Ok(header::compare(
                self.plan.schema,
                source.row(),
                &mut self.draft,
            )),
            Step::Faulty(Fault::BlankRow) => {
                self.draft.note(Fault::NoHeader, Subject::File);
                Ok(false)
            }
            Step::Faulty(fault) | Step::Broken(fault) => {
                self.draft.row(Level::Refusal, fault, Subject::File, 0);
                Ok(false)
            }
            Step::End => {
                self.draft.note(Fault::Empty, Subject::File);
                Ok(false)
            }
        }
    }

    fn rows(&mut self, source: &mut Source<'_>, sink: &mut dyn RowSink) -> io::Result<()> {
        // The values borrow from the row's text, so the room for them is made anew; it is one allocation a row.
        while self.rows < ROWS_MAX {
            let step = source.next()?;
            if step == Step::End {
                return Ok(());
            }
            self.rows += 1;
            match step {
                Step::Row => self.row(source.row(), sink)?,
                Step::Faulty(fault) => {
                    let subject = source.subject();
                    self.draft.row(Level::Refusal, fault, subject, self.rows);
                }
                Step::Broken(fault) => {
                    self.draft
                        .row(Level::Refusal, fault, Subject::File, self.rows);
                    return Ok(());
                }
                Step::End => {}
            }
        }
        self.draft.note(Fault::TooManyRows, Subject::File);
        Ok(())
    }

    fn row(&mut self, row: &RowText, sink: &mut dyn RowSink) -> io::Result<()> {
        let number = self.rows;
        if row
            .cells
            .iter()
            .all(|cell| cell.form == Form::Text && cell.start == cell.end)
        {
            self.draft
                .row(Level::Refusal, Fault::BlankRow, Subject::File, number);
            return Ok(());
        }
        if row.cells.len() != self.fields.len() {
            self.draft
                .row(Level::Refusal, Fault::CellCount, Subject::File, number);
            return Ok(());
        }
        let mut values = Vec::with_capacity(row.cells.len());
        let mut sound = !row.has_control();
        let columns = row.cells.iter().zip(self.fields).zip(&mut self.last);
        for (place, ((cell, field), last)) in columns.enumerate() {
            let text = row.of(cell);
            let fault = if sound || !super::rows::has_control(text) {
                let cell = (cell.form, text);
                cell::read(self.plan.schema, field, cell, &mut values, last)
            } else {
                values.push(Value::Missing);
                Some(Fault::Control)
            };
            if let Some(fault) = fault {
                self.draft.cell(place, fault, number);
                sound = false;
            }
        }
        self.long_numbers(row, &values);
        // A cell that is wrong counts as missing from here on: rules would only repeat what was said of it.
        sound = sound && self.across(&values);
        self.keys(&values)?;
        if sound {
            self.total(row, &values);
            if !self.draft.refuses() {
                sink.row(number, &values)?;
            }
        }
        Ok(())
    }

    fn long_numbers(&mut self, row: &RowText, values: &[Value<'_>]) {
        let columns = self
            .rounding
            .iter_mut()
            .zip(self.fields)
            .zip(values)
            .zip(&row.cells);
        for (((rounding, field), value), cell) in columns {
            let Value::Text(text) = value else { continue };
            if cell.end - cell.start < 16 || field.may_end_in_zeros() {
                continue;
            }
            if let Some(rounded) = cell::is_rounded(text) {
                rounding.long += 1;
                if rounded {
                    rounding.rounded.add(self.rows);
                }
            }
        }
    }

    /// Whether no rule across fields refuses the row.
    fn across(&mut self, values: &[Value<'_>]) -> bool {
        let mut sound = true;
        for rule in self.plan.schema.rules() {
            if !rule.holds(values) {
                sound = sound && rule.level() == Level::Warning;
                let subject = Subject::Rule(rule.name().to_owned());
                self.draft
                    .row(rule.level(), Fault::Rule, subject, self.rows);
            }
        }
        sound
    }

    /// A key with a missing part is not compared, as in SQL.
    fn keys(&mut self, values: &[Value<'_>]) -> io::Result<()> {
        for key in &mut self.keys {
            let hashed = |places: &[usize]| {
                let cells = || places.iter().filter_map(|place| values.get(*place));
                let whole = cells().all(|value| !value.is_missing());
                whole.then(|| hash(&self.plan.key, cells()))
            };
            let own = hashed(&key.fields);
            match &key.reference {
                None => {
                    if let Some(own) = own {
                        key.sorter.push(own, self.rows, &mut self.runs)?;
                    }
                }
                Some(reference) => {
                    if let Some(there) = hashed(reference) {
                        key.sorter.push(there, self.rows, &mut self.runs)?;
                    }
                    if let Some(own) = own {
                        key.sorter.push_reference(own, self.rows, &mut self.runs)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn total(&mut self, row: &RowText, values: &[Value<'_>]) {
        for (place, total) in &mut self.totals {
            let cell = row.cells.get(*place).map(|cell: &Cell| row.of(cell));
            if let Some((value, text)) = values.get(*place).zip(cell) {
                total.add(value, text);
            }
        }
    }

    fn finish(mut self) -> io::Result<Checked> {
        for key in std::mem::take(&mut self.keys) {
            let subject = self.subject(&key.fields);
            let tally = match key.reference {
                None => key.sorter.duplicates(&mut self.runs)?,
                Some(_) => key.sorter.dangling(&mut self.runs)?,
            };
            self.draft.rows(Level::Refusal, key.fault, subject, tally);
        }
        for (place, rounding) in std::mem::take(&mut self.rounding).into_iter().enumerate() {
            if let Some(level) = rounding.level() {
                let subject = self.subject(&[place]);
                self.draft
                    .rows(level, Fault::ExcelRounded, subject, rounding.rounded);
            }
        }
        if let Some(most) = self.plan.rows_max
            && self.rows > most
        {
            self.draft.note(Fault::TooManyRows, Subject::File);
        }
        let unfit = self
            .totals
            .iter()
            .filter(|(_, total)| total.text().is_none());
        let unfit: Vec<usize> = unfit.map(|(place, _)| *place).collect();
        for place in unfit {
            let subject = self.subject(&[place]);
            self.draft.note(Fault::Total, subject);
        }
        Ok(self.report())
    }

    fn subject(&self, places: &[usize]) -> Subject {
        let mut names: Vec<String> = places
            .iter()
            .map(|place| name_of(self.fields, *place))
            .collect();
        match names.len() {
            1 => Subject::Column(names.remove(0)),
            _ => Subject::Key(names),
        }
    }

    fn report(self) -> Checked {
        let fields = self.fields;
        let totals = self.totals.iter();
        let totals =
            totals.filter_map(|(place, total)| Some((name_of(fields, *place), total.text()?)));
        Checked {
            totals: totals.collect(),
            rows: self.rows,
            report: self.draft.finish(|place| name_of(fields, place)),
        }
    }
}

fn name_of(fields: &[Field], place: usize) -> String {
    fields
        .get(place)
        .map(|field| field.name().to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
