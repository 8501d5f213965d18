//! The one container: a plain tar of regular files in a fixed order, walked strictly. FORMAT.md §5.
//!
//! One stated rule for each header byte (POSIX ustar, IEEE 1003.1): magic, checksum, type `0`, octal numbers; at most one
//! PAX header with `path` and `size` before an entry. `tar::Header` reads the fields; `unpack` is never used.
//! The same walker reads containers and payloads.

use std::io::{self, Read};

use crate::digest::Digest;

mod head;
#[cfg(test)]
pub(crate) mod stock_tests;
#[cfg(test)]
mod tests;
mod walker;
mod writer;

pub use head::{
    HeadParts, bundle_bytes, bundle_head, bundle_tail, check_tail, manifest_bytes_for, read_head,
};
pub use walker::{RawEntry, Walker};
pub use writer::TarWriter;

/// Suffix of every container on disk and on the wire.
pub const SUFFIX: &str = ".amanah";

/// Bytes of one tar block: headers are one long, contents are padded to a multiple.
const BLOCK_BYTES: usize = 512;
/// [`BLOCK_BYTES`] as a length.
const BLOCK_LEN: u64 = 512;
/// Zeros accepted after the two that end a tar: GNU tar fills its last record of 20 blocks.
const END_ZEROS_MAX: u64 = 10 * 1024;
/// Longest content of a PAX header: the longest entry path, many times over.
const PAX_BYTES_MAX: u64 = 4 * 1024;
/// Largest size that eleven octal digits hold: 8 GiB - 1. Above it a PAX `size` is needed.
const USTAR_SIZE_MAX: u64 = (1 << 33) - 1;
/// Most files of a small container: the largest of them, an agreement, has five.
const SMALL_FILES_MAX: usize = 64;

/// A small container in memory: `(name, bytes)` in order. Receipts, cards, agreements, slips.
#[must_use]
pub fn pack(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut container = Vec::new();
    for (name, bytes) in files {
        let length = length_of(bytes);
        container.extend(writer::header_blocks(name, length));
        container.extend_from_slice(bytes);
        container.extend(zeros(padding_of(length)));
    }
    container.extend(zeros(2 * BLOCK_LEN));
    container
}

/// Reads what [`pack`] or stock `tar` wrote; each file at most `file_bytes_max`, at most 64 files.
///
/// # Errors
/// A broken rule.
pub fn unpack_small(
    bytes: &[u8],
    file_bytes_max: u64,
) -> Result<Vec<(String, Vec<u8>)>, ContainerError> {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let mut walker = Walker::new(bytes);
    while let Some(entry) = walker.next_entry()? {
        if files.len() == SMALL_FILES_MAX {
            return Err(ContainerError::Rule("more than 64 files"));
        }
        if entry.bytes > file_bytes_max {
            return Err(ContainerError::Rule("a file is too long"));
        }
        let name = String::from_utf8(entry.path)
            .map_err(|_| ContainerError::Rule("a name is not UTF-8"))?;
        if files.iter().any(|(known, _)| *known == name) {
            return Err(ContainerError::Rule("two files share a name"));
        }
        files.push((name, walker.content_whole()?));
    }
    Ok(files)
}

/// The name of a bundle on the wire and in the queue: 64 hex digits of its manifest digest and [`SUFFIX`].
#[must_use]
pub fn bundle_name(manifest: &Digest) -> String {
    format!("{}{SUFFIX}", manifest.to_hex())
}

/// Zeros that fill the last block of a content of `bytes` bytes: 0 to 511.
const fn padding_of(bytes: u64) -> u64 {
    (BLOCK_LEN - bytes % BLOCK_LEN) % BLOCK_LEN
}

/// `count` zero bytes; used for paddings and end markers only.
fn zeros(count: u64) -> impl Iterator<Item = u8> {
    (0..count).map(|_| 0)
}

/// A slice's length as a tar has it.
fn length_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// Reads until `into` is full or the reader ends; tells how many bytes came.
fn read_full(reader: &mut dyn Read, into: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

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
