//! `amanah stream`: what a sysadmin decides after a home was restored or moved, or lost a bundle. All are requests: the daemon does them, and its
//! ledger names who asked. docs/panduan-sysadmin.md says when.

use amanah_format::id::{FlowName, PartyId, Sequence};
use amanahd::request::Request;

use crate::{exit::Outcome, place::Place, request::ask, screen::Screen};

/// Arguments of `stream`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  amanah stream reopen imigrasi manifes-umrah\n  amanah stream vouch imigrasi\n  amanah stream void imigrasi manifes-umrah 7"
)]
pub(crate) struct Wanted {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Reopen(OneStream),
    Vouch(ForPeer),
    Void(OneNumber),
}

/// A stream of ours.
#[derive(Debug, clap::Args)]
struct OneStream {
    /// Its recipient
    peer: PartyId,
    /// Its flow
    flow: FlowName,
}

/// A number of a stream of ours.
#[derive(Debug, clap::Args)]
struct OneNumber {
    /// Its recipient
    peer: PartyId,
    /// Its flow
    flow: FlowName,
    /// The number, as `amanah status` shows it
    #[arg(value_parser = number)]
    number: Sequence,
}

fn number(text: &str) -> Result<Sequence, String> {
    let number = text.parse::<u64>().map_err(|error| error.to_string())?;
    Sequence::try_from(number).map_err(|error| error.to_string())
}

/// Towards whom.
#[derive(Debug, clap::Args)]
struct ForPeer {
    /// For which peer
    peer: PartyId,
}

pub(crate) fn run(wanted: &Wanted, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    match &wanted.what {
        What::Reopen(OneStream { peer, flow }) => {
            let request = Request::Reopen {
                peer: peer.clone(),
                flow: flow.clone(),
            };
            ask(&request, Some(peer), place, screen)
        }
        What::Void(OneNumber { peer, flow, number }) => {
            let request = Request::Void {
                peer: peer.clone(),
                flow: flow.clone(),
                number: *number,
            };
            ask(&request, Some(peer), place, screen)
        }
        What::Vouch(ForPeer { peer }) => {
            let request = Request::Vouch { peer: peer.clone() };
            ask(&request, Some(peer), place, screen)
        }
    }
}
