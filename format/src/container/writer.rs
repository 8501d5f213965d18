//! Writes canonical tar entries: the bytes that `tar --format=posix` with fixed owner, mode and time writes. FORMAT.md §5.
//!
//! ustar alone wherever it can say it all; a PAX header only for a long or non-ASCII path and for 8 GiB and more.

use std::io::{self, BufRead, Read, Write};

use super::{BLOCK_BYTES, USTAR_SIZE_MAX, length_of, padding_of, read_full, zeros};

/// Content is copied in pieces of this many bytes: large enough for one call of hash and cipher to pay.
const COPY_BYTES: usize = 128 * 1024;
/// Longest path that the ustar `name` field holds. `prefix` is read, but never written.
const NAME_FIELD_BYTES: usize = 100;

/// Writes canonical tar entries.
pub struct TarWriter<W> {
    inner: W,
    buffer: Vec<u8>,
    /// Content that a header promised and that did not come: such a tar is never finished.
    broken: bool,
}

impl<W: Write> TarWriter<W> {
    /// Nothing is written yet.
    pub fn new(inner: W) -> Self {
        Self {
            inner,
            buffer: vec![0; COPY_BYTES],
            broken: false,
        }
    }

    /// Writes the header of an entry of exactly `bytes` bytes (a PAX header before it where path or size need one), then copies
    /// `content`.
    ///
    /// # Errors
    /// The writer's or reader's; `InvalidData` where content is shorter or longer than `bytes`. After an error the tar is
    /// broken: every later call fails.
    pub fn entry(&mut self, path: &str, bytes: u64, content: &mut dyn Read) -> io::Result<()> {
        self.begin(path, bytes)?;
        self.copy(bytes, content)?;
        self.end(bytes)
    }

    /// The same from a content that lies in pieces already: none of them is copied once more.
    ///
    /// # Errors
    /// As [`TarWriter::entry`].
    pub(crate) fn entry_in_pieces(
        &mut self,
        path: &str,
        bytes: u64,
        content: &mut dyn BufRead,
    ) -> io::Result<()> {
        self.begin(path, bytes)?;
        let mut left = bytes;
        while left > 0 {
            let piece = content.fill_buf()?;
            let wanted = usize::try_from(left).unwrap_or(usize::MAX);
            let part = piece.get(..wanted).unwrap_or(piece);
            if part.is_empty() {
                return Err(invalid("content is shorter than declared"));
            }
            self.inner.write_all(part)?;
            let taken = part.len();
            left = left.saturating_sub(length_of(part));
            content.consume(taken);
        }
        if !content.fill_buf()?.is_empty() {
            return Err(invalid("content is longer than declared"));
        }
        self.end(bytes)
    }

    fn begin(&mut self, path: &str, bytes: u64) -> io::Result<()> {
        self.check()?;
        self.broken = true;
        self.inner.write_all(&header_blocks(path, bytes))
    }

    fn end(&mut self, bytes: u64) -> io::Result<()> {
        let padding = zeros(padding_of(bytes)).collect::<Vec<u8>>();
        self.inner.write_all(&padding)?;
        self.broken = false;
        Ok(())
    }

    /// Two zero blocks; gives the writer back.
    ///
    /// # Errors
    /// The writer's, or that an entry was not written whole.
    pub fn finish(mut self) -> io::Result<W> {
        self.check()?;
        self.inner.write_all(&[0; 2 * BLOCK_BYTES])?;
        Ok(self.inner)
    }

    fn check(&self) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other("an earlier entry was not written whole"));
        }
        Ok(())
    }

    fn copy(&mut self, bytes: u64, content: &mut dyn Read) -> io::Result<()> {
        let mut left = bytes;
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(COPY_BYTES);
            let part = self.buffer.get_mut(..wanted).unwrap_or_default();
            if read_full(content, part)? != wanted {
                return Err(invalid("content is shorter than declared"));
            }
            self.inner.write_all(part)?;
            left -= length_of(part);
        }
        if read_full(content, &mut [0])? != 0 {
            return Err(invalid("content is longer than declared"));
        }
        Ok(())
    }
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// Everything of an entry before its content: one block, or three with a PAX header.
pub(super) fn header_blocks(path: &str, bytes: u64) -> Vec<u8> {
    let mut blocks = Vec::with_capacity(3 * BLOCK_BYTES);
    let mut records = Vec::new();
    if path.len() > NAME_FIELD_BYTES || !path.is_ascii() {
        records.extend(pax_record("path", path));
    }
    if bytes > USTAR_SIZE_MAX {
        records.extend(pax_record("size", &bytes.to_string()));
    }
    if !records.is_empty() {
        let length = length_of(&records);
        blocks.extend(ustar_block("PaxHeader", length, b'x'));
        blocks.extend(records);
        blocks.extend(zeros(padding_of(length)));
    }
    // Where PAX says the size, ustar says zero, as GNU tar and Python do.
    let said = if bytes > USTAR_SIZE_MAX { 0 } else { bytes };
    blocks.extend(ustar_block(path, said, b'0'));
    blocks
}

/// `LENGTH KEY=VALUE\n`, where LENGTH counts itself.
fn pax_record(key: &str, value: &str) -> Vec<u8> {
    // The space, the equals sign and the line feed.
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    format!("{length} {key}={value}\n").into_bytes()
}

fn ustar_block(path: &str, bytes: u64, kind: u8) -> [u8; BLOCK_BYTES] {
    let mut header = tar::Header::new_ustar();
    if let Some(ustar) = header.as_ustar_mut() {
        // A name that PAX gives in full is repeated here as far as it goes, for readers without PAX.
        put(&mut ustar.name, path.bytes().map(ascii_or_underscore));
        put(&mut ustar.mode, "0000644".bytes());
        put(&mut ustar.uid, "0000000".bytes());
        put(&mut ustar.gid, "0000000".bytes());
        put(&mut ustar.size, format!("{bytes:011o}").bytes());
        put(&mut ustar.mtime, "00000000000".bytes());
        put(&mut ustar.dev_major, "0000000".bytes());
        put(&mut ustar.dev_minor, "0000000".bytes());
        put(&mut ustar.typeflag, [kind].into_iter());
        // POSIX: the sum counts its own field as spaces.
        ustar.cksum = [b' '; 8];
    }
    let sum: u64 = header.as_bytes().iter().map(|byte| u64::from(*byte)).sum();
    if let Some(ustar) = header.as_ustar_mut() {
        put(&mut ustar.cksum, format!("{sum:06o}\0").bytes());
    }
    *header.as_bytes()
}

fn put(field: &mut [u8], bytes: impl Iterator<Item = u8>) {
    for (place, byte) in field.iter_mut().zip(bytes) {
        *place = byte;
    }
}

fn ascii_or_underscore(byte: u8) -> u8 {
    if byte.is_ascii() { byte } else { b'_' }
}
