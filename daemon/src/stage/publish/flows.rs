//! What each flow of each peer has come to: counts from the journal's tallies, numbers of its streams, and how fast bytes move.
//! Rates are kept here between two passes; nothing decides by them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use amanah_format::container::bundle_bytes;
use amanah_format::digest::Digest;

use crate::engine::inbound::Inbound;
use crate::engine::outbound::Outbound;
use crate::journal::FlowTally;
use crate::snapshot::StreamStatus;

use super::super::{Node, StageError};

/// A rate is measured over at least so long: shorter spans show the bursts of buffers.
const SAMPLE_MIN: Duration = Duration::from_millis(200);
/// Most bundles whose transfer is watched; no connection has more under way than a few.
const WATCHED_MAX: usize = 1_024;

/// Peer, way, flow.
type Key = (String, bool, String);

/// The bundles that are being sent, as last seen.
#[derive(Default)]
pub(super) struct Transfers(BTreeMap<Digest, Transfer>);

struct Transfer {
    key: Key,
    bytes: u64,
    sent: u64,
    measured_at: Instant,
    measured_sent: u64,
    bytes_per_sec: Option<u64>,
}

impl Transfers {
    /// Looks at the counters again; what is through, or waits no more, is forgotten.
    pub(super) fn observe(&mut self, node: &Node, now: Instant) -> Result<(), StageError> {
        let counters = node.board.in_flight();
        self.0.retain(|digest, _| counters.contains_key(digest));
        for (digest, sent) in counters {
            if let Some(known) = self.0.get_mut(&digest) {
                known.moved(sent, now);
            } else if sent > 0
                && self.0.len() < WATCHED_MAX
                && let Some((peer, flow, payload)) = node.journal.queued_bundle(&digest)?
            {
                let transfer = Transfer {
                    key: (peer.to_string(), true, flow),
                    bytes: bundle_bytes(payload),
                    sent,
                    measured_at: now,
                    measured_sent: sent,
                    bytes_per_sec: None,
                };
                self.0.insert(digest, transfer);
            }
        }
        self.0.retain(|_, transfer| transfer.sent < transfer.bytes);
        Ok(())
    }

    fn add_to(&self, streams: &mut BTreeMap<Key, StreamStatus>) {
        for transfer in self.0.values() {
            let stream = stream(streams, &transfer.key);
            stream.in_flight += 1;
            stream.in_flight_bytes += transfer.bytes;
            stream.sent_bytes += transfer.sent;
            if let Some(rate) = transfer.bytes_per_sec {
                *stream.bytes_per_sec.get_or_insert(0) += rate;
            }
        }
        for stream in streams.values_mut() {
            let left = stream.in_flight_bytes.saturating_sub(stream.sent_bytes);
            let rate = stream.bytes_per_sec.filter(|rate| *rate > 0);
            stream.remaining_secs = rate.map(|rate| left.div_ceil(rate));
        }
    }
}

impl Transfer {
    /// Three parts of what it was, one part of what it is: steady enough to read, quick enough to follow.
    fn moved(&mut self, sent: u64, now: Instant) {
        self.sent = sent;
        let span = now.saturating_duration_since(self.measured_at);
        if span < SAMPLE_MIN {
            return;
        }
        let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX).max(1);
        let more = sent.saturating_sub(self.measured_sent);
        let rate = more.saturating_mul(1_000) / millis;
        let before = self.bytes_per_sec;
        let smooth = |before: u64| (before.saturating_mul(3)).saturating_add(rate) / 4;
        self.bytes_per_sec = Some(before.map_or(rate, smooth));
        (self.measured_at, self.measured_sent) = (now, sent);
    }
}

fn stream<'a>(streams: &'a mut BTreeMap<Key, StreamStatus>, key: &Key) -> &'a mut StreamStatus {
    streams.entry(key.clone()).or_insert_with(|| {
        let (peer, goes_out, flow) = key.clone();
        StreamStatus {
            peer,
            flow,
            way: if goes_out { "out" } else { "in" }.to_owned(),
            ..StreamStatus::default()
        }
    })
}

/// All flows that ever had a bundle, by peer, then in before out, then name.
pub(super) fn streams(node: &Node, transfers: &Transfers) -> Result<Vec<StreamStatus>, StageError> {
    let mut streams = BTreeMap::new();
    for tally in node.journal.flow_tallies()? {
        let key = (tally.peer.to_string(), tally.goes_out, tally.flow.clone());
        count(stream(&mut streams, &key), &tally);
        let is_active = if tally.goes_out {
            outbound(&tally.state).is_some_and(|state| !state.is_final())
        } else {
            tally.state != Inbound::Delivered.as_str()
        };
        let known = stream(&mut streams, &key);
        if is_active && known.oldest_unsettled.is_none() {
            let oldest = node
                .journal
                .oldest_unsettled(tally.goes_out, &tally.peer, &tally.flow)?;
            known.oldest_unsettled = oldest;
        }
    }
    let mut newest: BTreeMap<Key, u64> = BTreeMap::new();
    for places in node.journal.incoming_streams()? {
        let key = (places.peer.to_string(), false, places.flow);
        let stream = stream(&mut streams, &key);
        *stream.missing.get_or_insert(0) += places.missing;
        let epoch = newest.entry(key).or_insert(places.epoch);
        if places.epoch >= *epoch {
            *epoch = places.epoch;
            (stream.contiguous, stream.highest) = (Some(places.contiguous), Some(places.highest));
        }
    }
    transfers.add_to(&mut streams);
    Ok(streams.into_values().collect())
}

fn outbound(text: &str) -> Option<Outbound> {
    let mut all = Outbound::ALL.iter().copied();
    all.find(|state| state.as_str() == text)
}

fn count(stream: &mut StreamStatus, tally: &FlowTally) {
    if tally.goes_out {
        count_out(stream, tally);
    } else {
        count_in(stream, tally);
    }
}

fn count_out(stream: &mut StreamStatus, tally: &FlowTally) {
    use Outbound as S;
    let Some(state) = outbound(&tally.state) else {
        return;
    };
    match state {
        S::Claiming | S::Claimed | S::Sealed | S::Signed | S::Queued => {
            stream.waiting += tally.rows;
            stream.waiting_bytes += tally.bytes;
        }
        S::HandedOver => stream.delivered += tally.rows,
        S::Imported | S::Settled | S::Destroyed => {
            stream.delivered += tally.rows;
            stream.imported += tally.rows;
        }
        S::Refused | S::Returned if tally.is_refused => {
            stream.delivered += tally.rows;
            stream.refused += tally.rows;
        }
        S::Refused | S::Returned => stream.returned += tally.rows,
        S::PutBack => {}
    }
}

fn count_in(stream: &mut StreamStatus, tally: &FlowTally) {
    stream.delivered += tally.rows;
    let is = |state: Inbound| tally.state == state.as_str();
    if is(Inbound::Held) || is(Inbound::Admitted) {
        stream.waiting += tally.rows;
        stream.waiting_bytes += tally.bytes;
        stream.held += if is(Inbound::Held) { tally.rows } else { 0 };
    } else if tally.is_refused {
        stream.refused += tally.rows;
    } else {
        stream.imported += tally.rows;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(goes_out: bool, state: &str, is_refused: bool) -> FlowTally {
        FlowTally {
            goes_out,
            peer: "imigrasi".parse().unwrap(),
            flow: "manifes-umrah".to_owned(),
            state: state.to_owned(),
            is_refused,
            rows: 2,
            bytes: 10,
        }
    }

    #[test]
    fn every_state_is_counted_in_its_place() {
        let mut out = StreamStatus::default();
        for state in Outbound::ALL {
            count(&mut out, &tally(true, state.as_str(), false));
        }
        count(&mut out, &tally(true, "returned", true));
        assert_eq!((out.waiting, out.waiting_bytes), (10, 50));
        assert_eq!((out.delivered, out.imported), (10, 6));
        assert_eq!((out.refused, out.returned), (2, 4));
        let mut back = StreamStatus::default();
        for state in Inbound::ALL {
            let is_refused = *state == Inbound::Refused;
            count(&mut back, &tally(false, state.as_str(), is_refused));
        }
        assert_eq!((back.waiting, back.held), (4, 2));
        assert_eq!((back.delivered, back.imported, back.refused), (12, 6, 2));
    }

    #[test]
    fn a_rate_follows_what_moves_and_tells_how_long_the_rest_takes() {
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let mut transfer = Transfer {
            key: ("imigrasi".to_owned(), true, "f".to_owned()),
            bytes: 10_000,
            sent: 0,
            measured_at: start,
            measured_sent: 0,
            bytes_per_sec: None,
        };
        transfer.moved(500, after(100));
        assert_eq!(transfer.bytes_per_sec, None, "too short to say");
        transfer.moved(1_000, after(1_000));
        assert_eq!(transfer.bytes_per_sec, Some(1_000));
        transfer.moved(6_000, after(2_000));
        assert_eq!(transfer.bytes_per_sec, Some(2_000));
        let mut all = Transfers::default();
        all.0.insert(Digest::of(b"m"), transfer);
        let mut streams = BTreeMap::new();
        all.add_to(&mut streams);
        let stream = streams.into_values().next().unwrap();
        assert_eq!((stream.in_flight, stream.sent_bytes), (1, 6_000));
        assert_eq!(stream.remaining_secs, Some(2));
    }
}
