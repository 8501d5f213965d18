//! A Table Schema 2.0 read from its exact bytes into what can be checked. Its digest is what an agreement pins. Everything that
//! this program would not enforce is refused here: an unknown member, a remote reference, a looser match of columns.

use std::collections::HashSet;

mod error;
mod field;
mod places;

pub use error::SchemaError;
pub use field::Field;
pub(super) use places::{is_slug, place_of};

use super::across::Rule;
use super::limits::{
    FIELDS_MAX, KEYS_MAX, MISSING_VALUES_MAX, PATTERNS_MAX, RULES_MAX, SCHEMA_BYTES_MAX,
};
use super::raw::{Names, RawField, RawSchema};
use crate::digest::Digest;
use crate::document::{is_plain, is_plain_up_to, parse_line};
use field::field;
use places::Places;

/// Longest title or description in characters.
const TEXT_CHARS_MAX: usize = 4_000;
/// The addresses by which a schema may say which standard it follows. They are compared, never fetched.
const PROFILES: [&str; 2] = [
    "https://datapackage.org/profiles/2.0/tableschema.json",
    "https://datapackage.org/profiles/1.0/tableschema.json",
];

/// A checked schema.
#[derive(Debug, Clone)]
pub struct Schema {
    digest: Digest,
    name: Option<String>,
    title: Option<String>,
    fields: Vec<Field>,
    primary_key: Vec<usize>,
    unique_keys: Vec<Vec<usize>>,
    foreign_keys: Vec<ForeignKey>,
    /// Whether an empty text is missing, as it is in nearly every schema.
    empty_is_missing: bool,
    /// Other texts that are.
    missing: Vec<String>,
    rules: Vec<Rule>,
    totals: Vec<usize>,
}

/// A foreign key: columns here, and where their values must be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// Columns, by their place.
    pub fields: Vec<usize>,
    /// Another dataset's name; none for the same file. Across datasets nothing is refused: order varies, and a match may be
    /// missing for good reason. A receiver that has both may warn.
    pub resource: Option<String>,
    /// Names of the columns there.
    pub reference: Vec<String>,
}

impl Schema {
    /// Reads a schema's exact bytes.
    ///
    /// # Errors
    /// The first rule broken, and where.
    pub fn parse(bytes: &[u8]) -> Result<Self, SchemaError> {
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > SCHEMA_BYTES_MAX {
            return Err(SchemaError::Rule(format!(
                "at most {SCHEMA_BYTES_MAX} bytes are read"
            )));
        }
        let mut raw: RawSchema =
            parse_line(bytes).map_err(|error| SchemaError::Json(error.to_string()))?;
        face(&raw)?;
        let mut fields = fields(std::mem::take(&mut raw.fields))?;
        let places = Places(&fields);
        let primary_key = raw
            .primary_key
            .take()
            .map(|names| places.key(names))
            .transpose()?
            .unwrap_or_default();
        let unique_keys = raw.unique_keys.drain(..).map(|names| places.key(names));
        let unique_keys = unique_keys.collect::<Result<Vec<_>, _>>()?;
        let foreign_keys = raw.foreign_keys.drain(..).map(|key| places.foreign(key));
        let foreign_keys = foreign_keys.collect::<Result<Vec<_>, _>>()?;
        let rules = raw
            .amanah
            .rules
            .drain(..)
            .map(|rule| Rule::parse(rule, &fields));
        let rules = rules.collect::<Result<Vec<_>, _>>()?;
        let totals = raw.amanah.totals.iter().map(|name| places.of(name));
        let totals = totals.collect::<Result<Vec<_>, _>>()?;
        let missing = raw
            .missing_values
            .take()
            .unwrap_or_else(|| vec![String::new()]);
        // What names a row is there in each row.
        for (place, field) in fields.iter_mut().enumerate() {
            field.constraints.required |= primary_key.contains(&place);
        }
        let schema = Self {
            digest: Digest::of(bytes),
            name: raw.name,
            title: raw.title,
            primary_key,
            unique_keys,
            foreign_keys,
            empty_is_missing: missing.iter().any(String::is_empty),
            missing: missing
                .into_iter()
                .filter(|text| !text.is_empty())
                .collect(),
            rules,
            totals,
            fields,
        };
        schema.bounded()?;
        Ok(schema)
    }

    fn bounded(&self) -> Result<(), SchemaError> {
        let unique = self
            .fields
            .iter()
            .filter(|field| field.constraints.unique)
            .count();
        let within = self
            .foreign_keys
            .iter()
            .filter(|key| key.resource.is_none())
            .count();
        let keys =
            unique + within + self.unique_keys.len() + usize::from(!self.primary_key.is_empty());
        let patterns = self
            .fields
            .iter()
            .filter(|field| field.constraints.has_pattern())
            .count();
        let mut names = HashSet::new();
        let mut totals = HashSet::new();
        let rules = [
            (keys <= KEYS_MAX, "at most 16 keys are checked"),
            (
                patterns <= PATTERNS_MAX,
                "at most 64 columns have a pattern",
            ),
            (
                self.rules.len() <= RULES_MAX,
                "at most 64 rules go across fields",
            ),
            (
                self.foreign_keys.len() <= KEYS_MAX,
                "at most 16 foreign keys are read",
            ),
            (
                self.rules.iter().all(|rule| names.insert(rule.name())),
                "two rules have one name",
            ),
            (
                self.totals.iter().all(|place| totals.insert(place)),
                "a total is named twice",
            ),
            (
                self.missing.len() <= MISSING_VALUES_MAX
                    && self
                        .missing
                        .iter()
                        .all(|text| text.len() <= 64 && is_plain(text)),
                "missingValues are at most 32 short texts",
            ),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, rule)) => Err(SchemaError::rule(rule)),
            None => Ok(()),
        }
    }

    /// SHA-256 of its bytes: what an agreement pins.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Its own name, where it has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Its title, where it has one.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// The columns, in their order.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The place of the column of this name.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// The columns that name a row; empty where none do.
    #[must_use]
    pub fn primary_key(&self) -> &[usize] {
        &self.primary_key
    }

    /// Sets of columns whose values are unique, `unique` columns too.
    #[must_use]
    pub fn unique_keys(&self) -> Vec<Vec<usize>> {
        let single = self
            .fields
            .iter()
            .enumerate()
            .filter(|(_, field)| field.constraints.unique);
        let single = single.map(|(place, _)| vec![place]);
        self.unique_keys.iter().cloned().chain(single).collect()
    }

    /// Foreign keys, within the file and across datasets.
    #[must_use]
    pub fn foreign_keys(&self) -> &[ForeignKey] {
        &self.foreign_keys
    }

    /// Rules across fields.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Columns of which the parties compare a total.
    #[must_use]
    pub fn totals(&self) -> &[usize] {
        &self.totals
    }

    pub(super) fn is_missing(&self, text: &str) -> bool {
        if text.is_empty() {
            return self.empty_is_missing;
        }
        self.missing.iter().any(|missing| missing == text)
    }
}

/// Two schemas are one where their bytes are.
impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Schema {}

/// What the whole says of itself.
fn face(raw: &RawSchema) -> Result<(), SchemaError> {
    let plain = |text: &Option<String>| {
        text.as_deref()
            .is_none_or(|text| is_plain_up_to(text, TEXT_CHARS_MAX))
    };
    if raw
        .profile
        .as_deref()
        .is_some_and(|profile| !PROFILES.contains(&profile))
    {
        return Err(SchemaError::rule(
            "$schema is the address of Table Schema 2.0; nothing remote is read",
        ));
    }
    if ![&raw.name, &raw.title, &raw.description]
        .into_iter()
        .all(plain)
    {
        return Err(SchemaError::rule(
            "name, title and description are plain texts",
        ));
    }
    let matches = raw.fields_match.clone().map(Names::list);
    let exact = matches.is_none_or(|list| list == ["exact"] || list == ["equal"]);
    if !exact {
        return Err(SchemaError::rule(
            "fieldsMatch is `equal` or `exact`: an agreement pins the columns and their order",
        ));
    }
    Ok(())
}

fn fields(raw: Vec<RawField>) -> Result<Vec<Field>, SchemaError> {
    if raw.is_empty() || raw.len() > FIELDS_MAX {
        return Err(SchemaError::rule("a table has 1 to 256 columns"));
    }
    let mut names = HashSet::new();
    let fields = raw
        .into_iter()
        .map(|raw| field(&raw))
        .collect::<Result<Vec<_>, _>>()?;
    match fields
        .iter()
        .find(|field| !names.insert(field.name.to_lowercase()))
    {
        // A database would take them for one.
        Some(twice) => Err(SchemaError::in_field(
            &twice.name,
            "two columns have this name (case aside)",
        )),
        None => Ok(fields),
    }
}

#[cfg(test)]
mod tests;
