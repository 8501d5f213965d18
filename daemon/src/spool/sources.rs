//! The files of a claimed item, in the order in which they are sealed. Only lists: whoever reads opens beneath the home.
//! The order is by the bytes of the entry paths, whatever the disk's. Links, devices, unsafe names and two names that
//! differ only in case make the whole item unfit, with the reason: no file is skipped in silence.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use amanah_format::entry_path::EntryPath;
use amanah_format::limits::ENTRIES_MAX;
use rustix::fs::{Access, AtFlags, CWD};

use super::outbox::{Look, Source, SourceError, WALK_DEPTH_MAX, is_sendable};
use super::{Spool, failed};
use crate::durable;

impl Spool {
    /// Whether this process may read a file: asked before it is batched with others.
    #[must_use]
    pub fn may_read(&self, path: &Path) -> bool {
        let flags = AtFlags::EACCESS | AtFlags::SYMLINK_NOFOLLOW;
        rustix::fs::accessat(CWD, path, Access::READ_OK, flags).is_ok()
    }

    /// Files of a claimed item in byte order of their entry paths: NAME for a file, NAME/… for a folder.
    ///
    /// # Errors
    /// [`SourceError`]; `Spool` with `NotFound` when the claim, or something in it, is no longer there.
    pub fn sources(
        &self,
        folder: &Path,
        claim_name: &str,
        name: &OsStr,
        is_folder: bool,
    ) -> Result<Vec<Source>, SourceError> {
        let mut found = Found {
            home: &self.home,
            sources: BTreeMap::new(),
            case_keys: HashSet::new(),
        };
        let relative = self.relative(folder)?.join(claim_name);
        let name = name.as_encoded_bytes();
        if is_folder {
            found.walk(&relative, name, WALK_DEPTH_MAX)?;
        } else {
            let metadata = found.metadata(&relative)?;
            found.add(relative, name, &metadata)?;
        }
        if found.sources.is_empty() {
            return Err(SourceError::Empty);
        }
        Ok(found.sources.into_values().collect())
    }
}

/// What was found so far, by entry path.
struct Found<'a> {
    home: &'a Path,
    sources: BTreeMap<Vec<u8>, Source>,
    case_keys: HashSet<String>,
}

impl Found<'_> {
    /// Adds all files below a folder.
    fn walk(
        &mut self,
        relative: &Path,
        entry: &[u8],
        depth_left: usize,
    ) -> Result<(), SourceError> {
        let depth_left = depth_left.checked_sub(1).ok_or(SourceError::Name)?;
        // Beneath the home: a folder exchanged for a link meanwhile is not followed.
        let children = durable::list_beneath(self.home, relative)
            .map_err(|error| source_error(&self.home.join(relative), error))?;
        for child in children {
            let relative = relative.join(&child);
            let entry = [entry, b"/", child.as_encoded_bytes()].concat();
            let metadata = self.metadata(&relative)?;
            if metadata.is_dir() {
                self.walk(&relative, &entry, depth_left)?;
            } else {
                self.add(relative, &entry, &metadata)?;
            }
        }
        Ok(())
    }

    /// Adds one file, if it may be sent.
    fn add(
        &mut self,
        relative: PathBuf,
        entry: &[u8],
        metadata: &Metadata,
    ) -> Result<(), SourceError> {
        if !is_sendable(metadata) {
            return Err(SourceError::NotAFile(
                String::from_utf8_lossy(entry).into_owned(),
            ));
        }
        let path = self.home.join(&relative);
        let flags = AtFlags::EACCESS | AtFlags::SYMLINK_NOFOLLOW;
        rustix::fs::accessat(CWD, &path, Access::READ_OK, flags)
            .map_err(|errno| source_error(&path, errno.into()))?;
        if u64::try_from(self.sources.len()).is_ok_and(|count| count >= ENTRIES_MAX) {
            return Err(SourceError::TooMany);
        }
        let parsed = EntryPath::parse(entry).map_err(|_| SourceError::Name)?;
        if !self.case_keys.insert(parsed.case_key()) {
            return Err(SourceError::Name);
        }
        let source = Source {
            entry: parsed,
            root: self.home.to_owned(),
            relative,
            look: Look::of(metadata),
        };
        self.sources.insert(entry.to_owned(), source);
        Ok(())
    }

    fn metadata(&self, relative: &Path) -> Result<Metadata, SourceError> {
        let path = self.home.join(relative);
        path.symlink_metadata()
            .map_err(|error| source_error(&path, error))
    }
}

/// A right that is missing is the operator's to give; anything else is the machine's.
fn source_error(path: &Path, error: io::Error) -> SourceError {
    if error.kind() == io::ErrorKind::PermissionDenied {
        SourceError::Unreadable
    } else if rustix::io::Errno::from_io_error(&error) == Some(rustix::io::Errno::LOOP) {
        // A link where a folder was.
        failed("listing", path, io::ErrorKind::NotADirectory).into()
    } else {
        failed("listing", path, error).into()
    }
}
