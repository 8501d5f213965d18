//! The hidden command `daemon`: the same story as `amanahd`, in this binary, so that the demo and the tests can start it.

use amanahd::args::{Verb, Where, carry_out};
use rustix::process::{Signal, set_parent_process_death_signal};

use crate::{
    exit::{Exit, Failure, Outcome},
    place::Place,
};

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

/// Hands over to the daemon's own story, which says itself what is wrong.
pub(crate) fn run(wanted: &Wanted, place: &Place) -> Outcome {
    if wanted.with_parent {
        set_parent_process_death_signal(Some(Signal::TERM))
            .map_err(|error| Failure::new(Exit::Io, error))?;
    }
    let at = Where {
        config: place.file.clone(),
    };
    let code = carry_out(&match wanted.act {
        Act::Run => Verb::Run(at),
        Act::Check => Verb::Check(at),
    });
    let ends = [Exit::Ok, Exit::Config];
    Ok(ends.into_iter().find(|exit| exit.code() == code).unwrap_or(Exit::Io))
}
