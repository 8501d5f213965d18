//! Work by lane: what is to be sealed and what is to be imported, so that what is urgent never queues behind what is large.
//! An outgoing row holds its lane; of an incoming one the agreements say it, so the caller names the flows.

use std::collections::BTreeSet;

use amanah_format::agreement::Lane;
use amanah_format::id::{FlowName, PartyId};

use super::listing::{inbound_of, outbound_of};
use super::queries::{Page, ages_in};
use super::rows::lane_rank;
use super::{InboundRow, Journal, JournalError, OutboundRow};
use crate::engine::inbound::Inbound;
use crate::engine::outbound::Outbound;

/// Some incoming flows, each with its sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flows {
    /// These.
    These(BTreeSet<(PartyId, FlowName)>),
    /// All others.
    AllBut(BTreeSet<(PartyId, FlowName)>),
}

impl Journal {
    /// Bundles of a lane that are claimed, or sealed but not in the queue yet, a page of them, oldest first. Of those that are
    /// claimed only what goes back to its operator, or may be given a number: nothing for the peers in `shut`, nothing of a
    /// stopped stream, so that neither keeps another from its turn.
    ///
    /// # Errors
    /// [`JournalError`], as all functions of this file.
    pub fn unsealed_in(
        &self,
        lane: Lane,
        shut: &[PartyId],
        page: Page,
    ) -> Result<Vec<OutboundRow>, JournalError> {
        let states = [Outbound::Claimed, Outbound::Sealed, Outbound::Signed];
        let query = "SELECT age FROM outbound WHERE state = ?1 AND lane = ?2 AND (state <> 'claimed'
            OR return_reason IS NOT NULL OR (peer NOT IN (SELECT value FROM json_each(?3)) AND NOT EXISTS
            (SELECT 1 FROM stopped WHERE stopped.peer = outbound.peer AND stopped.flow = outbound.flow)))
            ORDER BY age LIMIT ?4";
        // A party's id holds nothing that JSON would have to escape.
        let shut: Vec<String> = shut.iter().map(|peer| format!("\"{peer}\"")).collect();
        let shut = format!("[{}]", shut.join(","));
        self.read(|sql| {
            let rank = lane_rank(lane);
            let asked = states
                .iter()
                .map(|state| (state.as_str(), rank, shut.as_str(), page.reach()));
            outbound_of(sql, ages_in(sql, query, asked, page)?)
        })
    }

    /// Bundles of some flows that are admitted, a page of them, oldest first. Of a flow that is `ordered` only what has nothing
    /// before it in its stream that is missing, held or still to be imported.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn admitted_in(
        &self,
        flows: &Flows,
        ordered: &BTreeSet<(PartyId, FlowName)>,
        page: Page,
    ) -> Result<Vec<InboundRow>, JournalError> {
        let (named, is_named) = match flows {
            Flows::These(flows) => (flows, true),
            Flows::AllBut(flows) => (flows, false),
        };
        let (named, ordered) = (listed(named), listed(ordered));
        let query = "SELECT age FROM inbound AS one WHERE state = ?1
            AND ((peer || '/' || flow) IN (SELECT value FROM json_each(?2))) = ?3
            AND ((peer || '/' || flow) NOT IN (SELECT value FROM json_each(?4)) OR (
                sequence <= 1 + COALESCE((SELECT contiguous FROM streams_in AS stream WHERE stream.peer = one.peer
                    AND stream.agreement_id = one.agreement_id AND stream.flow = one.flow
                    AND stream.epoch = one.epoch), 0)
                AND NOT EXISTS (SELECT 1 FROM inbound AS other WHERE other.holds_place = 1 AND other.peer = one.peer
                    AND other.agreement_id = one.agreement_id AND other.flow = one.flow
                    AND (other.epoch, other.sequence) < (one.epoch, one.sequence)
                    AND other.state IN ('held', 'admitted'))))
            ORDER BY age LIMIT ?5";
        self.read(|sql| {
            let asked = (
                Inbound::Admitted.as_str(),
                named.as_str(),
                is_named,
                ordered.as_str(),
                page.reach(),
            );
            let asked = std::iter::once(asked);
            inbound_of(sql, ages_in(sql, query, asked, page)?)
        })
    }
}

/// As a list of JSON. Neither a party's id nor a flow's name holds a slash, or anything that JSON would have to escape.
fn listed(flows: &BTreeSet<(PartyId, FlowName)>) -> String {
    let named = flows
        .iter()
        .map(|(peer, flow)| format!("\"{peer}/{flow}\""));
    format!("[{}]", named.collect::<Vec<_>>().join(","))
}
