//! `amanah agreement revoke`: either party alone may end an agreement at once. The signed slip lies beside the agreement;
//! the daemon acts on it and ships it to the peer when it reloads.

use amanah_format::{
    container::unpack_small,
    document::{Document, Ext},
    limits::DOCUMENT_BYTES_MAX,
    manifest::AgreementRef,
    slip::{Body, Slip, sign},
};
use amanahd::catalogue::faces::{self, agreement as face};

use super::{Named, find, peer_of};
use crate::{
    exit::{Exit, Failure, Outcome},
    papers,
    place::Place,
    screen::Screen,
};

/// The formats ask for an end; a revocation is acted on after it all the same.
const EXPIRES_SECS: i64 = 365 * 86_400;

pub(super) fn run(named: &Named, reason: &str, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let config = place.config()?;
    let own = config.party.clone();
    let local = find(named, place, screen)?;
    let Some(peer) = peer_of(&local.text, &own).cloned() else {
        return Err(screen.failure(Exit::Document, face::NOT_A_PARTY, &[&own]));
    };
    let now = papers::now();
    let slip = Slip {
        format: Slip::FORMAT.into(),
        body: Body::Revocation {
            agreement: AgreementRef {
                id: local.text.id.clone(),
                version: local.text.version,
                digest: local.file.digest(),
            },
            reason: reason.into(),
            ledger_own: ledger_size(&config.home),
            ledger_peer: None,
        },
        from: own.clone(),
        to: peer.clone(),
        number: next_number(place, &own)?,
        created: now,
        expires: now.plus_secs(EXPIRES_SECS),
        ext: Ext::default(),
        critical: Vec::new(),
    };
    slip.check()
        .map_err(|error| Failure::new(Exit::Usage, error))?;
    let name = papers::revocation_name(&local.text.id, local.text.version, &own);
    let path = place.agreements().join(name);
    let (keys, order) = place.signing(&config)?;
    papers::write_new(&path, &sign(&slip, keys.first_of(&order)), 0o644)?;
    if screen.json {
        screen.facts(&serde_json::json!({
            "format": "amanah-agreement-revoke/1", "file": path, "slip": slip,
        }))?;
    } else {
        screen.say(face::REVOKED, &[&local.text.id, &local.text.version, &peer])?;
        screen.hint(faces::RELOAD, &[])?;
    }
    Ok(Exit::Ok)
}

/// One above the highest number of our own revocations here.
fn next_number(place: &Place, own: &amanah_format::id::PartyId) -> Outcome<u64> {
    let end = format!(".{own}{}", papers::REVOCATION);
    let mut highest = 0;
    for path in papers::in_folder(&place.agreements(), &end)? {
        highest = highest.max(number(&papers::read(&path)?).unwrap_or(0));
    }
    Ok(highest + 1)
}

fn number(container: &[u8]) -> Option<u64> {
    let parts = unpack_small(container, DOCUMENT_BYTES_MAX).ok()?;
    let (_, text) = parts.first()?;
    amanah_format::document::parse::<Slip>(text)
        .ok()
        .map(|slip| slip.number)
}

/// Our ledger's size as last published; 0 where there is none yet.
fn ledger_size(home: &std::path::Path) -> u64 {
    crate::status::read(home).map_or(0, |snapshot| snapshot.ledger_size)
}
