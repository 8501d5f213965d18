//! `sync-fails`: the k-th sync fails once on a device that then heals. The daemon must end with 74 and say why, claim no success
//! after that, and its next start must recover; a second try at the sync would succeed, and prove nothing (fsync(2), NOTES).

use std::fs;
use std::time::Duration;

use amanah_tests::exchange::PATIENCE;
use amanah_tests::waiting;
use anyhow::{Context, Result, ensure};

use super::Settings;
use super::dice::Dice;
use super::ground::{Ground, spread};
use super::strace::{Fault, Kind, SYNCING, happened};
use super::syscall::{Site, drop_both_ways, log_of, sites};

/// Failed syncs of the short tier.
const SAMPLE: u64 = 4;
/// How it ends.
const EX_IOERR: i32 = 74;
/// Longest time from a failed sync to the end: whoever notices last is the publishing of the status, every five seconds.
const END_WITHIN: Duration = Duration::from_secs(40);
/// What a daemon says that ends so, and what it may not say after it.
const LAST_WORDS: [&str; 2] = ["halting", "amanahd: "];
const SUCCESSES: [&str; 2] = ["receipt verified", "taken over"];
const SITES_PER_GROUND: usize = 25;

#[test]
fn a_failed_sync_ends_the_daemon_with_74_and_the_next_start_recovers() {
    let settings = Settings::short("sync-fails", SAMPLE);
    campaign(settings, None).unwrap();
}

#[test]
#[ignore = "the full tier: every sync of a round trip"]
fn every_failed_sync_ends_the_daemon_with_74_and_the_next_start_recovers() {
    let settings = Settings::full("sync-fails", u64::MAX);
    campaign(settings, None).unwrap();
}

/// `plant`: a bug that the daemons have.
pub(super) fn campaign(settings: Settings, plant: Option<&str>) -> Result<()> {
    let mut dice = Dice::new(settings.seed);
    let all: Vec<Site> = sites()?.into_iter().filter(is_failed_sync).collect();
    let mut chosen = all.clone();
    if settings.count < u64::try_from(all.len())? {
        chosen = (0..settings.count).map(|_| *dice.pick(&all)).collect();
    }
    let (mut ends, mut recoveries) = (0, Vec::new());
    for group in chosen.chunks(SITES_PER_GROUND) {
        let mut ground = Ground::running()?;
        for site in group {
            let about = || format!("{} of side {}", site.fault, site.victim);
            ends += usize::from(fails(&mut ground, site, plant, &mut dice).with_context(about)?);
        }
        ground.comes_to_rest()?;
        recoveries.append(&mut ground.recoveries);
    }
    println!(
        "sync-fails: {} syncs chosen of {}, {ends} failed, each ended the daemon with 74; recovery {}",
        chosen.len(),
        all.len(),
        spread(&recoveries)
    );
    ensure!(
        ends * 2 >= chosen.len(),
        "too few of the syncs were reached"
    );
    Ok(())
}

fn is_failed_sync(site: &Site) -> bool {
    site.fault.kind == Kind::Eio && SYNCING.contains(&site.fault.call)
}

/// One life with this fault; whether the sync was reached.
fn fails(ground: &mut Ground, site: &Site, plant: Option<&str>, dice: &mut Dice) -> Result<bool> {
    let Site { victim, fault } = *site;
    ground.kill(victim)?;
    let (log, words) = (log_of(ground), ground.ministry(victim).log());
    let said_before = fs::read(&words)?.len();
    start(ground, victim, &fault, plant)?;
    drop_both_ways(ground, dice)?;
    if !ground.until_settled_or_dead(victim, PATIENCE)? && !happened(&log) {
        ground.kill_traced(victim)?;
        restart(ground, victim)?;
        return Ok(false);
    }
    waiting::until("the end after a failed sync", END_WITHIN, || {
        Ok(ground.ministry(victim).has_ended()?.then_some(()))
    })?;
    let status = ground.ministry(victim).until_ended()?;
    ensure!(status.code() == Some(EX_IOERR), "ended with {status}");
    let said = fs::read(&words)?;
    let said = String::from_utf8_lossy(said.get(said_before..).unwrap_or_default()).into_owned();
    let last = said
        .lines()
        .position(|line| LAST_WORDS.iter().any(|words| line.contains(words)));
    let last = last.with_context(|| format!("it does not say why it ends: {said}"))?;
    let after: Vec<_> = said
        .lines()
        .skip(last)
        .filter(|line| SUCCESSES.iter().any(|words| line.contains(words)))
        .collect();
    ensure!(after.is_empty(), "success after a failed sync: {after:?}");
    ground.witness.instant(victim)?;
    restart(ground, victim)?;
    Ok(true)
}

fn start(ground: &mut Ground, victim: usize, fault: &Fault, plant: Option<&str>) -> Result<()> {
    let mut launch = ground
        .ministry(victim)
        .launch()
        .clone()
        .through(&fault.words(&log_of(ground)));
    if let Some(bug) = plant {
        launch = launch.with("AMANAH_PLANT", bug);
    }
    ground.ministry(victim).launch_daemon(&launch)
}

fn restart(ground: &mut Ground, victim: usize) -> Result<()> {
    ground.restart(victim)?;
    ground
        .until_settled(PATIENCE)?
        .context("not settled after the recovery")
}
