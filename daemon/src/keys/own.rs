//! Our own secret keys of one role: one, or several while an old one gives way to a new one. Which is used when, our card says
//! (`Keyring::signing_order`, `Keyring::use_order`); here they are only held.

use amanah_format::signature::{KeyError, PublicKey, SecretKey};

/// At least one key.
pub struct OwnKeys {
    older: Vec<SecretKey>,
    newest: SecretKey,
}

impl OwnKeys {
    /// These, the oldest first.
    ///
    /// # Errors
    /// There is none.
    pub fn of(mut keys: Vec<SecretKey>) -> Result<Self, KeyError> {
        let newest = keys.pop().ok_or_else(KeyError::none)?;
        let older = keys;
        Ok(Self { older, newest })
    }

    /// The one that was added last.
    #[must_use]
    pub const fn newest(&self) -> &SecretKey {
        &self.newest
    }

    /// The first of these that is held here; the newest where none is.
    #[must_use]
    pub fn first_of(&self, order: &[PublicKey]) -> &SecretKey {
        let held = |wanted| self.all().find(|key| &key.public() == wanted);
        order.iter().find_map(held).unwrap_or(&self.newest)
    }

    /// The public halves, the oldest first.
    #[must_use]
    pub fn publics(&self) -> Vec<PublicKey> {
        self.all().map(SecretKey::public).collect()
    }

    /// All, the oldest first.
    pub fn all(&self) -> impl Iterator<Item = &SecretKey> {
        self.older.iter().chain(std::iter::once(&self.newest))
    }
}
