//! When to try again: exponential backoff with full jitter, bounded; and how a lane yields. Pure: randomness is an argument.

use std::time::Duration;

/// First wait after a failure.
pub const RETRY_SECS_FIRST: u64 = 1;
/// Longest wait between attempts: a peer that is back is found within a minute.
pub const RETRY_SECS_MAX: u64 = 60;
/// The wait after `failures` in a row (1, 2, …); `random` in 0..=u32::MAX spreads it between half and the whole.
#[must_use]
pub fn wait_after(failures: u32, random: u32) -> Duration { todo!() }
