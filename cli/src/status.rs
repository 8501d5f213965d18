//! `amanah status`: what the daemon last published, so that a tired operator sees first what needs a person, then the
//! connections, then what waits and what happens next, then what was done.

mod streams;
mod table;
mod watch;
pub(crate) mod words;

#[cfg(test)]
pub(crate) mod tests;

use std::path::Path;

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
    /// Follow it: redrawn on a terminal until q or Ctrl-C, else a line for each change
    #[arg(long)]
    watch: bool,
}

/// A running daemon publishes at least this often.
const FRESH_SECS: i64 = 60;
pub(crate) fn run(wanted: &Wanted, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let (home, wrong) = place.home_at_least()?;
    if let Some(error) = wrong {
        screen.hint(face::CONFIG_WRONG, &[&error])?;
    }
    if !wanted.watch {
        return show(read(&home).as_ref(), &home, screen);
    }
    watch::run(&home, screen)
}

/// `HOME/status.json`; none where it is missing, unreadable or of another format.
pub(crate) fn read(home: &Path) -> Option<Snapshot> {
    let bytes = std::fs::read(home.join(amanah_format::home::STATUS)).ok()?;
    let snapshot: Snapshot = serde_json::from_slice(&bytes).ok()?;
    (snapshot.format == FORMAT).then_some(snapshot)
}

/// Whether the daemon runs, judged by what it published last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Running,
    /// It said goodbye.
    Stopped,
    /// It says nothing any more: killed, or stuck.
    Silent,
}

pub(crate) fn life(snapshot: &Snapshot, now: i64) -> Life {
    if !snapshot.running {
        Life::Stopped
    } else if now - snapshot.written.unix() > FRESH_SECS {
        Life::Silent
    } else {
        Life::Running
    }
}

/// Whether a daemon stands behind it.
pub(crate) fn is_alive(snapshot: &Snapshot) -> bool {
    life(snapshot, papers::now().unix()) == Life::Running
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
        screen.facts(&facts(snapshot, life))?;
        return Ok(exit);
    }
    table::print(snapshot, life, now, screen)?;
    Ok(exit)
}

/// The snapshot as published, and whether its daemon still runs.
fn facts(snapshot: &Snapshot, life: Life) -> serde_json::Value {
    let mut facts = serde_json::to_value(snapshot).unwrap_or_default();
    if let Some(object) = facts.as_object_mut() {
        object.insert("alive".into(), (life == Life::Running).into());
    }
    facts
}
