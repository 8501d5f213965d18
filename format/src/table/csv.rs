//! CSV by RFC 4180, strictly: a quotation mark stands at both ends of a cell, or doubled inside one, and nowhere else. Readers that
//! are lenient here disagree about where a cell ends, and a checker that reads other cells than the importer checks nothing.

use std::io;

use super::limits::CELLS_MAX;
use super::lines::{Cut, Found, Lines};
use super::report::Fault;
use super::rows::{Cell, Form, RowText, Step};

/// Rows of a CSV table; the header is the first.
pub(super) struct CsvRows<'a> {
    lines: Lines<'a>,
    row: RowText,
}

impl<'a> CsvRows<'a> {
    pub(super) fn new(lines: Lines<'a>) -> Self {
        Self {
            lines,
            row: RowText::default(),
        }
    }

    pub(super) const fn row(&self) -> &RowText {
        &self.row
    }

    /// The block that it read from.
    pub(super) fn into_block(self) -> Vec<u8> {
        self.lines.into_block()
    }

    /// Moves the next records into `block`, unread.
    pub(super) fn cut(&mut self, block: &mut Vec<u8>) -> io::Result<Cut> {
        self.lines.cut(true, block)
    }

    pub(super) fn next(&mut self) -> io::Result<Step> {
        self.row.clear();
        let (start, end, quoted) = match self.lines.record(true)? {
            Found::Record { start, end, quoted } => (start, end, quoted),
            Found::TooLong => return Ok(Step::Broken(Fault::RowTooLong)),
            Found::Open => return Ok(Step::Broken(Fault::Quotes)),
            Found::End => return Ok(Step::End),
        };
        let Ok(record) = std::str::from_utf8(self.lines.bytes(start, end)) else {
            return Ok(Step::Faulty(Fault::Encoding));
        };
        if record.is_empty() {
            return Ok(Step::Faulty(Fault::BlankRow));
        }
        if quoted {
            let whole = unquote(record, &mut self.row).is_some();
            return Ok(match (whole, self.row.cells.len() > CELLS_MAX) {
                (_, true) => Step::Faulty(Fault::CellCount),
                (true, false) => Step::Row,
                (false, false) => Step::Broken(Fault::Quotes),
            });
        }
        self.row.text.push_str(record);
        if !self.row.split(0..record.len()) {
            return Ok(Step::Faulty(Fault::CellCount));
        }
        let stray = memchr::memchr(b'\r', record.as_bytes()).is_some();
        Ok(if stray {
            Step::Broken(Fault::LineEnds)
        } else {
            Step::Row
        })
    }
}

/// Cells of a record with quotation marks; `None` where one stands where it must not.
fn unquote(record: &str, row: &mut RowText) -> Option<()> {
    let mut rest = record;
    loop {
        let start = row.text.len();
        let after = if let Some(quoted) = rest.strip_prefix('"') {
            quoted_cell(quoted, &mut row.text)?
        } else {
            let end = memchr::memchr(b',', rest.as_bytes()).unwrap_or(rest.len());
            let (cell, after) = rest.split_at_checked(end)?;
            if cell.contains(['"', '\r']) {
                return None;
            }
            row.text.push_str(cell);
            after
        };
        row.cells.push(Cell {
            form: Form::Text,
            start,
            end: row.text.len(),
        });
        if after.is_empty() || row.cells.len() > CELLS_MAX {
            return Some(());
        }
        rest = after.strip_prefix(',')?;
    }
}

/// What stands after the closing mark; the cell's text is appended.
fn quoted_cell<'r>(mut rest: &'r str, text: &mut String) -> Option<&'r str> {
    loop {
        let mark = memchr::memchr(b'"', rest.as_bytes())?;
        text.push_str(rest.get(..mark)?);
        rest = rest.get(mark + 1..)?;
        match rest.strip_prefix('"') {
            Some(after) => {
                text.push('"');
                rest = after;
            }
            None => return Some(rest),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// Gives one byte at a time, so that every border between two reads is met.
    struct Drop<'a>(&'a [u8]);

    impl Read for Drop<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let one = into.len().min(1);
            self.0.read(&mut into[..one])
        }
    }

    fn rows(bytes: &[u8]) -> (Vec<Vec<String>>, Step) {
        let mut drop = Drop(bytes);
        let mut csv = CsvRows::new(Lines::new(&mut drop));
        let mut all = Vec::new();
        loop {
            let step = csv.next().unwrap();
            if step != Step::Row {
                return (all, step);
            }
            let row = csv.row();
            let cells = row.cells.iter().map(|cell| row.of(cell).to_owned());
            all.push(cells.collect());
        }
    }

    #[test]
    fn cells_are_where_rfc_4180_puts_them() {
        let expected = vec![vec!["a", "b,c", "d\"e", ""], vec!["", "f\r\ng", "é", "h"]];
        let (found, end) = rows("a,\"b,c\",\"d\"\"e\",\"\"\r\n,\"f\r\ng\",é,h".as_bytes());
        assert_eq!(
            (found, end),
            (
                expected
                    .into_iter()
                    .map(|row| row.into_iter().map(str::to_owned).collect())
                    .collect(),
                Step::End
            )
        );
        for (bytes, cells) in [
            ("a", 1),
            ("a,", 2),
            (",", 2),
            ("\"\"", 1),
            ("\"\"\"\"", 1),
            ("a\n", 1),
            ("a,b\r\n", 2),
        ] {
            let (found, end) = rows(bytes.as_bytes());
            assert_eq!(
                (found.len(), found.first().map(Vec::len), end),
                (1, Some(cells), Step::End),
                "{bytes:?}"
            );
        }
    }

    #[test]
    fn a_mark_anywhere_else_ends_the_reading() {
        for bytes in [
            "a,b\"c\n",
            "\"a\"b,c\n",
            "\"a\" ,c\n",
            " \"a\",b\n",
            "\"a",
            "a,\"b\n\nc",
            "\"a\"\"\n",
        ] {
            assert_eq!(
                rows(bytes.as_bytes()).1,
                Step::Broken(Fault::Quotes),
                "{bytes:?}"
            );
        }
    }

    #[test]
    fn other_line_ends_encodings_and_blank_lines_are_named() {
        assert_eq!(rows(b"a,b\rc,d\r").1, Step::Broken(Fault::LineEnds));
        assert_eq!(rows(b"a\xe9,b\n").1, Step::Faulty(Fault::Encoding));
        assert_eq!(rows(b"a,b\n\nc,d").1, Step::Faulty(Fault::BlankRow));
        assert_eq!(rows(b"a,b\n\r\nc,d").1, Step::Faulty(Fault::BlankRow));
    }

    #[test]
    fn a_row_of_too_many_cells_is_not_told_apart() {
        for row in [",".repeat(CELLS_MAX * 4), "\"\",".repeat(CELLS_MAX * 4)] {
            let (found, end) = rows(row.as_bytes());
            assert_eq!((found.len(), end), (0, Step::Faulty(Fault::CellCount)));
        }
        assert_eq!(rows(",".repeat(CELLS_MAX - 1).as_bytes()).1, Step::End);
    }

    #[test]
    fn a_row_has_a_longest_length_quoted_or_not() {
        let long = "x".repeat(super::super::limits::ROW_BYTES_MAX + 1);
        for bytes in [
            long.clone(),
            format!("{long}\n"),
            format!("\"{}\n\"\n", "\n".repeat(long.len())),
        ] {
            let mut reader = bytes.as_bytes();
            let mut csv = CsvRows::new(Lines::new(&mut reader));
            assert_eq!(csv.next().unwrap(), Step::Broken(Fault::RowTooLong));
        }
    }
}
