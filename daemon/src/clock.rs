//! The one place that reads the clock. Below the stages, time is an argument; only the journal takes the milliseconds
//! of a change from here, because a moment in the formats is whole seconds.

use std::time::{SystemTime, UNIX_EPOCH};

use amanah_format::time::UtcTime;

/// 9999-12-31T23:59:59Z, the last second that a time of the formats can name.
const UNIX_SECS_MAX: i64 = 253_402_300_799;

/// The system's clock; tests may shift it.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    shift_secs: i64,
}

impl Clock {
    /// Now, to the second.
    #[must_use]
    pub fn now(&self) -> UtcTime {
        let secs = i64::try_from(self.unix_millis() / 1000).unwrap_or(i64::MAX);
        UtcTime::from_unix(secs.min(UNIX_SECS_MAX)).unwrap_or_else(|error| {
            // INVARIANT: the seconds come from a u64 and are bounded, so they lie in the years 1970 to 9999.
            unreachable!("a bounded moment is a time: {error}")
        })
    }

    /// Milliseconds since 1970, for bundle ids and durations shown to people.
    #[must_use]
    pub fn unix_millis(&self) -> u64 {
        // A clock before 1970 reads as 1970: no key is valid then, so nothing is taken or sent.
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        millis.saturating_add_signed(self.shift_secs.saturating_mul(1000))
    }

    /// A clock that is wrong by `secs`.
    #[must_use]
    pub fn shifted(secs: i64) -> Self {
        Self { shift_secs: secs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shifted_clock_is_wrong_by_that_much() {
        let right = Clock::default().now();
        let wrong = Clock::shifted(3600).now();
        let ahead = wrong.unix() - right.unix();
        assert!((3600..3660).contains(&ahead), "{ahead}");
    }

    #[test]
    fn a_shift_beyond_all_time_stays_a_time() {
        assert_eq!(Clock::shifted(i64::MIN).now().unix(), 0);
        assert_eq!(Clock::shifted(i64::MAX).now().unix(), UNIX_SECS_MAX);
    }
}
