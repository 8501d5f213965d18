//! Rows on their way to the server by COPY, in its binary format (PostgreSQL's manual, COPY, "Binary Format"): encoded here, sent in
//! pieces. A piece for each row, or each few, would cost both sides more in waking one another than the rows themselves.

use std::error::Error;
use std::pin::Pin;

use amanah_format::table::Value;
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::SinkExt;
use tokio_postgres::CopyInSink;
use tokio_postgres::types::IsNull;

use super::complaint::Failure;
use super::link::{Session, WORK};
use super::value::put;
use crate::store::StoreError;

/// Sent when so much is there: beyond it nothing is gained, and two of them are all that waits here.
const PIECE_BYTES: usize = 64 * 1024;
/// What it begins with: the signature, no flags, no more header.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// In the place of a length: there is no value.
const NULL: i32 = -1;
/// In the place of a row's number of values: there is no more row.
const END: i16 = -1;

/// A COPY under way. Dropped without [`Copying::finish`], the server forgets it.
pub(super) struct Copying {
    sink: Pin<Box<CopyInSink<Bytes>>>,
    piece: BytesMut,
}

impl Copying {
    /// Asks the server to take rows for these columns.
    pub(super) fn begin(
        session: &Session<'_>,
        target: &str,
        columns: &[String],
    ) -> Result<Self, Failure> {
        let columns = columns.join(", ");
        let copy = format!("COPY {target} ({columns}) FROM STDIN (FORMAT BINARY)");
        let sink = session.soon(session.client().copy_in(&copy))?;
        let mut piece = BytesMut::with_capacity(PIECE_BYTES);
        piece.put_slice(HEADER);
        Ok(Self {
            sink: Box::pin(sink),
            piece,
        })
    }

    /// One row: a value for each column of its schema, then the store's own numbers.
    pub(super) fn row(
        &mut self,
        session: &Session<'_>,
        values: &[Value<'_>],
        own: &[i64],
    ) -> Result<(), StoreError> {
        let encoded = encode(values, own, &mut self.piece);
        encoded.map_err(|error| StoreError::Database(error.to_string()))?;
        if self.piece.len() >= PIECE_BYTES {
            self.send(session)?;
        }
        Ok(())
    }

    fn send(&mut self, session: &Session<'_>) -> Result<(), Failure> {
        let piece = self.piece.split().freeze();
        self.piece.reserve(PIECE_BYTES);
        session.soon(self.sink.feed(piece))
    }

    /// Has the server take what was sent; how many rows it took.
    pub(super) fn finish(mut self, session: &Session<'_>) -> Result<u64, Failure> {
        self.piece.put_i16(END);
        self.send(session)?;
        session.wait(WORK, self.sink.as_mut().finish())
    }
}

/// The number of values, then the length of each and its bytes.
fn encode(
    values: &[Value<'_>],
    own: &[i64],
    into: &mut BytesMut,
) -> Result<(), Box<dyn Error + Sync + Send>> {
    into.put_i16(i16::try_from(values.len() + own.len())?);
    for value in values {
        // Most are texts, and their length is known before they are written.
        if let Value::Text(text) = value {
            into.put_i32(i32::try_from(text.len())?);
            into.put_slice(text.as_bytes());
            continue;
        }
        let begin = into.len();
        into.put_i32(NULL);
        if matches!(put(value, into)?, IsNull::No) {
            let bytes = i32::try_from(into.len() - begin - size_of::<i32>())?;
            if let Some(length) = into.get_mut(begin..begin + size_of::<i32>()) {
                length.copy_from_slice(&bytes.to_be_bytes());
            }
        }
    }
    for number in own {
        into.put_i32(i32::try_from(size_of::<i64>())?);
        into.put_i64(*number);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_count_then_lengths_and_bytes() {
        let values = [Value::Text("é"), Value::Missing, Value::Boolean(true)];
        let mut row = BytesMut::new();
        encode(&values, &[-2], &mut row).unwrap();
        let expected = [
            &[0, 4][..],
            &[0, 0, 0, 2, 0xc3, 0xa9],
            &[0xff; 4],
            &[0, 0, 0, 1, 1],
            &[0, 0, 0, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe],
        ];
        assert_eq!(row[..], expected.concat());
    }

    #[test]
    fn it_begins_as_the_manual_says() {
        assert_eq!(HEADER[..11], *b"PGCOPY\n\xff\r\n\0");
        assert_eq!(HEADER[11..], [0; 8], "no flags, no extension");
    }
}
