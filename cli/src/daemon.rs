//! The hidden command `daemon`: the same story as `amanahd`, in this binary, so that the demo can start it.
//! It adds nothing of its own.

use std::process::ExitCode;

use amanahd::args::{Verb, Where, carry_out};

use crate::{exit::Exit, place::Place};

/// Arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Wanted {
    /// What amanahd would do
    #[arg(value_enum)]
    act: Act,
}

/// The two commands of amanahd.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Act {
    /// Run until it is told to stop
    Run,
    /// Check configuration, keys and papers, then stop
    Check,
}

/// Hands over to the daemon, which says by itself what is wrong; its exit code is ours.
pub(crate) fn run(wanted: &Wanted, place: &Place) -> Exit {
    let at = Where {
        config: place.file.clone(),
    };
    let verb = match wanted.act {
        Act::Run => Verb::Run(at),
        Act::Check => Verb::Check(at),
    };
    let ended = carry_out(&verb);
    let known = [Exit::Ok, Exit::Io, Exit::Config];
    let same = known
        .into_iter()
        .find(|exit| ExitCode::from(*exit) == ended);
    same.unwrap_or(Exit::Negative)
}
