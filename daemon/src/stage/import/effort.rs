//! How much computing one bundle may cost before it is refused: P11. The lengths that its manifest declares bound what comes
//! out of it; this bounds what it takes, whatever age, zstd and tar are led to do. FORMAT.md §7.
//!
//! Counted is the time that the two threads of an opening compute, not the time that passes: a slow disk, a full store and a
//! machine with much else to do are nobody's fault.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::ThreadId;
use std::time::Duration;

use amanah_format::manifest::Manifest;
use rustix::time::{ClockId, clock_gettime};

/// For any bundle: a small one on a machine that is a hundred times slower than those that were measured.
const BASE: Duration = Duration::from_secs(60);
/// For each GiB declared, sealed and unsealed together: measured are 1 to 5 s.
const PER_GIB: Duration = Duration::from_secs(20);
/// The same where rows are checked, and of a short table written, on the opening's thread: some 4 µs each, and the shortest have a few
/// bytes. What another thread writes is not counted: as many rows as were checked.
const PER_GIB_OF_ROWS: Duration = Duration::from_secs(1_200);
const GIB: u64 = 1 << 30;

/// The effort for one opening, begun on the thread that makes it.
pub(super) struct Effort {
    most: Duration,
    owner: ThreadId,
    began: Duration,
    /// Nanoseconds computed on the owner's thread, and on the one that reads ahead of it.
    here: AtomicU64,
    ahead: AtomicU64,
}

impl Effort {
    /// What the lengths in this manifest allow.
    pub(super) fn of(manifest: &Manifest) -> Self {
        let declared = manifest
            .payload
            .bytes
            .saturating_add(manifest.contents.bytes);
        Self::at_most(crate::plant::effort(allowed(declared)))
    }

    /// The same for a table whose rows go into a database.
    pub(super) fn of_rows(manifest: &Manifest) -> Self {
        let bytes = manifest.contents.bytes;
        let sealed = allowed(manifest.payload.bytes.saturating_add(bytes));
        let rows = share(bytes, PER_GIB_OF_ROWS);
        Self::at_most(crate::plant::effort(sealed.saturating_add(rows)))
    }

    fn at_most(most: Duration) -> Self {
        Self {
            most,
            owner: std::thread::current().id(),
            began: computed(),
            here: AtomicU64::new(0),
            ahead: AtomicU64::new(0),
        }
    }

    /// Whether more than that was computed. Asked on the owner's thread and on one other, which began with the opening.
    pub(super) fn is_spent(&self) -> bool {
        let now = computed();
        let is_owner = std::thread::current().id() == self.owner;
        let (own, computed) = if is_owner {
            (&self.here, now.saturating_sub(self.began))
        } else {
            (&self.ahead, now)
        };
        let nanos = u64::try_from(computed.as_nanos()).unwrap_or(u64::MAX);
        own.store(nanos, Ordering::Relaxed);
        let both = [&self.here, &self.ahead].map(|nanos| nanos.load(Ordering::Relaxed));
        let [here, ahead] = both.map(Duration::from_nanos);
        here.saturating_add(ahead) > self.most
    }
}

/// For so many declared bytes.
fn allowed(bytes: u64) -> Duration {
    BASE.saturating_add(share(bytes, PER_GIB))
}

fn share(bytes: u64, per_gib: Duration) -> Duration {
    let millis = u128::from(bytes) * per_gib.as_millis() / u128::from(GIB);
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

/// How long this thread has computed since it began.
fn computed() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let secs = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(secs, nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_may_cost_a_minute_and_twenty_seconds_per_gib() {
        for (bytes, secs) in [(0, 60), (GIB, 80), (10 * GIB, 260)] {
            assert_eq!(allowed(bytes), Duration::from_secs(secs));
        }
        assert!(allowed(u64::MAX) > Duration::from_secs(1 << 34));
    }

    /// Computes for a while; time that passes without computing does not count.
    fn compute(until: impl Fn() -> bool) {
        let mut state = 1_u64;
        for _ in 0..1_000_000 {
            if until() {
                return;
            }
            for _ in 0..10_000 {
                state = std::hint::black_box(state.wrapping_mul(3));
            }
        }
        panic!("it is never spent");
    }

    #[test]
    fn what_either_thread_computes_counts_and_what_came_before_does_not() {
        compute(|| computed() > Duration::from_millis(30));
        let effort = Effort::at_most(Duration::from_millis(20));
        assert!(!effort.is_spent(), "what this thread did before");
        std::thread::scope(|scope| {
            scope.spawn(|| compute(|| effort.is_spent()));
        });
        assert!(effort.is_spent(), "what the other thread did");
        let effort = Effort::at_most(Duration::from_millis(20));
        compute(|| effort.is_spent());
    }
}
