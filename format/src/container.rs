//! The one container: a plain tar of regular files in a fixed order, walked strictly. FORMAT.md §5.
//!
//! One stated rule for each header byte (POSIX ustar, IEEE 1003.1): magic, checksum, type `0`, octal numbers; at most one
//! PAX header with `path` and `size` before an entry. `tar::Header` reads and writes the fields; `unpack` is never used.
//! The same walker reads containers and payloads.

use std::io::{self, Read, Write};
use crate::digest::Digest;

/// Suffix of every container on disk and on the wire.
pub const SUFFIX: &str = ".amanah";

/// One entry as the walker found it; `content` must be read through [`Walker::content`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEntry { /// Raw path bytes, unchecked.
    pub path: Vec<u8>, /// Declared length.
    pub bytes: u64 }

/// Walks a tar strictly, front to back, once.
pub struct Walker<R> { inner: R }
impl<R: Read> Walker<R> {
    /// Nothing is read yet.
    pub fn new(inner: R) -> Self { todo!() }
    /// The next entry, or `None` after the end marker (two zero blocks; only zeros, at most 10 KiB in all, may follow).
    /// What was left unread of the previous entry is skipped.
    ///
    /// # Errors
    /// A broken rule or the reader's own error.
    pub fn next_entry(&mut self) -> Result<Option<RawEntry>, ContainerError> { todo!() }
    /// The current entry's content: yields exactly its declared bytes, an `UnexpectedEof` error when cut short.
    pub fn content(&mut self) -> impl Read + '_ { io::empty() }
}

/// Writes canonical tar entries.
pub struct TarWriter<W> { inner: W }
impl<W: Write> TarWriter<W> {
    /// Nothing is written yet.
    pub fn new(inner: W) -> Self { todo!() }
    /// Writes the header of an entry of exactly `bytes` bytes (a PAX header before it where path or size need one), then copies
    /// `content`.
    ///
    /// # Errors
    /// The writer's or reader's; `InvalidData` where content is shorter or longer than `bytes`.
    pub fn entry(&mut self, path: &str, bytes: u64, content: &mut dyn Read) -> io::Result<()> { todo!() }
    /// Two zero blocks; gives the writer back.
    ///
    /// # Errors
    /// The writer's.
    pub fn finish(self) -> io::Result<W> { todo!() }
}

/// A small container in memory: `(name, bytes)` in order. Receipts, cards, agreements, slips.
#[must_use]
pub fn pack(files: &[(&str, &[u8])]) -> Vec<u8> { todo!() }
/// Reads what [`pack`] or stock `tar` wrote; each file at most `file_bytes_max`, at most 64 files.
///
/// # Errors
/// A broken rule.
pub fn unpack_small(bytes: &[u8], file_bytes_max: u64) -> Result<Vec<(String, Vec<u8>)>, ContainerError> { todo!() }

/// How long manifest.json is, so that the payload starts at [`crate::limits::BUNDLE_HEAD_BYTES`]; it depends only on whether the
/// payload needs a PAX size (over 8 GiB - 1).
#[must_use]
pub const fn manifest_bytes_for(payload_bytes: u64) -> usize { todo!() }
/// The 16 KiB before the payload. `manifest` has the length of [`manifest_bytes_for`].
///
/// # Errors
/// Parts that do not fit.
pub fn bundle_head(manifest: &[u8], signature: &str, payload_bytes: u64) -> Result<Vec<u8>, ContainerError> { todo!() }
/// What follows the payload: padding to 512 and two zero blocks.
#[must_use]
pub fn bundle_tail(payload_bytes: u64) -> Vec<u8> { todo!() }
/// The whole bundle's length.
#[must_use]
pub const fn bundle_bytes(payload_bytes: u64) -> u64 { todo!() }
/// The parts of a head: what `manifest::UnverifiedHead` is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadParts { /// Exact bytes, padding included.
    pub manifest: Vec<u8>, /// The armour.
    pub signature: Vec<u8>, /// Declared by the tar header.
    pub payload_bytes: u64 }
/// Reads the first 16 KiB of a bundle.
///
/// # Errors
/// A broken rule, or fewer bytes.
pub fn read_head(head: &[u8]) -> Result<HeadParts, ContainerError> { todo!() }
/// Checks what follows the payload.
///
/// # Errors
/// Anything but padding and zero blocks.
pub fn check_tail(payload_bytes: u64, tail: &[u8]) -> Result<(), ContainerError> { todo!() }
/// The name of a bundle on the wire and in the queue: 64 hex digits of its manifest digest and [`SUFFIX`].
#[must_use]
pub fn bundle_name(manifest: &Digest) -> String { todo!() }

/// Which rule a container breaks.
#[derive(Debug, thiserror::Error)]
pub enum ContainerError {
    /// A rule of FORMAT.md §5.
    #[error("container: {0}")]
    Rule(&'static str),
    /// An entry that is no regular file.
    #[error("container: an entry of type {0:?} (only regular files)")]
    Kind(char),
    /// It ends too early.
    #[error("container: cut short")]
    Truncated,
    /// The reader failed.
    #[error("container: {0}")]
    Io(#[from] io::Error),
}
