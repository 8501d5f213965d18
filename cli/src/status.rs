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
    screen::{Screen, Streams},
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
    let (home, wrong) = place.home_at_least()?;
    if let Some(error) = wrong {
        screen.hint(face::CONFIG_WRONG, &[&error])?;
    }
    if !wanted.watch {
        return show(read(&home).as_ref(), &home, screen);
    }
    loop {
        picture(&home, screen)?;
        screen.flush()?;
        std::thread::sleep(EVERY);
    }
}

/// The status at one moment; on a terminal it replaces the one before in a single write.
fn picture(home: &Path, screen: &mut Screen<'_>) -> Outcome<()> {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let streams = Streams {
        out: &mut out,
        err: &mut err,
        is_terminal: screen.is_terminal(),
    };
    let mut inner = Screen::new(streams, screen.language, screen.json);
    show(read(home).as_ref(), home, &mut inner)?;
    let text = String::from_utf8_lossy(&out);
    match screen.size() {
        Some(size) => screen.line(&format!("{CLEAR}{}", fitting(&text, size))),
        None => screen.line(text.trim_end()),
    }
}

/// The lines that a terminal of so many rows and columns shows at once, from the top: what needs a person stands there.
fn fitting(text: &str, (rows, columns): (u16, u16)) -> String {
    let columns = usize::from(columns).max(1);
    let mut left = usize::from(rows).saturating_sub(1);
    let mut kept = Vec::new();
    for line in text.lines() {
        let takes = line.chars().count().div_ceil(columns).max(1);
        if takes > left {
            break;
        }
        left -= takes;
        kept.push(line);
    }
    kept.join("\n")
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
