//! The one joint to local data: a store takes entries and commits them whole, together with the record that it did.
//! A store knows nothing of keys, agreements or receipts. It gets entries that are verified only when the last one is
//! read, so it shows nobody any of them before `commit`. What each store writes when: SPOOL.md §4.

pub mod files;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod sqlite;
pub mod table;

use std::io;
use std::path::PathBuf;

use amanah_format::contents::ContentsSummary;
use amanah_format::digest::Digest;
use amanah_format::id::{BundleId, FlowName, PartyId};
use amanah_format::open::EntrySink;
use amanah_format::receipt::StoreRef;

use crate::durable::DurableError;

/// A local store. Exactly once: `begin` for a bundle that is committed already is a bug; ask `lookup` first.
pub trait Store: Send + Sync {
    /// What receipts call it.
    fn kind(&self) -> &'static str;

    /// What became of this bundle here, completing a commit that a crash cut short. `Some` is durable.
    ///
    /// # Errors
    /// [`StoreError`].
    fn lookup(&self, id: &ImportId) -> Result<Option<StoreRef>, StoreError>;

    /// Bytes that it can still take.
    ///
    /// # Errors
    /// [`StoreError`]; `Missing` where the store's place is not there.
    fn room(&self) -> Result<u64, StoreError>;

    /// Whether it has committed this bundle, ever. For telling a store that was restored from an old copy.
    ///
    /// # Errors
    /// [`StoreError`]; `Missing` where the store's place is not there.
    fn has(&self, manifest: &Digest) -> Result<bool, StoreError>;

    /// Files that are still there of a bundle that it has imported; 0 where there is none, or it never had the bundle.
    ///
    /// # Errors
    /// [`StoreError`]; `Missing` where the store's place is not there.
    fn left(&self, manifest: &Digest) -> Result<u64, StoreError>;

    /// Destroys what is left of a bundle, durably. That it was imported stays known. Done already is fine.
    ///
    /// # Errors
    /// [`StoreError`]; `Missing` where the store's place is not there.
    fn destroy(&self, manifest: &Digest) -> Result<(), StoreError>;

    /// Starts an import in staging; what an earlier attempt left there is wiped.
    ///
    /// # Errors
    /// [`StoreError`].
    fn begin(&self, id: &ImportId) -> Result<Box<dyn Import + '_>, StoreError>;
}

/// An import under way; dropped without commit it leaves nothing.
pub trait Import: EntrySink {
    /// Makes it durable and visible, all or nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    fn commit(self: Box<Self>) -> Result<StoreRef, StoreError>;
}

/// What is imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportId {
    /// The bundle's identity.
    pub manifest: Digest,
    /// Who sent it.
    pub peer: PartyId,
    /// In which flow.
    pub flow: FlowName,
    /// The sender-chosen id: what consumers see.
    pub bundle: BundleId,
    /// What the manifest says of the contents.
    pub contents: ContentsSummary,
}

/// Why a store did not take it: this machine's fault, tried again.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store's place is not there: what is missing, and what may be done.
    #[error("store: {0}")]
    Missing(String),
    /// The disk, or the daemon's share of it.
    #[error("store: no space left")]
    Full,
    /// A durable operation failed.
    #[error("store: {0}")]
    Durable(#[source] DurableError),
    /// Another operation failed.
    #[error("store: {operation} {}: {source}", crate::durable::shown(.path))]
    Io {
        /// What was attempted.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another program holds the database.
    #[error("store: another program holds the database locked; it is tried again")]
    Busy,
    /// The table that is there cannot take what the agreement says now, and what must be done.
    #[error("store: {0}")]
    Schema(String),
    /// It is another database than the one that is meant.
    #[error("store: {place}: {reason}")]
    Strange {
        /// Which.
        place: String,
        /// What it is.
        reason: String,
    },
    /// The database's own complaint. It names no value of a row.
    #[error("store: database: {0}")]
    Database(String),
}

impl StoreError {
    /// A file or folder is not there.
    fn not_mounted(place: &std::path::Path) -> Self {
        let place = crate::durable::shown(place);
        Self::Missing(format!("{place} is missing (not mounted?)"))
    }
}

/// Bytes that the file system of `place` has left.
fn room_at(place: &std::path::Path) -> Result<u64, StoreError> {
    let stat = rustix::fs::statvfs(place).map_err(|errno| StoreError::Io {
        operation: "asking the room of",
        path: place.to_owned(),
        source: errno.into(),
    })?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

impl From<DurableError> for StoreError {
    fn from(error: DurableError) -> Self {
        match error.io_kind() {
            Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => Self::Full,
            _ => Self::Durable(error),
        }
    }
}
