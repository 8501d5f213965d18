//! `contents.json`: the encrypted inner list, last entry of the payload. FORMAT.md §8.
//!
//! It names every entry with length and digest, and repeats what binds the payload to its manifest. The manifest holds
//! its digest; a random salt keeps that digest from telling anything about guessable contents.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    digest::Digest,
    document::{Document, Ext},
    entry_path::{self, EntryPath},
    id::{BundleId, FlowName, PartyId},
    limits::CONTENTS_BYTES_MAX,
};

/// The inner list's name in the payload's tar.
pub const NAME: &str = entry_path::RESERVED;

/// What binds a payload to its manifest, so that a stolen ciphertext cannot be claimed by another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The bundle.
    pub bundle: BundleId,
    /// The agreement's digest.
    pub agreement: Digest,
    /// Sender.
    pub from: PartyId,
    /// Recipient.
    pub to: PartyId,
    /// Flow.
    pub flow: FlowName,
}

/// One entry: path, length, digest.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its path ([`crate::entry_path::EntryPath`] rules).
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its content.
    pub digest: Digest,
    /// Of tables: number of rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
    /// Of tables: control totals, column name to decimal text.
    #[serde(
        default,
        deserialize_with = "crate::document::present",
        skip_serializing_if = "Option::is_none"
    )]
    pub totals: Option<BTreeMap<String, String>>,
}

/// The inner list.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contents {
    /// `amanah-contents/1`.
    pub format: String,
    /// 32 random bytes as 64 lower-case hex digits.
    pub salt: String,
    /// The manifest's `bundle`.
    pub bundle: BundleId,
    /// Digest of the agreement that the manifest names.
    pub agreement: Digest,
    /// The manifest's `from`.
    pub from: PartyId,
    /// The manifest's `to`.
    pub to: PartyId,
    /// The manifest's `flow`.
    pub flow: FlowName,
    /// Every other entry of the payload, in its order.
    pub entries: Vec<Entry>,
    /// Signed through the manifest; unknown members are ignored.
    pub ext: Ext,
    /// Names that a reader must know.
    pub critical: Vec<String>,
}

impl Contents {
    /// The list of a payload that is bound by `binding`.
    #[must_use]
    pub fn new(binding: &Binding, salt: [u8; 32], entries: Vec<Entry>) -> Self {
        Self {
            format: Self::FORMAT.to_owned(),
            // A digest's hex form is that of any 32 bytes.
            salt: Digest::from_bytes(salt).to_hex(),
            bundle: binding.bundle,
            agreement: binding.agreement,
            from: binding.from.clone(),
            to: binding.to.clone(),
            flow: binding.flow.clone(),
            entries,
            ext: Ext::default(),
            critical: Vec::new(),
        }
    }

    /// What the manifest must say too.
    #[must_use]
    pub fn binding(&self) -> Binding {
        Binding {
            bundle: self.bundle,
            agreement: self.agreement,
            from: self.from.clone(),
            to: self.to.clone(),
            flow: self.flow.clone(),
        }
    }

    /// Whether `salt` is 64 lower-case hex digits.
    pub(crate) fn is_salted(&self) -> bool {
        Digest::from_hex(&self.salt).is_ok()
    }
}

impl Document for Contents {
    const FORMAT: &'static str = "amanah-contents/1";
    const BYTES_MAX: u64 = CONTENTS_BYTES_MAX;

    fn format(&self) -> &str {
        &self.format
    }

    fn critical(&self) -> &[String] {
        &self.critical
    }
}

/// What the manifest says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContentsSummary {
    /// Digest of contents.json.
    pub digest: Digest,
    /// Number of entries without it.
    pub entries: u64,
    /// Sum of their lengths.
    pub bytes: u64,
}

/// Paths that lie beside each other in one folder on every file system: no two alike but for case, none both a file and
/// a folder.
#[derive(Default)]
pub(crate) struct Paths(BTreeSet<String>);

impl Paths {
    /// Takes `path`, or tells that it collides with one taken before.
    pub(crate) fn take(&mut self, path: &EntryPath) -> bool {
        let key = path.case_key();
        let is_folder = self
            .0
            .range(format!("{key}/")..)
            .next()
            .is_some_and(|next| next.starts_with(&format!("{key}/")));
        let beneath_file = key.match_indices('/').any(|(slash, _)| {
            key.get(..slash)
                .is_some_and(|folder| self.0.contains(folder))
        });
        !is_folder && !beneath_file && self.0.insert(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(list: &[&str]) -> Vec<bool> {
        let mut paths = Paths::default();
        let parsed = list.iter().map(|path| EntryPath::parse(path.as_bytes()));
        parsed.map(|path| paths.take(&path.unwrap())).collect()
    }

    #[test]
    fn different_paths_are_taken() {
        assert_eq!(taken(&["a/b", "a/c", "a-/d", "b", "a.b"]), [true; 5]);
    }

    #[test]
    fn a_path_is_taken_once_whatever_its_case() {
        assert_eq!(taken(&["Data.csv", "dATA.csv"]), [true, false]);
        assert_eq!(taken(&["A/b", "a/B"]), [true, false]);
    }

    #[test]
    fn a_path_is_not_both_file_and_folder() {
        assert_eq!(taken(&["a/b", "A"]), [true, false]);
        assert_eq!(taken(&["a", "A/b/c"]), [true, false]);
        assert_eq!(taken(&["a/b", "a/b/c"]), [true, false]);
    }
}
