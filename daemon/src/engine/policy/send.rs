//! What may leave: the flow, in this direction, in an agreement in force, within its bounds, for a key that is valid.
//! Default deny: each rule that does not hold is a `ReturnReason` for the operator. Asked at collecting and again at
//! sealing; the recipient asks the mirror image in `judge`.

use amanah_format::agreement::{CoSigned, Flow};
use amanah_format::id::{FlowName, PartyId};
use amanah_format::limits::ENTRIES_MAX;
use amanah_format::time::UtcTime;

use super::rules::DAY_SECS;
use super::{Permit, Policy, ReturnReason, Size, TableTerms};

/// How long a bundle may wait for its hand-over: longer than any outage that a ministry repairs, short enough that a
/// retired decryption key need not be kept for ever.
const EXPIRES_DAYS: i64 = 30;

pub(super) fn sendable(policy: &Policy, peer: &PartyId, at: UtcTime) -> Vec<FlowName> {
    if policy.keyring.card(peer).is_none() {
        return Vec::new();
    }
    let mut names: Vec<FlowName> = in_force(policy, peer, at)
        .flat_map(|found| &found.agreement().flows)
        .map(|flow| flow.name.clone())
        .filter(|name| outgoing(policy, (peer, name), at).is_ok())
        .collect();
    names.sort();
    names.dedup();
    names
}

pub(super) fn may_send(
    policy: &Policy,
    place: (&PartyId, &FlowName),
    size: Size,
    at: UtcTime,
) -> Result<Permit, ReturnReason> {
    let (peer, _) = place;
    if policy.keyring.card(peer).is_none() {
        return Err(ReturnReason::PeerUnknown);
    }
    let (found, flow) = outgoing(policy, place, at)?;
    if size.bytes > flow.bytes_max {
        return Err(ReturnReason::TooLarge);
    }
    if size.entries > ENTRIES_MAX {
        return Err(ReturnReason::TooManyEntries);
    }
    let recipients = policy.keyring.recipients(peer, at);
    if recipients.is_empty() {
        return Err(ReturnReason::NoRecipientKey);
    }
    // An agreement's check demands a purpose; a flow without one allows nothing.
    let purpose = flow.purpose.first().ok_or(ReturnReason::FlowNotAgreed)?;
    Ok(Permit {
        agreement: found.reference(),
        purpose: purpose.clone(),
        lane: flow.lane,
        bytes_max: flow.bytes_max,
        recipients,
        expires: at.plus_secs(EXPIRES_DAYS * DAY_SECS),
        table: TableTerms::of(found, flow),
    })
}

fn in_force<'a>(
    policy: &'a Policy,
    peer: &'a PartyId,
    at: UtcTime,
) -> impl Iterator<Item = &'a CoSigned> {
    let between = policy.rules.between(&policy.own, peer);
    between.filter(move |found| policy.rules.in_force(found, at))
}

/// The one flow of this name in the agreements in force with the peer, where it goes out.
fn outgoing<'a>(
    policy: &'a Policy,
    (peer, name): (&'a PartyId, &FlowName),
    at: UtcTime,
) -> Result<(&'a CoSigned, &'a Flow), ReturnReason> {
    let mut listed = in_force(policy, peer, at)
        .filter_map(|found| found.agreement().flow(name).map(|flow| (found, flow)));
    let Some((found, flow)) = listed.next() else {
        let mut all = policy.rules.between(&policy.own, peer);
        return Err(if all.any(|found| found.agreement().flow(name).is_some()) {
            ReturnReason::AgreementNotInForce
        } else {
            ReturnReason::FlowNotAgreed
        });
    };
    // A flow's name is unique over all agreements of a pair (FORMAT.md §12): of two, neither can be meant.
    if listed.next().is_some() {
        return Err(ReturnReason::FlowNotAgreed);
    }
    if flow.from != policy.own || flow.to != *peer {
        return Err(ReturnReason::DirectionNotAgreed);
    }
    Ok((found, flow))
}
