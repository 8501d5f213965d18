//! SHA-256 digests: how they are computed, written (`sha256:` + 64 lower-case hex digits) and read. FORMAT.md §3.

use std::io::{self, Read, Write};

/// A SHA-256 digest. Text form `sha256:<64 hex>`; `Display`, `FromStr` and serde use it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self { todo!() }
    /// Wraps 32 bytes that are a SHA-256 digest already (a Merkle node, a database column).
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self { Self(bytes) }
    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] { &self.0 }
    /// 64 lower-case hex digits, without prefix: names on disk and on the wire.
    #[must_use]
    pub fn to_hex(&self) -> String { todo!() }
    /// Reads what [`Digest::to_hex`] wrote.
    ///
    /// # Errors
    /// Any other length, upper case, or a character that is no hex digit.
    pub fn from_hex(text: &str) -> Result<Self, DigestError> { todo!() }
    /// OpenSSH's way to print a fingerprint: `SHA256:` + unpadded base64 (used for cards read over the phone).
    #[must_use]
    pub fn to_fingerprint(&self) -> String { todo!() }
    /// Reads what [`Digest::to_fingerprint`] wrote.
    ///
    /// # Errors
    /// Another prefix, length or alphabet.
    pub fn from_fingerprint(text: &str) -> Result<Self, DigestError> { todo!() }
}

/// A text that is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 digest: expected {expected}, found {found:?}")]
pub struct DigestError { expected: &'static str, found: String }

/// Passes bytes through, counting and hashing them once.
pub struct HashingWriter<W> { inner: W }
impl<W: Write> HashingWriter<W> {
    /// Starts at zero bytes.
    pub fn new(inner: W) -> Self { todo!() }
    /// The inner writer, the digest and the count of what passed.
    pub fn finish(self) -> (W, Digest, u64) { todo!() }
}
impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> { todo!() }
    fn flush(&mut self) -> io::Result<()> { self.inner.flush() }
}

/// Passes bytes through on reading, counting and hashing them once.
pub struct HashingReader<R> { inner: R }
impl<R: Read> HashingReader<R> {
    /// Starts at zero bytes.
    pub fn new(inner: R) -> Self { todo!() }
    /// The inner reader, the digest and the count of what passed.
    pub fn finish(self) -> (R, Digest, u64) { todo!() }
}
impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> { todo!() }
}
