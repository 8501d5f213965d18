//! What a column's values must hold to, beside their type: checked against the type when the schema is read, so that a bound that
//! could never be compared is refused before anybody signs it.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::kinds::{Kind, Reader};
use super::limits::ENUM_VALUES_MAX;
use super::pattern::Pattern;
use super::raw::{RawConstraints, lexical};
use super::report::Fault;
use super::schema::SchemaError;
use super::value::Value;

/// Up to so many allowed texts are compared faster than hashed.
const WORDS_MAX: usize = 16;

/// The constraints of one column.
#[derive(Debug, Clone, Default)]
pub(super) struct Constraints {
    pub(super) required: bool,
    pub(super) unique: bool,
    min_length: Option<usize>,
    max_length: Option<usize>,
    bounds: Vec<Bound>,
    pattern: Option<Pattern>,
    allowed: Option<Allowed>,
}

/// One end of a range.
#[derive(Debug, Clone, Copy)]
struct Bound {
    fault: Fault,
    /// What the value's order to `limit` must not be.
    outside: Ordering,
    inclusive: bool,
    limit: Value<'static>,
}

/// The values of an `enum`.
#[derive(Debug, Clone)]
enum Allowed {
    /// Few: compared one by one.
    Words(Vec<String>),
    Texts(HashSet<String>),
    Values(Vec<Value<'static>>),
}

impl Constraints {
    pub(super) fn of(raw: &RawConstraints, reader: &Reader) -> Result<Self, SchemaError> {
        let is_text = reader.kind() == Kind::Text;
        let texts_only =
            raw.min_length.is_some() || raw.max_length.is_some() || raw.pattern.is_some();
        if texts_only && !is_text {
            return Err(SchemaError::rule(
                "minLength, maxLength and pattern are for strings",
            ));
        }
        let length = |bound: Option<u32>| bound.and_then(|bound| usize::try_from(bound).ok());
        let ends = [
            (&raw.minimum, Fault::Minimum, Ordering::Less, true),
            (&raw.maximum, Fault::Maximum, Ordering::Greater, true),
            (
                &raw.exclusive_minimum,
                Fault::Minimum,
                Ordering::Less,
                false,
            ),
            (
                &raw.exclusive_maximum,
                Fault::Maximum,
                Ordering::Greater,
                false,
            ),
        ];
        let mut bounds = Vec::new();
        for (given, fault, outside, inclusive) in ends {
            let Some(given) = given else { continue };
            let limit = constant(&lexical(given)?, reader)?;
            bounds.push(Bound {
                fault,
                outside,
                inclusive,
                limit,
            });
        }
        let pattern = raw.pattern.as_deref().map(Pattern::parse).transpose();
        Ok(Self {
            required: raw.required,
            unique: raw.unique,
            min_length: length(raw.min_length),
            max_length: length(raw.max_length),
            bounds,
            pattern: pattern.map_err(SchemaError::Rule)?,
            allowed: raw
                .values
                .as_deref()
                .map(|values| allowed(values, reader))
                .transpose()?,
        })
    }

    /// The first constraint that a value which is no text breaks.
    pub(super) fn broken(&self, value: &Value<'_>) -> Option<Fault> {
        if let Some(bound) = self.bounds.iter().find(|bound| bound.is_broken(value)) {
            return Some(bound.fault);
        }
        let mut allowed = self.allowed.iter();
        let unlisted = allowed.any(|allowed| !allowed.has(value));
        unlisted.then_some(Fault::Enum)
    }

    /// The first constraint that a text breaks.
    pub(super) fn broken_text(&self, text: &str) -> Option<Fault> {
        // Characters are counted only where the bytes do not tell: there are as many at most, and a fourth of them at least.
        if let Some(least) = self.min_length
            && text.len() / 4 < least
            && text.chars().count() < least
        {
            return Some(Fault::MinLength);
        }
        if let Some(most) = self.max_length
            && text.len() > most
            && text.chars().count() > most
        {
            return Some(Fault::MaxLength);
        }
        if self
            .pattern
            .as_ref()
            .is_some_and(|pattern| !pattern.matches(text))
        {
            return Some(Fault::Pattern);
        }
        let mut allowed = self.allowed.iter();
        let unlisted = allowed.any(|allowed| !allowed.has_text(text));
        unlisted.then_some(Fault::Enum)
    }

    /// Whether there is a closed list of values.
    pub(super) const fn is_listed(&self) -> bool {
        self.allowed.is_some()
    }

    pub(super) const fn has_pattern(&self) -> bool {
        self.pattern.is_some()
    }
}

impl Bound {
    fn is_broken(&self, value: &Value<'_>) -> bool {
        value.order(&self.limit).is_some_and(|order| {
            order == self.outside || (!self.inclusive && order == Ordering::Equal)
        })
    }
}

impl Allowed {
    fn has_text(&self, text: &str) -> bool {
        match self {
            Self::Words(words) => words.iter().any(|word| word == text),
            Self::Texts(texts) => texts.contains(text),
            Self::Values(_) => false,
        }
    }

    fn has(&self, value: &Value<'_>) -> bool {
        match self {
            Self::Words(_) | Self::Texts(_) => false,
            Self::Values(values) => values
                .iter()
                .any(|one| one.order(value) == Some(Ordering::Equal)),
        }
    }
}

/// A bound of a type that has an order.
fn constant(text: &str, reader: &Reader) -> Result<Value<'static>, SchemaError> {
    let unfit = || {
        SchemaError::rule(
            "a bound is a value of its column's own type, which has an order (no string, no boolean)",
        )
    };
    let is_ordered = !matches!(reader.kind(), Kind::Text | Kind::Boolean);
    let value = is_ordered
        .then(|| reader.read(text).and_then(owned))
        .flatten();
    value.ok_or_else(unfit)
}

/// A value that borrows nothing.
pub(super) const fn owned(value: Value<'_>) -> Option<Value<'static>> {
    Some(match value {
        Value::Missing | Value::Text(_) => return None,
        Value::Integer(one) => Value::Integer(one),
        Value::Number(one) => Value::Number(one),
        Value::Boolean(one) => Value::Boolean(one),
        Value::Date(one) => Value::Date(one),
        Value::Time(one) => Value::Time(one),
        Value::DateTime(one) => Value::DateTime(one),
        Value::Year(one) => Value::Year(one),
        Value::YearMonth(one) => Value::YearMonth(one),
    })
}

fn allowed(values: &[serde_json::Value], reader: &Reader) -> Result<Allowed, SchemaError> {
    if values.is_empty() || values.len() > ENUM_VALUES_MAX {
        return Err(SchemaError::rule("an enum lists 1 to 10,000 values"));
    }
    let texts = values.iter().map(lexical).collect::<Result<Vec<_>, _>>()?;
    if reader.kind() == Kind::Text {
        return Ok(if texts.len() <= WORDS_MAX {
            Allowed::Words(texts)
        } else {
            Allowed::Texts(texts.into_iter().collect())
        });
    }
    let read = texts.iter().map(|text| reader.read(text).and_then(owned));
    let read = read.collect::<Option<Vec<_>>>();
    read.map(Allowed::Values)
        .ok_or_else(|| SchemaError::rule("an enum's values are of its column's own type"))
}
