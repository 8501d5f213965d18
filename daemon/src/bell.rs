//! A bell: events ring it, a loop waits for it and then looks for work itself. Rings are counted, so none is lost
//! between a look and a wait; many rings are one. Threads and tasks may both wait.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// Cloning gives another handle to the same bell.
#[derive(Clone, Debug, Default)]
pub struct Bell(Arc<Count>);

/// The count of rings, kept twice: for threads under the mutex, for tasks in the channel.
#[derive(Debug, Default)]
struct Count {
    rings: Mutex<u64>,
    rang: Condvar,
    /// Written only while `rings` is locked, so that the two never disagree about the order of rings.
    seen_by_tasks: watch::Sender<u64>,
}

/// What a waiter has heard so far: give it back to the next wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard(u64);

impl Bell {
    /// Rings: wakes every waiter.
    pub fn ring(&self) {
        // A counter cannot be half written: what a panicking thread left is whole.
        let mut rings = self.0.rings.lock().unwrap_or_else(PoisonError::into_inner);
        *rings = rings.wrapping_add(1);
        self.0.seen_by_tasks.send_replace(*rings);
        self.0.rang.notify_all();
    }

    /// How often it rang: taken before a look for work.
    #[must_use]
    pub fn heard(&self) -> Heard {
        Heard(*self.0.rings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Blocks until it rang after `heard`, or `timeout` passed. True when it rang.
    pub fn wait(&self, heard: Heard, timeout: Duration) -> bool {
        let rings = self.0.rings.lock().unwrap_or_else(PoisonError::into_inner);
        let (rings, _) = self
            .0
            .rang
            .wait_timeout_while(rings, timeout, |rings| *rings == heard.0)
            .unwrap_or_else(PoisonError::into_inner);
        *rings != heard.0
    }

    /// The same for tasks.
    pub async fn waited(&self, heard: Heard, timeout: Duration) -> bool {
        let mut rings = self.0.seen_by_tasks.subscribe();
        let rang = rings.wait_for(|rings| *rings != heard.0);
        // The sender lives as long as `self`: the only other end is the timeout.
        matches!(tokio::time::timeout(timeout, rang).await, Ok(Ok(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_ring_between_the_look_and_the_wait_is_not_lost() {
        let bell = Bell::default();
        let heard = bell.heard();
        bell.clone().ring();
        assert!(bell.wait(heard, LONG));
    }

    #[test]
    fn a_ring_heard_already_wakes_nobody() {
        let bell = Bell::default();
        bell.ring();
        bell.ring();
        assert!(!bell.wait(bell.heard(), Duration::ZERO));
    }

    #[test]
    fn a_waiting_thread_is_woken() {
        let bell = Bell::default();
        let heard = bell.heard();
        let waiter = bell.clone();
        let thread = std::thread::spawn(move || waiter.wait(heard, LONG));
        bell.ring();
        assert!(thread.join().unwrap());
    }

    #[tokio::test]
    async fn tasks_hear_what_threads_ring() {
        let bell = Bell::default();
        let heard = bell.heard();
        assert!(!bell.waited(heard, Duration::ZERO).await);
        let ringer = bell.clone();
        let thread = std::thread::spawn(move || ringer.ring());
        assert!(bell.waited(heard, LONG).await);
        thread.join().unwrap();
        assert!(!bell.waited(bell.heard(), Duration::ZERO).await);
    }
}
