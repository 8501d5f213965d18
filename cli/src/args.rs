//! The arguments: what can be asked, in one tree. Meaning is given by each command's own file.
//! Every command takes `--home` or `--config`, `--lang` and `--json`.

use std::ffi::OsString;
use std::path::PathBuf;

use amanahd::catalogue::Language;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::help::{self, examples};

/// Signed, encrypted file exchange between two ministries.
#[derive(Debug, Parser)]
#[command(name = "amanah", version, after_help = examples::AMANAH, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Globals {
    /// Configuration file [default: /etc/amanah/amanah.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Folder that is home and configuration in one: DIR/amanah.toml
    #[arg(long, global = true, value_name = "DIR", conflicts_with = "config")]
    pub(crate) home: Option<PathBuf>,
    /// Language of the texts
    #[arg(long, global = true, value_name = "LANGUAGE")]
    pub(crate) lang: Option<Wanted>,
    /// Print facts as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// A language as the command line names it. Its values have no texts: with them every help would take three screens.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Wanted {
    Id,
    En,
}

impl From<Wanted> for Language {
    fn from(wanted: Wanted) -> Self {
        match wanted {
            Wanted::Id => Self::Indonesian,
            Wanted::En => Self::English,
        }
    }
}

/// One per file of this crate.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(crate::init::Wanted),
    Card(crate::card::Wanted),
    Peer(crate::peer::Wanted),
    Agreement(crate::agreement::Wanted),
    Send(crate::send::Wanted),
    Status(crate::status::Wanted),
    Receipts(crate::receipts::Wanted),
    Reconcile(crate::reconcile::Wanted),
    Returned,
    CheckTable(crate::check_table::Wanted),
    Quarantine(crate::quarantine::Wanted),
    Retry(crate::request::MaybePeer),
    Pause(crate::request::OnePeer),
    Stream(crate::stream::Wanted),
    Resume(crate::request::OnePeer),
    Export(crate::export::Wanted),
    Import(crate::import::Wanted),
    Retention(crate::retention::Wanted),
    Verify(crate::verify::Wanted),
    Inspect(crate::inspect::Wanted),
    Open(crate::open::Wanted),
    Ledger(crate::ledger::Wanted),
    Doctor(crate::doctor::Wanted),
    Demo(crate::demo::Wanted),
    Drill(crate::drill::Wanted),
    Completions(crate::completions::Wanted),
    #[command(hide = true)]
    Man(crate::man::Wanted),
    #[command(hide = true)]
    Daemon(crate::daemon::Wanted),
}

/// Reads the arguments; the help that it may print is in the environment's language, or that of `--lang`.
pub(crate) fn parse(arguments: &[OsString]) -> Result<Arguments, clap::Error> {
    let command = help::translate(Arguments::command(), help::language(arguments));
    let command = command.term_width(help::columns());
    let matches = command.try_get_matches_from(arguments)?;
    Arguments::from_arg_matches(&matches)
}
