//! What came: each bundle that was taken over in that time, against the receipt that we signed for it, whether the peer has that, and
//! what our store holds of it.

use std::collections::BTreeSet;

use amanah_format::digest::Digest;
use amanah_format::home;
use amanah_format::ledger::RecordKind;
use amanah_format::receipt::{Outcome as Answer, StoreRef};
use amanahd::engine::inbound::Inbound;
use amanahd::journal::Reading;

use super::finding::{Finding, Way, What};
use super::gaps::Numbers;
use super::kept::{self, Bundle, Kept};
use super::peer_ledger::Records;
use super::stored::Database;
use super::{Ground, Side, failure};
use crate::exit::Outcome;

/// Where files land.
const FILES: &str = "files";

pub(super) fn compare(
    ground: &Ground,
    reading: &Reading,
    database: Option<&Database>,
) -> Outcome<Side> {
    let read = |row| Bundle::read(row, ground, Way::In);
    let rows = reading.received(ground.stream(), read).map_err(failure)?;
    let bundles: Vec<Bundle<Inbound>> = rows.into_iter().flatten().collect();
    let own = Records::own(ground, reading)?;
    let (mut side, mut numbers) = (Side::default(), Numbers::default());
    side.look((&bundles, ground), &mut numbers, |bundle, side| {
        answered(bundle, ground, database, side)?;
        if is_decided(bundle) && own.reaches(bundle.at_last) && !is_recorded(bundle, &own) {
            side.findings.push(bundle.finding(What::NoRecord));
        }
        Ok(())
    })?;
    for place in reading.closed(ground.stream()).map_err(failure)? {
        numbers.needs_none(&place);
    }
    side.findings.extend(numbers.gaps());
    let known: BTreeSet<Digest> = bundles.iter().map(|bundle| bundle.digest).collect();
    let is_known = |digest: &Digest| known.contains(digest);
    let folder = home::receipts_sent(&ground.peer);
    side.findings
        .extend(kept::strays(&folder, ground, is_known)?);
    if let Some(database) = database {
        side.findings.extend(database.strays(ground, is_known));
    }
    Ok(side)
}

/// Whether its receipt was signed.
const fn is_decided(bundle: &Bundle<Inbound>) -> bool {
    matches!(bundle.state, Inbound::Acknowledged | Inbound::Delivered)
}

fn is_recorded(bundle: &Bundle<Inbound>, own: &Records) -> bool {
    let kind = if bundle.refusal.is_some() {
        RecordKind::Refused
    } else {
        RecordKind::Imported
    };
    !own.about(&bundle.digest, kind).is_empty()
}

fn answered(
    bundle: &Bundle<Inbound>,
    ground: &Ground,
    database: Option<&Database>,
    side: &mut Side,
) -> Outcome<()> {
    match bundle.state {
        Inbound::Held | Inbound::Admitted => {
            let state = bundle.state.as_str();
            side.findings
                .push(bundle.finding(What::Undecided).with(&[&state]));
            return Ok(());
        }
        Inbound::Imported | Inbound::Refused => {
            side.findings.push(bundle.finding(What::Unsigned));
            return Ok(());
        }
        Inbound::Acknowledged => side.findings.push(bundle.finding(What::Untaken)),
        Inbound::Delivered => {}
    }
    let folder = home::receipts_sent(&ground.peer);
    let verified = match kept::receipt(&folder, &bundle.digest, ground)? {
        Kept::Gone => {
            side.findings.push(bundle.finding(What::ReceiptGone));
            return Ok(());
        }
        Kept::Bad(reason) => {
            side.findings
                .push(bundle.finding(What::ReceiptBad).with(&[&reason]));
            return Ok(());
        }
        Kept::Good(verified) => verified,
    };
    side.findings.extend(bundle.against(&verified, &ground.own));
    let receipt = verified.receipt();
    let recorded = if bundle.refusal.is_some() {
        Answer::Refused
    } else {
        Answer::Imported
    };
    if recorded != receipt.outcome {
        let values: [&dyn std::fmt::Display; 2] =
            [&kept::word(recorded), &kept::word(receipt.outcome)];
        side.findings
            .push(bundle.finding(What::Outcome).with(&values));
    }
    match &receipt.store {
        Some(store) => {
            side.imported += 1;
            side.rows += store.records;
            if !bundle.is_destroyed {
                side.findings
                    .extend(stored(bundle, store, ground, database));
            }
        }
        None => {
            let refused = Finding::refused(receipt.refusal, bundle.digest, bundle.place.as_ref());
            side.findings.push(refused);
        }
    }
    Ok(())
}

/// What the store holds otherwise than the receipt says.
fn stored(
    bundle: &Bundle<Inbound>,
    store: &StoreRef,
    ground: &Ground,
    database: Option<&Database>,
) -> Option<Finding> {
    if store.kind == FILES {
        let marker = ground.home.join(home::import_marker(&bundle.digest));
        let gone = !marker.exists();
        return gone.then(|| bundle.finding(What::NotStored));
    }
    let database = database.filter(|database| database.kind() == store.kind);
    match database {
        Some(database) => database.compare(bundle, store),
        None => Some(bundle.finding(What::Elsewhere).with(&[&store.kind])),
    }
}
