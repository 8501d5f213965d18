//! JSON Lines: one object a line, with each column of the schema once, in any order. Numbers are kept as the digits that were
//! written, so that no amount passes through a float. `null` is missing; a column that is left out is a fault.

use std::collections::BTreeSet;
use std::fmt;
use std::io;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::limits::{FIELD_NAME_BYTES_MAX, FIELDS_MAX};
use super::lines::{Found, Lines};
use super::report::{Fault, Subject};
use super::rows::{Cell, Form, RowText, Step};
use super::schema::Schema;

/// Rows of a JSON Lines table.
pub(super) struct JsonRows<'a> {
    lines: Lines<'a>,
    schema: &'a Schema,
    row: RowText,
    /// The column that the fault of the row in hand is about.
    wrong: Option<String>,
    /// Columns that are not agreed and were named.
    named: BTreeSet<String>,
}

impl<'a> JsonRows<'a> {
    pub(super) fn new(lines: Lines<'a>, schema: &'a Schema) -> Self {
        Self {
            lines,
            schema,
            row: RowText::default(),
            wrong: None,
            named: BTreeSet::new(),
        }
    }

    /// What a faulty row's fault is about.
    pub(super) fn subject(&self) -> Subject {
        let column = self.wrong.clone().map(Subject::Column);
        column.unwrap_or(Subject::File)
    }

    /// The name of a member that is no column, where it may be said: beside agreed ones, formed as a column's name, and not the
    /// thousandth of them. Anything else may be a value.
    fn may_say(&mut self, name: String, beside_agreed: bool) -> Option<String> {
        let is_name = (1..=FIELD_NAME_BYTES_MAX).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name || !beside_agreed {
            return None;
        }
        if self.named.len() < 2 * FIELDS_MAX {
            self.named.insert(name.clone());
        }
        self.named.contains(&name).then_some(name)
    }

    pub(super) const fn row(&self) -> &RowText {
        &self.row
    }

    pub(super) fn next(&mut self) -> io::Result<Step> {
        self.row.clear();
        self.wrong = None;
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
            extra: None,
        };
        let mut json = serde_json::Deserializer::from_str(line);
        let read = object
            .deserialize(&mut json)
            .and_then(|extra| json.end().map(|()| extra));
        Ok(match read {
            Err(_) => Step::Faulty(Fault::JsonLine),
            Ok(Some(name)) => {
                self.wrong = self.may_say(name, slots.iter().any(Option::is_some));
                Step::Faulty(Fault::ExtraColumn)
            }
            Ok(None) => match slots.iter().position(Option::is_none) {
                None => {
                    self.row.cells = slots.into_iter().flatten().collect();
                    Step::Row
                }
                Some(place) => {
                    let field = self.schema.fields().get(place);
                    self.wrong = field.map(|field| field.name().to_owned());
                    Step::Faulty(Fault::MissingColumn)
                }
            },
        })
    }
}

/// One line's object, read into its slots.
struct Object<'o> {
    schema: &'o Schema,
    text: &'o mut String,
    slots: &'o mut [Option<Cell>],
    /// The first member that is no column.
    extra: Option<String>,
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    /// A member that is no column, if it has one.
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Self::Value, A::Error> {
        while let Some(name) = members.next_key::<std::borrow::Cow<'de, str>>()? {
            let value: &RawValue = members.next_value()?;
            let Some(slot) = self
                .schema
                .place(&name)
                .and_then(|place| self.slots.get_mut(place))
            else {
                if self.extra.is_none() {
                    self.extra = Some(name.into_owned());
                }
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
