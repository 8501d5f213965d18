//! What a crash, or an error in the middle of a claim, left unfinished in the outbox. It must never keep the daemon from
//! starting: operators can make anything of their folders. SPOOL.md §5.

use std::ffi::{OsStr, OsString};
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
            match row.as_ref().map(|row| under_claim(&claim, row)) {
                Some(Under::Way) => continue,
                Some(Under::Sent) => {
                    row.map_or(Ok(()), |row| self.settle_late(&claim, row))?;
                    continue;
                }
                Some(Under::Stray) | None => {}
            }
            let name = row.as_ref().and_then(|row| name_of(&claim, row));
            let name = name.unwrap_or_else(|| recovered(&claim));
            let original = claim.with_file_name(name);
            if let Err(error) = self.node.spool.put_back(&claim, &original) {
                tracing::warn!("what lies under a claim's name and is none stays there: {error}");
            }
        }
        Ok(())
    }

    /// To `sent/`, where it would be if nobody had taken it away for that moment.
    fn settle_late(&self, claim: &Path, mut row: OutboundRow) -> Result<(), StageError> {
        let node = &self.node;
        for item in row.items.iter_mut().filter(|item| is_claim_of(claim, item)) {
            let one = (item.name.as_os_str(), item.inode);
            match node.spool.settle(&row.peer, &row.flow, claim, one) {
                Ok(place) => item.resting_place = place.or(item.resting_place.take()),
                Err(error) => {
                    tracing::warn!("an original that was sent stays where it is: {error}")
                }
            }
        }
        node.spool.sync_moves()?;
        Ok(node.journal.note_items(&row.bundle, &row.items)?)
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

/// What lies under a claim's name.
enum Under {
    /// An item of a bundle under way, or what nothing is left to be done with.
    Way,
    /// An original that was away when its bundle was settled: sent, and not to be sent again.
    Sent,
    /// What went back, or is no item of a bundle that has ended.
    Stray,
}

fn under_claim(claim: &Path, row: &OutboundRow) -> Under {
    let is_item = item_at(claim, row).is_some();
    match row.state {
        Outbound::PutBack | Outbound::Returned => Under::Stray,
        Outbound::Settled if is_item => Under::Sent,
        Outbound::Settled => Under::Stray,
        Outbound::Destroyed if !is_item => Under::Stray,
        Outbound::Destroyed
        | Outbound::Claiming
        | Outbound::Claimed
        | Outbound::Sealed
        | Outbound::Signed
        | Outbound::Queued
        | Outbound::HandedOver
        | Outbound::Imported
        | Outbound::Refused => Under::Way,
    }
}

/// The item that lies under its claim.
fn item_at<'r>(claim: &Path, row: &'r OutboundRow) -> Option<&'r Item> {
    let inode = claim.symlink_metadata().map(|there| there.ino()).ok();
    let mut items = row.items.iter();
    items.find(|item| is_claim_of(claim, item) && Some(item.inode) == inode)
}

/// What the record calls it.
fn name_of(claim: &Path, row: &OutboundRow) -> Option<OsString> {
    Some(item_at(claim, row)?.name.clone())
}

/// A name for what no record knows.
fn recovered(claim: &Path) -> OsString {
    let name = claim.file_name().unwrap_or_default().to_string_lossy();
    name.replace(CLAIM_PREFIX, RECOVERED_PREFIX).into()
}

fn is_claim_of(claim: &Path, item: &Item) -> bool {
    Some(OsStr::new(&item.claim_name)) == claim.file_name()
}
