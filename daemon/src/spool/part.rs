//! A bundle, receipt or slip while it arrives: `incoming/PEER/NAME.part`, written at any offset, its synced prefix remembered
//! across restarts in `NAME.prefix`. Holes at most 32 MiB in all.
//!
//! After a restart only the remembered prefix counts, for only that much is known to be on disk. Within a process a part that
//! was closed and is opened again goes on where it was.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use amanah_format::digest::Digest;
use amanah_format::id::PartyId;

use super::along::{Along, Watched, along};
use super::intervals::Intervals;
use super::{SpoolError, failed};
use crate::durable;
use meanwhile::Meanwhile;

/// Most bytes that may be missing before the end of what is there: the head comes last, requests overtake each other.
pub const HOLE_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// A growing part is synced and its prefix remembered each time so much has come, beside the writing: a break costs no more than
/// what is being synced then and as much again.
const REMEMBER_BYTES: u64 = 16 * 1024 * 1024;
/// What no part ever takes of the disk: the journal must be able to say what happened.
pub(super) const ROOM_BYTES_MIN: u64 = 64 * 1024 * 1024;
/// A shorter prefix is not remembered: to send it again is cheaper than to write it down.
const REMEMBER_BYTES_MIN: u64 = 64 * 1024;
/// Most closed parts of which more is known than is on disk; beyond, one is as after a restart.
const IDLE_MAX: usize = 4_096;
/// Behind a part's name: its remembered prefix.
pub(super) const PREFIX_SUFFIX: &str = ".prefix";

/// What is known of parts in this process.
pub(super) type Parts = HashMap<Key, State>;
/// Whose part, and its name.
pub(super) type Key = (PartyId, String);

/// A part in this process.
#[derive(Debug)]
pub(super) enum State {
    /// Somebody writes it; so much of it is synced, or was written when he left it.
    Open(u64),
    /// Nobody does.
    Idle(Known),
}

/// What is known of a part's bytes.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) there: Intervals,
    /// The prefix that was synced last.
    pub(super) synced: u64,
    /// Whether anything was written since.
    pub(super) dirty: bool,
    /// Somebody reads along.
    pub(super) watched: Option<Watched>,
}

/// An arriving file. One at a time per name; dropped, what is known of it stays.
#[derive(Debug)]
pub struct Part {
    pub(super) parts: Arc<Mutex<Parts>>,
    pub(super) key: Key,
    pub(super) file: File,
    pub(super) path: PathBuf,
    pub(super) bytes_max: u64,
    pub(super) known: Known,
    /// Syncs beside the writing, and up to where it was asked to.
    pub(super) meanwhile: Option<Meanwhile>,
    pub(super) asked_bytes: u64,
    /// Bytes written since the room on the disk was asked for, and how much of it stays free.
    pub(super) unasked_bytes: u64,
    pub(super) room_bytes_min: u64,
}

impl Part {
    /// Writes at an offset.
    ///
    /// # Errors
    /// [`PartError`].
    pub fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), PartError> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let end = offset.checked_add(length).ok_or(PartError::TooLong)?;
        if end > self.bytes_max {
            return Err(PartError::TooLong);
        }
        let there = &self.known.there;
        let gap = offset.saturating_sub(there.end());
        if gap.saturating_add(there.missing()) > HOLE_BYTES_MAX
            || !there.has_room_for(&(offset..end))
        {
            return Err(PartError::Hole { offset });
        }
        if let Some(watched) = &self.known.watched {
            watched.will_write(offset);
        }
        self.file
            .write_all_at(bytes, offset)
            .map_err(|source| failed("writing", &self.path, source))?;
        self.known.dirty = true;
        self.known.there.insert(offset..end);
        if let Some(watched) = &self.known.watched {
            watched.reaches(self.known.there.prefix());
        }
        let prefix = self.prefix();
        let last = self.asked_bytes.max(self.known.synced);
        if prefix.saturating_sub(last) >= REMEMBER_BYTES {
            self.asked_bytes = prefix;
            self.sync_meanwhile(prefix)?;
        }
        self.unasked_bytes = self.unasked_bytes.saturating_add(length);
        if self.unasked_bytes >= REMEMBER_BYTES {
            self.unasked_bytes = 0;
            self.leaves_room()?;
        }
        Ok(())
    }

    /// Lowers the bound on its length: its head says how long it is.
    pub fn shorten(&mut self, bytes_max: u64) {
        self.bytes_max = self.bytes_max.min(bytes_max);
    }

    /// Somebody reads these bytes while they come; who read along before counts no more. `is_over` ends the reading at any time.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn read_along(
        &mut self,
        span: Range<u64>,
        is_over: Box<dyn Fn() -> bool + Send>,
    ) -> Result<Along, SpoolError> {
        let (watched, along) = along(self.reopen()?, self.prefix(), span, is_over);
        self.known.watched = Some(watched);
        Ok(along)
    }

    /// Of a complete part: what somebody who read along found of its span, once he is done. None: nobody did, or a byte of it
    /// was written again.
    #[must_use]
    pub fn found_along(&self) -> Option<Digest> {
        self.known.watched.as_ref()?.found()
    }

    /// Asked each time so much was written, wherever: a part may be longer than there was room for when it was opened, and
    /// what comes without its beginning has no prefix that would grow.
    fn leaves_room(&self) -> Result<(), SpoolError> {
        let io = |source: io::Error| failed("writing", &self.path, source);
        let stat = rustix::fs::fstatvfs(&self.file).map_err(|errno| io(errno.into()))?;
        if stat.f_bavail.saturating_mul(stat.f_frsize) < self.room_bytes_min {
            return Err(io(io::ErrorKind::StorageFull.into()));
        }
        Ok(())
    }

    /// Bytes from 0 without hole, written (not yet synced).
    #[must_use]
    pub fn prefix(&self) -> u64 {
        self.known.there.prefix()
    }

    /// Syncs, remembers and returns the prefix. A prefix of less than 64 KiB is synced but not remembered across a restart.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn sync(&mut self) -> Result<u64, SpoolError> {
        self.sync_as(Durably::Yes)?;
        Ok(self.prefix())
    }

    /// The file's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A reader of its own.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn reopen(&self) -> Result<File, SpoolError> {
        File::open(&self.path).map_err(|source| failed("opening", &self.path, source))
    }

    /// Syncs and closes a complete part.
    ///
    /// # Errors
    /// [`SpoolError`]; `InvalidData` when bytes are missing in it.
    pub fn finish(mut self) -> Result<PathBuf, SpoolError> {
        self.complete()?;
        Ok(self.path.clone())
    }

    /// Syncs a complete part and keeps it: nobody else writes it as long as this value lives.
    ///
    /// # Errors
    /// As [`Part::finish`].
    pub fn complete(&mut self) -> Result<(), SpoolError> {
        self.is_whole()?;
        self.sync_as(Durably::No)
    }

    /// Whether bytes are missing in it.
    pub(super) fn is_whole(&self) -> Result<(), SpoolError> {
        let missing = self.known.there.missing();
        if missing > 0 {
            let text = format!("{missing} bytes before its end have not come");
            let source = io::Error::new(io::ErrorKind::InvalidData, text);
            return Err(failed("finishing", &self.path, source));
        }
        Ok(())
    }

    /// Has a thread sync what was written and write the prefix down.
    fn sync_meanwhile(&mut self, prefix: u64) -> Result<(), SpoolError> {
        let meanwhile = match self.meanwhile.take() {
            Some(meanwhile) => meanwhile,
            None => Meanwhile::start(self)?,
        };
        if !meanwhile.ask(prefix) {
            return meanwhile.end().map(drop);
        }
        self.meanwhile = Some(meanwhile);
        Ok(())
    }

    /// Waits for what is synced beside the writing.
    fn end_meanwhile(&mut self) -> Result<(), SpoolError> {
        if let Some(meanwhile) = self.meanwhile.take() {
            self.known.synced = self.known.synced.max(meanwhile.end()?);
        }
        Ok(())
    }

    /// Syncs what was written and writes the prefix down, unless that is done already.
    fn sync_as(&mut self, durably: Durably) -> Result<(), SpoolError> {
        self.end_meanwhile()?;
        if !self.known.dirty {
            return Ok(());
        }
        durable::sync_bytes(&self.file, &self.path)?;
        self.known.dirty = false;
        let prefix = self.prefix();
        if prefix >= REMEMBER_BYTES_MIN && prefix != self.known.synced {
            remember(&self.path, prefix, durably)?;
        }
        self.known.synced = prefix;
        tell(&self.parts, &self.key, prefix);
        Ok(())
    }

    /// Nothing is written any more. What follows may take its time, and a peer whose line was cut asks meanwhile where to go on: there,
    /// and not 16 MiB before it.
    fn leave(&self) {
        tell(&self.parts, &self.key, self.prefix());
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.leave();
        // Nothing is remembered of a part any more when it is nobody's.
        let _ = self.end_meanwhile();
        if self.prefix().saturating_sub(self.known.synced) >= REMEMBER_BYTES_MIN {
            // Best effort: without it the peer sends some of it again after a restart.
            let _ = self.sync_as(Durably::No);
        }
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        if parts.len() >= IDLE_MAX {
            let idle = parts
                .iter()
                .find(|(_, state)| matches!(state, State::Idle(_)));
            if let Some(key) = idle.map(|(key, _)| key.clone()) {
                parts.remove(&key);
            }
        }
        let known = std::mem::take(&mut self.known);
        parts.insert(self.key.clone(), State::Idle(known));
    }
}

/// Who asks how much is there of an open part is told that it is so much at least.
pub(super) fn tell(parts: &Mutex<Parts>, key: &Key, prefix: u64) {
    let mut parts = parts.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(State::Open(told)) = parts.get_mut(key) {
        *told = prefix.max(*told);
    }
}

/// Whether a prefix is written down so that it is there after a power cut for certain, or only most likely.
#[derive(Clone, Copy)]
pub(super) enum Durably {
    Yes,
    No,
}

/// Writes a prefix down, in decimal. Its bytes were synced before.
pub(super) fn remember(part: &Path, prefix: u64, durably: Durably) -> Result<(), SpoolError> {
    let path = prefix_path(part);
    let (folder, name) = (
        part.parent().unwrap_or(part),
        path.file_name().unwrap_or_default(),
    );
    let (name, text) = (name.to_string_lossy(), prefix.to_string());
    match durably {
        Durably::Yes => durable::write(folder, &name, text.as_bytes(), 0o600)?,
        Durably::No => durable::publish(folder, &name, text.as_bytes(), 0o600)?,
    }
    Ok(())
}

/// The prefix that was written down; what a power cut garbled counts for nothing.
pub(super) fn remembered(part: &Path) -> Option<u64> {
    std::fs::read_to_string(prefix_path(part))
        .ok()?
        .parse()
        .ok()
}

/// `NAME.prefix` of `NAME.part`.
pub(super) fn prefix_path(part: &Path) -> PathBuf {
    part.with_extension(PREFIX_SUFFIX.trim_start_matches('.'))
}

/// Removes a part: the remembered prefix first, and durably: it must never speak of other bytes than those that were synced.
/// Whether the part was there.
pub(super) fn remove_part(path: &Path) -> Result<bool, SpoolError> {
    if prefix_path(path).exists() {
        durable::remove(&prefix_path(path))?;
    }
    remove_unsynced(path)
}

/// Removes a file without a sync: it may come back after a power cut and then counts for nothing. Whether it was there.
pub(super) fn remove_unsynced(path: &Path) -> Result<bool, SpoolError> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(failed("removing", path, source)),
    }
}

/// Why a write was not taken.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    /// It would leave too much before it missing.
    #[error("write at {offset}: more than {HOLE_BYTES_MAX} bytes before it are missing")]
    Hole {
        /// Where.
        offset: u64,
    },
    /// It would make the part too long.
    #[error("longer than its head or the limit allows")]
    TooLong,
    /// This machine's fault.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

mod meanwhile;
#[cfg(test)]
mod tests;
