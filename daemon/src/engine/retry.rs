//! When to try again: doubling waits with jitter, bounded. Pure: randomness is an argument.
//! There is no last attempt here: when a bundle may no longer be handed over is a matter of its `expires`, not of
//! failures.

use std::time::Duration;

/// First wait after a failure.
pub const RETRY_SECS_FIRST: u64 = 1;
/// Longest wait between attempts: a peer that is back is found within a minute.
pub const RETRY_SECS_MAX: u64 = 60;

/// The wait after `failures` in a row (1, 2, …); `random` in 0..=u32::MAX spreads it between half and the whole, so
/// that many that failed together do not come back together.
#[must_use]
pub fn wait_after(failures: u32, random: u32) -> Duration {
    let doublings = failures.saturating_sub(1);
    let secs = 2_u64
        .checked_pow(doublings)
        .and_then(|factor| RETRY_SECS_FIRST.checked_mul(factor))
        .map_or(RETRY_SECS_MAX, |secs| secs.min(RETRY_SECS_MAX));
    let half_millis = secs * 500;
    Duration::from_millis(half_millis + half_millis * u64::from(random) / u64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let secs: Vec<_> = (1..=8)
            .map(|failures| wait_after(failures, u32::MAX).as_secs())
            .collect();
        assert_eq!(secs, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    #[test]
    fn jitter_stays_between_half_and_the_whole() {
        assert_eq!(wait_after(3, 0), Duration::from_secs(2));
        let middle = wait_after(3, u32::MAX / 2);
        assert!(middle > Duration::from_secs(2) && middle < Duration::from_secs(4));
    }

    #[test]
    fn any_number_of_failures_is_bounded() {
        for failures in [0, 64, 65, u32::MAX] {
            let wait = wait_after(failures, u32::MAX);
            assert!(wait <= Duration::from_secs(RETRY_SECS_MAX), "{failures}");
            assert!(wait_after(failures, 0) >= Duration::from_millis(500));
        }
    }
}
