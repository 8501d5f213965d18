//! `clock`: a side's clock jumps by an hour, a day, ten years, forwards and backwards, while it works (libfaketime). What is sealed
//! or signed then may have to wait until its time has come; in the end each item is settled, or came back with a reason.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use amanah_tests::exchange::PATIENCE;
use amanah_tests::launch::Launch;
use amanah_tests::waiting;
use anyhow::{Context, Result, ensure};

use super::Settings;
use super::checker::Dropped;
use super::dice::Dice;
use super::ground::{Ground, IMIGRASI, PHU};
use super::progress::Progress;
use super::syscall::drop_both_ways;

/// Where Debian has it.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
const JUMPS: [i64; 6] = [-315_360_000, -86_400, -3_600, 3_600, 86_400, 864_000];
/// Beyond the skew that is allowed.
const LATER_SECS: i64 = 900;
/// Between a start and the jump, and between the jump and the end, in milliseconds at most.
const LIFE_MILLIS: u64 = 900;

#[test]
fn nothing_is_lost_or_doubled_by_a_clock_that_jumps() {
    if !Path::new(FAKETIME).exists() {
        println!("clock: not run here: libfaketime is not installed");
        return;
    }
    campaign(Settings::short("clock", 2)).unwrap();
}

#[test]
#[ignore = "the full tier: a hundred jumps"]
fn nothing_is_lost_or_doubled_by_a_hundred_jumps() {
    assert!(Path::new(FAKETIME).exists(), "libfaketime is not installed");
    campaign(Settings::full("clock", 100)).unwrap();
}

fn campaign(settings: Settings) -> Result<()> {
    let mut dice = Dice::new(settings.seed);
    let mut ends = [0_u64; 2];
    let mut progress = Progress::of("clock", settings.count);
    for done in 0..settings.count {
        progress.at(done);
        let (victim, jump) = (usize::from(dice.chance(50)), *dice.pick(&JUMPS));
        let found =
            jumps(victim, jump, &mut dice).with_context(|| format!("{jump} s at side {victim}"))?;
        for (sum, found) in ends.iter_mut().zip(found) {
            *sum += found;
        }
    }
    let [settled, returned] = ends;
    println!(
        "clock: {} jumps; {settled} items settled, {returned} came back with a reason; \
         nothing lost, nothing double",
        settings.count
    );
    Ok(())
}

/// One jump on a ground of its own; how many items were settled, and came back.
fn jumps(victim: usize, jump: i64, dice: &mut Dice) -> Result<[u64; 2]> {
    let mut ground = Ground::running()?;
    // A bundle sealed at a moment at which its sender had no key yet is refused, and comes back.
    ground.witness.may_refuse = true;
    ground.kill(victim)?;
    // In its home: a confined daemon reads no other file.
    let file = ground.ministry(victim).path("clock");
    fs::write(&file, "+0")?;
    let launch = with_clock(&mut ground, victim, &file)?;
    ground.ministry(victim).launch_daemon(&launch)?;
    for _ in 0..2 {
        drop_both_ways(&mut ground, dice)?;
        sleep(Duration::from_millis(dice.below(LIFE_MILLIS)));
        fs::write(&file, format!("{jump:+}"))?;
    }
    ensure!(
        !ground.ministry(victim).has_ended()?,
        "the jump ended the daemon"
    );
    // The clock is set right; then, where something waits for the moment that the wrong clock named, that moment comes.
    for who in [PHU, IMIGRASI] {
        let file = ground.ministry(who).path("clock");
        fs::write(&file, format!("+{}", jump.max(0) + LATER_SECS))?;
        ground.kill(who)?;
        let launch = with_clock(&mut ground, who, &file)?;
        ground.ministry(who).launch_daemon(&launch)?;
    }
    let items = ground.witness.dropped.clone();
    let found = waiting::until("an end of every item", PATIENCE, || {
        let ends: Option<Vec<_>> = items.iter().map(|item| end_of(&ground, item)).collect();
        Ok(ends)
    });
    let found = found.with_context(|| ground.under_way())?;
    for who in [PHU, IMIGRASI] {
        ground.kill(who)?;
    }
    let count = |end: End| u64::try_from(found.iter().filter(|found| **found == end).count());
    Ok([count(End::Settled)?, count(End::CameBack)?])
}

/// How its daemon is started so that its clock is what the file says.
fn with_clock(ground: &mut Ground, who: usize, file: &Path) -> Result<Launch> {
    let launch = ground.ministry(who).launch().clone();
    Ok(launch
        .with("LD_PRELOAD", FAKETIME)
        .with(
            "FAKETIME_TIMESTAMP_FILE",
            file.to_str().context("a path that is no text")?,
        )
        .with("FAKETIME_NO_CACHE", "1")
        .with("FAKETIME_DONT_FAKE_MONOTONIC", "1"))
}

/// Where an item ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Settled,
    CameBack,
}

/// None while it is under way.
fn end_of(ground: &Ground, item: &Dropped) -> Option<End> {
    let sides = &ground.witness.sides;
    let from = &sides[usize::from(item.from != sides[PHU].party)];
    let below = |top: &str| from.home.join(top).join(&item.to).join(&item.flow);
    if below("sent").join(&item.name).exists() {
        return Some(End::Settled);
    }
    let why = below("returned").join(format!("{}.why.txt", item.name));
    why.exists().then_some(End::CameBack)
}
