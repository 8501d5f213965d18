//! What both ends of a connection are to the stages: `Link` (we dialled) and `Exchange` (we were dialled), and names on the wire.

use std::{fs::File, future::Future, sync::Arc, time::Duration};
use amanah_format::{digest::Digest, id::PartyId};
use crate::bell::Bell;

/// A name on the wire: bundle, receipt or slip. Nothing else is ever opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WireName { /// `HEX.amanah`
    Bundle(Digest), /// `HEX.receipt.amanah`, HEX of the bundle.
    Receipt(Digest), /// `HEX.slip.amanah`
    Slip(Digest) }
impl WireName {
    /// Parses exactly these three forms.
    #[must_use] pub fn parse(name: &str) -> Option<Self> { todo!() }
}
impl std::fmt::Display for WireName { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { todo!() } }

/// Something that waits at the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer { pub name: WireName, pub bytes: u64 }

/// A live connection to a peer that we dialled. All methods may run side by side; each lane has an SFTP channel of its own.
pub trait Link: Send + Sync + 'static {
    /// The synced prefix of `/incoming/NAME.part` at the peer; 0 when there is none.
    fn prefix(&self, lane: LaneChannel, name: WireName) -> impl Future<Output = Result<u64, LinkError>> + Send;
    /// Writes `/incoming/NAME.part` from `offset` to the end of `source`, many requests in flight, and syncs it (fsync@openssh.com). `sent` is told the acknowledged length.
    fn put(&self, lane: LaneChannel, name: WireName, source: Arc<File>, offset: u64, sent: Arc<std::sync::atomic::AtomicU64>) -> impl Future<Output = Result<(), LinkError>> + Send;
    /// Renames NAME.part to NAME: handed over when it succeeds.
    fn hand_over(&self, lane: LaneChannel, name: WireName) -> impl Future<Output = Result<(), LinkError>> + Send;
    /// What waits in `/outgoing`.
    fn offers(&self) -> impl Future<Output = Result<Vec<Offer>, LinkError>> + Send;
    /// Reads `/outgoing/NAME` from `offset`, in order, into `into` (called with each chunk).
    fn get(&self, name: WireName, offset: u64, into: &mut (dyn FnMut(u64, &[u8]) -> std::io::Result<()> + Send)) -> impl Future<Output = Result<(), LinkError>> + Send;
    /// Removes `/outgoing/NAME`: "durable at my side".
    fn taken(&self, name: WireName) -> impl Future<Output = Result<(), LinkError>> + Send;
    /// Returns when something new waits at the peer, or after `timeout` (wait@amanah; a server without it: sleeps `timeout`).
    fn wait(&self, timeout: Duration) -> impl Future<Output = Result<(), LinkError>> + Send;
    /// Says goodbye.
    fn close(&self) -> impl Future<Output = ()> + Send;
}
/// Which channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LaneChannel { Urgent, Normal, Bulk }

/// Why a transfer did not happen.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The peer refuses this name or these bytes: not tried again as they are. `code` is a refusal code or `damaged` when it says one.
    #[error("the peer refuses: {message}")] Denied { code: Option<String>, message: String },
    /// No connection, or it broke: tried again.
    #[error("connection: {0}")] Broken(String),
    /// Our own file.
    #[error("{0}")] Local(#[from] std::io::Error),
    /// The peer is not who its card says.
    #[error("the peer at {address} showed the host key {found}; its card has {expected}")] HostKey { address: String, found: String, expected: String },
    /// Our key is not accepted.
    #[error("the peer does not accept our transport key {fingerprint}; does it have our card?")] Auth { fingerprint: String },
}

/// What the server asks the stages. Methods block (they do file I/O): the server calls them off the runtime's own threads. `peer` is authenticated.
pub trait Exchange: Send + Sync + 'static {
    /// Whose transport key this is and whether it may connect now as `user`.
    fn may_connect(&self, user: &str, key: &amanah_format::signature::PublicKey) -> Option<PartyId>;
    /// Opens NAME.part for writing.
    fn open_part(&self, peer: &PartyId, name: WireName) -> Result<Box<dyn PartWriter>, Denied>;
    /// The synced prefix of NAME.part, if there is one.
    fn part_prefix(&self, peer: &PartyId, name: WireName) -> Result<Option<u64>, Denied>;
    /// Names and synced prefixes of own unfinished parts.
    fn parts(&self, peer: &PartyId) -> Result<Vec<(WireName, u64)>, Denied>;
    /// Drops NAME.part.
    fn drop_part(&self, peer: &PartyId, name: WireName) -> Result<(), Denied>;
    /// NAME.part is complete: takes it over (durably, before `Ok`), or says why not.
    fn hand_over(&self, peer: &PartyId, name: WireName) -> Result<(), Denied>;
    /// What waits for this peer.
    fn offers(&self, peer: &PartyId) -> Result<Vec<Offer>, Denied>;
    /// Opens one of them for reading.
    fn open_offer(&self, peer: &PartyId, name: WireName) -> Result<Box<dyn OfferReader>, Denied>;
    /// The peer has it durably (receipts and slips; for a bundle `Denied`: it goes when its receipt comes).
    fn taken(&self, peer: &PartyId, name: WireName) -> Result<(), Denied>;
    /// Rings when something new waits for this peer.
    fn offers_bell(&self, peer: &PartyId) -> Bell;
}
/// Where an upload goes.
pub trait PartWriter: Send {
    /// Writes at an offset.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Denied>;
    /// Syncs; returns the prefix without holes.
    fn sync(&mut self) -> Result<u64, Denied>;
}
/// Where a download comes from.
pub trait OfferReader: Send {
    /// Reads up to `into.len()` bytes at an offset; 0 at the end.
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> std::io::Result<usize>;
    /// Its length.
    fn bytes(&self) -> u64;
}
/// A refusal at the door: an SFTP failure with this message (`code: text`). Never a receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Denied { /// A refusal code, `damaged`, `no-such-file`, `not-allowed`, `exists`, `no-space`, `stopping` or `failure`.
    pub code: String, /// What to do.
    pub message: String }
