//! The gate before sealing: may a number be given to a peer's stream in this life of the process? Pure.
//!
//! A home restored from an old copy does not know it. Its peer does, and says so when it is asked at each start. Nothing
//! on this machine proves that the journal is the newest one: a copy of the whole disk copies every proof with it. So
//! the answer is waited for; where there is a reason for doubt without end, otherwise as long as it costs nothing.
//! SPOOL.md §2 has the rules.

/// A peer that is not connected so long after the start is away, and what is sealed goes nowhere yet. A peer that dials
/// us is back within this time after an ordinary restart.
pub const AWAY_SECS: u64 = 3;
/// A peer that is connected and has not answered after so long does not know of the question.
pub const SILENT_SECS: u64 = 30;

/// What has been seen of a peer since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// It has said how far it has seen, in answer to this start's question; or the sysadmin vouched for this home.
    pub answered: bool,
    /// There is a reason to think that this home is a copy.
    pub doubted: bool,
    /// It is connected, directly.
    pub connected: bool,
    /// An attempt to reach it failed.
    pub unreachable: bool,
}

/// Whether a number may be given to a stream of this peer, so long after the start.
#[must_use]
pub const fn may_seal(seen: Seen, since_start_secs: u64) -> bool {
    if seen.answered {
        return true;
    }
    if seen.doubted {
        return false;
    }
    if seen.connected {
        return since_start_secs >= SILENT_SECS;
    }
    seen.unreachable || since_start_secs >= AWAY_SECS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_doubt_only_an_answer_opens_it_however_long_it_takes() {
        let doubted = Seen {
            doubted: true,
            ..Seen::default()
        };
        for seen in [
            doubted,
            Seen {
                connected: true,
                ..doubted
            },
            Seen {
                unreachable: true,
                ..doubted
            },
        ] {
            assert!(!may_seal(seen, u64::MAX));
            let answered = Seen {
                answered: true,
                ..seen
            };
            assert!(may_seal(answered, 0));
        }
    }

    #[test]
    fn without_doubt_a_peer_that_is_away_or_silent_blocks_nothing_for_ever() {
        let fresh = Seen::default();
        assert!(!may_seal(fresh, AWAY_SECS - 1));
        assert!(may_seal(fresh, AWAY_SECS));
        let unreachable = Seen {
            unreachable: true,
            ..fresh
        };
        assert!(may_seal(unreachable, 0));
        let connected = Seen {
            connected: true,
            ..unreachable
        };
        assert!(!may_seal(connected, SILENT_SECS - 1));
        assert!(may_seal(connected, SILENT_SECS));
    }
}
