//! Two ministries with no network between them at all, and a stick: a folder that somebody carries. What the commands say of
//! it is read from their JSON, so that tests compare words that scripts may rely on.

use std::fs;
use std::path::Path;

use amanah::demo::launch::Ran;
use amanah::demo::ministry::Ministry;
use amanah_format::home;
use anyhow::{Context, Result};

use super::exchange::Exchange;

/// A founded pair that no wire joins; no daemon runs.
///
/// # Errors
/// A command fails.
pub fn unconnected(program: &Path) -> Result<Exchange> {
    let exchange = Exchange::found(program)?;
    let (phu, imigrasi) = (&exchange.pair.phu, &exchange.pair.imigrasi);
    for (own, peer) in [(phu, imigrasi), (imigrasi, phu)] {
        let text = format!("party = \"{}\"\n\n[peer.{}]\n", own.party(), peer.party());
        fs::write(own.folder().join(home::CONFIG), text)?;
    }
    Ok(exchange)
}

/// `amanah export` or `import` with a folder, whatever comes of it.
///
/// # Errors
/// It cannot be run.
pub fn attempt(ministry: &Ministry, verb: &str, stick: &Path) -> Result<Ran> {
    let words = [verb, "--json", &stick.to_string_lossy()];
    ministry.attempt(&words)
}

/// (name, what became of it, code) for each file that a command speaks of.
///
/// # Errors
/// It printed no facts.
pub fn fates(ran: &Ran) -> Result<Vec<(String, String, String)>> {
    let facts: serde_json::Value =
        serde_json::from_str(&ran.stdout).with_context(|| format!("{ran:?}"))?;
    let files = facts
        .get("files")
        .and_then(|files| files.as_array())
        .context("files")?;
    let text = |file: &serde_json::Value, name: &str| {
        let value = file.get(name).and_then(|value| value.as_str());
        value.unwrap_or_default().to_owned()
    };
    let fate = |file: &serde_json::Value| text(file, "fate") + &text(file, "result");
    Ok(files
        .iter()
        .map(|file| (text(file, "name"), fate(file), text(file, "code")))
        .collect())
}
