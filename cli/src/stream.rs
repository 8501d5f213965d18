//! `amanah stream`: what a sysadmin decides after a home was restored or moved. Both are requests: the daemon does them, and its
//! ledger names who asked. docs/panduan-sysadmin.md says when.

use amanah_format::id::{FlowName, PartyId};
use amanahd::request::Request;

use crate::{exit::Outcome, place::Place, request::ask, screen::Screen};

/// Arguments of `stream`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  amanah stream reopen imigrasi manifes-umrah\n  amanah stream vouch imigrasi"
)]
pub(crate) struct Wanted {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Reopen(OneStream),
    Vouch(ForPeer),
}

/// A stream of ours.
#[derive(Debug, clap::Args)]
struct OneStream {
    /// Its recipient
    peer: PartyId,
    /// Its flow
    flow: FlowName,
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
        What::Vouch(ForPeer { peer }) => {
            let request = Request::Vouch { peer: peer.clone() };
            ask(&request, Some(peer), place, screen)
        }
    }
}
