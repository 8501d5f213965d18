//! Items that could not be moved aside: explained in place, and left alone for a while. A folder that was mended, or is another
//! one than it was, ends the while at once.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::stage::alone::LeftAlone;

/// Those that could not be moved, in this life of the process.
#[derive(Default)]
pub(super) struct Unmoved(Mutex<LeftAlone<Stuck>>);

/// An item that could not be moved, in its folder as it was then: whoever mends the folder need not wait.
#[derive(PartialEq, Eq, Hash)]
struct Stuck {
    path: PathBuf,
    inode: u64,
    /// The folder's inode, mode, owner and group.
    folder: Option<(u64, u32, u32, u32)>,
}

impl Stuck {
    fn now(path: &Path, inode: u64) -> Self {
        let folder = path
            .parent()
            .and_then(|folder| folder.symlink_metadata().ok());
        Self {
            path: path.to_owned(),
            inode,
            folder: folder.map(|is| (is.ino(), is.mode(), is.uid(), is.gid())),
        }
    }
}

impl Unmoved {
    fn lock(&self) -> MutexGuard<'_, LeftAlone<Stuck>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It could not be moved, perhaps again.
    pub(super) fn add(&self, path: &Path, inode: u64) {
        self.lock().add(Stuck::now(path, inode));
    }

    /// It was moved.
    pub(super) fn remove(&self, path: &Path, inode: u64) {
        let mut stuck = self.lock();
        if !stuck.is_empty() {
            stuck.remove(&Stuck::now(path, inode));
        }
    }

    /// Whether it is left alone at this moment.
    pub(super) fn has(&self, path: &Path, inode: u64) -> bool {
        let stuck = self.lock();
        !stuck.is_empty() && stuck.has(&Stuck::now(path, inode))
    }

    /// Forgets what is not `here` any more; how long until one of the others is tried again.
    pub(super) fn keep(&self, here: &HashSet<&Path>) -> Option<Duration> {
        let mut stuck = self.lock();
        stuck.retain(|item| here.contains(item.path.as_path()));
        stuck.next()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn who_mends_the_folder_need_not_wait() {
        let folder = tempfile::tempdir().unwrap();
        let item = folder.path().join("a.csv");
        let (unmoved, here) = (Unmoved::default(), HashSet::from([item.as_path()]));
        unmoved.add(&item, 7);
        assert!(unmoved.has(&item, 7) && !unmoved.has(&item, 8));
        assert!(unmoved.keep(&here).is_some());
        fs::set_permissions(folder.path(), Permissions::from_mode(0o750)).unwrap();
        assert!(!unmoved.has(&item, 7));
        unmoved.add(&item, 7);
        assert!(unmoved.keep(&HashSet::new()).is_none());
        assert!(!unmoved.has(&item, 7));
    }
}
