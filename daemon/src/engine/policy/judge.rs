//! What may enter: FORMAT.md §9.3, steps 5 to 8, for a manifest whose signature and signer were verified before.
//! Each step answers with the verdict that ends the judgement, or lets the next one speak.

use amanah_format::agreement::Flow;
use amanah_format::id::{Epoch, Sequence};
use amanah_format::limits::{CLOCK_SKEW_SECS, ENTRIES_MAX};
use amanah_format::manifest::Manifest;
use amanah_format::refusal::Refusal;
use amanah_format::slip::HeldReason;
use amanah_format::time::UtcTime;

use super::{Place, Policy, Verdict};
use crate::engine::stream::is_too_far;

/// A step's answer: go on, or this verdict.
type Step<T = ()> = Result<T, Verdict>;

pub(super) fn judge(
    policy: &Policy,
    manifest: &Manifest,
    place: &Place,
    received: UtcTime,
) -> Verdict {
    let steps = || -> Step {
        is_for_us(policy, manifest)?;
        is_in_time(manifest, received)?;
        let flow = agreed_flow(policy, manifest, received)?;
        is_within_flow(flow, manifest)?;
        fits_in_stream(manifest, place)
    };
    steps().err().unwrap_or(Verdict::Admit)
}

fn refuse_if(broken: bool, refusal: Refusal) -> Step {
    if broken {
        Err(Verdict::Refuse(refusal))
    } else {
        Ok(())
    }
}

/// `to` is this party; every decryption key is of a card of the two, at least one of them ours.
fn is_for_us(policy: &Policy, manifest: &Manifest) -> Step {
    let is_of = |party, digest| policy.keyring.is_recipient(party, digest);
    let mut keys = manifest.recipients.iter();
    let ours = keys.any(|key| is_of(&manifest.to, key));
    let mut keys = manifest.recipients.iter();
    let stranger = keys.any(|key| !is_of(&manifest.to, key) && !is_of(&manifest.from, key));
    let broken = manifest.to != policy.own || !ours || stranger;
    refuse_if(broken, Refusal::WrongRecipient)
}

/// Not made in the future beyond the skew (one of the two clocks is wrong: wait), not handed over after `expires`.
fn is_in_time(manifest: &Manifest, received: UtcTime) -> Step {
    if manifest.created > received.plus_secs(CLOCK_SKEW_SECS) {
        return Err(Verdict::Hold(HeldReason::Clock));
    }
    refuse_if(received > manifest.expires, Refusal::Expired)
}

/// The flow that the manifest names, in the agreement that it names, in its direction.
fn agreed_flow<'a>(policy: &'a Policy, manifest: &Manifest, received: UtcTime) -> Step<&'a Flow> {
    let Some(found) = policy.rules.find(&manifest.agreement.digest) else {
        return Err(Verdict::Hold(HeldReason::AgreementUnknown));
    };
    // The digest is the agreement; an id or version beside it that is another's would number another stream.
    let misnamed = found.reference() != manifest.agreement;
    let over = !policy.rules.admits(found, received);
    refuse_if(misnamed || over, Refusal::AgreementNotInForce)?;
    let flow = found.agreement().flow(&manifest.flow);
    let flow = flow.ok_or(Verdict::Refuse(Refusal::FlowNotAgreed))?;
    let back = flow.from == manifest.to && flow.to == manifest.from;
    refuse_if(back, Refusal::DirectionNotAgreed)?;
    let others = flow.from != manifest.from || flow.to != manifest.to;
    refuse_if(others, Refusal::FlowNotAgreed)?;
    Ok(flow)
}

fn is_within_flow(flow: &Flow, manifest: &Manifest) -> Step {
    let agreed = flow.purpose.contains(&manifest.purpose);
    refuse_if(!agreed, Refusal::PurposeNotAgreed)?;
    let contents = &manifest.contents;
    let large = contents.bytes > flow.bytes_max || contents.entries > ENTRIES_MAX;
    refuse_if(large, Refusal::TooLarge)
}

/// The place is free, near, and follows the bundle before it. Files are imported on arrival: a gap does not hold them.
fn fits_in_stream(manifest: &Manifest, place: &Place) -> Step {
    refuse_if(place.same_id.is_some(), Refusal::BundleIdReused)?;
    refuse_if(
        place.holder.is_some() || place.closed,
        Refusal::SequenceConflict,
    )?;
    let far = is_too_far(manifest.sequence, place.contiguous);
    refuse_if(far, Refusal::SequenceTooFar)?;
    let begins = manifest.sequence == Sequence::FIRST && manifest.epoch == Epoch::FIRST;
    let broken = match (manifest.previous, place.before) {
        (previous, _) if begins => previous.is_some(),
        (None, _) => true,
        (Some(previous), before) => before.is_some_and(|before| before != previous),
    };
    refuse_if(broken, Refusal::PreviousMismatch)
}
