//! The one joint to local data: a store takes entries and commits them whole, together with the record that it did.

pub mod files;

use amanah_format::{contents::ContentsSummary, digest::Digest, id::{BundleId, FlowName, PartyId}, open::EntrySink, receipt::StoreRef};
/// A local store. Exactly once: `begin` for a bundle that is committed already is a bug; ask `lookup` first.
pub trait Store: Send + Sync {
    /// What receipts call it.
    fn kind(&self) -> &'static str;
    /// What became of this bundle here, completing a commit that a crash cut short.
    fn lookup(&self, id: &ImportId) -> Result<Option<StoreRef>, StoreError>;
    /// Starts an import in staging; what an earlier attempt left there is wiped.
    fn begin(&self, id: &ImportId) -> Result<Box<dyn Import + '_>, StoreError>;
}
/// An import under way; dropped without commit it leaves nothing.
pub trait Import: EntrySink {
    /// Makes it durable and visible, all or nothing.
    fn commit(self: Box<Self>) -> Result<StoreRef, StoreError>;
}
/// What is imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportId { pub manifest: Digest, pub peer: PartyId, pub flow: FlowName, pub bundle: BundleId, pub contents: ContentsSummary }
/// Why a store did not take it: this machine's fault, tried again.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("store: {0} is missing (not mounted?)")] Missing(std::path::PathBuf),
    #[error("store: no space left")] Full,
    #[error("store: {0}")] Durable(#[from] crate::durable::DurableError),
    #[error("store: {operation} {path}: {source}")] Io { operation: &'static str, path: std::path::PathBuf, #[source] source: std::io::Error },
}
