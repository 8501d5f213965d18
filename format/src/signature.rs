//! SSHSIG detached signatures (OpenSSH PROTOCOL.sshsig), SHA-512, Ed25519, `verify_strict`. FORMAT.md §5.
//! Signing takes a [`Purpose`], never a namespace text: a receipt's signature can never pass for a bundle's.

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
}
impl Purpose {
    /// The SSHSIG namespace.
    #[must_use]
    pub const fn namespace(self) -> &'static str { match self { Self::Bundle => "bundle@amanah", Self::Receipt => "receipt@amanah", Self::Card => "card@amanah", Self::Agreement => "agreement@amanah", Self::Slip => "slip@amanah" } }
}

/// An Ed25519 public key. Text form as OpenSSH has it, without comment: `ssh-ed25519 AAAA…` (Display, FromStr, serde).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);
impl PublicKey {
    /// `SHA256:…` as `ssh-keygen -l` prints it.
    #[must_use]
    pub fn fingerprint(&self) -> String { todo!() }
    /// The raw 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] { &self.0 }
}

/// A secret Ed25519 key in memory; wiped when dropped. It signs documents (party key), checkpoints (ledger key)
/// or SSH sessions (transport key): which, is decided by the file it was read from.
pub struct SecretKey(ed25519_dalek::SigningKey);
impl SecretKey {
    /// Makes one from 32 random bytes.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self { todo!() }
    /// Reads an unencrypted OpenSSH private key file (as `ssh-keygen -t ed25519 -N ''` writes it).
    ///
    /// # Errors
    /// Not OpenSSH's format, encrypted, or of another key type.
    pub fn from_openssh(pem: &str) -> Result<Self, KeyError> { todo!() }
    /// OpenSSH's private key file, LF line ends; wiped when dropped.
    #[must_use]
    pub fn to_openssh(&self, comment: &str) -> zeroize::Zeroizing<String> { todo!() }
    /// Its public half.
    #[must_use]
    pub fn public(&self) -> PublicKey { todo!() }
    /// Signs `message` for `purpose`: the whole armoured file, ending in a line feed.
    #[must_use]
    pub fn sign(&self, purpose: Purpose, message: &[u8]) -> String { todo!() }
    /// A raw Ed25519 signature, for C2SP signed notes only.
    #[must_use]
    pub(crate) fn sign_raw(&self, message: &[u8]) -> [u8; 64] { todo!() }
}

/// The key that made `armor` over `message` for `purpose`. Whose key it is, and whether it may, the keyring tells.
///
/// # Errors
/// Names the rule broken; a wrong signature is `SignatureError::Wrong`.
pub fn verify(purpose: Purpose, message: &[u8], armor: &[u8]) -> Result<PublicKey, SignatureError> { todo!() }

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not SSHSIG armour as this format narrows it.
    #[error("not an SSHSIG signature: {0}")]
    Malformed(String),
    /// For another purpose.
    #[error("the signature is for {found:?}, expected {expected:?}")]
    Namespace { /** what was asked */ expected: &'static str, /** what it says */ found: String },
    /// The mathematics says no.
    #[error("the signature does not match the bytes")]
    Wrong,
}
/// Why a key file or text is not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an Ed25519 key in OpenSSH format: {0}")]
pub struct KeyError(pub(crate) String);
