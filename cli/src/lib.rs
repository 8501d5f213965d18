//! The command line of Amanah: keys, cards, agreements, sending, status, verification. One file per command.
//!
//! Each command reads its arguments, asks the format and the daemon's library, and prints facts: as sentences from the
//! catalogue in Indonesian or English, or as JSON. It meets the daemon only in the home folder.

mod agreement;
mod args;
mod card;
mod check_table;
mod completions;
mod copy;
mod daemon;
pub mod demo;
mod doctor;
pub mod drill;
mod exit;
mod export;
mod help;
mod import;
mod init;
mod inspect;
mod known;
mod ledger;
mod man;
mod open;
mod papers;
mod peer;
mod place;
mod quarantine;
mod receipts;
mod reconcile;
mod request;
mod retention;
mod returned;
mod screen;
mod send;
mod status;
mod stick;
mod stream;
mod verify;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::process::ExitCode;

pub use exit::Exit;
pub use screen::Streams;

use exit::Outcome;
use place::Place;
use screen::Screen;

/// Runs with this process's arguments and streams.
#[must_use]
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    let is_terminal = out.is_terminal() && err.is_terminal();
    let streams = Streams {
        out: &mut out,
        err: &mut err,
        is_terminal,
    };
    run(&arguments, streams).into()
}

/// The story of one command: read the arguments, choose the language, do it, say what went wrong.
#[must_use]
pub fn run(arguments: &[OsString], streams: Streams<'_>) -> Exit {
    let parsed = match args::parse(arguments) {
        Ok(parsed) => parsed,
        Err(error) => return usage(&error, streams),
    };
    let place = Place::of(&parsed.globals);
    let language = parsed
        .globals
        .lang
        .map_or_else(|| place.language(), |wanted| wanted.into());
    let mut screen = Screen::new(streams, language, parsed.globals.json);
    let outcome = perform(parsed.command, &place, &mut screen);
    match outcome.and_then(|exit| screen.flush().map(|()| exit)) {
        Ok(exit) => exit,
        Err(failure) => screen.complain(&failure),
    }
}

fn perform(command: args::Command, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    use args::Command as C;
    match command {
        C::Init(wanted) => init::run(&wanted, place, screen),
        C::Card(wanted) => card::run(&wanted, place, screen),
        C::Peer(wanted) => peer::run(&wanted, place, screen),
        C::Agreement(wanted) => agreement::run(&wanted, place, screen),
        C::Send(wanted) => send::run(&wanted, place, screen),
        C::Status(wanted) => status::run(&wanted, place, screen),
        C::Receipts(wanted) => receipts::run(&wanted, place, screen),
        C::Reconcile(wanted) => reconcile::run(&wanted, place, screen),
        C::Returned => returned::run(place, screen),
        C::CheckTable(wanted) => check_table::run(&wanted, screen),
        C::Quarantine(wanted) => quarantine::run(&wanted, place, screen),
        C::Retry(wanted) => request::retry(&wanted, place, screen),
        C::Pause(wanted) => request::pause(&wanted, place, screen),
        C::Resume(wanted) => request::resume(&wanted, place, screen),
        C::Export(wanted) => export::run(&wanted, place, screen),
        C::Import(wanted) => import::run(&wanted, place, screen),
        C::Stream(wanted) => stream::run(&wanted, place, screen),
        C::Retention(wanted) => retention::run(&wanted, place, screen),
        C::Verify(wanted) => verify::run(&wanted, place, screen),
        C::Inspect(wanted) => inspect::run(&wanted, screen),
        C::Open(wanted) => open::run(&wanted, place, screen),
        C::Ledger(wanted) => ledger::run(&wanted, place, screen),
        C::Completions(wanted) => completions::run(&wanted, screen),
        C::Man(wanted) => man::run(&wanted, screen),
        C::Doctor(wanted) => doctor::run(&wanted, place, screen),
        C::Demo(wanted) => demo::run(&wanted, screen),
        C::Drill(wanted) => drill::run(&wanted, screen),
        C::Daemon(wanted) => Ok(daemon::run(&wanted, place)),
    }
}

/// Help and version go to `out` and are no error; everything else about arguments is one.
fn usage(error: &clap::Error, streams: Streams<'_>) -> Exit {
    let text = error.render();
    let written = if error.use_stderr() {
        write!(streams.err, "{text}").map(|()| Exit::Usage)
    } else {
        write!(streams.out, "{text}").map(|()| Exit::Ok)
    };
    written.unwrap_or(Exit::Io)
}
