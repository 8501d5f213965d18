//! What is left alone for a while because it failed: each time twice as long, for only somebody's hand or a machine that heals
//! changes the outcome, and each attempt costs something.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// How long the first time …
const WAIT: Duration = Duration::from_secs(10);
/// … and at most.
const WAIT_MAX: Duration = Duration::from_secs(600);

/// How often each failed, and until when it is left alone.
pub(super) struct LeftAlone<K>(HashMap<K, (u32, Instant)>);

impl<K> Default for LeftAlone<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq> LeftAlone<K> {
    /// It failed, perhaps again.
    pub(super) fn add(&mut self, key: K) {
        let times = self.0.get(&key).map_or(0, |(times, _)| *times);
        let factor = 2_u32.checked_pow(times).unwrap_or(u32::MAX);
        let wait = WAIT.saturating_mul(factor).min(WAIT_MAX);
        self.0
            .insert(key, (times.saturating_add(1), Instant::now() + wait));
    }

    /// Whether its time has not come yet.
    pub(super) fn has(&self, key: &K) -> bool {
        let until = self.0.get(key).map(|(_, until)| *until);
        until.is_some_and(|until| until > Instant::now())
    }

    /// It does not fail any more.
    pub(super) fn remove(&mut self, key: &K) {
        self.0.remove(key);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets all of which `is_there` says no.
    pub(super) fn retain(&mut self, is_there: impl Fn(&K) -> bool) {
        self.0.retain(|key, _| is_there(key));
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// How long until the next one's time comes.
    pub(super) fn next(&self) -> Option<Duration> {
        let next = self.0.values().map(|(_, until)| *until).min();
        next.map(|next| next.saturating_duration_since(Instant::now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_again_is_left_alone_longer_but_not_for_ever() {
        let mut alone = LeftAlone::default();
        let mut waits = Vec::new();
        assert!(!alone.has(&"x") && alone.next().is_none());
        for _ in 0..40 {
            let before = Instant::now();
            alone.add("x");
            waits.push(alone.0["x"].1.duration_since(before).as_secs());
        }
        assert_eq!(waits[..3], [10, 20, 40]);
        assert_eq!(waits[39], WAIT_MAX.as_secs());
        assert!(alone.has(&"x") && alone.next().is_some());
        alone.retain(|key| *key != "y");
        assert!(alone.has(&"x"));
        alone.remove(&"x");
        assert!(!alone.has(&"x"));
    }
}
