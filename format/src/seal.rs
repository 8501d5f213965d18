//! Sealing: entries → tar → zstd → age → bytes, streaming, hashed once in passing. FORMAT.md §7. `open` is its mirror image.
//!
//! Memory does not depend on the payload's size, only on its number of entries (one line each). Plaintext is written
//! nowhere: what reaches the writer is ciphertext.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use age::stream::StreamWriter;
use zstd::{stream::write::Encoder, zstd_safe::CParameter};

use crate::{
    ahead,
    behind::Behind,
    container::TarWriter,
    contents::{self, Binding, Contents, ContentsSummary, Entry, Paths},
    digest::{Digest, HashingReader},
    document,
    entry_path::EntryPath,
    limits::{CONTENTS_BYTES_MAX, ENTRIES_MAX, RECIPIENTS_MAX},
    manifest::PayloadRef,
    recipient::Recipient,
};

/// zstd levels that stay within a window of 8 MiB.
const LEVELS: std::ops::RangeInclusive<i32> = 1..=19;
/// What one zstd worker compresses at a time: fixed, so that memory does not follow from the level alone. Each piece of work begins
/// with nothing learnt but what stood just before it, and waits for a hand: half as much takes a twentieth longer.
const JOB_BYTES: u32 = 2 * 1024 * 1024;

/// What fits into one piece is not worth a thread: there is nothing to do beside it.
const AHEAD_BYTES_MIN: u64 = 256 * 1024;

/// How hard to compress, and on how many threads.
#[derive(Debug, Clone, Copy)]
pub struct SealOptions {
    /// zstd level, 1 to 19; beyond, the nearest of these. With three workers level 1 and 3 take about 25 MB, 9
    /// twice as much, 19 about 300.
    pub level: i32,
    /// Worker threads; 0 compresses in the caller's.
    pub workers: u32,
}

/// The layers from a file's bytes to the ciphertext.
type Layers<W> = TarWriter<Encoder<'static, StreamWriter<Behind<W>>>>;

/// A payload under way. Memory does not depend on its size.
pub struct Sealer<W: Write + Send + 'static> {
    tar: Layers<W>,
    entries: Vec<Entry>,
    paths: Paths,
    bytes: u64,
}

impl<W: Write + Send + 'static> Sealer<W> {
    /// Writes the age header.
    ///
    /// # Errors
    /// No or too many recipients, the same one twice, or the writer's.
    pub fn new(out: W, recipients: &[Recipient], options: SealOptions) -> Result<Self, SealError> {
        let encryptor = encryptor_for(recipients)?;
        let ciphertext = encryptor.wrap_output(Behind::new(out))?;
        let level = options.level.clamp(*LEVELS.start(), *LEVELS.end());
        let mut compressed = Encoder::new(ciphertext, level)?;
        compressed.include_checksum(true)?;
        if options.workers > 0 {
            compressed.multithread(options.workers)?;
            compressed.set_parameter(CParameter::JobSize(JOB_BYTES))?;
        }
        Ok(Self {
            tar: TarWriter::new(compressed),
            entries: Vec::new(),
            paths: Paths::default(),
            bytes: 0,
        })
    }

    /// Adds one file of exactly `bytes` bytes; returns its digest. After an error other than `Duplicate` and `TooMany`
    /// the payload cannot be finished.
    ///
    /// # Errors
    /// `Changed` where `content` is shorter or longer; a path taken already (also by case, or as a folder); too many
    /// entries; I/O.
    pub fn entry(
        &mut self,
        path: &EntryPath,
        bytes: u64,
        content: &mut (dyn Read + Send),
    ) -> Result<Digest, SealError> {
        if u64::try_from(self.entries.len()).unwrap_or(u64::MAX) >= ENTRIES_MAX {
            return Err(SealError::TooMany);
        }
        if !self.paths.take(path) {
            return Err(SealError::Duplicate(path.as_str().to_owned()));
        }
        let (written, hashed) = self.copy(path, bytes, HashingReader::new(content))?;
        let (_, digest, found) = hashed.finish();
        match written {
            Err(error) if error.kind() == io::ErrorKind::InvalidData && found != bytes => {
                let expected = bytes;
                return Err(SealError::Changed { expected, found });
            }
            written => written?,
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.entries.push(Entry {
            path: path.as_str().to_owned(),
            bytes,
            digest,
            records: None,
            totals: None,
        });
        Ok(digest)
    }

    /// Says of the entry that was added last how many rows it has, and their control totals.
    pub fn count(&mut self, rows: u64, totals: BTreeMap<String, String>) {
        if let Some(entry) = self.entries.last_mut() {
            entry.records = Some(rows);
            entry.totals = Some(totals);
        }
    }

    /// A long content is read and hashed ahead of compression. At most one byte beyond its length is read: it changed then.
    fn copy<R: Read + Send>(
        &mut self,
        path: &EntryPath,
        bytes: u64,
        content: R,
    ) -> io::Result<(io::Result<()>, R)> {
        let mut content = content.take(bytes.saturating_add(1));
        if bytes <= AHEAD_BYTES_MIN {
            let written = self.tar.entry(path.as_str(), bytes, &mut content);
            return Ok((written, content.into_inner()));
        }
        let (written, content) = ahead::reading(content, |content| {
            self.tar.entry_in_pieces(path.as_str(), bytes, content)
        })?;
        Ok((written, content.into_inner()))
    }

    /// Writes contents.json and every closing byte. The caller syncs `W`.
    ///
    /// # Errors
    /// `Empty` without any entry; I/O.
    pub fn finish(mut self, binding: &Binding, salt: [u8; 32]) -> Result<Sealed<W>, SealError> {
        if self.entries.is_empty() {
            return Err(SealError::Empty);
        }
        let contents = Contents::new(binding, salt, self.entries);
        let text = document::print(&contents);
        let text_bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
        if text_bytes > CONTENTS_BYTES_MAX {
            return Err(SealError::TooMany);
        }
        self.tar
            .entry(contents::NAME, text_bytes, &mut text.as_slice())?;
        let ciphertext = self.tar.finish()?.finish()?;
        let (out, digest, bytes) = ciphertext.finish()?.finish()?;
        Ok(Sealed {
            out,
            payload: PayloadRef { digest, bytes },
            contents: ContentsSummary {
                digest: Digest::of(&text),
                entries: u64::try_from(contents.entries.len()).unwrap_or(u64::MAX),
                bytes: self.bytes,
            },
        })
    }
}

fn encryptor_for(recipients: &[Recipient]) -> Result<age::Encryptor, SealError> {
    let refuse = |reason: String| SealError::Recipients(reason);
    if recipients.is_empty() || recipients.len() > RECIPIENTS_MAX {
        let found = recipients.len();
        return Err(refuse(format!(
            "1 to {RECIPIENTS_MAX} expected, {found} found"
        )));
    }
    let mut keys = Vec::with_capacity(recipients.len());
    for (place, recipient) in recipients.iter().enumerate() {
        if recipients
            .iter()
            .skip(place + 1)
            .any(|other| other == recipient)
        {
            return Err(refuse(format!("{recipient} is named twice")));
        }
        let key: age::x25519::Recipient = recipient
            .as_str()
            .parse()
            .map_err(|reason: &str| refuse(reason.to_owned()))?;
        keys.push(key);
    }
    age::Encryptor::with_recipients(keys.iter().map(|key| -> &dyn age::Recipient { key }))
        .map_err(|error| refuse(error.to_string()))
}

/// A finished payload.
pub struct Sealed<W> {
    /// The writer.
    pub out: W,
    /// Digest and length of the ciphertext.
    pub payload: PayloadRef,
    /// For the manifest.
    pub contents: ContentsSummary,
}

/// Why sealing failed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The file is not as long as it was said to be: it changed meanwhile.
    #[error("the file changed while it was read: {expected} bytes expected, {found} found")]
    Changed {
        /// What was said.
        expected: u64,
        /// What came; where it is more, reading stopped at once.
        found: u64,
    },
    /// Paths that would be one file on some file system, or file and folder at once.
    #[error("two entries share the path {0:?} (case is not a difference)")]
    Duplicate(String),
    /// Beyond the number of entries, or the length of their list.
    #[error("more than {} entries", crate::limits::ENTRIES_MAX)]
    TooMany,
    /// Not one entry.
    #[error("no entry: a bundle holds at least one file")]
    Empty,
    /// Whom to encrypt to.
    #[error("recipients: {0}")]
    Recipients(String),
    /// Reading a file or writing the payload failed.
    #[error("sealing: {0}")]
    Io(#[from] io::Error),
}
