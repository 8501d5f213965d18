//! The ministries' datasets go their ways: register, manifests and corrections to Imigrasi, crossings and findings back, as rows of a
//! database at either side. Made by `amanah drill data`, so that what a ministry asks of them afterwards has a known answer. One
//! manifest that a spreadsheet has spoilt must come back with its report.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use amanah_format::digest::Digest;
use amanah_format::home;
use anyhow::{Context, Result, bail};
use rusqlite::{Connection, OpenFlags};

use super::attacks::returned;
use super::exchange::{Arrived, Dropped, drop_item, kept_as_sent, until_settled};
use super::items::{Item, Way, tree_of};
use super::ministry::Ministry;
use super::pair::Pair;
use super::telling::Telling;
use super::{texts, waiting};
use crate::drill::{Answers, Dataset, Exercise, Spoil, Wish};

/// What Penyelenggaraan Haji dan Umrah sends, and in which flow.
const OUT: [(Dataset, &str); 3] = [
    (Dataset::Register, "registri-penyelenggara"),
    (Dataset::UmrahManifest, "manifes-umrah"),
    (Dataset::HajjManifest, "manifes-haji"),
];
/// What Imigrasi sends.
const BACK: [(Dataset, &str); 3] = [
    (Dataset::Crossings, "perlintasan"),
    (Dataset::Findings, "temuan-imigrasi"),
    (Dataset::FindingPeople, "temuan-orang-imigrasi"),
];
/// What answers the findings, and what corrects the manifest: after both have arrived.
const AFTER: [(Dataset, &str); 2] = [
    (Dataset::FollowUps, "tindak-lanjut-phu"),
    (Dataset::Corrections, "ralat-phu"),
];
/// A day before every bundle of the demo.
const BEFORE: &str = "2026-01-01";
/// Who travels in the exercise.
const TRAVELLERS: u64 = 3_000;
const SEED: u64 = 11;
/// Rows of the manifest that is spoilt.
const SPOILT_ROWS: u64 = 60;
/// Why it must come back.
const EXPECTED: &str = "records-invalid";
/// Lines of its report that are shown.
const REPORT_LINES: usize = 4;
/// Longest wait for a round of tables, or for the spoilt one.
const ROUND: Duration = Duration::from_secs(120);

/// A table that arrived.
pub(crate) struct Table {
    /// Of which dataset.
    pub(crate) dataset: Dataset,
    /// As an item.
    pub(crate) arrived: Arrived,
    /// Its rows.
    pub(crate) rows: u64,
}

/// A table that came back.
#[derive(Debug, Default)]
pub(crate) struct Refused {
    /// What the daemon calls the reason.
    pub(crate) code: String,
    /// Of its report, in the chosen language.
    pub(crate) report: Vec<String>,
}

/// Everything that became of the datasets.
#[derive(Default)]
pub(crate) struct Tables {
    /// What arrived.
    pub(crate) arrived: Vec<Table>,
    /// What came back.
    pub(crate) refused: Refused,
    /// What SQL must find now.
    pub(crate) answers: Answers,
    /// Milliseconds from the first drop to the last receipt.
    pub(crate) millis: u64,
}

/// Makes, drops and waits, both ways.
pub(crate) fn exchange(
    pair: &mut Pair,
    folder: &Path,
    telling: &mut Telling<'_, '_>,
) -> Result<Tables> {
    let exercise = exercise(None);
    let start = Instant::now();
    let mut tables = Tables::default();
    let first = [
        made(&exercise, &OUT, ways(pair, 0), folder)?,
        made(&exercise, &BACK, ways(pair, 1), folder)?,
    ];
    let rows: u64 = first.iter().flatten().map(|(_, rows, _)| rows).sum();
    telling.chapter(texts::TABLES, &[&telling.count(rows)])?;
    tables.arrived = round(pair, first, telling)?;
    let manifest = tables.of(Dataset::UmrahManifest)?.arrived.manifest;
    telling.say(texts::CORRECTING, &[&manifest])?;
    let corrected = self::exercise(Some(manifest));
    let second = made(&corrected, &AFTER, ways(pair, 0), folder)?;
    let arrived = round(pair, [second, Vec::new()], telling)?;
    tables.arrived.extend(arrived);
    tables.millis = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    tables.refused = spoilt(pair, folder, telling)?;
    tables.answers = corrected.answers_corrected().context("no answers")?;
    Ok(tables)
}

/// All datasets that travel, of one plan; the corrections name this bundle.
fn exercise(corrects: Option<Digest>) -> Exercise {
    let all = OUT.iter().chain(&BACK).chain(&AFTER);
    Exercise::plan(Wish {
        datasets: all.map(|(dataset, _)| *dataset).collect(),
        rows: Some(TRAVELLERS),
        seed: SEED,
        from: jiff::civil::date(2030, 1, 5),
        errors: 0,
        spoil: Vec::new(),
        corrects,
    })
}

/// From Penyelenggaraan Haji dan Umrah (0) or from Imigrasi (1), in whichever flow.
fn ways(pair: &Pair, side: usize) -> Option<Way> {
    pair.ways().ok()?.get(side).cloned()
}

/// Dataset, rows and item.
type Made = (Dataset, u64, Item);

fn made(
    exercise: &Exercise,
    datasets: &[(Dataset, &str)],
    way: Option<Way>,
    folder: &Path,
) -> Result<Vec<Made>> {
    let way = way.context("no direction")?;
    fs::create_dir_all(folder)?;
    let one = |(dataset, flow): &(Dataset, &str)| {
        let made = exercise.make(*dataset, folder, &mut |_, _, _| {})?;
        let item = item(&way, flow, made.path)?;
        Ok((*dataset, made.rows, item))
    };
    datasets.iter().map(one).collect()
}

fn item(way: &Way, flow: &str, material: PathBuf) -> Result<Item> {
    Ok(Item {
        from: way.from.clone(),
        to: way.to.clone(),
        flow: flow.parse()?,
        name: material.file_name().unwrap_or_default().to_owned(),
        tree: tree_of(&material)?,
        material,
    })
}

/// Drops what either side sends, and waits until all receipts are verified.
fn round(
    pair: &mut Pair,
    both: [Vec<Made>; 2],
    telling: &mut Telling<'_, '_>,
) -> Result<Vec<Table>> {
    let mut dropped = Vec::new();
    for (dataset, rows, item) in both.into_iter().flatten() {
        waiting::not_interrupted()?;
        let (sender, _) = pair.sender_and_receiver(&item.from);
        dropped.push((dataset, rows, drop_item(sender, item)?));
    }
    let mut tables = Vec::new();
    for way in pair.ways()? {
        let own: Vec<_> = dropped
            .iter()
            .filter(|(_, _, dropped)| dropped.item.from == way.from)
            .collect();
        if own.is_empty() {
            continue;
        }
        let items: Vec<Dropped> = own.iter().map(|(_, _, dropped)| dropped.clone()).collect();
        let mut watched = telling.transfer(&way, items.len())?;
        let (sender, _) = pair.sender_and_receiver(&way.from);
        let arrived = until_settled(sender, &items, ROUND, &mut |progress| {
            watched.show(progress)
        })?;
        watched.finish();
        let table = |((dataset, rows, _), arrived): (&&(Dataset, u64, Dropped), Arrived)| Table {
            dataset: *dataset,
            rows: *rows,
            arrived,
        };
        tables.extend(own.iter().zip(arrived).map(table));
    }
    Ok(tables)
}

/// A manifest whose NIK a spreadsheet turned into powers of ten: it must come back, whole, with a report that says so.
fn spoilt(pair: &mut Pair, folder: &Path, telling: &mut Telling<'_, '_>) -> Result<Refused> {
    let folder = folder.join("rusak");
    fs::create_dir_all(&folder)?;
    let exercise = Exercise::plan(Wish {
        datasets: vec![Dataset::UmrahManifest],
        rows: Some(SPOILT_ROWS),
        seed: SEED,
        from: jiff::civil::date(2030, 1, 5),
        errors: 0,
        spoil: vec![Spoil::ExcelExponent],
        corrects: None,
    });
    let made = exercise.make(Dataset::UmrahManifest, &folder, &mut |_, _, _| {})?;
    // Another name than the sound one: both lie in `sent/` and `returned/` at the end.
    let material = folder.join("manifes dari lembar kerja.csv");
    fs::rename(made.path, &material)?;
    let item = item(
        &ways(pair, 0).context("no direction")?,
        "manifes-umrah",
        material,
    )?;
    let name = item.name.to_string_lossy().into_owned();
    let place = pair.phu.path(&home::returned(&item.to, &item.flow));
    let tree = item.tree.clone();
    drop_item(&pair.phu, item)?;
    let code = pair
        .phu
        .wait_for("the spoilt table", ROUND, |status| returned(status, &name))?;
    if tree_of(&place.join(&name))? != tree {
        bail!("{name}: returned, but not as it was dropped");
    }
    let why = fs::read_to_string(place.join(home::why_name(&name)))?;
    let report = report_in(telling.half_of(&why));
    telling.say(texts::SPOILT, &[&name, &code])?;
    for line in &report {
        telling.line(&format!("     {line}"))?;
    }
    Ok(Refused { code, report })
}

/// What the note says beyond the code: what was found in the table.
fn report_in(half: &str) -> Vec<String> {
    let parts = half.split("\n\n").skip(2);
    let lines = parts.flat_map(str::lines).filter(|line| !line.is_empty());
    lines.take(REPORT_LINES).map(str::to_owned).collect()
}

impl Tables {
    /// The table of a dataset.
    pub(crate) fn of(&self, dataset: Dataset) -> Result<&Table> {
        let found = self.arrived.iter().find(|table| table.dataset == dataset);
        found.with_context(|| format!("{} has not arrived", dataset.name()))
    }

    /// Whether the spoilt table came back for what was done to it.
    pub(crate) fn is_good(&self) -> bool {
        self.refused.code == EXPECTED && !self.refused.report.is_empty()
    }

    /// Rows of all.
    pub(crate) fn rows(&self) -> u64 {
        self.arrived.iter().map(|table| table.rows).sum()
    }
}

/// Compares what the recipient's database says with what was sent: every import once, with all of its rows; the originals put away.
/// How many rows there are.
pub(crate) fn check(sender: &Ministry, receiver: &Ministry, tables: &Tables) -> Result<u64> {
    let sql = database(receiver)?;
    let mut rows = 0;
    for table in &tables.arrived {
        let Arrived { item, manifest, .. } = &table.arrived;
        if &item.from != sender.party() {
            continue;
        }
        kept_as_sent(sender, &table.arrived)?;
        let query = "SELECT count(*), coalesce(sum(records), 0) FROM amanah_imports
            WHERE peer = ?1 AND flow = ?2 AND manifest = ?3";
        let values = [
            item.from.as_str(),
            item.flow.as_str(),
            &manifest.to_string(),
        ];
        let found: (i64, i64) =
            sql.query_row(query, values, |row| Ok((row.get(0)?, row.get(1)?)))?;
        if found != (1, i64::try_from(table.rows)?) {
            bail!(
                "{}: {} rows sent, {found:?} imported",
                item.flow,
                table.rows
            );
        }
        rows += table.rows;
    }
    let query = "SELECT count(*) FROM amanah_imports";
    let imports: i64 = sql.query_row(query, [], |row| row.get(0))?;
    let sent = |table: &&Table| &table.arrived.item.from == sender.party();
    let expected = i64::try_from(tables.arrived.iter().filter(sent).count())?;
    if imports != expected {
        bail!(
            "{}: {expected} tables sent, {imports} imported",
            receiver.party()
        );
    }
    Ok(rows)
}

/// Holds every table flow against its receipts, as one side sees it, with the command for that; how many flows there are.
pub(crate) fn reconcile(ministry: &Ministry, peer: &Ministry, tables: &Tables) -> Result<usize> {
    for table in &tables.arrived {
        let (peer, flow) = (peer.party().as_str(), table.arrived.item.flow.as_str());
        ministry.run(&["reconcile", peer, flow, "--from", BEFORE])?;
    }
    Ok(tables.arrived.len())
}

/// What arrived there, to be read.
pub(crate) fn database(ministry: &Ministry) -> Result<Connection> {
    let path = ministry.path(home::TABLES);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(&path, flags).with_context(|| path.display().to_string())
}
