//! A bundle's folder in the inbox whose days are over: put aside by one rename, so that no reader sees a part of it, then removed,
//! durably. The marker stays: that it was imported is known for ever. SPOOL.md §4.

use std::path::PathBuf;

use amanah_format::digest::Digest;

use super::{FilesStore, Marker, STAGING, StoreError, failed};
use crate::durable;
use crate::kill;

/// Behind a bundle's name in staging: it is being destroyed. A start sweeps it, as all that has no marker under its name.
const ASIDE: &str = ".aside";

impl FilesStore {
    /// Files that are still there.
    pub(super) fn files_left(&self, manifest: &Digest) -> Result<u64, StoreError> {
        self.is_there()?;
        let Some(marker) = self.marker_of(manifest)? else {
            return Ok(0);
        };
        let folder = self.folder_of(&marker);
        durable::files_in(&folder).map_err(|source| failed("counting files in", &folder, source))
    }

    /// Removes them, and what an earlier attempt left.
    pub(super) fn destroy_files(&self, manifest: &Digest) -> Result<(), StoreError> {
        self.is_there()?;
        let aside = format!("{}{ASIDE}", manifest.to_hex());
        let aside = self.inbox.join(STAGING).join(aside);
        durable::remove_folder(&aside)?;
        if let Some(marker) = self.marker_of(manifest)? {
            let folder = self.folder_of(&marker);
            if folder.symlink_metadata().is_ok() {
                durable::rename(&folder, &aside)?;
                kill::point("files.put-aside");
            }
        }
        // Nothing was there to be put aside, or what was there is removed; but of an inbox that went away meanwhile nothing is.
        if !durable::remove_folder(&aside)? {
            self.is_there()?;
        }
        Ok(())
    }

    /// Where an imported bundle lies, as long as nobody takes it away.
    fn folder_of(&self, marker: &Marker) -> PathBuf {
        let (peer, flow) = (marker.peer.as_str(), marker.flow.as_str());
        let flow = self.inbox.join(peer).join(flow);
        flow.join(marker.bundle.to_string())
    }
}
