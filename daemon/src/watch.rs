//! Watches the outbox with inotify and rings a bell; tells which (name, inode) was moved in or closed after writing. Events
//! never prove that something exists: a scan does. Overflow, a lost watch, a new folder: only a bell. Not for network shares.
//! SPOOL.md §1.
//!
//! Of what happens inside a dropped folder nothing is told: its quiet period decides. It only takes back that it was moved in.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use amanah_format::home;
use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind, RenameMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::bell::Bell;
use crate::clock::Clock;

/// Most paths remembered: beyond, all are forgotten and scans decide.
pub const HEARD_MAX: usize = 100_000;
/// An item's depth below the outbox: PEER/FLOW/ITEM.
const ITEM_DEPTH: usize = 3;

/// A running watch; stops when dropped.
pub struct Watch {
    ear: Arc<Ear>,
    _watcher: RecommendedWatcher,
}

/// What the events said of one path since it was last asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Renamed in from elsewhere.
    MovedIn {
        /// When, in milliseconds since 1970.
        at_millis: u64,
    },
    /// Closed after writing.
    Closed {
        /// When, in milliseconds since 1970.
        at_millis: u64,
    },
    /// A write was seen without its close.
    Writing,
}

impl Watch {
    /// Watches `root` and its folders (two levels: PEER/FLOW, and deeper for folders being dropped), ringing `bell`. `root`
    /// holds no link.
    ///
    /// # Errors
    /// [`WatchError`]: missing, not permitted, or more folders than the kernel lets one user watch.
    pub fn start(root: &Path, bell: Bell) -> Result<Self, WatchError> {
        let ear = Arc::new(Ear {
            root: root.to_owned(),
            clock: Clock::default(),
            bell,
            heard: Mutex::default(),
        });
        let handler = {
            let ear = Arc::clone(&ear);
            move |event| ear.hear(event)
        };
        let failed = |error: notify::Error| WatchError {
            path: root.to_owned(),
            reason: error.to_string(),
        };
        let config = notify::Config::default().with_follow_symlinks(false);
        let mut watcher = RecommendedWatcher::new(handler, config).map_err(failed)?;
        watcher
            .watch(root, RecursiveMode::Recursive)
            .map_err(failed)?;
        Ok(Self {
            ear,
            _watcher: watcher,
        })
    }

    /// What was heard of `path`; none: nothing.
    #[must_use]
    pub fn heard(&self, path: &Path) -> Option<Heard> {
        self.ear.lock().get(path).copied()
    }

    /// Forgets `path` (claimed or gone).
    pub fn forget(&self, path: &Path) {
        self.ear.lock().remove(path);
    }
}

/// What the watcher's thread calls.
struct Ear {
    root: PathBuf,
    clock: Clock,
    bell: Bell,
    heard: Mutex<HashMap<PathBuf, Heard>>,
}

impl Ear {
    /// One event of the watcher.
    fn hear(&self, event: notify::Result<Event>) {
        let event = match event {
            Ok(event) if !event.need_rescan() => event,
            // Events were lost, or a folder can no longer be watched: what was remembered may be wrong.
            Ok(_) | Err(_) => {
                self.lock().clear();
                self.bell.ring();
                return;
            }
        };
        if let (EventKind::Modify(ModifyKind::Name(RenameMode::Both)), [from, to]) =
            (event.kind, event.paths.as_slice())
        {
            self.renamed(from, to);
            return;
        }
        for path in &event.paths {
            match self.depth(path) {
                ITEM_DEPTH => self.item(path, event.kind),
                depth if depth > ITEM_DEPTH => self.inside(path, event.kind),
                // Folders of peers and flows come and go: what is in them was perhaps not watched from the start.
                _ => self.ring_unless_read(event.kind),
            }
        }
    }

    /// Something happened to an item.
    fn item(&self, path: &Path, kind: EventKind) {
        let at_millis = self.clock.unix_millis();
        match kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => {
                self.remember(path, Heard::Closed { at_millis });
                self.bell.ring();
            }
            EventKind::Modify(ModifyKind::Name(RenameMode::To)) => {
                self.remember(path, Heard::MovedIn { at_millis });
                self.bell.ring();
            }
            EventKind::Modify(ModifyKind::Data(_)) => self.remember(path, Heard::Writing),
            EventKind::Create(CreateKind::File) if may_be_written(path) => {
                self.remember(path, Heard::Writing);
            }
            EventKind::Create(_) => self.bell.ring(),
            EventKind::Remove(_) => {
                self.lock().remove(path);
            }
            // What is known of the old name is needed for the new one (`renamed`), which follows at once if it is here too.
            EventKind::Modify(_) | EventKind::Access(_) | EventKind::Any | EventKind::Other => {}
        }
    }

    /// An item got another name within the outbox. Who wrote it under the old name writes on under the new one; and what was put
    /// back after it changed has not just come: its quiet period decides.
    fn renamed(&self, from: &Path, to: &Path) {
        if self.depth(from) != ITEM_DEPTH {
            return;
        }
        let name = from.file_name().unwrap_or_default().as_encoded_bytes();
        let was_claimed = name.starts_with(home::CLAIM_PREFIX.as_bytes());
        let before = self.lock().remove(from);
        if self.depth(to) != ITEM_DEPTH {
            return;
        }
        match before {
            Some(Heard::Writing) if may_be_written(to) => self.remember(to, Heard::Writing),
            _ if was_claimed => {
                self.lock().remove(to);
            }
            _ => {}
        }
    }

    /// Something happened inside a dropped folder.
    fn inside(&self, path: &Path, kind: EventKind) {
        if is_change(kind)
            && let Some(item) = path
                .ancestors()
                .find(|above| self.depth(above) == ITEM_DEPTH)
        {
            self.lock().remove(item);
        }
    }

    fn ring_unless_read(&self, kind: EventKind) {
        if is_change(kind) {
            self.bell.ring();
        }
    }

    fn remember(&self, path: &Path, what: Heard) {
        let mut heard = self.lock();
        if heard.len() >= HEARD_MAX && !heard.contains_key(path) {
            heard.clear();
            self.bell.ring();
        }
        heard.insert(path.to_owned(), what);
    }

    /// How many names below the root; 0 for anything else.
    fn depth(&self, path: &Path) -> usize {
        path.strip_prefix(&self.root)
            .map_or(0, |below| below.components().count())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, Heard>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an event tells of a change: the watcher also reports each opening, our own scans' among them.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => true,
    }
}

/// Whether a new name may be a file that somebody has just opened for writing: its close will follow. A second name given to
/// a file, a link or a FIFO is never closed. What has another name already by now is told of again under that one.
fn may_be_written(path: &Path) -> bool {
    path.symlink_metadata()
        .map_or(true, |metadata| metadata.is_file() && metadata.nlink() == 1)
}

/// Why watching is not possible (then only scans see new items).
#[derive(Debug, thiserror::Error)]
#[error("watching {path}: {reason}")]
pub struct WatchError {
    /// What was to be watched.
    pub path: PathBuf,
    /// What the system said.
    pub reason: String,
}

#[cfg(test)]
mod tests;
