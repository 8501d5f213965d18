//! Junk: what a peer hands over and nobody can use is recorded, but not without bound. A burst is; after it a trickle. What is
//! beyond is only said by an alarm. Each record is a line of the ledger and a file, and junk costs its sender one byte.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use amanah_format::id::PartyId;
use amanah_format::time::UtcTime;

/// Records of one peer in a burst: damage on a bad line shows whole.
const BURST: u32 = 64;
/// After a burst, one more each so many seconds: some 50,000 a year.
const REFILL_SECS: i64 = 600;

/// What each peer has left. Starts anew with the process, which no peer can make it do.
#[derive(Default)]
pub struct Junk(Mutex<BTreeMap<PartyId, Left>>);

#[derive(Clone, Copy)]
struct Left {
    records: u32,
    since: UtcTime,
}

impl Junk {
    /// Whether one more thing of this peer may be recorded; it counts then.
    pub fn may_record(&self, peer: &PartyId, now: UtcTime) -> bool {
        let mut peers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full = Left {
            records: BURST,
            since: now,
        };
        let left = peers.entry(peer.clone()).or_insert(full);
        // A clock that was set back gives nothing, and takes nothing away.
        let passed = now.unix().saturating_sub(left.since.unix()).max(0) / REFILL_SECS;
        if passed > 0 || now < left.since {
            let more = u32::try_from(passed).unwrap_or(BURST);
            left.records = left.records.saturating_add(more).min(BURST);
            left.since = now;
        }
        let may = left.records > 0;
        left.records = left.records.saturating_sub(1);
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_recorded_then_a_trickle_and_each_peer_has_its_own() {
        let (junk, peer) = (Junk::default(), "imigrasi".parse().unwrap());
        let noon = UtcTime::from_unix(1_800_000_000).unwrap();
        let recorded = |secs| {
            let now = noon.plus_secs(secs);
            (0..1_000).filter(|_| junk.may_record(&peer, now)).count()
        };
        assert_eq!(recorded(0), usize::try_from(BURST).unwrap());
        assert_eq!(recorded(REFILL_SECS - 1), 0);
        assert_eq!(recorded(REFILL_SECS), 1);
        assert_eq!(recorded(-86_400), 0);
        assert_eq!(recorded(400 * 86_400), usize::try_from(BURST).unwrap());
        assert!(junk.may_record(&"bpkh".parse().unwrap(), noon));
    }
}
