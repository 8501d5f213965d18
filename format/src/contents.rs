//! `contents.json`: the encrypted inner list, last entry of the payload. FORMAT.md §8.

use crate::{digest::Digest, document::Ext, id::{BundleId, FlowName, PartyId}};

/// What binds a payload to its manifest, so that a stolen ciphertext cannot be claimed by another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding { /// The bundle.
    pub bundle: BundleId, /// The agreement's digest.
    pub agreement: Digest, /// Sender.
    pub from: PartyId, /// Recipient.
    pub to: PartyId, /// Flow.
    pub flow: FlowName }

/// One entry: path, length, digest.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry { /// Its path ([`crate::entry_path::EntryPath`] rules).
    pub path: String, /// Its length.
    pub bytes: u64, /// SHA-256 of its content.
    pub digest: Digest, /// Reserved for tables: number of records.
    #[serde(default, skip_serializing_if = "Option::is_none")] pub records: Option<u64> }

/// The inner list.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contents { pub format: String, pub salt: String, pub bundle: BundleId, pub agreement: Digest, pub from: PartyId, pub to: PartyId, pub flow: FlowName,
    pub entries: Vec<Entry>, pub ext: Ext, pub critical: Vec<String> }

/// What the manifest says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContentsSummary { /// Digest of contents.json.
    pub digest: Digest, /// Number of entries without it.
    pub entries: u64, /// Sum of their lengths.
    pub bytes: u64 }
