//! When an item of the outbox is settled: nobody writes it any more, as far as anybody can see. Pure.
//!
//! Moved in: at once. Closed after writing: 200 ms later. No event: unchanged for the quiet period. A write seen without its
//! close: never. Not visible to any daemon: writers on another machine of a network share, and memory maps; the manual says so.

use std::time::Duration;

use crate::watch::Heard;

/// A writer that closes and reopens (editors, `rsync --inplace`) is given this long.
const AFTER_CLOSE: Duration = Duration::from_millis(200);

/// How long an item must be unchanged when no event speaks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quiet {
    /// A file.
    pub files: Duration,
    /// A folder: copying one has pauses between its files.
    pub folders: Duration,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// It may be claimed.
    Settled,
    /// Ask again after so long.
    For(Duration),
}

/// Whether an item is settled. `heard` is what events say of it, `unchanged_for` what the scans say.
#[must_use]
pub fn settled(
    is_folder: bool,
    heard: Option<Heard>,
    unchanged_for: Duration,
    now_millis: u64,
    quiet: Quiet,
) -> Wait {
    let quiet_period = if is_folder {
        quiet.folders
    } else {
        quiet.files
    };
    match heard {
        Some(Heard::MovedIn { .. }) => Wait::Settled,
        Some(Heard::Closed { at_millis }) if !is_folder => after(
            Duration::from_millis(now_millis.saturating_sub(at_millis)),
            AFTER_CLOSE,
        ),
        Some(Heard::Writing) if !is_folder => Wait::For(quiet_period),
        None | Some(Heard::Closed { .. } | Heard::Writing) => after(unchanged_for, quiet_period),
    }
}

fn after(passed: Duration, needed: Duration) -> Wait {
    match needed.checked_sub(passed) {
        Some(rest) if !rest.is_zero() => Wait::For(rest),
        Some(_) | None => Wait::Settled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Quiet = Quiet {
        files: Duration::from_secs(2),
        folders: Duration::from_secs(60),
    };

    fn file(heard: Option<Heard>, unchanged_secs: u64) -> Wait {
        settled(
            false,
            heard,
            Duration::from_secs(unchanged_secs),
            10_000,
            QUIET,
        )
    }

    #[test]
    fn what_was_moved_in_is_settled_at_once() {
        assert_eq!(
            file(Some(Heard::MovedIn { at_millis: 10_000 }), 0),
            Wait::Settled
        );
        assert_eq!(
            settled(
                true,
                Some(Heard::MovedIn { at_millis: 10_000 }),
                Duration::ZERO,
                10_000,
                QUIET
            ),
            Wait::Settled
        );
    }

    #[test]
    fn what_was_closed_is_settled_after_a_fifth_of_a_second() {
        assert_eq!(
            file(Some(Heard::Closed { at_millis: 9_900 }), 0),
            Wait::For(Duration::from_millis(100))
        );
        assert_eq!(
            file(Some(Heard::Closed { at_millis: 9_800 }), 0),
            Wait::Settled
        );
    }

    #[test]
    fn a_write_without_its_close_is_never_settled() {
        assert_eq!(file(Some(Heard::Writing), 3_600), Wait::For(QUIET.files));
    }

    #[test]
    fn without_events_the_quiet_period_decides() {
        assert_eq!(file(None, 1), Wait::For(Duration::from_secs(1)));
        assert_eq!(file(None, 2), Wait::Settled);
    }

    #[test]
    fn a_folder_that_was_not_moved_in_waits_for_its_own_quiet_period() {
        let folder = |secs| {
            settled(
                true,
                Some(Heard::Closed { at_millis: 0 }),
                Duration::from_secs(secs),
                10_000,
                QUIET,
            )
        };
        assert_eq!(folder(59), Wait::For(Duration::from_secs(1)));
        assert_eq!(folder(60), Wait::Settled);
    }
}
