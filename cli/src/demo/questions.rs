//! What a ministry would ask once the tables are here: the questions of `docs/datasets/questions.sql`, asked of a copy of what arrived,
//! beside the ministry's own tables. Either side must get the very answers that the exercise knows: of crossings that arrived here
//! and manifests that arrived there.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use amanah_format::home;
use amanah_format::table::{Dialect, Memory, Plan, RowSink, Schema, Value, check};
use amanahd::catalogue::Text;
use amanahd::catalogue::faces::drill as face;
use anyhow::{Context, Result, bail};
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::{Connection, params_from_iter};

use super::ministry::Ministry;
use super::pair::Pair;
use super::tables::Tables;
use crate::drill::{Answers, Dataset, Lapsed};

const QUESTIONS: &str = include_str!("../../../docs/datasets/questions.sql");
/// The tables that the questions are about.
const ASKED: [Dataset; 3] = [
    Dataset::UmrahManifest,
    Dataset::Register,
    Dataset::Crossings,
];
/// What Imigrasi is shown: names of answers, and their words.
const BY_IMIGRASI: [(&str, Text); 4] = [
    ("departed", face::DEPARTED),
    ("without_manifest", face::WITHOUT_MANIFEST),
    ("lapsed_licence", face::LAPSED_LICENCE),
    ("unknown_licence", face::UNKNOWN_LICENCE),
];
/// What Penyelenggaraan Haji dan Umrah is shown.
const BY_PHU: [(&str, Text); 4] = [
    ("lapsed_licence", face::LAPSED_LICENCE),
    ("return_not_reported", face::NOT_REPORTED),
    ("not_returned", face::NOT_RETURNED),
    ("name_differs", face::NAME_DIFFERS),
];

/// A ministry's answers.
pub(crate) struct Asked {
    /// Whose.
    pub(crate) party: String,
    /// Which of them are shown.
    pub(crate) shown: Vec<(Text, u64)>,
    /// All, by name.
    pub(crate) found: BTreeMap<String, u64>,
    /// Whom a lapsed licence took out.
    pub(crate) groups: Vec<Lapsed>,
    /// What is not as the exercise knows it.
    pub(crate) wrong: Vec<String>,
}

/// Asks both. `folder` has the tables as they were sent: each ministry's own ones.
pub(crate) fn ask(pair: &Pair, tables: &Tables, folder: &Path) -> Result<[Asked; 2]> {
    Ok([
        asked(&pair.imigrasi, &BY_IMIGRASI, tables, folder)?,
        asked(&pair.phu, &BY_PHU, tables, folder)?,
    ])
}

fn asked(
    ministry: &Ministry,
    shown: &[(&str, Text)],
    tables: &Tables,
    folder: &Path,
) -> Result<Asked> {
    let sql = desk(ministry, tables, folder)?;
    let lines = answered(&sql, QUESTIONS)?;
    let (mut found, mut groups) = (BTreeMap::new(), Vec::new());
    for line in lines {
        match line.as_slice() {
            [name, number] => {
                found.insert(name.clone(), number.parse()?);
            }
            [_, day, flight, licence, people] => groups.push(Lapsed {
                licence: licence.clone(),
                flight: flight.clone(),
                day: day.clone(),
                people: people.parse()?,
            }),
            other => bail!("an answer of {} columns", other.len()),
        }
    }
    let number = |(name, text): &(&str, Text)| {
        let found = found.get(*name).copied();
        Ok((
            *text,
            found.with_context(|| format!("no answer to {name}"))?,
        ))
    };
    Ok(Asked {
        party: ministry.party().to_string(),
        shown: shown.iter().map(number).collect::<Result<_>>()?,
        wrong: differences(&tables.answers, &found, &groups)?,
        found,
        groups,
    })
}

/// What differs from what the exercise knows; nothing where all is the same.
fn differences(
    known: &Answers,
    found: &BTreeMap<String, u64>,
    groups: &[Lapsed],
) -> Result<Vec<String>> {
    let known_numbers = serde_json::to_value(known)?;
    let known_numbers = known_numbers.as_object().context("no answers")?;
    let numbers = known_numbers
        .iter()
        .filter_map(|(name, value)| Some((name, value.as_u64()?)));
    let numbers: BTreeMap<&String, u64> = numbers.collect();
    let mut wrong = Vec::new();
    for (name, number) in &numbers {
        let here = found.get(*name).copied();
        if here != Some(*number) {
            wrong.push(format!("{name}: {here:?}, not {number}"));
        }
    }
    if numbers.len() != found.len() {
        wrong.push(format!("{} answers, not {}", found.len(), numbers.len()));
    }
    let order = |one: &Lapsed| (one.day.clone(), one.flight.clone(), one.licence.clone());
    let (mut here, mut there) = (groups.to_vec(), known.lapsed_groups.clone());
    here.sort_by_key(order);
    there.sort_by_key(order);
    if here != there {
        wrong.push(format!("{} groups, not {}", here.len(), there.len()));
    }
    Ok(wrong)
}

/// A database of an officer's own: what arrived, copied from the store, and the ministry's own tables.
fn desk(ministry: &Ministry, tables: &Tables, folder: &Path) -> Result<Connection> {
    let sql = Connection::open_in_memory()?;
    let store = ministry.path(home::TABLES);
    let store = format!("file:{}?mode=ro", uri_path(&store.to_string_lossy()));
    sql.execute("ATTACH ?1 AS tiba", [store])?;
    let mut is_own = false;
    for dataset in ASKED {
        let table = tables.of(dataset)?;
        let name = table.arrived.item.flow.as_str().replace('-', "_");
        if &table.arrived.item.to == ministry.party() {
            sql.execute_batch(&format!("CREATE TABLE {name} AS SELECT * FROM tiba.{name}"))?;
        } else {
            own(&sql, &name, dataset, folder)?;
            is_own |= dataset == Dataset::UmrahManifest;
        }
    }
    if is_own {
        // Who corrects what was sent has corrected it at home.
        own(&sql, "ralat", Dataset::Corrections, folder)?;
        sql.execute_batch(CORRECTED_AT_HOME)?;
    }
    sql.execute_batch("DETACH tiba")?;
    Ok(sql)
}

const CORRECTED_AT_HOME: &str = "
    DELETE FROM manifes_umrah WHERE nomor_registrasi IN (SELECT ref_kunci FROM ralat WHERE jenis = 'TARIK');
    UPDATE manifes_umrah SET nama_paspor = baris_baru ->> 'nama_paspor'
        FROM ralat WHERE ref_kunci = nomor_registrasi AND ralat.jenis = 'GANTI';
";

/// A path as SQLite's URIs want it.
fn uri_path(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
    let mut text = String::new();
    for c in path.chars() {
        if plain(c) {
            text.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                text.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    text
}

/// A table of the ministry's own, from its file.
fn own(sql: &Connection, name: &str, dataset: Dataset, folder: &Path) -> Result<()> {
    let schema = Schema::parse(dataset.schema().as_bytes())?;
    let columns: Vec<&str> = schema.fields().iter().map(|field| field.name()).collect();
    sql.execute_batch(&format!("CREATE TABLE {name} ({})", columns.join(", ")))?;
    let places = vec!["?"; columns.len()].join(", ");
    let path = folder.join(format!("{}.csv", dataset.name()));
    let mut file = std::fs::File::open(&path).with_context(|| path.display().to_string())?;
    let plan = Plan {
        schema: &schema,
        dialect: Dialect::of_name(&path.to_string_lossy()),
        rows_max: None,
        totals: &[],
        key: [0; 16],
    };
    sql.execute_batch("BEGIN")?;
    let mut loading = Loading(sql.prepare(&format!("INSERT INTO {name} VALUES ({places})"))?);
    let checked = check(&mut file, &plan, &mut Memory::default(), &mut loading)?;
    sql.execute_batch("COMMIT")?;
    if !checked.report.is_sound() {
        bail!("{}: not as its schema says", path.display());
    }
    Ok(())
}

struct Loading<'s>(rusqlite::Statement<'s>);

impl RowSink for Loading<'_> {
    fn row(&mut self, _: u64, values: &[Value<'_>]) -> io::Result<()> {
        let texts = values.iter().map(text_of);
        let inserted = self.0.execute(params_from_iter(texts));
        inserted.map(drop).map_err(io::Error::other)
    }
}

/// As a text, which is what the questions compare.
fn text_of(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Missing => None,
        Value::Text(text) => Some((*text).to_owned()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Boolean(yes) => Some(u8::from(*yes).to_string()),
        Value::Date(date) => Some(date.to_string()),
        Value::Time(time) => Some(time.to_string()),
        Value::DateTime(moment) => Some(moment.to_string()),
        Value::Year(number) | Value::YearMonth(number) => Some(number.to_string()),
    }
}

/// Runs statements one by one; the rows of those that answer, as texts.
fn answered(sql: &Connection, words: &str) -> Result<Vec<Vec<String>>> {
    let mut lines = Vec::new();
    let mut statements = rusqlite::Batch::new(sql, words);
    while let Some(mut statement) = statements.next()? {
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let cell = |place| row.get::<_, rusqlite::types::Value>(place).map(plain);
            let cells = (0..columns).map(cell).collect::<rusqlite::Result<_>>()?;
            lines.push(cells);
        }
    }
    Ok(lines)
}

fn plain(value: rusqlite::types::Value) -> String {
    use rusqlite::types::Value as Found;
    match value {
        Found::Null => String::new(),
        Found::Integer(number) => number.to_string(),
        Found::Real(number) => number.to_string(),
        Found::Text(text) => text,
        Found::Blob(_) => "?".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_or_group_that_is_not_as_it_must_be_is_named() {
        let group = |people| Lapsed {
            licence: "OSS:0000000000001:0001".into(),
            flight: "ZZ100".into(),
            day: "2030-01-05".into(),
            people,
        };
        let known = Answers {
            departed: 7,
            lapsed_groups: vec![group(3)],
            ..Answers::default()
        };
        let numbers = serde_json::to_value(&known).unwrap();
        let numbers = numbers.as_object().unwrap().iter();
        let numbers = numbers.filter_map(|(name, n)| Some((name.clone(), n.as_u64()?)));
        let mut found: BTreeMap<String, u64> = numbers.collect();
        let ask = |found: &_, people| differences(&known, found, &[group(people)]).unwrap();
        assert!(ask(&found, 3).is_empty());
        assert_eq!(ask(&found, 2), ["1 groups, not 1"]);
        found.insert("departed".into(), 6);
        assert_eq!(ask(&found, 3), ["departed: Some(6), not 7"]);
        found.remove("departed");
        assert_eq!(ask(&found, 3).len(), 2);
    }

    #[test]
    fn a_path_with_any_letter_becomes_a_uri() {
        assert_eq!(uri_path("/tmp/a b?#%é"), "/tmp/a%20b%3F%23%25%C3%A9");
    }
}
