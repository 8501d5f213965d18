//! The home's folders: where bundles lie at each state, who may see them, and how files move. Knows paths, no states.
//! Names come from `amanah_format::home`; everything durable goes through `durable`. SPOOL.md §1.
//!
//! Folders into which operators write are not trusted: what is done there is done beneath the home, over no link.

mod along;
mod cards;
mod claims;
mod evidence;
mod folders;
mod incoming;
mod intervals;
mod ledger;
pub mod outbox;
pub mod part;
mod requests;
mod sources;
mod stick;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use amanah_format::container;
use amanah_format::digest::Digest;
use amanah_format::home;
use amanah_format::id::{BundleId, PartyId};

use crate::durable::{self, DurableError};

use folders::{MODE_OWN, MODE_SHOWN, MODE_TEXT, QUARANTINE_NOTES, REVOCATIONS, VOIDS};

pub use along::Along;
pub use evidence::{QuarantineNote, Side};

/// A node's home, locked by this process.
#[derive(Debug)]
pub struct Spool {
    /// Without a link in it.
    home: PathBuf,
    /// Held as long as the value lives; also tells the home from an empty folder in its place.
    lock: File,
    /// Which folder the outbox is: it may lie on another disk.
    outbox: OnceLock<(u64, u64)>,
    /// What is known of parts in this process.
    parts: Arc<Mutex<part::Parts>>,
    /// How long the published ledger is.
    ledger: Mutex<Option<ledger::Length>>,
    /// Folders in which something was renamed and which are not synced yet.
    moved: Mutex<BTreeSet<PathBuf>>,
}

impl Spool {
    /// The home's path, without links in it.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Whether the home and its outbox are still where they were: what is missing from an empty folder, under which a disk is
    /// no longer mounted, was not taken away by anybody.
    ///
    /// # Errors
    /// [`SpoolError::Away`].
    pub(crate) fn is_there(&self) -> Result<(), SpoolError> {
        let identity = |path: &Path| durable::identity_of(path.metadata());
        let lock = identity(&self.home.join(home::LOCK));
        let same_home = lock.is_some() && lock == durable::identity_of(self.lock.metadata());
        let outbox = self.outbox.get();
        if same_home && outbox.is_none_or(|known| identity(&self.outboxes()) == Some(*known)) {
            return Ok(());
        }
        Err(SpoolError::Away(self.home.clone()))
    }

    /// What was found was there. What was not is gone only where the home is.
    ///
    /// # Errors
    /// [`SpoolError::Away`].
    fn is_sure(&self, found: bool) -> Result<(), SpoolError> {
        if found { Ok(()) } else { self.is_there() }
    }

    /// What tells the journal's file from a copy of it: its inode and when that was made. A copy that was written over the very
    /// file, or that came with the whole disk, has the same.
    #[must_use]
    pub fn journal_identity(&self) -> Option<String> {
        use std::os::unix::fs::MetadataExt;
        let meta = std::fs::metadata(self.journal()).ok()?;
        let made = meta.created().ok()?;
        let made = made.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(format!("{} {}", meta.ino(), made.as_nanos()))
    }

    /// `spool/journal.sqlite`
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.home.join(home::JOURNAL)
    }

    /// `inbox`: where the `files` store lies unless it is configured elsewhere.
    #[must_use]
    pub fn inbox(&self) -> PathBuf {
        self.home.join(home::INBOX)
    }

    /// `outbox`: what a watch is put on.
    #[must_use]
    pub fn outboxes(&self) -> PathBuf {
        self.home.join(home::OUTBOX)
    }

    /// `spool/work`: what is under way, and files without a name.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.home.join(home::WORK)
    }

    /// `spool/work/ID.payload`: the payload while it is sealed.
    #[must_use]
    pub fn work_payload(&self, bundle: &BundleId) -> PathBuf {
        self.home.join(home::WORK).join(format!("{bundle}.payload"))
    }

    /// `spool/queue/PEER/HEX.amanah`
    #[must_use]
    pub fn queued(&self, peer: &PartyId, manifest: &Digest) -> PathBuf {
        self.bundle_in(&home::queue(peer), manifest)
    }

    /// `spool/incoming/PEER/HEX.amanah`: taken over.
    #[must_use]
    pub fn incoming(&self, peer: &PartyId, manifest: &Digest) -> PathBuf {
        self.bundle_in(&home::incoming(peer), manifest)
    }

    /// `spool/archive/sent/PEER/HEX.amanah`
    #[must_use]
    pub fn archived_sent(&self, peer: &PartyId, manifest: &Digest) -> PathBuf {
        self.bundle_in(&home::archive_sent(peer), manifest)
    }

    /// `spool/archive/received/PEER/HEX.amanah`
    #[must_use]
    pub fn archived_received(&self, peer: &PartyId, manifest: &Digest) -> PathBuf {
        self.bundle_in(&home::archive_received(peer), manifest)
    }

    /// A bundle's file in a folder of the home.
    fn bundle_in(&self, folder: &str, manifest: &Digest) -> PathBuf {
        self.home
            .join(folder)
            .join(container::bundle_name(manifest))
    }

    /// Removes everything in `work/` except payloads of `keep` (bundles that are Sealed or Signed).
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn sweep_work(&self, keep: &[BundleId]) -> Result<(), SpoolError> {
        let kept: BTreeSet<PathBuf> = keep.iter().map(|id| self.work_payload(id)).collect();
        let folder = self.home.join(home::WORK);
        for name in list(&folder)? {
            let path = folder.join(name);
            if !kept.contains(&path) {
                durable::remove_folder(&path)?;
            }
        }
        Ok(())
    }

    /// Writes the status snapshot by rename (0640): whole for every reader, not synced, for it is written anew at each start.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn publish_status(&self, json: &[u8]) -> Result<(), SpoolError> {
        Ok(durable::publish(&self.home, home::STATUS, json, MODE_TEXT)?)
    }

    /// Writes the list of what is kept, as [`Spool::publish_status`] does.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn publish_retention(&self, json: &[u8]) -> Result<(), SpoolError> {
        Ok(durable::publish(
            &self.home,
            home::RETENTION,
            json,
            MODE_TEXT,
        )?)
    }

    /// Free bytes of the file system that holds the spool.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn free_bytes(&self) -> Result<u64, SpoolError> {
        let path = self.home.join(home::SPOOL);
        let stat = rustix::fs::statvfs(&path)
            .map_err(|errno| failed("asking the room of", &path, errno))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// A file of no name with these bytes, in memory: what is small enough goes the same way as a bundle.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn unnamed(&self, bytes: &[u8]) -> Result<File, SpoolError> {
        use std::os::unix::fs::FileExt;
        let flags = rustix::fs::MemfdFlags::CLOEXEC;
        let file = rustix::fs::memfd_create("amanah", flags)
            .map(File::from)
            .map_err(io::Error::from);
        file.and_then(|file| file.write_all_at(bytes, 0).map(|()| file))
            .map_err(|source| failed("creating a file in memory beside", &self.home, source))
    }

    /// What of a path lies below the home.
    fn relative<'a>(&self, path: &'a Path) -> Result<&'a Path, SpoolError> {
        path.strip_prefix(&self.home).map_err(|_| {
            let source =
                io::Error::new(io::ErrorKind::InvalidInput, "expected a path in this home");
            failed("using", path, source)
        })
    }

    /// Remembers that something was renamed in the folder of `path` (below the home).
    fn note_moved(&self, path: &Path) {
        let mut moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        moved.insert(self.home.join(path.parent().unwrap_or(Path::new(""))));
    }

    /// Syncs every folder in which items were stood aside, put back, settled or returned since the last call: one sync for
    /// many renames. Called before the journal records that they were.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn sync_moves(&self) -> Result<(), SpoolError> {
        // Held while syncing: who comes second returns only after its own folders are synced too.
        let mut moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(folder) = moved.first().cloned() {
            match durable::sync_folder(&folder) {
                Err(error) if error.io_kind() == Some(io::ErrorKind::NotFound) => {}
                done => done?,
            }
            moved.remove(&folder);
        }
        Ok(())
    }
}

/// Names in a folder that only we write, in byte order; a missing folder has none.
fn list(folder: &Path) -> Result<Vec<std::ffi::OsString>, SpoolError> {
    let io = |source| failed("listing", folder, source);
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(io)?,
    };
    let names: io::Result<BTreeSet<_>> = entries
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect();
    Ok(names.map_err(io)?.into_iter().collect())
}

/// A name that stands for one file in its folder and is not hidden.
fn plain(name: &str) -> Result<&str, SpoolError> {
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\0']) {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "expected a plain file name");
        return Err(failed("naming", Path::new(name), source));
    }
    Ok(name)
}

/// A name with something behind it, cut short where a file name would be too long (255 bytes).
fn with_suffix(name: &OsStr, suffix: &str) -> std::ffi::OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let room = 255_usize.saturating_sub(suffix.len());
    let mut bytes = name.as_bytes().to_vec();
    if bytes.len() > room {
        bytes.truncate(room);
        // Not in the middle of a character of a name that was text.
        if let (Some(_), Err(error)) = (name.to_str(), std::str::from_utf8(&bytes)) {
            bytes.truncate(error.valid_up_to());
        }
    }
    bytes.extend_from_slice(suffix.as_bytes());
    std::ffi::OsString::from_vec(bytes)
}

/// An I/O failure with its operation and path.
fn failed(operation: &'static str, path: &Path, source: impl Into<io::Error>) -> SpoolError {
    SpoolError::Io {
        operation,
        path: path.to_owned(),
        source: source.into(),
    }
}

/// Why the home does not serve.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Its lock is taken.
    #[error("home {0}: another daemon holds it")]
    Locked(PathBuf),
    /// It is not there.
    #[error("home {0} is missing: run `amanah init`, or mount it")]
    Missing(PathBuf),
    /// It was there, and is not where it was: its disk, or its outbox's, was taken away.
    #[error(
        "home {0} is not there any more: mount its disk again (its outbox's, where that is another), and everything goes on by itself"
    )]
    Away(PathBuf),
    /// A part is being written by another connection.
    #[error("part {0}: another connection writes it; close that one first")]
    Busy(String),
    /// A durable operation failed.
    #[error("home: {0}")]
    Durable(#[from] DurableError),
    /// Another operation failed.
    #[error("home: {operation} {}: {source}", durable::shown(.path))]
    Io {
        /// What was attempted.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl SpoolError {
    /// What kind of I/O failure it was, if it was one.
    #[must_use]
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Io { source, .. } => Some(source.kind()),
            Self::Durable(error) => error.io_kind(),
            Self::Locked(_) | Self::Missing(_) | Self::Away(_) | Self::Busy(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
