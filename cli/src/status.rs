//! `amanah status`: what the daemon last published, so that a tired operator sees first what needs a person, then the
//! connections, then what waits and what happens next, then what was done.

mod table;
pub(crate) mod words;

#[cfg(test)]
pub(crate) mod tests;

use std::path::Path;
use std::time::Duration;

use amanahd::{
    catalogue::faces::status as face,
    snapshot::{FORMAT, Snapshot},
};

use crate::{
    exit::{Exit, Outcome},
    papers,
    place::Place,
    screen::Screen,
};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  amanah status\n  amanah status --watch\n  amanah status --json"
)]
pub(crate) struct Wanted {
    /// Show it again every second until interrupted
    #[arg(long)]
    watch: bool,
}

/// A running daemon publishes at least this often.
const FRESH_SECS: i64 = 60;
const EVERY: Duration = Duration::from_secs(1);
/// Clears the terminal and goes to its upper left corner (ECMA-48).
const CLEAR: &str = "\u{1b}[H\u{1b}[2J";

pub(crate) fn run(wanted: &Wanted, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let home = place.config()?.home;
    loop {
        let snapshot = read(&home);
        if wanted.watch && screen.is_terminal() {
            screen.line(CLEAR)?;
        }
        let exit = show(snapshot.as_ref(), &home, screen)?;
        if !wanted.watch {
            return Ok(exit);
        }
        screen.flush()?;
        std::thread::sleep(EVERY);
    }
}

/// `HOME/status.json`; none where it is missing, unreadable or of another format.
pub(crate) fn read(home: &Path) -> Option<Snapshot> {
    let bytes = std::fs::read(home.join(amanah_format::home::STATUS)).ok()?;
    let snapshot: Snapshot = serde_json::from_slice(&bytes).ok()?;
    (snapshot.format == FORMAT).then_some(snapshot)
}

/// Whether the daemon runs, judged by what it published last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Running,
    /// It said goodbye.
    Stopped,
    /// It says nothing any more: killed, or stuck.
    Silent,
}

fn life(snapshot: &Snapshot, now: i64) -> Life {
    if !snapshot.running {
        Life::Stopped
    } else if now - snapshot.written.unix() > FRESH_SECS {
        Life::Silent
    } else {
        Life::Running
    }
}

fn show(snapshot: Option<&Snapshot>, home: &Path, screen: &mut Screen<'_>) -> Outcome {
    let Some(snapshot) = snapshot else {
        return Err(screen.failure(Exit::Daemon, face::NO_SNAPSHOT, &[&home.display()]));
    };
    let now = papers::now();
    let life = life(snapshot, now.unix());
    let exit = match life {
        Life::Running => Exit::Ok,
        Life::Stopped | Life::Silent => Exit::Daemon,
    };
    if screen.json {
        let mut facts = serde_json::to_value(snapshot).unwrap_or_default();
        if let Some(object) = facts.as_object_mut() {
            object.insert("alive".into(), (life == Life::Running).into());
        }
        screen.facts(&facts)?;
        return Ok(exit);
    }
    table::print(snapshot, life, now, screen)?;
    Ok(exit)
}
