//! Early: a large bundle is opened while the rest of it arrives, so that little is left to do when it was taken over. It changes
//! when the work is done, never what is believed: nothing leaves staging before the ordinary hand-over has verified, judged and
//! recorded the bundle, and the ordinary import asks for it. Whatever else happens, staging is wiped and nobody was told.
//!
//! One bundle at a time in the whole daemon: a signed head under an agreement in force, that would be admitted at this moment.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use amanah_format::digest::Digest;
use amanah_format::id::PartyId;
use amanah_format::limits::BUNDLE_HEAD_BYTES;
use amanah_format::manifest::{Manifest, UnverifiedHead};
use amanah_format::receipt::StoreRef;

use crate::bell::Bell;
use crate::engine::policy::Verdict;
use crate::spool::Along;
use crate::spool::part::Part;
use crate::store::StoreError;

use super::answer::Kept;
use super::{Node, StageError};

/// A smaller payload is opened sooner than it is worth a thought.
const PAYLOAD_BYTES_MIN: u64 = 16 * 1024 * 1024;
/// Contents may be so many times the payload: what unpacks to more is opened once, when it was taken over.
const EXPANSION_MAX: u64 = 64;
/// What has come of it already would have to be read again.
const BEHIND_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// A peer whose bundle was opened for nothing waits so long for the next that is.
const AGAIN: Duration = Duration::from_secs(60);
/// The same where its bytes were to blame.
const AGAIN_AFTER_FAULT: Duration = Duration::from_secs(3_600);
/// What was opened and is then not asked for: its lane has other work, or its hand-over failed here.
const KEPT: Duration = Duration::from_secs(60);
/// How often one who waits looks whether the daemon stops.
const LOOK: Duration = Duration::from_millis(100);

/// The one place, and who has to wait.
#[derive(Default)]
pub struct Early {
    place: Mutex<Place>,
    changed: Condvar,
    bell: Bell,
}

#[derive(Default)]
struct Place {
    held: Held,
    not_before: HashMap<PartyId, Instant>,
}

#[derive(Default)]
enum Held {
    #[default]
    Free,
    Offered(Box<Job>),
    By(Digest, Wish),
    Done(Digest, Result<StoreRef, StoreError>),
}

/// What the import wishes of a bundle that is being opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// It has not asked.
    None,
    /// It was admitted: to be committed.
    Commit,
    /// To be wiped.
    Drop,
}

/// A bundle that may be opened while it arrives.
pub(super) struct Job {
    pub(super) peer: PartyId,
    pub(super) digest: Digest,
    pub(super) manifest: Manifest,
    pub(super) payload: Along,
}

/// Why a bundle was opened for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vain {
    /// It was committed, or never begun: not for nothing.
    No,
    /// It did not come to its end, or was not admitted.
    Unfinished,
    /// Its bytes are not what its head says.
    Faulty,
}

impl Early {
    /// Rings when there is something to open.
    #[must_use]
    pub fn ringing(bell: Bell) -> Self {
        Self {
            bell,
            ..Self::default()
        }
    }

    fn lock(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_place_for(&self, peer: &PartyId) -> bool {
        let mut place = self.lock();
        let now = Instant::now();
        place.not_before.retain(|_, until| *until > now);
        matches!(place.held, Held::Free) && !place.not_before.contains_key(peer)
    }

    /// Gives it the place, unless another was faster.
    fn offer(&self, job: Job) {
        let mut place = self.lock();
        if matches!(place.held, Held::Free) {
            place.held = Held::Offered(Box::new(job));
            self.bell.ring();
        }
    }

    /// What is to be opened now.
    pub(super) fn begin(&self) -> Option<Job> {
        let mut place = self.lock();
        match std::mem::take(&mut place.held) {
            Held::Offered(job) => {
                place.held = Held::By(job.digest, Wish::None);
                Some(*job)
            }
            held @ (Held::Free | Held::By(..) | Held::Done(..)) => {
                place.held = held;
                None
            }
        }
    }

    /// It is opened, and its payload is what its head says: waits until the import wants it committed. False: to be wiped.
    pub(super) fn is_wanted(&self, digest: &Digest, is_stopping: impl Fn() -> bool) -> bool {
        let until = Instant::now() + KEPT;
        let mut place = self.lock();
        loop {
            match &place.held {
                Held::By(held, Wish::None) if held == digest => {}
                Held::By(held, Wish::Commit) if held == digest => return true,
                Held::Free | Held::Offered(_) | Held::By(..) | Held::Done(..) => return false,
            }
            if is_stopping() || Instant::now() >= until {
                return false;
            }
            let waited = self.changed.wait_timeout(place, LOOK);
            place = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The place is free again; the import that waits is told what became of it.
    pub(super) fn end(
        &self,
        (peer, digest): (&PartyId, Digest),
        done: Option<Result<StoreRef, StoreError>>,
        vain: Vain,
    ) {
        let mut place = self.lock();
        let wait = match vain {
            Vain::No => None,
            Vain::Unfinished => Some(AGAIN),
            Vain::Faulty => Some(AGAIN_AFTER_FAULT),
        };
        if let Some(wait) = wait {
            let until = Instant::now() + wait;
            place.not_before.insert(peer.clone(), until);
        }
        place.held = match done {
            Some(done) => Held::Done(digest, done),
            None => Held::Free,
        };
        self.changed.notify_all();
    }

    /// It is not to be imported, or not yet.
    pub(super) fn drop_if(&self, digest: &Digest) {
        let mut place = self.lock();
        match &mut place.held {
            Held::By(held, wish) if held == digest => *wish = Wish::Drop,
            Held::Offered(job) if job.digest == *digest => place.held = Held::Free,
            Held::Free | Held::Offered(_) | Held::By(..) | Held::Done(..) => {}
        }
        self.changed.notify_all();
    }

    /// An admitted bundle, committed where it was opened early. None: it is to be opened now, and nothing of it is in staging
    /// that anybody still writes.
    pub(super) fn commit(&self, digest: &Digest) -> Option<Result<StoreRef, StoreError>> {
        let mut place = self.lock();
        loop {
            match &mut place.held {
                Held::By(held, wish) if held == digest => {
                    if *wish == Wish::None {
                        *wish = Wish::Commit;
                        self.changed.notify_all();
                    }
                }
                Held::Done(held, _) if held == digest => {
                    let Held::Done(_, done) = std::mem::take(&mut place.held) else {
                        return None;
                    };
                    return Some(done);
                }
                Held::Offered(job) if job.digest == *digest => {
                    place.held = Held::Free;
                    return None;
                }
                Held::Free | Held::Offered(_) | Held::By(..) | Held::Done(..) => return None,
            }
            let waited = self.changed.wait(place);
            place = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Offers a bundle whose head has come, where it is worth while and would be admitted as things stand. No error ends an upload.
pub(super) fn consider(node: &Node, peer: &PartyId, digest: Digest, part: &mut Part) {
    if !node.early.has_place_for(peer) || part.prefix() > BEHIND_BYTES_MAX {
        return;
    }
    match acceptable(node, peer, digest, part) {
        Ok(Some(manifest)) => {
            let end = BUNDLE_HEAD_BYTES.saturating_add(manifest.payload.bytes);
            let stop = node.stop.clone();
            let along = part.read_along(BUNDLE_HEAD_BYTES..end, Box::new(move || stop.is_set()));
            match along {
                Ok(payload) => node.early.offer(Job {
                    peer: peer.clone(),
                    digest,
                    manifest,
                    payload,
                }),
                Err(error) => tracing::debug!(%peer, "not opened early: {error}"),
            }
        }
        Ok(None) => {}
        Err(error) => tracing::debug!(%peer, "not opened early: {error}"),
    }
}

/// The verified manifest of a large bundle that is new here and would be admitted now.
fn acceptable(
    node: &Node,
    peer: &PartyId,
    digest: Digest,
    part: &Part,
) -> Result<Option<Manifest>, StageError> {
    let mut head = Vec::new();
    let io = |error| StageError::Other(format!("{}: {error}", part.path().display()));
    let file: File = part.reopen()?;
    file.take(BUNDLE_HEAD_BYTES)
        .read_to_end(&mut head)
        .map_err(io)?;
    let (now, rules) = (node.clock.now(), node.rules.now());
    let Some(head) = UnverifiedHead::parse(&head).ok() else {
        return Ok(None);
    };
    if head.digest() != digest || head.payload_bytes() < PAYLOAD_BYTES_MIN {
        return Ok(None);
    }
    let Ok(head) = head.verify(rules.keyring(), now) else {
        return Ok(None);
    };
    let manifest = head.manifest();
    let is_bounded = manifest.contents.bytes / EXPANSION_MAX <= manifest.payload.bytes;
    if &manifest.from != peer || !is_bounded || node.journal.inbound(&digest)?.is_some() {
        return Ok(None);
    }
    if Kept::find(node, peer, &digest)?.is_some() {
        return Ok(None);
    }
    let place = node.journal.place(peer, &digest, manifest)?;
    let is_admitted = rules.judge(manifest, &place, now) == Verdict::Admit;
    Ok(is_admitted.then(|| manifest.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::Spool;

    /// A peer, and its bundle under a name; the manifest is nobody's concern here.
    fn job(spool: &Spool, peer: &str, name: &str) -> (PartyId, Digest, Job) {
        let peer: PartyId = peer.parse().unwrap();
        let digest = Digest::of(name.as_bytes());
        let mut part = spool.part(&peer, name, 9).unwrap();
        let job = Job {
            peer: peer.clone(),
            digest,
            manifest: crate::journal::tests::manifest(1),
            payload: part.read_along(0..9, Box::new(|| false)).unwrap(),
        };
        (peer, digest, job)
    }

    fn home() -> (tempfile::TempDir, Spool) {
        let home = tempfile::tempdir().unwrap();
        let peers = ["bpkh", "bps"].map(|peer| peer.parse().unwrap());
        let spool = Spool::open(home.path(), &peers).unwrap();
        (home, spool)
    }

    fn stored() -> StoreRef {
        StoreRef {
            kind: "files".to_owned(),
            entries: 1,
            records: 0,
        }
    }

    #[test]
    fn one_is_opened_at_a_time_and_whose_was_for_nothing_waits() {
        let (_home, spool) = home();
        let early = Early::default();
        let (peer, digest, first) = job(&spool, "bpkh", "a");
        let (other, another, second) = job(&spool, "bps", "b");
        assert!(early.has_place_for(&peer) && early.has_place_for(&other));
        early.offer(first);
        early.offer(second);
        assert!(!early.has_place_for(&other));
        assert_eq!(early.begin().unwrap().digest, digest);
        assert!(early.begin().is_none());
        assert!(early.commit(&another).is_none(), "that one was never begun");
        early.end((&peer, digest), None, Vain::Unfinished);
        assert!(!early.has_place_for(&peer));
        assert!(early.has_place_for(&other));
    }

    #[test]
    fn what_is_admitted_is_committed_by_whoever_opened_it() {
        let (_home, spool) = home();
        let early = Early::default();
        let (peer, digest, job) = job(&spool, "bpkh", "a");
        early.offer(job);
        early.begin().unwrap();
        std::thread::scope(|scope| {
            let importing = scope.spawn(|| early.commit(&digest));
            assert!(early.is_wanted(&digest, || false));
            early.end((&peer, digest), Some(Ok(stored())), Vain::No);
            let done = importing.join().unwrap().unwrap().unwrap();
            assert_eq!(done.entries, 1);
        });
        assert!(early.has_place_for(&peer));
        assert!(early.commit(&digest).is_none(), "said once");
    }

    #[test]
    fn what_is_not_to_be_imported_is_not_wanted_and_nobody_waits_for_it() {
        let (_home, spool) = home();
        let early = Early::default();
        let (peer, digest, job) = job(&spool, "bpkh", "a");
        early.offer(job);
        early.begin().unwrap();
        assert!(!early.is_wanted(&digest, || true), "stopping");
        early.drop_if(&Digest::of(b"another"));
        early.drop_if(&digest);
        assert!(!early.is_wanted(&digest, || false));
        std::thread::scope(|scope| {
            let importing = scope.spawn(|| early.commit(&digest));
            early.end((&peer, digest), None, Vain::Unfinished);
            assert!(importing.join().unwrap().is_none());
        });
    }
}
