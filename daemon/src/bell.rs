//! A bell: events ring it, a loop waits for it and then looks for work itself. Rings are counted, so none is lost
//! between a look and a wait; many rings are one. Threads and tasks may both wait.

use std::time::Duration;

/// Cloning gives another handle to the same bell.
#[derive(Clone, Debug, Default)]
pub struct Bell(std::sync::Arc<()>);

/// What a waiter has heard so far: give it back to the next wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard(u64);

impl Bell {
    /// Rings: wakes every waiter.
    pub fn ring(&self) { todo!() }
    /// How often it rang: taken before a look for work.
    #[must_use]
    pub fn heard(&self) -> Heard { todo!() }
    /// Blocks until it rang after `heard`, or `timeout` passed. True when it rang.
    pub fn wait(&self, heard: Heard, timeout: Duration) -> bool { todo!() }
    /// The same for tasks.
    pub async fn waited(&self, heard: Heard, timeout: Duration) -> bool { todo!() }
}
