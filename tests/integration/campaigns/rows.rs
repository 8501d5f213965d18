//! `rows`: SIGKILL at random moments under traffic of tables into a database, of either side, of both at once, and again during the
//! recovery. The database of a dead recipient is read by the stock `sqlite3`, from a copy: a bundle is whole in it or not at all,
//! and what lies in the sender's `sent/` is in it.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use amanah_format::home;
use amanah_tests::evidence::{verify_ledger, verify_receipts};
use amanah_tests::exchange::{Dropped, Exchange};
use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::Settings;
use super::dice::Dice;
use super::progress::Progress;
use crate::stores::ground::{ask, database, founded, name, rows_of};

/// Kills on one ground before it must come to rest.
const KILLS_PER_GROUND: u64 = 40;
/// Longest time that a daemon lives before its next death, in milliseconds.
const LIFE_MILLIS: u64 = 500;
/// Longest time into a recovery at which a second death comes.
const RECOVERY_MILLIS: u64 = 120;
/// Most rows of a table: as many take some tenths of a second to import.
const ROWS_MAX: u64 = 40_000;
/// What was dropped while its side was dead is settled after a second.
const IMPATIENT: &str = "[outbox]\nquiet_secs_files = 1\n";

/// What happened, to be printed.
#[derive(Default)]
struct Figures {
    kills: u64,
    in_recovery: u64,
    tables: u64,
    rows: u64,
    /// Deaths of the recipient with rows on their way: some in the log that no commit ends.
    looks: u64,
}

/// The pair and what was dropped.
struct Traffic {
    exchange: Exchange,
    dropped: Vec<Dropped>,
    rows: Vec<u64>,
    next: u32,
}

#[test]
fn tables_are_in_the_database_once_and_whole_after_twelve_kills() {
    campaign(Settings::short("rows", 12)).unwrap();
}

#[test]
#[ignore = "the full tier: five hundred kills"]
fn tables_are_in_the_database_once_and_whole_after_hundreds_of_kills() {
    campaign(Settings::full("rows", 500)).unwrap();
}

fn campaign(settings: Settings) -> Result<()> {
    let mut dice = Dice::new(settings.seed);
    let mut figures = Figures::default();
    let mut progress = Progress::of("rows", settings.count);
    while figures.kills < settings.count {
        progress.at(figures.kills);
        let until = settings.count.min(figures.kills + KILLS_PER_GROUND);
        on_one_ground(&mut dice, until, &mut figures)?;
    }
    let Figures {
        kills,
        in_recovery,
        tables,
        rows,
        looks,
    } = figures;
    println!(
        "rows: {kills} kills ({in_recovery} during recovery), {tables} tables of {rows} rows, {looks} looks into a dead \
         recipient's database; none in part, none twice"
    );
    Ok(())
}

fn on_one_ground(dice: &mut Dice, until: u64, figures: &mut Figures) -> Result<()> {
    let exchange = founded(&json!({"mode": "append", "key": ["nomor"], "partition": null}));
    for ministry in exchange.pair.both() {
        let config = ministry.folder().join(home::CONFIG);
        let text = fs::read_to_string(&config)?;
        fs::write(&config, format!("{text}\n{IMPATIENT}"))?;
    }
    let mut traffic = Traffic {
        exchange,
        dropped: Vec::new(),
        rows: Vec::new(),
        next: 0,
    };
    traffic.exchange.pair.start()?;
    while figures.kills < until {
        for _ in 0..=dice.below(3) {
            traffic.drop_one(dice)?;
        }
        // The moment of the death is the fault that is put to the test; nothing is synchronised by it.
        sleep(Duration::from_millis(dice.below(LIFE_MILLIS)));
        let (phu, imigrasi) = match dice.below(6) {
            0 => (true, false),
            1 => (true, true),
            _ => (false, true),
        };
        traffic.kill(phu, imigrasi)?;
        figures.kills += 1;
        if imigrasi {
            figures.looks += u64::from(traffic.is_whole()?);
            if dice.chance(30) {
                let launch = traffic.exchange.pair.imigrasi.launch().clone();
                traffic.exchange.pair.imigrasi.launch_daemon(&launch)?;
                sleep(Duration::from_millis(dice.below(RECOVERY_MILLIS)));
                traffic.kill(false, true)?;
                figures.looks += u64::from(traffic.is_whole()?);
                figures.in_recovery += 1;
            }
            traffic.exchange.pair.imigrasi.start()?;
        }
        if phu {
            traffic.exchange.pair.phu.start()?;
        }
    }
    traffic.comes_to_rest()?;
    figures.tables += u64::try_from(traffic.rows.len())?;
    figures.rows += traffic.rows.iter().sum::<u64>();
    Ok(())
}

impl Traffic {
    /// Its rows bear its name.
    fn drop_one(&mut self, dice: &mut Dice) -> Result<()> {
        let count = if dice.chance(50) { ROWS_MAX } else { 300 };
        let rows = u32::try_from(1 + dice.below(count))?;
        let item = format!("butir-{:04}.csv", self.rows.len());
        let text = rows_of(self.next, rows, &item);
        self.next += rows;
        self.rows.push(u64::from(rows));
        let way = self.exchange.out.clone();
        self.dropped
            .push(self.exchange.drop_text(&way, &item, &text)?);
        Ok(())
    }

    fn kill(&mut self, phu: bool, imigrasi: bool) -> Result<()> {
        let pair = &mut self.exchange.pair;
        if phu {
            pair.phu.kill()?;
        }
        if imigrasi {
            pair.imigrasi.kill()?;
        }
        Ok(())
    }

    /// What the dead recipient's database says: whole bundles only, and every one that the sender knows as imported. False where
    /// there is no table yet.
    fn is_whole(&self) -> Result<bool> {
        let copy = self.exchange.folder().join("salinan");
        let _ = fs::remove_dir_all(&copy);
        let folder = database(&self.exchange);
        let folder = folder.parent().context("no folder")?;
        if !folder.exists() {
            return Ok(false);
        }
        fs::create_dir(&copy)?;
        for file in fs::read_dir(folder)? {
            let file = file?;
            fs::copy(file.path(), copy.join(file.file_name()))?;
        }
        let table = name(&self.exchange);
        let file = copy.join("tables.sqlite");
        let asked = |question: &str| -> Result<Vec<String>> {
            let ran = Command::new("sqlite3").arg(&file).arg(question).output()?;
            let said = String::from_utf8(ran.stderr)?;
            ensure!(
                ran.status.success() && said.is_empty(),
                "{question}: {said}"
            );
            let lines = String::from_utf8(ran.stdout)?;
            Ok(lines.lines().map(str::to_owned).collect())
        };
        let made = format!("SELECT count(*) FROM sqlite_schema WHERE name = '{table}'");
        if asked(&made)? != ["1"] {
            return Ok(false);
        }
        ensure!(asked("PRAGMA integrity_check")? == ["ok"], "it is damaged");
        let counts = format!(
            "SELECT nama, count(*), count(DISTINCT nomor), min(records), count(DISTINCT amanah_import)
             FROM {table} LEFT JOIN amanah_imports ON import = amanah_import GROUP BY nama"
        );
        let mut there = BTreeSet::new();
        for line in asked(&counts)? {
            let (item, rows) = self.named(&line)?;
            ensure!(line == format!("{item}|{rows}|{rows}|{rows}|1"), "{line}");
            there.insert(item);
        }
        let way = &self.exchange.out;
        let sent = self.exchange.pair.phu.path(home::SENT);
        let sent = sent.join(way.to.as_str()).join(way.flow.as_str());
        for item in fs::read_dir(sent).into_iter().flatten() {
            let item = item?.file_name().to_string_lossy().into_owned();
            ensure!(
                there.contains(&item),
                "{item} is in sent/ and not in the database"
            );
        }
        Ok(true)
    }

    /// The item of an answer, and how many rows it has.
    fn named(&self, line: &str) -> Result<(String, u64)> {
        let item = line.split('|').next().unwrap_or_default();
        let number = item.strip_prefix("butir-").and_then(|rest| rest.get(..4));
        let number: usize = number.context("another row")?.parse()?;
        Ok((
            item.to_owned(),
            *self.rows.get(number).context("none such")?,
        ))
    }

    fn comes_to_rest(&mut self) -> Result<()> {
        self.exchange.settled(&self.dropped)?;
        self.exchange.at_rest()?;
        let all: Vec<String> = self
            .rows
            .iter()
            .enumerate()
            .map(|(number, rows)| format!("butir-{number:04}.csv|{rows}|{rows}"))
            .collect();
        let counts =
            "SELECT nama, count(*), count(DISTINCT nomor) FROM TABEL GROUP BY nama ORDER BY nama";
        ensure!(
            ask(&self.exchange, counts) == all,
            "other rows than were dropped"
        );
        let imports = "SELECT count(*), count(DISTINCT manifest), sum(records) FROM amanah_imports";
        let (tables, rows) = (self.rows.len(), self.rows.iter().sum::<u64>());
        ensure!(ask(&self.exchange, imports) == [format!("{tables}|{tables}|{rows}")]);
        let pair = &self.exchange.pair;
        verify_receipts(&pair.phu, &pair.imigrasi)?;
        verify_ledger(&pair.phu)?;
        verify_ledger(&pair.imigrasi)
    }
}
