//! Moving files and folders: by rename where one file system holds both names, else by copy, sync, rename and removal of
//! the source last, so that at each instant one whole of it is on disk.

use std::ffi::OsStr;
use std::fs::{File, FileTimes};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Access, AtFlags, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::beneath::{Place, names_in, open_file_at, open_folder_at};
use super::removing::remove_tree;
use super::{
    DurableError, FAILED_SYNC, TREE_DEPTH_MAX, believed, failed, is_there, set_mode, sync,
    sync_file_system, temporary_name,
};

/// Renames within one file system and syncs both folders. Never replaces (`RENAME_NOREPLACE`): `Exists` instead.
///
/// # Errors
/// As [`super::write`].
pub fn rename(from: &Path, to: &Path) -> Result<(), DurableError> {
    believed(&FAILED_SYNC)?;
    let (from, to) = (Place::of(from)?, Place::of(to)?);
    rename_new(&from, &to)?;
    sync_both(&from, &to)
}

/// Renames over whatever is at `to`, and syncs both folders.
///
/// # Errors
/// As [`super::write`].
pub fn replace(from: &Path, to: &Path) -> Result<(), DurableError> {
    believed(&FAILED_SYNC)?;
    let (from, to) = (Place::of(from)?, Place::of(to)?);
    rustix::fs::renameat(&from.folder, &from.name, &to.folder, &to.name)
        .map_err(|errno| failed("renaming", &from.path(), errno))?;
    sync_both(&from, &to)
}

/// Moves a file or folder, also across file systems (copy, sync, rename, remove the source last). Never replaces.
///
/// # Errors
/// As [`super::write`].
pub fn relocate(from: &Path, to: &Path) -> Result<(), DurableError> {
    believed(&FAILED_SYNC)?;
    let (from, to) = (Place::of(from)?, Place::of(to)?);
    shift(&from, &to)?;
    sync_both(&from, &to)
}

/// Renames `from` to `to`, both beneath `root` with no link on the way. Never replaces, and syncs nothing: whoever renames
/// many syncs their folder once.
///
/// # Errors
/// As [`super::write`].
pub fn rename_beneath(root: &Path, from: &Path, to: &Path) -> Result<(), DurableError> {
    believed(&FAILED_SYNC)?;
    rename_new(&Place::beneath(root, from)?, &Place::beneath(root, to)?)
}

/// Moves `from` to `to` as [`relocate`] does, both beneath `root` with no link on the way. The rename itself is not synced:
/// whoever moves many syncs both folders once.
///
/// # Errors
/// As [`super::write`].
pub fn move_beneath(root: &Path, from: &Path, to: &Path) -> Result<(), DurableError> {
    believed(&FAILED_SYNC)?;
    shift(&Place::beneath(root, from)?, &Place::beneath(root, to)?)
}

/// Renames, or copies where a rename cannot reach.
fn shift(from: &Place, to: &Place) -> Result<(), DurableError> {
    match rename_new(from, to) {
        Err(error) if error.io_kind() == Some(io::ErrorKind::CrossesDevices) => {
            copy_across(from, to)
        }
        done => done,
    }
}

/// The target's folder first: the new name is durable before the old one is gone.
fn sync_both(from: &Place, to: &Place) -> Result<(), DurableError> {
    sync(&to.folder, &to.folder_path)?;
    if from.folder_path == to.folder_path {
        return Ok(());
    }
    sync(&from.folder, &from.folder_path)
}

/// Renames to a name that must be free.
fn rename_new(from: &Place, to: &Place) -> Result<(), DurableError> {
    let renamed = rustix::fs::renameat_with(
        &from.folder,
        &from.name,
        &to.folder,
        &to.name,
        RenameFlags::NOREPLACE,
    );
    match renamed {
        // Network file systems know no RENAME_NOREPLACE.
        Err(Errno::INVAL) => rename_by_link(from, to),
        done => done,
    }
    .map_err(|errno| match errno {
        Errno::EXIST => DurableError::Exists(to.path()),
        errno => failed("renaming", &from.path(), errno),
    })
}

/// The same in two steps: `link` refuses a name that is taken. A folder cannot be linked; renaming one replaces nothing but
/// an empty folder.
pub(super) fn rename_by_link(from: &Place, to: &Place) -> rustix::io::Result<()> {
    let stat = rustix::fs::statat(&from.folder, &from.name, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
        if is_there(&to.folder, &to.name) {
            return Err(Errno::EXIST);
        }
        return rustix::fs::renameat(&from.folder, &from.name, &to.folder, &to.name);
    }
    rustix::fs::linkat(
        &from.folder,
        &from.name,
        &to.folder,
        &to.name,
        AtFlags::empty(),
    )?;
    rustix::fs::unlinkat(&from.folder, &from.name, AtFlags::empty())
}

/// Copies to a temporary name beside the target, syncs, renames, and only then removes the source.
pub(super) fn copy_across(from: &Place, to: &Place) -> Result<(), DurableError> {
    if is_there(&to.folder, &to.name) {
        return Err(DurableError::Exists(to.path()));
    }
    // Asked before anything is copied: a source that cannot be removed would leave two of it.
    check_removable(&from.folder, &from.name, TREE_DEPTH_MAX)
        .map_err(|source| failed("removing", &from.path(), source))?;
    let copy = Place {
        folder: to
            .folder
            .try_clone()
            .map_err(|source| failed("opening", &to.path(), source))?,
        folder_path: to.folder_path.clone(),
        name: temporary_name(),
    };
    let copied = copy_node(from, &copy, TREE_DEPTH_MAX)
        .map_err(|source| failed("copying", &from.path(), source))
        .and_then(|()| sync_file_system(&copy.folder_path))
        .and_then(|()| rename_new(&copy, to))
        .and_then(|()| sync(&to.folder, &to.folder_path));
    if let Err(error) = copied {
        // Best effort: what stays behind bears a temporary name and is swept at the next start.
        let _ = remove_tree(&copy.folder, &copy.name, TREE_DEPTH_MAX);
        return Err(error);
    }
    remove_tree(&from.folder, &from.name, TREE_DEPTH_MAX)
        .map_err(|source| failed("removing", &from.path(), source))
}

/// Whether this process may remove `name` from `folder`, and everything in it.
fn check_removable(folder: &File, name: &OsStr, depth_left: usize) -> io::Result<()> {
    let rights = Access::WRITE_OK | Access::EXEC_OK;
    rustix::fs::accessat(folder, ".", rights, AtFlags::EACCESS)?;
    let stat = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        return Ok(());
    }
    let depth_left = shallower(depth_left)?;
    let inside = open_folder_at(folder, Path::new(name))?;
    for child in names_in(&inside)? {
        check_removable(&inside, &child, depth_left)?;
    }
    Ok(())
}

/// Copies a file or a folder with all that is in it, with its permission bits and times. Anything else is refused: what it
/// stands for is not in it.
fn copy_node(from: &Place, to: &Place, depth_left: usize) -> io::Result<()> {
    let stat = rustix::fs::statat(&from.folder, &from.name, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        return copy_file(from, to);
    }
    let depth_left = shallower(depth_left)?;
    let source = open_folder_at(&from.folder, Path::new(&from.name))?;
    rustix::fs::mkdirat(&to.folder, &to.name, Mode::from_raw_mode(0o700))?;
    let target = open_folder_at(&to.folder, Path::new(&to.name))?;
    for child in names_in(&source)? {
        let inside = |folder: &File, path| -> io::Result<Place> {
            Ok(Place {
                folder: folder.try_clone()?,
                folder_path: path,
                name: child.clone(),
            })
        };
        copy_node(
            &inside(&source, from.path())?,
            &inside(&target, to.path())?,
            depth_left,
        )?;
    }
    keep_attributes(&source, &target)
}

/// Copies one regular file.
fn copy_file(from: &Place, to: &Place) -> io::Result<()> {
    let mut source = open_file_at(&from.folder, Path::new(&from.name))?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let target = rustix::fs::openat(&to.folder, &to.name, flags, Mode::from_raw_mode(0o600))?;
    let mut target = File::from(target);
    io::copy(&mut source, &mut target)?;
    keep_attributes(&source, &target)
}

/// Gives the copy the original's permission bits (never setuid) and its times.
fn keep_attributes(source: &File, target: &File) -> io::Result<()> {
    let metadata = source.metadata()?;
    let inherited = target.metadata()?.mode() & 0o2000;
    set_mode(target, (metadata.mode() & 0o777) | inherited)?;
    let times = FileTimes::new().set_modified(metadata.modified()?);
    target.set_times(times)
}

/// One level less, or an error.
fn shallower(depth_left: usize) -> io::Result<usize> {
    depth_left
        .checked_sub(1)
        .ok_or_else(|| io::Error::other("folders nested too deep"))
}
