//! The members of a schema file as they stand in its JSON, before anything is checked. What is not listed here is refused:
//! a schema is signed by two parties, and neither may mean something by a word that the other's program passes over.

use serde::Deserialize;
use serde_json::Value;

use super::schema::SchemaError;

/// A Table Schema 2.0.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RawSchema {
    /// The profile's address: compared with the known ones, never fetched.
    #[serde(rename = "$schema")]
    pub(super) profile: Option<String>,
    pub(super) name: Option<String>,
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) fields: Vec<RawField>,
    pub(super) fields_match: Option<Names>,
    pub(super) primary_key: Option<Names>,
    #[serde(default)]
    pub(super) unique_keys: Vec<Names>,
    #[serde(default)]
    pub(super) foreign_keys: Vec<RawForeignKey>,
    pub(super) missing_values: Option<Vec<String>>,
    #[serde(default)]
    pub(super) amanah: RawExtension,
}

/// A column.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RawField {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) format: Option<String>,
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) example: Option<Value>,
    #[serde(rename = "rdfType")]
    pub(super) rdf_type: Option<String>,
    pub(super) bare_number: Option<bool>,
    pub(super) group_char: Option<String>,
    pub(super) decimal_char: Option<String>,
    pub(super) true_values: Option<Vec<String>>,
    pub(super) false_values: Option<Vec<String>>,
    #[serde(default)]
    pub(super) constraints: RawConstraints,
    #[serde(default)]
    pub(super) amanah: RawFieldExtension,
}

/// What a column's values must hold to.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RawConstraints {
    #[serde(default)]
    pub(super) required: bool,
    #[serde(default)]
    pub(super) unique: bool,
    pub(super) min_length: Option<u32>,
    pub(super) max_length: Option<u32>,
    pub(super) minimum: Option<Value>,
    pub(super) maximum: Option<Value>,
    pub(super) exclusive_minimum: Option<Value>,
    pub(super) exclusive_maximum: Option<Value>,
    pub(super) pattern: Option<String>,
    #[serde(rename = "enum")]
    pub(super) values: Option<Vec<Value>>,
}

/// A foreign key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawForeignKey {
    pub(super) fields: Names,
    pub(super) reference: RawReference,
}

/// Where a foreign key leads; without a resource, or with an empty one, into the same file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawReference {
    #[serde(default)]
    pub(super) resource: String,
    pub(super) fields: Names,
}

/// The extension: rules across fields, and the columns whose totals the parties compare.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExtension {
    #[serde(default)]
    pub(super) rules: Vec<RawRule>,
    #[serde(default)]
    pub(super) totals: Vec<String>,
}

/// The extension of a field.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFieldExtension {
    /// Class of personal data, in the parties' own word.
    pub(super) personal: Option<String>,
    /// Numbers of 16 and 17 digits that end in zeros are what they should be, and no spreadsheet's doing.
    #[serde(default)]
    pub(super) may_end_in_zeros: bool,
}

/// A rule across fields: exactly one of `compare`, `required`, `nik`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    pub(super) name: String,
    pub(super) level: Option<String>,
    pub(super) when: Option<RawWhen>,
    pub(super) compare: Option<RawCompare>,
    pub(super) required: Option<Vec<String>>,
    pub(super) nik: Option<RawNik>,
}

/// The rows for which a rule holds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWhen {
    pub(super) field: String,
    #[serde(rename = "in")]
    pub(super) values: Vec<Value>,
}

/// `left` `is` `right` (and so many `days`).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCompare {
    pub(super) left: String,
    pub(super) is: String,
    pub(super) right: String,
    pub(super) days: Option<i32>,
}

/// A NIK against date of birth and sex.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNik {
    pub(super) field: String,
    pub(super) birth: String,
    pub(super) sex: Option<String>,
    pub(super) female: Option<String>,
}

/// One name, or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Names {
    One(String),
    Many(Vec<String>),
}

impl Names {
    pub(super) fn list(self) -> Vec<String> {
        match self {
            Self::One(name) => vec![name],
            Self::Many(names) => names,
        }
    }
}

/// A bound or an allowed value as a cell would hold it.
pub(super) fn lexical(value: &Value) -> Result<String, SchemaError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(yes) => Ok(yes.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(SchemaError::rule(
            "a bound or allowed value is a text, a whole number, or true or false",
        )),
    }
}
