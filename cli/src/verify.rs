//! `amanah verify`: what a document proves and what it does not, offline, with public keys alone.
//! A file's own time counts only where its signer's key has expired, and then it is said so.

mod bundle;
mod destruction;
mod document;
pub(crate) mod kind;
pub(crate) mod trust;

use std::fmt::Display;
use std::path::{Path, PathBuf};

use amanah_format::keyring::Keyring;
use amanahd::catalogue::{faces::proof as face, shown};
use serde_json::Value;

use crate::{
    exit::{Exit, Failure, Outcome},
    papers,
    place::Place,
    screen::Screen,
};
pub(crate) use bundle::{bar, open as open_bundle, verify_head};
use kind::Kind;
use trust::{Bench, Finding, Proof};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amanah verify receipts/received/imigrasi/3f2a….receipt.amanah
  amanah verify --card kemenhaj.card.amanah --card imigrasi.card.amanah bundle.amanah")]
pub(crate) struct Wanted {
    /// Bundles, receipts, cards, agreements, slips, destruction records, checkpoints
    #[arg(required = true)]
    file: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) cards: Cards,
}

/// Whose keys are trusted.
#[derive(Debug, clap::Args)]
pub(crate) struct Cards {
    /// A card to trust, instead of those of the configuration; may be repeated
    #[arg(long, value_name = "FILE")]
    card: Vec<PathBuf>,
    /// A folder of cards to trust, instead of those of the configuration
    #[arg(long, value_name = "DIR")]
    keyring: Option<PathBuf>,
}

impl Cards {
    /// The cards that were named, else those beside the configuration.
    pub(crate) fn keyring(&self, place: &Place) -> Outcome<Keyring> {
        let mut paths = self.card.clone();
        if let Some(folder) = &self.keyring {
            paths.extend(papers::in_folder(folder, papers::CARD)?);
        } else if paths.is_empty() {
            return place.keyring();
        }
        let mut keyring = Keyring::default();
        for path in paths {
            keyring.trust(papers::read_card(&path)?);
        }
        Ok(keyring)
    }
}

/// Every file is judged; the worst of them is the exit code.
pub(crate) fn run(wanted: &Wanted, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let keyring = wanted.cards.keyring(place)?;
    let mut facts = Vec::new();
    let mut exit = Exit::Ok;
    for path in &wanted.file {
        // One file that cannot be read says nothing about the others.
        let judged = match judge(path, &keyring, screen) {
            Ok(judged) => judged,
            Err(failure) => Finding::unreadable(&failure, screen.language),
        };
        exit = worse(exit, judged.exit());
        if screen.json {
            facts.push(fact(path, &judged));
        } else {
            print(path, &judged, screen)?;
        }
    }
    if screen.json {
        screen.facts(&serde_json::json!({"format": "amanah-verify/1", "files": facts}))?;
    }
    Ok(exit)
}

/// A malformed document is worse than one that does not verify, and both than one that does.
fn worse(one: Exit, other: Exit) -> Exit {
    if one.code() >= other.code() {
        one
    } else {
        other
    }
}

fn judge(path: &Path, keyring: &Keyring, screen: &Screen<'_>) -> Outcome<Finding> {
    let bench = &Bench {
        keyring,
        now: papers::now(),
        language: screen.language,
    };
    let kind = Kind::of(path)?;
    match kind {
        Kind::Bundle => bundle::judge(path, bench, screen),
        Kind::Unknown => Ok(Finding::bad(kind, screen.text(face::UNKNOWN_KIND, &[]))),
        Kind::Receipt
        | Kind::Card
        | Kind::Agreement
        | Kind::Slip
        | Kind::Destruction
        | Kind::Checkpoint => Ok(document::judge(kind, &papers::read(path)?, bench)),
    }
}

fn fact(path: &Path, finding: &Finding) -> Value {
    let proof = match &finding.proof {
        Ok(proof) => proof.code(),
        Err(reason) => reason,
    };
    serde_json::json!({
        "file": path, "kind": finding.kind.code(), "verified": finding.proof.is_ok(), "proof": proof,
        "signers": finding.signers, "digest": finding.digest, "facts": finding.facts,
    })
}

fn print(path: &Path, finding: &Finding, screen: &mut Screen<'_>) -> Outcome<()> {
    let kind = screen.text(finding.kind.name(), &[]);
    let name = shown(&path.to_string_lossy());
    let proof = match &finding.proof {
        Ok(proof) => *proof,
        Err(reason) if finding.kind == Kind::Unknown => {
            return screen.say(face::NOTHING_PROVEN, &[&name, &shown(reason)]);
        }
        Err(reason) => return screen.say(face::BAD, &[&name, &kind, &shown(reason)]),
    };
    screen.say(face::GOOD, &[&name, &kind, &finding.signers.join(", ")])?;
    if let Some(digest) = &finding.digest {
        screen.say(face::DIGEST, &[digest])?;
    }
    for (text, values) in &finding.sentences {
        let values: Vec<&dyn Display> = values.iter().map(displayed).collect();
        let line = screen.text(*text, &values);
        screen.line(&format!("    {line}"))?;
    }
    if proof == Proof::TimeNotProven {
        let line = screen.text(face::TIME_NOT_PROVEN, &[]);
        screen.line(&format!("    {line}"))?;
    }
    for text in &finding.not_proven {
        let line = screen.text(*text, &[]);
        screen.line(&format!("    {line}"))?;
    }
    Ok(())
}

fn displayed(text: &String) -> &dyn Display {
    text
}

/// What a file that is no document is called in a failure.
pub(crate) fn not_that(path: &Path, screen: &Screen<'_>) -> Failure {
    papers::malformed(path, screen.text(face::UNKNOWN_KIND, &[]))
}
