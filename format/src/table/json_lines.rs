//! JSON Lines: one object a line, with each column of the schema once, in any order. Numbers are kept as the digits that were
//! written, so that no amount passes through a float. `null` is missing; a column that is left out is a fault.

use std::fmt;
use std::io;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::report::Fault;
use super::rows::{Cell, Form, Found, Lines, RowText, Step};
use super::schema::Schema;

/// Rows of a JSON Lines table.
pub(super) struct JsonRows<'a> {
    lines: Lines<'a>,
    schema: &'a Schema,
    row: RowText,
}

impl<'a> JsonRows<'a> {
    pub(super) fn new(lines: Lines<'a>, schema: &'a Schema) -> Self {
        Self {
            lines,
            schema,
            row: RowText::default(),
        }
    }

    pub(super) const fn row(&self) -> &RowText {
        &self.row
    }

    pub(super) fn next(&mut self) -> io::Result<Step> {
        self.row.clear();
        let (start, end) = match self.lines.record(false)? {
            Found::Record { start, end, .. } => (start, end),
            Found::TooLong => return Ok(Step::Broken(Fault::RowTooLong)),
            Found::Open | Found::End => return Ok(Step::End),
        };
        let Ok(line) = std::str::from_utf8(self.lines.bytes(start, end)) else {
            return Ok(Step::Faulty(Fault::Encoding));
        };
        if line.trim().is_empty() {
            return Ok(Step::Faulty(Fault::BlankRow));
        }
        let mut slots = vec![None; self.schema.fields().len()];
        let object = Object {
            schema: self.schema,
            text: &mut self.row.text,
            slots: &mut slots,
            extra: false,
        };
        let mut json = serde_json::Deserializer::from_str(line);
        let read = object
            .deserialize(&mut json)
            .and_then(|extra| json.end().map(|()| extra));
        Ok(match read {
            Err(_) => Step::Faulty(Fault::JsonLine),
            Ok(true) => Step::Faulty(Fault::ExtraColumn),
            Ok(false) => match slots.into_iter().collect::<Option<Vec<Cell>>>() {
                Some(cells) => {
                    self.row.cells = cells;
                    Step::Row
                }
                None => Step::Faulty(Fault::MissingColumn),
            },
        })
    }
}

/// One line's object, read into its slots.
struct Object<'o> {
    schema: &'o Schema,
    text: &'o mut String,
    slots: &'o mut [Option<Cell>],
    extra: bool,
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    /// Whether it has a member that is no column.
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<bool, A::Error> {
        while let Some(name) = members.next_key::<std::borrow::Cow<'de, str>>()? {
            let value: &RawValue = members.next_value()?;
            let Some(slot) = self
                .schema
                .place(&name)
                .and_then(|place| self.slots.get_mut(place))
            else {
                self.extra = true;
                continue;
            };
            if slot.is_some() {
                return Err(A::Error::custom("a name twice"));
            }
            let start = self.text.len();
            let form = append(value.get(), self.text).map_err(A::Error::custom)?;
            *slot = Some(Cell {
                form,
                start,
                end: self.text.len(),
            });
        }
        Ok(self.extra)
    }
}

/// The value's text, appended: of a string what it says, of everything else how it was written.
fn append(raw: &str, text: &mut String) -> Result<Form, serde_json::Error> {
    Ok(match raw.bytes().next() {
        Some(b'"') => {
            let said: std::borrow::Cow<'_, str> = serde_json::from_str(raw)?;
            text.push_str(&said);
            Form::Text
        }
        Some(b'n') => Form::Null,
        Some(b'[' | b'{') => Form::Nested,
        Some(b't' | b'f') => {
            text.push_str(raw);
            Form::Boolean
        }
        _ => {
            text.push_str(raw);
            Form::Number
        }
    })
}
