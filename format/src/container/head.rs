//! A bundle's frame: the 16 KiB before its payload and the few zeros after it. FORMAT.md §5.
//!
//! The payload's first byte lies at 16384 whatever the manifest says, so that sealing streams the payload once and writes
//! the head last, and a receiver can refuse before the payload arrives.

use super::{
    BLOCK_LEN, ContainerError, END_ZEROS_MAX, USTAR_SIZE_MAX, Walker, length_of, padding_of,
    writer::header_blocks, zeros,
};
use crate::limits::{BUNDLE_HEAD_BYTES, DOCUMENT_BYTES_MAX, SIGNATURE_BYTES_MAX};

/// The signed text.
const MANIFEST: &str = "manifest.json";
/// Its detached SSHSIG.
const SIGNATURE: &str = "manifest.json.sig";
/// The ciphertext.
const PAYLOAD: &str = "payload.tar.zst.age";

/// Three headers and one block of signature leave this much of 16 KiB.
const MANIFEST_BYTES: usize = 14_336;
/// A PAX header takes two blocks more.
const MANIFEST_BYTES_WITH_PAX: usize = 13_312;

/// How long manifest.json is, so that the payload starts at [`BUNDLE_HEAD_BYTES`]; it depends only on whether the
/// payload needs a PAX size (over 8 GiB - 1).
#[must_use]
pub const fn manifest_bytes_for(payload_bytes: u64) -> usize {
    if payload_bytes > USTAR_SIZE_MAX {
        MANIFEST_BYTES_WITH_PAX
    } else {
        MANIFEST_BYTES
    }
}

/// The 16 KiB before the payload. `manifest` has the length of [`manifest_bytes_for`].
///
/// # Errors
/// Parts that do not fit.
pub fn bundle_head(
    manifest: &[u8],
    signature: &str,
    payload_bytes: u64,
) -> Result<Vec<u8>, ContainerError> {
    let mut head = Vec::new();
    for (name, bytes) in [(MANIFEST, manifest), (SIGNATURE, signature.as_bytes())] {
        let length = length_of(bytes);
        head.extend(header_blocks(name, length));
        head.extend_from_slice(bytes);
        head.extend(zeros(padding_of(length)));
    }
    head.extend(header_blocks(PAYLOAD, payload_bytes));
    if length_of(&head) != BUNDLE_HEAD_BYTES {
        return Err(ContainerError::Rule(
            "manifest and signature do not fill the head exactly",
        ));
    }
    Ok(head)
}

/// What follows the payload: padding to 512 and two zero blocks.
#[must_use]
pub fn bundle_tail(payload_bytes: u64) -> Vec<u8> {
    zeros(padding_of(payload_bytes) + 2 * BLOCK_LEN).collect()
}

/// The whole bundle's length.
#[must_use]
pub const fn bundle_bytes(payload_bytes: u64) -> u64 {
    BUNDLE_HEAD_BYTES
        .saturating_add(payload_bytes)
        .saturating_add(padding_of(payload_bytes) + 2 * BLOCK_LEN)
}

/// The parts of a head: what `manifest::UnverifiedHead` is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadParts {
    /// Exact bytes, padding included.
    pub manifest: Vec<u8>,
    /// The armour.
    pub signature: Vec<u8>,
    /// Declared by the tar header.
    pub payload_bytes: u64,
}

/// Reads the first 16 KiB of a bundle; bytes beyond them are not looked at.
///
/// # Errors
/// A broken rule, or fewer bytes.
pub fn read_head(head: &[u8]) -> Result<HeadParts, ContainerError> {
    let length = usize::try_from(BUNDLE_HEAD_BYTES).unwrap_or(usize::MAX);
    let head = head.get(..length).ok_or(ContainerError::Truncated)?;
    let mut walker = Walker::new(head);
    let manifest = read_part(&mut walker, MANIFEST, DOCUMENT_BYTES_MAX)?;
    let signature = read_part(&mut walker, SIGNATURE, SIGNATURE_BYTES_MAX)?;
    let payload_bytes = expect_part(&mut walker, PAYLOAD)?;
    if walker.offset() != BUNDLE_HEAD_BYTES {
        return Err(ContainerError::Rule(
            "the payload does not start at byte 16384",
        ));
    }
    Ok(HeadParts {
        manifest,
        signature,
        payload_bytes,
    })
}

/// Checks what follows the payload.
///
/// # Errors
/// Anything but padding and zero blocks.
pub fn check_tail(payload_bytes: u64, tail: &[u8]) -> Result<(), ContainerError> {
    let shortest = padding_of(payload_bytes) + 2 * BLOCK_LEN;
    let found = length_of(tail);
    if tail.iter().any(|byte| *byte != 0) {
        return Err(ContainerError::Rule("bytes after the payload"));
    }
    if found < shortest {
        return Err(ContainerError::Truncated);
    }
    if found > shortest + END_ZEROS_MAX {
        return Err(ContainerError::Rule("more than 10 KiB of zeros at the end"));
    }
    Ok(())
}

fn read_part(walker: &mut Walker<&[u8]>, name: &str, max: u64) -> Result<Vec<u8>, ContainerError> {
    if expect_part(walker, name)? > max {
        return Err(ContainerError::Rule("a part of the head is too long"));
    }
    walker.content_whole()
}

/// The declared length of the next entry, which must have this name.
fn expect_part(walker: &mut Walker<&[u8]>, name: &str) -> Result<u64, ContainerError> {
    let entry = walker.next_entry()?.ok_or(ContainerError::Truncated)?;
    if entry.path != name.as_bytes() {
        return Err(ContainerError::Rule(
            "not manifest.json, manifest.json.sig, payload.tar.zst.age in this order",
        ));
    }
    Ok(entry.bytes)
}
