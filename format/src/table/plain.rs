//! Rows of a block of CSV in which nothing needs a second look: UTF-8 without quotation marks, and without controls but LF. Nearly
//! all blocks of nearly all tables are so. They mean here what they mean to `csv`, and are not copied: a row is places in the block.

use super::commas::Commas;
use super::limits::CELLS_MAX;
use super::report::Fault;
use super::rows::{Cell, Form, RowText, Step};

/// Whole records, one a line.
pub(super) struct PlainRows {
    /// Its text is the block.
    row: RowText,
    /// Where the next record begins.
    next: usize,
    commas: Commas,
}

impl PlainRows {
    /// The block comes back where `csv` has to read it.
    pub(super) fn of(block: Vec<u8>) -> Result<Self, Vec<u8>> {
        let is_plain =
            |byte: &u8| (*byte >= 0x20 && *byte != b'"' && *byte != 0x7f) || *byte == b'\n';
        // No early end: so it looks at many bytes at a time.
        if !block.iter().fold(true, |all, byte| all & is_plain(byte)) {
            return Err(block);
        }
        let text = String::from_utf8(block).map_err(std::string::FromUtf8Error::into_bytes)?;
        let row = RowText {
            text,
            cells: Vec::new(),
            is_plain: true,
        };
        Ok(Self {
            row,
            next: 0,
            commas: Commas::default(),
        })
    }

    pub(super) fn into_block(self) -> Vec<u8> {
        self.row.text.into_bytes()
    }

    pub(super) const fn row(&self) -> &RowText {
        &self.row
    }

    pub(super) fn next(&mut self) -> Step {
        let RowText { text, cells, .. } = &mut self.row;
        let (text, form) = (text.as_bytes(), Form::Text);
        cells.clear();
        let begin = self.next;
        if begin >= text.len() {
            return Step::End;
        }
        let mut start = begin;
        loop {
            let end = self.commas.next(text).unwrap_or(text.len());
            // One too many is kept, and tells that there are.
            if cells.len() <= CELLS_MAX {
                cells.push(Cell { form, start, end });
            }
            start = end + 1;
            if text.get(end) != Some(&b',') {
                break;
            }
        }
        self.next = start;
        if start == begin + 1 {
            Step::Faulty(Fault::BlankRow)
        } else if cells.len() > CELLS_MAX {
            Step::Faulty(Fault::CellCount)
        } else {
            Step::Row
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::csv::CsvRows;
    use super::super::limits::CELLS_MAX;
    use super::super::lines::Lines;
    use super::*;

    /// Every step, and the cells of every row.
    fn told(mut next: impl FnMut() -> (Step, Vec<String>)) -> Vec<(Step, Vec<String>)> {
        let mut all = Vec::new();
        while all.last().is_none_or(|(step, _)| *step != Step::End) {
            all.push(next());
        }
        all
    }

    fn cells(step: Step, row: &RowText) -> Vec<String> {
        let cells = row.cells.iter().map(|cell| row.of(cell).to_owned());
        if step == Step::Row {
            cells.collect()
        } else {
            Vec::new()
        }
    }

    #[test]
    fn what_it_reads_is_what_csv_reads() {
        let wide = ",".repeat(CELLS_MAX + 1) + "\n,\n";
        let widest = ",".repeat(CELLS_MAX - 1);
        for block in [
            "",
            "\n",
            "a",
            "a\n",
            "a,b\nc,d\n",
            ",\n,",
            "\n\na,\n",
            "é,ü\n\n",
            &wide,
            &widest,
        ] {
            let mut plain = PlainRows::of(block.into()).unwrap();
            let plain = told(|| {
                let step = plain.next();
                (step, cells(step, plain.row()))
            });
            let mut csv = CsvRows::new(Lines::of_block(block.into()));
            let csv = told(|| {
                let step = csv.next().unwrap();
                (step, cells(step, csv.row()))
            });
            assert!(plain == csv, "{:.9}, {} bytes", block, block.len());
        }
    }

    #[test]
    fn what_needs_a_second_look_comes_back_as_it_was() {
        for block in [
            &b"a,\"b\"\n"[..],
            b"a\r\n",
            b"a\tb\n",
            b"\0",
            b"a\x7f",
            b"\xe9\n",
            b"\xef\xbf",
        ] {
            assert_eq!(PlainRows::of(block.into()).err().as_deref(), Some(block));
        }
        assert_eq!(
            PlainRows::of(b"a,b\n".to_vec()).ok().unwrap().into_block(),
            b"a,b\n"
        );
    }
}
