//! `amanah send`: drops files or folders into the outbox, and with `--wait` follows them to the receipt.
//! The source is copied, never moved: what is not accepted is still where it was.

mod follow;
mod table;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use amanah_format::{
    home,
    id::{FlowName, PartyId},
};
use amanahd::catalogue::{Language, faces::traffic, moment};
use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use crate::{
    copy,
    exit::{Exit, Failure, Outcome},
    place::Place,
    screen::Screen,
};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amanah send imigrasi manifes-umrah manifes-2026-11-22.csv
  amanah send imigrasi manifes-umrah folder/ berkas.pdf --wait --timeout 600")]
pub(crate) struct Wanted {
    /// To whom
    peer: PartyId,
    /// In which flow of the agreement
    flow: FlowName,
    /// Files or folders; they are copied
    #[arg(required = true)]
    path: Vec<PathBuf>,
    /// Wait for the peer's receipt
    #[arg(long)]
    wait: bool,
    /// How long to wait, in seconds
    #[arg(long, requires = "wait", value_name = "SECS")]
    timeout: Option<u64>,
}

pub(crate) fn run(wanted: &Wanted, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let config = place.config()?;
    let folder = config.home.join(home::outbox(&wanted.peer, &wanted.flow));
    if !folder.is_dir() {
        return Err(no_folder(wanted, &config.home, screen));
    }
    // Before anything is dropped: of several, all or none.
    for path in &wanted.path {
        path.symlink_metadata()
            .map_err(|error| Failure::io(path, &error))?;
    }
    if let Some(terms) = table::terms(wanted, &config) {
        for path in &wanted.path {
            table::look(path, &terms, screen)?;
        }
    }
    let mut dropped = Vec::new();
    for path in &wanted.path {
        dropped.push(drop_one(path, &folder, screen)?);
    }
    if !wanted.wait {
        if screen.json {
            screen.facts(&serde_json::json!({"format": "amanah-send/1", "dropped": dropped}))?;
        } else {
            screen.hint(traffic::SEND_NEXT, &[])?;
        }
        return Ok(Exit::Ok);
    }
    follow::run(&dropped, &config.home, wanted.timeout, screen)
}

fn drop_one(path: &Path, folder: &Path, screen: &mut Screen<'_>) -> Outcome<copy::Dropped> {
    let bar = if screen.shows_progress() {
        bar(copy::bytes_of(path), screen.language)
    } else {
        ProgressBar::hidden()
    };
    let dropped = copy::into_outbox(path, folder, screen, &mut |bytes| bar.inc(bytes));
    bar.finish_and_clear();
    let dropped = dropped?;
    if !screen.json {
        let amount = moment::bytes(dropped.bytes, screen.language);
        screen.say(
            traffic::DROPPED,
            &[&amanahd::catalogue::shown(&dropped.name), &amount],
        )?;
    }
    Ok(dropped)
}

/// A bar of bytes; its width follows the terminal, its amounts are written as everywhere else.
pub(crate) fn bar(bytes: u64, language: Language) -> ProgressBar {
    ProgressBar::new(bytes).with_style(style("{msg} {wide_bar} {amount} {left}", language))
}

/// A template with `{amount}` and `{left}` in the language.
fn style(template: &str, language: Language) -> ProgressStyle {
    let amount = move |state: &ProgressState, to: &mut dyn Write| {
        let whole = moment::bytes(state.len().unwrap_or(0), language);
        // INVARIANT: the writer is a String, which cannot fail.
        let _ = write!(to, "{} / {whole}", moment::bytes(state.pos(), language));
    };
    let left = move |state: &ProgressState, to: &mut dyn Write| {
        let secs = i64::try_from(state.eta().as_secs()).unwrap_or(i64::MAX);
        let _ = write!(to, "{}", moment::span(secs, language));
    };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("amount", amount)
        .with_key("left", left)
}

/// Why there is nowhere to drop it: no such peer, the daemon never ran, or no such flow.
fn no_folder(wanted: &Wanted, root: &Path, screen: &Screen<'_>) -> Failure {
    let outbox = root.join(home::OUTBOX);
    if !outbox.is_dir() {
        return screen.failure(Exit::Daemon, traffic::NO_OUTBOX, &[&outbox.display()]);
    }
    let peer = outbox.join(wanted.peer.as_str());
    if !peer.is_dir() {
        return screen.failure(Exit::Usage, traffic::UNKNOWN_PEER, &[&wanted.peer]);
    }
    let mut flows: Vec<String> = std::fs::read_dir(&peer)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.'))
        .collect();
    flows.sort();
    let flows = amanahd::catalogue::shown(&flows.join(", "));
    screen.failure(
        Exit::Usage,
        traffic::NO_FLOW,
        &[&wanted.flow, &wanted.peer, &flows],
    )
}
