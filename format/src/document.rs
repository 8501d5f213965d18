//! What all JSON documents share: one strict reading (RFC 8259 narrowed), `ext` and `critical`. FORMAT.md §4.
//!
//! Bytes are verified before they come here, and never re-serialised. Refused: a BOM, non-UTF-8, duplicate keys,
//! depth over the limit, fractions, exponents, `-0`, integers beyond ±(2^53-1), lone surrogates, NUL in texts,
//! trailing bytes, unknown or missing fields, another format version, an unknown name in `critical`.

use serde::de::DeserializeOwned;

/// `ext`: signed, unknown members ignored. `critical`: an unknown name refuses; version 1 knows none.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Ext(serde_json::Map<String, serde_json::Value>);

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

/// Reads a document's exact bytes (trailing spaces and line feeds are allowed after the closing brace).
///
/// # Errors
/// Names the rule broken, and where.
pub fn parse<D: Document>(bytes: &[u8]) -> Result<D, DocumentError> { todo!() }

/// Writes a document: two-space indented JSON and a line feed. What is signed is what this returned, kept as bytes.
#[must_use]
pub fn print<D: Document>(document: &D) -> Vec<u8> { todo!() }

/// Why a text is not the document that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Longer than the type allows.
    #[error("document of {found} bytes: at most {max} are read")]
    TooLong { found: u64, max: u64 },
    /// Not strict JSON.
    #[error("not strict JSON: {0}")]
    Json(String),
    /// JSON, but not of this type (unknown, missing or ill-formed field).
    #[error("not a {format} document: {reason}")]
    Shape { format: &'static str, reason: String },
    /// Another format or version.
    #[error("format is {found:?}: this program reads {expected}")]
    Format { expected: &'static str, found: String },
    /// `critical` names something unknown.
    #[error("the document demands {0:?}, which this program does not know")]
    Critical(String),
}
