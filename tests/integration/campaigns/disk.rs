//! `disk`: a disk that is full to many levels, without inodes, suddenly read-only, suddenly gone; too few descriptors. Each
//! under traffic, half of the time with a death in it. Then the trouble ends, and everything must come to its end by itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use amanah_tests::exchange::PATIENCE;
use amanah_tests::waiting;
use anyhow::{Context, Result, ensure};

use super::Settings;
use super::dice::Dice;
use super::ground::{Ground, IMIGRASI, PHU, spread};
use super::namespace::{run, text, within};
use super::progress::Progress;

const TOOLS: [&str; 2] = ["prlimit", "mkfs.ext4"];
/// How a daemon may end by itself in such trouble: its input or output failed.
const EX_IOERR: i32 = 74;
/// What the configuration, cards and keys lie on is in trouble too: a start may say that it cannot read them.
const EX_CONFIG: i32 = 78;
/// So long the trouble lasts.
const TROUBLE: Duration = Duration::from_millis(1200);
/// Bytes that are left on a full disk.
const LEFT: [u64; 7] = [0, 0, 4_096, 12_288, 40_960, 100_000, 1_000_000];
const PAGE: u64 = 4_096;
const HOME_BYTES: &str = "40m";
const HOME_INODES: &str = "700";
const TROUBLES_PER_GROUND: u64 = 12;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Full { left: u64 },
    NoInodes { left: u64 },
    ReadOnly,
    Vanished,
    Descriptors { most: u64 },
}

#[derive(Default)]
struct Figures {
    troubles: u64,
    deaths: u64,
    ends: u64,
    late: u64,
    recoveries: Vec<Duration>,
    healings: Vec<Duration>,
}

#[test]
fn nothing_is_lost_or_doubled_on_a_disk_in_trouble() {
    let name = "campaigns::disk::nothing_is_lost_or_doubled_on_a_disk_in_trouble";
    within(name, &TOOLS, || campaign(Settings::short("disk", 5)));
}

#[test]
#[ignore = "the full tier: two hundred troubles"]
fn nothing_is_lost_or_doubled_by_two_hundred_troubles() {
    let name = "campaigns::disk::nothing_is_lost_or_doubled_by_two_hundred_troubles";
    within(name, &TOOLS, || campaign(Settings::full("disk", 200)));
}

fn campaign(settings: Settings) -> Result<()> {
    let mut dice = Dice::new(settings.seed);
    let mut figures = Figures::default();
    let mut progress = Progress::of("disk", settings.count);
    while figures.troubles < settings.count {
        progress.at(figures.troubles);
        let until = settings.count.min(figures.troubles + TROUBLES_PER_GROUND);
        on_one_ground(&mut dice, until, &mut figures)?;
    }
    let Figures {
        troubles,
        deaths,
        ends,
        late,
        recoveries,
        healings,
    } = figures;
    println!(
        "disk: {troubles} troubles, {deaths} deaths and {ends} ends with 74 or 78 in them, {late} items that their operator could drop only after it; nothing lost, nothing double; recovery {}; all settled after it was over: {}",
        spread(&recoveries),
        spread(&healings)
    );
    Ok(())
}

/// Every kind in turn, so that a short run has each; the level by the dice.
fn trouble(number: u64, dice: &mut Dice) -> Trouble {
    match number % 5 {
        0 => Trouble::Full {
            left: *dice.pick(&LEFT),
        },
        1 => Trouble::NoInodes {
            left: dice.below(12),
        },
        2 => Trouble::ReadOnly,
        3 => Trouble::Vanished,
        _ => Trouble::Descriptors {
            most: 12 + dice.below(30),
        },
    }
}

fn on_one_ground(dice: &mut Dice, until: u64, figures: &mut Figures) -> Result<()> {
    let mut ground = Ground::found()?;
    for who in [PHU, IMIGRASI] {
        onto_a_small_disk(&ground, who)?;
    }
    ground.exchange.pair.start()?;
    while figures.troubles < until {
        let victim = usize::from(dice.chance(50));
        let trouble = trouble(figures.troubles, dice);
        let about = || format!("{trouble:?} at side {victim}");
        strikes(&mut ground, victim, trouble, dice, figures).with_context(about)?;
        figures.troubles += 1;
    }
    ground.comes_to_rest()?;
    figures.recoveries.append(&mut ground.recoveries);
    Ok(())
}

/// The home moves onto a file system in memory with a bounded number of bytes and inodes.
fn onto_a_small_disk(ground: &Ground, who: usize) -> Result<()> {
    let home = ground.witness.sides[who].home.clone();
    let (aside, disk) = (home.with_extension("aside"), home.with_extension("disk"));
    fs::rename(&home, &aside)?;
    fs::create_dir(&home)?;
    fs::create_dir(&disk)?;
    let size = format!("size={HOME_BYTES},nr_inodes={HOME_INODES}");
    run(&["mount", "-t", "tmpfs", "-o", &size, "tmpfs", text(&disk)?])?;
    run(&["mount", "--bind", text(&disk)?, text(&home)?])?;
    run(&["cp", "-a", &format!("{}/.", text(&aside)?), text(&home)?])
}

fn strikes(
    ground: &mut Ground,
    victim: usize,
    trouble: Trouble,
    dice: &mut Dice,
    figures: &mut Figures,
) -> Result<()> {
    let home = ground.witness.sides[victim].home.clone();
    let ways = [ground.exchange.out.clone(), ground.exchange.back.clone()];
    // What its own operators drop may be there before, or not get there: the daemon writes too. What comes from the peer meets
    // the trouble.
    let bytes = dice.below(60_000);
    match trouble {
        Trouble::Full { left } => fill(&home, left + bytes.next_multiple_of(PAGE))?,
        Trouble::NoInodes { left } => use_up_inodes(&home, left)?,
        Trouble::Descriptors { most } => {
            let most = format!("--nofile={most}:{most}");
            again_through(ground, victim, &["prlimit", &most])?;
        }
        Trouble::ReadOnly | Trouble::Vanished => {}
    }
    ground.drop_item(&ways[victim], dice, bytes, 1)?;
    match trouble {
        Trouble::ReadOnly => {
            // A file system with writers is not remounted; a read-only mount over it is, and every path leads there.
            let aside = home.with_extension("read-only");
            fs::create_dir_all(&aside)?;
            run(&["mount", "--bind", text(&home)?, text(&aside)?])?;
            run(&["mount", "-o", "remount,bind,ro", text(&aside)?])?;
            run(&["mount", "--bind", text(&aside)?, text(&home)?])?;
            run(&["umount", text(&aside)?])?;
        }
        Trouble::Vanished => run(&["umount", "--lazy", text(&home)?])?,
        Trouble::Full { .. } | Trouble::NoInodes { .. } | Trouble::Descriptors { .. } => {}
    }
    ground.drop_item(&ways[1 - victim], dice, bytes, 1)?;
    sleep(TROUBLE);
    let dies = dice.chance(50);
    if dies && !ground.ministry(victim).has_ended()? {
        ground.ministry(victim).kill()?;
        figures.deaths += 1;
    }
    ends(ground, victim, trouble, &home)?;
    // The operator sees that there is room again.
    figures.late += ground.drop_late()?;
    let over = Instant::now();
    comes_back(ground, victim, trouble, figures)?;
    println!(
        "{trouble:?} at side {victim}, {}: settled {} ms after it was over",
        if dies { "killed in it" } else { "alive" },
        over.elapsed().as_millis()
    );
    figures.healings.push(over.elapsed());
    Ok(())
}

/// The trouble ends.
fn ends(ground: &mut Ground, victim: usize, trouble: Trouble, home: &Path) -> Result<()> {
    match trouble {
        Trouble::Full { .. } | Trouble::NoInodes { .. } => {
            for ballast in ballast(home)? {
                fs::remove_file(ballast)?;
            }
        }
        Trouble::ReadOnly => {
            run(&["umount", "--lazy", text(home)?])?;
        }
        Trouble::Vanished => reappear(home)?,
        Trouble::Descriptors { .. } => {
            let runs = ground.ministry(victim).daemon_id().is_some();
            if runs && !ground.ministry(victim).has_ended()? {
                ground.ministry(victim).kill()?;
            }
        }
    }
    Ok(())
}

/// Where nobody runs any more, the service manager starts it; then everything is settled.
fn comes_back(
    ground: &mut Ground,
    victim: usize,
    trouble: Trouble,
    figures: &mut Figures,
) -> Result<()> {
    waiting::until("the end after the trouble", PATIENCE, || {
        if ground.ministry(victim).daemon_id().is_some() && ground.ministry(victim).has_ended()? {
            let status = ground.ministry(victim).until_ended()?;
            let allowed = matches!(status.code(), None | Some(EX_IOERR | EX_CONFIG));
            ensure!(allowed, "{trouble:?}: ended with {status}");
            figures.ends += u64::from(status.code().is_some());
        }
        if ground.ministry(victim).daemon_id().is_none() {
            ground.witness.instant(victim)?;
            ground.restart(victim)?;
        }
        Ok(ground.is_settled().then_some(()))
    })
    .with_context(|| ground.under_way())
}

/// Files that take room and are no part of the home.
fn ballast(home: &Path) -> Result<Vec<PathBuf>> {
    let names = fs::read_dir(home)?.collect::<std::io::Result<Vec<_>>>()?;
    let paths = names.into_iter().map(|entry| entry.path());
    Ok(paths
        .filter(|path| path.extension().is_some_and(|end| end == "ballast"))
        .collect())
}

fn fill(home: &Path, left: u64) -> Result<()> {
    let stat = rustix::fs::statvfs(home)?;
    let free = (stat.f_bavail * stat.f_frsize).saturating_sub(left);
    let file = fs::File::create(home.join("room.ballast"))?;
    if free > 0 {
        // Somebody else may have taken the last of it in this moment: then it is full already.
        let _ = rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, free);
    }
    Ok(())
}

fn use_up_inodes(home: &Path, left: u64) -> Result<()> {
    for number in 0.. {
        let free = rustix::fs::statvfs(home)?.f_favail;
        if free <= left || fs::File::create(home.join(format!("{number}.ballast"))).is_err() {
            break;
        }
    }
    Ok(())
}

/// The folder under the mount was empty, and is it still but for what is no claim of anything: an empty folder is not the home.
fn reappear(home: &Path) -> Result<()> {
    let names = fs::read_dir(home)?.map(|entry| Ok(entry?.file_name()));
    let names = names.collect::<std::io::Result<Vec<_>>>()?;
    ensure!(names.is_empty(), "made where the home was not: {names:?}");
    run(&[
        "mount",
        "--bind",
        text(&home.with_extension("disk"))?,
        text(home)?,
    ])
}

fn again_through(ground: &mut Ground, victim: usize, words: &[&str]) -> Result<()> {
    ground.ministry(victim).kill()?;
    let launch = ground.ministry(victim).launch().clone().through(words);
    ground.ministry(victim).launch_daemon(&launch)
}
