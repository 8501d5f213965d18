//! Opening: bytes → age → zstd → tar → entries, streaming, under limits. FORMAT.md §7. The mirror image of `seal`.
//! Plaintext is not whole before the end was seen: the sink stages, the caller imports only after `Ok`.

use std::io::{self, Read};
use crate::{contents::Contents, entry_path::EntryPath, manifest::Manifest, recipient::Identity, refusal::Refusal};

/// Where entries go. `content` yields exactly `bytes` bytes and must be read to its end.
pub trait EntrySink {
    /// Takes one entry.
    ///
    /// # Errors
    /// The sink's own: it ends the opening as `OpenError::Io`.
    fn entry(&mut self, path: &EntryPath, bytes: u64, content: &mut dyn Read) -> io::Result<()>;
}
/// Opens a payload. Checks the stanza count against `manifest.recipients`, the age header limit, the zstd window, output bounded by the signed
/// sizes, every entry against contents.json, contents.json against the manifest, nothing after any end. Does not check the ciphertext's digest:
/// admission did (or `reader` hashes in passing).
///
/// # Errors
/// [`OpenError`].
pub fn open_payload(reader: &mut dyn Read, identities: &[Identity], manifest: &Manifest, sink: &mut dyn EntrySink) -> Result<Contents, OpenError> { todo!() }

/// Why a payload was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The peer's fault.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// This machine's: reading the bundle or writing the entries failed.
    #[error("opening: {0}")]
    Io(#[from] io::Error),
}
