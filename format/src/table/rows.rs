//! A table as rows of cells, whichever dialect it is written in: reads in pieces, holds one row at a time, and stops at what cannot
//! be read on. Cells are texts; what they mean is the schema's.

use std::io::{self, Read};
use std::ops::Range;

use super::csv::CsvRows;
use super::json_lines::JsonRows;
use super::limits::{BLOCK_BYTES, CELLS_MAX, READ_BYTES, ROW_BYTES_MAX, STRETCH_ROWS_MAX};
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
        true
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

/// The bytes of a table, by lines.
pub(super) struct Lines<'a> {
    /// None once all of it is there.
    reader: Option<&'a mut dyn Read>,
    buffer: Vec<u8>,
    /// Where the record in hand, or the next one, begins.
    start: usize,
    /// How much of the buffer is filled.
    filled: usize,
}

/// What was found.
pub(super) enum Found {
    /// A record without its line end; `quoted` where a quotation mark stands in it.
    Record {
        start: usize,
        end: usize,
        quoted: bool,
    },
    TooLong,
    /// The end came within quotation marks.
    Open,
    End,
}

/// Why a block ends.
pub(super) enum Cut {
    /// It has enough.
    Full,
    /// No record comes after it; with a fault, because the next one cannot be read.
    End(Option<Fault>),
}

impl<'a> Lines<'a> {
    pub(super) fn new(reader: &'a mut dyn Read) -> Self {
        Self {
            reader: Some(reader),
            buffer: Vec::new(),
            start: 0,
            filled: 0,
        }
    }

    /// Of a block, which [`Lines::into_block`] gives back.
    pub(super) const fn of_block(block: Vec<u8>) -> Self {
        Self {
            reader: None,
            start: 0,
            filled: block.len(),
            buffer: block,
        }
    }

    pub(super) fn into_block(self) -> Vec<u8> {
        self.buffer
    }

    /// The first bytes, without moving on.
    pub(super) fn look(&mut self) -> io::Result<&[u8]> {
        while self.reader.is_some() && self.filled < READ_BYTES / 4 {
            self.fill()?;
        }
        Ok(self.buffer.get(self.start..self.filled).unwrap_or_default())
    }

    /// Passes over so many of them.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.start = self.start.saturating_add(bytes).min(self.filled);
    }

    pub(super) fn bytes(&self, start: usize, end: usize) -> &[u8] {
        self.buffer.get(start..end).unwrap_or_default()
    }

    /// The next record: up to a line end that stands outside quotation marks, where those count. Each byte is looked at once.
    pub(super) fn record(&mut self, quoting: bool) -> io::Result<Found> {
        let (mut seen, mut open, mut quoted) = (0, false, false);
        loop {
            let unseen = self
                .buffer
                .get(self.start + seen..self.filled)
                .unwrap_or_default();
            let mut end = None;
            if quoting {
                for place in memchr::memchr2_iter(b'"', b'\n', unseen) {
                    if unseen.get(place) == Some(&b'"') {
                        open = !open;
                        quoted = true;
                    } else if !open {
                        end = Some(place);
                        break;
                    }
                }
            } else {
                end = memchr::memchr(b'\n', unseen);
            }
            if let Some(place) = end {
                let end = self.start + seen + place;
                return Ok(self.take(end, end + 1, quoted));
            }
            seen += unseen.len();
            if seen > ROW_BYTES_MAX {
                return Ok(Found::TooLong);
            }
            if self.reader.is_none() {
                return Ok(match (seen, open) {
                    (0, _) => Found::End,
                    (_, true) => Found::Open,
                    _ => self.take(self.filled, self.filled, quoted),
                });
            }
            self.fill()?;
        }
    }

    /// Adds whole records to `block` as they stand, up to a stretch of them.
    pub(super) fn cut(&mut self, quoting: bool, block: &mut Vec<u8>) -> io::Result<Cut> {
        for _ in 0..STRETCH_ROWS_MAX {
            match self.record(quoting)? {
                Found::Record { start, .. } => {
                    block.extend_from_slice(self.bytes(start, self.start));
                }
                Found::TooLong => return Ok(Cut::End(Some(Fault::RowTooLong))),
                Found::Open => return Ok(Cut::End(Some(Fault::Quotes))),
                Found::End => return Ok(Cut::End(None)),
            }
            if block.len() >= BLOCK_BYTES {
                break;
            }
        }
        Ok(Cut::Full)
    }

    fn take(&mut self, end: usize, next: usize, quoted: bool) -> Found {
        let start = self.start;
        self.start = next;
        let cut = usize::from(end > start && self.buffer.get(end - 1) == Some(&b'\r'));
        if end - start > ROW_BYTES_MAX {
            return Found::TooLong;
        }
        Found::Record {
            start,
            end: end - cut,
            quoted,
        }
    }

    /// Reads on; what was read before and is not needed any more makes room.
    fn fill(&mut self) -> io::Result<()> {
        let Some(reader) = &mut self.reader else {
            return Ok(());
        };
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.filled, 0);
            self.filled -= self.start;
            self.start = 0;
        }
        if self.buffer.len() < self.filled + READ_BYTES {
            self.buffer.resize(self.filled + READ_BYTES, 0);
        }
        let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
        loop {
            match reader.read(room) {
                Ok(0) => {
                    self.reader = None;
                    return Ok(());
                }
                Ok(read) => {
                    self.filled += read;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
