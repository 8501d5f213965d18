//! `amanah retry`, `pause`, `resume`: what an operator asks of the daemon is a file renamed into `requests/`.
//! Asking is not doing: the daemon decides, and its ledger names who asked.

use std::path::{Path, PathBuf};

use amanah_format::id::PartyId;
use amanahd::{catalogue::faces::traffic, request::Request};

use crate::{
    exit::{Exit, Failure, Outcome},
    known,
    place::Place,
    screen::Screen,
};

/// Arguments of `retry`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  amanah retry\n  amanah retry imigrasi")]
pub(crate) struct MaybePeer {
    /// Which peer [default: all]
    peer: Option<PartyId>,
}

/// Arguments of `pause` and `resume`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  amanah pause imigrasi\n  amanah resume imigrasi")]
pub(crate) struct OnePeer {
    /// Which peer
    peer: PartyId,
}

pub(crate) fn retry(wanted: &MaybePeer, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let peer = wanted.peer.clone();
    ask(
        &Request::Retry { peer },
        wanted.peer.as_ref(),
        place,
        screen,
    )
}

pub(crate) fn pause(wanted: &OnePeer, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let peer = wanted.peer.clone();
    ask(&Request::Pause { peer }, Some(&wanted.peer), place, screen)
}

pub(crate) fn resume(wanted: &OnePeer, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let peer = wanted.peer.clone();
    ask(&Request::Resume { peer }, Some(&wanted.peer), place, screen)
}

pub(crate) fn ask(
    request: &Request,
    peer: Option<&PartyId>,
    place: &Place,
    screen: &mut Screen<'_>,
) -> Outcome {
    let config = place.config()?;
    if let Some(peer) = peer {
        known::demand_peer(&config, peer, screen)?;
    }
    submit(request, &config.home, screen)
}

/// Places a request, and says so.
pub(crate) fn submit(request: &Request, home: &Path, screen: &mut Screen<'_>) -> Outcome {
    let name = place(request, home, screen)?;
    if screen.json {
        screen.facts(&serde_json::json!({
            "format": "amanah-requested/1", "request": request, "file": name,
        }))?;
    } else {
        screen.say(traffic::REQUESTED, &[])?;
    }
    Ok(Exit::Ok)
}

/// Writes the request whole under a dot name, then renames it: the daemon never sees half of one. Its path.
pub(crate) fn place(request: &Request, home: &Path, screen: &Screen<'_>) -> Outcome<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let folder = home.join(amanah_format::home::REQUESTS);
    if !folder.is_dir() {
        return Err(screen.failure(Exit::Daemon, traffic::NO_REQUESTS, &[&folder.display()]));
    }
    let io = |error: &std::io::Error| Failure::io(&folder, error);
    let mut file = tempfile::Builder::new()
        .prefix(".amanah-")
        .suffix(".tmp")
        .permissions(std::fs::Permissions::from_mode(0o660))
        .tempfile_in(&folder)
        .map_err(|error| io(&error))?;
    serde_json::to_writer(&mut file, request).map_err(|error| Failure::new(Exit::Io, error))?;
    let hidden = file
        .path()
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let unique = hidden
        .trim_start_matches(".amanah-")
        .trim_end_matches(".tmp");
    let name = folder.join(format!("{unique}{}", amanah_format::home::REQUEST_SUFFIX));
    file.persist_noclobber(&name)
        .map_err(|error| io(&error.error))?;
    Ok(name)
}
