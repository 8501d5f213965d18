//! What is asked for on the command line, and what is told: the files, and the answer key.
//! A bar shows how far it is where a person watches; `--json` has the groups behind the answers and the digest of each file.

use std::path::PathBuf;

use amanah_format::digest::Digest;
use amanahd::catalogue::{faces::drill as face, moment};
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::Date;

use super::{Answers, Dataset, Exercise, Made, Spoil, Wish};
use crate::{
    exit::{Exit, Failure, Outcome},
    screen::Screen,
};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amanah drill data --dataset all --rows 6300 --out latihan
  amanah drill data --dataset D1 --rows 1000000 --seed 7 --out latihan")]
pub(crate) struct Wanted {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    Data(Box<Table>),
}

/// Days on which an exercise may begin: the calendar of the hajj is known around them.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2099;
/// Most rows or travellers: a thousand years' backfill.
const ROWS_MAX: u64 = 1_000_000_000;

#[derive(Debug, clap::Args)]
struct Table {
    /// D1 … D9, or a name as manifes-umrah, or all; several with commas
    #[arg(long, required = true, value_name = "NAMES", value_delimiter = ',', value_parser = dataset)]
    dataset: Vec<Datasets>,
    /// Rows of the dataset; with several datasets, travellers [default: an ordinary day]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..=ROWS_MAX))]
    rows: Option<u64>,
    /// The same seed gives the same bytes, another one other people
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,
    /// Folder for NAME.csv; made if missing, nothing in it is overwritten
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Share of rows that are damaged, as 0.005 or 0.5%
    #[arg(long, default_value = "0", value_name = "RATE", value_parser = rate)]
    errors: u64,
    /// What a spreadsheet or a careless export does to a whole file; may be repeated
    #[arg(long, value_name = "KIND", value_enum)]
    spoil: Vec<Spoil>,
    /// Manifest of the bundle that carried D1, which D8 shall correct; else the bundles in D8 are made up, and it is refused
    #[arg(long, value_name = "DIGEST")]
    corrects: Option<Digest>,
    /// First day of departure
    #[arg(long, default_value = "2030-01-05", value_name = "DATE", value_parser = day)]
    from: Date,
}

/// What one word of `--dataset` means.
#[derive(Debug, Clone)]
struct Datasets(Vec<Dataset>);

fn dataset(word: &str) -> Result<Datasets, String> {
    let found = Dataset::named(word);
    if found.is_empty() {
        let names: Vec<&str> = Dataset::all().map(Dataset::name).collect();
        return Err(format!(
            "expected D1 to D9, all, or one of {}",
            names.join(", ")
        ));
    }
    Ok(Datasets(found))
}

fn day(text: &str) -> Result<Date, String> {
    let date: Option<Date> = text.parse().ok();
    date.filter(|date| YEARS.contains(&date.year()))
        .ok_or_else(|| "expected a day of 2000 to 2099, as 2030-01-05".into())
}

/// `0.005` or `0.5%` in parts of a million.
fn rate(text: &str) -> Result<u64, String> {
    let wrong = || format!("expected a share from 0 to 1, as 0.005 or 0.5%, found {text:?}");
    let (digits, places) = match text.strip_suffix('%') {
        Some(digits) => (digits, 4),
        None => (text, 6),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || part.len() > places || !is_number(whole) || !is_number(part) {
        return Err(wrong());
    }
    let number: u64 = format!("{whole}{part:0<places$}")
        .parse()
        .map_err(|_| wrong())?;
    if number <= 1_000_000 {
        Ok(number)
    } else {
        Err(wrong())
    }
}

pub(crate) fn run(wanted: &Wanted, screen: &mut Screen<'_>) -> Outcome {
    let Act::Data(wanted) = &wanted.act;
    let mut datasets: Vec<Dataset> = wanted.dataset.iter().flat_map(|d| d.0.clone()).collect();
    datasets.sort_unstable();
    datasets.dedup();
    if wanted.corrects.is_some() && !datasets.contains(&Dataset::Corrections) {
        return Err(screen.failure(Exit::Usage, face::CORRECTS_NOTHING, &[]));
    }
    let exercise = Exercise::plan(Wish {
        datasets: datasets.clone(),
        rows: wanted.rows,
        seed: wanted.seed,
        from: wanted.from,
        errors: wanted.errors,
        spoil: wanted.spoil.clone(),
        corrects: wanted.corrects,
    });
    std::fs::create_dir_all(&wanted.out).map_err(|error| Failure::io(&wanted.out, &error))?;
    let mut made = Vec::new();
    for dataset in datasets {
        made.push(make(&exercise, dataset, wanted, screen)?);
    }
    let sent = wanted.corrects.is_some();
    let corrected = exercise.answers_corrected().filter(|_| sent);
    let answers = [exercise.answers(), corrected];
    if screen.json {
        return facts(wanted, &made, &answers, screen);
    }
    tell(&made, screen)?;
    if !sent && made.iter().any(|made| made.dataset == Dataset::Corrections) {
        screen.say(face::MADE_UP_BUNDLES, &[])?;
    }
    for (head, answers) in [face::ANSWERS, face::CORRECTED].into_iter().zip(&answers) {
        if let Some(answers) = answers {
            screen.line("")?;
            screen.say(head, &[])?;
            key(answers, screen)?;
        }
    }
    Ok(Exit::Ok)
}

fn make(
    exercise: &Exercise,
    dataset: Dataset,
    wanted: &Table,
    screen: &Screen<'_>,
) -> Outcome<Made> {
    let bar = if screen.shows_progress() {
        let style = ProgressStyle::with_template("{msg} {wide_bar} {percent} % {eta}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        ProgressBar::new(1)
            .with_style(style)
            .with_message(dataset.name())
    } else {
        ProgressBar::hidden()
    };
    let made = exercise.make(dataset, &wanted.out, &mut |_, rows, expected| {
        bar.set_length(expected.max(rows));
        bar.set_position(rows);
    });
    bar.finish_and_clear();
    made.map_err(|failed| Failure::io(&failed.path, &failed.error))
}

fn facts(
    wanted: &Table,
    made: &[Made],
    [answers, corrected]: &[Option<Answers>; 2],
    screen: &mut Screen<'_>,
) -> Outcome {
    let file = |made: &Made| {
        serde_json::json!({
            "dataset": made.dataset.name(), "code": made.dataset.code().to_uppercase(), "file": made.path,
            "rows": made.rows, "bytes": made.bytes, "digest": made.digest, "damaged": made.damaged,
        })
    };
    let files: Vec<_> = made.iter().map(file).collect();
    screen.facts(&serde_json::json!({
        "format": "amanah-drill-data/1", "seed": wanted.seed, "from": wanted.from.to_string(),
        "spoiled": wanted.spoil, "files": files, "answers": answers,
        "corrects": wanted.corrects, "answers_corrected": corrected,
    }))?;
    Ok(Exit::Ok)
}

fn tell(made: &[Made], screen: &mut Screen<'_>) -> Outcome<()> {
    let mut table = screen.table([face::DATASET, face::FILE, face::ROWS, face::SIZE]);
    for made in made {
        table.add_row([
            made.dataset.code().to_uppercase(),
            made.path.display().to_string(),
            moment::count(made.rows, screen.language),
            moment::bytes(made.bytes, screen.language),
        ]);
    }
    screen.line(&table.to_string())?;
    for made in made {
        for damaged in &made.damaged {
            let fault = serde_json::to_value(damaged.fault).unwrap_or_default();
            let fault = fault.as_str().unwrap_or_default().to_owned();
            // As `check-table` numbers them: the header is row 1.
            let first = damaged.first.iter().map(|row| (row + 1).to_string());
            let first: Vec<String> = first.collect();
            let rows = moment::count(damaged.rows, screen.language);
            let values: [&dyn std::fmt::Display; 4] =
                [&made.dataset.name(), &fault, &rows, &first.join(", ")];
            screen.say(face::DAMAGED, &values)?;
        }
    }
    screen.say(face::FICTITIOUS, &[])
}

/// The answers as a list; the groups are in the JSON.
fn key(answers: &Answers, screen: &mut Screen<'_>) -> Outcome<()> {
    let groups = u64::try_from(answers.lapsed_groups.len()).unwrap_or(u64::MAX);
    let lines = [
        (face::DEPARTED, answers.departed),
        (face::WITHOUT_MANIFEST, answers.without_manifest),
        (face::LAPSED_LICENCE, answers.lapsed_licence),
        (face::LAPSED_GROUPS, groups),
        (face::UNKNOWN_LICENCE, answers.unknown_licence),
        (face::OTHER_BUREAU, answers.other_bureau),
        (face::POSTPONED, answers.postponed),
        (face::RETURNED, answers.returned),
        (face::NOT_RETURNED, answers.not_returned),
        (face::NOT_REPORTED, answers.return_not_reported),
        (face::NAME_DIFFERS, answers.name_differs),
        (face::IN_TWO, answers.in_two_manifests),
        (face::NIK_WARNINGS, answers.nik_warnings),
        (face::CANCELLED, answers.cancelled),
    ];
    for (text, number) in lines {
        let number = moment::count(number, screen.language);
        let text = screen.text(text, &[]);
        screen.line(&format!("{number:>12}  {text}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_share_or_a_percentage() {
        assert_eq!(rate("0"), Ok(0));
        assert_eq!(rate("0.005"), Ok(5_000));
        assert_eq!(rate("0.5%"), Ok(5_000));
        assert_eq!(rate("100%"), Ok(1_000_000));
        assert_eq!(rate("1"), Ok(1_000_000));
        for wrong in [
            "",
            "1.1",
            "101%",
            "-1",
            ".5",
            "0,5",
            "1e-3",
            "0.00000001",
            "x",
        ] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }
}
