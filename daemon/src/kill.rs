//! Kill points: named instants of SPOOL.md at which a test lets the process die as if by SIGKILL.
//! Without the feature `kill-points` (no shipped binary has it) a point is nothing at all.

/// With the feature: dies here when the environment variable `AMANAH_KILL_AT` is this name (`NAME` or `NAME:n` for the n-th passing).
#[inline(always)]
pub fn point(name: &'static str) {
    #[cfg(feature = "kill-points")]
    todo!("{name}");
    #[cfg(not(feature = "kill-points"))]
    let _ = name;
}
