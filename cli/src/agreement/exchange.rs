//! Signing an agreement, handing it over, taking over the other side's copy and signature.
//! A text is never changed here; a signature is taken over only for exactly the same bytes. FORMAT.md §12.

use std::path::Path;

use amanah_format::{
    agreement::{Agreement, AgreementFile},
    id::PartyId,
};
use amanahd::catalogue::faces::{self, agreement as face};

use super::{Local, Named, find, peer_of, show, standing::Standing};
use crate::{
    exit::{Exit, Outcome},
    papers,
    place::Place,
    screen::Screen,
};

/// Adds our own signature to the copy here.
pub(super) fn sign(named: &Named, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let config = place.config()?;
    let mut local = find(named, place, screen)?;
    place.demand_card(&config.party, screen)?;
    let (keys, order) = place.signing(&config)?;
    let key = keys.first_of(&order);
    if !order.contains(&key.public()) {
        return Err(screen.failure(
            Exit::Config,
            face::KEY_NOT_ON_CARD,
            &[&key.public().fingerprint()],
        ));
    }
    demand_pinned_cards(&local.text, place, screen)?;
    local
        .file
        .sign(&config.party, key)
        .map_err(|error| papers::malformed(&local.path, error))?;
    papers::write(&local.path, &local.file.to_bytes())?;
    if screen.json {
        screen.facts(&serde_json::json!({
            "format": "amanah-agreement-sign/1", "id": local.text.id, "version": local.text.version,
            "digest": local.file.digest(), "signers": local.file.signers().collect::<Vec<_>>(),
        }))?;
        return Ok(Exit::Ok);
    }
    screen.say(
        face::SIGNED,
        &[&local.text.id, &local.text.version, &config.party],
    )?;
    screen.say(face::DIGEST, &[&local.file.digest()])?;
    if local.file.signers().count() < 2 {
        screen.hint(face::SIGN_NEXT, &[&local.text.id])?;
    } else {
        screen.hint(faces::RELOAD, &[])?;
    }
    Ok(Exit::Ok)
}

/// A signature under a text that pins other cards than those of its parties binds nobody.
fn demand_pinned_cards(text: &Agreement, place: &Place, screen: &Screen<'_>) -> Outcome<()> {
    let keyring = place.keyring()?;
    for party in &text.parties {
        let mut cards = keyring.cards().filter(|card| card.card().party == party.id);
        // Whose card is not here yet is judged when it is.
        let known = keyring.card(&party.id).is_some();
        if known && !cards.any(|card| card.digest() == party.card) {
            let pinned: [&dyn std::fmt::Display; 2] = [&party.id, &party.card];
            return Err(screen.failure(Exit::Negative, face::PINS_ANOTHER_CARD, &pinned));
        }
    }
    Ok(())
}

/// Copies the container for the other side.
pub(super) fn export(
    named: &Named,
    file: &Path,
    place: &Place,
    screen: &mut Screen<'_>,
) -> Outcome {
    let local = find(named, place, screen)?;
    let target = if file.is_dir() {
        file.join(papers::agreement_name(&local.text.id, local.text.version))
    } else {
        file.to_owned()
    };
    papers::write_new(&target, &local.file.to_bytes(), 0o644)?;
    if screen.json {
        screen.facts(&serde_json::json!({
            "format": "amanah-agreement-export/1", "file": target, "digest": local.file.digest(),
        }))?;
    } else {
        screen.say(face::EXPORTED, &[&target.display()])?;
    }
    Ok(Exit::Ok)
}

/// Takes over a file of the other side: its signature where the text is ours, or the whole as a proposal.
pub(super) fn import(path: &Path, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let own = place.config()?.party;
    let (theirs, text) = papers::read_agreement(path)?;
    if peer_of(&text, &own).is_none() {
        return Err(screen.failure(Exit::Document, face::NOT_A_PARTY, &[&own]));
    }
    let target = place
        .agreements()
        .join(papers::agreement_name(&text.id, text.version));
    let is_new = !target.exists();
    let merged = if is_new {
        theirs
    } else {
        let (mut ours, _) = papers::read_agreement(&target)?;
        ours.merge(&theirs)
            .map_err(|error| papers::malformed(path, error))?;
        ours
    };
    let bytes = merged.to_bytes();
    check_signatures((merged, &text), place, screen)?;
    papers::write(&target, &bytes)?;
    let local = Local {
        file: AgreementFile::parse(&bytes).map_err(|error| papers::malformed(path, error))?,
        path: target,
        text,
    };
    report(local, is_new, (&own, place), screen)?;
    Ok(Exit::Ok)
}

/// With both signatures there, each must be right; with one, the other side's is judged when ours joins it.
fn check_signatures(
    (file, text): (AgreementFile, &Agreement),
    place: &Place,
    screen: &Screen<'_>,
) -> Outcome<()> {
    let keyring = place.keyring()?;
    let whole = file.signers().count() == text.parties.len();
    let known = text
        .parties
        .iter()
        .all(|party| keyring.card(&party.id).is_some());
    if !(whole && known) {
        return Ok(());
    }
    match Standing::of((file, text), &keyring, None, papers::now()) {
        Standing::NotSigned(reason) => {
            Err(screen.failure(Exit::Negative, face::IMPORT_REFUSED, &[&reason]))
        }
        Standing::InForce
        | Standing::Unsigned(_)
        | Standing::NotBegun(_)
        | Standing::Ended(_)
        | Standing::Revoked
        | Standing::SetAside => Ok(()),
    }
}

fn report(
    local: Local,
    is_new: bool,
    (own, place): (&PartyId, &Place),
    screen: &mut Screen<'_>,
) -> Outcome<()> {
    let signed = local.file.signers().any(|signer| signer == own);
    if screen.json {
        return screen.facts(&serde_json::json!({
            "format": "amanah-agreement-import/1", "file": local.path, "new": is_new,
            "digest": local.file.digest(), "signers": local.file.signers().collect::<Vec<_>>(),
        }));
    }
    let id = local.text.id.clone();
    if is_new {
        show::print(local, place, screen)?;
        screen.say(face::PROPOSAL_STORED, &[])?;
    } else {
        screen.say(face::SIGNATURES_MERGED, &[&local.path.display()])?;
    }
    if signed {
        screen.hint(faces::RELOAD, &[])
    } else {
        screen.hint(face::IMPORT_NEXT, &[&id])
    }
}
