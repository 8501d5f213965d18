//! The configuration as meant: parsed ids, absolute paths, verified cards and agreements. What is wrong is said with file, line and remedy (exit 78).

use std::path::{Path, PathBuf};
use amanah_format::{card::VerifiedCard, id::PartyId};
use crate::{catalogue::Language, engine::policy::Policy, keys::KeyFolder, transport::{client::PostQuantum, server::Network}};

/// What `supervise` hands out in small values.
pub struct Config { pub file: PathBuf, pub folder: PathBuf, pub party: PartyId, pub home: PathBuf, pub keys: KeyFolder, pub language: Language, pub listen: Option<Listen>, pub peers: Vec<Peer>, pub outbox: super::raw::Outbox, pub seal: super::raw::Seal, pub limits: super::raw::Limits }
/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen { pub address: std::net::SocketAddr, pub networks: Vec<Network> }
/// A peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer { pub party: PartyId, pub dial: Option<String>, pub post_quantum: PostQuantum }
impl Config {
    /// Reads and checks the file alone (no keys, no cards).
    pub fn load(file: &Path) -> Result<Self, ConfigError> { todo!() }
    /// Reads own card, peers' cards, agreements and revocations from the configuration's folder; verifies each; builds the policy. Returns with it one line per document loaded (path and digest), for the ledger.
    pub fn policy(&self, now: amanah_format::time::UtcTime) -> Result<(Policy, Vec<Loaded>), ConfigError> { todo!() }
}
/// A document that was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded { /// `config`, `card`, `agreement`, `revocation`.
    pub kind: &'static str, pub path: PathBuf, pub digest: amanah_format::digest::Digest, /// Set when it does not count, and why (an agreement signed by one side only).
    pub warning: Option<String> }
/// What is wrong, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct ConfigError { pub path: PathBuf, pub reason: String }
