//! A table as rows of cells, whichever dialect it is written in: reads in pieces, holds one row at a time, and stops at what cannot
//! be read on. Cells are texts; what they mean is the schema's.

use std::io;
use std::ops::Range;

use super::csv::CsvRows;
use super::json_lines::JsonRows;
use super::limits::CELLS_MAX;
use super::lines::Lines;
use super::plain::PlainRows;
use super::report::{Fault, Subject};
use super::schema::Schema;

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// RFC 4180, comma, header; lines end in LF or CR LF.
    Csv,
    /// One JSON object a line, each column once, in any order.
    JsonLines,
}

impl Dialect {
    /// By a file's name: `.jsonl` and `.ndjson` are JSON Lines, everything else is CSV. Both parties go by the same name.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        let end = name
            .rsplit_once('.')
            .map(|(_, end)| end.to_ascii_lowercase());
        match end.as_deref() {
            Some("jsonl" | "ndjson") => Self::JsonLines,
            _ => Self::Csv,
        }
    }
}

/// What a cell was in its dialect. CSV knows texts only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Number,
    Boolean,
    Null,
    /// A list or object: of no column's type.
    Nested,
}

/// A cell of the row in hand: its text lies between the two places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    pub(super) form: Form,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What came next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Row,
    /// This row cannot be read; the next one can.
    Faulty(Fault),
    /// Nothing after it can be read.
    Broken(Fault),
    End,
}

/// The row in hand.
#[derive(Debug, Default)]
pub(super) struct RowText {
    pub(super) text: String,
    pub(super) cells: Vec<Cell>,
    /// Known to have no control: nobody need look.
    pub(super) is_plain: bool,
}

impl RowText {
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.cells.clear();
    }

    /// Finds the cells of a record that lies between two places of the text; false where it has too many of them.
    pub(super) fn split(&mut self, record: Range<usize>) -> bool {
        let Range {
            mut start,
            end: last,
        } = record;
        let form = Form::Text;
        let text = self.text.as_bytes().get(start..last).unwrap_or_default();
        let begin = start;
        for comma in memchr::memchr_iter(b',', text) {
            let end = begin + comma;
            self.cells.push(Cell { form, start, end });
            start = end + 1;
            if self.cells.len() > CELLS_MAX {
                return false;
            }
        }
        self.cells.push(Cell {
            form,
            start,
            end: last,
        });
        self.cells.len() <= CELLS_MAX
    }

    /// The text of a cell.
    pub(super) fn of(&self, cell: &Cell) -> &str {
        self.text.get(cell.start..cell.end).unwrap_or_default()
    }

    /// Whether a character stands in it that no table should have: controls other than tabulator and line ends.
    pub(super) fn has_control(&self) -> bool {
        !self.is_plain && has_control(&self.text)
    }
}

pub(super) fn has_control(text: &str) -> bool {
    // Two passes: the first is many bytes at a time, and finds nothing in nearly every row.
    let suspect = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(false, |any, byte| any | (*byte < 0x20) | (*byte == 0x7f))
    };
    suspect(text.as_bytes())
        && text
            .bytes()
            .any(|byte| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r'))
}

/// Rows of either dialect.
pub(super) enum Rows<'a> {
    Plain(PlainRows),
    Csv(CsvRows<'a>),
    Json(JsonRows<'a>),
}

impl<'a> Rows<'a> {
    pub(super) fn new(dialect: Dialect, lines: Lines<'a>, schema: &'a Schema) -> Self {
        match dialect {
            Dialect::Csv => Self::Csv(CsvRows::new(lines)),
            Dialect::JsonLines => Self::Json(JsonRows::new(lines, schema)),
        }
    }

    /// Of a block of whole records, which [`Rows::into_block`] gives back.
    pub(super) fn of_block(block: Vec<u8>) -> Self {
        match PlainRows::of(block) {
            Ok(rows) => Self::Plain(rows),
            Err(block) => Self::Csv(CsvRows::new(Lines::of_block(block))),
        }
    }

    pub(super) fn into_block(self) -> Vec<u8> {
        match self {
            Self::Plain(rows) => rows.into_block(),
            Self::Csv(rows) => rows.into_block(),
            Self::Json(_) => Vec::new(),
        }
    }

    pub(super) fn next(&mut self) -> io::Result<Step> {
        match self {
            Self::Plain(rows) => Ok(rows.next()),
            Self::Csv(rows) => rows.next(),
            Self::Json(rows) => rows.next(),
        }
    }

    pub(super) const fn row(&self) -> &RowText {
        match self {
            Self::Plain(rows) => rows.row(),
            Self::Csv(rows) => rows.row(),
            Self::Json(rows) => rows.row(),
        }
    }

    /// What a faulty row's fault is about.
    pub(super) fn subject(&self) -> Subject {
        match self {
            Self::Plain(_) | Self::Csv(_) => Subject::File,
            Self::Json(rows) => rows.subject(),
        }
    }
}
