//! The schedules: a seed is a history; each is run twice, and both must be the same.
//! Flaws that are planted in the model are found.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::super::Settings;
use super::super::progress::Progress;
use super::papers::Papers;
use super::{Flaw, World};

/// Schedules in the short tier, and in the full one.
const SHORT: u64 = 2_000;
const FULL: u64 = 200_000;
/// Steps of a schedule under faults.
const STEPS: usize = 160;

/// The history of this seed: its trace, or what it broke.
fn history(papers: &Papers, seed: u64, flaw: Flaw) -> Vec<String> {
    let mut world = World::new(papers, seed, flaw);
    for _ in 0..STEPS {
        world.step();
    }
    world.comes_to_rest();
    world.fate.trace
}

fn campaign(settings: Settings) {
    let papers = Papers::read();
    let (mut events, mut deaths) = (0, 0);
    let mut progress = Progress::of("model", settings.count);
    for seed in settings.seed..settings.seed + settings.count {
        progress.at(seed - settings.seed);
        let run = || history(&papers, seed, Flaw::None);
        let trace = catch_unwind(AssertUnwindSafe(run))
            .unwrap_or_else(|_| panic!("--seed {seed} breaks it (above)"));
        assert_eq!(
            trace,
            history(&papers, seed, Flaw::None),
            "--seed {seed} gives two histories"
        );
        events += trace.len();
        deaths += trace.iter().filter(|line| line.starts_with("died")).count();
    }
    println!(
        "model: {} schedules, {events} events, {deaths} deaths; no invariant broken",
        settings.count
    );
}

#[test]
fn no_schedule_of_losses_doubles_and_deaths_breaks_an_invariant() {
    campaign(Settings::short("model", SHORT));
}

#[test]
#[ignore = "the full tier: a hundred times as many schedules"]
fn no_schedule_of_very_many_breaks_an_invariant() {
    campaign(Settings::full("model", FULL));
}

#[test]
fn the_schedules_find_each_flaw_that_is_planted_in_the_model() {
    let papers = Papers::read();
    let flaws = [
        Flaw::ReceiptBeforeCommit,
        Flaw::MarkerAfterRename,
        Flaw::SeenBeforeImport,
        Flaw::NoSync,
        Flaw::SettlesOnHandOver,
        Flaw::SignsAnew,
    ];
    for flaw in flaws {
        let breaks =
            |seed: &u64| catch_unwind(AssertUnwindSafe(|| history(&papers, *seed, flaw))).is_err();
        let found = (0..SHORT).find(breaks);
        println!("{flaw:?}: found by seed {found:?}");
        assert!(found.is_some(), "{flaw:?} is never found");
    }
}
