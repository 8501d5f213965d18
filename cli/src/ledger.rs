//! `amanah ledger`: verifies the published records against the signed checkpoint and what peers cosigned, and shows the newest.
//! Memory does not depend on the ledger's length. FORMAT.md §15.

use std::fmt::Display;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use amanah_format::{
    digest::Digest,
    home,
    id::PartyId,
    keyring::Keyring,
    ledger::{Checkpoint, Record, Tree, leaf_hash, parse_origin},
};
use amanahd::catalogue::{Language, Text, faces::proof as face, moment, shown};
use amanahd::request::Request;
use clap::Subcommand;

use crate::{
    exit::{Exit, Failure, Outcome},
    papers,
    place::Place,
    screen::Screen,
    verify::Cards,
};

mod witnesses;

use witnesses::Witnesses;

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amanah ledger verify
  amanah ledger verify /media/audit/ledger --card imigrasi.card.amanah
  amanah ledger show --last 50
  amanah ledger accept imigrasi")]
pub(crate) struct Wanted {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    Verify {
        /// Folder with records.jsonl and checkpoint [default: that of the home]
        folder: Option<PathBuf>,
        #[command(flatten)]
        cards: Cards,
    },
    Accept {
        /// Whose ledger
        party: PartyId,
    },
    Show {
        /// How many
        #[arg(long, default_value_t = 20, value_name = "NUMBER")]
        last: usize,
    },
}

/// `sha256:` and 16 hex digits.
const ABRIDGED: usize = 23;
/// Longest line read: a record has a few hundred bytes.
const LINE_BYTES_MAX: usize = 64 * 1024;

pub(crate) fn run(wanted: &Wanted, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    match &wanted.act {
        Act::Verify { folder, cards } => {
            let keyring = cards.keyring(place)?;
            if let Some(folder) = folder {
                return verify(folder, (&keyring, None), screen);
            }
            let config = place.config()?;
            let folder = config.home.join(home::LEDGER);
            verify(&folder, (&keyring, Some(&config.party)), screen)
        }
        Act::Accept { party } => {
            let request = Request::AcceptLedger {
                party: party.clone(),
            };
            crate::request::ask(&request, None, place, screen)
        }
        Act::Show { last } => show(&place.config()?.home.join(home::LEDGER), *last, screen),
    }
}

/// Why a ledger or its checkpoint does not count: a sentence of the catalogue with its values.
#[derive(Debug)]
pub(crate) struct Fault {
    text: Text,
    values: Vec<String>,
}

impl Fault {
    fn new<const N: usize>(text: Text, values: [&dyn Display; N]) -> Self {
        let values = values.map(ToString::to_string).into();
        Self { text, values }
    }

    /// What no sentence is made for.
    pub(crate) fn other(reason: &dyn Display) -> Self {
        Self::new(face::AS_IT_IS, [reason])
    }

    pub(crate) fn sentence(&self, language: Language) -> String {
        let values: Vec<&dyn Display> = self.values.iter().map(displayed).collect();
        self.text.with(language, &values)
    }
}

fn displayed(text: &String) -> &dyn Display {
    text
}

/// A checkpoint verified under a ledger key of the party that its origin names.
pub(crate) fn verify_note(note: &str, keyring: &Keyring) -> Result<(PartyId, Checkpoint), Fault> {
    let origin = note.lines().next().unwrap_or_default();
    let (party, _) =
        parse_origin(origin).ok_or_else(|| Fault::new(face::LEDGER_ORIGIN, [&origin]))?;
    let keys = keyring.ledger_keys(&party);
    if keys.is_empty() {
        return Err(Fault::new(face::LEDGER_NO_KEY, [&party]));
    }
    let checkpoint = Checkpoint::verify(note, &keys).map_err(|error| Fault::other(&error))?;
    Ok((party, checkpoint))
}

/// A ledger that is whole: whose it is, its checkpoint, how many records lie beyond that, who cosigned it.
type Whole = (PartyId, Checkpoint, u64, Witnesses);

/// Holds the records in `folder` against the checkpoint beside them, which must be of `whose` where that is given.
fn judge(
    folder: &Path,
    keyring: &Keyring,
    whose: Option<&PartyId>,
) -> Outcome<Result<Whole, Fault>> {
    let path = folder.join("checkpoint");
    let note =
        String::from_utf8(papers::read(&path)?).map_err(|error| papers::malformed(&path, error))?;
    Ok(verify_note(&note, keyring).and_then(|(party, checkpoint)| {
        if let Some(own) = whose.filter(|own| **own != party) {
            return Err(Fault::new(face::LEDGER_WHOSE, [own, &party]));
        }
        let witnesses = Witnesses::read(&folder.join("cosigned"), keyring, &checkpoint)?;
        let beyond = walk(&folder.join("records.jsonl"), &checkpoint, &witnesses)?;
        Ok((party, checkpoint, beyond, witnesses))
    }))
}

/// Whether the ledger in `folder` is whole, and the party's.
pub(crate) fn intact(
    folder: &Path,
    keyring: &Keyring,
    whose: &PartyId,
) -> Outcome<Result<(), Fault>> {
    Ok(judge(folder, keyring, Some(whose))?.map(drop))
}

/// `whose`: in the own home only the own ledger will do.
fn verify(
    folder: &Path,
    (keyring, whose): (&Keyring, Option<&PartyId>),
    screen: &mut Screen<'_>,
) -> Outcome {
    let judged = judge(folder, keyring, whose)?;
    let exit = if judged.is_ok() {
        Exit::Ok
    } else {
        Exit::Negative
    };
    match (judged, screen.json) {
        (Ok((party, checkpoint, beyond, witnesses)), true) => screen.facts(&serde_json::json!({
            "format": "amanah-ledger-verify/1", "verified": true, "party": party,
            "origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root, "beyond": beyond,
            "cosigned": witnesses.facts(),
        }))?,
        (Ok((party, checkpoint, beyond, witnesses)), false) => {
            let count = moment::count(checkpoint.size, screen.language);
            screen.say(face::LEDGER_WHOLE, &[&count, &party])?;
            if beyond > 0 {
                screen.say(face::LEDGER_BEYOND, &[&beyond])?;
            }
            witnesses.tell(checkpoint.size, screen)?;
        }
        (Err(fault), true) => screen.facts(&serde_json::json!({
            "format": "amanah-ledger-verify/1", "verified": false, "reason": fault.sentence(screen.language),
        }))?,
        (Err(fault), false) => {
            let reason = fault.sentence(screen.language);
            screen.say(face::LEDGER_BROKEN, &[&shown(&reason)])?;
        }
    }
    Ok(exit)
}

/// Reads the records one by one, never all at once; returns how many lie beyond the checkpoint (written after it).
fn walk(path: &Path, checkpoint: &Checkpoint, witnesses: &Witnesses) -> Result<u64, Fault> {
    let unread = |error: std::io::Error| Fault::other(&format_args!("{}: {error}", path.display()));
    let file = File::open(path).map_err(unread)?;
    let mut tree = Tree::default();
    let mut beyond = 0;
    for (index, line) in (0_u64..).zip(BufReader::new(file).split(b'\n')) {
        let line = line.map_err(unread)?;
        if index >= checkpoint.size {
            beyond += 1;
            continue;
        }
        if line.len() > LINE_BYTES_MAX {
            return Err(Fault::new(face::LEDGER_LONG, [&index, &LINE_BYTES_MAX]));
        }
        let record = Record::parse(&line)
            .map_err(|error| Fault::new(face::LEDGER_RECORD, [&index, &error]))?;
        if record.index != index {
            return Err(Fault::new(face::LEDGER_INDEX, [&index, &record.index]));
        }
        tree.push(leaf_hash(&line));
        witnesses.compare(&tree)?;
    }
    if tree.size() != checkpoint.size {
        let (expected, found) = (checkpoint.size, tree.size());
        return Err(Fault::new(face::LEDGER_SHORT, [&expected, &found]));
    }
    if tree.root() == checkpoint.root {
        Ok(beyond)
    } else {
        Err(Fault::new(face::LEDGER_ROOTS, []))
    }
}

fn show(folder: &Path, last: usize, screen: &mut Screen<'_>) -> Outcome {
    let path = folder.join("records.jsonl");
    let file = File::open(&path).map_err(|error| Failure::io(&path, &error))?;
    let mut newest = std::collections::VecDeque::new();
    for line in BufReader::new(file).split(b'\n') {
        let line = line.map_err(|error| Failure::io(&path, &error))?;
        if newest.len() == last {
            newest.pop_front();
        }
        newest.push_back(line);
    }
    let mut records = Vec::new();
    for line in &newest {
        records.push(Record::parse(line).map_err(|error| papers::malformed(&path, error))?);
    }
    if screen.json {
        screen.facts(&serde_json::json!({"format": "amanah-ledger/1", "records": records}))?;
        return Ok(Exit::Ok);
    }
    let heads = [face::INDEX, face::TIME, face::EVENT, face::ABOUT];
    let mut table = screen.table(heads);
    for record in &records {
        table.add_row(row(record, screen));
    }
    screen.line(&table.to_string())?;
    Ok(Exit::Ok)
}

/// What is enough to tell digests apart, and for `amanah quarantine show`; `--json` has all of it.
fn abridged(digest: &Digest) -> String {
    let text = digest.to_string();
    text.get(..ABRIDGED)
        .map_or_else(String::new, |start| format!("{start}…"))
}

fn row(record: &Record, screen: &Screen<'_>) -> [String; 4] {
    let kind = serde_json::to_value(record.kind).unwrap_or_default();
    let mut event = kind.as_str().unwrap_or_default().to_owned();
    if let Some(code) = &record.code {
        event.push_str(&format!(" ({})", shown(code)));
    }
    let about = record.manifest.iter().chain(&record.digests);
    let about: Vec<String> = about.map(abridged).collect();
    [
        record.index.to_string(),
        moment::brief(record.time, screen.language),
        event,
        about.join(" "),
    ]
}
