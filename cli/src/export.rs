//! `amanah export`: copies what waits for a peer onto a stick, for somebody to carry. Nothing is handed over by it: a bundle waits
//! on until its receipt comes, so a lost stick costs another export.

use std::path::{Path, PathBuf};

use amanah_format::id::PartyId;
use amanahd::{
    by_hand::Told,
    catalogue::{
        faces::{stick as face, traffic},
        moment,
    },
    config::checked::Config,
    request::Request,
};
use indicatif::ProgressBar;

use crate::{
    exit::{Exit, Outcome},
    place::Place,
    screen::Screen,
    send,
    stick::{
        Counter, called, demand_folder,
        onto::{self, Put},
    },
};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amanah export /media/usb
  amanah export /media/usb --peer imigrasi")]
pub(crate) struct Wanted {
    /// The stick, or a folder on it
    dir: PathBuf,
    /// For whom [default: the one peer that there is]
    #[arg(long)]
    peer: Option<PartyId>,
}

/// A file and what became of it.
#[derive(serde::Serialize)]
struct Line {
    name: String,
    bytes: u64,
    result: Put,
}

pub(crate) fn run(wanted: &Wanted, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let config = place.config()?;
    let peer = peer_of(wanted, &config, screen)?;
    demand_folder(&wanted.dir, screen)?;
    let export = |ticket| Request::Export {
        peer: peer.clone(),
        ticket,
    };
    let (counter, answer) = Counter::ask(&config.home, export, screen)?;
    let copied = if answer.paused {
        Err(screen.failure(Exit::Negative, face::IS_PAUSED, &[&peer]))
    } else {
        copy(&counter, &answer.files, &wanted.dir, screen)
    };
    let lines = copied.as_deref().unwrap_or_default().iter();
    let there = lines.filter(|line| is_there(line.result));
    let names = there.map(|line| line.name.clone());
    let receipts = names.filter(|name| amanah_format::receipt::parse_name(name).is_some());
    counter.give_back(receipts.collect(), screen)?;
    tell(&copied?, &peer, &wanted.dir, screen)
}

/// The peer that is named, or the only one.
fn peer_of(wanted: &Wanted, config: &Config, screen: &Screen<'_>) -> Outcome<PartyId> {
    let mut known = config.peers.iter().map(|peer| &peer.party);
    match (&wanted.peer, config.peers.len()) {
        (Some(peer), _) if known.any(|one| one == peer) => Ok(peer.clone()),
        (Some(peer), _) => Err(screen.failure(Exit::Usage, traffic::UNKNOWN_PEER, &[peer])),
        (None, 1) => Ok(known
            .next()
            .cloned()
            .unwrap_or_else(|| config.party.clone())),
        (None, _) => {
            let names: Vec<&str> = known.map(PartyId::as_str).collect();
            Err(screen.failure(Exit::Usage, face::WHICH_PEER, &[&names.join(", ")]))
        }
    }
}

fn is_there(put: Put) -> bool {
    matches!(put, Put::Copied | Put::There)
}

fn copy(
    counter: &Counter<'_>,
    files: &[Told],
    dir: &Path,
    screen: &Screen<'_>,
) -> Outcome<Vec<Line>> {
    let bytes = files.iter().map(|told| told.bytes).sum();
    let bar = if screen.shows_progress() {
        send::bar(bytes, screen.language)
    } else {
        ProgressBar::hidden()
    };
    let mut lines = Vec::new();
    for told in files {
        let source = counter.laid_out(&told.name);
        let put = onto::put(&source, (dir, &told.name), screen, &mut |bytes| {
            bar.inc(bytes);
        });
        let result = put.inspect_err(|_| bar.finish_and_clear())?;
        lines.push(Line {
            name: told.name.clone(),
            bytes: told.bytes,
            result,
        });
    }
    bar.finish_and_clear();
    Ok(lines)
}

fn tell(lines: &[Line], peer: &PartyId, dir: &Path, screen: &mut Screen<'_>) -> Outcome {
    let missing = lines.iter().filter(|line| !is_there(line.result));
    let exit = if missing.count() == 0 {
        Exit::Ok
    } else {
        Exit::Io
    };
    if screen.json {
        screen.facts(&serde_json::json!({
            "format": "amanah-export/1", "peer": peer, "folder": dir, "files": lines,
        }))?;
        return Ok(exit);
    }
    if lines.is_empty() {
        screen.say(face::NOTHING_WAITS, &[peer])?;
        return Ok(exit);
    }
    for line in lines {
        let text = match line.result {
            Put::Copied => face::COPIED,
            Put::There => face::THERE,
            Put::NoRoom => face::NO_ROOM,
            Put::TooLong => face::TOO_LONG,
        };
        let amount = moment::bytes(line.bytes, screen.language);
        screen.say(text, &[&called(&line.name, screen), &amount])?;
    }
    if exit == Exit::Ok {
        screen.hint(face::CARRY, &[peer])?;
    } else {
        screen.hint(face::ANOTHER_STICK, &[])?;
    }
    Ok(exit)
}
