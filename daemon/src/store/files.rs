//! The `files` store: a folder per bundle, `inbox/PEER/FLOW/BUNDLE-ID/`. DESIGN §8, §10; SPOOL.md §4.
//!
//! Order: entries into `inbox/.staging/HEX`, synced → marker `inbox/.imports/HEX` durable → one rename → folder synced.
//! Marker and staging: rename again. Marker without staging: imported (consumers may move the folder away at once).

use std::path::PathBuf;
/// Files below `inbox/`.
pub struct FilesStore { inbox: PathBuf }
impl FilesStore {
    /// `inbox` must exist and hold the marker file `.amanah-store` (an unmounted disk has none; `create` makes it once).
    #[must_use] pub fn new(inbox: PathBuf) -> Self { Self { inbox } }
    /// Makes the folders and the marker file of a new store.
    pub fn create(&self) -> Result<(), super::StoreError> { todo!() }
}
