//! The header against the schema's columns: exactly these, in exactly this order. Extra columns are named as the file spells them,
//! so that an operator sees what would have left; where no column is known, the first row may be data, and nothing of it is said.

use std::collections::{HashMap, HashSet};

use super::limits::{FIELD_NAME_BYTES_MAX, FIELDS_MAX};
use super::report::{Draft, Fault, Subject};
use super::rows::RowText;
use super::schema::Schema;

/// Notes what is wrong; `true` where rows can be read by this header.
pub(super) fn compare(schema: &Schema, header: &RowText, draft: &mut Draft) -> bool {
    let names: Vec<&str> = header.cells.iter().map(|cell| header.of(cell)).collect();
    let agreed: Vec<&str> = schema
        .fields()
        .iter()
        .map(super::schema::Field::name)
        .collect();
    if names == agreed {
        return true;
    }
    if let Some(fault) = other_separator(&agreed, &names) {
        draft.note(fault, Subject::File);
        return false;
    }
    let known = known(&agreed, &names);
    if known == 0 {
        draft.note(Fault::NoHeader, Subject::File);
        return false;
    }
    let present: HashSet<&str> = names.iter().copied().collect();
    let wanted: HashSet<&str> = agreed.iter().copied().collect();
    let mut seen = HashSet::new();
    // Said once, whatever the number: a program that writes capitals writes all of them.
    let misspelt = misspelt(&agreed, &present);
    match misspelt.values().copied().collect::<Vec<_>>().as_slice() {
        [] => {}
        [only] => draft.note(Fault::ColumnSpelling, Subject::Column((*only).to_owned())),
        _ => draft.note(Fault::ColumnSpelling, Subject::File),
    }
    let unknown = names.iter().filter(|name| !misspelt.contains_key(*name));
    for name in unknown.take(2 * FIELDS_MAX) {
        let fault = match (wanted.contains(name), seen.insert(*name)) {
            (false, _) => Fault::ExtraColumn,
            (true, false) => Fault::ColumnTwice,
            (true, true) => continue,
        };
        draft.note(fault, Subject::Column(cut(name)));
    }
    let meant: HashSet<&str> = misspelt.values().copied().collect();
    let is_there = |name: &&&str| present.contains(**name) || meant.contains(**name);
    for name in agreed.iter().filter(|name| !is_there(name)) {
        draft.note(Fault::MissingColumn, Subject::Column((*name).to_owned()));
    }
    if present == wanted && names.len() == agreed.len() {
        let subject = moved(&agreed, &names).map(|name| Subject::Column(name.to_owned()));
        draft.note(Fault::ColumnOrder, subject.unwrap_or(Subject::File));
    }
    false
}

/// The one column that was moved, where all others stand in the agreed order.
fn moved<'n>(agreed: &[&'n str], names: &[&'n str]) -> Option<&'n str> {
    let mut pairs = agreed.iter().zip(names);
    let (wanted, found) = pairs.find(|(wanted, found)| wanted != found)?;
    let without = |list: &[&'n str], one: &str| -> Vec<&'n str> {
        list.iter().copied().filter(|name| *name != one).collect()
    };
    [*wanted, *found]
        .into_iter()
        .find(|one| without(agreed, one) == without(names, one))
}

/// Names that are an agreed one but for case or blanks, each with the one that is meant; none where that is there too.
fn misspelt<'n>(agreed: &[&'n str], present: &HashSet<&'n str>) -> HashMap<&'n str, &'n str> {
    let missing = agreed.iter().filter(|name| !present.contains(**name));
    let missing: HashMap<String, &str> = missing.map(|name| (folded(name), *name)).collect();
    let unknown = present.iter().filter(|name| !agreed.contains(name));
    let mut meant = HashSet::new();
    unknown
        .filter_map(|name| Some((*name, *missing.get(&folded(name))?)))
        .filter(|(_, name)| meant.insert(*name))
        .collect()
}

fn folded(name: &&str) -> String {
    name.trim().to_lowercase()
}

/// How many of the agreed names are there, whatever their case and the blanks around them.
fn known(agreed: &[&str], names: &[&str]) -> usize {
    let there: HashSet<String> = names.iter().map(folded).collect();
    agreed
        .iter()
        .filter(|name| there.contains(&folded(name)))
        .count()
}

/// Whether the header is one of ours, with something else between its names.
fn other_separator(agreed: &[&str], names: &[&str]) -> Option<Fault> {
    let line = names.join(",");
    let by_comma = known(agreed, names);
    [(';', Fault::Semicolon), ('\t', Fault::Tabulator)]
        .into_iter()
        .find(|(mark, _)| {
            let parts: Vec<&str> = line
                .split(*mark)
                .map(|part| part.trim_matches('"'))
                .collect();
            parts.len() > 1 && known(agreed, &parts) > by_comma
        })
        .map(|(_, fault)| fault)
}

/// A foreign name, cut to what a report may hold.
fn cut(name: &str) -> String {
    name.chars().take(FIELD_NAME_BYTES_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Dialect, Memory, Plan, Rows, check};
    use super::*;

    /// Codes and subjects of what is found in a table.
    fn found(dialect: Dialect, table: &str) -> Vec<String> {
        let schema = r#"{"fields": [{"name": "nik", "type": "string"}, {"name": "nama", "type": "string"},
            {"name": "lahir", "type": "date"}]}"#;
        let schema = Schema::parse(schema.as_bytes()).unwrap();
        let plan = Plan {
            schema: &schema,
            dialect,
            rows_max: None,
            totals: &[],
            key: [1; 16],
        };
        let mut table = table.as_bytes();
        let checked = check(&mut table, &plan, &mut Memory::default(), &mut Rows).unwrap();
        let findings = checked.report.findings().iter();
        let said = |subject: &Subject| match subject {
            Subject::Column(name) => name.clone(),
            Subject::File | Subject::Key(_) | Subject::Rule(_) => "-".to_owned(),
        };
        findings
            .map(|one| format!("{} {} {}", one.fault.code(), said(&one.subject), one.count))
            .collect()
    }

    #[test]
    fn names_that_are_right_but_for_capitals_or_blanks_are_one_message() {
        for (header, expected) in [
            ("nik,nama,lahir", &[][..]),
            ("NIK,NAMA,LAHIR", &["column-spelling - 0"]),
            ("nik, nama, lahir", &["column-spelling - 0"]),
            ("NIK,nama,lahir", &["column-spelling nik 0"]),
            ("Nama,nik,lahir", &["column-spelling nama 0"]),
            ("nik,nama,lahir,NIK", &["extra-column NIK 0"]),
            (
                "NIK,Nik,nama",
                &[
                    "column-spelling nik 0",
                    "extra-column",
                    "missing-column lahir 0",
                ],
            ),
            ("nik,nama,lahir,alamat", &["extra-column alamat 0"]),
            ("nik,nama", &["missing-column lahir 0"]),
            ("nama,nik,lahir", &["column-order nik 0"]),
            ("nama,lahir,nik", &["column-order nik 0"]),
            ("lahir,nik,nama", &["column-order lahir 0"]),
            ("lahir,nama,nik", &["column-order - 0"]),
            ("nik,nik,nama,lahir", &["column-twice nik 0"]),
        ] {
            let mut found = found(Dialect::Csv, &format!("{header}\n"));
            found.sort();
            let mut expected = expected.to_vec();
            expected.sort_unstable();
            let same = found.len() == expected.len()
                && found
                    .iter()
                    .zip(&expected)
                    .all(|(one, said)| one.starts_with(said));
            assert!(same, "{header}: {found:?}");
        }
    }

    #[test]
    fn json_in_place_of_a_table_and_lines_of_an_old_mac_are_called_by_their_names() {
        let found = |text| found(Dialect::Csv, text);
        assert_eq!(found("[{\"nik\": \"1\"}]\n"), ["json - 0"]);
        assert_eq!(found("{\"nik\": \"1\"}\n"), ["json - 0"]);
        let old = format!("nik,nama,lahir\r{}", "1,A,2030-01-01\r".repeat(90_000));
        assert_eq!(found(&old), ["line-ends - 0"]);
    }

    #[test]
    fn a_line_of_json_with_another_column_or_without_one_says_which() {
        let line = |more: &str| format!("{{\"nik\": \"1\", \"nama\": \"A\"{more}}}\n");
        let found = |text: String| found(Dialect::JsonLines, &text);
        let sound = line(", \"lahir\": null");
        assert_eq!(found(sound.clone()), Vec::<String>::new());
        assert_eq!(
            found(sound.clone() + &line("").repeat(3)),
            ["missing-column lahir 3"]
        );
        let extra = line(", \"lahir\": null, \"alamat\": 1");
        assert_eq!(found(extra.repeat(2) + &sound), ["extra-column alamat 2"]);
        // What is no name of a column, or beside none, may be a value.
        let value = line(", \"lahir\": null, \"TIRUNA PRACOBA\": 1");
        assert_eq!(found(value), ["extra-column - 1"]);
        assert_eq!(found("{\"TIRUNA\": 1}\n".to_owned()), ["extra-column - 1"]);
        let many: String = (0..2_000)
            .map(|number| line(&format!(", \"lahir\": null, \"kolom_{number}\": 1")))
            .collect();
        assert!(found(many).len() <= 2 * FIELDS_MAX + 1);
    }
}
