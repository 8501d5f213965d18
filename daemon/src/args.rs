//! The command line of amanahd, which is also the hidden `amanah daemon`: `run` and `check`. Exit codes by sysexits(3).
//! It parses and maps errors to exit codes; the story is in `supervise`. `check` reads all that `run` would read, and
//! opens neither home, journal nor socket, so that it may be run beside a running daemon.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::checked::Config;
use crate::config::judged;
use crate::supervise::{self, RunError};

/// Went well.
const EX_OK: u8 = 0;
/// The arguments are wrong (sysexits EX_USAGE).
const EX_USAGE: u8 = 64;
/// Input or output failed (sysexits EX_IOERR): the home, the journal, a failed sync.
const EX_IOERR: u8 = 74;
/// Something is wrong in the configuration, a key, a card, or the home is another's (sysexits EX_CONFIG): a restart does not help.
const EX_CONFIG: u8 = 78;

/// The daemon of Amanah.
#[derive(Debug, Parser)]
#[command(name = "amanahd", version, about, after_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Amanahd {
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "Examples:
  amanahd check --config /etc/amanah/amanah.toml   say whether it would start, and what is wrong
  amanahd run --config /etc/amanah/amanah.toml     run in the foreground (systemd does this)

Signals: SIGHUP reads the configuration again (a wrong one is refused, the old one stays);
         SIGTERM stops.
Exit codes: 0 stopped as asked, 64 wrong arguments, 74 input/output failed,
            78 the configuration is wrong, or a newer version wrote the home.";

/// What the daemon can be told to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run until SIGTERM.
    Run(Where),
    /// Check configuration, keys, cards and agreements; start nothing.
    Check(Where),
}

/// Where the configuration is.
#[derive(Debug, Args)]
pub struct Where {
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = "/etc/amanah/amanah.toml")]
    pub config: PathBuf,
}

/// The whole program: parses, runs, says what was wrong on standard error.
#[must_use]
pub fn main() -> ExitCode {
    match Amanahd::try_parse() {
        Ok(arguments) => carry_out(&arguments.verb),
        Err(error) => {
            // Help and version are no error; nobody is left to tell when they cannot be printed.
            let _ = error.print();
            ExitCode::from(if error.use_stderr() { EX_USAGE } else { EX_OK })
        }
    }
}

/// Carries out one verb.
#[must_use]
pub fn carry_out(verb: &Verb) -> ExitCode {
    let outcome = match verb {
        Verb::Run(at) => supervise::run(&at.config),
        Verb::Check(at) => check(&at.config),
    };
    match outcome {
        Ok(()) => ExitCode::from(EX_OK),
        Err(error) => {
            eprintln!("amanahd: {error}");
            ExitCode::from(match error {
                RunError::Config(_) | RunError::Keys(_) | RunError::Foreign(_) => EX_CONFIG,
                RunError::Start(_) | RunError::Halted(_) => EX_IOERR,
            })
        }
    }
}

/// Everything that `run` would read, and one line for each document.
fn check(file: &std::path::Path) -> Result<(), RunError> {
    let config = Config::load(file)?;
    let judged = judged::as_published(&config.home);
    let now = crate::clock::Clock::default().now();
    let (policy, loaded) = config.policy_again(now, &|digest| judged.contains(digest))?;
    supervise::check_keys(&config, &policy)?;
    supervise::check_alarm_command(&config)?;
    supervise::check_tables(&config)?;
    for document in &loaded {
        let warning = document.warning.as_deref().unwrap_or("ok");
        println!(
            "{}: {} {}: {warning}",
            document.path.display(),
            document.kind,
            document.digest
        );
    }
    for peer in &config.peers {
        if peer.by_hand(config.listen.as_ref()) {
            let name = &peer.party;
            println!(
                "{name}: no `dial`, no `drop` and no [listen]: carried by hand, with `amanah export` and `amanah import`"
            );
        }
    }
    if config.example_keys {
        println!("alarm: example-keys");
    }
    for alarm in policy.alarms() {
        println!("alarm: {alarm}");
    }
    println!("{}: ok", file.display());
    Ok(())
}
