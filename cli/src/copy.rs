//! Copies a file or folder into the outbox: whole under a dot name that the daemon leaves alone, then one rename. What is no
//! regular file or folder is refused here already, before anything is renamed.

use std::fs::{File, Metadata, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use amanahd::{catalogue::faces::traffic, durable};

use crate::{
    exit::{Exit, Failure, Outcome},
    screen::Screen,
};

/// Group-writable: the daemon belongs to the group, and it moves what was dropped.
const FILE_MODE: u32 = 0o660;
const FOLDER_MODE: u32 = 0o770;
const CHUNK: usize = 256 * 1024;

/// What was dropped.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Dropped {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// Finds the item again in the status snapshot.
    pub(crate) inode: u64,
    pub(crate) bytes: u64,
}

/// Copies `source` to `folder/NAME`; `passed` is told how many bytes were copied.
pub(crate) fn into_outbox(
    source: &Path,
    folder: &Path,
    screen: &Screen<'_>,
    passed: &mut dyn FnMut(u64),
) -> Outcome<Dropped> {
    let source = std::path::absolute(source).map_err(|error| Failure::io(source, &error))?;
    let name = source.file_name().and_then(|name| name.to_str());
    let name =
        name.ok_or_else(|| screen.failure(Exit::Usage, traffic::NO_NAME, &[&source.display()]))?;
    let target = folder.join(name);
    if name.starts_with('.') {
        return Err(screen.failure(Exit::Usage, traffic::HIDDEN_NAME, &[&name]));
    }
    if target.symlink_metadata().is_ok() {
        return Err(screen.failure(Exit::Usage, traffic::NAME_TAKEN, &[&target.display()]));
    }
    let staging = tempfile::Builder::new()
        .prefix(".amanah-send-")
        .tempdir_in(folder)
        .map_err(|error| Failure::io(folder, &error))?;
    let copy = staging.path().join(name);
    let bytes = tree(&source, &copy, screen, passed)?;
    // Before the rename: the daemon may claim the item in the very next moment.
    let inode = copy.metadata().map_or(0, |metadata| metadata.ino());
    durable::rename(&copy, &target)?;
    Ok(Dropped {
        name: name.to_owned(),
        path: target,
        inode,
        bytes,
    })
}

/// How many bytes a copy will be.
pub(crate) fn bytes_of(path: &Path) -> u64 {
    let Ok(metadata) = path.symlink_metadata() else {
        return 0;
    };
    if !metadata.is_dir() {
        return metadata.len();
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| bytes_of(&entry.path())).sum()
}

fn tree(
    source: &Path,
    target: &Path,
    screen: &Screen<'_>,
    passed: &mut dyn FnMut(u64),
) -> Outcome<u64> {
    let io = |error: std::io::Error| Failure::io(source, &error);
    let metadata: Metadata = source.symlink_metadata().map_err(io)?;
    if metadata.is_file() {
        return file(source, target, passed);
    }
    if !metadata.is_dir() {
        return Err(screen.failure(Exit::Usage, traffic::NOT_A_FILE, &[&source.display()]));
    }
    std::fs::create_dir(target).map_err(io)?;
    let mut bytes = 0;
    for entry in std::fs::read_dir(source).map_err(io)? {
        let entry = entry.map_err(io)?;
        bytes += tree(
            &entry.path(),
            &target.join(entry.file_name()),
            screen,
            passed,
        )?;
    }
    std::fs::set_permissions(target, Permissions::from_mode(FOLDER_MODE)).map_err(io)?;
    Ok(bytes)
}

fn file(source: &Path, target: &Path, passed: &mut dyn FnMut(u64)) -> Outcome<u64> {
    let reading = |error: std::io::Error| Failure::io(source, &error);
    let writing = |error: std::io::Error| Failure::io(target, &error);
    let mut from = File::open(source).map_err(reading)?;
    let mut to = File::create_new(target).map_err(writing)?;
    let mut chunk = vec![0; CHUNK];
    let mut bytes = 0;
    loop {
        let length = from.read(&mut chunk).map_err(reading)?;
        let Some(part) = chunk.get(..length).filter(|part| !part.is_empty()) else {
            break;
        };
        to.write_all(part).map_err(writing)?;
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        bytes += length;
        passed(length);
    }
    to.set_permissions(Permissions::from_mode(FILE_MODE))
        .map_err(writing)?;
    durable::sync(&to, target)?;
    Ok(bytes)
}
