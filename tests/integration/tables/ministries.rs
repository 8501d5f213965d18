//! The ministries' own datasets and our checker: what an exercise makes is sound, and what it spoils is called by its name, by the very
//! command that an operator types. And the example agreement is one that can be signed, its schemas in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use amanah_format::agreement::{Agreement, AgreementFile};
use amanah_format::digest::Digest;
use serde_json::{Value, json};

use crate::{program, tree};

/// What spoils a table, and the fault that names it.
const SPOILT: [(&str, &str); 9] = [
    ("excel-zeros", "excel-rounded"),
    ("excel-exponent", "excel-exponent"),
    ("bom", "byte-order-mark"),
    ("semicolon", "semicolon"),
    ("day-first", "day-first"),
    ("extra-columns", "extra-column"),
    ("missing-column", "missing-column"),
    ("column-order", "column-order"),
    ("latin1", "encoding"),
];

fn run(words: &[&str]) -> Value {
    let ran = Command::new(program()).args(words).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    serde_json::from_slice(&ran.stdout).unwrap_or_else(|_| panic!("{words:?}: {said}"))
}

/// Each schema file with the name of its table.
fn schemas() -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(tree::root().join("docs/datasets")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let named = paths.filter_map(|path| {
        let name = path.file_name()?.to_str()?;
        let (_, name) = name.strip_suffix(".schema.json")?.split_once('-')?;
        Some((name.to_owned(), path.clone()))
    });
    let named: Vec<_> = named.collect();
    assert_eq!(named.len(), 11);
    named
}

fn checked(schema: &Path, table: &Path) -> Value {
    let (schema, table) = (schema.to_string_lossy(), table.to_string_lossy());
    run(&["check-table", &schema, &table, "--json"])
}

#[test]
fn what_an_exercise_makes_is_sound() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("latihan");
    run(&[
        "drill",
        "data",
        "--dataset",
        "all",
        "--rows",
        "400",
        "--json",
        "--out",
        &out.to_string_lossy(),
    ]);
    for (name, schema) in schemas() {
        let found = checked(&schema, &out.join(format!("{name}.csv")));
        assert_eq!(
            (&found["sound"], &found["code"]),
            (&json!(true), &Value::Null),
            "{name}: {found}"
        );
        assert!(found["rows"].as_u64().unwrap() > 0, "{name}");
    }
}

/// What an exercise puts into rows, and the fault that names it.
const PUT_IN: [(&str, &str); 8] = [
    ("passport-letter", "pattern"),
    ("passport-short", "pattern"),
    ("licence-spelling", "pattern"),
    ("formula", "formula"),
    ("return-first", "rule"),
    ("blank", "required"),
    ("unknown-code", "enum"),
    ("repeated", "primary-key"),
];

#[test]
fn what_an_exercise_damages_is_refused_for_those_very_rules() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_string_lossy();
    let words = "drill data --dataset all --rows 900 --errors 20% --json --out";
    let words: Vec<&str> = words.split(' ').chain([&*out]).collect();
    let made = run(&words);
    let mut met = BTreeSet::new();
    for (name, schema) in schemas() {
        let files = made["files"].as_array().unwrap().iter();
        let damaged = files
            .filter(|file| file["dataset"] == name)
            .flat_map(|file| file["damaged"].as_array().unwrap());
        let put_in: BTreeSet<&str> = damaged.map(|one| one["fault"].as_str().unwrap()).collect();
        let named = |fault: &&str| PUT_IN.iter().find(|(put, _)| put == fault).unwrap().1;
        let mut expected: BTreeSet<&str> = put_in.iter().map(named).collect();
        let found = checked(&schema, &folder.path().join(format!("{name}.csv")));
        let findings = found["findings"].as_array().unwrap().iter();
        let refusing = findings.filter(|one| one["level"] == "refusal");
        let faults: BTreeSet<&str> = refusing.map(|one| one["fault"].as_str().unwrap()).collect();
        if faults.contains("unique") && put_in.contains("repeated") {
            // A row that stands twice breaks every key that the schema has.
            expected.insert("unique");
        }
        assert_eq!(faults, expected, "{name}: {found}");
        assert_eq!(found["sound"], json!(expected.is_empty()), "{name}");
        met.extend(put_in.iter().map(|fault| (*fault).to_owned()));
    }
    assert_eq!(met.len(), PUT_IN.len(), "{met:?}");
}

#[test]
fn what_a_spreadsheet_does_to_a_manifest_is_called_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let schema = schemas()
        .into_iter()
        .find(|(name, _)| name == "manifes-umrah")
        .unwrap()
        .1;
    for (spoil, fault) in SPOILT {
        let out = folder.path().join(spoil);
        let place = out.to_string_lossy();
        run(&[
            "drill",
            "data",
            "--dataset",
            "D1",
            "--rows",
            "200",
            "--spoil",
            spoil,
            "--json",
            "--out",
            &place,
        ]);
        let found = checked(&schema, &out.join("manifes-umrah.csv"));
        assert_eq!(found["sound"], json!(false), "{spoil}");
        let findings = found["findings"].as_array().unwrap().iter();
        let refusing: Vec<&Value> = findings
            .filter(|one| one["level"] == "refusal")
            .map(|one| &one["fault"])
            .collect();
        assert!(
            !refusing.is_empty() && refusing.iter().all(|one| *one == fault),
            "{spoil}: {refusing:?}"
        );
    }
}

#[test]
fn the_example_agreement_can_be_drafted_with_its_schemas_in_it() {
    let folder = tree::root().join("docs/datasets");
    let text = fs::read(folder.join("perjanjian.json")).unwrap();
    let mut text: Value = serde_json::from_slice(&text).unwrap();
    let mut files = Vec::new();
    for flow in text["flows"].as_array_mut().unwrap() {
        if let Some(name) = flow["schema"].as_str() {
            let bytes = fs::read(folder.join(name)).unwrap();
            flow["schema"] = json!(Digest::of(&bytes));
            files.push(bytes);
        }
    }
    let agreement: Agreement = serde_json::from_value(text).unwrap();
    let tables = agreement
        .flows
        .iter()
        .filter(|flow| flow.schema.is_some())
        .count();
    let file = AgreementFile::draft_with(&agreement, files).unwrap();
    assert_eq!(file.schema_files().count(), 11);
    assert!(tables >= 11, "{tables}");
}
