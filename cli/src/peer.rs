//! `amanah peer`: who the peers are. A card is trusted only after its fingerprint, read over the telephone, was compared.
//! The configuration's comments and order stay as the sysadmin wrote them.

mod cards;

use std::path::{Path, PathBuf};

use amanah_format::{card::VerifiedCard, digest::Digest, id::PartyId};
use amanahd::{
    catalogue::{
        faces::{self, setup},
        moment, shown,
    },
    config::{cards::installed, checked::Config, edit},
    durable,
};
use clap::Subcommand;

use crate::{
    exit::{Exit, Failure, Outcome},
    papers,
    place::Place,
    screen::Screen,
};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amanah peer add imigrasi.card.amanah --fingerprint SHA256:… --dial 10.20.0.2:2222
  amanah peer renew imigrasi
  amanah peer list
  amanah peer remove imigrasi")]
pub(crate) struct Wanted {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    Add(Add),
    Renew {
        /// Peer whose new card came by the connection, or a card's file
        card: PathBuf,
    },
    List,
    Remove {
        /// Which peer
        party: PartyId,
    },
}

#[derive(Debug, clap::Args)]
struct Add {
    /// The peer's card; with it the cards before it, where it has any
    #[arg(required = true)]
    card: Vec<PathBuf>,
    /// The fingerprint that the peer read to you over the telephone
    #[arg(long, value_name = "SHA256:…")]
    fingerprint: String,
    /// host:port when this side dials; left out where the peer dials us, or bundles are carried by hand
    #[arg(long, value_name = "HOST:PORT")]
    dial: Option<String>,
}

pub(crate) fn run(wanted: &Wanted, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    match &wanted.act {
        Act::Add(add) => run_add(add, place, screen),
        Act::Renew { card } => cards::renew(card, place, screen),
        Act::List => list(place, screen),
        Act::Remove { party } => remove(party, place, screen),
    }
}

/// Everything is checked before anything is written; the card first, then the configuration that needs it.
fn run_add(add: &Add, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let config = place.config()?;
    let given = cards::in_order(&add.card, screen)?;
    let Some(card) = given.first() else {
        return Err(Failure::new(Exit::Usage, "a card"));
    };
    let party = &card.card().party;
    if party == &config.party {
        return Err(screen.failure(Exit::Usage, setup::PEER_IS_US, &[party]));
    }
    same_fingerprint(card, &add.fingerprint, screen)?;
    let text = read_text(&place.file)?;
    let in_config = |reason: String| {
        Failure::new(
            Exit::Config,
            format_args!("{}: {reason}", place.file.display()),
        )
    };
    let changed = edit::with_peer(&text, party, add.dial.as_deref()).map_err(in_config)?;
    let after = Config::parse(&changed, &place.file).map_err(in_config)?;
    let mut peers = after.peers.iter();
    let by_hand = peers.any(|peer| &peer.party == party && peer.by_hand(after.listen.as_ref()));
    let target = cards::install(party, &given, place, screen)?;
    replace_config(place, &text, &changed)?;
    if screen.json {
        screen.facts(&serde_json::json!({
            "format": "amanah-peer-add/1", "party": party, "card": target, "dial": add.dial, "by_hand": by_hand,
        }))?;
        return Ok(Exit::Ok);
    }
    screen.say(setup::PEER_ADDED, &[party, &shown(&card.card().name)])?;
    if by_hand {
        screen.say(setup::PEER_ADDED_BY_HAND, &[party])?;
    }
    screen.hint(faces::RESTART, &[])?;
    Ok(Exit::Ok)
}

/// The comparison that makes a card trusted.
fn same_fingerprint(card: &VerifiedCard, read: &str, screen: &Screen<'_>) -> Outcome<()> {
    let expected =
        Digest::from_fingerprint(read.trim()).map_err(|error| Failure::new(Exit::Usage, error))?;
    if expected == card.digest() {
        return Ok(());
    }
    let found = card.digest().to_fingerprint();
    Err(screen.failure(
        Exit::Negative,
        setup::FINGERPRINT_DIFFERS,
        &[&expected.to_fingerprint(), &found],
    ))
}

fn list(place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let config = place.config()?;
    // One card that cannot be read hides no peer.
    let keyring = place.keyring().ok();
    let mut facts = Vec::new();
    for peer in &config.peers {
        let card = keyring
            .as_ref()
            .and_then(|keyring| keyring.card(&peer.party));
        facts.push(serde_json::json!({
            "party": peer.party,
            "name": card.map(|card| &card.card().name),
            "dial": peer.dial,
            "drop": peer.drop.as_ref().map(|drop| &drop.address),
            "number": card.map(|card| card.card().number),
            "fingerprint": card.map(|card| card.digest().to_fingerprint()),
        }));
        if !screen.json {
            let way = match (&peer.dial, &peer.drop) {
                (Some(address), _) => screen.text(setup::PEER_DIALLED, &[address]),
                (None, Some(drop)) => screen.text(setup::PEER_DROP, &[&drop.address]),
                (None, None) if config.listen.is_none() => screen.text(setup::PEER_BY_HAND, &[]),
                (None, None) => screen.text(setup::PEER_DIALS, &[]),
            };
            describe(&peer.party, card, &way, screen)?;
        }
    }
    if screen.json {
        screen.facts(&serde_json::json!({"format": "amanah-peers/1", "peers": facts}))?;
    } else if facts.is_empty() {
        screen.say(setup::NO_PEERS, &[])?;
    }
    Ok(Exit::Ok)
}

fn describe(
    party: &PartyId,
    card: Option<&VerifiedCard>,
    way: &str,
    screen: &mut Screen<'_>,
) -> Outcome<()> {
    let Some(card) = card else {
        return screen.say(setup::PEER_NO_CARD, &[party, &way]);
    };
    let until = card
        .card()
        .keys
        .signing
        .iter()
        .map(|valid| valid.until)
        .max();
    let until = until.map_or_else(String::new, |until| moment::date(until, screen.language));
    let name = shown(&card.card().name);
    screen.say(setup::PEER_LINE, &[party, &name, &way, &until])?;
    screen.line(&format!("    {}", card.digest().to_fingerprint()))
}

/// The table goes, and the card with it: what is not a peer is not trusted.
fn remove(party: &PartyId, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let text = read_text(&place.file)?;
    let changed = edit::without_peer(&text, party).map_err(|reason| {
        Failure::new(
            Exit::Config,
            format_args!("{}: {reason}", place.file.display()),
        )
    })?;
    replace_config(place, &text, &changed)?;
    for card in installed(&place.cards(), party)? {
        durable::remove(&card)?;
    }
    if screen.json {
        screen.facts(&serde_json::json!({"format": "amanah-peer-remove/1", "party": party}))?;
        return Ok(Exit::Ok);
    }
    screen.say(setup::PEER_REMOVED, &[party])?;
    screen.hint(faces::RESTART, &[])?;
    Ok(Exit::Ok)
}

fn read_text(path: &Path) -> Outcome<String> {
    std::fs::read_to_string(path).map_err(|error| Failure::io(path, &error))
}

/// Replaces the configuration, keeping its mode.
fn replace_config(place: &Place, old: &str, new: &str) -> Outcome<()> {
    use std::os::unix::fs::PermissionsExt;
    if old == new {
        return Ok(());
    }
    let metadata =
        std::fs::metadata(&place.file).map_err(|error| Failure::io(&place.file, &error))?;
    let mode = metadata.permissions().mode() & 0o777;
    papers::write_mode(&place.file, new.as_bytes(), mode)
}
