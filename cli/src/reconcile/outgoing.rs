//! What we sent: each bundle that was sealed in that time, against the receipt that the peer signed, our own ledger, and the peer's
//! where a copy of it is at hand.

use std::collections::BTreeSet;

use amanah_format::digest::Digest;
use amanah_format::home;
use amanah_format::ledger::RecordKind;
use amanah_format::receipt::{Outcome as Answer, VerifiedReceipt};
use amanahd::engine::outbound::Outbound;
use amanahd::journal::Reading;

use super::finding::{Finding, Way, What};
use super::gaps::Numbers;
use super::kept::{self, Bundle, Kept};
use super::peer_ledger::Records;
use super::{Ground, Side, failure};
use crate::exit::Outcome;

pub(super) fn compare(
    ground: &Ground,
    reading: &Reading,
    peers: Option<&Records>,
) -> Outcome<Side> {
    let read = |row| Bundle::read(row, ground, Way::Out);
    let rows = reading.sent(ground.stream(), read).map_err(failure)?;
    let bundles: Vec<Bundle<Outbound>> = rows.into_iter().flatten().collect();
    let own = Records::own(ground, reading)?;
    let (mut side, mut numbers) = (Side::default(), Numbers::default());
    side.look((&bundles, ground), &mut numbers, |bundle, side| {
        let sealed = own.about(&bundle.digest, RecordKind::Sealed);
        if sealed.is_empty() && own.reaches(bundle.at_last) {
            side.findings.push(bundle.finding(What::NoRecord));
        }
        answered(bundle, ground, peers, side)
    })?;
    for place in reading.given(ground.stream()).map_err(failure)? {
        numbers.reach(&place);
    }
    side.findings.extend(numbers.gaps());
    let known: BTreeSet<Digest> = bundles.iter().map(|bundle| bundle.digest).collect();
    let folder = home::receipts_received(&ground.peer);
    let strays = kept::strays(&folder, ground, |digest| known.contains(digest))?;
    side.findings.extend(strays);
    Ok(side)
}

fn answered(
    bundle: &Bundle<Outbound>,
    ground: &Ground,
    peers: Option<&Records>,
    side: &mut Side,
) -> Outcome<()> {
    let folder = home::receipts_received(&ground.peer);
    let is_open = matches!(bundle.state, Outbound::Queued | Outbound::HandedOver);
    let verified = match kept::receipt(&folder, &bundle.digest, ground)? {
        // It came while we look.
        Kept::Good(_) if is_open && kept::is_newer(&folder, &bundle.digest, ground) => {
            side.findings.extend(unanswered(bundle));
            return Ok(());
        }
        Kept::Gone => {
            side.findings.extend(unanswered(bundle));
            return Ok(());
        }
        Kept::Bad(reason) => {
            side.findings
                .push(bundle.finding(What::ReceiptBad).with(&[&reason]));
            return Ok(());
        }
        Kept::Good(verified) => verified,
    };
    side.findings
        .extend(bundle.against(&verified, &ground.peer));
    let receipt = verified.receipt();
    match receipt.outcome {
        Answer::Imported => {
            side.imported += 1;
            side.rows += receipt.store.as_ref().map_or(0, |store| store.records);
        }
        Answer::Refused => {
            let refused = Finding::refused(receipt.refusal, bundle.digest, bundle.place.as_ref());
            side.findings.push(refused);
        }
    }
    side.findings.extend(contradicted(bundle, &verified));
    if let Some(missing) = peers.and_then(|peers| peers.lacks(&verified)) {
        side.findings
            .push(bundle.finding(What::PeerLedger).with(&[&missing]));
    }
    Ok(())
}

/// What no receipt means, by how far the bundle got.
fn unanswered(bundle: &Bundle<Outbound>) -> Option<Finding> {
    use Outbound as S;
    let what = match bundle.state {
        S::Sealed | S::Signed | S::Queued => {
            let state = bundle.state.as_str();
            return Some(bundle.finding(What::Waiting).with(&[&state]));
        }
        S::HandedOver => What::NoReceipt,
        S::Imported | S::Refused | S::Settled | S::Returned | S::Destroyed => What::ReceiptGone,
        S::Claiming | S::Claimed | S::PutBack => return None,
    };
    Some(bundle.finding(what))
}

/// A receipt that says otherwise than the state that followed from one.
fn contradicted(bundle: &Bundle<Outbound>, verified: &VerifiedReceipt) -> Option<Finding> {
    use Outbound as S;
    let outcome = verified.receipt().outcome;
    let fits = match bundle.state {
        S::Imported | S::Settled | S::Destroyed => outcome == Answer::Imported,
        S::Refused | S::Returned => outcome == Answer::Refused,
        S::Claiming
        | S::Claimed
        | S::PutBack
        | S::Sealed
        | S::Signed
        | S::Queued
        | S::HandedOver => false,
    };
    let values: [&dyn std::fmt::Display; 2] = [&bundle.state.as_str(), &kept::word(outcome)];
    (!fits).then(|| bundle.finding(What::Outcome).with(&values))
}
