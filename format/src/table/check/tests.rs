//! Tables sound and damaged, in both dialects: each damage is one finding, whatever its extent, and no report holds a value.
//! Every fault is provoked from both sides: the table that has it, and the one beside it that has not.

use std::fmt::Write as _;

use super::*;
use crate::refusal::Refusal;
use crate::table::{Finding, Memory};

const SCHEMA: &str = r#"{"fields": [
    {"name": "nomor", "type": "string", "constraints": {"pattern": "^[A-Z]\\d{7}$"}},
    {"name": "nik", "type": "string", "constraints": {"pattern": "^\\d{16}$"}},
    {"name": "lahir", "type": "date", "constraints": {"required": true, "minimum": "1900-01-01"}},
    {"name": "jenis", "type": "string", "constraints": {"enum": ["L", "P", "-"], "required": true}},
    {"name": "nama", "type": "string", "constraints": {"maxLength": 20}},
    {"name": "biaya", "type": "number", "constraints": {"minimum": "0"}},
    {"name": "ketua", "type": "string"}],
    "primaryKey": "nomor", "uniqueKeys": [["nama", "lahir"]],
    "foreignKeys": [{"fields": "ketua", "reference": {"fields": "nomor"}}],
    "amanah": {"rules": [
        {"name": "nik-cocok", "nik": {"field": "nik", "birth": "lahir", "sex": "jenis", "female": "P"}},
        {"name": "biaya-ketua", "when": {"field": "jenis", "in": ["P"]}, "required": ["biaya"]}],
      "totals": ["biaya", "nomor"]}}"#;
const HEADER: &str = "nomor,nik,lahir,jenis,nama,biaya,ketua\n";

/// Row `n`, sound; `with` replaces one cell.
fn row(n: u32, with: Option<(usize, &str)>) -> String {
    let nik = format!("990101120486{:04}", n % 9_000 * 10 / 10 + 1);
    let mut cells = [
        format!("Z{n:07}"),
        nik,
        "1986-04-12".into(),
        "L".into(),
        format!("CONTOH {n}"),
        format!("{n}.50"),
        "Z0000001".into(),
    ];
    if let Some((place, text)) = with {
        cells[place] = text.to_owned();
    }
    cells.join(",") + "\n"
}

fn table(rows: u32, with: Option<(usize, &str)>) -> String {
    let mut text = HEADER.to_owned();
    (1..=rows).for_each(|n| text.push_str(&row(n, with)));
    text
}

fn checked_as(dialect: Dialect, bytes: &[u8], sink: &mut dyn RowSink) -> Checked {
    let schema = Schema::parse(SCHEMA.as_bytes()).unwrap();
    let plan = Plan {
        schema: &schema,
        dialect,
        rows_max: Some(50_000),
        totals: schema.totals(),
        key: [3; 16],
    };
    let (mut bytes, mut again) = (bytes, bytes);
    let checked = check(&mut bytes, &plan, &mut Memory::default(), sink).unwrap();
    // Whatever is checked here is checked side by side too.
    let same = check_on(2, &mut again, &plan, &mut Memory::default(), None);
    assert_eq!(same.unwrap(), checked, "on two threads");
    checked
}

fn checked(bytes: &[u8]) -> Checked {
    checked_as(Dialect::Csv, bytes, &mut Rows)
}

fn column(fault: Fault, name: &str, count: u64, first_rows: &[u64]) -> Finding {
    let (level, subject) = (Level::Refusal, Subject::Column(name.to_owned()));
    Finding {
        level,
        fault,
        subject,
        count,
        first_rows: first_rows.to_vec(),
    }
}

fn faults(bytes: &[u8]) -> Vec<Fault> {
    let report = checked(bytes).report;
    let found = report.findings().iter();
    found.map(|finding| finding.fault).collect()
}

/// Rows as their values' debug forms.
struct Kept(Vec<(u64, String)>);

impl RowSink for Kept {
    fn row(&mut self, number: u64, values: &[Value<'_>]) -> io::Result<()> {
        self.0.push((number, format!("{values:?}")));
        Ok(())
    }
}

#[test]
fn a_sound_table_goes_through_with_counts_and_totals() {
    let mut kept = Kept(Vec::new());
    let done = checked_as(Dialect::Csv, table(3, None).as_bytes(), &mut kept);
    assert_eq!(done.report.findings(), []);
    assert_eq!((done.rows, done.totals["biaya"].as_str()), (3, "7.5"));
    assert!(done.totals["nomor"].parse::<u128>().is_ok());
    assert_eq!(kept.0.len(), 3);
    assert!(
        kept.0[1].1.contains("Text(\"Z0000002\")"),
        "{:?}",
        kept.0[1]
    );
    // The same rows as JSON Lines have the same values and totals.
    let json = (1..=3).fold(String::new(), |mut text, n| {
        let _ = writeln!(text, r#"{{"nik":"990101120486{:04}","nomor":"Z{n:07}","lahir":"1986-04-12","jenis":"L","nama":"CONTOH {n}","biaya":{n}.50,"ketua":"Z0000001"}}"#, n + 1);
        text
    });
    let mut lines = Kept(Vec::new());
    let same = checked_as(Dialect::JsonLines, json.as_bytes(), &mut lines);
    assert_eq!((same, lines.0), (done, kept.0));
}

#[test]
fn one_wrong_column_is_one_finding_however_long_the_table() {
    let first = [1, 2, 3, 4, 5];
    for (place, text, expected) in [
        (
            1,
            "3.27E+15",
            column(Fault::ExcelExponent, "nik", 12_000, &first),
        ),
        (
            2,
            "12/04/1986",
            column(Fault::DayFirst, "lahir", 12_000, &first),
        ),
        (
            2,
            "1986-02-30",
            column(Fault::Type, "lahir", 12_000, &first),
        ),
        (2, "", column(Fault::Required, "lahir", 12_000, &first)),
        (
            2,
            "1899-12-31",
            column(Fault::Minimum, "lahir", 12_000, &first),
        ),
        (3, "X", column(Fault::Enum, "jenis", 12_000, &first)),
        (5, "1.000", column(Fault::Minimum, "biaya", 0, &[])),
        (5, "-1", column(Fault::Minimum, "biaya", 12_000, &first)),
        (5, "1e3", column(Fault::Type, "biaya", 12_000, &first)),
        (
            6,
            "Z9999999",
            column(Fault::ForeignKey, "ketua", 12_000, &first),
        ),
        (
            0,
            "Z0000001",
            column(Fault::PrimaryKey, "nomor", 11_999, &[2, 3, 4, 5, 6]),
        ),
    ] {
        let found = checked(table(12_000, Some((place, text))).as_bytes());
        let expected: Vec<Finding> = (expected.count > 0)
            .then_some(expected)
            .into_iter()
            .collect();
        assert_eq!(found.report.findings(), expected, "{text}");
        assert_eq!(found.rows, 12_000);
    }
}

#[test]
fn no_report_holds_a_value() {
    for place in 0..7 {
        let found = checked(table(40, Some((place, "=RAHASIA"))).as_bytes());
        assert!(!found.report.is_sound());
        assert!(
            !format!("{:?}", found.report).contains("RAHASIA"),
            "{found:?}"
        );
    }
    // A table without its header begins with a person.
    let found = checked(row(1, None).as_bytes());
    assert_eq!(found.report.findings()[0].fault, Fault::NoHeader);
    assert!(!format!("{:?}", found.report).contains("CONTOH"));
}

#[test]
fn formulas_are_refused_and_signed_numbers_and_agreed_values_are_not() {
    assert_eq!(
        faults(table(2, Some((4, "=cmd|' /C calc'!A0"))).as_bytes())[0],
        Fault::Formula
    );
    assert_eq!(
        faults(table(1, Some((4, "@A1"))).as_bytes()),
        [Fault::Formula]
    );
    assert_eq!(faults(table(1, Some((4, "+62 812 3456"))).as_bytes()), []);
    assert_eq!(faults(table(1, Some((3, "-"))).as_bytes()), []);
    assert_eq!(
        faults(table(1, Some((4, "\"\t=1\""))).as_bytes()),
        [Fault::Formula]
    );
}

#[test]
fn numbers_that_a_spreadsheet_rounded_refuse_a_table_and_a_single_zero_does_not() {
    let rounded = |rows: u32, every: u32| {
        let mut text = HEADER.to_owned();
        for n in 1..=rows {
            let nik = if n % every == 0 {
                "9901011204860000"
            } else {
                "9901011204860001"
            };
            text.push_str(&row(n, Some((1, nik))));
        }
        checked(text.as_bytes()).report
    };
    assert_eq!(
        rounded(40, 1).findings(),
        [column(Fault::ExcelRounded, "nik", 40, &[1, 2, 3, 4, 5])]
    );
    assert!(!rounded(40, 2).is_sound());
    assert!(rounded(4, 1).is_sound());
    assert_eq!(rounded(4, 1).findings()[0].level, Level::Warning);
    assert_eq!(rounded(1, 1).findings(), []);
    assert_eq!(rounded(1000, 10).findings(), []);
}

#[test]
fn the_header_is_exactly_the_agreed_one() {
    let body = row(1, None);
    let with = |header: &str| faults(format!("{header}\n{body}").as_bytes());
    assert_eq!(
        with("nomor,nik,lahir,jenis,nama,biaya,ketua,alamat"),
        [Fault::ExtraColumn]
    );
    assert_eq!(
        with("nomor,nik,lahir,jenis,nama,biaya"),
        [Fault::MissingColumn]
    );
    assert_eq!(
        with("nik,nomor,lahir,jenis,nama,biaya,ketua"),
        [Fault::ColumnOrder]
    );
    assert_eq!(
        with("nomor,nomor,nik,lahir,jenis,nama,biaya,ketua"),
        [Fault::ColumnTwice]
    );
    assert_eq!(
        with("NOMOR,nik,lahir,jenis,nama,biaya,ketua"),
        [Fault::ColumnSpelling]
    );
    assert_eq!(with(&HEADER.trim().replace(',', ";")), [Fault::Semicolon]);
    assert_eq!(with(&HEADER.trim().replace(',', "\t")), [Fault::Tabulator]);
    let found = checked(
        format!("nomor,alamat,nik,lahir,jenis,nama,biaya,ketua,telepon\n{body}").as_bytes(),
    );
    let named = found
        .report
        .findings()
        .iter()
        .map(|finding| finding.subject.clone());
    assert_eq!(
        named.collect::<Vec<_>>(),
        ["alamat", "telepon"].map(|name| Subject::Column(name.to_owned()))
    );
    assert_eq!(found.report.refusal(), Some(Refusal::SchemaMismatch));
}

#[test]
fn what_is_no_table_is_called_by_its_name() {
    for (bytes, fault) in [
        (&b""[..], Fault::Empty),
        (b"PK\x03\x04\x14\0\x06\0", Fault::Workbook),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Fault::OldWorkbook),
        (b"n\0o\0m\0o\0r\0,\0", Fault::Utf16),
    ] {
        assert_eq!(faults(bytes), [fault]);
    }
    let marked = [b"\xef\xbb\xbf", table(2, Some((2, ""))).as_bytes()].concat();
    assert_eq!(faults(&marked), [Fault::ByteOrderMark, Fault::Required]);
    let latin = table(9, Some((4, "JOS\u{e9}"))).into_bytes();
    let latin: Vec<u8> = String::from_utf8(latin)
        .unwrap()
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    let found = checked(&latin);
    assert_eq!(
        (
            found.report.findings().len(),
            found.report.findings()[0].count
        ),
        (1, 9)
    );
    assert_eq!(found.report.refusal(), Some(Refusal::RecordsInvalid));
}

#[test]
fn rows_of_another_shape_are_counted() {
    let bytes = format!("{}a,b\n\n,,,,,,\n{}", table(2, None), row(3, None));
    let found = checked(bytes.as_bytes());
    let counted: Vec<_> = found
        .report
        .findings()
        .iter()
        .map(|one| (one.fault, one.count, one.first_rows.clone()))
        .collect();
    assert_eq!(
        counted,
        [
            (Fault::BlankRow, 2, vec![4, 5]),
            (Fault::CellCount, 1, vec![3])
        ]
    );
    assert_eq!(found.rows, 6);
    assert_eq!(
        faults(format!("{}\"open", table(2, None)).as_bytes()),
        [Fault::Quotes]
    );
    let control = table(3, Some((4, "a\u{7}b")));
    assert_eq!(
        checked(control.as_bytes()).report.findings(),
        [column(Fault::Control, "nama", 3, &[1, 2, 3])]
    );
    let many = table(50_001, None);
    let found = checked(many.as_bytes());
    assert_eq!(found.report.refusal(), Some(Refusal::TooLarge));
}

#[test]
fn rules_across_fields_refuse_or_warn() {
    let text = format!(
        "{HEADER}{}",
        "Z0000001,9901011304860001,1986-04-12,P,A,,Z0000001\n"
    );
    let found = checked(text.as_bytes()).report;
    let said: Vec<_> = found
        .findings()
        .iter()
        .map(|one| (one.level, one.subject.clone()))
        .collect();
    let rule = |name: &str| Subject::Rule(name.to_owned());
    assert_eq!(
        said,
        [
            (Level::Refusal, rule("biaya-ketua")),
            (Level::Warning, rule("nik-cocok"))
        ]
    );
    let only_warned = text.replace(",,", ",1,");
    assert!(checked(only_warned.as_bytes()).report.is_sound());
}

#[test]
fn lines_of_json_are_exact() {
    let line = r#"{"nomor":"Z0000001","nik":null,"lahir":"1986-04-12","jenis":"L","nama":"","biaya":0.1,"ketua":null}"#;
    let of = |line: &str| {
        let found = checked_as(Dialect::JsonLines, line.as_bytes(), &mut Rows);
        found
            .report
            .findings()
            .iter()
            .map(|one| one.fault)
            .collect::<Vec<_>>()
    };
    assert_eq!(of(line), []);
    for (from, to, fault) in [
        ("0.1", "1e5", Fault::Type),
        ("0.1", "[1]", Fault::Type),
        ("0.1", "true", Fault::Type),
        ("\"L\"", "5", Fault::Type),
        ("\"nama\":\"\"", "\"alamat\":\"\"", Fault::ExtraColumn),
        (",\"nik\":null", "", Fault::MissingColumn),
        ("\"nik\":null", "\"nik\":null,\"nik\":null", Fault::JsonLine),
        ("{", "[{", Fault::JsonLine),
        ("}", "} x", Fault::JsonLine),
        ("\"nama\":\"\"", "\"nama\":\"a\\u0000b\"", Fault::Control),
    ] {
        assert_eq!(of(&line.replacen(from, to, 1)), [fault], "{to}");
    }
    assert_eq!(of(&format!("{line}\n\n")), [Fault::BlankRow]);
}

#[test]
fn a_table_cut_anywhere_is_never_taken_for_the_whole() {
    let text = table(3, None);
    let whole = checked(text.as_bytes());
    for end in 0..text.len() - 1 {
        let cut = checked(&text.as_bytes()[..end]);
        assert!(
            !cut.report.is_sound()
                || cut.rows < whole.rows
                || cut.totals != whole.totals
                || end + 2 > text.len() - 8,
            "{end}"
        );
    }
}
