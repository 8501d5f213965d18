//! Work by lane: what is to be sealed and what is to be imported, so that what is urgent never queues behind what is large.
//! An outgoing row holds its lane; of an incoming one the agreements say it, so the caller names the flows.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use amanah_format::agreement::Lane;
use amanah_format::id::{FlowName, PartyId};

use rusqlite::Connection;

use super::listing::{ages_of, inbound_of, outbound_of};
use super::queries::{many, one};
use super::rows::{lane_rank, number, text};
use super::turns::{INBOUND_UNDER_WAY, OUTBOUND_UNDER_WAY, Page, in_turn, peers_in};
use super::{InboundRow, Journal, JournalError, OutboundRow};
use crate::engine::outbound::Outbound;

/// Of an incoming row `one`: no number before it in its stream is missing, held or still to be imported.
const NOTHING_BEFORE: &str = "sequence <= 1 + COALESCE((SELECT contiguous FROM streams_in AS stream
        WHERE stream.peer = one.peer AND stream.agreement_id = one.agreement_id AND stream.flow = one.flow
        AND stream.epoch = one.epoch), 0)
    AND NOT EXISTS (SELECT 1 FROM inbound AS other WHERE other.holds_place = 1 AND other.peer = one.peer
        AND other.agreement_id = one.agreement_id AND other.flow = one.flow
        AND (other.epoch, other.sequence) < (one.epoch, one.sequence) AND other.state IN ('held', 'admitted'))";

/// Some incoming flows, each with its sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flows {
    /// These.
    These(BTreeSet<(PartyId, FlowName)>),
    /// All others.
    AllBut(BTreeSet<(PartyId, FlowName)>),
}

impl Flows {
    fn contain(&self, stream: &(PartyId, FlowName)) -> bool {
        match self {
            Self::These(flows) => flows.contains(stream),
            Self::AllBut(flows) => !flows.contains(stream),
        }
    }
}

impl Journal {
    /// Bundles of a lane that are claimed, or sealed but not in the queue yet, a page of them, the peers in turn. Of those
    /// that are claimed only what goes back to its operator, or may be given a number: nothing for the peers in `shut`, nothing of a
    /// stopped stream, so that neither keeps another from its turn.
    ///
    /// # Errors
    /// [`JournalError`], as all functions of this file.
    pub fn unsealed_in(
        &self,
        lane: Lane,
        shut: &[PartyId],
        page: Page<'_>,
    ) -> Result<Vec<OutboundRow>, JournalError> {
        let states = [Outbound::Claimed, Outbound::Sealed, Outbound::Signed];
        let query = format!(
            "SELECT age FROM outbound WHERE state = ?1 AND peer = ?2 AND {OUTBOUND_UNDER_WAY} AND lane = ?3
            AND (state <> 'claimed' OR return_reason IS NOT NULL OR (peer NOT IN (SELECT value FROM json_each(?4))
            AND NOT EXISTS (SELECT 1 FROM stopped WHERE stopped.peer = outbound.peer AND stopped.flow = outbound.flow)))
            ORDER BY age LIMIT ?5"
        );
        // A party's id holds nothing that JSON would have to escape.
        let shut: Vec<String> = shut.iter().map(|peer| format!("\"{peer}\"")).collect();
        let shut = format!("[{}]", shut.join(","));
        self.read(|sql| {
            let rank = lane_rank(lane);
            let peers = peers_in(
                sql,
                ("outbound", OUTBOUND_UNDER_WAY),
                states.iter().map(|state| state.as_str()),
            )?;
            let ages = in_turn(&peers, page, |peer, most| {
                let asked = states.iter();
                let asked = asked.map(|state| (state.as_str(), peer.as_str(), rank, &shut, most));
                ages_of(sql, &query, asked)
            });
            outbound_of(sql, ages?)
        })
    }

    /// Bundles of some flows that are admitted and whose payload has such a length, a page of them, the peers in turn. Of a stream
    /// only what comes before the first one of another length: its order stays. Of one that is `ordered` only what has nothing before
    /// it that is missing, held or still to be imported.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn admitted_in(
        &self,
        flows: &Flows,
        ordered: &BTreeSet<(PartyId, FlowName)>,
        payload_bytes: &RangeInclusive<u64>,
        page: Page<'_>,
    ) -> Result<Vec<InboundRow>, JournalError> {
        let query = format!(
            "SELECT age, payload_bytes FROM inbound AS one WHERE state = 'admitted' AND peer = ?1 AND flow = ?2
            AND {INBOUND_UNDER_WAY} AND (NOT ?4 OR ({NOTHING_BEFORE})) ORDER BY age LIMIT ?3"
        );
        self.read(|sql| {
            let streams = admitted_streams(sql, flows)?;
            let peers = streams.keys().cloned().collect();
            let ages = in_turn(&peers, page, |peer, most| {
                let mut ages = Vec::new();
                for flow in streams.get(peer).into_iter().flatten() {
                    let waits = ordered.contains(&(peer.clone(), flow.clone()));
                    let asked = (peer.as_str(), flow.as_str(), most, waits);
                    let rows = many(sql, &query, asked, |row| {
                        Ok((row.get("age")?, number(row, "payload_bytes")?))
                    })?;
                    let of_it = |(_, bytes): &(i64, u64)| payload_bytes.contains(bytes);
                    ages.extend(rows.into_iter().take_while(of_it).map(|(age, _)| age));
                }
                Ok(ages)
            });
            inbound_of(sql, ages?)
        })
    }
}

/// Those of some flows in which anything is admitted, by peer; found one after the other in their index.
fn admitted_streams(
    sql: &Connection,
    flows: &Flows,
) -> Result<BTreeMap<PartyId, Vec<FlowName>>, JournalError> {
    let query = format!(
        "SELECT peer, flow FROM inbound WHERE state = 'admitted' AND (peer, flow) > (?1, ?2) AND {INBOUND_UNDER_WAY}
        ORDER BY peer, flow LIMIT 1"
    );
    let mut found: BTreeMap<PartyId, Vec<FlowName>> = BTreeMap::new();
    let mut last = (String::new(), String::new());
    while let Some(stream) = one(sql, &query, (&last.0, &last.1), |row| {
        Ok((
            text::<PartyId>(row, "peer")?,
            text::<FlowName>(row, "flow")?,
        ))
    })? {
        last = (stream.0.to_string(), stream.1.to_string());
        if flows.contain(&stream) {
            found.entry(stream.0).or_default().push(stream.1);
        }
    }
    Ok(found)
}
