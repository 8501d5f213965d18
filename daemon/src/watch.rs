//! Watches the outbox with inotify and rings a bell; tells which (name, inode) was moved in or closed after writing. Events never prove that something
//! exists: a scan does. Overflow, a lost watch, a new folder: only a bell. Not for network shares.

use std::path::{Path, PathBuf};
use crate::bell::Bell;
/// A running watch; stops when dropped.
pub struct Watch { _private: () }
/// What the events said of one path since it was last asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard { /// Renamed in from elsewhere.
    MovedIn { at_millis: u64 }, /// Closed after writing.
    Closed { at_millis: u64 }, /// A write was seen without its close.
    Writing }
impl Watch {
    /// Watches `root` and its folders (two levels: PEER/FLOW, and deeper for folders being dropped), ringing `bell`.
    pub fn start(root: &Path, bell: Bell) -> Result<Self, WatchError> { todo!() }
    /// What was heard of `path`; none: nothing.
    #[must_use] pub fn heard(&self, path: &Path) -> Option<Heard> { todo!() }
    /// Forgets `path` (claimed or gone).
    pub fn forget(&self, path: &Path) { todo!() }
}
/// Why watching is not possible (then only scans see new items).
#[derive(Debug, thiserror::Error)]
#[error("watching {path}: {reason}")]
pub struct WatchError { pub path: PathBuf, pub reason: String }
