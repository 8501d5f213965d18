//! The one place that writes durably: temporary name, sync, rename, sync of the folder; and that opens beneath a folder
//! (openat2, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS). After one failed sync it stops for good and says so: what was in the page cache is lost
//! silently on Linux, so no retry can be believed (fsync(2), NOTES).

use std::{fs::File, io, path::Path};

/// Writes `bytes` to `folder/name` so that after `Ok` it is there whole, or the old one is. Mode is the file's.
///
/// # Errors
/// I/O with operation and path; `Halted` once a sync has failed in this process.
pub fn write(folder: &Path, name: &str, bytes: &[u8], mode: u32) -> Result<(), DurableError> { todo!() }
/// Creates a folder and its missing parents durably, each with `mode` (exactly, whatever the umask). Present: left as it is.
///
/// # Errors
/// As [`write`].
pub fn create_folder(path: &Path, mode: u32) -> Result<(), DurableError> { todo!() }
/// Renames within one file system and syncs both folders. Never replaces (`RENAME_NOREPLACE`): `Exists` instead.
///
/// # Errors
/// As [`write`].
pub fn rename(from: &Path, to: &Path) -> Result<(), DurableError> { todo!() }
/// Renames over whatever is at `to`.
///
/// # Errors
/// As [`write`].
pub fn replace(from: &Path, to: &Path) -> Result<(), DurableError> { todo!() }
/// Moves a file or folder, also across file systems (copy, sync, rename, remove the source last). Never replaces.
///
/// # Errors
/// As [`write`].
pub fn relocate(from: &Path, to: &Path) -> Result<(), DurableError> { todo!() }
/// fsync of a file that somebody wrote.
///
/// # Errors
/// As [`write`]; a failure halts.
pub fn sync(file: &File, path: &Path) -> Result<(), DurableError> { todo!() }
/// fsync of a folder.
///
/// # Errors
/// As [`sync`].
pub fn sync_folder(path: &Path) -> Result<(), DurableError> { todo!() }
/// syncfs of the file system that holds `path`: one call for many files.
///
/// # Errors
/// As [`sync`].
pub fn sync_file_system(path: &Path) -> Result<(), DurableError> { todo!() }
/// Removes a file (missing is fine) and syncs its folder.
///
/// # Errors
/// As [`write`].
pub fn remove(path: &Path) -> Result<(), DurableError> { todo!() }
/// Removes a folder and what is in it (missing is fine), never following links.
///
/// # Errors
/// As [`write`].
pub fn remove_folder(path: &Path) -> Result<(), DurableError> { todo!() }
/// Opens `relative` beneath `root` for reading: no link anywhere, no `..`, only a regular file, without blocking on a FIFO.
///
/// # Errors
/// As [`write`].
pub fn open_beneath(root: &Path, relative: &Path) -> io::Result<File> { todo!() }
/// Creates `relative` (and its folders) beneath `root` for writing; it must not exist.
///
/// # Errors
/// As [`open_beneath`].
pub fn create_beneath(root: &Path, relative: &Path, mode: u32) -> io::Result<File> { todo!() }
/// Whether a sync has failed in this process: nothing may be claimed durable any more.
#[must_use]
pub fn halted() -> bool { todo!() }
/// What went wrong, where.
#[derive(Debug, thiserror::Error)]
pub enum DurableError {
    /// The target is there already.
    #[error("{0}: exists already")]
    Exists(std::path::PathBuf),
    /// An operation failed.
    #[error("{operation} {path}: {source}")]
    Io { operation: &'static str, path: std::path::PathBuf, #[source] source: io::Error },
    /// A sync failed earlier (or now): this process believes its disk no longer.
    #[error("a sync to disk failed ({0}): nothing is claimed durable any more; check the disk, then restart")]
    Halted(String),
}
