//! How items of the outbox move: aside, back, to `sent/`, to `returned/`. Never over an existing name: NAME, NAME.2, NAME.3 …
//!
//! Renames are not synced one by one: [`Spool::sync_moves`] syncs each folder once, before the journal records them.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use amanah_format::home;
use amanah_format::id::{FlowName, PartyId};

use super::{MODE_SHOWN, MODE_TEXT, Spool, SpoolError, failed, with_suffix};
use crate::durable::{self, DurableError};

/// Most names that are tried for one item: an item of one name each day for 27 years.
const NAMES_MAX: u32 = 10_000;

impl Spool {
    /// Renames an item aside within its folder, only when it still has this inode. Done already (by a process that died
    /// before it recorded it) is fine. `Ok(false)`: it is no longer there, or another one is.
    ///
    /// # Errors
    /// [`SpoolError`]: it cannot be moved; then [`Spool::explain_in_place`].
    pub fn stand_aside(&self, seen: &Path, claim: &Path, inode: u64) -> Result<bool, SpoolError> {
        let (from, to) = (self.relative(seen)?, self.relative(claim)?);
        match durable::rename_beneath(&self.home, from, to) {
            Ok(()) => self.note_moved(to),
            Err(DurableError::Exists(_)) => return Ok(has_inode(claim, inode)),
            Err(error) if error.io_kind() == Some(io::ErrorKind::NotFound) => {
                self.is_there()?;
                return Ok(has_inode(claim, inode));
            }
            Err(error) => return Err(error.into()),
        }
        if has_inode(claim, inode) {
            return Ok(true);
        }
        // Exchanged between the scan and the rename: what came instead settles anew.
        self.put_back(claim, seen)?;
        Ok(false)
    }

    /// Renames it back, never over a newer file of that name (then `NAME.2`, …). Missing claim is fine.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn put_back(&self, claim: &Path, original: &Path) -> Result<(), SpoolError> {
        let folder = self.relative(original)?.parent().unwrap_or(Path::new(""));
        let name = original.file_name().unwrap_or_default();
        match self.move_to_free_name(claim, folder, name) {
            Err(error) if error.io_kind() == Some(io::ErrorKind::NotFound) => self.is_there(),
            done => done.map(|_| ()),
        }
    }

    /// Moves a claimed original, of this name and inode, to `sent/PEER/FLOW/NAME` (or NAME.2 …); returns the place relative to
    /// the home. None: somebody took it away from under its claim.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn settle(
        &self,
        peer: &PartyId,
        flow: &FlowName,
        claim: &Path,
        item: (&OsStr, u64),
    ) -> Result<Option<String>, SpoolError> {
        let folder = home::sent(peer, flow);
        self.ensure(&folder, MODE_SHOWN)?;
        let name = self.move_or_find(claim, Path::new(&folder), item)?;
        Ok(name.map(|name| place(&folder, &name)))
    }

    /// Moves a claimed original to `returned/PEER/FLOW/NAME` and writes NAME.why.txt beside it; returns the place, as
    /// [`Spool::settle`]. Peer and flow are names of folders, perhaps of no peer and flow that are known.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn hand_back(
        &self,
        (peer, flow): (&str, &str),
        claim: &Path,
        item: (&OsStr, u64),
        why: &str,
    ) -> Result<Option<String>, SpoolError> {
        let folder = [home::RETURNED, peer, flow].join("/");
        self.ensure(&folder, MODE_SHOWN)?;
        let Some(name) = self.move_or_find(claim, Path::new(&folder), item)? else {
            return Ok(None);
        };
        let text = Path::new(&folder).join(with_suffix(&name, home::WHY_SUFFIX));
        durable::write_beneath(&self.home, &text, why.as_bytes(), MODE_TEXT)?;
        Ok(Some(place(&folder, &name)))
    }

    /// Writes NAME.why.txt beside an item that cannot be moved out of its outbox folder, unless one is there already. Scans
    /// leave such names out.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn explain_in_place(
        &self,
        folder: &Path,
        name: &OsStr,
        why: &str,
    ) -> Result<(), SpoolError> {
        let text = folder.join(with_suffix(name, home::WHY_SUFFIX));
        if text.symlink_metadata().is_ok() {
            return Ok(());
        }
        let relative = self.relative(&text)?;
        Ok(durable::write_beneath(
            &self.home,
            relative,
            why.as_bytes(),
            MODE_TEXT,
        )?)
    }

    /// Removes NAME.why.txt beside an item that can be moved now; missing is fine.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn withdraw_explanation(&self, item: &Path) -> Result<(), SpoolError> {
        let name = item.file_name().unwrap_or_default();
        let text = item.with_file_name(with_suffix(name, home::WHY_SUFFIX));
        if text.symlink_metadata().is_err() {
            return Ok(());
        }
        durable::remove_beneath(&self.home, self.relative(&text)?)?;
        Ok(())
    }

    /// Claims found on disk: (path, bundle id). Recovery compares them with the journal.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn claims_on_disk(&self) -> Result<Vec<(PathBuf, String)>, SpoolError> {
        let mut claims = Vec::new();
        self.each_entry(&mut |_, _, entry| {
            let id = entry
                .file_name()
                .to_str()
                .and_then(claimed_by)
                .map(str::to_owned);
            claims.extend(id.map(|id| (entry.path(), id)));
        })?;
        Ok(claims)
    }

    /// Files that are still at an original's place, by that place relative to the home; 0 where it is gone.
    ///
    /// # Errors
    /// [`SpoolError`], [`SpoolError::Away`] among them.
    pub fn files_at(&self, resting_place: &str) -> Result<u64, SpoolError> {
        let path = self.home.join(resting_place);
        let files = durable::files_in(&path)
            .map_err(|source| failed("counting files in", &path, source))?;
        self.is_sure(files > 0)?;
        Ok(files)
    }

    /// Removes an original whose retention has ended, by its place relative to the home; missing is fine.
    ///
    /// # Errors
    /// [`SpoolError`], [`SpoolError::Away`] among them; a place outside `sent/` and `returned/`.
    pub fn destroy(&self, resting_place: &str) -> Result<(), SpoolError> {
        let relative = Path::new(resting_place);
        if !relative.starts_with(home::SENT) && !relative.starts_with(home::RETURNED) {
            let source = io::Error::new(
                io::ErrorKind::InvalidInput,
                "expected a place in sent/ or returned/",
            );
            return Err(failed("destroying", relative, source));
        }
        self.is_sure(durable::remove_beneath(&self.home, relative)?)
    }

    /// Moves a claim to the first free name; returns it.
    fn move_to_free_name(
        &self,
        claim: &Path,
        folder: &Path,
        name: &OsStr,
    ) -> Result<OsString, SpoolError> {
        let from = self.relative(claim)?;
        for candidate in candidates(name) {
            let to = folder.join(&candidate);
            if self.home.join(&to).symlink_metadata().is_ok() {
                continue;
            }
            match durable::move_beneath(&self.home, from, &to) {
                Ok(()) => {
                    self.note_moved(&to);
                    self.note_moved(from);
                    return Ok(candidate);
                }
                Err(DurableError::Exists(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let source = io::Error::new(
            io::ErrorKind::AlreadyExists,
            "no name is free; clear the folder",
        );
        Err(failed("moving an item to", &self.home.join(folder), source))
    }

    /// The same. A claim that is gone was either moved by a process that died before it recorded it: then one of the names
    /// taken is this very item; or taken away by somebody: then none is.
    fn move_or_find(
        &self,
        claim: &Path,
        folder: &Path,
        (name, inode): (&OsStr, u64),
    ) -> Result<Option<OsString>, SpoolError> {
        match self.move_to_free_name(claim, folder, name) {
            Err(error) if error.io_kind() == Some(io::ErrorKind::NotFound) => {
                self.is_there()?;
                let folder = self.home.join(folder);
                let taken = |name: &OsString| folder.join(name).symlink_metadata().is_ok();
                let mut found: Vec<_> = candidates(name).take_while(taken).collect();
                if same_file_system(claim, &folder) {
                    found.retain(|name| has_inode(&folder.join(name), inode));
                }
                // A copy on another file system has another inode: it bears the last name taken.
                let found = found.pop();
                if let Some(found) = &found {
                    self.note_moved(self.relative(&folder.join(found))?);
                    self.note_moved(self.relative(claim)?);
                }
                Ok(found)
            }
            done => done.map(Some),
        }
    }
}

/// Whether a claim's folder, or the outbox above it, is on the file system of `folder`.
fn same_file_system(claim: &Path, folder: &Path) -> bool {
    let device = |path: &Path| path.metadata().ok().map(|metadata| metadata.dev());
    let claimed = claim.ancestors().skip(1).find_map(device);
    claimed == device(folder)
}

/// NAME, NAME.2, NAME.3 …
fn candidates(name: &OsStr) -> impl Iterator<Item = OsString> {
    let numbered = (2..=NAMES_MAX).map(|number| with_suffix(name, &format!(".{number}")));
    std::iter::once(name.to_owned()).chain(numbered)
}

/// A place for the status and the journal.
fn place(folder: &str, name: &OsStr) -> String {
    format!("{folder}/{}", name.to_string_lossy())
}

/// The bundle id in `.claimed-ID-N`.
fn claimed_by(name: &str) -> Option<&str> {
    let (id, number) = name.strip_prefix(home::CLAIM_PREFIX)?.rsplit_once('-')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(id)
}

fn has_inode(path: &Path, inode: u64) -> bool {
    path.symlink_metadata()
        .is_ok_and(|metadata| metadata.ino() == inode)
}

#[cfg(test)]
mod tests;
