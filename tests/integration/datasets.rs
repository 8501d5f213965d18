//! The ministries' datasets: what `amanah drill data` makes is valid by the reference implementation of Table Schema, each fault put
//! in on purpose is found by it, and SQLite gives the answers of the key. The pages of `docs/datasets` say what its schemas say.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use amanah_tests::python;
use serde_json::Value;
use tempfile::TempDir;

use crate::{program, tree};

mod pages;

/// Schema files with the tables that they describe.
fn schemas() -> Vec<(String, PathBuf)> {
    let folder = tree::root().join("docs/datasets");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if let Some(stem) = name.strip_suffix(".schema.json") {
            let (_, name) = stem.split_once('-').unwrap();
            found.push((name.to_owned(), path));
        }
    }
    found.sort();
    assert_eq!(found.len(), 11);
    found
}

fn schema_of(name: &str) -> PathBuf {
    let found = schemas().into_iter().find(|(known, _)| known == name);
    found.unwrap_or_else(|| panic!("no schema of {name}")).1
}

/// Runs `amanah drill data` into `folder`; its facts.
fn drill(folder: &Path, words: &[&str]) -> Value {
    let mut command = Command::new(program());
    command.args(["drill", "data", "--json", "--out"]);
    let ran = command.arg(folder).args(words).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
    serde_json::from_slice(&ran.stdout).unwrap()
}

/// What the reference implementation says of each table, in the order given.
fn judged(tables: &[(&str, PathBuf)]) -> Vec<Value> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut command = Command::new(python::with_packages(cache).unwrap());
    command.arg(python::programs().join("check_tables.py"));
    for (name, table) in tables {
        command.arg(schema_of(name)).arg(table);
    }
    let ran = command.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
    let mut all: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let mut taken = |(_, table): &(_, PathBuf)| all[table.to_str().unwrap()].take();
    tables.iter().map(&mut taken).collect()
}

fn numbers(value: &Value) -> Vec<u64> {
    let list = value.as_array().unwrap();
    list.iter().map(|number| number.as_u64().unwrap()).collect()
}

/// The rows that have any error.
fn rows_with_errors(judged: &Value) -> BTreeSet<u64> {
    let errors = judged["errors"].as_object().unwrap().values();
    errors.flat_map(|error| numbers(&error["rows"])).collect()
}

#[test]
fn every_dataset_made_is_valid_by_the_reference_implementation() {
    let folder = TempDir::new().unwrap();
    let made = drill(folder.path(), &["--dataset", "all", "--rows", "3000"]);
    let files = made["files"].as_array().unwrap();
    let tables: Vec<(&str, PathBuf)> = files
        .iter()
        .map(|file| {
            (
                file["dataset"].as_str().unwrap(),
                file["file"].as_str().unwrap().into(),
            )
        })
        .collect();
    assert_eq!(tables.len(), 11);
    for (file, judged) in files.iter().zip(judged(&tables)) {
        assert_eq!(judged["valid"], true, "{file}: {judged}");
        assert_eq!(judged["rows"], file["rows"], "{file}");
    }
}

#[test]
fn each_fault_put_in_is_found_in_its_row_and_no_other_row_has_any() {
    let folder = TempDir::new().unwrap();
    let words = ["--dataset", "all", "--rows", "900", "--errors", "20%"];
    let made = drill(folder.path(), &words);
    let files = made["files"].as_array().unwrap();
    let tables: Vec<(&str, PathBuf)> = files
        .iter()
        .map(|file| {
            (
                file["dataset"].as_str().unwrap(),
                file["file"].as_str().unwrap().into(),
            )
        })
        .collect();
    let mut kinds = BTreeSet::new();
    for (file, judged) in files.iter().zip(judged(&tables)) {
        let found = rows_with_errors(&judged);
        let mut hit = 0;
        for damaged in file["damaged"].as_array().unwrap() {
            hit += damaged["rows"].as_u64().unwrap();
            for row in numbers(&damaged["first"]) {
                assert!(found.contains(&row), "{damaged} in {file}: {judged}");
            }
            kinds.insert(damaged["fault"].as_str().unwrap().to_owned());
        }
        assert_eq!(
            u64::try_from(found.len()).unwrap(),
            hit,
            "{file}: {:?}",
            judged["errors"]
        );
    }
    assert_eq!(kinds.len(), 8, "{kinds:?}");
}

#[test]
fn what_a_spreadsheet_does_to_a_whole_file_is_found() {
    // The kind, the error that it must be, and the column where one is to blame.
    let expected = [
        ("excel-exponent", "constraint-error", Some("nik")),
        ("day-first", "type-error", Some("tanggal_lahir")),
        ("semicolon", "missing-label", None),
        ("extra-columns", "extra-label", None),
        ("missing-column", "missing-label", None),
        ("column-order", "incorrect-label", None),
        ("latin1", "encoding-error", None),
    ];
    let folder = TempDir::new().unwrap();
    let spoil = |kind: &str| {
        let place = folder.path().join(kind);
        let words = [
            "--dataset",
            "manifes-umrah",
            "--rows",
            "60",
            "--spoil",
            kind,
        ];
        drill(&place, &words);
        place.join("manifes-umrah.csv")
    };
    let tables = expected.map(|(kind, ..)| ("manifes-umrah", spoil(kind)));
    for ((kind, error, column), judged) in expected.iter().zip(judged(&tables)) {
        assert_eq!(judged["valid"], false, "{kind}");
        let found = &judged["errors"][error];
        assert!(found.is_object(), "{kind}: {judged}");
        let fields = found["fields"].as_array().unwrap();
        let blamed = column.is_none_or(|column| fields.iter().any(|field| field == column));
        assert!(blamed, "{kind}: {judged}");
    }
}

#[test]
fn two_faults_pass_the_reference_implementation_and_are_in_the_file_all_the_same() {
    let folder = TempDir::new().unwrap();
    let spoil = |kind: &str| {
        let place = folder.path().join(kind);
        let words = ["--dataset", "D1", "--rows", "200", "--spoil", kind];
        drill(&place, &words);
        place.join("manifes-umrah.csv")
    };
    let [marked, zeros] = ["bom", "excel-zeros"].map(spoil);
    let tables = [&marked, &zeros].map(|table| ("manifes-umrah", table.clone()));
    for judged in judged(&tables) {
        assert_eq!(judged["valid"], true, "{judged}");
    }
    assert!(
        fs::read(marked)
            .unwrap()
            .starts_with(b"\xEF\xBB\xBFnomor_registrasi,")
    );
    let text = fs::read_to_string(zeros).unwrap();
    let cells = text.lines().skip(1).filter_map(|row| row.split(',').nth(9));
    let cells: Vec<&str> = cells.filter(|cell| !cell.is_empty()).collect();
    assert!(cells.len() > 150 && cells.iter().all(|cell| cell.ends_with('0')));
}

#[test]
fn sqlite_answers_the_questions_as_the_key_does() {
    let folder = TempDir::new().unwrap();
    let words = "manifes-umrah,registri-penyelenggara,perlintasan";
    let made = drill(
        folder.path(),
        &["--dataset", words, "--rows", "9000", "--seed", "11"],
    );
    let mut script = String::from(".mode csv\n");
    for name in words.split(',') {
        let table = folder.path().join(format!("{name}.csv"));
        let import = format!(
            ".import \"{}\" {}\n",
            table.display(),
            name.replace('-', "_")
        );
        script.push_str(&import);
    }
    let questions = tree::root().join("docs/datasets/questions.sql");
    script.push_str(".separator |\n");
    script.push_str(&fs::read_to_string(questions).unwrap());
    let file = folder.path().join("questions");
    fs::write(&file, script).unwrap();
    let mut sqlite = Command::new("sqlite3");
    let ran = sqlite
        .arg(":memory:")
        .stdin(Stdio::from(fs::File::open(file).unwrap()))
        .output()
        .unwrap();
    assert!(ran.status.success() && ran.stderr.is_empty(), "{ran:?}");
    let said = String::from_utf8(ran.stdout).unwrap();
    let mut answers = made["answers"].as_object().unwrap().clone();
    let groups = answers.remove("lapsed_groups").unwrap();
    let line = |group: &Value| {
        let text = |name: &str| group[name].as_str().unwrap().to_owned();
        let people = group["people"].as_u64().unwrap();
        format!(
            "group|{}|{}|{}|{people}",
            text("day"),
            text("flight"),
            text("licence")
        )
    };
    let groups: Vec<String> = groups.as_array().unwrap().iter().map(line).collect();
    let numbers = answers
        .iter()
        .map(|(name, number)| format!("{name}|{number}"));
    let known: BTreeSet<String> = numbers.chain(groups.iter().cloned()).collect();
    let found: BTreeSet<String> = said
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    assert_eq!(found, known);
    assert!(groups.len() >= 10, "{groups:?}");
    for (name, number) in &answers {
        assert!(number.as_u64().unwrap() > 0, "{name}: asked of nobody");
    }
}

#[test]
#[ignore = "campaign: a year's backfill, half a minute and 1.4 GB of disk"]
fn a_years_backfill_is_made_in_bounded_memory() {
    let folder = TempDir::new().unwrap();
    let mut command = Command::new(program());
    command.args(["drill", "data", "--json", "--dataset", "D1,D3,D4", "--rows"]);
    command.args(["1800000", "--out"]).arg(folder.path());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or(0));
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let ran = child.wait_with_output().unwrap();
    let made: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let rows = made["files"][2]["rows"].as_u64().unwrap();
    assert!((3_500_000..3_600_000).contains(&rows), "{rows}");
    assert!(peak < 64 * 1024, "{peak} KiB");
    println!("{rows} crossings, at most {peak} KiB");
}
