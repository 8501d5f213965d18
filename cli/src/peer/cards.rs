//! Later cards of a peer: `peer renew` installs what the old card vouches for, `peer add` any that a person compared. Nothing is
//! overwritten; each card has a file of its own, because agreements name the first and evidence needs them all.

use std::path::{Path, PathBuf};

use amanah_format::{card::VerifiedCard, id::PartyId, keyring::Succession};
use amanahd::{
    catalogue::faces::{self, setup},
    config::cards,
    durable,
};

use crate::{
    exit::{Exit, Failure, Outcome},
    papers,
    place::Place,
    screen::Screen,
};

/// Installs the next card of a peer: the one that came by wire, or a file.
pub(super) fn renew(which: &Path, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let config = place.config()?;
    let (party, cards) = offered(which, place, screen)?;
    let mut trusted = place.trusted()?;
    if trusted.notes.contains(&format!("{} {party}", cards::FORK)) {
        return Err(screen.failure(Exit::Negative, setup::PEER_FORKED, &[&party]));
    }
    if party == config.party {
        return Err(screen.failure(Exit::Usage, setup::PEER_IS_US, &[&party]));
    }
    for (card, at) in cards {
        match trusted.keyring.judge_successor(&card, at) {
            Ok(Succession::Follows) => trusted.keyring.trust(card),
            Ok(Succession::Known | Succession::Behind) => {}
            Ok(Succession::Rival) => {
                return Err(screen.failure(Exit::Negative, setup::PEER_FORKED, &[&party]));
            }
            Ok(Succession::Early) => {
                let reason = "a card between is missing";
                return Err(screen.failure(Exit::Negative, setup::PEER_NOT_FOLLOWING, &[&reason]));
            }
            Err(reason) => {
                return Err(screen.failure(Exit::Negative, setup::PEER_NOT_FOLLOWING, &[&reason]));
            }
        }
    }
    let mut installed = Vec::new();
    for card in trusted.keyring.chain(&party).into_iter().skip(1) {
        let target = place.card_numbered(&party, card.card().number);
        if !target.exists() && card.card().number > 1 {
            papers::write_new(&target, card.container(), 0o644)?;
            installed.push((card.card().number, target));
        }
    }
    report(&party, &installed, screen)?;
    Ok(Exit::Ok)
}

fn report(party: &PartyId, installed: &[(u32, PathBuf)], screen: &mut Screen<'_>) -> Outcome<()> {
    if screen.json {
        let cards: Vec<_> = installed.iter().map(|(_, path)| path).collect();
        return screen.facts(&serde_json::json!({
            "format": "amanah-peer-renew/1", "party": party, "cards": cards,
        }));
    }
    for (number, _) in installed {
        screen.say(setup::PEER_RENEWED, &[party, number])?;
    }
    if installed.is_empty() {
        return screen.say(setup::PEER_UP_TO_DATE, &[party]);
    }
    screen.hint(faces::RELOAD, &[])
}

/// Whose cards are meant, and each with the moment at which it came: a file comes now.
type Offered = (PartyId, Vec<(VerifiedCard, amanah_format::time::UtcTime)>);

fn offered(which: &Path, place: &Place, screen: &Screen<'_>) -> Outcome<Offered> {
    if which.is_file() {
        let card = papers::read_card(which)?;
        return Ok((card.card().party.clone(), vec![(card, papers::now())]));
    }
    let text = which.to_string_lossy();
    let party: PartyId = text
        .parse()
        .map_err(|_| Failure::io(which, &std::io::ErrorKind::NotFound.into()))?;
    place.demand_card(&party, screen)?;
    let mut came = cards::came(&place.config()?.home, &party);
    came.sort_by_key(|one| one.card.card().number);
    if came.is_empty() {
        return Err(screen.failure(Exit::Missing, setup::PEER_NOTHING_OFFERED, &[&party]));
    }
    let came = came.into_iter().map(|one| (one.card, one.received));
    Ok((party, came.collect()))
}

/// Puts cards of one peer, the newest first, where they are not yet: the oldest as `PARTY.card.amanah` where there is none.
///
/// # Errors
/// Another card of that number lies there.
pub(super) fn install(
    party: &PartyId,
    given: &[VerifiedCard],
    place: &Place,
    screen: &Screen<'_>,
) -> Outcome<PathBuf> {
    let mut target = place.card(party);
    let mut writes = Vec::new();
    for (index, card) in given.iter().rev().enumerate() {
        let is_first = index == 0 && !place.card(party).exists();
        target = match is_first || known_as_first(card, place, party)? {
            true => place.card(party),
            false => place.card_numbered(party, card.card().number),
        };
        if !target.exists() {
            writes.push((target.clone(), card));
        } else if papers::read_card(&target)?.digest() != card.digest() {
            return Err(screen.failure(
                Exit::Config,
                setup::PEER_OTHER_CARD,
                &[party, &target.display()],
            ));
        }
    }
    if !writes.is_empty() {
        durable::create_folder(&place.cards(), 0o755)?;
    }
    for (path, card) in writes {
        papers::write_new(&path, card.container(), 0o644)?;
    }
    Ok(target)
}

/// A later card may lie under the plain name, where it was the first that was installed here.
fn known_as_first(card: &VerifiedCard, place: &Place, party: &PartyId) -> Outcome<bool> {
    let first = place.card(party);
    Ok(first.exists() && papers::read_card(&first)?.digest() == card.digest())
}

/// The newest in front; each must be named by the one after it: then the fingerprint of the newest covers them all.
///
/// # Errors
/// One is of another party, or not in the chain.
pub(super) fn in_order(paths: &[PathBuf], screen: &Screen<'_>) -> Outcome<Vec<VerifiedCard>> {
    let mut given = Vec::new();
    for path in paths {
        given.push((papers::read_card(path)?, path));
    }
    given.sort_by_key(|(card, _)| std::cmp::Reverse(card.card().number));
    for pair in given.windows(2) {
        if let [(newer, _), (older, path)] = pair
            && (newer.card().previous != Some(older.digest())
                || newer.card().party != older.card().party)
        {
            return Err(screen.failure(
                Exit::Negative,
                setup::PEER_CHAIN_BROKEN,
                &[&path.display()],
            ));
        }
    }
    Ok(given.into_iter().map(|(card, _)| card).collect())
}
