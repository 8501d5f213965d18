//! The container that receipts, cards and slips have in common: a text and one signature over it. FORMAT.md §5.
//! The text is handed out only after its signature verified; the bundle has a head of its own (`container`), and an
//! agreement has several signatures (`agreement`). The files of each: FORMAT.md §5.3.

use super::{PublicKey, Purpose, verify};
use crate::container::{pack, unpack_small};
use crate::limits::DOCUMENT_BYTES_MAX;

/// A text whose signature was verified. Whose key made it is still to be asked.
pub(crate) struct SignedText {
    /// The exact bytes that were signed.
    pub(crate) text: Vec<u8>,
    /// The key that signed them.
    pub(crate) signer: PublicKey,
}

impl SignedText {
    /// Reads a container of exactly `name` and `name.sig`, and verifies.
    ///
    /// # Errors
    /// The rule broken, as a text.
    pub(crate) fn verify(purpose: Purpose, name: &str, container: &[u8]) -> Result<Self, String> {
        let files = unpack_small(container, DOCUMENT_BYTES_MAX).map_err(|e| e.to_string())?;
        let [(text_name, text), (armor_name, armor)] = files.as_slice() else {
            return Err(format!("expected two files, found {}", files.len()));
        };
        if text_name != name || armor_name.strip_suffix(".sig") != Some(name) {
            return Err(format!("expected the files {name} and {name}.sig"));
        }
        let signer = verify(purpose, text, armor).map_err(|error| error.to_string())?;
        Ok(Self {
            text: text.clone(),
            signer,
        })
    }
}

/// The container of a text and its signature.
pub(crate) fn pack_signed(name: &str, text: &[u8], armor: &str) -> Vec<u8> {
    let armor_name = format!("{name}.sig");
    pack(&[(name, text), (&armor_name, armor.as_bytes())])
}
