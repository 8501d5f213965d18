//! `[peer.NAME.drop]`: a server between two parties that cannot reach each other. Its host key is written down here, because it
//! has no card; it is trusted with nothing but to be the same server each time.

use amanah_format::signature::PublicKey;

use super::{Check, Peer, is_host_and_port, raw};
use crate::transport::client::Folders;

/// Longest name of an account or folder: more is a mistake.
const NAME_BYTES_MAX: usize = 200;

/// A blind drop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropAt {
    /// `host:port`
    pub address: String,
    /// Our account there.
    pub user: String,
    /// Its host key.
    pub host_key: PublicKey,
    /// Ours and the peer's.
    pub folders: Folders,
}

impl Check<'_> {
    pub(super) fn drop_at(
        &self,
        table: &str,
        peer: &raw::Peer,
        drop: &raw::Drop,
        others: &[Peer],
    ) -> Result<DropAt, String> {
        if peer.dial.is_some() {
            let reason = "there are both `dial` and a drop; remove one";
            return Err(self.at(table, "dial", reason));
        }
        let table = &format!("{table}.drop");
        if !is_host_and_port(&drop.address) {
            let found = &drop.address;
            let reason = format!("expected host:port, as 203.0.113.5:22, found {found:?}");
            return Err(self.at(table, "address", &reason));
        }
        if !is_plain(&drop.user) {
            let reason = format!("expected the account's name there, found {:?}", drop.user);
            return Err(self.at(table, "user", &reason));
        }
        let host_key = PublicKey::from_openssh(&drop.host_key).map_err(|error| {
            let reason = format!(
                "expected its Ed25519 key, as ssh-ed25519 AAAA… in its ssh_host_ed25519_key.pub: {error}"
            );
            self.at(table, "host_key", &reason)
        })?;
        let folders = Folders {
            put: self.folder(table, "put", &drop.put)?,
            get: self.folder(table, "get", &drop.get)?,
        };
        if folders.put == folders.get {
            let reason = "the same as `put`; each direction has a folder of its own";
            return Err(self.at(table, "get", reason));
        }
        for other in others.iter().filter_map(|other| other.drop.as_ref()) {
            let (theirs, own) = (&other.folders, &folders);
            let shared = [&theirs.put, &theirs.get];
            if other.address == drop.address
                && (shared.contains(&&own.put) || shared.contains(&&own.get))
            {
                let reason = "another peer has a folder of this name there; each pair of parties has its own two";
                return Err(self.at(table, "get", reason));
            }
        }
        Ok(DropAt {
            address: drop.address.clone(),
            user: drop.user.clone(),
            host_key,
            folders,
        })
    }

    fn folder(&self, table: &str, key: &str, path: &str) -> Result<String, String> {
        let trimmed = path.trim_end_matches('/');
        let mut parts = trimmed.split('/').skip(1);
        let named = parts.all(|part| !part.is_empty() && part != "." && part != "..");
        if trimmed.starts_with('/') && named && is_plain(trimmed) {
            return Ok(trimmed.to_owned());
        }
        let reason = format!("expected a folder as the server names it, as /to-x, found {path:?}");
        Err(self.at(table, key, &reason))
    }
}

fn is_plain(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control)
}
