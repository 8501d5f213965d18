//! Floor 3: the journey, one file per step. A stage looks for its work in the journal and does a bounded amount of it at each
//! pass; bells only wake it. What all stages share is the [`Node`], which holds no secret.

pub mod acknowledge;
pub mod admit;
mod again;
mod alone;
mod answer;
pub mod arrive;
pub(crate) mod blind;
pub mod board;
pub mod by_hand;
pub mod cards;
pub mod collect;
pub mod door;
pub mod early;
mod hand_back;
pub mod import;
pub mod junk;
mod listed;
pub mod position;
pub mod publish;
pub mod pull;
mod rejudge;
pub mod requests;
pub mod retention;
pub mod room;
pub mod seal;
pub mod settle;
pub mod settled;
pub mod ship;
pub mod signer;
pub mod slips;
pub mod streams;
mod stuck;
mod table;
mod upload;
mod void;
pub mod witness;

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use amanah_format::id::PartyId;
use amanah_format::time::UtcTime;

use crate::bell::Bell;
use crate::clock::Clock;
use crate::durable::DurableError;
use crate::engine::policy::Policy;
use crate::journal::{Journal, JournalError};
use crate::spool::{Spool, SpoolError};
use crate::store::StoreError;

use self::board::Board;

/// Rows taken up at one pass: enough to keep both cores busy, few enough that a stop is noticed soon.
pub(crate) const ROWS_PER_PASS: u32 = 64;

/// What the stages of one daemon share.
pub struct Node {
    /// The home's folders.
    pub spool: Spool,
    /// The states of all bundles, the ledger.
    pub journal: Journal,
    /// Agreements and keys in force; replaced whole on reload.
    pub rules: Rules,
    /// The system's clock.
    pub clock: Clock,
    /// Who is woken by what.
    pub bells: Bells,
    /// What people are shown beside the journal: links, progress, alarms.
    pub board: Board,
    /// How much of what is of no use is recorded.
    pub junk: junk::Junk,
    /// What operators carry by hand now.
    pub tickets: by_hand::Tickets,
    /// Whether numbers may be given to the streams of each peer.
    pub gates: position::Gates,
    /// The bundle that is opened while it arrives.
    pub early: early::Early,
    /// When each peer was shown our ledger.
    pub showing: witness::Showing,
    /// Set once, when the daemon is asked to stop.
    pub stop: Stop,
    /// Held while items go back to their operator: the stage that found the reason and the one that finishes such rows
    /// would else both move them.
    pub handing_back: Mutex<()>,
}

impl Node {
    /// Now, if our signing key is valid: what was signed at another moment could never be believed, so a clock that stands
    /// before or after our own card's dates makes everything wait that would be signed.
    ///
    /// # Errors
    /// It is not; says what to do.
    pub(crate) fn signing_moment(&self) -> Result<UtcTime, StageError> {
        let (now, rules) = (self.clock.now(), self.rules.now());
        let card = rules.keyring().card(rules.own());
        let keys = card.map(|card| card.card().keys.signing.as_slice());
        if keys.unwrap_or_default().iter().any(|key| key.at(now)) {
            return Ok(now);
        }
        Err(StageError::Other(format!(
            "our signing key is not valid at {now}: set this machine's clock, or renew the key; until then nothing is signed"
        )))
    }
}

/// The policy in force, shared and replaceable.
pub struct Rules(RwLock<Arc<Policy>>);

impl Rules {
    /// Starts with `policy`.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self(RwLock::new(Arc::new(policy)))
    }

    /// The policy as it stands now; a pass uses one throughout.
    #[must_use]
    pub fn now(&self) -> Arc<Policy> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another in its place.
    pub fn replace(&self, policy: Policy) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
    }
}

/// One bell per stage, and one per peer for "something waits for it".
#[derive(Clone, Default)]
pub struct Bells {
    /// The outbox changed.
    pub collect: Bell,
    /// Something is claimed.
    pub seal: Bell,
    /// Something is admitted.
    pub import: Bell,
    /// A large bundle begins to arrive.
    pub early: Bell,
    /// An outcome is decided.
    pub acknowledge: Bell,
    /// A receipt came.
    pub settle: Bell,
    /// An operator carries something by hand.
    pub by_hand: Bell,
    /// An operator asks for something.
    pub requests: Bell,
    /// Something may be missing in a stream, or a peer wants to know.
    pub streams: Bell,
    /// Something may be past its days.
    pub retention: Bell,
    /// What people see changed.
    pub publish: Bell,
    /// An alarm was raised that nobody was told of yet.
    pub alarm: Bell,
    /// The configuration's folder must be read again.
    pub reload: Bell,
    peers: BTreeMap<PartyId, PeerBells>,
}

/// What wakes the stages of one peer.
#[derive(Clone, Default)]
struct PeerBells {
    waiting: Bell,
    retry: Bell,
}

impl Bells {
    /// Bells for these peers.
    #[must_use]
    pub fn for_peers<'a>(peers: impl Iterator<Item = &'a PartyId>) -> Self {
        Self {
            peers: peers
                .map(|peer| (peer.clone(), PeerBells::default()))
                .collect(),
            ..Self::default()
        }
    }

    /// The bell of a peer; one that nobody waits for where the peer is not configured.
    #[must_use]
    pub fn peer(&self, peer: &PartyId) -> Bell {
        self.peers.get(peer).cloned().unwrap_or_default().waiting
    }

    /// Ends the wait before the next attempt to reach a peer.
    #[must_use]
    pub fn retry(&self, peer: &PartyId) -> Bell {
        self.peers.get(peer).cloned().unwrap_or_default().retry
    }

    /// The same for all peers.
    pub fn retry_all(&self) {
        self.peers.values().for_each(|bells| bells.retry.ring());
    }

    /// Wakes everybody who works: at stop, after a request, after a reload. Not the reload itself, which rings here when it
    /// is done and would call itself for ever.
    pub fn ring_all(&self) {
        let stages = [
            &self.collect,
            &self.seal,
            &self.import,
            &self.early,
            &self.acknowledge,
            &self.settle,
            &self.by_hand,
            &self.requests,
            &self.streams,
            &self.retention,
            &self.publish,
            &self.alarm,
        ];
        let peers = self
            .peers
            .values()
            .flat_map(|bells| [&bells.waiting, &bells.retry]);
        stages.into_iter().chain(peers).for_each(Bell::ring);
    }
}

/// The wish to stop, seen by every loop.
#[derive(Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks everybody to stop; the caller rings the bells.
    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether somebody asked.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// A reader that fails as soon as the daemon is asked to stop, so that no long file delays it.
    pub fn guard<R: Read>(&self, inner: R) -> impl Read + use<R> {
        Guarded {
            inner,
            stop: self.clone(),
        }
    }
}

struct Guarded<R> {
    inner: R,
    stop: Stop,
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.stop.is_set() {
            return Err(io::Error::other("stopping"));
        }
        self.inner.read(into)
    }
}

/// What a pass did, and when the next is due though no bell rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    /// How much was done; not zero: look again at once.
    pub done: usize,
    /// Wait at most so long.
    pub again_after: Duration,
}

/// Takes every row a step forward though one fails, so that no row blocks another; the first error is the pass's.
pub(crate) fn each<T>(
    stop: &Stop,
    rows: &[T],
    mut step: impl FnMut(&T) -> Result<(), StageError>,
) -> Result<Pass, StageError> {
    let mut first = None;
    let mut done = 0;
    for row in rows {
        if stop.is_set() {
            break;
        }
        match step(row) {
            Ok(()) => done += 1,
            Err(error) if error.reaction() == Reaction::Halt => return Err(error),
            Err(error) => first = first.or(Some(error)),
        }
    }
    first.map_or(Ok(Pass::of(done)), Err)
}

/// How long a stage waits without a bell: a lost wake-up costs no more than this.
pub(crate) const IDLE: Duration = Duration::from_secs(30);

impl Pass {
    /// `done` things, then an ordinary wait.
    pub(crate) const fn of(done: usize) -> Self {
        Self {
            done,
            again_after: IDLE,
        }
    }
}

/// What stops a pass: always this machine's fault, never a peer's.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The home's folders.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// A durable write.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// The local store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something else, said in words.
    #[error("{0}")]
    Other(String),
}

/// What the supervisor does about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// Wait, then look again.
    Retry,
    /// End the process: going on could make something untrue.
    Halt,
}

impl StageError {
    /// The one mapping from error to reaction.
    #[must_use]
    pub fn reaction(&self) -> Reaction {
        if crate::durable::halted() {
            return Reaction::Halt;
        }
        match self {
            Self::Journal(JournalError::Illegal(_) | JournalError::Damaged(_)) => Reaction::Halt,
            Self::Journal(_)
            | Self::Spool(_)
            | Self::Durable(_)
            | Self::Store(_)
            | Self::Other(_) => Reaction::Retry,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waking_everybody_does_not_ask_for_a_reload() {
        let peer: PartyId = "imigrasi".parse().unwrap();
        let bells = Bells::for_peers(std::iter::once(&peer));
        let (reload, seal) = (bells.reload.heard(), bells.seal.heard());
        let waiting = bells.peer(&peer).heard();
        bells.ring_all();
        assert_eq!(bells.reload.heard(), reload);
        assert_ne!(bells.seal.heard(), seal);
        assert_ne!(bells.peer(&peer).heard(), waiting);
    }

    #[test]
    fn one_row_that_fails_does_not_keep_the_others_from_their_turn() {
        let mut seen = Vec::new();
        let outcome = each(&Stop::default(), &[1, 2, 3], |row| {
            seen.push(*row);
            if *row == 1 {
                return Err(StageError::Other("no".to_owned()));
            }
            Ok(())
        });
        assert!(outcome.is_err());
        assert_eq!(seen, [1, 2, 3]);
    }
}
