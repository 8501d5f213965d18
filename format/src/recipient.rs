//! age X25519 recipients and identities (C2SP age), as cards and key files hold them. FORMAT.md §7.
//! A secret is wiped when it is dropped and never printed, also not in an error about a key file that does not read.

use std::fmt;
use std::str::FromStr;

use age::secrecy::ExposeSecret;
use zeroize::Zeroizing;

use crate::digest::Digest;
use crate::document::{excerpt, text_form};
use crate::signature::KeyError;
use crate::time::UtcTime;

/// A public age key. Text form `age1…` (Display, FromStr, serde).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Recipient(String);

impl Recipient {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How a manifest names it: SHA-256 of its text form (`printf %s age1… | sha256sum`).
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Recipient {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        text.parse::<age::x25519::Recipient>()
            .ok()
            // Bech32 may also be written in upper case; the digest of the text names the key, so only one spelling counts.
            .filter(|key| key.to_string() == text)
            .map(|_| Self(text.to_owned()))
            .ok_or_else(|| KeyError(format!("{:?} is no age1… recipient", excerpt(text))))
    }
}

text_form!(Recipient);

/// A secret age key; wiped when dropped.
pub struct Identity(age::x25519::Identity);

impl Identity {
    /// Makes one.
    #[must_use]
    pub fn generate() -> Self {
        Self(age::x25519::Identity::generate())
    }

    /// Reads an `age-keygen` file: comment lines and one or more `AGE-SECRET-KEY-1…` lines.
    ///
    /// # Errors
    /// No key, or a line that is none.
    pub fn read_all(text: &str) -> Result<Vec<Self>, KeyError> {
        let mut identities = Vec::new();
        for (line, number) in text.lines().zip(1_u32..) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            // The line itself is never repeated in the message: it may be a secret with a typing error.
            let identity = line.parse().map_err(|reason: &str| {
                KeyError(format!("line {number} is no age secret key: {reason}"))
            })?;
            identities.push(Self(identity));
        }
        if identities.is_empty() {
            return Err(KeyError("no AGE-SECRET-KEY-1… line in the file".into()));
        }
        Ok(identities)
    }

    /// The file that `age-keygen` would write.
    #[must_use]
    pub fn to_file(&self, created: UtcTime) -> Zeroizing<String> {
        Zeroizing::new(format!(
            "# created: {created}\n# public key: {}\n{}\n",
            self.0.to_public(),
            self.0.to_string().expose_secret()
        ))
    }

    /// Its public half.
    #[must_use]
    pub fn recipient(&self) -> Recipient {
        Recipient(self.0.to_public().to_string())
    }

    /// For opening.
    pub(crate) const fn as_age(&self) -> &age::x25519::Identity {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_reads_back() {
        let identity = Identity::generate();
        let created = UtcTime::from_unix(0).unwrap();
        let file = identity.to_file(created);
        assert!(file.starts_with("# created: 1970-01-01T00:00:00Z\n# public key: age1"));
        let read = Identity::read_all(&file).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].recipient(), identity.recipient());
        let two = format!("{}\r\n{}", *file, *Identity::generate().to_file(created));
        assert_eq!(Identity::read_all(&two).unwrap().len(), 2);
    }

    #[test]
    fn a_file_without_a_whole_key_is_refused_and_not_repeated() {
        let file = Identity::generate().to_file(UtcTime::from_unix(0).unwrap());
        let key = file.lines().last().unwrap();
        for wrong in ["", "# only a comment\n", &key[..key.len() - 1], "age1abc"] {
            let error = Identity::read_all(wrong).err().unwrap();
            assert!(!error.to_string().contains("AGE-SECRET-KEY-1Q"), "{error}");
        }
    }

    #[test]
    fn a_recipient_has_one_spelling() {
        let recipient = Identity::generate().recipient();
        let text = recipient.to_string();
        assert_eq!(text.parse(), Ok(recipient.clone()));
        assert_eq!(recipient.digest(), Digest::of(text.as_bytes()));
        for wrong in [
            text.to_uppercase(),
            format!("{text} "),
            text[..text.len() - 1].to_owned(),
            String::new(),
        ] {
            assert!(wrong.parse::<Recipient>().is_err(), "{wrong}");
        }
    }
}
