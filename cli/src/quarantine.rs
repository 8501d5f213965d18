//! `amanah quarantine`: bundles that were refused or are in doubt, and those that are held; a held one can be released.
//! Only the notes are read here; the bundles themselves are the daemon's alone.

use std::path::Path;

use amanah_format::digest::Digest;
use amanahd::{
    catalogue::{faces::traffic, moment, note as words, refusals, shown},
    request::Request,
    spool::QuarantineNote,
};
use clap::Subcommand;

use crate::{
    exit::{Exit, Outcome},
    papers,
    place::Place,
    request,
    screen::Screen,
    status,
};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amanah quarantine list
  amanah quarantine show 3f2a…
  amanah quarantine release sha256:3f2a…")]
pub(crate) struct Wanted {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    List,
    Show {
        /// Name, or its beginning
        name: String,
    },
    Release {
        /// The bundle: sha256:… or its 64 hex digits
        digest: String,
    },
}

/// Beneath the home: the notes, which operators may read. The bundles themselves are the daemon's alone.
const NOTES: &str = "quarantine";

pub(crate) fn run(wanted: &Wanted, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let home = place.config()?.home;
    match &wanted.act {
        Act::List => list(&home, screen),
        Act::Show { name } => show(name, &home, screen),
        Act::Release { digest } => {
            let manifest = read_digest(digest).ok_or_else(|| {
                screen.failure(Exit::Usage, traffic::NO_DIGEST, &[&shown(digest)])
            })?;
            if home.join(amanah_format::home::STATUS).exists() && !is_held(&manifest, &home) {
                let name = shown(&manifest.to_string());
                return Err(screen.failure(Exit::Missing, traffic::NOT_HELD, &[&name]));
            }
            request::submit(&Request::Release { manifest }, &home, screen)
        }
    }
}

/// `sha256:HEX`, `HEX`, or a bundle's file name.
fn read_digest(text: &str) -> Option<Digest> {
    let text = text
        .strip_suffix(amanah_format::container::SUFFIX)
        .unwrap_or(text);
    text.parse().or_else(|_| Digest::from_hex(text)).ok()
}

/// Notes of the quarantine, oldest first, and held bundles of the snapshot as if they had one.
fn notes(home: &Path) -> Outcome<Vec<QuarantineNote>> {
    let mut notes = Vec::new();
    for path in papers::in_folder(&home.join(NOTES), ".json")? {
        let note = serde_json::from_slice::<QuarantineNote>(&papers::read(&path)?);
        notes.push(note.map_err(|error| papers::malformed(&path, error))?);
    }
    notes.extend(held(home));
    notes.sort_by_key(|note| note.time);
    Ok(notes)
}

fn is_held(manifest: &Digest, home: &Path) -> bool {
    let name = manifest.to_string();
    held(home).iter().any(|note| note.name == name)
}

fn held(home: &Path) -> Vec<QuarantineNote> {
    let incoming = status::read(home).map(|snapshot| snapshot.incoming);
    let waits = incoming
        .into_iter()
        .flatten()
        .filter(|bundle| bundle.state == "held");
    waits
        .filter_map(|bundle| {
            Some(QuarantineNote {
                name: bundle.manifest,
                peer: bundle.peer.parse().ok()?,
                code: bundle.held.unwrap_or_default(),
                time: bundle.received,
                bytes: bundle.bytes,
                state: bundle.state,
            })
        })
        .collect()
}

fn list(home: &Path, screen: &mut Screen<'_>) -> Outcome {
    let notes = notes(home)?;
    if screen.json {
        screen.facts(&serde_json::json!({"format": "amanah-quarantine/1", "notes": notes}))?;
        return Ok(Exit::Ok);
    }
    if notes.is_empty() {
        screen.say(traffic::NOTHING_QUARANTINED, &[])?;
    }
    for note in &notes {
        line(note, screen)?;
    }
    Ok(Exit::Ok)
}

fn line(note: &QuarantineNote, screen: &mut Screen<'_>) -> Outcome<()> {
    let time = moment::wib(note.time, screen.language);
    let amount = moment::bytes(note.bytes, screen.language);
    let (name, code, state) = (shown(&note.name), shown(&note.code), shown(&note.state));
    screen.say(
        traffic::QUARANTINE_LINE,
        &[&time, &note.peer, &state, &code, &amount, &name],
    )
}

fn show(name: &str, home: &Path, screen: &mut Screen<'_>) -> Outcome {
    let name = name.strip_prefix("sha256:").unwrap_or(name);
    let plain = |note: &QuarantineNote| {
        note.name
            .strip_prefix("sha256:")
            .unwrap_or(&note.name)
            .starts_with(name)
    };
    let Some(note) = notes(home)?.into_iter().find(plain) else {
        return Err(screen.failure(Exit::Missing, traffic::NOT_QUARANTINED, &[&shown(name)]));
    };
    if screen.json {
        screen.facts(&serde_json::json!({"format": "amanah-quarantine-note/1", "note": note}))?;
        return Ok(Exit::Ok);
    }
    line(&note, screen)?;
    let lines = match refusals::explain(&note.code) {
        Some(explanation) => vec![
            (words::REASON, explanation.meaning),
            (words::FAULT, explanation.fault.text()),
            (words::REMEDY, explanation.remedy),
            (words::SYSADMIN, explanation.sysadmin),
        ],
        // Of a daemon that is newer than this program.
        None => vec![
            (words::REASON, words::UNKNOWN),
            (words::REMEDY, words::UNKNOWN_REMEDY),
        ],
    };
    for (title, text) in lines {
        let [title, text] = [title, text].map(|text| screen.text(text, &[]));
        screen.line(&format!("{title}: {text}"))?;
    }
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_named_by_its_digest_in_three_ways() {
        let digest = Digest::of(b"m");
        for text in [
            digest.to_string(),
            digest.to_hex(),
            format!("{}.amanah", digest.to_hex()),
        ] {
            assert_eq!(read_digest(&text), Some(digest));
        }
        assert_eq!(read_digest("sha256:00"), None);
        assert_eq!(read_digest("../x"), None);
    }
}
