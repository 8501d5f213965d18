//! What a crash, or an error in the middle of a claim, left unfinished in the outbox. It must never keep the daemon from
//! starting: operators can make anything of their folders. SPOOL.md §5.

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::PoisonError;
use std::time::Instant;

use amanah_format::home::CLAIM_PREFIX;
use amanah_format::id::BundleId;

use crate::engine::outbound::Outbound;
use crate::journal::{Item, OutboundRow, Page};

use super::{Collect, StageError};

/// How a claim that no record knows is named when it goes back.
const RECOVERED_PREFIX: &str = "recovered-";

impl Collect {
    /// After a restart: finishes the renames of what is recorded, and puts back claims that no record knows, or
    /// that went back as far as it knows (an outbox that was not mounted at that moment hid them). What operators
    /// make impossible (a folder of theirs that the daemon may not write) does not keep the daemon from starting.
    ///
    /// # Errors
    /// The journal's or the file system's.
    pub fn recover(&self) -> Result<(), StageError> {
        self.finish_claims()?;
        self.put_back_strays()
    }

    /// The same while the daemon runs, now and then: who may write to the outbox may put anything under a claim's name.
    pub(super) fn look_for_strays(&self) -> Result<(), StageError> {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.is_some_and(|at| at.elapsed() < self.scan_every) {
            return Ok(());
        }
        *looked = Some(Instant::now());
        self.put_back_strays()
    }

    fn put_back_strays(&self) -> Result<(), StageError> {
        for (claim, bundle) in self.node.spool.claims_on_disk()? {
            let row = match bundle.parse::<BundleId>() {
                Ok(id) => self.node.journal.outbound(&id)?,
                Err(_) => None,
            };
            if row.is_some_and(|row| !is_stray(&claim, &row)) {
                continue;
            }
            let name = claim.file_name().map(|name| {
                name.to_string_lossy()
                    .replace(CLAIM_PREFIX, RECOVERED_PREFIX)
            });
            let original = claim.with_file_name(name.unwrap_or_default());
            if let Err(error) = self.node.spool.put_back(&claim, &original) {
                tracing::warn!("a claim that no record knows stays where it is: {error}");
            }
        }
        Ok(())
    }

    /// Bundles recorded as `Claiming`: nobody works on them when a pass begins, so they were left by a crash or an error.
    pub(super) fn finish_claims(&self) -> Result<(), StageError> {
        let states = [Outbound::Claiming];
        for row in self
            .node
            .journal
            .outbound_in(&states, Page::first(u32::MAX))?
        {
            let folder = self.node.spool.outbox(&row.peer, &row.flow);
            if self.stand_aside(&row.bundle, &folder, row.items)? {
                self.node.bells.seal.ring();
            }
        }
        Ok(())
    }
}

/// Whether what lies under this name went back, or is another thing than the item of a bundle that has ended. The item itself, of a
/// bundle that was settled without it (an outbox that was not mounted), is not: it would be sent again.
fn is_stray(claim: &Path, row: &OutboundRow) -> bool {
    let inode = claim.symlink_metadata().map(|there| there.ino()).ok();
    let is_item = |item: &Item| {
        Some(OsStr::new(&item.claim_name)) == claim.file_name() && Some(item.inode) == inode
    };
    row.state == Outbound::PutBack || (row.state.is_final() && !row.items.iter().any(is_item))
}
