//! The one place that writes durably: temporary name, sync, rename, sync of the folder; and that opens beneath a folder
//! (openat2, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS). It knows no home, no bundle and no state.
//!
//! After one failed sync it stops for good and says so: Linux drops the pages that it could not write and reports the
//! failure once (fsync(2), NOTES), so no later success can be believed.

mod beneath;
mod moving;
mod removing;
mod shown;
mod steady;
#[cfg(test)]
mod tests;
mod uncached;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock};

use rustix::fs::{AtFlags, Mode, OFlags};

pub use beneath::{
    born_nanos, create_beneath, ensure_folder_beneath, list_beneath, open_beneath, write_beneath,
};
pub use moving::{move_beneath, relocate, rename, rename_beneath, replace};
pub use removing::{files_in, remove, remove_beneath, remove_folder, sweep};
pub use shown::shown;
pub use steady::Steady;
pub use uncached::{Piece, Uncached};

use beneath::Place;

use crate::plant::{self, Bug};

/// What our temporary names begin with: a crash may leave such names, and a sweep at start removes them.
pub const TEMPORARY: &str = ".amanah-tmp-";
/// Deepest folder tree that is copied or removed: a deeper one was not made by a person, and each level holds a handle.
pub const TREE_DEPTH_MAX: usize = 64;

/// The text of the first failed sync of this process; empty while the disk is believed.
static FAILED_SYNC: OnceLock<String> = OnceLock::new();
/// Held while something is claimed: a failed sync waits for it, so that no claim comes after one.
static CLAIMS: RwLock<()> = RwLock::new(());
/// Numbers temporary names within this process.
static TEMPORARY_NUMBER: AtomicU64 = AtomicU64::new(0);

/// What went wrong, where.
#[derive(Debug, thiserror::Error)]
pub enum DurableError {
    /// The target is there already.
    #[error("{}: exists already", shown(.0))]
    Exists(PathBuf),
    /// An operation failed.
    #[error("{operation} {}: {source}", shown(.path))]
    Io {
        /// What was attempted.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A sync failed earlier (or now): this process believes its disk no longer.
    #[error(
        "a sync to disk failed ({0}): nothing is claimed durable any more; check the disk, then restart"
    )]
    Halted(String),
}

impl DurableError {
    /// What kind of I/O failure it was, if it was one.
    #[must_use]
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Io { source, .. } => Some(source.kind()),
            Self::Exists(_) | Self::Halted(_) => None,
        }
    }
}

/// Whether a sync has failed in this process: nothing may be claimed durable any more.
#[must_use]
pub fn halted() -> bool {
    FAILED_SYNC.get().is_some()
}

/// A database could not commit to its disk: as after a failed sync, nothing is claimed durable any more.
pub fn disbelieve(path: &Path, reason: &str) -> DurableError {
    let text = format!("{}: {reason}", shown(path));
    halt(&FAILED_SYNC, text)
}

/// Device and inode of what is there: they tell it from something else in its place.
pub(crate) fn identity_of(metadata: io::Result<std::fs::Metadata>) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = metadata.ok()?;
    Some((metadata.dev(), metadata.ino()))
}

/// Says that something is durable, unless a sync has failed by then, of whatever thread.
///
/// # Errors
/// `Halted`: it was not said.
pub fn claim(say: impl FnOnce()) -> Result<(), DurableError> {
    claimed(&FAILED_SYNC, say)
}

fn claimed(failed_sync: &OnceLock<String>, say: impl FnOnce()) -> Result<(), DurableError> {
    let _claiming = CLAIMS.read().unwrap_or_else(PoisonError::into_inner);
    believed(failed_sync)?;
    say();
    Ok(())
}

/// The first failure stays the one that is told.
fn halt(failed_sync: &OnceLock<String>, text: String) -> DurableError {
    let _no_claims = CLAIMS.write().unwrap_or_else(PoisonError::into_inner);
    DurableError::Halted(failed_sync.get_or_init(|| text).clone())
}

/// Writes `bytes` to `folder/name` so that after `Ok` it is there whole, or the old one is. `mode` is the file's, exactly.
///
/// # Errors
/// I/O with operation and path; `Halted` once a sync has failed in this process.
pub fn write(folder: &Path, name: &str, bytes: &[u8], mode: u32) -> Result<(), DurableError> {
    believed(&FAILED_SYNC)?;
    write_at(&Place::of(&folder.join(name))?, bytes, mode, Sync::Yes)
}

/// Writes as [`write()`] does, but without any sync: readers see the old text or the new one, and a power cut may leave
/// neither. For what can be made anew (the status snapshot, a remembered prefix).
///
/// # Errors
/// As [`write()`].
pub fn publish(folder: &Path, name: &str, bytes: &[u8], mode: u32) -> Result<(), DurableError> {
    believed(&FAILED_SYNC)?;
    write_at(&Place::of(&folder.join(name))?, bytes, mode, Sync::No)
}

/// Creates a folder and its missing parents durably, each with `mode` (exactly, whatever the umask). Present: left as it is.
///
/// # Errors
/// As [`write()`].
pub fn create_folder(path: &Path, mode: u32) -> Result<(), DurableError> {
    make_folder(path, mode, Sync::Yes)
}

/// The same without any sync: for what is synced with all that is in it, or counts for nothing.
///
/// # Errors
/// As [`write()`].
pub fn create_folder_unsynced(path: &Path, mode: u32) -> Result<(), DurableError> {
    make_folder(path, mode, Sync::No)
}

fn make_folder(path: &Path, mode: u32, sync_it: Sync) -> Result<(), DurableError> {
    believed(&FAILED_SYNC)?;
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| *parent != Path::new("")) {
        make_folder(parent, mode, sync_it)?;
    }
    let place = Place::of(path)?;
    match rustix::fs::mkdirat(&place.folder, &place.name, Mode::from_raw_mode(mode)) {
        Ok(()) => {}
        // Somebody else made it in this moment: theirs is as good, if it is a folder.
        Err(rustix::io::Errno::EXIST) if path.is_dir() => return Ok(()),
        Err(errno) => return Err(failed("creating the folder", path, errno)),
    }
    let made = beneath::open_folder_at(&place.folder, Path::new(&place.name))
        .map_err(|source| failed("opening the folder", path, source))?;
    set_mode(&made, mode).map_err(|source| failed("setting the mode of", path, source))?;
    match sync_it {
        Sync::Yes => {
            sync(&made, path)?;
            sync(&place.folder, &place.folder_path)
        }
        Sync::No => Ok(()),
    }
}

/// fsync of a file that somebody wrote.
///
/// # Errors
/// As [`write()`]; a failure halts.
pub fn sync(file: &File, path: &Path) -> Result<(), DurableError> {
    synced(&FAILED_SYNC, path, || rustix::fs::fsync(file))
}

/// fdatasync of a file that somebody wrote: its bytes and its length.
///
/// # Errors
/// As [`sync`].
pub fn sync_bytes(file: &File, path: &Path) -> Result<(), DurableError> {
    synced(&FAILED_SYNC, path, || rustix::fs::fdatasync(file))
}

/// fsync of a folder.
///
/// # Errors
/// As [`sync`].
pub fn sync_folder(path: &Path) -> Result<(), DurableError> {
    believed(&FAILED_SYNC)?;
    let folder =
        beneath::open_folder(path).map_err(|source| failed("opening the folder", path, source))?;
    sync(&folder, path)
}

/// syncfs of the file system that holds `path`: one call for many files.
///
/// # Errors
/// As [`sync`].
pub fn sync_file_system(path: &Path) -> Result<(), DurableError> {
    believed(&FAILED_SYNC)?;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let on = rustix::fs::open(path, flags, Mode::empty())
        .map_err(|errno| failed("opening", path, errno))?;
    synced(&FAILED_SYNC, path, || rustix::fs::syncfs(&on))
}

/// Whether a write shall survive a power cut.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sync {
    Yes,
    No,
}

/// Writes beside `place` under a temporary name and renames over it.
fn write_at(place: &Place, bytes: &[u8], mode: u32, sync_it: Sync) -> Result<(), DurableError> {
    let (temporary, mut file) = create_temporary(place)?;
    let path = place.path();
    let written = file
        .write_all(bytes)
        .and_then(|()| set_mode(&file, mode))
        .map_err(|source| failed("writing", &path, source))
        .and_then(|()| match sync_it {
            Sync::Yes => sync(&file, &path),
            Sync::No => Ok(()),
        })
        .and_then(|()| {
            rustix::fs::renameat(&place.folder, &temporary, &place.folder, &place.name)
                .map_err(|errno| failed("renaming into place", &path, errno))
        });
    if let Err(error) = written {
        // Best effort: what stays behind bears a temporary name and is swept at the next start.
        let _ = rustix::fs::unlinkat(&place.folder, &temporary, AtFlags::empty());
        return Err(error);
    }
    match sync_it {
        Sync::Yes => sync(&place.folder, &place.folder_path),
        Sync::No => Ok(()),
    }
}

/// Creates a file of its own beside `place`, readable by nobody else yet.
fn create_temporary(place: &Place) -> Result<(OsString, File), DurableError> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    loop {
        let name = temporary_name();
        match rustix::fs::openat(&place.folder, &name, flags, Mode::from_raw_mode(0o600)) {
            Ok(file) => return Ok((name, File::from(file))),
            // Left by a process of the same number before us: the next number is free sooner or later.
            Err(rustix::io::Errno::EXIST) => {}
            Err(errno) => return Err(failed("creating a file for", &place.path(), errno)),
        }
    }
}

/// A temporary name that this process has not used yet.
fn temporary_name() -> OsString {
    let number = TEMPORARY_NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("{TEMPORARY}{}-{number}", std::process::id()).into()
}

/// Whether a name is one of our temporary ones.
#[must_use]
pub fn is_temporary(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(TEMPORARY.as_bytes())
}

/// Sets the permission bits exactly; does nothing when they are so already, because a sandbox may forbid to set the
/// setgid bit (`RestrictSUIDSGID=`) that a folder inherits from its parent anyway.
fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    if file.metadata()?.mode() & 0o7777 == mode {
        return Ok(());
    }
    Ok(rustix::fs::fchmod(file, Mode::from_raw_mode(mode))?)
}

/// Refuses everything once a sync has failed.
fn believed(failed_sync: &OnceLock<String>) -> Result<(), DurableError> {
    failed_sync
        .get()
        .map_or(Ok(()), |text| Err(DurableError::Halted(text.clone())))
}

/// Runs a sync; its failure is remembered for good.
fn synced(
    failed_sync: &OnceLock<String>,
    path: &Path,
    run: impl Fn() -> rustix::io::Result<()>,
) -> Result<(), DurableError> {
    believed(failed_sync)?;
    if plant::has(Bug::RenameWithoutSync) {
        return Ok(());
    }
    let mut ran = rustix::io::retry_on_intr(&run);
    if plant::has(Bug::RetryAfterFailedSync) && ran.is_err() {
        ran = rustix::io::retry_on_intr(&run);
    }
    ran.map_err(|errno| {
        let text = format!("{}: {}", shown(path), io::Error::from(errno));
        halt(failed_sync, text)
    })
}

/// An I/O failure with its operation and path.
fn failed(operation: &'static str, path: &Path, source: impl Into<io::Error>) -> DurableError {
    DurableError::Io {
        operation,
        path: path.to_owned(),
        source: source.into(),
    }
}

/// Whether `name` is in `folder`, whatever it is (a dangling link counts).
fn is_there(folder: impl AsFd, name: &OsStr) -> bool {
    rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
}
