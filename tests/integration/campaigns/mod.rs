//! The campaigns: faults in numbers, each followed by a checker that shares no code with the daemon. `tests/CAMPAIGNS.md`
//! says how to run them and what each shows. In the short tier a campaign has a fixed seed and a small count; the full tier
//! runs its ignored test; `./check --campaign NAME --count N --seed S` runs the same test with another count or seed.

mod checker;
mod clock;
mod dice;
mod disk;
mod ground;
mod kill;
mod model;
mod namespace;
mod planted;
mod power;
mod progress;
mod rows;
mod strace;
mod swap;
mod sync_fails;
mod syscall;
mod watchful;

use std::time::{SystemTime, UNIX_EPOCH};

use crate::tree;

/// The campaigns by name, as `check` lists them.
const NAMES: &[&str] = &[
    "kill",
    "model",
    "syscall",
    "sync-fails",
    "power",
    "disk",
    "clock",
    "swap",
    "rows",
];
/// How many faults: `--count`.
const COUNT: &str = "AMANAH_CAMPAIGN_COUNT";
/// From which seed: `--seed`.
const SEED: &str = "AMANAH_CAMPAIGN_SEED";
/// The seed of the short tier.
const SEED_SHORT: u64 = 20_261_125;

/// How much, and from which seed.
#[derive(Debug, Clone, Copy)]
struct Settings {
    seed: u64,
    count: u64,
}

impl Settings {
    /// The short tier: always the same seed.
    fn short(campaign: &str, count: u64) -> Self {
        let settings = Self {
            seed: number(SEED).unwrap_or(SEED_SHORT),
            count,
        };
        settings.told(campaign)
    }

    /// The full tier: another seed each time, unless it is given; as many as are asked for.
    fn full(campaign: &str, count: u64) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let settings = Self {
            seed: number(SEED).unwrap_or(now.as_secs()),
            count: number(COUNT).unwrap_or(count),
        };
        settings.told(campaign)
    }

    /// Said at once, so that a run that hangs can be had again too.
    fn told(self, campaign: &str) -> Self {
        let Self { seed, count } = self;
        println!("campaign {campaign}: seed {seed}, count {count}");
        self
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{variable}: expected a number, found {text:?}")))
}

#[test]
fn check_lists_exactly_the_campaigns_that_there_are() {
    let check = std::fs::read_to_string(tree::root().join("check")).unwrap();
    let listed = check
        .lines()
        .find_map(|line| line.strip_prefix("campaigns='"))
        .and_then(|rest| rest.strip_suffix('\''))
        .expect("check has a line campaigns='…'");
    // cargo-fuzz is a campaign of another kind, without a test of this tree.
    let listed: Vec<_> = listed.split(' ').filter(|name| *name != "fuzz").collect();
    assert_eq!(listed, NAMES);
    let guide = std::fs::read_to_string(tree::root().join("tests/CAMPAIGNS.md")).unwrap();
    for name in NAMES {
        let file = format!("tests/integration/campaigns/{}.rs", name.replace('-', "_"));
        let path = tree::root().join(&file);
        let folder = path.with_extension("").join("mod.rs");
        assert!(path.is_file() || folder.is_file(), "{file}");
        assert!(
            guide.contains(&format!("`{name}`")),
            "tests/CAMPAIGNS.md: {name}"
        );
    }
}
