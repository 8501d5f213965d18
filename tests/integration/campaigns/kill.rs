//! `kill`: SIGKILL at random moments under traffic in both directions and all three lanes, of either side, of both in the
//! same moment, and again during the recovery.

use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;

use super::Settings;
use super::checker::Counted;
use super::dice::Dice;
use super::ground::{Ground, IMIGRASI, PHU, spread};
use super::progress::Progress;

/// Kills on one ground before it must come to rest: what an inbox holds is read again after each.
const KILLS_PER_GROUND: u64 = 50;
/// Longest time that a daemon lives before its next death, in milliseconds.
const LIFE_MILLIS: u64 = 700;
/// Longest time into a recovery at which a second death comes.
const RECOVERY_MILLIS: u64 = 120;

/// What happened, to be printed.
#[derive(Default)]
struct Figures {
    kills: u64,
    under_way: u64,
    both: u64,
    in_recovery: u64,
    counted: Counted,
    recoveries: Vec<Duration>,
    rests: Vec<Duration>,
}

impl Figures {
    fn told(&self) {
        let Counted {
            items,
            bundles,
            records,
        } = self.counted;
        println!(
            "kill: {} kills ({} of both at once, {} during recovery, {} with something under way), {items} items in {bundles} \
             bundles, {records} records; \
             nothing lost, nothing double; recovery {}; all at rest after {}",
            self.kills,
            self.both,
            self.in_recovery,
            self.under_way,
            spread(&self.recoveries),
            spread(&self.rests)
        );
    }
}

#[test]
fn nothing_is_lost_or_doubled_by_fifty_kills_under_traffic_in_all_lanes() {
    campaign(Settings::short("kill", 50)).unwrap();
}

#[test]
#[ignore = "the full tier: a thousand kills"]
fn nothing_is_lost_or_doubled_by_a_thousand_kills() {
    campaign(Settings::full("kill", 1_000)).unwrap();
}

fn campaign(settings: Settings) -> Result<()> {
    let mut dice = Dice::new(settings.seed);
    let mut figures = Figures::default();
    let mut progress = Progress::of("kill", settings.count);
    while figures.kills < settings.count {
        progress.at(figures.kills);
        let until = settings.count.min(figures.kills + KILLS_PER_GROUND);
        on_one_ground(&mut dice, until, &mut figures)?;
    }
    figures.told();
    Ok(())
}

fn on_one_ground(dice: &mut Dice, until: u64, figures: &mut Figures) -> Result<()> {
    let mut ground = Ground::running()?;
    while figures.kills < until {
        for _ in 0..=dice.below(6) {
            ground.drop_any(dice)?;
        }
        // The moment of the death is the fault that is put to the test; nothing is synchronised by it.
        sleep(Duration::from_millis(dice.below(LIFE_MILLIS)));
        let victims: &[usize] = match dice.below(5) {
            0 => &[PHU, IMIGRASI],
            1 | 2 => &[IMIGRASI],
            _ => &[PHU],
        };
        for &victim in victims {
            ground.kill(victim)?;
            figures.under_way += u64::from(ground.witness.is_under_way(victim)?);
        }
        figures.kills += 1;
        figures.both += u64::from(victims.len() > 1);
        for &victim in victims {
            if dice.chance(25) && figures.kills < until {
                let launch = ground.ministry(victim).launch().clone();
                ground.ministry(victim).launch_daemon(&launch)?;
                sleep(Duration::from_millis(dice.below(RECOVERY_MILLIS)));
                ground.kill(victim)?;
                figures.kills += 1;
                figures.in_recovery += 1;
            }
            ground.restart(victim)?;
        }
    }
    let resting = std::time::Instant::now();
    let counted = ground.comes_to_rest()?;
    figures.rests.push(resting.elapsed());
    figures.counted.items += counted.items;
    figures.counted.bundles += counted.bundles;
    figures.counted.records += counted.records;
    figures.recoveries.append(&mut ground.recoveries);
    Ok(())
}
