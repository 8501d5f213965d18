//! `power`: the file system under a home is cut off in the middle of traffic, without a sync, as when the power goes: what was
//! not written is gone. It is mounted again, its own journal is replayed, the daemon is started. ext4 and XFS in turn.
//!
//! What this shows: no order of our writes and syncs loses anything that was said to be durable. What it does not: a device that
//! lies about its cache; the loop device keeps what was written to it.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use amanah_tests::exchange::PATIENCE;
use amanah_tests::waiting;
use amanahd::plant::Bug;
use anyhow::{Context, Result};

use super::Settings;
use super::dice::Dice;
use super::ground::{Ground, IMIGRASI, PHU, spread};
use super::namespace::{run, text, within};
use super::progress::Progress;

const TOOLS: [&str; 3] = ["xfs_io", "mkfs.ext4", "mkfs.xfs"];
/// Sparse; XFS does not want less.
const IMAGE_BYTES: &str = "400M";
const CUTS_PER_GROUND: u64 = 20;
/// Longest time between two cuts, in milliseconds.
const LIFE_MILLIS: u64 = 600;
/// So long a receipt is waited for, after which the power goes at once.
const RECEIPT_WITHIN: Duration = Duration::from_millis(1500);

/// A home on a file system of its own.
struct Disk {
    image: PathBuf,
    home: PathBuf,
}

impl Disk {
    /// Moves the home of a side that does not run onto a new file system.
    fn under(ground: &Ground, who: usize, kind: &str) -> Result<Self> {
        let home = ground.witness.sides[who].home.clone();
        let image = ground.exchange.folder().join(format!("disk-{who}"));
        let aside = ground.exchange.folder().join(format!("aside-{who}"));
        let (image_text, aside_text) = (text(&image)?, text(&aside)?);
        run(&["truncate", "-s", IMAGE_BYTES, image_text])?;
        run(&[&format!("mkfs.{kind}"), "-q", image_text])?;
        std::fs::rename(&home, &aside)?;
        std::fs::create_dir(&home)?;
        let disk = Self { image, home };
        disk.mount()?;
        run(&["cp", "-a", &format!("{aside_text}/."), text(&disk.home)?])?;
        run(&["sync", "-f", text(&disk.home)?])?;
        Ok(disk)
    }

    fn mount(&self) -> Result<()> {
        run(&["mount", "-o", "loop", text(&self.image)?, text(&self.home)?])
    }

    /// The power goes.
    fn cut(&self) -> Result<()> {
        run(&["xfs_io", "-x", "-c", "shutdown", text(&self.home)?])
    }

    /// And comes back: what the file system's own journal holds is replayed.
    fn comes_back(&self) -> Result<()> {
        let home = text(&self.home)?.to_owned();
        waiting::until("the unmounting", PATIENCE, || {
            Ok(run(&["umount", &home]).ok())
        })?;
        self.mount()
    }
}

#[derive(Default)]
struct Figures {
    cuts: u64,
    after_receipt: u64,
    under_way: u64,
    recoveries: Vec<Duration>,
}

#[test]
fn nothing_is_lost_or_doubled_by_power_cuts() {
    let name = "campaigns::power::nothing_is_lost_or_doubled_by_power_cuts";
    within(name, &TOOLS, || {
        campaign(Settings::short("power", 20), None)
    });
}

#[test]
#[ignore = "the full tier: two hundred cuts"]
fn nothing_is_lost_or_doubled_by_two_hundred_power_cuts() {
    let name = "campaigns::power::nothing_is_lost_or_doubled_by_two_hundred_power_cuts";
    within(name, &TOOLS, || {
        campaign(Settings::full("power", 200), None)
    });
}

#[test]
fn power_cuts_bring_the_planted_rename_without_sync_to_light() {
    let name = "campaigns::power::power_cuts_bring_the_planted_rename_without_sync_to_light";
    within(name, &TOOLS, || {
        let settings = Settings::short("power", 20);
        let caught = campaign(settings, Some(Bug::RenameWithoutSync));
        let error = caught
            .err()
            .context("a rename without a sync is not caught")?;
        println!("{} is caught: {error:#}", Bug::RenameWithoutSync.name());
        Ok(())
    });
}

fn campaign(settings: Settings, plant: Option<Bug>) -> Result<()> {
    let mut dice = Dice::new(settings.seed);
    let mut figures = Figures::default();
    let mut kinds = ["ext4", "xfs"].iter().cycle();
    let mut progress = Progress::of("power", settings.count);
    while figures.cuts < settings.count {
        progress.at(figures.cuts);
        let until = settings.count.min(figures.cuts + CUTS_PER_GROUND / 2);
        let kind = kinds.next().context("no kind")?;
        on_one_ground(kind, &mut dice, (until, plant), &mut figures)
            .with_context(|| (*kind).to_owned())?;
    }
    let Figures {
        cuts,
        after_receipt,
        under_way,
        recoveries,
    } = figures;
    println!(
        "power: {cuts} cuts on ext4 and XFS ({after_receipt} at once after a receipt came, {under_way} with something under way); \
         nothing lost, nothing double, every receipt true; recovery {}",
        spread(&recoveries)
    );
    Ok(())
}

fn on_one_ground(
    kind: &str,
    dice: &mut Dice,
    (until, plant): (u64, Option<Bug>),
    figures: &mut Figures,
) -> Result<()> {
    let mut ground = Ground::found()?;
    let disks = [
        Disk::under(&ground, PHU, kind)?,
        Disk::under(&ground, IMIGRASI, kind)?,
    ];
    if let Some(bug) = plant {
        for who in [PHU, IMIGRASI] {
            let launch = ground
                .ministry(who)
                .launch()
                .clone()
                .with("AMANAH_PLANT", bug.name());
            ground.ministry(who).types_through(launch);
        }
    }
    ground.exchange.pair.start()?;
    while figures.cuts < until {
        let victim = usize::from(dice.chance(50));
        for _ in 0..=dice.below(4) {
            ground.drop_any(dice)?;
        }
        // The operators' own programs have written what they dropped: what they have not is not ours to keep.
        for disk in &disks {
            run(&["sync", "-f", text(&disk.home.join("outbox"))?])?;
        }
        if dice.chance(40) {
            figures.after_receipt += u64::from(a_receipt_comes(&ground, victim)?);
        } else {
            sleep(Duration::from_millis(dice.below(LIFE_MILLIS)));
        }
        disks[victim].cut()?;
        ground
            .ministry(victim)
            .kill()
            .or_else(|_| ground.ministry(victim).until_ended())?;
        disks[victim].comes_back()?;
        ground.witness.instant(victim)?;
        figures.under_way += u64::from(ground.witness.is_under_way(victim)?);
        figures.cuts += 1;
        ground.restart(victim)?;
    }
    ground.comes_to_rest()?;
    figures.recoveries.append(&mut ground.recoveries);
    Ok(())
}

/// Waits until the other side has one more receipt of the victim, or not for long; whether one came.
fn a_receipt_comes(ground: &Ground, victim: usize) -> Result<bool> {
    let [me, other] = [
        &ground.witness.sides[victim],
        &ground.witness.sides[1 - victim],
    ];
    let folder = other.home.join("receipts/received").join(&me.party);
    let before = count(&folder)?;
    let start = Instant::now();
    while start.elapsed() < RECEIPT_WITHIN {
        if count(&folder)? > before {
            return Ok(true);
        }
        sleep(Duration::from_millis(1));
    }
    Ok(false)
}

fn count(folder: &Path) -> Result<usize> {
    if !folder.exists() {
        return Ok(0);
    }
    let names = std::fs::read_dir(folder)?.filter_map(Result::ok);
    Ok(names
        .filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
        .count())
}
