//! The `files` store: a folder per bundle, `inbox/PEER/FLOW/BUNDLE-ID/`. SPOOL.md.
//!
//! Order: entries into `inbox/.staging/HEX`, synced → marker `inbox/.imports/HEX` durable → one rename → folder synced.
//! Marker and staging: rename again. Marker without staging: imported (consumers may move the folder away at once).

mod destroy;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use amanah_format::digest::Digest;
use amanah_format::entry_path::EntryPath;
use amanah_format::id::{BundleId, FlowName, PartyId};
use amanah_format::open::EntrySink;
use amanah_format::receipt::StoreRef;

use super::{Import, ImportId, Store, StoreError, room_at};
use crate::durable::{self, DurableError, Piece, Uncached};
use crate::kill;
use crate::plant::{self, Bug};

/// Proves that the disk which holds the inbox is mounted.
pub const STORE_MARKER: &str = ".amanah-store";
/// Where bundles are staged; nobody but the daemon sees into it.
const STAGING: &str = ".staging";
/// One file for each bundle that was ever imported, named by its manifest digest.
const IMPORTS: &str = ".imports";
/// Consumers read; the setgid bit hands the folder's group down.
const MODE_FOLDER: u32 = 0o2750;
/// The same for the daemon's own: the group goes on to what is staged in it.
const MODE_OWN: u32 = 0o2700;
/// Consumers read.
const MODE_FILE: u32 = 0o640;
/// Up to so many files are synced one by one; more by one sync of their file system.
const SYNCED_SINGLY_MAX: usize = 8;

/// Files below `inbox/`.
pub struct FilesStore {
    inbox: PathBuf,
}

/// A marker's text: what the receipt needs, and what shows an auditor which bundle it was.
#[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Marker {
    manifest: amanah_format::digest::Digest,
    peer: PartyId,
    flow: FlowName,
    bundle: BundleId,
    entries: u64,
    bytes: u64,
}

impl FilesStore {
    /// `inbox` must exist and hold the marker file `.amanah-store` (an unmounted disk has none; `create` makes it once).
    #[must_use]
    pub fn new(inbox: PathBuf) -> Self {
        Self { inbox }
    }

    /// Makes the folders and the marker file of a new store. Only for a new one: done at each start, it would make a second
    /// store where the first is not mounted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn create(&self) -> Result<(), StoreError> {
        durable::create_folder(&self.inbox, MODE_FOLDER)?;
        durable::create_folder(&self.inbox.join(STAGING), MODE_OWN)?;
        durable::create_folder(&self.inbox.join(IMPORTS), MODE_OWN)?;
        let text = b"The files store of Amanah lies here. Without this file nothing is imported.\n";
        Ok(durable::write(&self.inbox, STORE_MARKER, text, MODE_FILE)?)
    }

    /// Removes what a death left half written: a store marker or an import's marker under its temporary name, and staging.
    pub fn sweep(&self) {
        durable::sweep(&self.inbox, 0);
        durable::sweep(&self.inbox.join(IMPORTS), 0);
        self.sweep_staging();
    }

    /// Staging without a marker is what an import, or a bundle that was opened before it was taken over, left when the process
    /// died: worth nothing, and plaintext. Best effort: an import wipes its own all the same.
    fn sweep_staging(&self) {
        if plant::has(Bug::SeenBeforeImport) {
            return;
        }
        let staged = std::fs::read_dir(self.inbox.join(STAGING));
        for staged in staged.into_iter().flatten().flatten() {
            let marker = self.inbox.join(IMPORTS).join(staged.file_name());
            let is_marked = marker.try_exists().unwrap_or(true);
            if !is_marked && let Err(error) = durable::remove_folder(&staged.path()) {
                tracing::warn!("staging could not be emptied: {error}");
            }
        }
    }

    /// Refuses a folder that is not the store.
    fn is_there(&self) -> Result<(), StoreError> {
        if self.inbox.join(STORE_MARKER).is_file() {
            Ok(())
        } else {
            Err(StoreError::not_mounted(&self.inbox))
        }
    }

    fn staging(&self, id: &ImportId) -> PathBuf {
        self.inbox.join(STAGING).join(id.manifest.to_hex())
    }

    fn flow_folder(&self, id: &ImportId) -> PathBuf {
        self.inbox.join(id.peer.as_str()).join(id.flow.as_str())
    }

    fn target(&self, id: &ImportId) -> PathBuf {
        self.flow_folder(id).join(id.bundle.to_string())
    }

    /// The marker of this bundle, if it was ever written.
    fn marker(&self, id: &ImportId) -> Result<Option<Marker>, StoreError> {
        let marker = self.marker_of(&id.manifest)?;
        if marker.as_ref().is_some_and(|one| one.bundle != id.bundle) {
            return Err(self.of_another(&id.manifest));
        }
        Ok(marker)
    }

    fn marker_of(&self, manifest: &Digest) -> Result<Option<Marker>, StoreError> {
        let path = self.marker_path(manifest);
        let text = match std::fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text.map_err(|source| failed("reading", &path, source))?,
        };
        let marker: Marker = serde_json::from_slice(&text)
            .map_err(|error| failed("reading", &path, error.into()))?;
        if marker.manifest != *manifest {
            return Err(self.of_another(manifest));
        }
        Ok(Some(marker))
    }

    fn of_another(&self, manifest: &Digest) -> StoreError {
        let source = io::Error::new(
            io::ErrorKind::InvalidData,
            "the marker is of another bundle",
        );
        failed("reading", &self.marker_path(manifest), source)
    }

    fn marker_path(&self, manifest: &Digest) -> PathBuf {
        self.inbox.join(IMPORTS).join(manifest.to_hex())
    }

    /// From the marker on only forward: the rename, unless it was done, and the syncs that make it last.
    fn complete(&self, id: &ImportId) -> Result<(), StoreError> {
        let staging = self.staging(id);
        if staging.is_dir() {
            durable::create_folder(&self.flow_folder(id), MODE_FOLDER)?;
            durable::rename(&staging, &self.target(id))?;
            return Ok(());
        }
        // Renamed by a process that may have died before its syncs.
        durable::sync_folder(&self.inbox.join(STAGING))?;
        if self.flow_folder(id).is_dir() {
            durable::sync_folder(&self.flow_folder(id))?;
        }
        Ok(())
    }
}

impl Store for FilesStore {
    fn kind(&self) -> &'static str {
        "files"
    }

    fn lookup(&self, id: &ImportId) -> Result<Option<StoreRef>, StoreError> {
        self.is_there()?;
        let Some(marker) = self.marker(id)? else {
            if plant::has(Bug::SeenBeforeImport) && self.staging(id).is_dir() {
                return Ok(Some(store_ref(1)));
            }
            return Ok(None);
        };
        // The marker was seen, not written, here: its folder may not be synced yet, and the rename must not come before it.
        durable::sync_folder(&self.inbox.join(IMPORTS))?;
        self.complete(id)?;
        Ok(Some(store_ref(marker.entries)))
    }

    fn has(&self, manifest: &Digest) -> Result<bool, StoreError> {
        self.is_there()?;
        let path = self.inbox.join(IMPORTS).join(manifest.to_hex());
        path.try_exists()
            .map_err(|source| failed("looking at", &path, source))
    }

    fn room(&self) -> Result<u64, StoreError> {
        self.is_there()?;
        room_at(&self.inbox)
    }

    fn left(&self, manifest: &Digest) -> Result<u64, StoreError> {
        self.files_left(manifest)
    }

    fn destroy(&self, manifest: &Digest) -> Result<(), StoreError> {
        self.destroy_files(manifest)
    }

    fn begin(&self, id: &ImportId) -> Result<Box<dyn Import + '_>, StoreError> {
        self.is_there()?;
        let staging = self.staging(id);
        durable::remove_folder(&staging)?;
        // Nothing in it counts before the marker, which comes after the sync of all of it.
        durable::create_folder_unsynced(&staging, MODE_FOLDER)?;
        Ok(Box::new(Staged {
            store: self,
            id: id.clone(),
            staging,
            folders: BTreeSet::new(),
            open: Vec::new(),
            entries: 0,
            bytes: 0,
            piece: None,
            marked: false,
        }))
    }
}

/// An import whose entries lie in staging.
struct Staged<'a> {
    store: &'a FilesStore,
    id: ImportId,
    staging: PathBuf,
    /// Folders in staging that hold an entry or a folder.
    folders: BTreeSet<PathBuf>,
    /// The files as long as they are few: synced one by one.
    open: Vec<(PathBuf, File)>,
    entries: u64,
    bytes: u64,
    /// Room that one file gives back and the next one takes.
    piece: Option<Piece>,
    /// From here on the marker may be on disk: staging is no longer ours to remove.
    marked: bool,
}

impl EntrySink for Staged<'_> {
    fn entry(&mut self, path: &EntryPath, bytes: u64, content: &mut dyn Read) -> io::Result<()> {
        let relative = Path::new(path.as_str());
        let file = durable::create_beneath(&self.staging, relative, MODE_FILE)?;
        let path = self.staging.join(relative);
        let mut file = Uncached::new(file, &path, bytes, self.piece.take().unwrap_or_default())?;
        let mut left = bytes;
        loop {
            let read = content.read(file.room())?;
            if read == 0 {
                break;
            }
            left = u64::try_from(read)
                .ok()
                .and_then(|read| left.checked_sub(read))
                .ok_or_else(|| {
                    io::Error::new(
                        io::ErrorKind::InvalidData,
                        "an entry is longer than declared",
                    )
                })?;
            file.filled(read)?;
        }
        if left > 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "an entry is shorter than declared",
            ));
        }
        let above = relative
            .ancestors()
            .skip(1)
            .filter(|folder| *folder != Path::new(""));
        let above = above.map(|folder| self.staging.join(folder));
        self.folders.extend(above);
        self.entries += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        let (file, piece) = file.finish()?;
        self.piece = Some(piece);
        if self.open.len() <= SYNCED_SINGLY_MAX {
            self.open.push((path, file));
        }
        Ok(())
    }
}

impl Staged<'_> {
    /// Makes durable what lies in staging.
    fn sync(&self) -> Result<(), StoreError> {
        if self.open.len() > SYNCED_SINGLY_MAX {
            return Ok(durable::sync_file_system(&self.staging)?);
        }
        for (path, file) in &self.open {
            durable::sync(file, path)?;
        }
        for folder in &self.folders {
            durable::sync_folder(folder)?;
        }
        durable::sync_folder(&self.staging)?;
        // A marker without staging says that it was renamed: the folder's own name comes before it too.
        Ok(durable::sync_folder(&self.store.inbox.join(STAGING))?)
    }

    /// Writes the marker: from then on the bundle is imported, whatever happens.
    fn mark(&mut self) -> Result<(), StoreError> {
        let marker = Marker {
            manifest: self.id.manifest,
            peer: self.id.peer.clone(),
            flow: self.id.flow.clone(),
            bundle: self.id.bundle,
            entries: self.entries,
            bytes: self.bytes,
        };
        let folder = self.store.inbox.join(IMPORTS);
        let text = serde_json::to_vec(&marker)
            .map_err(|error| failed("printing a marker in", &folder, error.into()))?;
        self.marked = true;
        Ok(durable::write(
            &folder,
            &self.id.manifest.to_hex(),
            &text,
            MODE_FILE,
        )?)
    }
}

impl Import for Staged<'_> {
    fn commit(mut self: Box<Self>) -> Result<StoreRef, StoreError> {
        kill::point("files.staged");
        self.sync()?;
        kill::point("files.synced");
        let target = self.store.target(&self.id);
        if target.symlink_metadata().is_ok() {
            // Found before the marker is written: after it there is no way back.
            return Err(DurableError::Exists(target).into());
        }
        if plant::has(Bug::RecordOutside) {
            self.store.complete(&self.id)?;
            kill::point("files.marked");
        }
        self.mark()?;
        kill::point("files.marked");
        self.store.complete(&self.id)?;
        kill::point("files.renamed");
        Ok(store_ref(self.entries))
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if !self.marked {
            // Best effort: the next attempt wipes what stays behind.
            let _ = durable::remove_folder(&self.staging);
        }
    }
}

/// What the receipt says of it.
fn store_ref(entries: u64) -> StoreRef {
    StoreRef {
        kind: "files".to_owned(),
        entries,
        records: 0,
    }
}

/// An I/O failure with its operation and path.
fn failed(operation: &'static str, path: &Path, source: io::Error) -> StoreError {
    let kind = source.kind();
    if kind == io::ErrorKind::StorageFull || kind == io::ErrorKind::QuotaExceeded {
        return StoreError::Full;
    }
    StoreError::Io {
        operation,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests;
