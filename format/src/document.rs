//! What all JSON documents share: one strict reading (RFC 8259 narrowed), `ext` and `critical`. FORMAT.md §4.
//!
//! Bytes are verified before they come here, and never re-serialised. Refused: a BOM, non-UTF-8, duplicate keys,
//! depth over the limit, fractions, exponents, `-0`, integers beyond ±(2^53-1), lone surrogates, NUL in texts,
//! trailing bytes, unknown or missing fields, another format version, an unknown name in `critical`.

mod exact;
mod strict;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

/// Longest piece of a foreign text that an error message repeats, in characters.
const EXCERPT_CHARS_MAX: usize = 80;

/// `ext`: signed, unknown members ignored. `critical`: an unknown name refuses; version 1 knows none.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Ext(serde_json::Map<String, serde_json::Value>);

impl Ext {
    /// The text member of this name.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// Adds a text member, or replaces it.
    pub(crate) fn set(&mut self, name: &str, text: String) {
        self.0
            .insert(name.to_owned(), serde_json::Value::String(text));
    }
}

/// A document type: its `format` string and the length that its reader accepts.
pub trait Document: DeserializeOwned + serde::Serialize {
    /// `amanah-…/1`.
    const FORMAT: &'static str;
    /// Longest accepted text in bytes.
    const BYTES_MAX: u64;
    /// The `format` member as read.
    fn format(&self) -> &str;
    /// The `critical` member as read.
    fn critical(&self) -> &[String];
}

/// What decides whether the rest can be understood at all; read before everything else.
#[derive(serde::Deserialize)]
struct Preamble {
    format: String,
    #[serde(default)]
    critical: Vec<String>,
}

/// Reads a document's exact bytes (trailing spaces and line feeds are allowed after the closing brace).
///
/// # Errors
/// Names the rule broken, and where.
pub fn parse<D: Document>(bytes: &[u8]) -> Result<D, DocumentError> {
    let found = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if found > D::BYTES_MAX {
        let max = D::BYTES_MAX;
        return Err(DocumentError::TooLong { found, max });
    }
    strict::check(bytes).map_err(|error| DocumentError::Json(error.to_string()))?;
    let shape = |error: serde_json::Error| DocumentError::Shape {
        format: D::FORMAT,
        reason: error.to_string(),
    };
    let preamble: Preamble = exact::read(bytes).map_err(shape)?;
    if preamble.format != D::FORMAT {
        return Err(DocumentError::Format {
            expected: D::FORMAT,
            found: excerpt(&preamble.format),
        });
    }
    if let Some(unknown) = preamble.critical.first() {
        return Err(DocumentError::Critical(excerpt(unknown)));
    }
    exact::read(bytes).map_err(shape)
}

/// Writes a document: two-space indented JSON and a line feed. What is signed is what this returned, kept as bytes.
#[must_use]
pub fn print<D: Document>(document: &D) -> Vec<u8> {
    debug_assert_eq!(document.format(), D::FORMAT, "the writer's own format");
    debug_assert!(document.critical().is_empty(), "version 1 knows no name");
    let mut bytes = serde_json::to_vec_pretty(document).unwrap_or_else(|error| {
        // INVARIANT: documents are structs of texts, integers, lists and string-keyed maps; all of them have a JSON form.
        unreachable!("a document without a JSON form: {error}")
    });
    bytes.push(b'\n');
    bytes
}

/// Reads a member that may be `null` but must be there: serde alone would take a missing one for `null`.
///
/// Used as `#[serde(deserialize_with = "crate::document::nullable")]`.
///
/// # Errors
/// The value's own.
pub fn nullable<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer)
}

/// Reads a member that may be absent but not `null`, so that absence has one spelling.
///
/// Used as `#[serde(default, deserialize_with = "crate::document::present", skip_serializing_if = "Option::is_none")]`.
///
/// # Errors
/// The value's own.
pub fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Reads strict JSON that is no document of its own: a ledger's line.
pub(crate) fn parse_line<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    strict::check(bytes)?;
    exact::read(bytes)
}

/// Reads a type from a part of a document that was read already.
pub(crate) fn from_part<T: DeserializeOwned>(
    part: serde_json::Value,
) -> Result<T, serde_json::Error> {
    exact::read_part(part)
}

/// As much of a foreign text as an error message may repeat.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT_CHARS_MAX).collect()
}

/// Whether a text says something, in at most `chars_max` characters, and [shows as what it is](is_plain).
pub(crate) fn is_plain_up_to(text: &str, chars_max: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= chars_max && is_plain(text)
}

/// Whether a text shows as what it is: no control, bidirectional or zero-width characters (they could hide or
/// reorder what an officer reads before signing).
pub(crate) fn is_plain(text: &str) -> bool {
    !text.chars().any(is_hidden)
}

/// Control (Cc), bidirectional and zero-width characters.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'
            | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

/// Gives a type with `Display` and `FromStr` its `Debug` form and its JSON form: a string.
macro_rules! text_form {
    ($name:ident) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use text_form;

/// Why a text is not the document that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Longer than the type allows.
    #[error("document of {found} bytes: at most {max} are read")]
    TooLong {
        /// Its length.
        found: u64,
        /// What is read at most.
        max: u64,
    },
    /// Not strict JSON.
    #[error("not strict JSON: {0}")]
    Json(String),
    /// JSON, but not of this type (unknown, missing or ill-formed field).
    #[error("not a {format} document: {reason}")]
    Shape {
        /// The type expected.
        format: &'static str,
        /// The rule broken, and where.
        reason: String,
    },
    /// Another format or version.
    #[error("format is {found:?}: this program reads {expected}")]
    Format {
        /// The type expected.
        expected: &'static str,
        /// What it says of itself.
        found: String,
    },
    /// `critical` names something unknown.
    #[error("the document demands {0:?}, which this program does not know")]
    Critical(String),
}

#[cfg(test)]
mod tests;
