//! The campaigns can fail: each bug that is planted in the daemon (`plant.rs`) is caught by one of them, and the same campaign
//! passes without it. A campaign that catches nothing proves nothing.

use amanah_tests::exchange::PATIENCE;
use amanahd::plant::Bug;
use anyhow::{Context, Result, ensure};

use super::Settings;
use super::checker::Counted;
use super::dice::Dice;
use super::ground::{Ground, IMIGRASI};
use super::sync_fails;
use super::syscall::drop_both_ways;

/// Which bug, and the instant of death that brings it to light.
const KILLED_AT: [(Bug, &str); 3] = [
    (Bug::ReceiptBeforeCommit, "files.staged"),
    (Bug::RecordOutside, "files.marked"),
    (Bug::SeenBeforeImport, "files.staged"),
];
/// So long a daemon with a bug may take to come to its end.
const STUCK: std::time::Duration = std::time::Duration::from_secs(6);

#[test]
fn a_death_during_an_import_brings_the_planted_seen_before_import_to_light() {
    is_caught(Bug::SeenBeforeImport, "files.staged");
}

#[test]
#[ignore = "the full tier: all bugs that a death brings to light, and the same deaths without a bug"]
fn a_death_during_an_import_brings_three_of_the_planted_bugs_to_light() {
    for (bug, point) in KILLED_AT {
        dies_while_importing(None, point).unwrap();
        is_caught(bug, point);
    }
}

fn is_caught(bug: Bug, point: &str) {
    let caught = dies_while_importing(Some(bug), point);
    let error = caught.expect_err(bug.name());
    println!("{} is caught: {error:#}", bug.name());
}

#[test]
#[ignore = "the full tier: several failed syncs"]
fn a_failed_sync_brings_the_planted_second_try_to_light() {
    let bug = Bug::RetryAfterFailedSync;
    let settings = Settings::short("sync-fails", 4);
    sync_fails::campaign(settings, None).unwrap();
    let caught = sync_fails::campaign(settings, Some(bug.name()));
    let error = caught.expect_err("a second try at a failed sync is not caught");
    println!("{} is caught: {error:#}", bug.name());
}

/// The receiver dies at this point, is started again, and everything must come to its end.
fn dies_while_importing(bug: Option<Bug>, point: &str) -> Result<Counted> {
    let mut dice = Dice::new(7);
    let mut ground = Ground::running()?;
    ground.kill(IMIGRASI)?;
    let mut launch = ground.ministry(IMIGRASI).launch().clone();
    if let Some(bug) = bug {
        launch = launch.with("AMANAH_PLANT", bug.name());
    }
    ground
        .ministry(IMIGRASI)
        .launch_daemon(&launch.clone().with("AMANAH_KILL_AT", point))?;
    drop_both_ways(&mut ground, &mut dice)?;
    ensure!(
        ground.until_settled_or_dead(IMIGRASI, PATIENCE)?,
        "{point} was not reached"
    );
    ground.ministry(IMIGRASI).until_ended()?;
    ground.witness.instant(IMIGRASI)?;
    ground.ministry(IMIGRASI).launch_daemon(&launch)?;
    ground.ministry(IMIGRASI).until_up()?;
    let patience = if bug.is_some() { STUCK } else { PATIENCE };
    ground
        .until_settled(patience)?
        .context("does not come to its end")?;
    ground.comes_to_rest()
}
