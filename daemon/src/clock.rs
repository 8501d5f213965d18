//! The one place that reads the clock. Below the stages, time is an argument.

use amanah_format::time::UtcTime;

/// The system's clock; tests may shift it.
#[derive(Clone, Debug, Default)]
pub struct Clock { shift_secs: i64 }
impl Clock {
    /// Now, to the second.
    #[must_use]
    pub fn now(&self) -> UtcTime { todo!() }
    /// Milliseconds since 1970, for bundle ids and durations shown to people.
    #[must_use]
    pub fn unix_millis(&self) -> u64 { todo!() }
    /// A clock that is wrong by `secs`.
    #[must_use]
    pub fn shifted(secs: i64) -> Self { Self { shift_secs: secs } }
}
