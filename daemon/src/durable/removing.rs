//! Removing files and folders durably. Links are removed, never followed.
//! The tree is walked from open folder to open folder, never again by path, so that nobody can swap a folder for a link
//! on the way. Done means synced: what was removed does not come back after a power cut.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::beneath::{Place, names_in, open_folder_at};
use super::{DurableError, FAILED_SYNC, TREE_DEPTH_MAX, believed, failed, sync};

/// Removes a file (missing is fine) and syncs its folder; whether it was there.
///
/// # Errors
/// As [`super::write`].
pub fn remove(path: &Path) -> Result<bool, DurableError> {
    believed(&FAILED_SYNC)?;
    let Some(place) = present(Place::of(path))? else {
        return Ok(false);
    };
    match rustix::fs::unlinkat(&place.folder, &place.name, AtFlags::empty()) {
        Ok(()) => sync(&place.folder, &place.folder_path).map(|()| true),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(failed("removing", path, errno)),
    }
}

/// Removes a folder and what is in it (missing is fine), never following links; whether it was there.
///
/// # Errors
/// As [`super::write`].
pub fn remove_folder(path: &Path) -> Result<bool, DurableError> {
    believed(&FAILED_SYNC)?;
    remove_at(present(Place::of(path))?)
}

/// Removes the file or folder `relative` beneath `root` (missing is fine), never following links; whether it was there.
///
/// # Errors
/// As [`super::write`].
pub fn remove_beneath(root: &Path, relative: &Path) -> Result<bool, DurableError> {
    believed(&FAILED_SYNC)?;
    remove_at(present(Place::beneath(root, relative))?)
}

/// How many files there are: 1 for a file, those in it for a folder; links count as what they are, a file of a name. Missing: 0.
///
/// # Errors
/// The folder's; one that is nested deeper than any that is removed here.
pub fn files_in(path: &Path) -> io::Result<u64> {
    match path.symlink_metadata() {
        Ok(found) if !found.is_dir() => Ok(1),
        Ok(_) => files_below(path, TREE_DEPTH_MAX),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

fn files_below(folder: &Path, depth_left: usize) -> io::Result<u64> {
    let depth_left = depth_left
        .checked_sub(1)
        .ok_or_else(|| io::Error::other("folders nested too deep"))?;
    let mut files = 0_u64;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // The type of a link is that of the link: none is followed.
        files = files.saturating_add(if entry.file_type()?.is_dir() {
            files_below(&entry.path(), depth_left)?
        } else {
            1
        });
    }
    Ok(files)
}

/// Removes what a death left half written in `folder` and, `depth` levels deep, below it: what bears a temporary name.
/// Best effort, for nothing depends on it.
pub fn sweep(folder: &Path, depth: usize) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if super::is_temporary(&entry.file_name()) {
            let _ = remove_folder(&entry.path());
        } else if depth > 0 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            sweep(&entry.path(), depth - 1);
        }
    }
}

/// None when the folder of a place is missing: then so is what shall be removed.
fn present(place: Result<Place, DurableError>) -> Result<Option<Place>, DurableError> {
    match place {
        Err(error) if error.io_kind() == Some(io::ErrorKind::NotFound) => Ok(None),
        place => place.map(Some),
    }
}

/// Removes what is at a place and syncs its folder; whether anything was there.
fn remove_at(place: Option<Place>) -> Result<bool, DurableError> {
    let Some(place) = place else {
        return Ok(false);
    };
    match remove_tree(&place.folder, &place.name, TREE_DEPTH_MAX) {
        Ok(()) => sync(&place.folder, &place.folder_path).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(failed("removing", &place.path(), source)),
    }
}

/// Removes a file, a link or a folder with all that is in it, without a sync.
pub(super) fn remove_tree(folder: &File, name: &OsStr, depth_left: usize) -> io::Result<()> {
    match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
        Ok(()) => return Ok(()),
        // Linux says EISDIR for a folder, POSIX says EPERM.
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(errno) => return Err(errno.into()),
    }
    let inside = open_folder_at(folder, Path::new(name))?;
    let depth_left = depth_left
        .checked_sub(1)
        .ok_or_else(|| io::Error::other("folders nested too deep"))?;
    for child in names_in(&inside)? {
        match remove_tree(&inside, &child, depth_left) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR)?)
}
