//! Progress: a campaign that takes long says once a minute how far it is, and how long it will take at this pace. A short one says
//! nothing.

use std::time::{Duration, Instant};

/// Between two lines.
const EVERY: Duration = Duration::from_secs(60);

/// How far a campaign is.
pub(super) struct Progress {
    campaign: &'static str,
    count: u64,
    begun: Instant,
    told: Instant,
}

impl Progress {
    /// Of a campaign that begins now.
    pub(super) fn of(campaign: &'static str, count: u64) -> Self {
        let now = Instant::now();
        Self {
            campaign,
            count,
            begun: now,
            told: now,
        }
    }

    /// So many are done.
    pub(super) fn at(&mut self, done: u64) {
        if done == 0 || self.told.elapsed() < EVERY {
            return;
        }
        self.told = Instant::now();
        let spent = self.begun.elapsed().as_secs();
        let left = spent.saturating_mul(self.count.saturating_sub(done)) / done;
        let Self {
            campaign, count, ..
        } = self;
        println!("{campaign}: {done} of {count} after {spent} s, some {left} s left");
    }
}
