//! The room in which connections stand that have not logged in: bounded, and never closed to a peer. When it is full, somebody is
//! put out rather than the next turned away: the oldest of the address that has the most places. An address from which a peer has
//! logged in lately keeps its places and is never shut out, so that a flood elsewhere, or an offender behind the same
//! address, costs it no more than a few tries.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Limits;
use super::penalties::{Offence, Penalties, Source};

/// Addresses that are remembered for a login: a few for each of two hundred peers.
const KNOWN_MAX: usize = 1_024;
/// Lines of the log about connections that did not log in, in so long: a flood is told of, not told.
const LINES_MAX: u32 = 30;
const LINES_EVERY: Duration = Duration::from_secs(60);

/// The room.
pub(super) struct Newcomers {
    max: usize,
    max_per_address: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u64,
    /// The oldest first.
    waiting: BTreeMap<u64, Waiting>,
    penalties: Penalties,
    /// Whence peers logged in; the latest last.
    known: VecDeque<Source>,
    lines: Lines,
}

struct Waiting {
    source: Source,
    /// Dropped, it puts the connection out.
    _stay: oneshot::Sender<()>,
}

/// How much was said lately.
#[derive(Default)]
struct Lines {
    since: Option<Instant>,
    told: u32,
    untold: u64,
}

/// A place in the room, given back when dropped.
pub(super) struct Place {
    room: Arc<Newcomers>,
    number: u64,
    source: Source,
}

impl Newcomers {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            max: limits.unauthenticated_max.max(1),
            max_per_address: limits.unauthenticated_per_address_max.max(1),
            state: Mutex::default(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place, and what ends when it is taken away again; none for who is shut out.
    pub(super) fn enter(
        self: &Arc<Self>,
        address: IpAddr,
        now: Instant,
    ) -> Option<(Place, oneshot::Receiver<()>)> {
        let source = Source::of(address);
        let mut state = self.state();
        if !state.known.contains(&source) && state.penalties.refuses(source, now) {
            return None;
        }
        if state.places_of(source) >= self.max_per_address {
            state.put_out(|waiting| waiting.source == source, now);
        } else if state.waiting.len() >= self.max {
            let crowd = state.crowd();
            state.put_out(|waiting| Some(waiting.source) == crowd, now);
        }
        let (stay, put_out) = oneshot::channel();
        let number = state.next;
        state.next = number.saturating_add(1);
        let waiting = Waiting {
            source,
            _stay: stay,
        };
        state.waiting.insert(number, waiting);
        let place = Place {
            room: Arc::clone(self),
            number,
            source,
        };
        Some((place, put_out))
    }

    /// Whether a line may be written about one of them; with how many were not written before it.
    pub(super) fn may_tell(&self, now: Instant) -> Option<u64> {
        self.state().lines.next(now)
    }
}

impl State {
    fn places_of(&self, source: Source) -> usize {
        let all = self.waiting.values();
        all.filter(|waiting| waiting.source == source).count()
    }

    /// The address that has the most places; one that is known only where nobody else is there.
    fn crowd(&self) -> Option<Source> {
        let mut places: HashMap<Source, usize> = HashMap::new();
        for waiting in self.waiting.values() {
            let count = places.entry(waiting.source).or_default();
            *count = count.saturating_add(1);
        }
        // The oldest of those that have as many.
        let mut crowd: Option<(bool, usize, Source)> = None;
        for waiting in self.waiting.values() {
            let source = waiting.source;
            let stranger = !self.known.contains(&source);
            let count = places.get(&source).copied().unwrap_or(0);
            if crowd.is_none_or(|(other, most, _)| (stranger, count) > (other, most)) {
                crowd = Some((stranger, count, source));
            }
        }
        crowd.map(|(.., source)| source)
    }

    /// Puts out the oldest of these.
    fn put_out(&mut self, whom: impl Fn(&Waiting) -> bool, now: Instant) {
        let found = self.waiting.iter().find(|(_, waiting)| whom(waiting));
        let Some((number, source)) = found.map(|(number, waiting)| (*number, waiting.source))
        else {
            return;
        };
        self.waiting.remove(&number);
        self.penalties.note(source, Offence::NoAttempt, now);
    }
}

impl Lines {
    fn next(&mut self, now: Instant) -> Option<u64> {
        let over = self
            .since
            .is_none_or(|since| now.duration_since(since) >= LINES_EVERY);
        if over {
            (self.since, self.told) = (Some(now), 0);
        }
        if self.told >= LINES_MAX {
            self.untold = self.untold.saturating_add(1);
            return None;
        }
        self.told = self.told.saturating_add(1);
        Some(std::mem::take(&mut self.untold))
    }
}

impl Place {
    /// A peer has logged in: its place is for the next, and its address is known.
    pub(super) fn logged_in(self) {
        let mut state = self.room.state();
        state.penalties.forgive(self.source);
        state.known.retain(|known| *known != self.source);
        if state.known.len() >= KNOWN_MAX {
            state.known.pop_front();
        }
        state.known.push_back(self.source);
    }

    /// It ended before that.
    pub(super) fn offended(self, offence: Offence, now: Instant) {
        self.room.state().penalties.note(self.source, offence, now);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.state().waiting.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(max: usize, max_per_address: usize) -> Arc<Newcomers> {
        Newcomers::new(Limits {
            unauthenticated_max: max,
            unauthenticated_per_address_max: max_per_address,
            ..Limits::default()
        })
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 20, 0, last])
    }

    fn is_out(put_out: &mut oneshot::Receiver<()>) -> bool {
        put_out.try_recv() == Err(oneshot::error::TryRecvError::Closed)
    }

    #[test]
    fn the_oldest_of_the_most_crowded_address_goes_when_the_room_is_full() {
        let (room, now) = (room(4, 3), Instant::now());
        let mut peer = room.enter(address(1), now).unwrap();
        let mut crowd: Vec<_> = (0..3)
            .map(|_| room.enter(address(2), now).unwrap())
            .collect();
        let _other = room.enter(address(3), now).unwrap();
        assert!(is_out(&mut crowd[0].1) && !is_out(&mut crowd[1].1));
        assert!(!is_out(&mut peer.1));
        // A fourth of one address puts out its own oldest, whatever room there is.
        drop(peer);
        let _third = room.enter(address(2), now).unwrap();
        let mut fourth = room.enter(address(2), now).unwrap();
        assert!(is_out(&mut crowd[1].1) && !is_out(&mut fourth.1));
    }

    #[test]
    fn a_place_that_is_given_back_is_free_and_one_address_after_the_other_is_put_out() {
        let (room, now) = (room(2, 2), Instant::now());
        let mut first = room.enter(address(1), now).unwrap();
        drop(room.enter(address(2), now).unwrap());
        let mut second = room.enter(address(3), now).unwrap();
        assert!(!is_out(&mut first.1));
        let _third = room.enter(address(4), now).unwrap();
        assert!(is_out(&mut first.1) && !is_out(&mut second.1));
        assert_eq!(room.state().waiting.len(), 2);
    }

    #[test]
    fn an_address_of_a_peer_is_neither_put_out_by_others_nor_shut_out() {
        let (room, now) = (room(2, 2), Instant::now());
        room.enter(address(1), now).unwrap().0.logged_in();
        let mut peer = room.enter(address(1), now).unwrap();
        let _again = room.enter(address(1), now).unwrap();
        let mut stranger = room.enter(address(2), now).unwrap();
        // Where nobody else is there, its own oldest goes; a stranger before that.
        assert!(is_out(&mut peer.1));
        let _next = room.enter(address(3), now).unwrap();
        assert!(is_out(&mut stranger.1));
        for _ in 0..10 {
            let (place, _) = room.enter(address(1), now).unwrap();
            place.offended(Offence::TookTheGrace, now);
            if let Some((place, _)) = room.enter(address(2), now) {
                place.offended(Offence::TookTheGrace, now);
            }
        }
        assert!(room.enter(address(2), now).is_none());
        assert!(room.enter(address(1), now).is_some());
    }

    #[test]
    fn what_is_known_and_what_is_told_is_bounded() {
        let (room, now) = (room(8, 8), Instant::now());
        for number in 0..3_000_u32 {
            let address = IpAddr::V4((0x0A00_0000 + number).into());
            room.enter(address, now).unwrap().0.logged_in();
        }
        assert_eq!(room.state().known.len(), KNOWN_MAX);
        let told = (0..100).filter(|_| room.may_tell(now).is_some()).count();
        assert_eq!(told, usize::try_from(LINES_MAX).unwrap());
        assert_eq!(room.may_tell(now + LINES_EVERY), Some(70));
    }
}
