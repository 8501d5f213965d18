//! Floor 1: pure decisions. Time, policy and past come in as arguments, a value goes out; recovery is the fold of the
//! journal. Nothing here reads a clock, a file or a random number.

pub mod gate;
pub mod inbound;
pub mod outbound;
pub mod policy;
pub mod retry;
pub mod rhythm;
pub mod stream;
pub mod witness;

/// An event that cannot happen in a state: a bug of ours, never a peer's doing. The caller halts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{event} cannot happen to a bundle that is {state}")]
pub struct Illegal {
    /// Where it stood.
    pub state: &'static str,
    /// What was to happen.
    pub event: &'static str,
}
