//! `amanah demo`: two ministries on this machine, made-up pilgrims, real daemons, real SSH on loopback. It founds them with the
//! commands of the manual, exchanges files and the ministries' datasets both ways, attacks itself, checks every byte, row, receipt
//! and ledger, and asks of the rows what a ministry would.
//!
//! What it is built from also serves the tests: [`ministry::Ministry`], [`pair::Pair`], [`exchange`], [`intruder`].

pub mod attacks;
pub mod evidence;
pub mod exchange;
pub mod forge;
pub mod intruder;
pub mod items;
pub mod launch;
pub mod ministry;
pub mod pair;
pub mod pilgrims;
pub mod waiting;

mod attempt;
mod place;
mod questions;
mod report;
pub(crate) mod signals;
mod tables;
mod telling;
mod terms;
mod texts;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use self::attacks::{Event, Siege};
use self::exchange::{Arrived, Dropped, compare, drop_item, exactly_once, until_settled};
use self::items::{Item, items_in, made_up};
use self::launch::Launch;
use self::pair::{Ground, Pair, Terms};
use self::place::Place;
use self::report::Report;
use self::telling::{Telling, size};
use self::waiting::Interrupted;
use crate::exit::{Exit, Failure, Outcome};
use crate::screen::Screen;

/// Shortest patience with an exchange; large data gets more.
const EXCHANGE: Duration = Duration::from_secs(120);
/// Bytes for which patience grows by a second: a slow disk's pace, many times over.
const BYTES_PER_SEC: u64 = 2_000_000;
/// Below the demo's folder: what is dropped, and what the attacks leave.
const MATERIAL: &str = "bahan";
const DATASETS: &str = "dataset";
const ATTACKS: &str = "serangan";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amanah demo
  amanah demo --keep /tmp/peragaan
  amanah demo --data ~/contoh-data --json")]
pub(crate) struct Wanted {
    /// Keep homes, bundles and receipts in this new or empty folder
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Send the files and folders in this folder instead of made-up ones
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Plays it; the exit code is 0 only if all was as it must be.
pub(crate) fn run(wanted: &Wanted, screen: &mut Screen<'_>) -> Outcome {
    let start = Instant::now();
    let outcome = play(wanted, &mut Telling::new(screen));
    let report = outcome.map_err(|error| failure(&error))?;
    if screen.json {
        let millis = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        screen.facts(&report.to_json(wanted.keep.as_deref(), millis))?;
    }
    Ok(if report.is_good() {
        Exit::Ok
    } else {
        Exit::Negative
    })
}

fn failure(error: &anyhow::Error) -> Failure {
    if error.chain().any(|cause| cause.is::<Interrupted>()) {
        return Failure::new(Exit::Negative, Interrupted);
    }
    Failure::new(Exit::Negative, format_args!("{error:#}"))
}

/// The story. What is started here is stopped here, whichever way it ends.
fn play(wanted: &Wanted, telling: &mut Telling<'_, '_>) -> Result<Report> {
    signals::listen()?;
    let place = Place::make(wanted.keep.as_deref(), telling)?;
    telling.say(texts::TITLE, &[])?;
    let mut pair = found(place.folder(), telling)?;
    telling.chapter(texts::STARTING, &[&pair.address])?;
    pair.start()?;
    let items = items(wanted, &pair, place.folder())?;
    let mut report = exchange(&mut pair, items, telling)?;
    let datasets = place.folder().join(DATASETS);
    report.tables = tables::exchange(&mut pair, &datasets, telling)?;
    besiege(&mut pair, place.folder(), &mut report, telling)?;
    check(&pair, &mut report, telling)?;
    ask(&pair, &datasets, &mut report, telling)?;
    pair.phu.stop()?;
    pair.imigrasi.stop()?;
    report.tell(telling)?;
    by_hand(&pair, &place, &mut report, telling)?;
    Ok(report)
}

fn found(folder: &Path, telling: &mut Telling<'_, '_>) -> Result<Pair> {
    telling.chapter(texts::FOUNDING, &[])?;
    let program = std::env::current_exe()?;
    let ground = Ground {
        folder,
        phu: Launch::of(&program),
        imigrasi: Launch::of(&program),
    };
    ground.found_on(Terms::Datasets, &mut |_, ran| telling.command(ran))
}

/// What is dropped: the same kinds of items in both directions.
fn items(wanted: &Wanted, pair: &Pair, folder: &Path) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    for (way, seed) in pair.ways()?.iter().zip([100, 200]) {
        items.extend(match &wanted.data {
            Some(data) => items_in(way, data)?,
            None => made_up(way, seed, &folder.join(MATERIAL).join(way.from.as_str()))?,
        });
    }
    Ok(items)
}

/// Drops everything, waits for every receipt.
fn exchange(pair: &mut Pair, items: Vec<Item>, telling: &mut Telling<'_, '_>) -> Result<Report> {
    let bytes: u64 = items.iter().map(Item::bytes).sum();
    telling.chapter(texts::DROPPING, &[&items.len(), &size(bytes)])?;
    for way in pair.ways()? {
        let (sender, _) = pair.sender_and_receiver(&way.from);
        telling.say(
            texts::OUTBOX,
            &[&way.from, &sender.outbox(&way.to, &way.flow).display()],
        )?;
    }
    let patience = EXCHANGE + Duration::from_secs(bytes / BYTES_PER_SEC);
    let start = Instant::now();
    let mut dropped: Vec<Dropped> = Vec::with_capacity(items.len());
    for item in items {
        waiting::not_interrupted()?;
        let (sender, _) = pair.sender_and_receiver(&item.from);
        dropped.push(drop_item(sender, item)?);
    }
    let mut report = Report::default();
    for way in pair.ways()? {
        let own: Vec<Dropped> = dropped
            .iter()
            .filter(|dropped| dropped.item.from == way.from)
            .cloned()
            .collect();
        let mut watched = telling.transfer(&way, own.len())?;
        let (sender, _) = pair.sender_and_receiver(&way.from);
        let arrived = until_settled(sender, &own, patience, &mut |progress| {
            watched.show(progress)
        })?;
        watched.finish();
        report.arrived.extend(arrived);
    }
    report.exchange_millis = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(report)
}

/// The attacks, after which the bundle that was held back has arrived too.
fn besiege(
    pair: &mut Pair,
    folder: &Path,
    report: &mut Report,
    telling: &mut Telling<'_, '_>,
) -> Result<()> {
    let [way, _] = pair.ways()?;
    telling.chapter(texts::ATTACKING, &[])?;
    let own = |arrived: &&Arrived| arrived.item.from == way.from;
    let replayed = report
        .arrived
        .iter()
        .find(own)
        .context("nothing was sent")?
        .clone();
    let siege = Siege::new(pair, way, folder.join(ATTACKS))?;
    let attacks = &mut report.attacks;
    let held_back = siege.run(&replayed, &mut |event| match event {
        Event::Command(ran) => telling.command(ran),
        Event::Attack(attack) => {
            attacks.push(attack.clone());
            telling.attack(attack)
        }
    })?;
    compare(&pair.phu, &pair.imigrasi, &held_back)?;
    report.arrived.push(held_back);
    telling.say(texts::HELD_BACK, &[])
}

/// Every byte, every receipt, both ledgers.
fn check(pair: &Pair, report: &mut Report, telling: &mut Telling<'_, '_>) -> Result<()> {
    telling.chapter(texts::COMPARING, &[])?;
    for (sender, receiver) in [(&pair.phu, &pair.imigrasi), (&pair.imigrasi, &pair.phu)] {
        let own = |arrived: &&Arrived| &arrived.item.from == sender.party();
        let own: Vec<Arrived> = report.arrived.iter().filter(own).cloned().collect();
        for arrived in &own {
            compare(sender, receiver, arrived)?;
        }
        exactly_once(receiver, &own)?;
        let files: usize = own.iter().map(|arrived| arrived.item.tree.len()).sum();
        telling.say(texts::COMPARED, &[sender.party(), receiver.party(), &files])?;
        let rows = telling.count(tables::check(sender, receiver, &report.tables)?);
        telling.say(
            texts::ROWS_COMPARED,
            &[sender.party(), receiver.party(), &rows],
        )?;
    }
    for (ministry, peer) in [(&pair.phu, &pair.imigrasi), (&pair.imigrasi, &pair.phu)] {
        let receipts = evidence::verify_receipts(ministry, peer)?;
        report.receipts += receipts;
        telling.say(texts::RECEIPTS_VERIFIED, &[ministry.party(), &receipts])?;
        let flows = tables::reconcile(ministry, peer, &report.tables)?;
        telling.say(texts::RECONCILED, &[ministry.party(), &flows])?;
        evidence::verify_ledger(ministry)?;
        report.ledgers += 1;
        telling.say(texts::LEDGER_VERIFIED, &[ministry.party()])?;
    }
    Ok(())
}

/// What a ministry would ask, and whether SQL gives the answers that the exercise knows.
fn ask(
    pair: &Pair,
    datasets: &Path,
    report: &mut Report,
    telling: &mut Telling<'_, '_>,
) -> Result<()> {
    telling.chapter(texts::ASKING, &[])?;
    report.asked = questions::ask(pair, &report.tables, datasets)?.into();
    for asked in &report.asked {
        telling.say(texts::ASKED_AT, &[&asked.party])?;
        for (question, number) in &asked.shown {
            let number = format!("{:>10}", telling.count(*number));
            let question = telling.text(*question, &[]);
            telling.say(texts::ANSWER, &[&number, &question])?;
        }
        if let Some(group) = asked.groups.iter().max_by_key(|group| group.people) {
            let values: [&dyn std::fmt::Display; 4] =
                [&group.day, &group.flight, &group.licence, &group.people];
            telling.say(texts::GROUP, &values)?;
        }
        let (found, groups) = (asked.found.len(), asked.groups.len());
        if asked.wrong.is_empty() {
            telling.say(texts::KEY_HOLDS, &[&asked.party, &found, &groups])?;
        } else {
            telling.say(texts::KEY_FAILS, &[&asked.party, &asked.wrong.join("; ")])?;
        }
    }
    Ok(())
}

/// What is kept can be verified without this program: says how.
fn by_hand(
    pair: &Pair,
    place: &Place,
    report: &mut Report,
    telling: &mut Telling<'_, '_>,
) -> Result<()> {
    if !place.is_kept() {
        return telling.say(texts::KEEP_HINT, &[]);
    }
    let example = report.arrived.first().context("nothing arrived")?;
    report.commands = evidence::lay_out(pair, example, place.folder(), telling)?;
    telling.chapter(texts::BY_HAND, &[])?;
    report.tell_commands(telling)?;
    telling.say(texts::KEPT, &[&place.folder().display()])
}
