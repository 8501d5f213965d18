//! Names of columns to their places: of keys, of foreign keys, of rules. A name that is no column's is refused, and so is a resource
//! that is more than a plain name: nothing remote is ever read.

use std::collections::HashSet;

use super::super::kinds::Kind;
use super::super::limits::KEY_FIELDS_MAX;
use super::super::raw::{Names, RawForeignKey};
use super::{Field, ForeignKey, SchemaError};

/// Names to places.
pub(super) struct Places<'a>(pub(super) &'a [Field]);

impl Places<'_> {
    pub(super) fn of(&self, name: &str) -> Result<usize, SchemaError> {
        place_of(self.0, name)
    }

    pub(super) fn key(&self, names: Names) -> Result<Vec<usize>, SchemaError> {
        let places = names
            .list()
            .iter()
            .map(|name| self.of(name))
            .collect::<Result<Vec<_>, _>>()?;
        let mut once = HashSet::new();
        let sound = (1..=KEY_FIELDS_MAX).contains(&places.len())
            && places.iter().all(|place| once.insert(place));
        sound
            .then_some(places)
            .ok_or_else(|| SchemaError::rule("a key has 1 to 16 columns, each once"))
    }

    pub(super) fn foreign(&self, raw: RawForeignKey) -> Result<ForeignKey, SchemaError> {
        let fields = self.key(raw.fields)?;
        let reference = raw.reference.fields.list();
        let resource = Some(raw.reference.resource).filter(|name| !name.is_empty());
        let sound =
            reference.len() == fields.len() && reference.iter().all(|name| is_slug(name, "_"));
        if !sound {
            return Err(SchemaError::rule(
                "a foreign key names as many columns there as here",
            ));
        }
        if resource.as_deref().is_some_and(|name| !is_slug(name, "-_")) {
            return Err(SchemaError::rule(
                "a foreign key names another dataset by its plain name; nothing remote is read",
            ));
        }
        if resource.is_none() {
            let kinds = |places: &[usize]| -> Vec<Option<Kind>> {
                places
                    .iter()
                    .map(|place| self.0.get(*place).map(Field::kind))
                    .collect()
            };
            let there = reference
                .iter()
                .map(|name| self.of(name))
                .collect::<Result<Vec<_>, _>>()?;
            if kinds(&there) != kinds(&fields) {
                return Err(SchemaError::rule(
                    "a foreign key's columns have one type here and there",
                ));
            }
        }
        Ok(ForeignKey {
            fields,
            resource,
            reference,
        })
    }
}

pub(in crate::table) fn place_of(fields: &[Field], name: &str) -> Result<usize, SchemaError> {
    let place = fields.iter().position(|field| field.name() == name);
    place.ok_or_else(|| SchemaError::in_field(name, "there is no such column"))
}

/// Up to 64 of letters, digits and `marks`.
pub(in crate::table) fn is_slug(text: &str, marks: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || marks.contains(c))
}
