//! The check: a table is read once, row by row, against a schema. Memory follows from the schema, not from the table; what is
//! sound goes on to a sink as typed values; what is not becomes findings. The same code runs before sealing and before importing.

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::batch::{Batch, RowForm};
use super::first_look::{MARK, first_look, is_json};
use super::header;
use super::keys::{Key, Rounding, keys};
use super::kinds::Kind;
use super::limits::{ROWS_MAX, SORT_MEMORY_BYTES, STRETCH_ROWS_MAX};
use super::lines::Lines;
use super::report::{Draft, Fault, Level, Report, Subject};
use super::rows::{Dialect, Rows as Source, Step};
use super::schema::{Field, Schema};
use super::side_by_side;
use super::sorter::{Runs, Sorter, Spill};
use super::stretch::{Gathered, Stretch};
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

    /// How rows that come from another thread are written down there, where that is of use to it: then [`RowSink::written`] takes them.
    fn form(&self) -> Option<RowForm> {
        None
    }

    /// Takes a row as its own form wrote it.
    ///
    /// # Errors
    /// The sink's own: it ends the check.
    fn written(&mut self, _number: u64, _row: &[u8]) -> io::Result<()> {
        Err(io::Error::other("rows are taken as values here"))
    }

    /// Takes rows that were copied on their way. What it leaves in their place is filled again.
    ///
    /// # Errors
    /// The sink's own: it ends the check.
    fn batch(&mut self, rows: &mut Batch) -> io::Result<()> {
        rows.each(self)
    }
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

/// Reads `content` record by record to its end, or to where it cannot be read on.
///
/// # Errors
/// The reader's, the spill's or the sink's. A wrong table is no error: it is in the report.
pub fn check(
    content: &mut dyn Read,
    plan: &Plan<'_>,
    spill: &mut dyn Spill,
    sink: &mut dyn RowSink,
) -> io::Result<Checked> {
    let keys = keys(plan.schema);
    let mut check = Check::new(plan, &keys, spill);
    let Some(mut source) = check.begin(content)? else {
        return Ok(check.report());
    };
    check.rows(&mut source, sink)?;
    check.finish()
}

/// The same, faster: records of CSV are told apart before they are read, many at a time, and read on so many threads. The sink, where
/// there is one, stays on this one.
///
/// # Errors
/// The reader's, the spill's or the sink's; or a thread could not be started.
pub fn check_on(
    threads: usize,
    content: &mut dyn Read,
    plan: &Plan<'_>,
    spill: &mut dyn Spill,
    sink: Option<&mut dyn RowSink>,
) -> io::Result<Checked> {
    let keys = keys(plan.schema);
    let mut check = Check::new(plan, &keys, spill);
    match check.begin(content)? {
        None => return Ok(check.report()),
        Some(Source::Csv(mut source)) if threads > 1 => {
            side_by_side::rows(&mut check, &mut source, threads, sink)?;
        }
        Some(Source::Csv(mut source)) => {
            side_by_side::in_turn(&mut check, &mut source, sink.unwrap_or(&mut Rows))?;
        }
        Some(mut source) => check.rows(&mut source, sink.unwrap_or(&mut Rows))?,
    }
    check.finish()
}

/// What is known of the table as a whole.
pub(super) struct Check<'p> {
    pub(super) plan: &'p Plan<'p>,
    pub(super) keys: &'p [Key],
    fields: &'p [Field],
    draft: Draft,
    /// One for each key.
    sorters: Vec<Sorter>,
    rounding: Vec<Rounding>,
    totals: Vec<(usize, Total)>,
    runs: Runs<'p>,
    rows: u64,
}

impl<'p> Check<'p> {
    fn new(plan: &'p Plan<'p>, keys: &'p [Key], spill: &'p mut dyn Spill) -> Self {
        let fields = plan.schema.fields();
        let total = |place: &usize| {
            let field = fields.get(*place);
            (*place, Total::of(field.map_or(Kind::Text, Field::kind)))
        };
        let share = SORT_MEMORY_BYTES / keys.len().max(1);
        Self {
            plan,
            keys,
            fields,
            draft: Draft::default(),
            sorters: keys.iter().map(|_| Sorter::new(share)).collect(),
            rounding: vec![Rounding::default(); fields.len()],
            totals: plan.totals.iter().map(total).collect(),
            runs: Runs::new(spill),
            rows: 0,
        }
    }

    /// Looks at what it is, and at its header. The rows, where there can be any.
    fn begin<'c>(&mut self, content: &'c mut dyn Read) -> io::Result<Option<Source<'c>>>
    where
        'p: 'c,
    {
        let mut lines = Lines::new(content);
        match first_look(lines.look()?) {
            None => {}
            Some(Fault::ByteOrderMark) => {
                self.draft.note(Fault::ByteOrderMark, Subject::File);
                lines.skip(MARK.len());
            }
            Some(fault) => {
                self.draft.note(fault, Subject::File);
                return Ok(None);
            }
        }
        let is_csv = self.plan.dialect == Dialect::Csv;
        if is_csv && is_json(lines.look()?) {
            self.draft.note(Fault::Json, Subject::File);
            return Ok(None);
        }
        let mut source = Source::new(self.plan.dialect, lines, self.plan.schema);
        if is_csv && !self.header(&mut source)? {
            return Ok(None);
        }
        Ok(Some(source))
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
        let mut stretch = Stretch::new(self.plan, self.keys);
        let mut more = true;
        while more {
            let before = self.rows;
            more = self.stretch(&mut stretch, source, STRETCH_ROWS_MAX, sink)?
                && self.rows - before == STRETCH_ROWS_MAX;
        }
        Ok(())
    }

    /// Reads up to `most` rows; whether any after them count.
    pub(super) fn stretch(
        &mut self,
        stretch: &mut Stretch<'_>,
        source: &mut Source<'_>,
        most: u64,
        sink: &mut dyn RowSink,
    ) -> io::Result<bool> {
        let mut onward = Onward {
            before: self.rows,
            is_shut: self.draft.refuses(),
            sink,
        };
        stretch.read(source, most, &mut onward)?;
        self.absorb(stretch.take())
    }

    /// Takes what the next rows left behind; whether any after them count.
    pub(super) fn absorb(&mut self, next: Gathered) -> io::Result<bool> {
        let before = self.rows;
        self.rows = before.saturating_add(next.rows);
        self.draft.absorb(next.draft, before);
        for (rounding, next) in self.rounding.iter_mut().zip(next.rounding) {
            rounding.absorb(next, before);
        }
        for ((_, total), next) in self.totals.iter_mut().zip(&next.totals) {
            total.absorb(next);
        }
        for hashed in next.hashes {
            let row = before.saturating_add(hashed.row);
            let Some(sorter) = self.sorters.get_mut(hashed.key) else {
                continue;
            };
            if hashed.refers {
                sorter.push_reference(hashed.hash, row, &mut self.runs)?;
            } else {
                sorter.push(hashed.hash, row, &mut self.runs)?;
            }
        }
        if self.rows >= ROWS_MAX {
            self.draft.note(Fault::TooManyRows, Subject::File);
        }
        Ok(!next.is_broken && self.rows < ROWS_MAX)
    }

    /// How many rows came so far.
    pub(super) const fn rows_so_far(&self) -> u64 {
        self.rows
    }

    /// Whether something refuses the table already.
    pub(super) fn refuses(&self) -> bool {
        self.draft.refuses()
    }

    /// The next row cannot be read, and nothing after it.
    pub(super) fn broken(&mut self, fault: Fault) {
        self.rows = self.rows.saturating_add(1);
        self.draft
            .row(Level::Refusal, fault, Subject::File, self.rows);
    }

    fn finish(mut self) -> io::Result<Checked> {
        for (key, sorter) in self.keys.iter().zip(std::mem::take(&mut self.sorters)) {
            let subject = self.subject(&key.fields);
            let tally = match key.reference {
                None => sorter.duplicates(&mut self.runs)?,
                Some(_) => sorter.dangling(&mut self.runs)?,
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

/// The caller's sink, with the numbers that rows have in the table. Shut once something refuses it.
struct Onward<'s> {
    before: u64,
    is_shut: bool,
    sink: &'s mut dyn RowSink,
}

impl RowSink for Onward<'_> {
    fn row(&mut self, number: u64, values: &[Value<'_>]) -> io::Result<()> {
        if self.is_shut {
            return Ok(());
        }
        self.sink.row(self.before.saturating_add(number), values)
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
