//! Some consecutive rows of a table, checked one by one: what can be said of a row without knowing the others is said here. What
//! can not (whether a key was there before, whether a sum still fits) is gathered for the check, which takes stretches in their order.

use std::io;

use super::cell::{self, Last};
use super::check::{Plan, RowSink};
use super::keys::{Key, Rounding};
use super::report::{Draft, Fault, Level, Subject};
use super::rows::{Cell, Form, RowText, Rows as Source, Step, has_control};
use super::schema::Field;
use super::sorter::hash;
use super::total::{Addend, Adding};
use super::value::Value;

/// What rows of a stretch leave behind. Rows are numbered from 1 in it.
#[derive(Default)]
pub(super) struct Gathered {
    /// Sound or not.
    pub(super) rows: u64,
    pub(super) draft: Draft,
    /// One for each column.
    pub(super) rounding: Vec<Rounding>,
    pub(super) hashes: Vec<Hashed>,
    /// One for each planned total.
    pub(super) totals: Vec<Addend>,
    /// Nothing after its last row can be read.
    pub(super) is_broken: bool,
}

/// A key of one row.
pub(super) struct Hashed {
    /// Its place in the list of keys.
    pub(super) key: usize,
    pub(super) hash: u128,
    pub(super) row: u64,
    /// Refers to a row, and names none.
    pub(super) refers: bool,
}

/// Checks rows.
pub(super) struct Stretch<'p> {
    plan: &'p Plan<'p>,
    fields: &'p [Field],
    keys: &'p [Key],
    /// One for each column.
    last: Vec<Last>,
    /// One for each planned total.
    totals: Vec<Adding>,
    gathered: Gathered,
}

impl<'p> Stretch<'p> {
    pub(super) fn new(plan: &'p Plan<'p>, keys: &'p [Key]) -> Self {
        let fields = plan.schema.fields();
        let mut stretch = Self {
            plan,
            fields,
            keys,
            last: vec![Last::default(); fields.len()],
            totals: plan.totals.iter().map(|_| Adding::default()).collect(),
            gathered: Gathered::default(),
        };
        stretch.take();
        stretch
    }

    /// What was gathered; the next stretch begins.
    pub(super) fn take(&mut self) -> Gathered {
        let next = Gathered {
            rounding: vec![Rounding::default(); self.fields.len()],
            ..Gathered::default()
        };
        self.gathered.totals = self.totals.iter_mut().map(Adding::take).collect();
        std::mem::replace(&mut self.gathered, next)
    }

    /// Reads up to `most` rows. `sink` is given the sound ones before the first that refuses the table, by their numbers in it.
    ///
    /// Whether there may be more.
    ///
    /// # Errors
    /// The reader's, or the sink's.
    pub(super) fn read(
        &mut self,
        source: &mut Source<'_>,
        most: u64,
        sink: &mut dyn RowSink,
    ) -> io::Result<bool> {
        while self.gathered.rows < most {
            let step = source.next()?;
            if step == Step::End {
                return Ok(false);
            }
            self.gathered.rows += 1;
            match step {
                Step::Row => self.row(source.row(), sink)?,
                Step::Faulty(fault) => self.refuse(fault, source.subject()),
                Step::Broken(fault) => {
                    self.refuse(fault, Subject::File);
                    self.gathered.is_broken = true;
                    return Ok(false);
                }
                Step::End => {}
            }
        }
        Ok(true)
    }

    fn refuse(&mut self, fault: Fault, subject: Subject) {
        let row = self.gathered.rows;
        self.gathered.draft.row(Level::Refusal, fault, subject, row);
    }

    fn row(&mut self, row: &RowText, sink: &mut dyn RowSink) -> io::Result<()> {
        let number = self.gathered.rows;
        let is_empty = |cell: &Cell| cell.form == Form::Text && cell.start == cell.end;
        if row.cells.iter().all(is_empty) {
            self.refuse(Fault::BlankRow, Subject::File);
            return Ok(());
        }
        if row.cells.len() != self.fields.len() {
            self.refuse(Fault::CellCount, Subject::File);
            return Ok(());
        }
        // The values borrow from the row's text, so the room for them is made anew; it is one allocation a row.
        let mut values = Vec::with_capacity(row.cells.len());
        let (mut sound, mut wrong) = (!row.has_control(), Vec::new());
        let kept = self.last.iter_mut().zip(&mut self.gathered.rounding);
        let columns = row.cells.iter().zip(self.fields).zip(kept);
        for (place, ((cell, field), (last, rounding))) in columns.enumerate() {
            let text = row.of(cell);
            let fault = if sound || !has_control(text) {
                let cell = (cell.form, text);
                cell::read(self.plan.schema, field, cell, &mut values, last)
            } else {
                values.push(Value::Missing);
                Some(Fault::Control)
            };
            if let Some(fault) = fault {
                self.gathered.draft.cell(place, fault, number);
                wrong.push(place);
                sound = false;
            } else if !field.may_end_in_zeros()
                && let Some(rounded) = cell::is_rounded(text)
                && matches!(values.last(), Some(Value::Text(_) | Value::Integer(_)))
            {
                rounding.add(rounded, number);
            }
        }
        sound = self.across(&values, &wrong) && sound;
        self.keys(&values);
        if sound {
            self.total(row, &values);
            if !self.gathered.draft.refuses() {
                sink.row(number, &values)?;
            }
        }
        Ok(())
    }

    /// Whether no rule across fields refuses the row. A cell that is wrong counts as missing, and is asked for by none: that would
    /// only repeat what was said of it.
    fn across(&mut self, values: &[Value<'_>], wrong: &[usize]) -> bool {
        let (row, mut sound) = (self.gathered.rows, true);
        for rule in self.plan.schema.rules() {
            if !rule.holds(values, wrong) {
                sound = sound && rule.level() == Level::Warning;
                let subject = Subject::Rule(rule.name().to_owned());
                let draft = &mut self.gathered.draft;
                draft.row(rule.level(), Fault::Rule, subject, row);
            }
        }
        sound
    }

    /// A key with a missing part is not compared, as in SQL.
    fn keys(&mut self, values: &[Value<'_>]) {
        let row = self.gathered.rows;
        let hashed = |places: &[usize]| {
            let cells = || places.iter().filter_map(|place| values.get(*place));
            let whole = cells().all(|value| !value.is_missing());
            whole.then(|| hash(&self.plan.key, cells()))
        };
        for (place, key) in self.keys.iter().enumerate() {
            let of = |hash, refers| Hashed {
                key: place,
                hash,
                row,
                refers,
            };
            let named = key.reference.as_ref().unwrap_or(&key.fields);
            let named = hashed(named).map(|hash| of(hash, false));
            let refers = key.reference.as_ref().and_then(|_| hashed(&key.fields));
            let refers = refers.map(|hash| of(hash, true));
            self.gathered.hashes.extend(named.into_iter().chain(refers));
        }
    }

    fn total(&mut self, row: &RowText, values: &[Value<'_>]) {
        for (place, total) in self.plan.totals.iter().zip(&mut self.totals) {
            let cell = row.cells.get(*place).map(|cell: &Cell| row.of(cell));
            if let Some((value, text)) = values.get(*place).zip(cell) {
                total.add(value, text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::table::{Dialect, Fault, Memory, Plan, Rows, Schema, check};

    /// The faults of twenty rows that end so, in a column of this type.
    fn faults(kind: &str, zeros: bool, end: &str) -> Vec<Fault> {
        let schema = format!(
            r#"{{"fields": [{{"name": "nomor", "type": "{kind}", "amanah": {{"may_end_in_zeros": {zeros}}}}}]}}"#
        );
        let schema = Schema::parse(schema.as_bytes()).unwrap();
        let plan = Plan {
            schema: &schema,
            dialect: Dialect::Csv,
            rows_max: None,
            totals: &[],
            key: [1; 16],
        };
        let rows: String = (10..30)
            .map(|n| format!("9901011204860{n}{end}\n"))
            .collect();
        let text = format!("nomor\n{rows}");
        let (mut content, mut memory) = (text.as_bytes(), Memory::default());
        let checked = check(&mut content, &plan, &mut memory, &mut Rows).unwrap();
        let found = checked.report.findings().iter();
        found.map(|finding| finding.fault).collect()
    }

    #[test]
    fn a_spreadsheet_rounds_numbers_as_well_as_texts() {
        for kind in ["string", "integer"] {
            assert_eq!(faults(kind, false, "00"), [Fault::ExcelRounded], "{kind}");
            assert_eq!(faults(kind, false, "01"), [], "{kind}");
            assert_eq!(faults(kind, true, "00"), [], "{kind}");
        }
    }
}
