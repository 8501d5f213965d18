//! Streams: what is missing in one that comes in, when to ask for it, what is given to a peer that asks, and what a peer's
//! position says of one that goes out. Pure. FORMAT.md §9.4, §14.1.

use amanah_format::digest::Digest;
use amanah_format::id::{AgreementId, Epoch, FlowName, PartyId, Sequence};
use amanah_format::limits::SEQUENCE_AHEAD_MAX;
use amanah_format::slip::VoidReason;

use super::outbound::Outbound;

/// Numbers asked for at once: as many as may be ahead of a gap, so one request tells of all that a receiver has room for.
const ASKED_NUMBERS_MAX: u64 = SEQUENCE_AHEAD_MAX;
/// Slips of one request: each is a run of numbers; a stream with more holes is mended from its beginning.
const ASKED_RUNS_MAX: usize = 16;
/// The second request comes after so long: a minute is many round trips, also through a blind drop …
const ASK_SECS_FIRST: u64 = 60;
/// … and each later one after twice as long, up to this: the sender gives a bundle once an hour at most.
const ASK_SECS_MAX: u64 = 3_600;

/// A stream of one peer, in either direction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamKey {
    /// Who is at the other end.
    pub peer: PartyId,
    /// Its agreement.
    pub agreement: AgreementId,
    /// Its flow.
    pub flow: FlowName,
    /// Its epoch.
    pub epoch: Epoch,
}

/// The runs of numbers that are missing beyond `contiguous` and up to `until`; `held` are those there, rising. At most
/// so many numbers and runs as one request may name, the first ones.
#[must_use]
pub fn missing(contiguous: u64, until: u64, held: &[u64]) -> Vec<(u64, u64)> {
    let mut runs = Vec::new();
    let mut next = contiguous.saturating_add(1);
    let until = until.min(contiguous.saturating_add(ASKED_NUMBERS_MAX));
    for there in held.iter().copied().chain([until.saturating_add(1)]) {
        let last = there.saturating_sub(1).min(until);
        if runs.len() == ASKED_RUNS_MAX || next > until {
            break;
        }
        if next <= last {
            runs.push((next, last));
        }
        next = next.max(there.saturating_add(1));
    }
    runs
}

/// How long after the `times`-th request (1, 2, …) the next may come.
#[must_use]
pub fn ask_again_after(times: u32) -> u64 {
    let doubled = 2_u64.checked_pow(times.saturating_sub(1));
    let secs = doubled.and_then(|factor| ASK_SECS_FIRST.checked_mul(factor));
    secs.map_or(ASK_SECS_MAX, |secs| secs.min(ASK_SECS_MAX))
}

/// What is given for a number that the peer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Give {
    /// Nothing: it is on its way anyway, or it was never sealed.
    Nothing,
    /// The bundle, which waits for its receipt: the same bytes.
    Bundle,
    /// Its receipt first, then the bundle.
    ReceiptAndBundle,
    /// Its receipt; the bundle was destroyed after the agreed days.
    Receipt,
    /// It should be here, and is not: an alarm.
    Lost,
}

/// What to give of a bundle of ours in `state`; `is_there`: its sealed bytes lie in queue or archive.
#[must_use]
pub const fn give(state: Outbound, is_there: bool) -> Give {
    match state {
        Outbound::Claiming
        | Outbound::Claimed
        | Outbound::Sealed
        | Outbound::Signed
        | Outbound::PutBack => Give::Nothing,
        Outbound::Queued | Outbound::HandedOver if is_there => Give::Bundle,
        Outbound::Queued | Outbound::HandedOver => Give::Lost,
        Outbound::Imported | Outbound::Refused | Outbound::Settled | Outbound::Returned
            if is_there =>
        {
            Give::ReceiptAndBundle
        }
        Outbound::Imported
        | Outbound::Refused
        | Outbound::Settled
        | Outbound::Returned
        | Outbound::Destroyed => Give::Receipt,
    }
}

/// Where a stream of ours stands here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Own {
    /// The epoch in which the next bundle is sealed.
    pub epoch: Epoch,
    /// The number that it gets.
    pub next: Sequence,
    /// Our manifest at the place that the peer names, where we have one.
    pub there: Option<Digest>,
}

/// Whether a peer has seen more of our stream than we know: then this home was restored from an old copy, and going on
/// would give a number twice. `own` none: we never sealed anything in it.
#[must_use]
pub fn is_behind(own: Option<Own>, (epoch, sequence, manifest): (Epoch, Sequence, Digest)) -> bool {
    let Some(own) = own else { return true };
    if epoch != own.epoch {
        return epoch > own.epoch;
    }
    sequence >= own.next || own.there != Some(manifest)
}

/// Whether a number lies further beyond the first gap of its stream than anything is taken.
#[must_use]
pub fn is_too_far(sequence: Sequence, contiguous: u64) -> bool {
    sequence.get() > contiguous.saturating_add(1 + SEQUENCE_AHEAD_MAX)
}

/// Why a number of ours may be given up, and none where it may not: what is whole and in time can be served, and then nobody's
/// wish gives it up. Nothing is ever given up by itself: a backup may still have it.
#[must_use]
pub const fn may_give_up(state: Outbound, is_whole: bool, is_expired: bool) -> Option<VoidReason> {
    match state {
        Outbound::Queued | Outbound::HandedOver if !is_whole => Some(VoidReason::PayloadLost),
        Outbound::Queued | Outbound::HandedOver if is_expired => Some(VoidReason::Expired),
        Outbound::Claiming
        | Outbound::Claimed
        | Outbound::Sealed
        | Outbound::Signed
        | Outbound::Queued
        | Outbound::HandedOver
        | Outbound::Imported
        | Outbound::Refused
        | Outbound::Settled
        | Outbound::Returned
        | Outbound::PutBack
        | Outbound::Destroyed => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_found_between_what_is_there() {
        for (contiguous, until, held, expected) in [
            (0, 0, &[][..], &[][..]),
            (3, 3, &[], &[]),
            (3, 5, &[5], &[(4, 4)]),
            (3, 9, &[5, 6, 9], &[(4, 4), (7, 8)]),
            (0, 2, &[], &[(1, 2)]),
            (3, 5, &[5, 8], &[(4, 4)]),
            (3, 4, &[4, 5], &[]),
        ] {
            assert_eq!(missing(contiguous, until, held), expected, "{until}");
        }
    }

    #[test]
    fn no_request_names_more_than_its_bounds_whatever_a_peer_claims() {
        let last = (1 << 53) - 1;
        assert_eq!(missing(0, last, &[]), [(1, ASKED_NUMBERS_MAX)]);
        assert_eq!(missing(last - 1, last, &[]), [(last, last)]);
        assert_eq!(missing(last, last, &[]), []);
        assert_eq!(missing(u64::MAX, u64::MAX, &[]), []);
        let every_other: Vec<u64> = (1..500).map(|number| number * 2).collect();
        let runs = missing(0, 1_000, &every_other);
        assert_eq!(runs.len(), ASKED_RUNS_MAX);
        assert_eq!(runs.first(), Some(&(1, 1)));
    }

    #[test]
    fn requests_come_later_each_time_and_never_stop() {
        let waits: Vec<u64> = (1..=8).map(ask_again_after).collect();
        assert_eq!(waits, [60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
        assert_eq!(ask_again_after(u32::MAX), ASK_SECS_MAX);
    }

    #[test]
    fn an_answered_bundle_is_never_given_without_its_receipt() {
        for state in Outbound::ALL {
            let answered = matches!(
                state,
                Outbound::Imported
                    | Outbound::Refused
                    | Outbound::Settled
                    | Outbound::Returned
                    | Outbound::Destroyed
            );
            for is_there in [true, false] {
                let given = give(*state, is_there);
                let with_receipt = matches!(given, Give::Receipt | Give::ReceiptAndBundle);
                assert_eq!(with_receipt, answered, "{state:?}");
                assert!(is_there || !matches!(given, Give::Bundle | Give::ReceiptAndBundle));
            }
        }
        assert_eq!(give(Outbound::HandedOver, false), Give::Lost);
        assert_eq!(give(Outbound::Sealed, true), Give::Nothing);
    }

    #[test]
    fn only_what_waits_and_cannot_be_served_is_given_up() {
        for state in Outbound::ALL {
            let waits = matches!(state, Outbound::Queued | Outbound::HandedOver);
            let lost = waits.then_some(VoidReason::PayloadLost);
            assert_eq!(may_give_up(*state, false, false), lost, "{state:?}");
            assert_eq!(may_give_up(*state, false, true), lost, "{state:?}");
            let late = waits.then_some(VoidReason::Expired);
            assert_eq!(may_give_up(*state, true, true), late, "{state:?}");
            assert_eq!(may_give_up(*state, true, false), None, "{state:?}");
        }
    }

    #[test]
    fn a_number_is_too_far_from_one_beyond_what_a_gap_may_hold_back() {
        let at = |number: u64| Sequence::try_from(number).unwrap();
        assert!(!is_too_far(at(SEQUENCE_AHEAD_MAX + 1), 0));
        assert!(is_too_far(at(SEQUENCE_AHEAD_MAX + 2), 0));
        assert!(!is_too_far(at((1 << 53) - 1), u64::MAX));
    }

    #[test]
    fn a_sender_is_behind_where_its_peer_saw_more_or_something_else() {
        let epoch = |number: u64| Epoch::try_from(number).unwrap();
        let at = |number: u64| Sequence::try_from(number).unwrap();
        let (ours, other) = (Digest::of(b"ours"), Digest::of(b"other"));
        let own = |next, there| {
            Some(Own {
                epoch: epoch(2),
                next: at(next),
                there,
            })
        };
        assert!(is_behind(None, (epoch(1), at(1), ours)));
        assert!(!is_behind(own(6, Some(ours)), (epoch(2), at(5), ours)));
        assert!(is_behind(own(6, Some(ours)), (epoch(2), at(5), other)));
        assert!(is_behind(own(6, None), (epoch(2), at(5), ours)));
        assert!(is_behind(own(5, None), (epoch(2), at(5), ours)));
        assert!(is_behind(own(9, Some(ours)), (epoch(3), at(1), ours)));
        assert!(!is_behind(own(1, None), (epoch(1), at(900), other)));
    }
}
