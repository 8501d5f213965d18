//! Reads private keys: owner only, else refused; the credentials folder of systemd (`CREDENTIALS_DIRECTORY`) wins and is exempt.
//! Signing and decryption secrets never share a type.

use std::path::{Path, PathBuf};
use amanah_format::{recipient::Identity, signature::{KeyError, SecretKey}};
/// Where keys are looked for.
#[derive(Debug, Clone)]
pub struct KeyFolder { pub folder: PathBuf, pub credentials: Option<PathBuf> }
impl KeyFolder {
    /// `keys/signing`
    pub fn signing(&self) -> Result<SecretKey, KeysError> { todo!() }
    /// `keys/ledger`
    pub fn ledger(&self) -> Result<SecretKey, KeysError> { todo!() }
    /// `keys/transport`: the OpenSSH text, for the SSH library.
    pub fn transport(&self) -> Result<zeroize::Zeroizing<String>, KeysError> { todo!() }
    /// `keys/decryption.txt`
    pub fn decryption(&self) -> Result<Vec<Identity>, KeysError> { todo!() }
}
/// Why a key is not used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("key {path}: {source}")] Io { path: PathBuf, #[source] source: std::io::Error },
    #[error("key {path}: mode {mode:04o} lets others read it; run: chmod 600 {path}")] Loose { path: PathBuf, mode: u32 },
    #[error("key {path}: owned by user {owner}, this process runs as {own}; run: chown {own} {path}")] Owner { path: PathBuf, owner: u32, own: u32 },
    #[error("key {path}: {source}")] Key { path: PathBuf, #[source] source: KeyError },
}
