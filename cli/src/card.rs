//! `amanah card`: shows cards, exports our own, prints `allowed_signers` for stock `ssh-keygen`; `renew` makes the next one.
//! Cards hold public halves only: nothing in this file reads a private key. FORMAT.md §11.

mod renew;

use std::path::{Path, PathBuf};

use amanah_format::{card::VerifiedCard, id::PartyId};
use amanahd::catalogue::{faces::setup, moment, shown};
use clap::Subcommand;

use crate::{
    exit::{Exit, Outcome},
    papers,
    place::Place,
    screen::Screen,
};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amanah card show
  amanah card export /media/usb/
  amanah card renew --overlap-days 60
  amanah card allowed-signers > allowed_signers")]
pub(crate) struct Wanted {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    Show {
        /// Whose card [default: our own]
        party: Option<PartyId>,
    },
    Export {
        /// File or folder to write it to
        file: PathBuf,
    },
    AllowedSigners,
    Renew(renew::Renew),
    Retire,
}

pub(crate) fn run(wanted: &Wanted, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    match &wanted.act {
        Act::Show { party } => {
            let party = match party {
                Some(party) => party.clone(),
                None => place.config()?.party,
            };
            place.demand_card(&party, screen)?;
            let keyring = place.keyring()?;
            let mut chain = keyring.chain(&party);
            if let Some(newest) = chain.pop() {
                show(newest, screen)?;
            }
            if screen.json {
                return Ok(Exit::Ok);
            }
            for before in chain.iter().rev() {
                let fingerprint = before.digest().to_fingerprint();
                screen.say(setup::CARD_BEFORE, &[&before.card().number, &fingerprint])?;
            }
        }
        Act::Export { file } => export(file, place, screen)?,
        Act::Renew(wanted) => return renew::renew(wanted, place, screen),
        Act::Retire => return renew::retire(place, screen),
        Act::AllowedSigners => {
            let lines = place.keyring()?.to_allowed_signers();
            if screen.json {
                let lines: Vec<&str> = lines.lines().collect();
                screen.facts(&serde_json::json!({
                    "format": "amanah-allowed-signers/1", "lines": lines,
                }))?;
            } else {
                screen.line(lines.trim_end())?;
            }
        }
    }
    Ok(Exit::Ok)
}

fn export(file: &Path, place: &Place, screen: &mut Screen<'_>) -> Outcome<()> {
    let party = place.config()?.party;
    place.demand_card(&party, screen)?;
    let keyring = place.keyring()?;
    let mut chain = keyring.chain(&party);
    // Into a folder goes the whole chain: agreements name the first card. Under a name of its own goes the newest.
    if !file.is_dir() {
        chain.drain(..chain.len().saturating_sub(1));
    }
    let mut files = Vec::new();
    for card in &chain {
        let target = match file.is_dir() {
            true => file.join(
                place
                    .card_numbered(&party, card.card().number)
                    .file_name()
                    .unwrap_or_default(),
            ),
            false => file.to_owned(),
        };
        papers::write_new(&target, card.container(), 0o644)?;
        files.push(target);
    }
    let fingerprint = chain
        .last()
        .map(|card| card.digest().to_fingerprint())
        .unwrap_or_default();
    if screen.json {
        return screen.facts(&serde_json::json!({
            "format": "amanah-card-export/1", "file": files.last(), "files": files, "fingerprint": fingerprint,
        }));
    }
    for target in &files {
        screen.say(setup::CARD_EXPORTED, &[&target.display()])?;
    }
    screen.say(setup::FINGERPRINT, &[&fingerprint])
}

/// A card's facts, one a line.
pub(crate) fn show(card: &VerifiedCard, screen: &mut Screen<'_>) -> Outcome<()> {
    let (text, fingerprint) = (card.card(), card.digest().to_fingerprint());
    if screen.json {
        return screen.facts(&serde_json::json!({
            "format": "amanah-card-show/1", "fingerprint": fingerprint, "digest": card.digest(), "card": text,
        }));
    }
    let language = screen.language;
    screen.say(setup::CARD_PARTY, &[&text.party, &shown(&text.name)])?;
    screen.say(
        setup::CARD_NUMBER,
        &[&text.number, &moment::wib(text.created, language)],
    )?;
    screen.say(setup::CARD_CONTACT, &[&shown(&text.contact)])?;
    for address in &text.addresses {
        screen.say(setup::CARD_ADDRESS, &[&shown(address)])?;
    }
    let roles = [
        (setup::KEY_SIGNING, &text.keys.signing),
        (setup::KEY_TRANSPORT, &text.keys.transport),
        (setup::KEY_LEDGER, &text.keys.ledger),
    ];
    for (role, keys) in roles {
        for valid in keys {
            let until = moment::wib(valid.until, language);
            screen.say(role, &[&valid.key.fingerprint(), &until])?;
        }
    }
    for valid in &text.keys.decryption {
        let until = moment::wib(valid.until, language);
        screen.say(setup::KEY_DECRYPTION, &[&valid.key, &until])?;
    }
    screen.say(setup::FINGERPRINT, &[&fingerprint])
}
