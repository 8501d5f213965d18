//! The local side with two real daemons: who writes into the outbox, slowly or oddly, moves and renames what lies there, and
//! drops more at once than the kernel tells of. Everything arrives once and whole; nothing arrives that nobody dropped.

mod burst;
mod folders;
mod unheard;
mod writers;

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use amanah_format::home;
use amanah_tests::exchange::{Dropped, Exchange};
use amanah_tests::launch::ended_within;
use anyhow::{Context, Result, ensure};

use crate::program;

/// Longest run of one writer.
const WRITER: Duration = Duration::from_secs(60);

/// Both founded, the sender with these quiet periods in seconds; no daemon runs.
fn founded(files: u32, folders: u32) -> Result<Exchange> {
    let exchange = Exchange::found(program())?;
    let config = exchange.pair.phu.folder().join(home::CONFIG);
    let text = fs::read_to_string(&config)?;
    let quiet =
        format!("{text}\n[outbox]\nquiet_secs_files = {files}\nquiet_secs_folders = {folders}\n");
    fs::write(&config, quiet)?;
    Ok(exchange)
}

/// The same, started and connected.
fn connected(files: u32, folders: u32) -> Result<Exchange> {
    let mut exchange = founded(files, folders)?;
    exchange.pair.start()?;
    Ok(exchange)
}

/// A shell that does this; `$1` is the outbox, `$2` the material, `$3` the name.
fn shell(script: &str, outbox: &Path, material: &Path, name: &str) -> Result<Child> {
    Command::new("sh")
        .args(["-euc", script, "sh"])
        .args([outbox.as_os_str(), material.as_os_str(), OsStr::new(name)])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .context("sh")
}

/// It has done what it should.
fn ended(name: &str, mut child: Child) -> Result<()> {
    let status = ended_within(&mut child, WRITER)?;
    ensure!(status.success(), "{name}: {status}");
    Ok(())
}

/// Drops one more item and waits until it is settled: the sender has looked at its outbox again, from the scan to the end.
fn passes_on(exchange: &mut Exchange, name: &str) -> Result<Vec<amanah_tests::exchange::Arrived>> {
    let way = exchange.out.clone();
    let dropped = exchange.drop_text(&way, name, name)?;
    exchange.settled(&[dropped])
}

/// Waits for all of them and looks at everything.
fn all_arrive_once(exchange: &mut Exchange, dropped: &[Dropped]) -> Result<()> {
    let arrived = exchange.settled(dropped)?;
    exchange.holds(&arrived)
}
