//! The hidden command `daemon`: the same story as `amanahd`, in this binary, so that the demo can start it.

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
}

/// The two commands of amanahd.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Act {
    /// Run until it is told to stop
    Run,
    /// Check configuration, keys and papers, then stop
    Check,
}

/// Hands over to the daemon's own command line.
pub(crate) fn run(wanted: &Wanted, place: &Place) -> Outcome {
    let act = match wanted.act {
        Act::Run => "run",
        Act::Check => "check",
    };
    let arguments = ["amanahd".into(), act.into(), "--config".into(), place.file.clone().into_os_string()];
    start(&arguments)
}

/// The one line that leads into `amanahd`.
fn start(arguments: &[std::ffi::OsString; 4]) -> Outcome {
    Err(Failure::new(Exit::Daemon, format_args!("this build holds no daemon for {arguments:?}")))
}
