//! Dialling a peer: SSH by russh, the host key pinned from its card, our transport key; one SFTP channel per lane, one for pulling, one for `wait@amanah`.

use std::time::Duration;
use super::link::LinkError;
use amanah_format::{id::PartyId, signature::PublicKey};
/// Whom to dial, and how.
pub struct Dial { /// `host:port`.
    pub address: String, /// Our party id: the SSH user.
    pub user: PartyId, /// Our transport key (OpenSSH text).
    pub key: zeroize::Zeroizing<String>, /// Transport keys of the peer's card that are valid now.
    pub host_keys: Vec<PublicKey>, pub post_quantum: PostQuantum, pub connect_timeout: Duration }
/// Whether a session without ML-KEM is acceptable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PostQuantum { Preferred, Required }
/// A live SSH connection with its SFTP channels.
pub struct SshLink { _private: () }
impl SshLink {
    /// Dials, authenticates, opens the channels.
    pub async fn connect(dial: Dial) -> Result<Self, LinkError> { todo!() }
}
