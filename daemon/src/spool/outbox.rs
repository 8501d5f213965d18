//! The outbox on disk, as a scan sees it: what lies there, how large it is, when it changed last. SPOOL.md §1.
//!
//! A scan only looks: it follows no link and opens nothing but folders, so a FIFO or a device is never touched.

use std::ffi::{OsStr, OsString};
use std::fs::{DirEntry, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use amanah_format::entry_path::EntryPath;
use amanah_format::home;
use amanah_format::id::{FlowName, PartyId};

use super::{Spool, SpoolError, failed};
use crate::durable;

/// Deepest folder of an item that is walked: far beyond the deepest entry path, which is refused later with its reason.
pub const WALK_DEPTH_MAX: usize = 32;
/// Most names that are walked in one item: beyond the most entries of a bundle, so that it is refused with its reason.
pub const WALK_ENTRIES_MAX: u64 = 200_000;

/// Most items that one scan tells of, some 40 MB: what is claimed makes room for the others.
pub const SCAN_ITEMS_MAX: usize = 100_000;

/// One thing in a flow's folder as a scan saw it. What lies beside the folders of peers or flows, where it belongs to no
/// stream, has an empty `flow` (and `peer`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Name of the peer's folder.
    pub peer: OsString,
    /// Name of the flow's folder.
    pub flow: OsString,
    /// Its own name.
    pub name: OsString,
    /// Where it is.
    pub path: PathBuf,
    /// What it is.
    pub kind: SeenKind,
    /// Its inode.
    pub inode: u64,
    /// Length of a file; sum for a folder.
    pub bytes: u64,
    /// How many files: 1, or what a folder holds.
    pub files: u64,
    /// Newest mtime/ctime in it, nanoseconds: a change shows here.
    pub stamp_nanos: i128,
    /// When its own inode was made, nanoseconds since 1970.
    pub born_nanos: i128,
    /// Whether it is a folder, whatever it holds.
    pub is_folder: bool,
}

/// What it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeenKind {
    /// A regular file with one name.
    File,
    /// A folder of such files.
    Folder,
    /// Link, device, FIFO, socket, a file with a second name (it may be somebody else's, whom the operator may not read), a
    /// folder holding one of these, or one too deep.
    Other,
    /// A folder that cannot be listed.
    Unreadable,
}

/// A file of a claimed item, ready to be sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its path in the bundle.
    pub entry: EntryPath,
    /// Root to open beneath: the home, so that no folder on the way can be exchanged for a link.
    pub root: PathBuf,
    /// The file, below `root`.
    pub relative: PathBuf,
    /// What it was when it was listed.
    pub look: Look,
}

/// What tells a file from every other one, and from itself after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Its length.
    pub bytes: u64,
    /// Its inode, and how many names it has: a second one may be that of a file that its operator may not read.
    inode: u64,
    names: u64,
    /// Its ctime, which nobody can set: every write, rename and link changes it.
    changed_nanos: i128,
}

impl Look {
    /// Of what is open, or lies at a path.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            bytes: metadata.len(),
            inode: metadata.ino(),
            names: metadata.nlink(),
            changed_nanos: nanos(metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

fn nanos(secs: i64, nanos: i64) -> i128 {
    i128::from(secs) * 1_000_000_000 + i128::from(nanos)
}

/// Why an item cannot be sealed as it is.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A link, a device, a FIFO, or a file with a second name.
    #[error("not a regular file: {0}")]
    NotAFile(String),
    /// A name that is no entry path, or two that differ only in case.
    #[error("name not portable")]
    Name,
    /// This process may not read it.
    #[error("unreadable")]
    Unreadable,
    /// Nothing to send.
    #[error("the folder holds no file")]
    Empty,
    /// More than a bundle may hold.
    #[error("more than the allowed number of files")]
    TooMany,
    /// This machine's fault, or the item is gone (`NotFound`).
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl Spool {
    /// `outbox/PEER/FLOW`
    #[must_use]
    pub fn outbox(&self, peer: &PartyId, flow: &FlowName) -> PathBuf {
        self.home.join(home::outbox(peer, flow))
    }

    /// Everything in `outbox/*/*/`, but at most [`SCAN_ITEMS_MAX`]. Left out: ignored names (`home::is_ignored`: dotfiles, thus claims, and other programs'
    /// unfinished files) and `*.why.txt`, which are our own explanations, wherever they lie.
    ///
    /// # Errors
    /// [`SpoolError`] when the outbox itself cannot be listed; what vanishes or cannot be listed below is left to the next scan.
    pub fn scan_outbox(&self) -> Result<Vec<Seen>, SpoolError> {
        let mut seen = Vec::new();
        self.each_entry(&mut |peer, flow, entry| {
            if seen.len() < SCAN_ITEMS_MAX && !is_ignored(&entry.file_name()) {
                seen.extend(look(peer, flow, entry));
            }
        })?;
        Ok(seen)
    }

    /// Visits what lies in `outbox/`, `outbox/PEER/` and `outbox/PEER/FLOW/`, without the folders of peers and flows.
    pub(super) fn each_entry(&self, visit: &mut Visit<'_>) -> Result<(), SpoolError> {
        let outbox = self.home.join(home::OUTBOX);
        let peers =
            std::fs::read_dir(&outbox).map_err(|source| failed("listing", &outbox, source))?;
        for peer in peers.flatten() {
            if !is_folder(&peer) {
                visit(OsStr::new(""), OsStr::new(""), &peer);
                continue;
            }
            let peer_name = peer.file_name();
            for flow in entries(&peer.path()) {
                if !is_folder(&flow) {
                    visit(&peer_name, OsStr::new(""), &flow);
                    continue;
                }
                let flow_name = flow.file_name();
                for item in entries(&flow.path()) {
                    visit(&peer_name, &flow_name, &item);
                }
            }
        }
        Ok(())
    }
}

/// What is called for each entry: names of the peer's and the flow's folder, and the entry.
pub(super) type Visit<'a> = dyn FnMut(&OsStr, &OsStr, &DirEntry) + 'a;

/// Entries of a folder; none when it cannot be listed.
fn entries(folder: &Path) -> impl Iterator<Item = DirEntry> + use<> {
    std::fs::read_dir(folder).into_iter().flatten().flatten()
}

/// Whether an entry is a folder itself (a link to one is not), and not a hidden one.
fn is_folder(entry: &DirEntry) -> bool {
    entry.file_type().is_ok_and(|kind| kind.is_dir()) && !is_ignored(&entry.file_name())
}

fn is_ignored(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    home::is_ignored(bytes) || bytes.ends_with(home::WHY_SUFFIX.as_bytes())
}

/// One item; none when it vanished meanwhile.
fn look(peer: &OsStr, flow: &OsStr, entry: &DirEntry) -> Option<Seen> {
    let metadata = entry.metadata().ok()?;
    let path = entry.path();
    let mut sum = Sum::default();
    let kind = if metadata.is_dir() {
        sum.stamp(&metadata);
        match sum.walk(&path, WALK_DEPTH_MAX) {
            Ok(()) if sum.odd => SeenKind::Other,
            Ok(()) => SeenKind::Folder,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(_) => SeenKind::Unreadable,
        }
    } else {
        sum.add(&metadata);
        if sum.odd {
            SeenKind::Other
        } else {
            SeenKind::File
        }
    };
    Some(Seen {
        peer: peer.to_owned(),
        flow: flow.to_owned(),
        name: entry.file_name(),
        path,
        kind,
        inode: metadata.ino(),
        bytes: sum.bytes,
        files: sum.files,
        stamp_nanos: sum.stamp_nanos,
        born_nanos: durable::born_nanos(&metadata),
        is_folder: metadata.is_dir(),
    })
}

/// What an item holds.
#[derive(Default)]
struct Sum {
    bytes: u64,
    files: u64,
    walked: u64,
    stamp_nanos: i128,
    /// Something in it is no regular file of one name.
    odd: bool,
}

impl Sum {
    /// Adds all below a folder. A folder of too many names is left where the bound is: its count of files says enough.
    fn walk(&mut self, folder: &Path, depth_left: usize) -> io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            self.walked += 1;
            if self.walked > WALK_ENTRIES_MAX {
                return Ok(());
            }
            let entry = entry?;
            let metadata = match entry.metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                metadata => metadata?,
            };
            if !metadata.is_dir() {
                self.add(&metadata);
                continue;
            }
            self.stamp(&metadata);
            match depth_left.checked_sub(1) {
                Some(depth_left) => self.walk(&entry.path(), depth_left)?,
                None => self.odd = true,
            }
        }
        Ok(())
    }

    /// Adds one that is no folder.
    fn add(&mut self, metadata: &Metadata) {
        self.stamp(metadata);
        self.files += 1;
        self.bytes = self.bytes.saturating_add(metadata.len());
        self.odd |= !is_sendable(metadata);
    }

    fn stamp(&mut self, metadata: &Metadata) {
        let modified = nanos(metadata.mtime(), metadata.mtime_nsec());
        let changed = nanos(metadata.ctime(), metadata.ctime_nsec());
        self.stamp_nanos = self.stamp_nanos.max(modified).max(changed);
    }
}

/// A regular file of one name: a second one may have been given to somebody else's file.
pub(crate) fn is_sendable(metadata: &Metadata) -> bool {
    metadata.is_file() && metadata.nlink() == 1
}

#[cfg(test)]
mod tests;
