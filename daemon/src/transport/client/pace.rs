//! How much may be under way at a time: what the line carries in a fifth of a second beyond its round trip, found out from what
//! was answered, so that nothing urgent queues for long behind what is large, and a long line is filled all the same. It is a
//! queue that is bounded, not a rate: what nobody else needs is used. Lower ranks give way while a higher one moves bytes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a byte of ours may queue on the way behind others of ours: handing over a bundle and fetching its receipt take some
/// ten round trips, and each of them waits so long.
const QUEUED: Duration = Duration::from_millis(200);
/// Least that is under way: two seconds of 64 kbit/s …
const BYTES_MIN: u64 = 16 << 10;
/// … what a connection begins with: it doubles with every round trip …
const BYTES_FIRST: u64 = 64 << 10;
/// … and most, whatever the line: memory must not depend on it, and what a window does not take would only wait.
pub(super) const BYTES_MAX: u64 = 8 << 20;
/// Requests are cut so that several are under way: the line is never idle while one is answered. They are not smaller than this.
const REQUESTS: u64 = 4;
const REQUEST_BYTES_MIN: u64 = 8 << 10;
/// What is left to the lower ranks while a higher one moves bytes: an eighth.
const GIVING_WAY: u64 = 8;
/// So long it is believed how long the line takes without our own queue; then one request goes alone to find out.
const BELIEVED: Duration = Duration::from_secs(20);
/// Most ranks of one direction.
const RANKS_MAX: usize = 4;

/// One direction of a connection: how many of each rank move bytes at this moment.
#[derive(Default)]
pub(super) struct Direction([AtomicUsize; RANKS_MAX]);

/// The pace of one rank in a direction. It outlives a transfer: the next one begins with what was found out.
pub(super) struct Pace {
    rank: usize,
    direction: Arc<Direction>,
    state: Mutex<State>,
}

struct State {
    bytes: u64,
    /// How long the line takes without our own queue, and since when that is believed.
    bare: Option<(Duration, Instant)>,
    /// When `bytes` was found: what was sent before tells of another.
    found: Instant,
}

/// A transfer that moves bytes. Dropped, it has ended.
pub(super) struct Moving<'a>(&'a Pace);

/// What is noted of a request when it is sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) at: Instant,
    /// What is under way with it, where that is all that may be.
    pub(super) full: Option<u64>,
    /// Whether nothing was under way before it.
    pub(super) alone: bool,
}

impl Direction {
    /// One pace for each of `N` ranks, the highest first.
    pub(super) fn paces<const N: usize>() -> [Pace; N] {
        let direction = Arc::new(Self::default());
        std::array::from_fn(|rank| Pace {
            rank,
            direction: Arc::clone(&direction),
            state: Mutex::new(State {
                bytes: BYTES_FIRST,
                bare: None,
                found: Instant::now(),
            }),
        })
    }

    fn count(&self, rank: usize) -> Option<&AtomicUsize> {
        self.0.get(rank)
    }

    fn is_higher_moving(&self, rank: usize) -> bool {
        let higher = self.0.iter().take(rank);
        higher
            .into_iter()
            .any(|count| count.load(Ordering::Relaxed) > 0)
    }
}

impl Pace {
    /// A transfer begins.
    pub(super) fn begin(&self) -> Moving<'_> {
        if let Some(count) = self.direction.count(self.rank) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        Moving(self)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gives_way(&self) -> bool {
        self.direction.is_higher_moving(self.rank)
    }
}

impl Moving<'_> {
    /// How many bytes may be under way now.
    pub(super) fn bytes_max(&self) -> u64 {
        let bytes = self.0.state().bytes;
        if self.0.gives_way() {
            (bytes / GIVING_WAY).max(REQUEST_BYTES_MIN)
        } else {
            bytes
        }
    }

    /// How long a request should be: one that measures the line is short, so as not to measure itself.
    pub(super) fn request_bytes(&self, now: Instant) -> u64 {
        if self.is_to_be_measured(now) {
            return REQUEST_BYTES_MIN;
        }
        (self.bytes_max() / REQUESTS).max(REQUEST_BYTES_MIN)
    }

    /// Whether the next request should go alone.
    pub(super) fn is_to_be_measured(&self, now: Instant) -> bool {
        let bare = self.0.state().bare;
        bare.is_some_and(|(_, since)| now.saturating_duration_since(since) > BELIEVED)
    }

    /// A request was answered.
    pub(super) fn answered(&self, sent: Sent, now: Instant) {
        let gives_way = self.0.gives_way();
        let took = now.saturating_duration_since(sent.at);
        let mut state = self.0.state();
        state.bare = match state.bare {
            Some((bare, since)) if now.saturating_duration_since(since) <= BELIEVED => {
                let shortest = bare.min(took);
                Some((shortest, if took == shortest { now } else { since }))
            }
            Some((bare, since)) if !sent.alone => Some((bare.min(took), since)),
            Some(_) | None => Some((took, now)),
        };
        let bare = state.bare.map_or(took, |(bare, _)| bare);
        if let Some(full) = sent.full
            && sent.at >= state.found
            && !gives_way
        {
            let found = carried(full, bare.saturating_add(queued(bare)), took);
            let (least, most) = (state.bytes / 2, state.bytes.saturating_mul(2));
            state.bytes = found.clamp(least, most).clamp(BYTES_MIN, BYTES_MAX);
            state.found = now;
        }
    }
}

impl Drop for Moving<'_> {
    fn drop(&mut self) {
        if let Some(count) = self.0.direction.count(self.0.rank) {
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// On a line that is itself slow to answer, half of what it takes: less would be found too slowly.
fn queued(bare: Duration) -> Duration {
    QUEUED.max(bare / 2)
}

/// What a line carries in `within` that took so long for `bytes`.
fn carried(bytes: u64, within: Duration, took: Duration) -> u64 {
    let bytes = u128::from(bytes).saturating_mul(within.as_micros());
    u64::try_from(bytes / took.as_micros().max(1)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line that carries so much in a second, and how long a byte is on the way; the transfer fills what it may.
    fn after_a_while(pace: &Pace, bytes_per_sec: u64, round_trip: Duration) -> (u64, Duration) {
        let (moving, mut now) = (pace.begin(), Instant::now());
        let mut took = Duration::ZERO;
        for _ in 0..400 {
            let full = moving.bytes_max();
            let carrying = Duration::from_micros(full * 1_000_000 / bytes_per_sec);
            let request =
                Duration::from_micros(moving.request_bytes(now) * 1_000_000 / bytes_per_sec);
            let alone = moving.is_to_be_measured(now) || took.is_zero();
            took = if alone {
                round_trip + request
            } else {
                carrying.max(round_trip + request)
            };
            let sent = Sent {
                at: now,
                full: (!alone).then_some(full),
                alone,
            };
            now += took;
            moving.answered(sent, now);
        }
        (moving.bytes_max(), took)
    }

    #[test]
    fn what_is_under_way_is_a_moment_of_the_line_and_what_a_long_line_needs() {
        for (bytes_per_sec, millis) in [(8_000, 100), (32_000, 50), (250_000, 600), (2_000_000, 20)]
        {
            let [pace] = Direction::paces();
            let round_trip = Duration::from_millis(millis);
            let (bytes, took) = after_a_while(&pace, bytes_per_sec, round_trip);
            let needed = bytes_per_sec * millis / 1_000;
            assert!(bytes >= needed.min(BYTES_MAX), "{bytes_per_sec}: {bytes}");
            // On the narrowest line the least that may be under way is two seconds, and a request is one of them.
            let least = Duration::from_micros(BYTES_MIN * 1_000_000 / bytes_per_sec);
            let most = queued(round_trip) + round_trip + least;
            assert!(took <= most, "{bytes_per_sec}: {took:?}, {most:?}");
        }
    }

    #[test]
    fn a_wide_and_long_line_is_filled() {
        let [pace] = Direction::paces();
        let (bytes, _) = after_a_while(&pace, 100_000_000, Duration::from_millis(100));
        assert_eq!(bytes, BYTES_MAX);
    }

    #[test]
    fn a_line_that_becomes_longer_is_believed_before_long() {
        let [pace] = Direction::paces();
        after_a_while(&pace, 1_000_000, Duration::from_millis(10));
        let (bytes, _) = after_a_while(&pace, 1_000_000, Duration::from_secs(3));
        assert!(bytes >= 3_000_000, "{bytes}");
    }

    #[test]
    fn lower_ranks_give_way_as_long_as_a_higher_one_moves() {
        let [urgent, normal, bulk] = Direction::paces();
        after_a_while(&bulk, 100_000_000, Duration::from_millis(100));
        let moving = bulk.begin();
        assert_eq!(moving.bytes_max(), BYTES_MAX);
        let higher = normal.begin();
        assert_eq!(moving.bytes_max(), BYTES_MAX / GIVING_WAY);
        assert_eq!(higher.bytes_max(), BYTES_FIRST);
        drop(higher);
        assert_eq!(moving.bytes_max(), BYTES_MAX);
        let highest = urgent.begin();
        assert_eq!(highest.bytes_max(), BYTES_FIRST);
        assert_eq!(moving.bytes_max(), BYTES_MAX / GIVING_WAY);
    }
}
