//! Collect: takes what is settled in the outbox by renaming it aside, and gives back what may not be sent. SPOOL.md §2.
//!
//! Recorded first (`Claiming`, with each item's name and inode), renamed then: after a crash the record finishes the renames.
//! A scan decides what exists; the watch's events only shorten the wait.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use amanah_format::agreement::Lane;
use amanah_format::home::CLAIM_PREFIX;
use amanah_format::id::{BundleId, FlowName, PartyId};

use crate::catalogue::note::why;
use crate::engine::outbound::OutboundEvent;
use crate::engine::policy::{Policy, ReturnReason, Size};

use crate::journal::{Item, NewClaim};
use crate::kill;
use crate::spool::SpoolError;
use crate::spool::outbox::{SCAN_ITEMS_MAX, Seen, SeenKind};
use crate::watch::{Heard, Watch};

use super::hand_back::give_back;
use super::settled::{Quiet, Still, Wait, settled};
use super::{Node, Pass, ROWS_PER_PASS, StageError};

mod batch;
mod recover;
mod unmoved;

use self::unmoved::Unmoved;

/// How soon a scan follows one that could not tell of everything.
const SCAN_ON_AFTER: Duration = Duration::from_secs(1);

/// Stands for the folder of a peer or flow in `returned/` where an item lay beside all of them: no peer or flow has this name.
const NO_FOLDER: &str = "_";

/// The collecting stage.
pub struct Collect {
    /// What all stages share.
    pub node: Arc<Node>,
    /// The watch; without one only scans see new items.
    pub watch: Option<Watch>,
    /// How long is quiet.
    pub quiet: Quiet,
    /// Most items of one bundle.
    pub batch_items_max: usize,
    /// How often a scan comes without a bell.
    pub scan_every: Duration,
    /// What the last scans saw: since when an item is unchanged.
    memory: Mutex<HashMap<PathBuf, Unchanged>>,
    /// Items that cannot be moved: explained in place, and left alone for a while.
    unmoved: Unmoved,
    /// When it was looked last whether something strange lies under a claim's name.
    looked: Mutex<Option<Instant>>,
}

/// An item's look and since when it has it.
#[derive(Clone, Copy)]
struct Unchanged {
    inode: u64,
    bytes: u64,
    stamp_nanos: i128,
    since: Instant,
}

/// A settled item, and why it may not be sent when it may not.
struct Settled {
    peer: PartyId,
    flow: FlowName,
    seen: Seen,
    lane: Lane,
    problem: Option<ReturnReason>,
}

impl Collect {
    /// A stage that has seen nothing yet.
    #[must_use]
    pub fn new(
        node: Arc<Node>,
        watch: Option<Watch>,
        quiet: Quiet,
        batch_items_max: usize,
        scan_every: Duration,
    ) -> Self {
        Self {
            node,
            watch,
            quiet,
            batch_items_max,
            scan_every,
            memory: Mutex::default(),
            unmoved: Unmoved::default(),
            looked: Mutex::default(),
        }
    }

    /// One scan: claims what is settled.
    ///
    /// # Errors
    /// The journal's or the file system's.
    pub fn pass(&self) -> Result<Pass, StageError> {
        self.finish_claims()?;
        self.look_for_strays()?;
        let seen = self.node.spool.scan_outbox()?;
        // After the scan: of whatever it saw, everything that was told before is known now.
        self.catch_up();
        let is_all = seen.len() < SCAN_ITEMS_MAX;
        let (ready, mut again_after) = self.settled_of(seen);
        if !is_all {
            again_after = again_after.min(SCAN_ON_AFTER);
        }
        let policy = self.node.rules.now();
        let mut settled = Vec::new();
        for item in ready {
            match self.judge(&policy, item) {
                Ok(item) => settled.push(item),
                Err(foreign) => self.give_back_foreign(&foreign),
            }
        }
        // What was found of them holds only where the home was there to be looked at.
        self.node.spool.is_there()?;
        let claims = self.group(settled);
        let done = claims.len();
        self.claim(claims)?;
        Ok(Pass {
            done: 0,
            again_after,
        })
        .inspect(|_| {
            if done > 0 {
                self.node.bells.seal.ring();
                self.node.bells.publish.ring();
            }
        })
    }

    /// Which items are settled, and when the next one may be.
    fn settled_of(&self, seen: Vec<Seen>) -> (Vec<Seen>, Duration) {
        let now = Instant::now();
        let now_millis = self.node.clock.unix_millis();
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept = HashMap::with_capacity(seen.len());
        let mut ready = Vec::new();
        let here: HashSet<&Path> = seen.iter().map(|item| item.path.as_path()).collect();
        let next = self.unmoved.keep(&here).unwrap_or(self.scan_every);
        let mut again_after = next.min(self.scan_every);
        for item in seen {
            if self.unmoved.has(&item.path, item.inode) {
                continue;
            }
            let fresh = Unchanged {
                inode: item.inode,
                bytes: item.bytes,
                stamp_nanos: item.stamp_nanos,
                since: now,
            };
            let look = memory
                .get(&item.path)
                .copied()
                .filter(|old| old.same_as(&fresh))
                .unwrap_or(fresh);
            let still = Still {
                unchanged_for: now.saturating_duration_since(look.since),
                changed_ago: changed_ago(&item, now_millis),
            };
            let heard = self.heard(&item);
            match settled(item.is_folder, heard, still, now_millis, self.quiet) {
                Wait::Settled => ready.push(item),
                Wait::For(wait) => {
                    again_after = again_after.min(wait);
                    kept.insert(item.path, look);
                }
            }
        }
        *memory = kept;
        (ready, again_after)
    }

    fn catch_up(&self) {
        if let Some(watch) = &self.watch {
            watch.catch_up(&self.node.bells.collect);
        }
    }

    /// What the events say of an item; without a watch nobody knows who has it open. What is no file is not written.
    fn heard(&self, item: &Seen) -> Option<Heard> {
        if item.kind == SeenKind::Other && !item.is_folder {
            return None;
        }
        let watch = self.watch.as_ref();
        watch.map_or(Some(Heard::Unsure), |watch| {
            watch.heard(&item.path, item.born_nanos)
        })
    }

    /// What the policy says of a settled item; `Err` where its folders are no peer and flow at all.
    fn judge(&self, policy: &Policy, seen: Seen) -> Result<Settled, Box<Seen>> {
        let names = seen.peer.to_str().zip(seen.flow.to_str());
        let Some((peer, flow)) =
            names.and_then(|(peer, flow)| Some((peer.parse().ok()?, flow.parse().ok()?)))
        else {
            return Err(Box::new(seen));
        };
        let size = Size {
            bytes: seen.bytes,
            entries: seen.files,
        };
        let permit = policy.may_send(&peer, &flow, size, self.node.clock.now());
        let problem = match seen.kind {
            SeenKind::Other => Some(ReturnReason::NotAFile),
            SeenKind::Unreadable => Some(ReturnReason::Unreadable),
            SeenKind::Folder if seen.files == 0 => Some(ReturnReason::FolderEmpty),
            SeenKind::File if batch::key_of(&seen).is_none() => Some(ReturnReason::NameNotPortable),
            SeenKind::File if !self.node.spool.may_read(&seen.path) => {
                Some(ReturnReason::Unreadable)
            }
            SeenKind::File | SeenKind::Folder => permit.as_ref().err().copied(),
        };
        let lane = permit.map_or(Lane::Normal, |permit| permit.lane);
        Ok(Settled {
            peer,
            flow,
            seen,
            lane,
            problem,
        })
    }

    fn claim(&self, claims: Vec<(NewClaim, Option<ReturnReason>)>) -> Result<(), StageError> {
        let size = usize::try_from(ROWS_PER_PASS).unwrap_or(1);
        for some in claims.chunks(size) {
            let records: Vec<NewClaim> = some.iter().map(|(claim, _)| claim.clone()).collect();
            self.node.journal.claim(&records, self.node.clock.now())?;
            kill::point("collect.recorded");
            for (claim, problem) in some {
                let folder = self.node.spool.outbox(&claim.peer, &claim.flow);
                // Before it is claimed, so that nobody takes it up for sealing meanwhile.
                if let Some(reason) = problem {
                    self.node.journal.intend_return(&claim.bundle, *reason)?;
                }
                let claimed = self.stand_aside(&claim.bundle, &folder, claim.items.clone())?;
                kill::point("collect.stood-aside");
                if let (true, Some(reason)) = (claimed, problem)
                    && let Some(row) = self.node.journal.outbound(&claim.bundle)?
                {
                    give_back(&self.node, &row, *reason, None)?;
                }
            }
        }
        Ok(())
    }

    /// Renames the items aside; those that vanished are left out. False: nothing was left.
    fn stand_aside(
        &self,
        bundle: &BundleId,
        folder: &Path,
        items: Vec<Item>,
    ) -> Result<bool, StageError> {
        let now = self.node.clock.now();
        let before = items.len();
        let mut aside = Vec::with_capacity(before);
        for item in items {
            let (path, claim) = (folder.join(&item.name), folder.join(&item.claim_name));
            match self.node.spool.stand_aside(&path, &claim, item.inode) {
                Ok(true) => {
                    self.moves_again(&path, &item);
                    aside.push(item);
                }
                Ok(false) => {}
                Err(error) => {
                    // Without the home nothing is known of the item, which may stand aside already: asked again when it is back.
                    self.node.spool.is_there()?;
                    tracing::warn!(%bundle, "an item cannot be moved in the outbox: {error}");
                    self.unmoved.add(&path, item.inode);
                    let text = why(&item.name.to_string_lossy(), "not-movable", now);
                    let explained = self.node.spool.explain_in_place(folder, &item.name, &text);
                    if let Err(error) = explained {
                        tracing::warn!(%bundle, "nor can that be said beside it: {error}");
                    }
                }
            }
        }
        self.put_back_what_is_written(folder, &mut aside)?;
        self.node.spool.sync_moves()?;
        if aside.is_empty() {
            self.node
                .journal
                .advance_outbound(bundle, OutboundEvent::WentBack, now)?;
            return Ok(false);
        }
        if aside.len() < before {
            self.node.journal.note_items(bundle, &aside)?;
        }
        self.node
            .journal
            .advance_outbound(bundle, OutboundEvent::StoodAside, now)?;
        Ok(true)
    }

    /// Who opened an item between the scan and its claim, or is heard of only now, has it back.
    fn put_back_what_is_written(
        &self,
        folder: &Path,
        aside: &mut Vec<Item>,
    ) -> Result<(), StageError> {
        let Some(watch) = &self.watch else {
            return Ok(());
        };
        self.catch_up();
        let is_written = |item: &Item| {
            let claim = folder.join(&item.claim_name);
            watch.heard(&claim, i128::MAX) == Some(Heard::Writing)
        };
        let (written, rest): (Vec<_>, Vec<_>) = aside.drain(..).partition(is_written);
        for item in written {
            let (path, claim) = (folder.join(&item.name), folder.join(&item.claim_name));
            self.node.spool.put_back(&claim, &path)?;
        }
        *aside = rest;
        Ok(())
    }

    /// What was explained in place, perhaps before a restart, holds no longer.
    fn moves_again(&self, path: &Path, item: &Item) {
        self.unmoved.remove(path, item.inode);
        if let Err(error) = self.node.spool.withdraw_explanation(path) {
            tracing::warn!("what was said beside an item stays there: {error}");
        }
    }

    /// Aside first, as every item: what has taken its name since the scan stays where it is.
    fn move_foreign(
        &self,
        folders: (&str, &str),
        seen: &Seen,
        text: &str,
    ) -> Result<(), SpoolError> {
        let bundle = batch::new_bundle_id(self.node.clock.unix_millis());
        let claim_name = format!("{CLAIM_PREFIX}{bundle}-0");
        let (spool, claim) = (&self.node.spool, seen.path.with_file_name(claim_name));
        if !spool.stand_aside(&seen.path, &claim, seen.inode)? {
            return Ok(());
        }
        let item = (seen.name.as_os_str(), seen.inode);
        let returned = spool.hand_back(folders, &claim, item, text);
        if returned.is_err() {
            spool.put_back(&claim, &seen.path)?;
        }
        returned.map(drop)
    }

    /// An item in a folder that is no peer's or flow's name: there is no stream for it, so no record; it is only handed back.
    fn give_back_foreign(&self, seen: &Seen) {
        let folder = |name: &OsStr| match name.to_string_lossy() {
            name if name.is_empty() => NO_FOLDER.to_owned(),
            name => name.into_owned(),
        };
        let (peer, flow) = (folder(&seen.peer), folder(&seen.flow));
        let text = why(
            &seen.name.to_string_lossy(),
            ReturnReason::PeerUnknown.code(),
            self.node.clock.now(),
        );
        if let Err(error) = self.move_foreign((&peer, &flow), seen, &text) {
            // Not the error itself: its path has the names of folders that are no peer's or flow's.
            tracing::warn!(fault = ?error.io_kind(), "an item outside any peer's folder cannot be handed back");
            self.unmoved.add(&seen.path, seen.inode);
        }
    }
}

/// How long ago it changed, by its ctime at the latest, which nobody can set; none where that lies in the future.
fn changed_ago(item: &Seen, now_millis: u64) -> Option<Duration> {
    let ago = i128::from(now_millis) * 1_000_000 - item.stamp_nanos;
    u64::try_from(ago).ok().map(Duration::from_nanos)
}

impl Unchanged {
    fn same_as(&self, other: &Self) -> bool {
        (self.inode, self.bytes, self.stamp_nanos) == (other.inode, other.bytes, other.stamp_nanos)
    }
}
