//! `syscall`: death, EIO and ENOSPC at the k-th state-changing system call of a round trip, at either side; then again during
//! the recovery from the first. Every call and k in the full tier, a sample in the short one.

use std::path::PathBuf;
use std::time::Duration;

use amanah_tests::exchange::PATIENCE;
use anyhow::{Context, Result, ensure};

use super::Settings;
use super::dice::Dice;
use super::ground::{Ground, IMIGRASI, PHU, spread};
use super::progress::Progress;
use super::strace::{Fault, Kind, happened, most_per_thread, recording};

/// Sites of the short tier.
const SAMPLE: u64 = 8;
/// Second faults of the full tier.
const SECOND: u64 = 500;
/// Sites on one ground, before it must come to rest.
const SITES_PER_GROUND: usize = 25;
/// So long the victim has for the round trip, or for its death; what hangs then is killed, and must recover.
const LIFE: Duration = Duration::from_secs(5);
/// How a daemon may end by itself: its input or output failed.
const EX_IOERR: i32 = 74;
/// Faults of the calls that read the configuration's folder among others: then it may say that this is wrong.
const EX_CONFIG: i32 = 78;
const ITEM_BYTES: u64 = 3_000;

/// Where a fault happens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site {
    pub(super) victim: usize,
    pub(super) fault: Fault,
}

#[derive(Default)]
struct Figures {
    sites: usize,
    hit: usize,
    died: usize,
    ended: usize,
    second: usize,
    recoveries: Vec<Duration>,
}

#[test]
fn nothing_is_lost_or_doubled_by_a_fault_at_sampled_system_calls() {
    let settings = Settings::short("syscall", SAMPLE);
    let mut dice = Dice::new(settings.seed);
    let sites = sites().unwrap();
    let kinds = [Kind::Kill, Kind::Eio, Kind::Kill, Kind::Enospc];
    let pick = |kind: Kind, dice: &mut Dice| {
        let of_kind: Vec<&Site> = sites
            .iter()
            .filter(|site| site.fault.kind == kind)
            .collect();
        **dice.pick(&of_kind)
    };
    let kinds = kinds
        .iter()
        .cycle()
        .take(usize::try_from(settings.count).unwrap());
    let sample: Vec<Site> = kinds.map(|kind| pick(*kind, &mut dice)).collect();
    campaign(&sample, 20, &mut dice).unwrap();
}

#[test]
#[ignore = "the full tier: every state-changing call of a round trip"]
fn nothing_is_lost_or_doubled_by_a_fault_at_any_system_call() {
    let settings = Settings::full("syscall", u64::MAX);
    let mut dice = Dice::new(settings.seed);
    let mut sites = sites().unwrap();
    if settings.count < u64::try_from(sites.len()).unwrap() {
        sites = (0..settings.count).map(|_| *dice.pick(&sites)).collect();
    }
    campaign(&sites, 0, &mut dice).unwrap();
}

#[test]
#[ignore = "the full tier: five hundred second faults during recovery"]
fn nothing_is_lost_or_doubled_by_a_second_fault_during_recovery() {
    let settings = Settings::full("syscall", SECOND);
    let mut dice = Dice::new(settings.seed);
    let sites = sites().unwrap();
    let sample: Vec<Site> = (0..settings.count).map(|_| *dice.pick(&sites)).collect();
    campaign(&sample, 100, &mut dice).unwrap();
}

/// Every site of a round trip at either side: death at each, EIO and ENOSPC where the call can fail so.
pub(super) fn sites() -> Result<Vec<Site>> {
    let mut sites = Vec::new();
    let mut ground = Ground::running()?;
    for victim in [PHU, IMIGRASI] {
        ground.kill(victim)?;
        let log = log_of(&ground);
        ground.start_traced(victim, &recording(&log))?;
        drop_both_ways(&mut ground, &mut Dice::new(1))?;
        ground
            .until_settled(PATIENCE)?
            .context("the recorded round trip does not end")?;
        ground.kill_traced(victim)?;
        ground.restart(victim)?;
        for (call, most) in most_per_thread(&log)? {
            for when in 1..=most {
                for kind in kinds(call) {
                    let fault = Fault {
                        call,
                        when,
                        kind: *kind,
                    };
                    sites.push(Site { victim, fault });
                }
            }
        }
    }
    println!("syscall: {} sites in a round trip", sites.len());
    Ok(sites)
}

/// A read-only open fails with EIO and a message with neither: those would be faults of other tests.
fn kinds(call: &str) -> &'static [Kind] {
    match call {
        "sendto" => &[Kind::Kill],
        "fsync" | "fdatasync" | "syncfs" | "unlinkat" | "unlink" | "rmdir" | "fchmod"
        | "utimensat" => &[Kind::Kill, Kind::Eio],
        _ => &[Kind::Kill, Kind::Eio, Kind::Enospc],
    }
}

pub(super) fn log_of(ground: &Ground) -> PathBuf {
    ground.exchange.folder().join("strace.log")
}

/// `second`: after so many of a hundred sites, another fault strikes the recovery.
fn campaign(sites: &[Site], second: u64, dice: &mut Dice) -> Result<()> {
    let mut figures = Figures::default();
    let count = u64::try_from(sites.len())?;
    let mut progress = Progress::of("syscall", count);
    for group in sites.chunks(SITES_PER_GROUND) {
        progress.at(u64::try_from(figures.sites)?);
        let mut ground = Ground::running()?;
        for site in group {
            let mut faults = vec![site.fault];
            if dice.chance(second) {
                let other = dice.pick(sites).fault;
                faults.push(Fault {
                    when: 1 + dice.below(other.when),
                    ..other
                });
            }
            strike(&mut ground, site.victim, &faults, dice, &mut figures)
                .with_context(|| format!("{} of side {}", site.fault, site.victim))?;
        }
        ground.comes_to_rest()?;
        figures.recoveries.append(&mut ground.recoveries);
    }
    let Figures {
        sites,
        hit,
        died,
        ended,
        second,
        recoveries,
    } = figures;
    println!(
        "syscall: {sites} sites, {hit} faults happened ({died} deaths, {ended} ends with 74), {second} again during recovery; \
         nothing lost, nothing double; recovery {}",
        spread(&recoveries)
    );
    ensure!(hit * 4 >= sites, "too few faults happened");
    Ok(())
}

/// The victim lives a round trip with each fault in turn, then a life without.
fn strike(
    ground: &mut Ground,
    victim: usize,
    faults: &[Fault],
    dice: &mut Dice,
    figures: &mut Figures,
) -> Result<()> {
    ground.kill(victim)?;
    for (number, fault) in faults.iter().enumerate() {
        let log = log_of(ground);
        ground.start_traced(victim, &fault.words(&log))?;
        drop_both_ways(ground, dice)?;
        let ended = ground.until_settled_or_dead(victim, LIFE)?;
        if ended {
            let status = ground.ministry(victim).until_ended()?;
            let code = status.code();
            let opens = fault.call.starts_with("openat");
            let allowed =
                code.is_none() || code == Some(EX_IOERR) || (opens && code == Some(EX_CONFIG));
            ensure!(allowed, "{fault}: ended with {status}");
            figures.died += usize::from(code.is_none());
            figures.ended += usize::from(code.is_some());
        } else {
            ground.kill_traced(victim)?;
        }
        figures.hit += usize::from(happened(&log));
        figures.second += usize::from(number > 0 && happened(&log));
        figures.sites += 1;
        ground.witness.instant(victim)?;
    }
    ground.restart(victim)?;
    ground
        .until_settled(PATIENCE)?
        .context("not settled after the recovery")
}

pub(super) fn drop_both_ways(ground: &mut Ground, dice: &mut Dice) -> Result<()> {
    let ways = [ground.exchange.out.clone(), ground.exchange.back.clone()];
    for way in ways {
        let parts = 1 + dice.below(2);
        ground.drop_item(&way, dice, ITEM_BYTES, parts)?;
    }
    Ok(())
}
