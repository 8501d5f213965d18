//! What both ends of a connection are to the stages: `Link` (we dialled) and `Exchange` (we were dialled), and names on
//! the wire. FORMAT.md §16.

use std::fmt;
use std::fs::File;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use amanah_format::digest::Digest;
use amanah_format::id::PartyId;
use amanah_format::signature::PublicKey;

use crate::bell::Bell;

/// What every name on the wire ends in.
const SUFFIX: &str = ".amanah";
/// What stands before it for a receipt …
const RECEIPT: &str = ".receipt";
/// … and for a slip.
const SLIP: &str = ".slip";

/// A name on the wire: bundle, receipt or slip. Nothing else is ever opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WireName {
    /// `HEX.amanah`, HEX of the manifest.
    Bundle(Digest),
    /// `HEX.receipt.amanah`, HEX of the bundle.
    Receipt(Digest),
    /// `HEX.slip.amanah`
    Slip(Digest),
}

impl WireName {
    /// Parses exactly these three forms.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let stem = name.strip_suffix(SUFFIX)?;
        if let Some(hex) = stem.strip_suffix(RECEIPT) {
            return Digest::from_hex(hex).ok().map(Self::Receipt);
        }
        if let Some(hex) = stem.strip_suffix(SLIP) {
            return Digest::from_hex(hex).ok().map(Self::Slip);
        }
        Digest::from_hex(stem).ok().map(Self::Bundle)
    }
}

impl fmt::Display for WireName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (digest, kind) = match self {
            Self::Bundle(digest) => (digest, ""),
            Self::Receipt(digest) => (digest, RECEIPT),
            Self::Slip(digest) => (digest, SLIP),
        };
        write!(f, "{}{kind}{SUFFIX}", digest.to_hex())
    }
}

/// Something that waits at the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// Its name.
    pub name: WireName,
    /// Its length.
    pub bytes: u64,
}

/// What is to be written, and how far it is.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The whole of it.
    pub source: Arc<File>,
    /// Where to go on: what the peer holds already.
    pub offset: u64,
    /// Is told the acknowledged length.
    pub sent: Arc<AtomicU64>,
}

/// A live connection to a peer that we dialled. All methods may run side by side; each lane has an SFTP channel of its
/// own. A future may be dropped at any point: what was acknowledged stays, the rest is sent again from the prefix.
pub trait Link: Send + Sync + 'static {
    /// Whether the peer itself is at the other end.
    const DIRECT: bool = true;

    /// The synced prefix of `/incoming/NAME.part` at the peer; 0 when there is none.
    fn prefix(
        &self,
        lane: LaneChannel,
        name: WireName,
    ) -> impl Future<Output = Result<u64, LinkError>> + Send;

    /// Writes `/incoming/NAME.part` from the upload's offset to the end of its source, many requests in flight, and
    /// syncs it (`fsync@openssh.com`).
    fn put(
        &self,
        lane: LaneChannel,
        name: WireName,
        upload: Upload,
    ) -> impl Future<Output = Result<(), LinkError>> + Send;

    /// Renames NAME.part to NAME: handed over when it succeeds.
    fn hand_over(
        &self,
        lane: LaneChannel,
        name: WireName,
    ) -> impl Future<Output = Result<(), LinkError>> + Send;

    /// What waits in `/outgoing`.
    fn offers(&self) -> impl Future<Output = Result<Vec<Offer>, LinkError>> + Send;

    /// Reads `/outgoing/NAME` from `offset`, in order, into `into` (called with each chunk).
    fn get(
        &self,
        name: WireName,
        offset: u64,
        into: &mut (dyn FnMut(u64, &[u8]) -> std::io::Result<()> + Send),
    ) -> impl Future<Output = Result<(), LinkError>> + Send;

    /// Removes `/outgoing/NAME`: "durable at my side".
    fn taken(&self, name: WireName) -> impl Future<Output = Result<(), LinkError>> + Send;

    /// Returns when something new waits at the peer since the last `offers`, or after `timeout` (30 s at most).
    /// `wait@amanah`; against a server without it: sleeps.
    fn wait(&self, timeout: Duration) -> impl Future<Output = Result<(), LinkError>> + Send;

    /// Returns when the connection is gone, whoever ended it. An answer that will never come is not otherwise noticed: a
    /// request that was sent while the connection ended waits for its time limit.
    fn ended(&self) -> impl Future<Output = LinkError> + Send;

    /// Says goodbye.
    fn close(&self) -> impl Future<Output = ()> + Send;
}

/// A connection to a blind drop: a server that knows nothing of us, with a folder for each direction, to which the peer
/// connects too. A hand-over there promises nothing: whoever runs the server may remove, delay, repeat, alter or mix what
/// lies there, and so may the peer.
pub trait BlindLink: Link {
    /// What lies in the folder that we write into, whole or unfinished.
    fn left(&self) -> impl Future<Output = Result<Vec<Left>, LinkError>> + Send;

    /// Removes one of them; gone already is as good.
    fn withdraw(&self, left: Left) -> impl Future<Output = Result<(), LinkError>> + Send;
}

/// Something of ours that lies at a blind drop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Its name, without `.part`.
    pub name: WireName,
    /// Its length there.
    pub bytes: u64,
    /// Whether it was handed over.
    pub handed_over: bool,
}

/// Which channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LaneChannel {
    /// Passes what is under way on the others.
    Urgent,
    /// The usual one.
    Normal,
    /// For what is large.
    Bulk,
}

/// Code of a refusal: nothing of this name is there, or not any more.
pub const GONE: &str = "no-such-file";

/// Why a transfer did not happen.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The peer refuses this name or these bytes: not tried again as they are.
    #[error("the peer refuses: {message}")]
    Denied {
        /// A refusal code, `damaged` or another code of [`Denied`], when the peer says one.
        code: Option<String>,
        /// What it says.
        message: String,
    },
    /// No connection, or it broke: tried again.
    #[error("connection: {0}")]
    Broken(String),
    /// Our own file.
    #[error("{0}")]
    Local(#[from] std::io::Error),
    /// The peer is not who its card says.
    #[error("the peer at {address} showed the host key {found}; its card has {expected}")]
    HostKey {
        /// Who was dialled.
        address: String,
        /// Fingerprint.
        found: String,
        /// Fingerprints.
        expected: String,
    },
    /// Our key is not accepted.
    #[error("the peer does not accept our transport key {fingerprint}; does it have our card?")]
    Auth {
        /// Of our key.
        fingerprint: String,
    },
}

impl LinkError {
    /// Whether there is nothing of this name at the peer, or not any more.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Denied { code: Some(code), .. } if code == GONE)
    }
}

/// What the server asks the stages. Methods block (they do file I/O): the server calls them off the runtime's own
/// threads, except `may_connect` and `offers_bell`, which only look at memory. `peer` is authenticated.
pub trait Exchange: Send + Sync + 'static {
    /// Whose transport key this is and whether it may connect now as `user`.
    fn may_connect(&self, user: &str, key: &PublicKey) -> Option<PartyId>;

    /// Opens NAME.part for writing.
    ///
    /// # Errors
    /// Why not.
    fn open_part(&self, peer: &PartyId, name: WireName) -> Result<Box<dyn PartWriter>, Denied>;

    /// The synced prefix of NAME.part, if there is one.
    ///
    /// # Errors
    /// Why not.
    fn part_prefix(&self, peer: &PartyId, name: WireName) -> Result<Option<u64>, Denied>;

    /// Names and synced prefixes of own unfinished parts.
    ///
    /// # Errors
    /// Why not.
    fn parts(&self, peer: &PartyId) -> Result<Vec<(WireName, u64)>, Denied>;

    /// Drops NAME.part.
    ///
    /// # Errors
    /// Why not.
    fn drop_part(&self, peer: &PartyId, name: WireName) -> Result<(), Denied>;

    /// The channel on which NAME.part was begun has ended: what nobody will go on with is dropped.
    ///
    /// # Errors
    /// Why not.
    fn left_part(&self, peer: &PartyId, name: WireName) -> Result<(), Denied>;

    /// NAME.part is complete: takes it over (durably, before `Ok`), or says why not.
    ///
    /// # Errors
    /// Why not.
    fn hand_over(&self, peer: &PartyId, name: WireName) -> Result<(), Denied>;

    /// What waits for this peer.
    ///
    /// # Errors
    /// Why not.
    fn offers(&self, peer: &PartyId) -> Result<Vec<Offer>, Denied>;

    /// Opens one of them for reading.
    ///
    /// # Errors
    /// Why not.
    fn open_offer(&self, peer: &PartyId, name: WireName) -> Result<Box<dyn OfferReader>, Denied>;

    /// The peer has it durably (receipts and slips; for a bundle `Denied`: it goes when its receipt comes).
    ///
    /// # Errors
    /// Why not.
    fn taken(&self, peer: &PartyId, name: WireName) -> Result<(), Denied>;

    /// Rings when something new waits for this peer.
    fn offers_bell(&self, peer: &PartyId) -> Bell;
}

/// Where an upload goes.
pub trait PartWriter: Send {
    /// Writes at an offset.
    ///
    /// # Errors
    /// Why not.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Denied>;

    /// Syncs; returns the prefix without holes.
    ///
    /// # Errors
    /// Why not.
    fn sync(&mut self) -> Result<u64, Denied>;
}

/// Where a download comes from.
pub trait OfferReader: Send {
    /// Reads up to `into.len()` bytes at an offset; 0 at the end.
    ///
    /// # Errors
    /// What the disk says.
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> std::io::Result<usize>;

    /// Its length.
    fn bytes(&self) -> u64;
}

/// A refusal at the door: an SFTP failure with this message (`code: text`). Never a receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Denied {
    /// A refusal code, `damaged`, `no-such-file`, `not-allowed`, `exists`, `no-space`, `stopping` or `failure`.
    pub code: String,
    /// What to do.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_of_a_name_are_read_as_they_are_written() {
        let digest = Digest::of(b"bundle");
        for (name, text) in [
            (WireName::Bundle(digest), ".amanah"),
            (WireName::Receipt(digest), ".receipt.amanah"),
            (WireName::Slip(digest), ".slip.amanah"),
        ] {
            assert_eq!(name.to_string(), format!("{}{text}", digest.to_hex()));
            assert_eq!(WireName::parse(&name.to_string()), Some(name));
        }
    }

    #[test]
    fn any_other_name_is_refused() {
        let hex = Digest::of(b"bundle").to_hex();
        for wrong in [
            String::new(),
            ".amanah".to_owned(),
            hex.clone(),
            format!("{hex}.Amanah"),
            format!("{}.amanah", hex.to_uppercase()),
            format!("{hex}0.amanah"),
            format!("{hex}.other.amanah"),
            format!("{hex}.receipt.slip.amanah"),
            format!("{hex}.amanah.part"),
            format!("../{hex}.amanah"),
            format!("{hex}.amanah\u{fffd}"),
        ] {
            assert_eq!(WireName::parse(&wrong), None, "{wrong:?}");
        }
    }
}
