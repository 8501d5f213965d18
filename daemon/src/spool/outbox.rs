//! The outbox on disk: what lies there, whether it is settled, how it is claimed, put back, settled and returned. DESIGN §8.

use std::{ffi::OsString, path::{Path, PathBuf}};
use amanah_format::{entry_path::EntryPath, id::{BundleId, FlowName, PartyId}};
use super::{Spool, SpoolError};

/// One thing in a flow's folder as a scan saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen { pub peer: OsString, pub flow: OsString, pub name: OsString, pub path: PathBuf, pub kind: SeenKind, pub inode: u64, /// Length of a file; sum for a folder.
    pub bytes: u64, pub files: u64, /// Newest mtime/ctime in it, nanoseconds: a change shows here.
    pub stamp_nanos: i128 }
/// What it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeenKind { File, Folder, /// Link, device, FIFO, socket, or a folder holding one.
    Other, Unreadable }
/// A file of a claimed item, ready to be sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source { pub entry: EntryPath, /// Root to open beneath (the flow's outbox folder).
    pub root: PathBuf, pub relative: PathBuf, pub bytes: u64 }
impl Spool {
    /// `outbox/PEER/FLOW`
    #[must_use] pub fn outbox(&self, peer: &PartyId, flow: &FlowName) -> PathBuf { todo!() }
    /// Everything in `outbox/*/*/`, ignored names left out (those of format::home::is_ignored, and claimed ones).
    pub fn scan_outbox(&self) -> Result<Vec<Seen>, SpoolError> { todo!() }
    /// Renames an item aside within its folder, only when it still has this inode. Ok(false): it is no longer there.
    pub fn stand_aside(&self, seen: &Path, claim: &Path, inode: u64) -> Result<bool, SpoolError> { todo!() }
    /// Renames it back, never over a newer file of that name (then `NAME.2`, …). Missing claim is fine.
    pub fn put_back(&self, claim: &Path, original: &Path) -> Result<(), SpoolError> { todo!() }
    /// Files of a claimed item in byte order of their entry paths: NAME for a file, NAME/… for a folder.
    pub fn sources(&self, folder: &Path, claim_name: &str, name: &std::ffi::OsStr, is_folder: bool) -> Result<Vec<Source>, SourceError> { todo!() }
    /// Moves a claimed original to `sent/PEER/FLOW/NAME` (or NAME.2 …); returns the place relative to the home.
    pub fn settle(&self, peer: &PartyId, flow: &FlowName, claim: &Path, name: &std::ffi::OsStr) -> Result<String, SpoolError> { todo!() }
    /// Moves a claimed original to `returned/PEER/FLOW/NAME` and writes NAME.why.txt beside it; returns the place.
    pub fn hand_back(&self, peer: &str, flow: &str, claim: &Path, name: &std::ffi::OsStr, why: &str) -> Result<String, SpoolError> { todo!() }
    /// Claims found on disk: (path, bundle id) — recovery compares them with the journal.
    pub fn claims_on_disk(&self) -> Result<Vec<(PathBuf, String)>, SpoolError> { todo!() }
}
/// Why an item cannot be sealed as it is.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("not a regular file: {0}")] NotAFile(String),
    #[error("name not portable")] Name,
    #[error("unreadable")] Unreadable,
    #[error("the folder holds no file")] Empty,
    #[error("more than the allowed number of files")] TooMany,
    #[error(transparent)] Spool(#[from] SpoolError),
}
