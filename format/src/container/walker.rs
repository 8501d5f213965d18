//! Walks a tar strictly, front to back, once. FORMAT.md §5 has the rule for each byte.
//!
//! Never a path, a mode or an owner is acted on here: what comes out is raw path bytes and a length.
//! Memory does not depend on the tar: one block, one PAX header of at most 4 KiB.

use std::io::{self, Read};

use super::{
    BLOCK_BYTES, BLOCK_LEN, ContainerError, END_ZEROS_MAX, PAX_BYTES_MAX, USTAR_SIZE_MAX,
    length_of, padding_of, read_full,
};

/// One block.
type Block = [u8; BLOCK_BYTES];

/// One entry as the walker found it; `content` must be read through [`Walker::content`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEntry {
    /// Raw path bytes, unchecked.
    pub path: Vec<u8>,
    /// Declared length.
    pub bytes: u64,
}

/// Walks a tar strictly, front to back, once.
pub struct Walker<R> {
    inner: R,
    /// Bytes taken from `inner` so far.
    offset: u64,
    /// Content of the current entry that is not read yet.
    unread: u64,
    /// Zeros that follow it.
    padding: u64,
    ended: bool,
}

impl<R: Read> Walker<R> {
    /// Nothing is read yet.
    pub fn new(inner: R) -> Self {
        Self {
            inner,
            offset: 0,
            unread: 0,
            padding: 0,
            ended: false,
        }
    }

    /// The next entry, or `None` after the end marker (two zero blocks; only zeros, at most 10 KiB, may follow).
    /// What was left unread of the previous entry is skipped.
    ///
    /// # Errors
    /// A broken rule or the reader's own error.
    pub fn next_entry(&mut self) -> Result<Option<RawEntry>, ContainerError> {
        if self.ended {
            return Ok(None);
        }
        self.skip_content()?;
        let block = self.block()?;
        if is_zero(&block) {
            self.end()?;
            return Ok(None);
        }
        let mut header = Header::parse(&block)?;
        let mut pax = Pax::default();
        if header.kind == b'x' {
            pax = self.pax(header.bytes)?;
            header = Header::parse(&self.block()?)?;
        }
        if header.kind != b'0' {
            return Err(ContainerError::Kind(char::from(header.kind)));
        }
        let entry = pax.apply(header)?;
        self.unread = entry.bytes;
        self.padding = padding_of(entry.bytes);
        Ok(Some(entry))
    }

    /// The current entry's content: yields exactly its declared bytes, an `UnexpectedEof` error when cut short.
    pub fn content(&mut self) -> impl Read + '_ {
        Content { walker: self }
    }

    /// The rest of the current entry's content, in memory: the caller has bounded its length.
    pub(crate) fn content_whole(&mut self) -> Result<Vec<u8>, ContainerError> {
        let mut content = Vec::new();
        self.content()
            .read_to_end(&mut content)
            .map_err(truncated)?;
        Ok(content)
    }

    /// Bytes from the tar's start to the point reached.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    fn block(&mut self) -> Result<Block, ContainerError> {
        let mut block = [0; BLOCK_BYTES];
        let count = read_full(&mut self.inner, &mut block)?;
        if count != BLOCK_BYTES {
            return Err(ContainerError::Truncated);
        }
        self.offset = self.offset.saturating_add(BLOCK_LEN);
        Ok(block)
    }

    /// A PAX header's content: its length was read from the header block before it.
    fn pax(&mut self, bytes: u64) -> Result<Pax, ContainerError> {
        if bytes > PAX_BYTES_MAX {
            return Err(ContainerError::Rule("a PAX header is longer than 4 KiB"));
        }
        self.unread = bytes;
        self.padding = padding_of(bytes);
        let records = self.content_whole()?;
        self.skip_content()?;
        Pax::parse(&records)
    }

    fn skip_content(&mut self) -> Result<(), ContainerError> {
        io::copy(&mut self.content(), &mut io::sink()).map_err(truncated)?;
        let padding = usize::try_from(self.padding).unwrap_or(BLOCK_BYTES);
        let mut block = [0; BLOCK_BYTES];
        let zeros = block.get_mut(..padding).unwrap_or_default();
        if read_full(&mut self.inner, zeros)? != padding {
            return Err(ContainerError::Truncated);
        }
        if !is_zero(&block) {
            return Err(ContainerError::Rule("padding is not zeros"));
        }
        self.offset = self.offset.saturating_add(self.padding);
        self.padding = 0;
        Ok(())
    }

    /// The second zero block, and the zeros with which GNU tar fills its last record.
    fn end(&mut self) -> Result<(), ContainerError> {
        if !is_zero(&self.block()?) {
            return Err(ContainerError::Rule("one zero block in the middle"));
        }
        let mut block = [0; BLOCK_BYTES];
        let mut after = 0;
        loop {
            let count = read_full(&mut self.inner, &mut block)?;
            let found = block.get(..count).unwrap_or_default();
            if !is_zero(found) {
                return Err(ContainerError::Rule("bytes after the end"));
            }
            after += length_of(found);
            if after > END_ZEROS_MAX {
                return Err(ContainerError::Rule("more than 10 KiB of zeros at the end"));
            }
            if count < BLOCK_BYTES {
                self.offset = self.offset.saturating_add(after);
                self.ended = true;
                return Ok(());
            }
        }
    }
}

/// The current entry's content.
struct Content<'a, R> {
    walker: &'a mut Walker<R>,
}

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let unread = usize::try_from(self.walker.unread).unwrap_or(usize::MAX);
        let wanted = into.len().min(unread);
        if wanted == 0 {
            return Ok(0);
        }
        let part = into.get_mut(..wanted).unwrap_or_default();
        let count = self.walker.inner.read(part)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let passed = u64::try_from(count).unwrap_or(u64::MAX);
        self.walker.unread = self.walker.unread.saturating_sub(passed);
        self.walker.offset = self.walker.offset.saturating_add(passed);
        Ok(count)
    }
}

/// What counts of a header block after each of its bytes was checked.
struct Header {
    path: Vec<u8>,
    bytes: u64,
    kind: u8,
}

impl Header {
    fn parse(block: &Block) -> Result<Self, ContainerError> {
        let header = tar::Header::from_byte_slice(block);
        let ustar = header.as_ustar().ok_or(ContainerError::Rule(
            "magic is not ustar 00 (tar --format=ustar or --format=posix)",
        ))?;
        if octal(&ustar.cksum)? != checksum(block) {
            return Err(ContainerError::Rule("a header's checksum is wrong"));
        }
        let [kind] = ustar.typeflag;
        if kind != b'0' && kind != b'x' {
            return Err(ContainerError::Kind(char::from(kind)));
        }
        if !is_zero(&ustar.linkname) {
            return Err(ContainerError::Rule("a regular file with a link name"));
        }
        if !is_zero(&ustar.pad) {
            return Err(ContainerError::Rule("bytes 500 to 511 are not zeros"));
        }
        for device in [&ustar.dev_major, &ustar.dev_minor] {
            if !is_zero(device) && octal(device)? != 0 {
                return Err(ContainerError::Rule("a regular file with a device number"));
            }
        }
        // Well formed, and then ignored: who owned a file elsewhere, and what he might do, means nothing here.
        for ignored in [&ustar.mode, &ustar.uid, &ustar.gid] {
            octal(ignored)?;
        }
        octal(&ustar.mtime)?;
        let mut path = text(&ustar.prefix)?.to_vec();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(text(&ustar.name)?);
        Ok(Self {
            path,
            bytes: octal(&ustar.size)?,
            kind,
        })
    }
}

/// The records of a PAX header (POSIX pax, "Extended Header"): `LENGTH KEY=VALUE\n`.
#[derive(Default)]
struct Pax {
    path: Option<Vec<u8>>,
    bytes: Option<u64>,
}

impl Pax {
    fn parse(mut records: &[u8]) -> Result<Self, ContainerError> {
        let mut pax = Self::default();
        if records.is_empty() {
            return Err(ContainerError::Rule("a PAX header without records"));
        }
        while !records.is_empty() {
            records = pax.record(records)?;
        }
        Ok(pax)
    }

    /// Takes the first record and gives back those after it.
    fn record<'a>(&mut self, records: &'a [u8]) -> Result<&'a [u8], ContainerError> {
        const MALFORMED: ContainerError = ContainerError::Rule("a malformed PAX record");
        let space = records.iter().position(|byte| *byte == b' ');
        let (length, _) = records.split_at(space.ok_or(MALFORMED)?);
        let length = usize::try_from(decimal(length).ok_or(MALFORMED)?).map_err(|_| MALFORMED)?;
        let (record, rest) = records.split_at_checked(length).ok_or(MALFORMED)?;
        let pair = space
            .and_then(|space| record.get(space + 1..))
            .and_then(|pair| pair.strip_suffix(b"\n"))
            .ok_or(MALFORMED)?;
        if let Some(path) = pair.strip_prefix(b"path=") {
            if path.is_empty() || path.contains(&0) {
                return Err(ContainerError::Rule("a PAX path is empty or holds NUL"));
            }
            once(&mut self.path, path.to_vec())?;
        } else if let Some(bytes) = pair.strip_prefix(b"size=") {
            once(&mut self.bytes, decimal(bytes).ok_or(MALFORMED)?)?;
        } else {
            return Err(ContainerError::Rule(
                "a PAX record other than path and size",
            ));
        }
        Ok(rest)
    }

    /// The entry that the header after this one describes.
    fn apply(self, header: Header) -> Result<RawEntry, ContainerError> {
        let bytes = self.bytes.unwrap_or(header.bytes);
        let unsaid = bytes > USTAR_SIZE_MAX && header.bytes == 0;
        if bytes != header.bytes && !unsaid {
            return Err(ContainerError::Rule("two sizes that differ"));
        }
        let path = self.path.unwrap_or(header.path);
        if path.is_empty() {
            return Err(ContainerError::Rule("an entry without a name"));
        }
        Ok(RawEntry { path, bytes })
    }
}

fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), ContainerError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(ContainerError::Rule("a PAX record given twice")),
    }
}

/// Octal digits, then at least one NUL or space to the field's end (POSIX ustar); no base-256, no leading spaces.
fn octal(field: &[u8]) -> Result<u64, ContainerError> {
    let end = field
        .iter()
        .position(|byte| !(b'0'..=b'7').contains(byte))
        .ok_or(ContainerError::Rule("an octal number without its end"))?;
    let (digits, rest) = field.split_at(end);
    if digits.is_empty() || rest.iter().any(|byte| *byte != 0 && *byte != b' ') {
        return Err(ContainerError::Rule("a malformed octal number"));
    }
    // At most eleven digits stand before a terminator: 33 bits.
    Ok(digits
        .iter()
        .fold(0, |number, digit| number * 8 + u64::from(digit - b'0')))
}

/// A decimal number without sign or leading zeros.
fn decimal(text: &[u8]) -> Option<u64> {
    let canonical = text == b"0" || !text.starts_with(b"0");
    let digits = text.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(text).ok()?.parse().ok()?;
    (canonical && digits).then_some(number)
}

/// The bytes before the first NUL; only NULs may follow.
fn text(field: &[u8]) -> Result<&[u8], ContainerError> {
    let end = field.iter().position(|byte| *byte == 0);
    let (text, rest) = field.split_at(end.unwrap_or(field.len()));
    if is_zero(rest) {
        Ok(text)
    } else {
        Err(ContainerError::Rule("bytes after a name's end"))
    }
}

/// The unsigned sum of a header's bytes, its checksum field counted as spaces.
fn checksum(block: &Block) -> u64 {
    let (before, rest) = block.split_at(148);
    let (_, after) = rest.split_at(8);
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    sum(before) + 8 * u64::from(b' ') + sum(after)
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

/// [`Content`] says `UnexpectedEof` where the tar ends too early.
fn truncated(error: io::Error) -> ContainerError {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        ContainerError::Truncated
    } else {
        ContainerError::Io(error)
    }
}
