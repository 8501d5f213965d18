//! The folder `incoming/PEER`: parts are opened, listed, dropped and taken over here. What a part is: `part`.
//! One writer per part. What a part holds counts only as far as it was synced, and the remembered prefix is removed
//! before the bytes that it speaks of. Whether a whole part is what it should be is not asked here, but in `admit`.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, MutexGuard, PoisonError};

use amanah_format::container;
use amanah_format::digest::Digest;
use amanah_format::home;
use amanah_format::id::PartyId;

use super::intervals::Intervals;
use super::part::{Durably, Key, Known, Part, Parts, ROOM_BYTES_MIN, State};
use super::part::{PREFIX_SUFFIX, prefix_path, remember, remembered};
use super::part::{remove_part, remove_unsynced};
use super::{MODE_OWN, Spool, SpoolError, failed, list, plain};
use crate::durable;

impl Spool {
    /// Opens or creates the part `name` (already checked to be a wire name), at most `bytes_max` long; what lies beyond the
    /// synced prefix after a restart is cut off.
    ///
    /// # Errors
    /// [`SpoolError`]; `Busy` while another [`Part`] of this name lives.
    pub fn part(&self, peer: &PartyId, name: &str, bytes_max: u64) -> Result<Part, SpoolError> {
        let key = (peer.clone(), plain(name)?.to_owned());
        let idle = self.reserve(&key)?;
        let path = self.part_path(peer, name);
        match self.open_part(&path, idle) {
            Ok((file, known)) => {
                let state = State::Open(known.synced);
                self.lock_parts().insert(key.clone(), state);
                let parts = Arc::clone(&self.parts);
                Ok(Part {
                    parts,
                    key,
                    file,
                    path,
                    bytes_max,
                    known,
                    meanwhile: None,
                    asked_bytes: 0,
                    unasked_bytes: 0,
                    room_bytes_min: ROOM_BYTES_MIN,
                })
            }
            Err(error) => {
                self.lock_parts().remove(&key);
                Err(error)
            }
        }
    }

    /// Marks a part as open, and tells what is known of it.
    fn reserve(&self, key: &Key) -> Result<Option<Known>, SpoolError> {
        let mut parts = self.lock_parts();
        if matches!(parts.get(key), Some(State::Open(_))) {
            return Err(SpoolError::Busy(key.1.clone()));
        }
        match parts.insert(key.clone(), State::Open(0)) {
            Some(State::Idle(known)) => Ok(Some(known)),
            Some(State::Open(_)) | None => Ok(None),
        }
    }

    /// Opens the file and cuts off what is not known to be on disk.
    fn open_part(&self, path: &Path, idle: Option<Known>) -> Result<(File, Known), SpoolError> {
        let io = |source| failed("opening", path, source);
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600);
        let file = match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let folder = self.relative(path.parent().unwrap_or(path))?;
                durable::ensure_folder_beneath(&self.home, folder, MODE_OWN)?;
                options.open(path).map_err(io)?
            }
            file => file.map_err(io)?,
        };
        let length = file.metadata().map_err(io)?.len();
        if let Some(known) = idle.filter(|known| known.there.end() == length) {
            return Ok((file, known));
        }
        let remembered = remembered(path);
        let synced = remembered.filter(|prefix| *prefix <= length).unwrap_or(0);
        if remembered.is_some_and(|prefix| prefix != synced) {
            // It speaks of an earlier part of this name.
            durable::remove(&prefix_path(path))?;
        }
        file.set_len(synced).map_err(io)?;
        let there = Intervals::up_to(synced);
        Ok((
            file,
            Known {
                there,
                synced,
                dirty: false,
                watched: None,
            },
        ))
    }

    /// The synced prefix of `name`, none when there is no part. Of a short part that this process wrote and closed: what was
    /// written.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn part_prefix(&self, peer: &PartyId, name: &str) -> Result<Option<u64>, SpoolError> {
        let path = self.part_path(peer, plain(name)?);
        match path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(failed("looking at", &path, source)),
            Ok(_) => {}
        }
        let known = match self.lock_parts().get(&(peer.clone(), name.to_owned())) {
            Some(State::Open(synced)) => Some(*synced),
            Some(State::Idle(known)) => Some(known.there.prefix()),
            None => None,
        };
        Ok(Some(
            known.unwrap_or_else(|| remembered(&path).unwrap_or(0)),
        ))
    }

    /// Bytes of all that lies in the folder of a peer: unfinished parts, and bundles taken over that are not answered yet.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn incoming_bytes(&self, peer: &PartyId) -> Result<u64, SpoolError> {
        let folder = self.home.join(home::incoming(peer));
        let mut bytes = 0_u64;
        for name in list(&folder)? {
            // What is gone meanwhile takes nothing.
            if let Ok(metadata) = folder.join(name).symlink_metadata() {
                bytes = bytes.saturating_add(metadata.len());
            }
        }
        Ok(bytes)
    }

    /// Names and synced prefixes of all parts of `peer`, in byte order.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn parts(&self, peer: &PartyId) -> Result<Vec<(String, u64)>, SpoolError> {
        let mut parts = Vec::new();
        for name in list(&self.home.join(home::incoming(peer)))? {
            let name = name
                .to_str()
                .and_then(|name| name.strip_suffix(home::PART_SUFFIX));
            if let Some(name) = name
                && let Some(prefix) = self.part_prefix(peer, name)?
            {
                parts.push((name.to_owned(), prefix));
            }
        }
        Ok(parts)
    }

    /// Drops a part; missing is fine. Whether it was there.
    ///
    /// # Errors
    /// [`SpoolError`]; `Busy` while a [`Part`] of this name lives.
    pub fn drop_part(&self, peer: &PartyId, name: &str) -> Result<bool, SpoolError> {
        let path = self.part_path(peer, plain(name)?);
        self.forget_part(peer, name)?;
        remove_part(&path)
    }

    /// At start: drops the parts that nobody will finish, and what is remembered of parts that are gone. Their removal was not
    /// synced when they were done with, so a power cut may have brought them back.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn sweep_parts(
        &self,
        peer: &PartyId,
        is_done_with: &mut dyn FnMut(&str) -> bool,
    ) -> Result<(), SpoolError> {
        let folder = self.home.join(home::incoming(peer));
        for file in list(&folder)? {
            let Some(file) = file.to_str() else {
                continue;
            };
            if let Some(name) = file.strip_suffix(home::PART_SUFFIX) {
                if is_done_with(name) {
                    self.drop_part(peer, name)?;
                }
            } else if let Some(name) = file.strip_suffix(PREFIX_SUFFIX)
                && !self.part_path(peer, name).exists()
            {
                remove_unsynced(&folder.join(file))?;
            }
        }
        Ok(())
    }

    /// The complete part `name`, synced. As long as the value lives nobody else writes it: what is verified is what is taken over.
    ///
    /// # Errors
    /// [`SpoolError`]; there is no such part, it has holes, or it is still being written (`Busy`).
    pub fn finished_part(&self, peer: &PartyId, name: &str) -> Result<Part, SpoolError> {
        let mut part = self.whole_part(peer, name)?;
        part.complete()?;
        Ok(part)
    }

    /// The same, not synced: for what is read whole at once and kept elsewhere, durably.
    ///
    /// # Errors
    /// As [`Spool::finished_part`].
    pub fn whole_part(&self, peer: &PartyId, name: &str) -> Result<Part, SpoolError> {
        let path = self.part_path(peer, plain(name)?);
        if let Err(source) = path.symlink_metadata() {
            return Err(failed("finishing", &path, source));
        }
        let part = self.part(peer, name, u64::MAX)?;
        part.is_whole()?;
        Ok(part)
    }

    /// Removes a part that is not needed any more, kept from every other writer until it is gone. Whether it was there still.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn done_with(&self, mut part: Part) -> Result<bool, SpoolError> {
        let ((peer, name), path) = (part.key.clone(), part.path().to_owned());
        let was_there = remove_part(&path)?;
        part.known = Known::default();
        drop(part);
        self.forget_unless_begun_anew(&peer, &name)?;
        Ok(was_there)
    }

    /// Renames a finished part, whose bytes were verified, to `incoming/PEER/HEX.amanah`, durably. What is there by this name
    /// already was verified to be the same bytes.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn take_over(&self, part: Part, manifest: &Digest) -> Result<(), SpoolError> {
        let ((peer, name), path) = (part.key.clone(), part.path().to_owned());
        durable::replace(&path, &self.incoming(&peer, manifest))?;
        // Without its part a remembered prefix says nothing.
        remove_unsynced(&prefix_path(&path))?;
        drop(part);
        self.forget_unless_begun_anew(&peer, &name)
    }

    /// Bundles that were taken over and lie in `incoming/`: recovery compares them with the journal.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn incoming_bundles(&self, peer: &PartyId) -> Result<Vec<Digest>, SpoolError> {
        let names = list(&self.home.join(home::incoming(peer)))?;
        let bundles = names.into_iter().filter_map(|name| {
            let hex = name.to_str()?.strip_suffix(".amanah")?.to_owned();
            Digest::from_hex(&hex).ok()
        });
        Ok(bundles.collect())
    }

    /// Makes a bundle of `incoming/` a whole part again: it was moved, but a crash kept the journal from recording it.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn back_to_part(&self, peer: &PartyId, manifest: &Digest) -> Result<(), SpoolError> {
        let name = container::bundle_name(manifest);
        self.forget_part(peer, &name)?;
        let (bundle, part) = (self.incoming(peer, manifest), self.part_path(peer, &name));
        let length = bundle
            .metadata()
            .map_err(|source| failed("looking at", &bundle, source))?
            .len();
        // Whatever part of this name is there is shorter: without its prefix it counts for nothing.
        durable::remove(&prefix_path(&part))?;
        durable::replace(&bundle, &part)?;
        remember(&part, length, Durably::Yes)
    }

    /// Forgets what is known of a part that nobody writes.
    fn forget_part(&self, peer: &PartyId, name: &str) -> Result<(), SpoolError> {
        let key = (peer.clone(), name.to_owned());
        let mut parts = self.lock_parts();
        if matches!(parts.get(&key), Some(State::Open(_))) {
            return Err(SpoolError::Busy(key.1));
        }
        parts.remove(&key);
        Ok(())
    }

    /// The same for a part that was given back in this instant: begun anew by another connection, it is that one's.
    fn forget_unless_begun_anew(&self, peer: &PartyId, name: &str) -> Result<(), SpoolError> {
        match self.forget_part(peer, name) {
            Err(SpoolError::Busy(_)) => Ok(()),
            done => done,
        }
    }

    fn part_path(&self, peer: &PartyId, name: &str) -> PathBuf {
        let folder = self.home.join(home::incoming(peer));
        folder.join(format!("{name}{}", home::PART_SUFFIX))
    }

    fn lock_parts(&self) -> MutexGuard<'_, Parts> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
