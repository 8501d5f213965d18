//! What is wrong with a table, for the person who made it: one finding for each column and rule, with a count and the first rows.
//! A report never holds a value of the table; the texts that people read are made of it elsewhere.

use std::collections::BTreeMap;

use super::limits::FIRST_ROWS_MAX;
use crate::refusal::Refusal;

/// Whether a finding refuses the table.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The table is not sent, and not imported.
    Refusal,
    /// It goes on; somebody should look.
    Warning,
}

macro_rules! faults {
    ($($(#[$doc:meta])+ $name:ident = $code:literal;)+) => {
        /// A rule that was broken. Codes are stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault {
            $($(#[$doc])+ $name,)+
        }

        impl Fault {
            /// All of them, in the order in which reports list them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The stable code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }
        }
    };
}

faults! {
    /// Nothing in it, not even a header.
    Empty = "empty";
    /// A workbook or other ZIP file, whatever its name.
    Workbook = "workbook";
    /// An old binary workbook.
    OldWorkbook = "old-workbook";
    /// Some other binary file, or a web page.
    NotText = "not-text";
    /// JSON where CSV is expected by its name.
    Json = "json";
    /// UTF-16 or UTF-32.
    Utf16 = "utf-16";
    /// A byte order mark at its start.
    ByteOrderMark = "byte-order-mark";
    /// Bytes that are no UTF-8, as Windows-1252 writes.
    Encoding = "encoding";
    /// Semicolons separate its columns.
    Semicolon = "semicolon";
    /// Tabulators separate its columns.
    Tabulator = "tabulator";
    /// Lines that end in a carriage return alone.
    LineEnds = "line-ends";
    /// Quotation marks that do not pair, or stand inside an unquoted cell. Nothing after it was read.
    Quotes = "quotes";
    /// A row longer than the limit. Nothing after it was read.
    RowTooLong = "row-too-long";
    /// The first row is not the header.
    NoHeader = "no-header";
    /// A column that the schema does not list.
    ExtraColumn = "extra-column";
    /// A column that is not there.
    MissingColumn = "missing-column";
    /// The same column twice.
    ColumnTwice = "column-twice";
    /// Agreed columns whose names differ in case, or by blanks around them.
    ColumnSpelling = "column-spelling";
    /// The right columns in another order; where one alone was moved, that one.
    ColumnOrder = "column-order";
    /// More rows than the flow allows.
    TooManyRows = "too-many-rows";
    /// A row with nothing in it.
    BlankRow = "blank-row";
    /// A row with more or fewer cells than columns.
    CellCount = "cell-count";
    /// A line that is no JSON object of plain values, each name once.
    JsonLine = "json-line";
    /// A control character.
    Control = "control-character";
    /// A text that a spreadsheet would run as a formula.
    Formula = "formula";
    /// A number that a spreadsheet wrote with an exponent.
    ExcelExponent = "excel-exponent";
    /// Numbers of 16 or 17 digits that a spreadsheet rounded to 15.
    ExcelRounded = "excel-rounded";
    /// A date with the day first.
    DayFirst = "day-first";
    /// Not of the column's type.
    Type = "type";
    /// Missing, but required.
    Required = "required";
    /// Shorter than allowed.
    MinLength = "min-length";
    /// Longer than allowed.
    MaxLength = "max-length";
    /// Less than allowed.
    Minimum = "minimum";
    /// More than allowed.
    Maximum = "maximum";
    /// Not of the agreed form.
    Pattern = "pattern";
    /// Not one of the agreed values.
    Enum = "enum";
    /// The primary key of an earlier row.
    PrimaryKey = "primary-key";
    /// A unique value, or set of values, of an earlier row.
    Unique = "unique";
    /// A reference to a row that is not there.
    ForeignKey = "foreign-key";
    /// A rule across fields.
    Rule = "rule";
    /// A total that is too large to be exact.
    Total = "total";
}

impl Fault {
    /// What a receipt says of a table that has this fault.
    #[must_use]
    pub const fn refusal(self) -> Refusal {
        match self {
            Self::TooManyRows => Refusal::TooLarge,
            Self::Empty
            | Self::Workbook
            | Self::OldWorkbook
            | Self::NotText
            | Self::Json
            | Self::Utf16
            | Self::ByteOrderMark
            | Self::Semicolon
            | Self::Tabulator
            | Self::LineEnds
            | Self::NoHeader
            | Self::ExtraColumn
            | Self::MissingColumn
            | Self::ColumnTwice
            | Self::ColumnSpelling
            | Self::ColumnOrder => Refusal::SchemaMismatch,
            Self::Encoding
            | Self::Quotes
            | Self::RowTooLong
            | Self::BlankRow
            | Self::CellCount
            | Self::JsonLine
            | Self::Control
            | Self::Formula
            | Self::ExcelExponent
            | Self::ExcelRounded
            | Self::DayFirst
            | Self::Type
            | Self::Required
            | Self::MinLength
            | Self::MaxLength
            | Self::Minimum
            | Self::Maximum
            | Self::Pattern
            | Self::Enum
            | Self::PrimaryKey
            | Self::Unique
            | Self::ForeignKey
            | Self::Rule
            | Self::Total => Refusal::RecordsInvalid,
        }
    }
}

impl serde::Serialize for Fault {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The file as a whole, or its rows.
    File,
    /// A column, by its name; of an extra one as the file spells it.
    Column(String),
    /// Columns that are a key together.
    Key(Vec<String>),
    /// A rule across fields, by its name.
    Rule(String),
}

/// One thing that is wrong, however often.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// Whether it refuses.
    pub level: Level,
    /// Which rule was broken.
    pub fault: Fault,
    /// By what.
    pub subject: Subject,
    /// In how many rows; 0 where it is no matter of rows.
    pub count: u64,
    /// The first of them: 1 is the first row after the header, or the first line of JSON.
    pub first_rows: Vec<u64>,
}

/// All findings of one table, refusals first.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// What was found.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Whether nothing refuses it.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.refusal().is_none()
    }

    /// The code of the refusal: of its form, if that is wrong; else of its rows.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        let refusing = self
            .findings
            .iter()
            .filter(|finding| finding.level == Level::Refusal);
        refusing
            .map(|finding| finding.fault.refusal())
            .min_by_key(|refusal| {
                let weight = [Refusal::SchemaMismatch, Refusal::TooLarge];
                weight
                    .iter()
                    .position(|known| known == refusal)
                    .unwrap_or(weight.len())
            })
    }
}

/// A count, and the smallest row numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) count: u64,
    rows: Vec<u64>,
}

impl Tally {
    pub(super) fn add(&mut self, row: u64) {
        self.count = self.count.saturating_add(1);
        if self.rows.len() < FIRST_ROWS_MAX || self.rows.last().is_some_and(|last| row < *last) {
            let place = self.rows.partition_point(|known| *known < row);
            self.rows.insert(place, row);
            self.rows.truncate(FIRST_ROWS_MAX);
        }
    }

    /// Takes that of the next rows, which are numbered from 1 and come after `before` others.
    pub(super) fn absorb(&mut self, next: Self, before: u64) {
        self.count = self.count.saturating_add(next.count);
        let room = FIRST_ROWS_MAX.saturating_sub(self.rows.len());
        let rows = next.rows.into_iter().take(room);
        self.rows.extend(rows.map(|row| row.saturating_add(before)));
    }
}

/// A report under way. Its size follows from the schema, not from the table.
#[derive(Debug, Default)]
pub(super) struct Draft {
    tallies: BTreeMap<(Level, Fault, Subject), Tally>,
    /// The faults of columns, by place: many rows may have them.
    columns: BTreeMap<(usize, Fault), Tally>,
}

impl Draft {
    /// No matter of rows.
    pub(super) fn note(&mut self, fault: Fault, subject: Subject) {
        self.tallies
            .entry((Level::Refusal, fault, subject))
            .or_default();
    }

    /// In one row.
    pub(super) fn row(&mut self, level: Level, fault: Fault, subject: Subject, row: u64) {
        self.tallies
            .entry((level, fault, subject))
            .or_default()
            .add(row);
    }

    /// In one cell.
    pub(super) fn cell(&mut self, column: usize, fault: Fault, row: u64) {
        self.columns.entry((column, fault)).or_default().add(row);
    }

    /// In all the rows of a tally.
    pub(super) fn rows(&mut self, level: Level, fault: Fault, subject: Subject, tally: Tally) {
        if tally.count > 0 {
            self.tallies.insert((level, fault, subject), tally);
        }
    }

    /// Takes what was found in the next rows, which are numbered from 1 and come after `before` others.
    pub(super) fn absorb(&mut self, next: Self, before: u64) {
        for (what, tally) in next.tallies {
            self.tallies.entry(what).or_default().absorb(tally, before);
        }
        for (what, tally) in next.columns {
            self.columns.entry(what).or_default().absorb(tally, before);
        }
    }

    /// Whether something refuses already.
    pub(super) fn refuses(&self) -> bool {
        !self.columns.is_empty()
            || self
                .tallies
                .keys()
                .any(|(level, ..)| *level == Level::Refusal)
    }

    pub(super) fn finish(self, name_of: impl Fn(usize) -> String) -> Report {
        let columns = self.columns.into_iter().map(|((column, fault), tally)| {
            (
                (Level::Refusal, fault, Subject::Column(name_of(column))),
                tally,
            )
        });
        // Columns in the schema's order, then what is about the file, keys and rules; refusals first.
        let mut findings: Vec<Finding> = columns
            .chain(self.tallies)
            .map(|((level, fault, subject), tally)| Finding {
                level,
                fault,
                subject,
                count: tally.count,
                first_rows: tally.rows,
            })
            .collect();
        findings.sort_by_key(|finding| {
            (
                finding.level,
                finding.fault.refusal() != Refusal::SchemaMismatch,
            )
        });
        Report { findings }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_keeps_the_first_rows_in_whatever_order_they_come() {
        let mut tally = Tally::default();
        for row in [9, 3, 7, 100, 1, 8, 2, 50] {
            tally.add(row);
        }
        assert_eq!((tally.count, tally.rows), (8, vec![1, 2, 3, 7, 8]));
    }

    #[test]
    fn one_wrong_column_is_one_finding_and_form_outweighs_rows() {
        let mut draft = Draft::default();
        for row in 1..=12_000 {
            draft.cell(4, Fault::Pattern, row);
        }
        draft.note(Fault::ColumnOrder, Subject::File);
        let report = draft.finish(|place| format!("kolom_{place}"));
        let [first, second] = report.findings() else {
            panic!("{report:?}");
        };
        assert_eq!(first.fault, Fault::ColumnOrder);
        assert_eq!(
            (second.count, second.first_rows.len()),
            (12_000, FIRST_ROWS_MAX)
        );
        assert_eq!(report.refusal(), Some(Refusal::SchemaMismatch));
        let codes: std::collections::HashSet<_> =
            Fault::ALL.iter().map(|fault| fault.code()).collect();
        assert_eq!(codes.len(), Fault::ALL.len());
    }
}
