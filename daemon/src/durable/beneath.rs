//! Opening beneath a folder: no link anywhere below it, no `..`, no FIFO, no device. What an operator or a peer names is
//! only ever opened here.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::{DurableError, FAILED_SYNC, Sync, believed, failed, set_mode, sync, write_at};

/// A name in an opened folder: what happens to it happens there, wherever the folder's path leads meanwhile.
pub(super) struct Place {
    pub(super) folder: File,
    pub(super) folder_path: PathBuf,
    pub(super) name: OsString,
}

impl Place {
    /// The place of a path whose folder is trusted (links on the way to it are followed).
    pub(super) fn of(path: &Path) -> Result<Self, DurableError> {
        let (folder, name) = split(path)?;
        let folder = if folder == Path::new("") {
            Path::new(".")
        } else {
            folder
        };
        let opened =
            open_folder(folder).map_err(|source| failed("opening the folder", folder, source))?;
        Ok(Self {
            folder: opened,
            folder_path: folder.to_owned(),
            name,
        })
    }

    /// The place of `relative` beneath `root`: a link anywhere between them is an error.
    pub(super) fn beneath(root: &Path, relative: &Path) -> Result<Self, DurableError> {
        let (folder, name) = split(relative)?;
        let folder_path = root.join(folder);
        let opened = open_folder(root)
            .and_then(|top| {
                if folder == Path::new("") {
                    Ok(top)
                } else {
                    open_folder_at(top, folder)
                }
            })
            .map_err(|source| failed("opening the folder", &folder_path, source))?;
        Ok(Self {
            folder: opened,
            folder_path,
            name,
        })
    }

    /// For messages.
    pub(super) fn path(&self) -> PathBuf {
        self.folder_path.join(&self.name)
    }
}

/// Folder and last name of a path.
fn split(path: &Path) -> Result<(&Path, OsString), DurableError> {
    let name = path.file_name().ok_or_else(|| {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "it has no file name");
        failed("naming", path, source)
    })?;
    Ok((path.parent().unwrap_or(Path::new("")), name.to_owned()))
}

/// Opens a folder, following links on the way.
pub(super) fn open_folder(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

/// Opens a folder beneath another, following nothing.
pub(super) fn open_folder_at(folder: impl AsFd, relative: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
    Ok(open_at(folder, relative, flags, Mode::empty())?.into())
}

/// openat2 with every way out of `folder` closed. The kernel would allow a `..` that stays beneath: here none is, so that
/// the beginning of a path says where it leads.
fn open_at(
    folder: impl AsFd,
    relative: &Path,
    flags: OFlags,
    mode: Mode,
) -> rustix::io::Result<OwnedFd> {
    let is_name = |component| matches!(component, Component::Normal(_));
    if !relative.components().all(is_name) {
        return Err(Errno::INVAL);
    }
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    // EAGAIN: the kernel saw a rename on the way and could not prove that it stayed beneath (openat2(2)).
    for _ in 0..16 {
        match rustix::fs::openat2(&folder, relative, flags | OFlags::CLOEXEC, mode, resolve) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            done => return done,
        }
    }
    Err(Errno::AGAIN)
}

/// Opens `relative` beneath `root` for reading: no link anywhere, no `..`, only a regular file, without blocking on a FIFO.
///
/// # Errors
/// The system's; `InvalidInput` when it is no regular file.
pub fn open_beneath(root: &Path, relative: &Path) -> io::Result<File> {
    open_file_at(open_folder(root)?, relative)
}

/// Opens a regular file beneath an opened folder for reading.
pub(super) fn open_file_at(folder: impl AsFd, relative: &Path) -> io::Result<File> {
    // First without opening it in earnest: opening a FIFO would let its writer go on, and some devices act on being opened.
    let peek = open_at(
        &folder,
        relative,
        OFlags::PATH | OFlags::NOFOLLOW,
        Mode::empty(),
    )?;
    regular(&File::from(peek))?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = File::from(open_at(&folder, relative, flags, Mode::empty())?);
    regular(&file)?;
    Ok(file)
}

/// When this inode was made, in nanoseconds since 1970, which nobody can set. Where the file system does not say: when it was
/// changed last.
#[must_use]
pub fn born_nanos(metadata: &Metadata) -> i128 {
    let since = |time: std::time::SystemTime| time.duration_since(std::time::UNIX_EPOCH).ok();
    let born = metadata.created().ok().and_then(since);
    born.and_then(|born| i128::try_from(born.as_nanos()).ok())
        .unwrap_or_else(|| {
            i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec())
        })
}

/// Its metadata, if it is a regular file.
fn regular(file: &File) -> io::Result<Metadata> {
    let metadata = file.metadata()?;
    if metadata.is_file() {
        Ok(metadata)
    } else {
        let text = "expected a regular file";
        Err(io::Error::new(io::ErrorKind::InvalidInput, text))
    }
}

/// Names in the folder `relative` beneath `root`, unordered; no link is followed on the way.
///
/// # Errors
/// The system's.
pub fn list_beneath(root: &Path, relative: &Path) -> io::Result<Vec<OsString>> {
    names_in(open_folder_at(open_folder(root)?, relative)?)
}

/// Names in an opened folder, without `.` and `..`.
pub(super) fn names_in(folder: impl AsFd) -> io::Result<Vec<OsString>> {
    use std::os::unix::ffi::OsStringExt;
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::read_from(folder)? {
        let name = entry?.file_name().to_bytes().to_owned();
        if name != b"." && name != b".." {
            names.push(OsString::from_vec(name));
        }
    }
    Ok(names)
}

/// Creates `relative` (and its folders) beneath `root` for writing; it must not exist. `mode` is the file's, exactly;
/// folders get the same with a search bit beside each read bit, and inherit the setgid bit.
///
/// # Errors
/// The system's; `AlreadyExists`.
pub fn create_beneath(root: &Path, relative: &Path, mode: u32) -> io::Result<File> {
    let top = open_folder(root)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
    let create = || open_at(&top, relative, flags, Mode::from_raw_mode(mode));
    let file = match create() {
        Err(Errno::NOENT) => {
            create_folders(&top, relative, mode | ((mode & 0o444) >> 2))?;
            create()?
        }
        done => done?,
    };
    let file = File::from(file);
    set_mode(&file, mode)?;
    Ok(file)
}

/// Makes the folders above `relative`, those that are missing.
fn create_folders(top: &File, relative: &Path, mode: u32) -> io::Result<()> {
    let mut folder = top.try_clone()?;
    for component in relative.parent().into_iter().flat_map(Path::components) {
        let (inside, created) = enter(&folder, component, mode)?;
        if created {
            let inherited = inside.metadata()?.mode() & 0o2000;
            set_mode(&inside, mode | inherited)?;
        }
        folder = inside;
    }
    Ok(())
}

/// Opens one folder further down, making it if it is missing; tells whether it was.
fn enter(folder: &File, component: Component<'_>, mode: u32) -> io::Result<(File, bool)> {
    let Component::Normal(name) = component else {
        let text = "expected a relative path without `..`";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    };
    let created = match rustix::fs::mkdirat(folder, name, Mode::from_raw_mode(mode)) {
        Ok(()) => true,
        Err(Errno::EXIST) => false,
        Err(errno) => return Err(errno.into()),
    };
    Ok((open_folder_at(folder, Path::new(name))?, created))
}

/// Makes the folder `relative` beneath `root` durably, with its missing parents, over no link. It has `mode` afterwards,
/// exactly, unless somebody else owns it: then it is left as that owner wants it.
///
/// # Errors
/// As [`super::write`].
pub fn ensure_folder_beneath(root: &Path, relative: &Path, mode: u32) -> Result<(), DurableError> {
    believed(&FAILED_SYNC)?;
    let path = root.join(relative);
    let io = |source: io::Error| failed("making the folder", &path, source);
    let mut folder = open_folder(root).map_err(io)?;
    for component in relative.components() {
        let (inside, created) = enter(&folder, component, mode).map_err(io)?;
        if created {
            set_mode(&inside, mode).map_err(io)?;
            sync(&inside, &path)?;
            sync(&folder, &path)?;
        }
        folder = inside;
    }
    match set_mode(&folder, mode) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        done => done.map_err(io),
    }
}

/// Writes `bytes` durably to `relative` beneath `root`, over what is there; no link is followed on the way.
///
/// # Errors
/// As [`super::write`].
pub fn write_beneath(
    root: &Path,
    relative: &Path,
    bytes: &[u8],
    mode: u32,
) -> Result<(), DurableError> {
    believed(&FAILED_SYNC)?;
    write_at(&Place::beneath(root, relative)?, bytes, mode, Sync::Yes)
}
