//! Rows on their way to the server by COPY, in its binary format (PostgreSQL's manual, COPY, "Binary Format"): encoded here, sent in
//! pieces. A piece for each row, or each few, would cost both sides more in waking one another than the rows themselves.

use std::io;
use std::pin::Pin;

use amanah_format::table::Value;
use bytes::Bytes;
use futures_util::SinkExt;
use tokio_postgres::CopyInSink;
use tokio_postgres::types::IsNull;

use super::complaint::Failure;
use super::link::{Session, WORK};
use super::log_ahead::LogAhead;
use super::value::put;
use crate::store::StoreError;

/// Sent when so much is there: beyond it nothing is gained, and two of them are all that waits here.
const PIECE_BYTES: usize = 64 * 1024;
/// What it begins with: the signature, no flags, no more header.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// In the place of a length: there is no value.
const NULL: i32 = -1;
/// The length of a whole number.
const WHOLE_BYTES: i32 = 8;
/// In the place of a row's number of values: there is no more row.
const END: i16 = -1;

/// A COPY under way. Dropped without [`Copying::finish`], the server forgets it.
pub(super) struct Copying<'s> {
    sink: Pin<Box<CopyInSink<Bytes>>>,
    /// How many values a row has.
    columns: i16,
    piece: Vec<u8>,
    /// Where the rows are in the server's log at all.
    log: Option<LogAhead<'s>>,
}

impl<'s> Copying<'s> {
    /// Asks the server to take rows for these columns.
    pub(super) fn begin(
        session: &Session<'_>,
        target: &str,
        columns: &[String],
        log: Option<LogAhead<'s>>,
    ) -> Result<Self, Failure> {
        let listed = columns.join(", ");
        let copy = format!("COPY {target} ({listed}) FROM STDIN (FORMAT BINARY)");
        let sink = session.soon(session.client().copy_in(&copy))?;
        Ok(Self {
            sink: Box::pin(sink),
            // The server has no table of more.
            columns: i16::try_from(columns.len()).unwrap_or(i16::MAX),
            piece: HEADER.to_vec(),
            log,
        })
    }

    /// One row: its values as [`form`] wrote them, then the store's own numbers.
    pub(super) fn row(
        &mut self,
        session: &Session<'_>,
        row: &[u8],
        own: &[i64],
    ) -> Result<(), StoreError> {
        self.piece.extend_from_slice(&self.columns.to_be_bytes());
        self.piece.extend_from_slice(row);
        for number in own {
            self.piece.extend_from_slice(&WHOLE_BYTES.to_be_bytes());
            self.piece.extend_from_slice(&number.to_be_bytes());
        }
        if self.piece.len() >= PIECE_BYTES {
            self.send(session)?;
        }
        Ok(())
    }

    fn send(&mut self, session: &Session<'_>) -> Result<(), Failure> {
        let next = Vec::with_capacity(self.piece.capacity());
        let piece = std::mem::replace(&mut self.piece, next);
        if let Some(log) = &mut self.log {
            log.sent(piece.len());
        }
        session.soon(self.sink.feed(piece.into()))
    }

    /// Has the server take what was sent; how many rows it took.
    pub(super) fn finish(mut self, session: &Session<'_>) -> Result<u64, Failure> {
        self.piece.extend_from_slice(&END.to_be_bytes());
        self.send(session)?;
        session.wait(WORK, self.sink.as_mut().finish())
    }
}

/// The values of one row, of each its length and its bytes.
///
/// # Errors
/// None that a table's values could cause: they fit.
pub(super) fn form(values: &[Value<'_>], into: &mut Vec<u8>) -> io::Result<()> {
    for value in values {
        // Most are texts, and their length is known before they are written.
        if let Value::Text(text) = value {
            let bytes = i32::try_from(text.len()).map_err(io::Error::other)?;
            into.extend_from_slice(&bytes.to_be_bytes());
            into.extend_from_slice(text.as_bytes());
            continue;
        }
        let begin = into.len();
        into.extend_from_slice(&NULL.to_be_bytes());
        if matches!(put(value, into).map_err(io::Error::other)?, IsNull::No) {
            let bytes = into.len() - begin - NULL.to_be_bytes().len();
            let bytes = i32::try_from(bytes).map_err(io::Error::other)?;
            if let Some((length, _)) = into
                .get_mut(begin..)
                .and_then(<[u8]>::split_first_chunk_mut)
            {
                *length = bytes.to_be_bytes();
            }
        }
    }
    Ok(())
}

/// How long each value of such a row is; one that is missing has no bytes.
pub(super) fn lengths(mut row: &[u8]) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let (length, rest) = row.split_first_chunk()?;
        let length = usize::try_from(i32::from_be_bytes(*length)).unwrap_or_default();
        row = rest.get(length..)?;
        Some(length)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_lengths_and_bytes() {
        let values = [Value::Text("é"), Value::Missing, Value::Integer(-2)];
        let mut row = Vec::new();
        form(&values, &mut row).unwrap();
        let expected = [
            &[0, 0, 0, 2, 0xc3, 0xa9][..],
            &[0xff; 4],
            &[0, 0, 0, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe],
        ];
        assert_eq!(row, expected.concat());
        assert_eq!(lengths(&row).collect::<Vec<_>>(), [2, 0, 8]);
        assert_eq!(lengths(&[]).count(), 0);
    }

    #[test]
    fn it_begins_as_the_manual_says() {
        assert_eq!(HEADER[..11], *b"PGCOPY\n\xff\r\n\0");
        assert_eq!(HEADER[11..], [0; 8], "no flags, no extension");
    }
}
