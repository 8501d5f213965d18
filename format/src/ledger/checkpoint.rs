//! Checkpoints: C2SP tlog-checkpoint texts in C2SP signed notes, Ed25519, named by the ledger's origin.
//! Narrowed: three lines of text and no extension lines; other signatures beside the ledger's own are skipped.

use base64ct::{Base64, Encoding};
use ed25519_dalek::{Signature, VerifyingKey};

use super::LedgerError;
use crate::digest::Digest;
use crate::id::PartyId;
use crate::limits::DOCUMENT_BYTES_MAX;
use crate::signature::{PublicKey, SecretKey};

/// C2SP signed-note: what a signature line starts with (U+2014, space).
pub(super) const SIGNATURE_START: &str = "\u{2014} ";
/// C2SP signed-note: the signature type of plain Ed25519, part of the key's hash.
const ED25519: u8 = 0x01;
/// Most signature lines: the ledger's own and its witnesses'.
const SIGNATURES_MAX: usize = 16;

/// A ledger's origin: `amanah/<party>/<epoch>`.
#[must_use]
pub fn origin(party: &PartyId, epoch: u32) -> String {
    format!("amanah/{party}/{epoch}")
}

/// The party and epoch of an [`origin`]; `None` for any other text.
#[must_use]
pub fn parse_origin(text: &str) -> Option<(PartyId, u32)> {
    let (party, epoch) = text.strip_prefix("amanah/")?.split_once('/')?;
    let party = party.parse().ok()?;
    let epoch = u32::try_from(decimal(epoch)?).ok()?;
    (epoch > 0).then_some((party, epoch))
}

/// What a checkpoint says (C2SP tlog-checkpoint).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which ledger.
    pub origin: String,
    /// How many records it covers.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
}

impl Checkpoint {
    /// The signed note (C2SP signed-note, Ed25519): text, blank line, one signature line named by the origin.
    #[must_use]
    pub fn sign(&self, key: &SecretKey) -> String {
        let text = self.to_text();
        let hash = key_hash(&self.origin, &key.public());
        let signature = [&hash[..], &key.sign_raw(text.as_bytes())].concat();
        format!(
            "{text}\n{SIGNATURE_START}{} {}\n",
            self.origin,
            Base64::encode_string(&signature)
        )
    }

    /// Verifies a note under any of `keys`.
    ///
    /// # Errors
    /// A broken rule, or none of the keys signed it.
    pub fn verify(note: &str, keys: &[PublicKey]) -> Result<Self, LedgerError> {
        let (text, lines) = split(note)?;
        let checkpoint = Self::parse_text(&text)
            .ok_or_else(|| wrong("its text is not origin, size and root on three lines"))?;
        let mut is_signed = false;
        for line in lines.split('\n') {
            let line = SignatureLine::parse(line).ok_or_else(|| wrong("a malformed signature"))?;
            let by = |key: &&PublicKey| line.hash == key_hash(&checkpoint.origin, key);
            if line.name != checkpoint.origin {
                continue;
            }
            // C2SP signed-note: a signature that claims a known key must verify; others are skipped.
            for key in keys.iter().filter(by) {
                if !line.verifies(&text, key) {
                    return Err(wrong("the signature does not match the text"));
                }
                is_signed = true;
            }
        }
        if is_signed {
            Ok(checkpoint)
        } else {
            Err(wrong("none of the known ledger keys signed it"))
        }
    }

    /// What a note says, whoever signed it: nothing of it is proven.
    #[must_use]
    pub fn read(note: &str) -> Option<Self> {
        let (text, _) = split(note).ok()?;
        Self::parse_text(&text)
    }

    /// The text that is signed, with its last line feed.
    pub(super) fn to_text(&self) -> String {
        let root = Base64::encode_string(self.root.as_bytes());
        format!("{}\n{}\n{root}\n", self.origin, self.size)
    }

    /// Reads a text that comes out the same when printed again.
    fn parse_text(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let checkpoint = Self {
            origin: lines.next().filter(|o| parse_origin(o).is_some())?.into(),
            size: decimal(lines.next()?)?,
            root: Digest::from_bytes(Base64::decode_vec(lines.next()?).ok()?.try_into().ok()?),
        };
        (checkpoint.to_text() == text).then_some(checkpoint)
    }
}

/// A note's text, with its last line feed, and its signature lines.
pub(super) fn split(note: &str) -> Result<(String, &str), LedgerError> {
    if u64::try_from(note.len()).unwrap_or(u64::MAX) > DOCUMENT_BYTES_MAX {
        return Err(wrong("too long"));
    }
    let (text, signatures) = note
        .rsplit_once("\n\n")
        .ok_or_else(|| wrong("no blank line before the signatures"))?;
    let lines = signatures
        .strip_suffix('\n')
        .ok_or_else(|| wrong("it does not end in a line feed"))?;
    if lines.split('\n').count() > SIGNATURES_MAX {
        return Err(wrong("more than 16 signatures"));
    }
    Ok((format!("{text}\n"), lines))
}

fn wrong(rule: &str) -> LedgerError {
    LedgerError(format!("checkpoint: {rule}"))
}

/// A number in decimal digits without sign or leading zeros.
fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

fn key_hash(name: &str, key: &PublicKey) -> [u8; 4] {
    hash_of(name, ED25519, key)
}

/// C2SP signed-note: the first 4 bytes of SHA-256(name ‖ LF ‖ type ‖ key).
pub(super) fn hash_of(name: &str, kind: u8, key: &PublicKey) -> [u8; 4] {
    let digest = Digest::of(&[name.as_bytes(), b"\n", &[kind], key.as_bytes()].concat());
    let [a, b, c, d, ..] = *digest.as_bytes();
    [a, b, c, d]
}

/// `— name base64(hash ‖ signature)`.
pub(super) struct SignatureLine<'a> {
    pub(super) name: &'a str,
    pub(super) hash: [u8; 4],
    pub(super) signature: Vec<u8>,
}

impl<'a> SignatureLine<'a> {
    pub(super) fn parse(line: &'a str) -> Option<Self> {
        let (name, digits) = line.strip_prefix(SIGNATURE_START)?.split_once(' ')?;
        let bytes = Base64::decode_vec(digits).ok()?;
        let (hash, signature) = bytes.split_first_chunk::<4>()?;
        let is_name = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+');
        (is_name && !signature.is_empty()).then_some(Self {
            name,
            hash: *hash,
            signature: signature.to_vec(),
        })
    }

    fn verifies(&self, text: &str, key: &PublicKey) -> bool {
        let signature = Signature::from_slice(&self.signature);
        let key = VerifyingKey::from_bytes(key.as_bytes());
        match (signature, key) {
            (Ok(signature), Ok(key)) => key.verify_strict(text.as_bytes(), &signature).is_ok(),
            _ => false,
        }
    }
}
