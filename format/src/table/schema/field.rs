//! One column of a schema: its name, which is a database column's, its type, what its values must hold to. Read from what the
//! schema's JSON says of it; what this program would not enforce is refused.

use super::super::constraint::Constraints;
use super::super::kinds::{Kind, Reader};
use super::super::limits::FIELD_NAME_BYTES_MAX;
use super::super::raw::RawField;
use super::{SchemaError, TEXT_CHARS_MAX};
use crate::document::is_plain_up_to;

/// A column.
#[derive(Debug, Clone)]
pub struct Field {
    pub(super) name: String,
    title: Option<String>,
    kind: Kind,
    pub(in crate::table) reader: Reader,
    pub(in crate::table) constraints: Constraints,
    may_end_in_zeros: bool,
}

impl Field {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What people call it, where the schema says so.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// Its type.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the parties say that its numbers of 16 and 17 digits end in zeros by themselves.
    pub(in crate::table) const fn may_end_in_zeros(&self) -> bool {
        self.may_end_in_zeros
    }

    /// Whether it may not be missing.
    #[must_use]
    pub const fn is_required(&self) -> bool {
        self.constraints.required
    }
}

pub(super) fn field(raw: &RawField) -> Result<Field, SchemaError> {
    let named = |error: SchemaError| SchemaError::in_field(&raw.name, &error.to_string());
    let is_name = raw.name.len() <= FIELD_NAME_BYTES_MAX
        && raw
            .name
            .starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && raw
            .name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_name {
        return Err(SchemaError::in_field(
            &raw.name,
            "a column's name is 1 to 63 of A-Z a-z 0-9 _, no digit first",
        ));
    }
    let texts = [
        &raw.title,
        &raw.description,
        &raw.rdf_type,
        &raw.amanah.personal,
    ];
    let plain = |text: &&Option<String>| {
        text.as_deref()
            .is_none_or(|text| is_plain_up_to(text, TEXT_CHARS_MAX))
    };
    if !texts.iter().all(plain)
        || raw
            .example
            .as_ref()
            .is_some_and(|one| one.is_array() || one.is_object())
    {
        return Err(SchemaError::in_field(
            &raw.name,
            "title, description, example and rdfType are plain texts",
        ));
    }
    let reader = Reader::of(raw).map_err(named)?;
    let constraints = Constraints::of(&raw.constraints, &reader).map_err(named)?;
    let (name, title) = (raw.name.clone(), raw.title.clone());
    let may_end_in_zeros = raw.amanah.may_end_in_zeros;
    Ok(Field {
        name,
        title,
        kind: reader.kind(),
        reader,
        constraints,
        may_end_in_zeros,
    })
}
