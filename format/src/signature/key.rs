//! Ed25519 keys in OpenSSH's forms: a line for the public half, a private key file for the secret half. FORMAT.md §3.
//! Reads and writes what `ssh-keygen` does, but only this one type: certificates, encrypted key files, weak points and
//! other algorithms are refused. Secrets are wiped when dropped.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64, Encoding};
use ed25519_dalek::Signer;
use ssh_key::{LineEnding, private};
use zeroize::Zeroizing;

use crate::digest::Digest;
use crate::document::text_form;

/// The name of the key type, in the text and in the blob.
const KEY_TYPE: &str = "ssh-ed25519";
/// Where a private key file's text ends.
const KEY_END: &str = "-----END OPENSSH PRIVATE KEY-----";
/// Most keys of one file: as many as a card lists of a kind.
const KEYS_IN_FILE_MAX: usize = 16;
/// What stands before the 32 bytes in the blob (RFC 8709 §4): two lengths and the name.
const BLOB_PREFIX: &[u8] = b"\0\0\0\x0bssh-ed25519\0\0\0\x20";

/// An Ed25519 public key. Text form as OpenSSH has it, without comment: `ssh-ed25519 AAAA…` (Display, FromStr, serde).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// From the raw 32 bytes.
    ///
    /// # Errors
    /// Not a point of the curve, or one of small order (under which anything verifies).
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, KeyError> {
        match ed25519_dalek::VerifyingKey::from_bytes(&bytes) {
            Ok(key) if !key.is_weak() => Ok(Self(bytes)),
            Ok(_) => Err(KeyError("a weak point".into())),
            Err(_) => Err(KeyError("not a point of the curve".into())),
        }
    }

    /// Reads a `.pub` file: one line as `ssh-keygen` writes it, with or without a comment.
    ///
    /// # Errors
    /// Another form or key type.
    pub fn from_openssh(line: &str) -> Result<Self, KeyError> {
        let key = ssh_key::PublicKey::from_openssh(line).map_err(|e| KeyError(e.to_string()))?;
        match key.key_data().ed25519() {
            Some(key) => Self::from_bytes(key.0),
            None => Err(KeyError(format!("a key of type {}", key.algorithm()))),
        }
    }

    /// `SHA256:…` as `ssh-keygen -l` prints it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        Digest::of(&self.blob()).to_fingerprint()
    }

    /// The raw 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key as it travels in the SSH protocol.
    fn blob(&self) -> Vec<u8> {
        [BLOB_PREFIX, &self.0].concat()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{KEY_TYPE} {}", Base64::encode_string(&self.blob()))
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let key = Self::from_openssh(text)?;
        if key.to_string() == text {
            Ok(key)
        } else {
            Err(KeyError("more than type and key in the text".into()))
        }
    }
}

text_form!(PublicKey);

/// A secret Ed25519 key in memory; wiped when dropped. It signs documents (party key), checkpoints (ledger key)
/// or SSH sessions (transport key): which, is decided by the file it was read from.
pub struct SecretKey(ed25519_dalek::SigningKey);

impl SecretKey {
    /// Makes one from 32 random bytes.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// Reads an unencrypted OpenSSH private key file (as `ssh-keygen -t ed25519 -N ''` writes it).
    ///
    /// # Errors
    /// Not OpenSSH's format, encrypted, or of another key type.
    pub fn from_openssh(pem: &str) -> Result<Self, KeyError> {
        let key = ssh_key::PrivateKey::from_openssh(pem).map_err(|e| KeyError(e.to_string()))?;
        if key.is_encrypted() {
            return Err(KeyError(
                "protected by a passphrase, which a daemon cannot type".into(),
            ));
        }
        let Some(pair) = key.key_data().ed25519() else {
            return Err(KeyError(format!("a key of type {}", key.algorithm())));
        };
        let key = Self::from_seed(&Zeroizing::new(pair.private.to_bytes()));
        if key.public().as_bytes() == &pair.public.0 {
            Ok(key)
        } else {
            Err(KeyError("its two halves do not belong together".into()))
        }
    }

    /// Reads a file of one or more such keys, one after the other, the oldest first: during a roll-over a party has two.
    ///
    /// # Errors
    /// As [`SecretKey::from_openssh`]; no key, or more than 16.
    pub fn read_all(text: &str) -> Result<Vec<Self>, KeyError> {
        let blocks: Vec<&str> = text.split_inclusive(KEY_END).collect();
        let mut keys = Vec::new();
        for block in blocks {
            if block.trim().is_empty() {
                continue;
            }
            let whole = Zeroizing::new(format!("{}\n", block.trim()));
            keys.push(Self::from_openssh(&whole)?);
        }
        if (1..=KEYS_IN_FILE_MAX).contains(&keys.len()) {
            Ok(keys)
        } else {
            Err(KeyError(format!("{} keys in the file", keys.len())))
        }
    }

    /// OpenSSH's private key file, LF line ends; wiped when dropped.
    #[must_use]
    pub fn to_openssh(&self, comment: &str) -> Zeroizing<String> {
        let pair = private::Ed25519Keypair::from_seed(self.0.as_bytes());
        // INVARIANT: encoding fails only on lengths beyond 32 bits, and a comment is a short line.
        ssh_key::PrivateKey::new(private::KeypairData::Ed25519(pair), comment)
            .and_then(|key| key.to_openssh(LineEnding::LF))
            .unwrap_or_else(|error| unreachable!("a key without encoding: {error}"))
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// A raw Ed25519 signature, for C2SP signed notes only.
    #[must_use]
    pub(crate) fn sign_raw(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl KeyError {
    /// Where a file should hold a key there is none.
    #[must_use]
    pub fn none() -> Self {
        Self("no key in the file".into())
    }
}

/// Why a key file or text is not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an Ed25519 key in OpenSSH format: {0}")]
pub struct KeyError(pub(crate) String);
