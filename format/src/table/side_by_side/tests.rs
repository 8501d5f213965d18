//! Tables of many blocks, damaged anywhere: on several threads the outcome is that of one, to the last row number and the last
//! error. The one thread is what all other tests of tables hold.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Write as _};

use super::super::check::{Checked, check, check_on};
use super::super::limits::{BLOCK_BYTES, ROW_BYTES_MAX, STRETCH_ROWS_MAX};
use super::super::schema::Schema;
use super::super::sorter::Memory;
use super::super::{Dialect, Fault};
use super::*;

const SCHEMA: &[u8] = br#"{"fields": [
    {"name": "nomor", "type": "string", "constraints": {"pattern": "^[A-Z]\\d{7}$"}},
    {"name": "nik", "type": "string"},
    {"name": "nama", "type": "string", "constraints": {"maxLength": 40}},
    {"name": "biaya", "type": "number"},
    {"name": "ketua", "type": "string"}],
    "primaryKey": "nomor", "foreignKeys": [{"fields": "ketua", "reference": {"fields": "nomor"}}],
    "amanah": {"rules": [{"name": "berbayar", "level": "warning",
        "when": {"field": "nama", "in": ["GRATIS"]}, "required": ["biaya"]}],
      "totals": ["biaya", "nomor"]}}"#;
/// Rows of about 70 bytes: three blocks and a part of one. All of it is shorter than the longest row.
const ROWS: usize = 3 * BLOCK_BYTES / 70 + 100;

const STRETCH: usize = 4_096;

fn nth(place: usize) -> u64 {
    u64::try_from(place).unwrap()
}

fn row(number: usize) -> String {
    let nik = 9_901_011_204_860_001_u64 + nth(number);
    format!("Z{number:07},{nik},NAMA {number:024},{number}.25,Z{number:07}\n")
}

fn table() -> Vec<String> {
    let header = std::iter::once("nomor,nik,nama,biaya,ketua\n".to_owned());
    header.chain((0..ROWS).map(row)).collect()
}

/// A table, and where reading it fails.
struct Torn<'a> {
    bytes: &'a [u8],
    fails: bool,
}

impl Read for Torn<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.bytes.read(into)? {
            0 if self.fails => Err(io::Error::other("torn")),
            read => Ok(read),
        }
    }
}

/// The rows that it was given, in their order; it takes so many.
struct Seen(DefaultHasher, u64);

impl RowSink for Seen {
    fn row(&mut self, number: u64, values: &[Value<'_>]) -> io::Result<()> {
        if number > self.1 {
            return Err(io::Error::other(format!("row {number}")));
        }
        number.hash(&mut self.0);
        format!("{values:?}").hash(&mut self.0);
        Ok(())
    }
}

/// On one thread and on several; the errors as their texts.
fn both(bytes: &[u8], fails: bool) -> Result<Checked, String> {
    both_into(bytes, fails, u64::MAX)
}

fn both_into(bytes: &[u8], fails: bool, most: u64) -> Result<Checked, String> {
    let schema = Schema::parse(SCHEMA).unwrap();
    let plan = Plan {
        schema: &schema,
        dialect: Dialect::Csv,
        rows_max: None,
        totals: schema.totals(),
        key: [9; 16],
    };
    let told = |checked: io::Result<Checked>| checked.map_err(|error| error.to_string());
    let on = |threads: usize| {
        let (mut content, mut memory) = (Torn { bytes, fails }, Memory::default());
        let mut seen = Seen(DefaultHasher::new(), most);
        let checked = match threads {
            0 => check(&mut content, &plan, &mut memory, &mut seen),
            _ => check_on(threads, &mut content, &plan, &mut memory, Some(&mut seen)),
        };
        (told(checked), seen.0.finish())
    };
    let (alone, rows) = on(0);
    for threads in [1, 2, 5] {
        let beside = on(threads);
        assert_eq!(beside, (alone.clone(), rows), "on {threads} threads");
        let (mut content, mut memory) = (Torn { bytes, fails }, Memory::default());
        if most == u64::MAX {
            let unseen = check_on(threads, &mut content, &plan, &mut memory, None);
            assert_eq!(
                told(unseen),
                alone,
                "on {threads} threads, nobody takes its rows"
            );
        }
    }
    alone
}

fn faults(bytes: &[u8]) -> Vec<(Fault, u64, Vec<u64>)> {
    let checked = both(bytes, false).unwrap();
    let found = checked.report.findings().iter();
    found
        .map(|finding| (finding.fault, finding.count, finding.first_rows.clone()))
        .collect()
}

#[test]
fn a_sound_table_of_many_blocks_has_the_same_counts_and_totals() {
    let checked = both(table().concat().as_bytes(), false).unwrap();
    assert!(checked.report.is_sound(), "{:?}", checked.report);
    assert_eq!(checked.rows, nth(ROWS));
    assert_eq!(checked.totals.len(), 2);
    // Without the last line end too, with those of Windows, and quoted.
    let text = table().concat();
    for other in [
        text.trim_end().to_owned(),
        text.replace('\n', "\r\n"),
        text.replace("NAMA ", "\"NAMA\n\"\"")
            .replace(".25,", "\",0.25,")
            .replace("0000\"\",", "0000\","),
    ] {
        both(other.as_bytes(), false).unwrap();
    }
}

#[test]
fn what_is_wrong_is_found_where_it_is() {
    let wrong = [
        ("=A1,1,x,1,\n", Fault::Formula),
        ("Z0000000,1,x,1\n", Fault::CellCount),
        ("\n", Fault::BlankRow),
        ("Z9999997,1,x,satu,\n", Fault::Type),
        ("Z9999998,1,GRATIS,,\n", Fault::Rule),
        ("Z9999999,1,x,1,Z9999990\n", Fault::ForeignKey),
    ];
    // At the start, across the end of a stretch, at the end.
    for place in [0, STRETCH - 3, ROWS - wrong.len()] {
        let mut rows = table();
        for (row, (damaged, _)) in rows.iter_mut().skip(place + 1).zip(wrong) {
            damaged.clone_into(row);
        }
        let found = faults(rows.concat().as_bytes());
        for (row, (_, fault)) in (1..).zip(wrong) {
            let here = (fault, 1, vec![nth(place) + row]);
            assert!(found.contains(&here), "{here:?}: {found:?}");
        }
        // Doubles in other blocks than the first of them.
        let mut rows = table();
        rows[ROWS] = row(place);
        let double = (Fault::PrimaryKey, 1, vec![nth(ROWS)]);
        assert!(faults(rows.concat().as_bytes()).contains(&double));
    }
    let every = table().concat().replace("NAMA", "=NAMA");
    assert_eq!(
        faults(every.as_bytes()),
        [(Fault::Formula, nth(ROWS), vec![1, 2, 3, 4, 5])]
    );
}

#[test]
fn nothing_after_what_cannot_be_read_counts() {
    let long = format!("Z0000000,{}", "x".repeat(ROW_BYTES_MAX));
    for place in [0, 4_000, ROWS - 1] {
        for (damaged, fault) in [
            ("Z0000000,1,x\rx,1,\n", Fault::LineEnds),
            ("Z0000000,1,x\"x\",1,\n", Fault::Quotes),
            ("Z0000000,1,\"x,1,\n", Fault::Quotes),
            (long.as_str(), Fault::RowTooLong),
        ] {
            let mut rows = table();
            rows[place + 1] = damaged.to_owned();
            // Wrong as well, but never read.
            rows.push("\n".to_owned());
            let text = rows.concat();
            let found = faults(text.as_bytes());
            let here = (fault, 1, vec![nth(place) + 1]);
            assert!(found.contains(&here), "{fault:?} at {place}: {found:?}");
            assert!(
                found.iter().all(|(fault, ..)| *fault != Fault::BlankRow),
                "{found:?}"
            );
        }
    }
}

#[test]
fn a_reader_that_fails_is_an_error_unless_the_table_ended_before() {
    let text = table().concat();
    for length in [0, 10, 300, BLOCK_BYTES, text.len()] {
        let torn = both(&text.as_bytes()[..length], true);
        assert_eq!(torn.unwrap_err(), "torn", "{length}");
    }
    let mut broken = text.into_bytes();
    broken.splice(1_000..1_001, *b"\"");
    both(&broken, true).unwrap_err();
    let mut broken = table();
    broken[50] = "Z0000000,1,x\rx,1,\n".to_owned();
    let checked = both(broken.concat().as_bytes(), true);
    assert_eq!(checked.unwrap().rows, 50);
}

#[test]
fn a_row_that_is_not_taken_ends_it_with_the_word_of_who_did_not() {
    let text = table().concat();
    for most in [0, 77, nth(STRETCH), nth(ROWS - 1)] {
        let said = both_into(text.as_bytes(), false, most);
        assert_eq!(said.unwrap_err(), format!("row {}", most + 1));
    }
    // Nothing is handed on after what refuses the table.
    let mut rows = table();
    rows[51] = "\n".to_owned();
    assert_eq!(
        both_into(rows.concat().as_bytes(), false, 50).unwrap().rows,
        nth(ROWS)
    );
}

#[test]
fn many_short_rows_are_many_stretches() {
    let mut text = b"nomor,nik,nama,biaya,ketua\n".to_vec();
    assert_eq!(STRETCH_ROWS_MAX, nth(STRETCH));
    for _ in 0..3 * STRETCH + 7 {
        text.write_all(b"\n").unwrap();
    }
    assert_eq!(
        faults(&text),
        [(Fault::BlankRow, nth(3 * STRETCH + 7), vec![1, 2, 3, 4, 5])]
    );
}
