//! SSHSIG detached signatures (OpenSSH PROTOCOL.sshsig), SHA-512, Ed25519, `verify_strict`. FORMAT.md §5.
//! Signing takes a [`Purpose`], never a namespace text: a receipt's signature can never pass for a bundle's.

mod key;
mod pair;

use ed25519_dalek::VerifyingKey;
use ssh_key::{Algorithm, HashAlg, LineEnding, SshSig, public::KeyData};

pub use key::{KeyError, PublicKey, SecretKey};
pub(crate) use pair::{SignedText, pack_signed};

use crate::document::excerpt;
use crate::limits::SIGNATURE_BYTES_MAX;

/// What a signature is for; each has a namespace of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// `bundle@amanah`
    Bundle,
    /// `receipt@amanah`
    Receipt,
    /// `card@amanah`
    Card,
    /// `agreement@amanah`
    Agreement,
    /// `slip@amanah`
    Slip,
    /// `destruction@amanah`
    Destruction,
}

impl Purpose {
    /// All of them, in the order of FORMAT.md.
    pub const ALL: &'static [Self] = &[
        Self::Bundle,
        Self::Receipt,
        Self::Card,
        Self::Agreement,
        Self::Slip,
        Self::Destruction,
    ];

    /// The SSHSIG namespace.
    #[must_use]
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::Bundle => "bundle@amanah",
            Self::Receipt => "receipt@amanah",
            Self::Card => "card@amanah",
            Self::Agreement => "agreement@amanah",
            Self::Slip => "slip@amanah",
            Self::Destruction => "destruction@amanah",
        }
    }
}

impl SecretKey {
    /// Signs `message` for `purpose`: the whole armoured file, ending in a line feed.
    #[must_use]
    pub fn sign(&self, purpose: Purpose, message: &[u8]) -> String {
        // INVARIANT: the only failures are an empty namespace and lengths beyond 32 bits, and neither can occur here:
        // namespaces are the constants above, and what is encoded is a key, a name and a hash.
        self.armor(purpose, message)
            .unwrap_or_else(|error| unreachable!("an SSHSIG without encoding: {error}"))
    }

    fn armor(&self, purpose: Purpose, message: &[u8]) -> Result<String, ssh_key::Error> {
        let signed = SshSig::signed_data(purpose.namespace(), HashAlg::Sha512, message)?;
        let signature = ssh_key::Signature::new(Algorithm::Ed25519, self.sign_raw(&signed))?;
        let key = KeyData::Ed25519(ssh_key::public::Ed25519PublicKey(*self.public().as_bytes()));
        SshSig::new(key, purpose.namespace(), HashAlg::Sha512, signature)?.to_pem(LineEnding::LF)
    }
}

/// The key that made `armor` over `message` for `purpose`. Whose key it is, and whether it may, the keyring tells.
///
/// # Errors
/// Names the rule broken; a wrong signature is `SignatureError::Wrong`.
pub fn verify(purpose: Purpose, message: &[u8], armor: &[u8]) -> Result<PublicKey, SignatureError> {
    let signature = read(armor)?;
    let expected = purpose.namespace();
    if signature.namespace() != expected {
        let found = excerpt(signature.namespace());
        return Err(SignatureError::Namespace { expected, found });
    }
    let KeyData::Ed25519(key) = signature.public_key() else {
        return Err(malformed("its key is not ssh-ed25519"));
    };
    let bytes = signature.signature_bytes().try_into();
    let bytes: [u8; 64] = bytes.map_err(|_| malformed("the signature has not 64 bytes"))?;
    let signed = SshSig::signed_data(expected, HashAlg::Sha512, message)
        .map_err(|error| malformed(&error.to_string()))?;
    VerifyingKey::from_bytes(&key.0)
        .and_then(|key| key.verify_strict(&signed, &ed25519_dalek::Signature::from_bytes(&bytes)))
        .map_err(|_| SignatureError::Wrong)?;
    PublicKey::from_bytes(key.0).map_err(|error| malformed(&error.to_string()))
}

/// Reads armour in the one form that OpenSSH writes: whatever would come out differently when printed again (text
/// around it, CRLF, other line lengths, a second block) is refused.
fn read(armor: &[u8]) -> Result<SshSig, SignatureError> {
    if u64::try_from(armor.len()).unwrap_or(u64::MAX) > SIGNATURE_BYTES_MAX {
        return Err(malformed("too long"));
    }
    let signature = SshSig::from_pem(armor).map_err(|error| malformed(&error.to_string()))?;
    if signature.version() != SshSig::VERSION {
        return Err(malformed("its version is not 1"));
    }
    if !signature.reserved().is_empty() {
        return Err(malformed("its reserved field is not empty"));
    }
    if signature.hash_alg() != HashAlg::Sha512 {
        return Err(malformed("its hash is not sha512"));
    }
    if signature.algorithm() != Algorithm::Ed25519 {
        return Err(malformed("its algorithm is not ssh-ed25519"));
    }
    let again = signature.to_pem(LineEnding::LF);
    if again.is_ok_and(|again| again.as_bytes() == armor) {
        Ok(signature)
    } else {
        Err(malformed("not exactly one block as OpenSSH writes it"))
    }
}

fn malformed(rule: &str) -> SignatureError {
    SignatureError::Malformed(rule.to_owned())
}

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not SSHSIG armour as this format narrows it.
    #[error("not an SSHSIG signature: {0}")]
    Malformed(String),
    /// For another purpose.
    #[error("the signature is for {found:?}, expected {expected:?}")]
    Namespace {
        /// What was asked.
        expected: &'static str,
        /// What it says.
        found: String,
    },
    /// The mathematics says no.
    #[error("the signature does not match the bytes")]
    Wrong,
}

#[cfg(test)]
mod tests;
