//! `docs/datasets`: the schemas are Table Schema 2.0 as parties may pin it, the example agreement pins these very files, and both
//! pages say what schemas and agreement say.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use amanah_format::agreement::{Agreement, FlowKind};
use amanah_format::digest::Digest;
use serde_json::Value;

use super::schemas;
use crate::{program, tree};

fn page(name: &str) -> String {
    fs::read_to_string(tree::root().join("docs/datasets").join(name)).unwrap()
}

/// The example agreement, as drafting it makes it: with the digest of each schema file where the draft names the file.
fn agreement() -> Agreement {
    let mut text: Value = serde_json::from_str(&page("perjanjian.json")).unwrap();
    for flow in text["flows"].as_array_mut().unwrap() {
        let schema = page(flow["schema"].as_str().unwrap());
        flow["schema"] = Digest::of(schema.as_bytes()).to_string().into();
    }
    serde_json::from_value(text).unwrap()
}

/// Every schema: its name, digest, and descriptor.
fn descriptors() -> Vec<(String, Digest, Value)> {
    let read = |(name, path)| {
        let bytes = fs::read(path).unwrap();
        let schema = serde_json::from_slice(&bytes).unwrap();
        (name, Digest::of(&bytes), schema)
    };
    schemas().into_iter().map(read).collect()
}

fn texts(list: &Value) -> Vec<String> {
    let list = list.as_array().unwrap();
    list.iter()
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

fn fields(schema: &Value) -> &Vec<Value> {
    schema["fields"].as_array().unwrap()
}

/// The cells of the rows of a page's tables, without code marks.
fn rows(page: &str) -> Vec<Vec<String>> {
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let cells = |line: &str| {
        let cells = line.trim_matches('|').split(" | ");
        cells.map(|cell| cell.trim().replace('`', "")).collect()
    };
    rows.map(cells).collect()
}

#[test]
fn every_schema_is_exact_and_every_text_in_it_is_bounded() {
    for (name, _, schema) in descriptors() {
        assert_eq!(schema["name"], Value::from(name.clone()));
        assert_eq!(schema["fieldsMatch"], "exact", "{name}");
        assert_eq!(schema["missingValues"], serde_json::json!([""]), "{name}");
        let names: Vec<&str> = fields(&schema)
            .iter()
            .map(|f| f["name"].as_str().unwrap())
            .collect();
        let distinct: BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(distinct.len(), names.len(), "{name}");
        for key in texts(&schema["primaryKey"]) {
            let field = fields(&schema).iter().find(|f| f["name"] == *key).unwrap();
            assert_eq!(field["constraints"]["required"], true, "{name}: {key}");
        }
        for total in texts(&schema["amanah"]["totals"]) {
            assert!(distinct.contains(total.as_str()), "{name}: {total}");
        }
        for field in fields(&schema) {
            let said = ["title", "description", "example"];
            assert!(
                said.iter().all(|member| !field[member].is_null()),
                "{name}: {field}"
            );
            // What a free text may begin with is said by its pattern: a spreadsheet must never run it.
            let limits = &field["constraints"];
            let is_bounded = !limits["enum"].is_null() || !limits["pattern"].is_null();
            assert!(field["type"] != "string" || is_bounded, "{name}: {field}");
        }
    }
}

#[test]
fn no_schema_has_room_for_what_must_stay_at_home() {
    let kept = [
        "alamat",
        "telepon",
        "no_hp",
        "pendidikan",
        "pekerjaan",
        "polis",
        "asuransi",
        "bpjs",
        "foto",
        "sidik_jari",
        "biometrik",
        "cekal",
        "interpol",
        "wafat",
        "nama_ayah",
        "direktur",
    ];
    for (name, _, schema) in descriptors() {
        for field in fields(&schema) {
            let column = field["name"].as_str().unwrap();
            assert!(
                kept.iter().all(|word| !column.contains(word)),
                "{name}: {column}"
            );
        }
    }
}

#[test]
fn the_example_agreement_pins_these_schemas_and_keeps_the_rules() {
    let agreement = agreement();
    let known = descriptors();
    let mut pinned = BTreeSet::new();
    for flow in &agreement.flows {
        assert_eq!(flow.kind, FlowKind::Table);
        let digest = flow.schema.unwrap();
        let found = known.iter().find(|(_, known, _)| *known == digest);
        let (name, _, schema) = found.unwrap_or_else(|| panic!("{}: no such schema", flow.name));
        let import = flow.import.as_ref().unwrap();
        assert_eq!(import.key, texts(&schema["primaryKey"]), "{}", flow.name);
        assert_eq!(
            flow.totals,
            texts(&schema["amanah"]["totals"]),
            "{}",
            flow.name
        );
        if let Some(partition) = &import.partition {
            assert!(
                fields(schema)
                    .iter()
                    .any(|field| field["name"] == **partition)
            );
        }
        pinned.insert(name.clone());
    }
    assert_eq!(pinned.len(), known.len());
    // Apart from what is particular to tables, it is an agreement that could be signed.
    let mut plain = agreement;
    for flow in &mut plain.flows {
        (flow.kind, flow.schema, flow.import) = (FlowKind::Files, None, None);
        (flow.totals, flow.records_max) = (Vec::new(), None);
    }
    plain.check().unwrap();
}

#[test]
fn the_table_of_who_sends_what_is_that_of_the_agreement() {
    let readme = page("README.md");
    let rows = rows(&readme);
    let known = descriptors();
    let told: Vec<&Vec<String>> = rows
        .iter()
        .filter(|row| row.len() == 9 && row[0].starts_with('D'))
        .collect();
    let agreement = agreement();
    assert_eq!(told.len(), agreement.flows.len());
    for (row, flow) in told.into_iter().zip(&agreement.flows) {
        let (_, _, schema) = known
            .iter()
            .find(|(_, d, _)| Some(*d) == flow.schema)
            .unwrap();
        let file = format!(
            "{}-{}.schema.json",
            row[0].to_lowercase(),
            schema["name"].as_str().unwrap()
        );
        assert_eq!(row[1], format!("[{}]({file})", flow.name));
        assert!(tree::root().join("docs/datasets").join(file).is_file());
        assert_eq!(row[2], format!("{} → {}", flow.from, flow.to));
        let due = flow
            .rhythm
            .as_ref()
            .map(|r| format!("{} {}", r.every, r.by));
        assert_eq!(
            row[3],
            due.unwrap_or_else(|| "on demand".into()),
            "{}",
            flow.name
        );
        let import = flow.import.as_ref().unwrap();
        let by = import
            .partition
            .as_ref()
            .map(|column| format!(" by {column}"));
        assert_eq!(row[5], format!("{}{}", import.mode, by.unwrap_or_default()));
        assert_eq!(row[6], import.key.join(", "), "{}", flow.name);
        assert_eq!(row[7], flow.totals.join(", "), "{}", flow.name);
        assert_eq!(row[8], flow.retention.days.to_string(), "{}", flow.name);
    }
}

#[test]
fn the_data_dictionary_has_every_column_as_its_schema_has_it() {
    let dictionary = page("kamus-data.md");
    let kinds = [
        ("string", "teks"),
        ("integer", "bilangan bulat"),
        ("date", "tanggal"),
        ("datetime", "waktu"),
        ("yearmonth", "bulan"),
    ];
    let sections: Vec<&str> = dictionary.split("\n## ").skip(1).collect();
    assert_eq!(sections.len(), schemas().len());
    for (name, _, schema) in descriptors() {
        let link = format!("-{name}.schema.json](");
        let section = sections
            .iter()
            .find(|section| section.contains(&link))
            .unwrap();
        let rows: Vec<_> = rows(section)
            .into_iter()
            .filter(|row| row[0] != "Kolom" && !row[0].starts_with("---"))
            .collect();
        assert_eq!(rows.len(), fields(&schema).len(), "{name}");
        for (row, field) in rows.iter().zip(fields(&schema)) {
            assert_eq!(row[0], field["name"].as_str().unwrap(), "{name}");
            let kind = kinds
                .iter()
                .find(|(kind, _)| field["type"] == *kind)
                .unwrap();
            assert_eq!(row[1], kind.1, "{name}: {}", row[0]);
            let is_required = field["constraints"]["required"] == true;
            assert_eq!(
                row[2],
                if is_required { "ya" } else { "tidak" },
                "{name}: {}",
                row[0]
            );
            let personal = field["amanah"]["personal"].as_str().unwrap_or("–");
            assert_eq!(row[5], personal, "{name}: {}", row[0]);
            for value in field["constraints"]["enum"]
                .as_array()
                .into_iter()
                .flatten()
            {
                assert!(
                    row[4].contains(value.as_str().unwrap()),
                    "{name}: {}",
                    row[0]
                );
            }
        }
    }
}

#[test]
fn the_commands_for_practice_run_as_the_page_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let readme = page("README.md");
    let lines = readme
        .lines()
        .filter(|line| line.starts_with("amanah drill "));
    let mut ran = 0;
    for line in lines {
        let mut words: Vec<&str> = line.split_whitespace().skip(1).collect();
        // A million rows show nothing here that sixty do not.
        let rows = words.iter().position(|word| *word == "--rows").unwrap() + 1;
        words[rows] = "60";
        let done = Command::new(program())
            .args(&words)
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{line}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        let out = words.iter().position(|word| *word == "--out").unwrap() + 1;
        assert!(folder.path().join(words[out]).is_dir(), "{line}");
        ran += 1;
    }
    assert!(ran >= 4);
}
