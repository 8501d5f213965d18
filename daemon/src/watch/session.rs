//! One inotify queue and the folders that it tells of, each with the moment from which on nothing that happens to a file in it
//! goes unheard. When the kernel drops events, the whole session is thrown away: whatever is in its queue still may have gaps
//! before it.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

use super::known::{Key, WALK_DEPTH_MAX, children_of, depth, joined};

/// Most folders that are listened to, below what the kernel gives one user: beyond, quiet periods decide.
const FOLDERS_MAX: usize = 50_000;
/// Deepest folder below the outbox that is listened to: peer, flow, and what a scan walks of an item.
const DEPTH_MAX: usize = 2 + WALK_DEPTH_MAX;
/// Most events that are taken at a time, a few megabytes: twice what the kernel's queue holds as it is shipped.
pub(super) const EVENTS_MAX: usize = 32_768;
/// Room for some two thousand events.
const BUFFER_BYTES: usize = 64 * 1024;

/// A queue, and what it tells of.
pub(super) struct Session {
    root: PathBuf,
    pub(super) queue: Arc<OwnedFd>,
    /// By their paths below the root; the root itself is the empty one.
    folders: BTreeMap<Key, Folder>,
    paths: HashMap<i32, Key>,
}

/// A folder that is listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Folder {
    watch: i32,
    /// From here on nothing is missed, in nanoseconds since 1970.
    since_nanos: i128,
}

/// One event, taken out of the buffer.
pub(super) struct Told {
    pub(super) watch: i32,
    pub(super) flags: ReadFlags,
    pub(super) cookie: u32,
    pub(super) name: Option<Vec<u8>>,
}

/// What is told of a folder.
fn wanted() -> WatchFlags {
    WatchFlags::CREATE
        | WatchFlags::OPEN
        | WatchFlags::MODIFY
        | WatchFlags::CLOSE_WRITE
        | WatchFlags::CLOSE_NOWRITE
        | WatchFlags::MOVED_FROM
        | WatchFlags::MOVED_TO
        | WatchFlags::DELETE
        | WatchFlags::MOVE_SELF
        // What has no name any more concerns nobody: another file may bear it.
        | WatchFlags::EXCL_UNLINK
        | WatchFlags::ONLYDIR
        | WatchFlags::DONT_FOLLOW
}

impl Session {
    /// A new queue for `root` and all folders in it.
    pub(super) fn open(root: &Path, now: &dyn Fn() -> i128) -> Result<Self, Errno> {
        let queue = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        let mut session = Self {
            root: root.to_owned(),
            queue: Arc::new(queue),
            folders: BTreeMap::new(),
            paths: HashMap::new(),
        };
        session.add(&Key::new(), now)?;
        session.add_below(&Key::new(), now, 0);
        Ok(session)
    }

    /// Listens to a folder and all in it. What cannot be listened to is left to the quiet periods. False: it is no folder.
    pub(super) fn listen(&mut self, key: &Key, now: &dyn Fn() -> i128) -> bool {
        let depth = depth(key);
        if depth > DEPTH_MAX || self.add(key, now).is_err() {
            return false;
        }
        self.add_below(key, now, depth);
        true
    }

    /// Forgets a folder and those in it; their watches tell nothing any more.
    pub(super) fn take(&mut self, key: &Key) -> Vec<(Key, Folder)> {
        let mut keys = children_of(&self.folders, key);
        keys.push(key.clone());
        let mut taken = Vec::new();
        for key in keys {
            if let Some(folder) = self.folders.remove(&key) {
                if self.paths.get(&folder.watch) == Some(&key) {
                    self.paths.remove(&folder.watch);
                }
                taken.push((key, folder));
            }
        }
        taken
    }

    /// Ends watches of folders that went elsewhere.
    pub(super) fn leave(&self, folders: &[(Key, Folder)]) {
        for (_, folder) in folders {
            if !self.paths.contains_key(&folder.watch) {
                // It may have gone by itself.
                let _ = inotify::remove_watch(&self.queue, folder.watch);
            }
        }
    }

    /// Since when nothing is missed of what lies in a folder.
    pub(super) fn since_nanos(&self, folder: &[u8]) -> Option<i128> {
        self.folders.get(folder).map(|folder| folder.since_nanos)
    }

    /// Which folder a watch is for.
    pub(super) fn path_of(&self, watch: i32) -> Option<&Key> {
        self.paths.get(&watch)
    }

    /// The kernel has ended this watch.
    pub(super) fn ended(&mut self, watch: i32) {
        if let Some(key) = self.paths.remove(&watch) {
            self.folders.remove(&key);
        }
    }

    /// What is in the queue now: less than the most, or there may be more.
    pub(super) fn read(&self) -> Vec<Told> {
        let mut buffer = vec![MaybeUninit::uninit(); BUFFER_BYTES];
        let mut reader = Reader::new(&*self.queue, &mut buffer);
        let mut all = Vec::new();
        loop {
            match reader.next() {
                Ok(event) => all.push(Told {
                    watch: event.wd(),
                    flags: event.events(),
                    cookie: event.cookie(),
                    name: event.file_name().map(|name| name.to_bytes().to_owned()),
                }),
                Err(Errno::INTR) => {}
                Err(_) => return all,
            }
            if all.len() >= EVENTS_MAX && reader.is_buffer_empty() {
                return all;
            }
        }
    }

    fn add(&mut self, key: &Key, now: &dyn Fn() -> i128) -> Result<(), Errno> {
        if self.folders.len() >= FOLDERS_MAX {
            return Err(Errno::NOSPC);
        }
        let watch = inotify::add_watch(&self.queue, self.path(key), wanted())?;
        let known = self.folders.get(key);
        if known.is_some_and(|known| known.watch == watch) {
            return Ok(());
        }
        let since_nanos = now();
        if let Some(old) = self.paths.insert(watch, key.clone()) {
            self.folders.remove(&old);
        }
        if let Some(old) = self
            .folders
            .insert(key.clone(), Folder { watch, since_nanos })
        {
            self.paths.remove(&old.watch);
        }
        Ok(())
    }

    fn add_below(&mut self, key: &Key, now: &dyn Fn() -> i128, depth: usize) {
        if depth >= DEPTH_MAX {
            return;
        }
        let entries = std::fs::read_dir(self.path(key)).into_iter().flatten();
        for entry in entries.flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                let inside = joined(key, entry.file_name().as_bytes());
                if self.add(&inside, now).is_ok() {
                    self.add_below(&inside, now, depth + 1);
                }
            }
        }
    }

    pub(super) fn path(&self, key: &Key) -> PathBuf {
        self.root.join(OsStr::from_bytes(key))
    }
}
