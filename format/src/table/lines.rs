//! The bytes of a table, by lines: read in pieces, one record held at a time, or cut into blocks of whole records as they stand. Only
//! quotation marks have a meaning here, because a line end between two of them ends no record.

use std::io::{self, Read};

use super::limits::{BLOCK_BYTES, READ_BYTES, ROW_BYTES_MAX, STRETCH_ROWS_MAX};
use super::report::Fault;

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
            if block.is_empty() && self.cut_whole(quoting, block)? {
                break;
            }
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

    /// The same at once, where what is there to read needs no look at each record: few enough of them, and no quotation mark.
    fn cut_whole(&mut self, quoting: bool, block: &mut Vec<u8>) -> io::Result<bool> {
        if self.whole_records().is_empty() {
            self.fill()?;
        }
        let records = self.whole_records();
        let is_plain = !quoting || memchr::memchr(b'"', records).is_none();
        let is_whole = is_plain && !records.is_empty() && are_few(records);
        if is_whole {
            block.extend_from_slice(records);
            self.start += block.len();
        }
        Ok(is_whole)
    }

    /// Up to the last line end of what a block has room for.
    fn whole_records(&self) -> &[u8] {
        let unseen = self.bytes(self.start, self.filled);
        let room = unseen.get(..BLOCK_BYTES).unwrap_or(unseen);
        let last = memchr::memrchr(b'\n', room);
        last.and_then(|last| room.get(..=last)).unwrap_or_default()
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

fn are_few(records: &[u8]) -> bool {
    let count = memchr::memchr_iter(b'\n', records).count();
    u64::try_from(count).is_ok_and(|count| count <= STRETCH_ROWS_MAX)
}
