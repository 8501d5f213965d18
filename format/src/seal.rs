//! Sealing: entries → tar → zstd → age → bytes, streaming, hashed once in passing. FORMAT.md §7. `open` is its mirror image.

use std::io::{self, Read, Write};
use crate::{contents::{Binding, ContentsSummary}, digest::Digest, entry_path::EntryPath, manifest::PayloadRef, recipient::Recipient};

/// How hard to compress, and on how many threads.
#[derive(Debug, Clone, Copy)]
pub struct SealOptions { /// zstd level, 1 to 19.
    pub level: i32, /// Worker threads; 0 compresses in the caller's.
    pub workers: u32 }
/// A payload under way. Memory does not depend on its size.
pub struct Sealer<W: Write> { _out: W }
impl<W: Write> Sealer<W> {
    /// Writes the age header.
    ///
    /// # Errors
    /// No or too many recipients, or the writer's.
    pub fn new(out: W, recipients: &[Recipient], options: SealOptions) -> Result<Self, SealError> { todo!() }
    /// Adds one file of exactly `bytes` bytes; returns its digest.
    ///
    /// # Errors
    /// `Changed` where `content` is shorter or longer; a path taken already (also by case); too many entries; I/O.
    pub fn entry(&mut self, path: &EntryPath, bytes: u64, content: &mut dyn Read) -> Result<Digest, SealError> { todo!() }
    /// Writes contents.json and every closing byte. The caller syncs `W`.
    ///
    /// # Errors
    /// I/O.
    pub fn finish(self, binding: &Binding, salt: [u8; 32]) -> Result<Sealed<W>, SealError> { todo!() }
}
/// A finished payload.
pub struct Sealed<W> { /// The writer.
    pub out: W, /// Digest and length of the ciphertext.
    pub payload: PayloadRef, /// For the manifest.
    pub contents: ContentsSummary }
/// Why sealing failed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The file is not as long as it was said to be: it changed meanwhile.
    #[error("the file changed while it was read: {expected} bytes expected, {found} found")]
    Changed { expected: u64, found: u64 },
    #[error("two entries share the path {0:?} (case is not a difference)")]
    Duplicate(String),
    #[error("more than {} entries", crate::limits::ENTRIES_MAX)]
    TooMany,
    #[error("recipients: {0}")]
    Recipients(String),
    #[error("sealing: {0}")]
    Io(#[from] io::Error),
}
