//! SHA-256 digests: how they are computed, written (`sha256:` + 64 lower-case hex digits) and read. FORMAT.md §3.
//! Every digest has one spelling in each form: upper case, other lengths and unused bits are refused. The hashing
//! reader and writer compute it in passing, so that no content is read twice.

use std::fmt;
use std::io::{self, Read, Write};
use std::str::FromStr;

use base64ct::{Base64Unpadded, Encoding};
use sha2::{Digest as _, Sha256};

use crate::document::text_form;

/// What stands before the hex digits in a document.
const PREFIX: &str = "sha256:";
/// What OpenSSH prints before the base64 digits of a fingerprint.
const FINGERPRINT_PREFIX: &str = "SHA256:";

/// A SHA-256 digest. Text form `sha256:<64 hex>`; `Display`, `FromStr` and serde use it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Wraps 32 bytes that are a SHA-256 digest already (a Merkle node, a database column).
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lower-case hex digits, without prefix: names on disk and on the wire.
    #[must_use]
    pub fn to_hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads what [`Digest::to_hex`] wrote.
    ///
    /// # Errors
    /// Any other length, upper case, or a character that is no hex digit.
    pub fn from_hex(text: &str) -> Result<Self, DigestError> {
        let wrong = || DigestError::new("64 lower-case hex digits", text);
        if text.len() != 64 {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        let (pairs, _) = text.as_bytes().as_chunks::<2>();
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = nibble(*high).ok_or_else(wrong)? << 4 | nibble(*low).ok_or_else(wrong)?;
        }
        Ok(Self(bytes))
    }

    /// OpenSSH's way to print a fingerprint: `SHA256:` + unpadded base64 (used for cards read over the phone).
    #[must_use]
    pub fn to_fingerprint(&self) -> String {
        format!(
            "{FINGERPRINT_PREFIX}{}",
            Base64Unpadded::encode_string(&self.0)
        )
    }

    /// Reads what [`Digest::to_fingerprint`] wrote.
    ///
    /// # Errors
    /// Another prefix, length or alphabet.
    pub fn from_fingerprint(text: &str) -> Result<Self, DigestError> {
        let wrong = || DigestError::new("SHA256: and 43 base64 digits", text);
        let digits = text.strip_prefix(FINGERPRINT_PREFIX).ok_or_else(wrong)?;
        let bytes = Base64Unpadded::decode_vec(digits).map_err(|_| wrong())?;
        let digest = Self(bytes.try_into().map_err(|_| wrong())?);
        // The last digit holds two unused bits: only one spelling of a digest counts.
        if digest.to_fingerprint() == text {
            Ok(digest)
        } else {
            Err(wrong())
        }
    }
}

/// The value of one lower-case hex digit.
const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.to_hex())
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        text.strip_prefix(PREFIX)
            .and_then(|hex| Self::from_hex(hex).ok())
            .ok_or_else(|| DigestError::new("sha256: and 64 lower-case hex digits", text))
    }
}

text_form!(Digest);

/// A text that is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 digest: expected {expected}, found {found:?}")]
pub struct DigestError {
    expected: &'static str,
    found: String,
}

impl DigestError {
    fn new(expected: &'static str, found: &str) -> Self {
        Self {
            expected,
            found: crate::document::excerpt(found),
        }
    }
}

/// Hash and count of what passed.
struct Tally {
    hash: Sha256,
    bytes: u64,
}

impl Tally {
    fn new() -> Self {
        Self {
            hash: Sha256::new(),
            bytes: 0,
        }
    }

    fn add(&mut self, passed: &[u8]) {
        self.hash.update(passed);
        self.bytes = self
            .bytes
            .saturating_add(u64::try_from(passed.len()).unwrap_or(u64::MAX));
    }

    fn finish(self) -> (Digest, u64) {
        (Digest(self.hash.finalize().into()), self.bytes)
    }
}

/// Passes bytes through, counting and hashing them once.
pub struct HashingWriter<W> {
    inner: W,
    tally: Tally,
}

impl<W: Write> HashingWriter<W> {
    /// Starts at zero bytes.
    pub fn new(inner: W) -> Self {
        Self {
            inner,
            tally: Tally::new(),
        }
    }

    /// The inner writer, the digest and the count of what passed.
    pub fn finish(self) -> (W, Digest, u64) {
        let (digest, bytes) = self.tally.finish();
        (self.inner, digest, bytes)
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        // A writer that claims more than it was given has counted wrong: nothing more is known to have passed.
        self.tally.add(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Passes bytes through on reading, counting and hashing them once.
pub struct HashingReader<R> {
    inner: R,
    tally: Tally,
}

impl<R: Read> HashingReader<R> {
    /// Starts at zero bytes.
    pub fn new(inner: R) -> Self {
        Self {
            inner,
            tally: Tally::new(),
        }
    }

    /// The inner reader, the digest and the count of what passed.
    pub fn finish(self) -> (R, Digest, u64) {
        let (digest, bytes) = self.tally.finish();
        (self.inner, digest, bytes)
    }
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.tally.add(into.get(..read).unwrap_or(into));
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-4, the digest of "abc".
    const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_digest_of_abc_is_that_of_fips_180() {
        assert_eq!(Digest::of(b"abc").to_string(), ABC);
        assert_eq!(ABC.parse(), Ok(Digest::of(b"abc")));
        assert_eq!(
            serde_json::from_str::<Digest>(&format!("\"{ABC}\"")).unwrap(),
            Digest::of(b"abc")
        );
    }

    #[test]
    fn another_spelling_of_a_digest_is_refused() {
        for wrong in [
            ABC.to_uppercase(),
            ABC[7..].to_owned(),
            ABC.replace("ba7816", "BA7816"),
            format!("{ABC}0"),
            ABC[..ABC.len() - 1].to_owned(),
            ABC.replace("ba", "+a"),
            format!(" {ABC}"),
        ] {
            assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_fingerprint_has_one_spelling() {
        let text = Digest::of(b"abc").to_fingerprint();
        assert_eq!(text, "SHA256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0");
        assert_eq!(Digest::from_fingerprint(&text), Ok(Digest::of(b"abc")));
        for wrong in [
            text.replace("SHA256:", "MD5:"),
            text.replace("Fa0", "Fa1"),
            format!("{text}="),
        ] {
            assert!(Digest::from_fingerprint(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_passes_is_hashed_and_counted() {
        let mut writer = HashingWriter::new(Vec::new());
        writer.write_all(b"a").unwrap();
        writer.write_all(b"bc").unwrap();
        assert_eq!(writer.finish(), (b"abc".to_vec(), Digest::of(b"abc"), 3));
        let mut reader = HashingReader::new(&b"abc"[..]);
        io::copy(&mut reader, &mut io::sink()).unwrap();
        let (_, digest, bytes) = reader.finish();
        assert_eq!((digest, bytes), (Digest::of(b"abc"), 3));
    }
}
