//! age X25519 recipients and identities (C2SP age), as cards and key files hold them. FORMAT.md §7.

/// A public age key. Text form `age1…` (Display, FromStr, serde).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Recipient(String);
impl Recipient {
    /// How a manifest names it: SHA-256 of its text form (`printf %s age1… | sha256sum`).
    #[must_use]
    pub fn digest(&self) -> crate::digest::Digest { todo!() }
}
/// A secret age key; wiped when dropped.
pub struct Identity(age::x25519::Identity);
impl Identity {
    /// Makes one.
    #[must_use]
    pub fn generate() -> Self { todo!() }
    /// Reads an `age-keygen` file: comment lines and one or more `AGE-SECRET-KEY-1…` lines.
    ///
    /// # Errors
    /// No key, or a line that is none.
    pub fn read_all(text: &str) -> Result<Vec<Self>, crate::signature::KeyError> { todo!() }
    /// The file that `age-keygen` would write.
    #[must_use]
    pub fn to_file(&self, created: crate::time::UtcTime) -> zeroize::Zeroizing<String> { todo!() }
    /// Its public half.
    #[must_use]
    pub fn recipient(&self) -> Recipient { todo!() }
}
