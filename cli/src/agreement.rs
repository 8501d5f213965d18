//! `amanah agreement`: the rules that both parties sign. Drafted here, signed by each side, exchanged as a file, in force
//! with both signatures and within its dates; either party alone may revoke it.

mod draft;
mod exchange;
mod flow;
pub(crate) mod moments;
mod revoke;
mod show;
mod standing;
mod tables;

use std::path::PathBuf;

use amanah_format::{
    agreement::{Agreement, AgreementFile},
    id::{AgreementId, PartyId},
};
use amanahd::catalogue::faces::agreement as face;
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
  amanah agreement list
  amanah agreement sign pks-manifes
  amanah agreement export pks-manifes /media/usb/
  amanah agreement import pks-manifes-v1.agreement.amanah")]
pub(crate) struct Wanted {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    Draft(Box<draft::Wanted>),
    Sign(Named),
    Export {
        #[command(flatten)]
        named: Named,
        /// File to write it to
        file: PathBuf,
    },
    Import {
        /// The peer's file
        file: PathBuf,
    },
    Show {
        /// Id of an agreement here, or a file
        what: String,
        /// Version [default: the highest here]
        #[arg(long)]
        version: Option<u32>,
    },
    List,
    Revoke {
        #[command(flatten)]
        named: Named,
        /// Why: the peer reads it
        #[arg(long)]
        reason: String,
    },
}

/// An agreement in the configuration's folder.
#[derive(Debug, clap::Args)]
struct Named {
    /// Id of the agreement
    id: AgreementId,
    /// Version [default: the highest here]
    #[arg(long)]
    version: Option<u32>,
}

pub(crate) fn run(wanted: &Wanted, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    match &wanted.act {
        Act::Draft(wanted) => draft::run(wanted, place, screen),
        Act::Sign(named) => exchange::sign(named, place, screen),
        Act::Export { named, file } => exchange::export(named, file, place, screen),
        Act::Import { file } => exchange::import(file, place, screen),
        Act::Show { what, version } => show::run(what, *version, place, screen),
        Act::List => show::list(place, screen),
        Act::Revoke { named, reason } => revoke::run(named, reason, place, screen),
    }
}

/// An agreement as it lies in `agreements/`.
struct Local {
    path: PathBuf,
    file: AgreementFile,
    text: Agreement,
}

/// All agreements here that can be read, by name.
fn all(place: &Place) -> Outcome<Vec<Local>> {
    let mut found = Vec::new();
    for path in papers::in_folder(&place.agreements(), papers::AGREEMENT)? {
        let (file, text) = papers::read_agreement(&path)?;
        found.push(Local { path, file, text });
    }
    Ok(found)
}

/// The agreement that is meant.
fn find(named: &Named, place: &Place, screen: &Screen<'_>) -> Outcome<Local> {
    let fits = |local: &Local| {
        local.text.id == named.id
            && named
                .version
                .is_none_or(|version| version == local.text.version)
    };
    let found = all(place)?.into_iter().filter(fits);
    found.max_by_key(|local| local.text.version).ok_or_else(|| {
        screen.failure(
            Exit::Missing,
            face::UNKNOWN,
            &[&named.id, &place.agreements().display()],
        )
    })
}

/// The parties that have not signed, by name; none where both have, rightly or not.
pub(crate) fn unsigned(file: &AgreementFile, text: &Agreement) -> Option<String> {
    let signed = |party: &PartyId| file.signers().any(|signer| signer == party);
    let parties = text.parties.iter().map(|party| &party.id);
    let missing: Vec<&str> = parties
        .filter(|party| !signed(party))
        .map(PartyId::as_str)
        .collect();
    (!missing.is_empty()).then(|| missing.join(", "))
}

/// The other party of an agreement that `own` is a party to.
fn peer_of<'a>(text: &'a Agreement, own: &PartyId) -> Option<&'a PartyId> {
    let [one, other] = &text.parties;
    if &one.id == own {
        Some(&other.id)
    } else if &other.id == own {
        Some(&one.id)
    } else {
        None
    }
}
