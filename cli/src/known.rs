//! Whether what a command names is known here: a flow with a peer, a bundle, a hold. Where nothing would come of a name, a slip of
//! the pen must not look like an answer.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use amanah_format::{
    container,
    digest::Digest,
    home,
    id::{FlowName, PartyId},
    ledger::{Record, RecordKind},
    receipt,
};
use amanahd::{
    catalogue::{faces::traffic, shown},
    config::checked::Config,
    retained::Retained,
};

use crate::{
    exit::{Exit, Outcome},
    papers,
    place::Place,
    screen::Screen,
};

/// What a hold, or a question, is about.
pub(crate) struct Named<'n> {
    pub(crate) peer: &'n PartyId,
    pub(crate) flow: &'n FlowName,
}

/// Fails where the configuration has no such peer.
pub(crate) fn demand_peer(config: &Config, peer: &PartyId, screen: &Screen<'_>) -> Outcome<()> {
    if config.peers.iter().any(|known| known.party == *peer) {
        return Ok(());
    }
    Err(screen.failure(Exit::Usage, traffic::UNKNOWN_PEER, &[peer]))
}

/// Fails where no agreement that lies here has the flow with the peer, in either direction, and nothing of it is kept.
pub(crate) fn demand_flow(
    named: &Named<'_>,
    place: &Place,
    kept: Option<&Retained>,
    screen: &Screen<'_>,
) -> Outcome<()> {
    let mut known = agreed(named.peer, place)?;
    let kept = kept.into_iter().flat_map(|list| &list.flows);
    let kept = kept.filter(|flow| flow.peer == named.peer.as_str());
    known.extend(kept.map(|flow| flow.flow.clone()));
    if known.contains(named.flow.as_str()) {
        return Ok(());
    }
    let known = known.into_iter().collect::<Vec<_>>().join(", ");
    Err(screen.failure(
        Exit::Usage,
        traffic::UNKNOWN_FLOW,
        &[named.flow, named.peer, &shown(&known)],
    ))
}

/// Flows with the peer, of all agreements and versions that lie here.
fn agreed(peer: &PartyId, place: &Place) -> Outcome<BTreeSet<String>> {
    let mut known = BTreeSet::new();
    for path in papers::in_folder(&place.agreements(), papers::AGREEMENT)? {
        // One that cannot be read is for others to say; it must not stand in the way of a hold.
        let Ok((_, agreement)) = papers::read_agreement(&path) else {
            continue;
        };
        let flows = agreement.flows.iter();
        let flows = flows.filter(|flow| flow.from == *peer || flow.to == *peer);
        known.extend(flows.map(|flow| flow.name.to_string()));
    }
    Ok(known)
}

/// Fails where neither a file nor the ledger has a bundle of that digest. A request that names it is no bundle; and where the ledger
/// may not be read, nothing is said against it.
pub(crate) fn demand_bundle(
    peer: &PartyId,
    bundle: &Digest,
    home: &Path,
    screen: &Screen<'_>,
) -> Outcome<()> {
    // The ledger's file is written a moment after what it records.
    if lies_here(peer, bundle, home) {
        return Ok(());
    }
    let Ok(ledger) = File::open(home.join(home::LEDGER_RECORDS)) else {
        return Ok(());
    };
    for line in BufReader::new(ledger).split(b'\n') {
        let Ok(Ok(record)) = line.map(|line| Record::parse(&line)) else {
            return Ok(());
        };
        if record.manifest.as_ref() == Some(bundle) && record.kind != RecordKind::Requested {
            return Ok(());
        }
    }
    Err(screen.failure(Exit::Usage, traffic::UNKNOWN_BUNDLE, &[bundle]))
}

/// Whether a receipt for it, or itself, lies in this home.
fn lies_here(peer: &PartyId, bundle: &Digest, home: &Path) -> bool {
    let folders = [
        home::receipts_sent(peer),
        home::receipts_received(peer),
        home::incoming(peer),
        home::queue(peer),
        home::archive_received(peer),
        home::archive_sent(peer),
    ];
    folders.iter().any(|folder| {
        let named = |suffix| {
            home.join(folder)
                .join(format!("{}{suffix}", bundle.to_hex()))
        };
        [receipt::SUFFIX, container::SUFFIX]
            .map(named)
            .iter()
            .any(|path| path.exists())
    })
}

/// Whether a hold stands on exactly this, as the list has it.
pub(crate) fn is_held(named: &Named<'_>, bundle: Option<&Digest>, list: &Retained) -> bool {
    let bundle = bundle.map(Digest::to_string);
    list.holds.iter().any(|hold| {
        hold.peer == named.peer.as_str()
            && hold.flow == named.flow.as_str()
            && hold.bundle == bundle
    })
}
