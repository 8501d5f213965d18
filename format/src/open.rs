//! Opening: bytes → age → zstd → tar → entries, streaming, under limits. FORMAT.md §7. The mirror image of `seal`.
//! Plaintext is not whole before the end was seen: the sink stages, the caller imports only after `Ok`.
//!
//! No more than the manifest's bytes ever reach the sink: an entry that would exceed them is refused at its header.

use std::io::{self, BufRead, BufReader, Read};

use crate::{
    ahead, contents::Contents, entry_path::EntryPath, limits::ZSTD_WINDOW_LOG_MAX,
    manifest::Manifest, recipient::Identity, refusal::Refusal,
};

mod age_header;
#[cfg(test)]
mod binding_tests;
mod entries;
mod layer;
mod paced;
#[cfg(test)]
pub(crate) mod tests;

use entries::Entries;
use layer::{Faults, Layer, Reached, Watched};
use paced::Paced;

pub use paced::Spent;

/// Ciphertext is read in pieces of this many bytes.
const READ_BYTES: usize = 128 * 1024;
/// Contents that fit into one piece are not worth a thread.
const AHEAD_BYTES_MIN: u64 = 256 * 1024;
/// zstd's frame: magic, then the descriptor byte (RFC 8878 §3.1.1).
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Descriptor bit 2: a checksum ends the frame.
const ZSTD_CHECKSUM: u8 = 0b0000_0100;
/// Descriptor bits 0, 1 and 3: a dictionary, a reserved bit.
const ZSTD_UNUSED: u8 = 0b0000_1011;

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
pub fn open_payload(
    reader: &mut (dyn Read + Send),
    identities: &[Identity],
    manifest: &Manifest,
    sink: &mut dyn EntrySink,
) -> Result<Contents, OpenError> {
    open_payload_within(reader, identities, manifest, sink, &|| false)
}

/// The same with a bound on the work: from the moment on at which `spent` says so it is refused as `payload-exceeds`. `spent` is
/// asked on three threads: the caller's, and two that live as long as the opening.
///
/// # Errors
/// [`OpenError`].
pub fn open_payload_within(
    reader: &mut (dyn Read + Send),
    identities: &[Identity],
    manifest: &Manifest,
    sink: &mut dyn EntrySink,
    spent: Spent<'_>,
) -> Result<Contents, OpenError> {
    let (ahead, beneath) = (Faults::default(), Faults::default());
    let source = Watched::new(reader, &ahead, Layer::Source);
    let source = BufReader::with_capacity(READ_BYTES, source);
    let plaintext = decrypt(source, identities, manifest.recipients.len())
        .map_err(|error| ahead.take().unwrap_or(error))?;
    let plaintext = Watched::new(plaintext, &ahead, Layer::Cipher);
    let plaintext = Paced::new(plaintext, spent, &ahead);
    let mut read = |plaintext: &mut (dyn BufRead + Send)| {
        let plaintext = Reached::new(plaintext, &ahead, &beneath);
        read_frame(plaintext, (&beneath, spent), manifest, sink)
    };
    let opened = if manifest.payload.bytes <= AHEAD_BYTES_MIN {
        read(&mut BufReader::with_capacity(READ_BYTES, plaintext))
    } else {
        ahead::reading(plaintext, |plaintext| read(plaintext))?.0
    };
    // What the innermost layer said outweighs what the layers around it made of it.
    match beneath.take() {
        Some(error) => Err(error),
        None => opened,
    }
}

/// The age layer.
fn decrypt<R: BufRead + Send>(
    mut source: R,
    identities: &[Identity],
    recipients: usize,
) -> Result<impl Read + Send + use<R>, OpenError> {
    let failed = OpenError::Refused(Refusal::DecryptionFailed);
    let Some(header) = age_header::read(&mut source, recipients)? else {
        return Err(failed);
    };
    let whole = io::Cursor::new(header).chain(source);
    age::Decryptor::new_buffered(whole)
        .and_then(|file| {
            file.decrypt(
                identities
                    .iter()
                    .map(|key| -> &dyn age::Identity { key.as_age() }),
            )
        })
        .map_err(|_| failed)
}

/// The zstd layer: exactly one frame, with a checksum, and nothing around it.
fn read_frame<R: BufRead + Send>(
    mut plaintext: R,
    (beneath, spent): (&Faults, Spent<'_>),
    manifest: &Manifest,
    sink: &mut dyn EntrySink,
) -> Result<Contents, OpenError> {
    let malformed = || OpenError::Refused(Refusal::PayloadMalformed);
    let mut start = [0; ZSTD_MAGIC.len() + 1];
    plaintext.read_exact(&mut start).map_err(|_| malformed())?;
    let [magic @ .., descriptor] = start;
    if magic != ZSTD_MAGIC || descriptor & ZSTD_CHECKSUM == 0 || descriptor & ZSTD_UNUSED != 0 {
        return Err(malformed());
    }
    let frame = io::Cursor::new(start).chain(plaintext);
    let mut decoder = zstd::Decoder::with_buffer(frame)?.single_frame();
    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
    let decoder = Paced::new(decoder, spent, beneath);
    let (contents, decoder) = read_entries(decoder, (beneath, spent), manifest, sink)?;
    let mut rest = decoder.into_inner().finish();
    // Reading on to age's own end also proves its last chunk.
    match rest.fill_buf() {
        Ok([]) => Ok(contents),
        Ok(_) | Err(_) => Err(malformed()),
    }
}

/// The tar layer. The layers beneath are read ahead: a fault of theirs counts only where the reading of entries came to it, so
/// that the answer to a payload with two faults does not depend on how threads ran.
fn read_entries<R: Read + Send>(
    decoder: R,
    (beneath, spent): (&Faults, Spent<'_>),
    manifest: &Manifest,
    sink: &mut dyn EntrySink,
) -> Result<(Contents, R), OpenError> {
    let met = Faults::default();
    let mut entries = |tar: &mut dyn Read| {
        let tar = Paced::new(Watched::new(tar, &met, Layer::Frame), spent, &met);
        Entries::new(tar, manifest, &met).read(sink)
    };
    let (contents, decoder) = if manifest.contents.bytes <= AHEAD_BYTES_MIN {
        let mut decoder = decoder;
        (entries(&mut decoder), decoder)
    } else {
        ahead::reading(decoder, |tar| entries(tar))?
    };
    match met.take() {
        Some(fault) => Err(beneath.take().unwrap_or(fault)),
        None => {
            beneath.forget();
            Ok((contents?, decoder))
        }
    }
}

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
