//! One direction of one connection: a thread that reads and one that writes when the time has come, with a bounded queue
//! between them. The lane is shared by all connections of the line, because a narrow line is narrow for all of them.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Way;

/// Largest piece that is carried at once: small enough that a narrow line has a fine grain.
const PIECE_BYTES_MAX: usize = 16 * 1024;
/// What a wide line holds: more than any window at any delay of these tests.
const HELD_BYTES_MAX: usize = 64 << 20;
/// What a narrow line holds before its sender must wait: a second of it, but not less than this.
const HELD_BYTES_MIN: u64 = 16 * 1024;
/// How often a waiting thread looks again whether it is to stop.
const GLANCE: Duration = Duration::from_millis(50);

/// What all connections share in one direction.
#[derive(Default)]
pub(super) struct Lane {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    way: Way,
    carried: u64,
    /// How many bytes may still pass before the cut.
    left: Option<u64>,
    /// When the narrow line is free again.
    free_at: Option<Instant>,
    /// The state of the generator behind the jitter.
    seed: u64,
}

impl Lane {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, way: Way) {
        self.state().way = way;
        self.wake();
    }

    pub(super) fn wake(&self) {
        self.changed.notify_all();
    }

    pub(super) fn cut_after(&self, bytes: u64) {
        self.state().left = Some(bytes);
    }

    pub(super) fn cut_is_pending(&self) -> bool {
        self.state().left.is_some()
    }

    pub(super) fn carried(&self) -> u64 {
        self.state().carried
    }

    /// Counts bytes that were read; how many of them pass, and whether the connection ends behind them.
    fn count(&self, read: usize) -> (usize, bool) {
        let mut state = self.state();
        let Some(left) = state.left else {
            state.carried = state.carried.saturating_add(wide(read));
            return (read, false);
        };
        let passed = left.min(wide(read));
        state.carried = state.carried.saturating_add(passed);
        let left = left.saturating_sub(passed);
        state.left = (left > 0).then_some(left);
        (usize::try_from(passed).unwrap_or(read), left == 0)
    }

    /// When a piece that was read now arrives.
    fn due(&self) -> Instant {
        let mut state = self.state();
        state.seed = state
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let thousandths = u32::try_from((state.seed >> 33) % 1000).unwrap_or(0);
        let jitter = state.way.jitter.saturating_mul(thousandths) / 1000;
        Instant::now() + state.way.delay + jitter
    }

    fn held_bytes_max(&self) -> usize {
        let narrow = self.state().way.bytes_per_sec;
        narrow.map_or(HELD_BYTES_MAX, |rate| {
            usize::try_from(rate.max(HELD_BYTES_MIN)).unwrap_or(HELD_BYTES_MAX)
        })
    }

    /// Waits until a piece may leave; false when it never will.
    fn leave(&self, due: Instant, bytes: usize, stopped: &dyn Fn() -> bool) -> bool {
        let mut state = self.state();
        let mut reserved = None;
        loop {
            if stopped() {
                return false;
            }
            let now = Instant::now();
            let mut until = reserved.unwrap_or(due);
            if !state.way.blocked && now >= until {
                match (state.way.bytes_per_sec, reserved) {
                    (Some(rate), None) => {
                        let begun = state.free_at.map_or(now, |free| free.max(now));
                        let nanos = wide(bytes).saturating_mul(1_000_000_000) / rate.max(1);
                        until = begun + Duration::from_nanos(nanos);
                        state.free_at = Some(until);
                        reserved = Some(until);
                    }
                    _ => return true,
                }
            }
            let wait = until.saturating_duration_since(now).min(GLANCE);
            let wait = if state.way.blocked { GLANCE } else { wait };
            state = self
                .changed
                .wait_timeout(state, wait)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

/// What was read and has not left.
#[derive(Default)]
struct Held {
    pieces: VecDeque<(Instant, Vec<u8>)>,
    bytes: usize,
    ended: bool,
}

/// Carries until the sender closes, its line is cut or `stopped` says so; then says so to the receiver, which has all that was
/// carried until then. What can no longer be delivered is thrown away: a cut is no reset, which would take back what arrived. A
/// direction that only fell silent closes nothing: its sockets belong to the line.
pub(super) fn pump(
    lane: &Lane,
    (from, to): (TcpStream, TcpStream),
    stopped: &(dyn Fn() -> bool + Sync),
) {
    let held = (Mutex::new(Held::default()), Condvar::new());
    std::thread::scope(|scope| {
        scope.spawn(|| write(lane, &held, &to, stopped));
        read(lane, &held, &from, stopped);
    });
}

type Queue = (Mutex<Held>, Condvar);

fn read(lane: &Lane, held: &Queue, from: &TcpStream, stopped: &dyn Fn() -> bool) {
    let mut buffer = vec![0; PIECE_BYTES_MAX];
    let mut reader = from;
    loop {
        let read = reader.read(&mut buffer).unwrap_or(0);
        let (passed, cut) = lane.count(read);
        if cut {
            let _ended = from.shutdown(Shutdown::Both);
        }
        let piece = buffer.get(..passed).unwrap_or_default().to_vec();
        let mut queue = held.0.lock().unwrap_or_else(PoisonError::into_inner);
        while queue.bytes >= lane.held_bytes_max() && !stopped() {
            let waited = held.1.wait_timeout(queue, GLANCE);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        queue.bytes = queue.bytes.saturating_add(piece.len());
        queue.pieces.push_back((lane.due(), piece));
        queue.ended |= read == 0 || cut || stopped();
        held.1.notify_all();
        if queue.ended {
            return;
        }
    }
}

fn write(lane: &Lane, held: &Queue, to: &TcpStream, stopped: &dyn Fn() -> bool) {
    let (mut writer, mut deaf) = (to, false);
    loop {
        let mut queue = held.0.lock().unwrap_or_else(PoisonError::into_inner);
        while queue.pieces.is_empty() && !queue.ended && !stopped() {
            let waited = held.1.wait_timeout(queue, GLANCE);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let next = queue.pieces.pop_front();
        drop(queue);
        let Some((due, piece)) = next.filter(|_| !stopped()) else {
            break;
        };
        if !lane.leave(due, piece.len(), stopped) {
            break;
        }
        deaf = deaf || writer.write_all(&piece).is_err();
        let mut queue = held.0.lock().unwrap_or_else(PoisonError::into_inner);
        queue.bytes = queue.bytes.saturating_sub(piece.len());
        held.1.notify_all();
    }
    if !stopped() {
        let _ended = writer.shutdown(Shutdown::Write);
    }
}

fn wide(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
