//! The hidden command `daemon`: the same story as `amanahd`, in this binary, so that the demo and the tests can start it.
//! It adds nothing of its own but an end together with the program that started it.

use std::process::ExitCode;

use amanahd::args::{Verb, Where, carry_out};
use rustix::process::{Signal, set_parent_process_death_signal};

use crate::{exit::Exit, place::Place};

/// Arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Wanted {
    /// What amanahd would do
    #[arg(value_enum)]
    act: Act,
    /// Stop when the program that started this one ends, however it ends
    #[arg(long)]
    with_parent: bool,
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
    if wanted.with_parent && set_parent_process_death_signal(Some(Signal::TERM)).is_err() {
        return Exit::Daemon;
    }
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
