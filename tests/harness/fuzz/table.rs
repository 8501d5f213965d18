//! The target for tables and schemas: whatever comes, the answer is a report, it does not depend on how the bytes came in, and only
//! as many rows go on as were counted.

use std::io::{self, Read};

use amanah_format::table::{Checked, Dialect, Memory, Plan, RowSink, Schema, Value, check};

/// Every type, key and kind of rule.
pub const SCHEMA: &str = r#"{"fields": [
    {"name": "a", "type": "string", "constraints": {"pattern": "[A-Z]\\d{1,7}", "required": true}},
    {"name": "b", "type": "date", "constraints": {"minimum": "1900-01-01"}},
    {"name": "c", "type": "number", "constraints": {"maximum": 1000}},
    {"name": "d", "type": "string", "constraints": {"unique": true, "maxLength": 20}}],
    "primaryKey": "a", "uniqueKeys": [["b", "c"]],
    "foreignKeys": [{"fields": "d", "reference": {"fields": "a"}}],
    "amanah": {"rules": [{"name": "r", "when": {"field": "c", "in": [1]}, "required": ["b"]}], "totals": ["c", "d"]}}"#;

/// Counts rows, and gives one byte at a time.
struct Slow<'a>(&'a [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let one = into.len().min(1);
        self.0.read(into.get_mut(..one).unwrap_or_default())
    }
}

/// Keeps what went on.
#[derive(Default, PartialEq, Debug)]
struct Kept(Vec<String>);

impl RowSink for Kept {
    fn row(&mut self, number: u64, values: &[Value<'_>]) -> io::Result<()> {
        self.0.push(format!("{number} {values:?}"));
        Ok(())
    }
}

fn checked(schema: &Schema, dialect: Dialect, content: &mut dyn Read) -> Option<(Checked, Kept)> {
    let plan = Plan {
        schema,
        dialect,
        rows_max: Some(100),
        totals: schema.totals(),
        key: [5; 16],
    };
    let mut kept = Kept::default();
    let checked = check(content, &plan, &mut Memory::default(), &mut kept);
    checked.ok().map(|checked| (checked, kept))
}

/// A schema, or a table of one.
pub fn table(bytes: &[u8]) {
    if let Ok(schema) = Schema::parse(bytes) {
        let mut empty: &[u8] = b"";
        let found = checked(&schema, Dialect::Csv, &mut empty);
        assert!(found.is_some_and(|(found, _)| !found.report.is_sound()));
    }
    let Ok(schema) = Schema::parse(SCHEMA.as_bytes()) else {
        unreachable!("the target's own schema");
    };
    for dialect in [Dialect::Csv, Dialect::JsonLines] {
        let mut whole = bytes;
        let found = checked(&schema, dialect, &mut whole);
        assert_eq!(found, checked(&schema, dialect, &mut Slow(bytes)));
        let Some((found, kept)) = found else {
            unreachable!("memory does not fail");
        };
        let rows = u64::try_from(kept.0.len()).unwrap_or(u64::MAX);
        assert!(rows <= found.rows);
        assert!(!found.report.is_sound() || rows == found.rows);
    }
}
