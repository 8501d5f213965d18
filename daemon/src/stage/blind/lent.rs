//! What we put at a blind drop, and what its being there or not means: a pure decision over what was put and what is listed.
//! `waiting` and `is_done` ask the journal, which alone says what is to lie there.

use std::collections::HashMap;
use std::time::Duration;

use amanah_format::id::PartyId;
use tokio::time::Instant;

use crate::engine::inbound::Inbound;
use crate::engine::outbound::Outbound;
use crate::journal::Journal;
use crate::stage::ship::waiting_in;
use crate::stage::{Node, StageError};
use crate::transport::link::{LaneChannel, Offer, WireName};

/// A bundle that is gone is put again after so long: the peer removes it when its receipt is signed, so the receipt is only
/// a few looks away …
const AGAIN_FIRST: Duration = Duration::from_secs(15);
/// … and each time later, up to this.
const AGAIN_MAX: Duration = Duration::from_secs(3_600);

/// Something that we put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lent {
    /// How often.
    times: u32,
    /// Since when it is not there as we put it.
    missing: Option<Instant>,
}

/// What the listing shows under its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lies {
    /// Something of its length.
    Whole,
    /// Something of another length.
    Altered,
    /// Nothing.
    Nowhere,
}

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Wait.
    Stay,
    /// Put it, for the first time or again.
    Put,
    /// The peer removed it: it has it.
    Taken,
}

/// Decides about one name; notes since when it is missing. `held`: the peer's signed slip says that it has it.
pub(super) fn step(
    name: WireName,
    lies: Lies,
    (lent, held): (&mut HashMap<WireName, Lent>, bool),
    now: Instant,
) -> Step {
    if lies == Lies::Whole {
        let new = Lent {
            times: 1,
            missing: None,
        };
        lent.entry(name).or_insert(new).missing = None;
        return Step::Stay;
    }
    let Some(known) = lent.get_mut(&name) else {
        return Step::Put;
    };
    let is_bundle = matches!(name, WireName::Bundle(_));
    if lies == Lies::Nowhere && !is_bundle {
        return Step::Taken;
    }
    let missing = *known.missing.get_or_insert(now);
    let wait = if held {
        AGAIN_MAX
    } else {
        again_after(known.times)
    };
    if now.saturating_duration_since(missing) < wait {
        Step::Stay
    } else {
        Step::Put
    }
}

/// It was put now; true when it was not for the first time.
pub(super) fn noted(lent: &mut HashMap<WireName, Lent>, name: WireName) -> bool {
    let times = lent.get(&name).map_or(0, |known| known.times);
    let now = Lent {
        times: times.saturating_add(1),
        missing: None,
    };
    lent.insert(name, now);
    times > 0
}

fn again_after(times: u32) -> Duration {
    let doubled = 1_u32
        .checked_shl(times.saturating_sub(1).min(16))
        .unwrap_or(u32::MAX);
    AGAIN_FIRST.saturating_mul(doubled).min(AGAIN_MAX)
}

/// What waits for a peer in one lane, and whether the peer says that it holds it.
pub(super) fn waiting(
    node: &Node,
    peer: &PartyId,
    lane: LaneChannel,
) -> Result<Vec<(Offer, bool)>, StageError> {
    let mut waiting = Vec::new();
    for offer in waiting_in(node, peer, lane)? {
        let held = match offer.name {
            WireName::Bundle(digest) => node
                .journal
                .outbound_by_digest(&digest)?
                .is_some_and(|row| row.held.is_some()),
            WireName::Receipt(_) | WireName::Slip(_) => false,
        };
        waiting.push((offer, held));
    }
    Ok(waiting)
}

/// Whether something of ours has no business at the drop any more. What no row knows is not ours.
pub(super) fn is_done(
    journal: &Journal,
    peer: &PartyId,
    name: WireName,
) -> Result<bool, StageError> {
    match name {
        WireName::Bundle(digest) => {
            let row = journal.outbound_by_digest(&digest)?;
            let is_answered = row.is_some_and(|row| &row.peer == peer && is_answered(row.state));
            Ok(is_answered && journal.due_again(peer, &digest)? == (false, false))
        }
        WireName::Receipt(digest) => {
            if let Some(row) = journal.inbound(&digest)? {
                return Ok(&row.peer == peer && row.state == Inbound::Delivered);
            }
            // The peer's own, given back to it.
            let ours = journal.outbound_by_digest(&digest)?;
            Ok(ours.is_some_and(|row| &row.peer == peer) && !journal.due_again(peer, &digest)?.0)
        }
        WireName::Slip(digest) => {
            let mut waiting = journal.slips_for(peer)?.into_iter();
            Ok(waiting.all(|slip| slip.digest != digest))
        }
    }
}

const fn is_answered(state: Outbound) -> bool {
    match state {
        Outbound::Imported
        | Outbound::Refused
        | Outbound::Settled
        | Outbound::Returned
        | Outbound::PutBack
        | Outbound::Destroyed => true,
        Outbound::Claiming
        | Outbound::Claimed
        | Outbound::Sealed
        | Outbound::Signed
        | Outbound::Queued
        | Outbound::HandedOver => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use amanah_format::digest::Digest;

    fn bundle() -> WireName {
        WireName::Bundle(Digest::of(b"x"))
    }

    fn receipt() -> WireName {
        WireName::Receipt(Digest::of(b"x"))
    }

    #[test]
    fn what_was_never_put_is_put_and_then_left_alone() {
        let (mut lent, now) = (HashMap::new(), Instant::now());
        for name in [bundle(), receipt()] {
            let mut ask = |lies| step(name, lies, (&mut lent, false), now);
            assert_eq!(ask(Lies::Nowhere), Step::Put);
            assert!(!noted(&mut lent, name));
            let mut ask = |lies| step(name, lies, (&mut lent, false), now);
            assert_eq!(ask(Lies::Whole), Step::Stay);
        }
    }

    #[test]
    fn a_receipt_that_is_gone_was_taken_and_a_bundle_that_is_gone_is_not() {
        let (mut lent, now) = (HashMap::new(), Instant::now());
        for (name, expected) in [(bundle(), Step::Stay), (receipt(), Step::Taken)] {
            noted(&mut lent, name);
            let found = step(name, Lies::Nowhere, (&mut lent, false), now);
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn a_bundle_that_is_gone_or_altered_is_put_again_later_each_time() {
        let (mut lent, mut now) = (HashMap::new(), Instant::now());
        noted(&mut lent, bundle());
        let mut wait = AGAIN_FIRST;
        for lies in [Lies::Nowhere, Lies::Altered, Lies::Nowhere] {
            let mut ask = |now| step(bundle(), lies, (&mut lent, false), now);
            assert_eq!(ask(now), Step::Stay);
            let almost = wait.checked_sub(Duration::from_millis(1)).unwrap();
            assert_eq!(ask(now + almost), Step::Stay);
            now += wait;
            assert_eq!(ask(now), Step::Put);
            assert!(noted(&mut lent, bundle()));
            wait *= 2;
        }
        assert_eq!(again_after(u32::MAX), AGAIN_MAX);
    }

    #[test]
    fn a_receipt_of_another_length_was_not_taken() {
        let (mut lent, now) = (HashMap::new(), Instant::now());
        noted(&mut lent, receipt());
        let found = step(receipt(), Lies::Altered, (&mut lent, false), now);
        assert_eq!(found, Step::Stay);
    }

    #[test]
    fn a_bundle_that_the_peer_says_it_holds_is_not_put_again_soon() {
        let (mut lent, now) = (HashMap::new(), Instant::now());
        noted(&mut lent, bundle());
        for after in [Duration::ZERO, AGAIN_FIRST * 10] {
            let found = step(bundle(), Lies::Nowhere, (&mut lent, true), now + after);
            assert_eq!(found, Step::Stay);
        }
    }

    #[test]
    fn what_lies_there_at_the_start_counts_as_put() {
        let (mut lent, now) = (HashMap::new(), Instant::now());
        let mut ask = |lies| step(receipt(), lies, (&mut lent, false), now);
        assert_eq!(ask(Lies::Whole), Step::Stay);
        assert_eq!(ask(Lies::Nowhere), Step::Taken);
    }
}
