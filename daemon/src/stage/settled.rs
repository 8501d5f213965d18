//! When an item of the outbox is settled: nobody writes it any more, as far as anybody can see. Pure.
//!
//! Moved in: at once. Closed after writing: 200 ms later. No event: unchanged for the quiet period. A write seen without its
//! close: never. Perhaps open since before anybody listened: unwritten for five times the quiet period of files. What no daemon
//! can see is in the operator's guide.

use std::time::Duration;

use crate::watch::Heard;

/// A writer that closes and reopens (editors, `rsync --inplace`) is given this long.
const AFTER_CLOSE: Duration = Duration::from_millis(200);

/// How many times the quiet period of files a file waits of which it is not known whether somebody has it open.
const UNSURE_TIMES: u32 = 5;

/// How long an item must be unchanged when no event speaks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quiet {
    /// A file.
    pub files: Duration,
    /// A folder: copying one has pauses between its files.
    pub folders: Duration,
}

impl Quiet {
    /// A file that somebody may have had open before anybody listened: a slow line has longer pauses than a program.
    fn unsure(self) -> Duration {
        self.files.saturating_mul(UNSURE_TIMES)
    }
}

/// How long nothing has happened to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Still {
    /// For so long the scans have found it unchanged.
    pub unchanged_for: Duration,
    /// So long ago it changed last, by its own word; none: that lies in the future.
    pub changed_ago: Option<Duration>,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// It may be claimed.
    Settled,
    /// Ask again after so long.
    For(Duration),
}

/// Whether an item is settled. `heard` is what events say of it, `still` what the scans say.
#[must_use]
pub fn settled(
    is_folder: bool,
    heard: Option<Heard>,
    still: Still,
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
        Some(Heard::Writing) => Wait::For(quiet_period),
        Some(Heard::Unsure) if !is_folder => {
            let unwritten_for = still
                .unchanged_for
                .max(still.changed_ago.unwrap_or_default());
            match after(still.unchanged_for, quiet_period) {
                Wait::Settled => after(unwritten_for, quiet.unsure()),
                wait @ Wait::For(_) => wait,
            }
        }
        None | Some(Heard::Closed { .. } | Heard::Unsure) => {
            after(still.unchanged_for, quiet_period)
        }
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

    fn unchanged(secs: u64) -> Still {
        Still {
            unchanged_for: Duration::from_secs(secs),
            changed_ago: None,
        }
    }

    fn file(heard: Option<Heard>, unchanged_secs: u64) -> Wait {
        settled(false, heard, unchanged(unchanged_secs), 10_000, QUIET)
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
                unchanged(0),
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
        let folder = settled(true, Some(Heard::Writing), unchanged(3_600), 10_000, QUIET);
        assert_eq!(folder, Wait::For(QUIET.folders));
    }

    #[test]
    fn what_may_be_open_unheard_waits_for_five_quiet_periods_since_it_changed() {
        let unsure = Some(Heard::Unsure);
        assert_eq!(file(unsure, 9), Wait::For(Duration::from_secs(1)));
        assert_eq!(file(unsure, 10), Wait::Settled);
        let written = |unchanged_secs, ago| {
            let still = Still {
                changed_ago: Some(Duration::from_secs(ago)),
                ..unchanged(unchanged_secs)
            };
            settled(false, unsure, still, 10_000, QUIET)
        };
        assert_eq!(written(1, 3_600), Wait::For(Duration::from_secs(1)));
        assert_eq!(written(2, 3_600), Wait::Settled);
        assert_eq!(written(2, 7), Wait::For(Duration::from_secs(3)));
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
                unchanged(secs),
                10_000,
                QUIET,
            )
        };
        assert_eq!(folder(59), Wait::For(Duration::from_secs(1)));
        assert_eq!(folder(60), Wait::Settled);
    }
}
