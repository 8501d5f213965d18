//! Paths of entries: relative, UTF-8 NFC, `/`-separated, safe on every common file system. FORMAT.md §6.

/// A path that may be created beneath a folder: made only by [`EntryPath::parse`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EntryPath(String);

impl EntryPath {
    /// Parses raw bytes of an archive or of the file system.
    ///
    /// # Errors
    /// Names the first rule broken.
    pub fn parse(raw: &[u8]) -> Result<Self, EntryPathError> { todo!() }
    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str { &self.0 }
    /// Its components, in order.
    pub fn components(&self) -> impl Iterator<Item = &str> { self.0.split('/') }
    /// What two paths that collide on a case-folding file system have in common.
    #[must_use]
    pub fn case_key(&self) -> String { todo!() }
}

/// The rule that a path breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("entry path: {rule}")]
pub struct EntryPathError { rule: &'static str }
