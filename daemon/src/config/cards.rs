//! Cards as they are trusted. What lies in the configuration's `cards/` the sysadmin put there, by a fingerprint or by the
//! chain; what came by wire lies in the home and counts only as the chain says (FORMAT.md §11.2), judged each time anew
//! for the moment at which it came. Two successors of one card: neither counts until the sysadmin has installed one.

use std::path::{Path, PathBuf};

use amanah_format::{
    card::VerifiedCard,
    home,
    id::PartyId,
    keyring::{Keyring, Succession},
    time::UtcTime,
};

use super::checked::{Config, ConfigError};
use super::papers::{CARD, Loaded, files, note, read, wrong};
use crate::keys::example;

/// Two cards follow one card.
pub const FORK: &str = "card-fork";
/// A card that follows by the chain waits for the sysadmin.
pub const OFFERED: &str = "card-offered";
/// A card came that does not follow by the chain.
pub const UNPROVEN: &str = "card-unproven";

/// The trusted cards, what was loaded, and what a person must look at: a code, a space, a party.
#[derive(Debug, Default)]
pub struct Trusted {
    /// Cards of our own party and of the peers.
    pub keyring: Keyring,
    /// Each of them.
    pub loaded: Vec<Loaded>,
    /// [`FORK`], [`OFFERED`] or [`UNPROVEN`] and of whom.
    pub notes: Vec<String>,
}

/// A card that came by wire, as the daemon keeps it.
#[derive(Debug)]
pub struct Came {
    /// Where.
    pub path: PathBuf,
    /// Itself.
    pub card: VerifiedCard,
    /// When.
    pub received: UtcTime,
    /// Whether an agreement allowed then that it counts without a hand.
    pub taken: bool,
}

/// The sysadmin's cards of a party, the first in front: `PARTY.card.amanah`, then `PARTY.NUMBER.card.amanah`.
///
/// # Errors
/// The folder cannot be read.
pub fn installed(folder: &Path, party: &PartyId) -> Result<Vec<PathBuf>, ConfigError> {
    let first = folder.join(format!("{party}{CARD}"));
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for path in files(folder, CARD)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let number = name
            .strip_suffix(CARD)
            .and_then(|name| name.strip_prefix(party.as_str()))
            .and_then(|rest| rest.strip_prefix('.'))
            .and_then(|number| number.parse().ok());
        found.extend(number.map(|number| (number, path)));
    }
    found.sort();
    let later = found.into_iter().map(|(_, path)| path);
    Ok(std::iter::once(first).chain(later).collect())
}

/// Cards of a party that came by wire, the one that came first in front. An operator may not see them; the daemon, whose
/// folder it is, always does.
#[must_use]
pub fn came(home: &Path, party: &PartyId) -> Vec<Came> {
    let mut found = Vec::new();
    for (folder, taken) in [(home::CARDS_TAKEN, true), (home::CARDS_OFFERED, false)] {
        for path in files(&home.join(folder), CARD).unwrap_or_default() {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let Some((whose, received)) = home::parse_card_came(&name) else {
                continue;
            };
            let bytes = read(&path).ok();
            let card = bytes.and_then(|bytes| VerifiedCard::verify(&bytes).ok());
            if let Some(card) = card.filter(|card| &whose == party && card.card().party == whose) {
                found.push(Came {
                    path,
                    card,
                    received,
                    taken,
                });
            }
        }
    }
    found.sort_by_key(|came| (came.received, came.card.digest()));
    found
}

/// Our own cards and those of each configured peer; cards of others lie there unused.
pub(super) fn load(config: &Config) -> Result<Trusted, ConfigError> {
    let mut trusted = Trusted::default();
    let peers = config.peers.iter().map(|peer| &peer.party);
    for party in std::iter::once(&config.party).chain(peers) {
        for path in installed(&config.folder.join(home::CARDS), party)? {
            if !path.exists() {
                return Err(wrong(&path, missing_card(config, party)));
            }
            install(config, party, &path, &mut trusted)?;
        }
    }
    for peer in &config.peers {
        follow(came(&config.home, &peer.party), &peer.party, &mut trusted);
    }
    Ok(trusted)
}

/// A card that the sysadmin put there.
fn install(
    config: &Config,
    party: &PartyId,
    path: &Path,
    trusted: &mut Trusted,
) -> Result<(), ConfigError> {
    let card =
        VerifiedCard::verify(&read(path)?).map_err(|error| wrong(path, error.to_string()))?;
    let text = card.card();
    if &text.party != party {
        let found = &text.party;
        return Err(wrong(
            path,
            format!("expected the card of {party}, found that of {found}"),
        ));
    }
    if !config.example_keys && example::on_card(&text.keys) {
        return Err(wrong(
            path,
            "holds keys of keys-example/, whose secret halves everybody has; make keys of your own with `amanah init` \
             (for a trial on loopback: example_keys = true)",
        ));
    }
    let is_second = {
        let mut known = trusted.keyring.cards().map(VerifiedCard::card);
        known.any(|known| known.party == text.party && known.number == text.number)
    };
    if is_second {
        return Err(wrong(
            path,
            format!(
                "a second card number {} of {party}; remove the one that is not genuine",
                text.number
            ),
        ));
    }
    trusted.loaded.push(note("card", path, card.digest()));
    trusted.keyring.trust(card);
    Ok(())
}

fn missing_card(config: &Config, party: &PartyId) -> String {
    if party == &config.party {
        return "our own card is missing; make keys and card with `amanah init`, or put the card back".into();
    }
    format!(
        "the card of {party} is missing; ask {party} for its card and fingerprint and run: \
         amanah --config {} peer add {party}{CARD} --fingerprint SHA256:…",
        config.file.display()
    )
}

/// Walks the chain from the newest card that the sysadmin installed, as far as it holds.
pub fn follow(came: Vec<Came>, party: &PartyId, trusted: &mut Trusted) {
    let by_hand = newest(&trusted.keyring, party);
    let mut left: Vec<Came> = came
        .into_iter()
        .filter(|one| one.card.card().number > by_hand)
        .collect();
    let mut notes: Vec<&str> = Vec::new();
    while let Some(place) = next(&trusted.keyring, &left) {
        let Came {
            path,
            card,
            received: _,
            taken,
        } = left.remove(place);
        let digest = card.digest();
        trusted.keyring.trust(card);
        if left.iter().any(|other| rivals(&trusted.keyring, other)) {
            trusted.keyring.distrust(&digest);
            notes.push(FORK);
            break;
        }
        if !taken {
            trusted.keyring.distrust(&digest);
            notes.push(OFFERED);
            break;
        }
        trusted.loaded.push(note("card", &path, digest));
    }
    let reached = newest(&trusted.keyring, party);
    let waits = !notes.is_empty();
    for one in &left {
        if one.card.card().number <= reached {
            // It was kept because the card before it lists who signed it: somebody holds an old key.
            notes.push(FORK);
        } else if !waits {
            notes.push(UNPROVEN);
        }
    }
    notes.sort_unstable();
    notes.dedup();
    let notes = notes.into_iter().map(|code| format!("{code} {party}"));
    trusted.notes.extend(notes);
}

fn newest(keyring: &Keyring, party: &PartyId) -> u32 {
    keyring.card(party).map_or(0, |card| card.card().number)
}

/// The first of the cards that follows now.
fn next(keyring: &Keyring, left: &[Came]) -> Option<usize> {
    left.iter()
        .position(|one| judged(keyring, one) == Some(Succession::Follows))
}

fn rivals(keyring: &Keyring, one: &Came) -> bool {
    judged(keyring, one) == Some(Succession::Rival)
}

fn judged(keyring: &Keyring, one: &Came) -> Option<Succession> {
    keyring.judge_successor(&one.card, one.received).ok()
}
