//! The configuration: TOML, unknown fields refused; raw as written, checked as meant, papers (cards, agreements,
//! revocations) beside it. Floor 4: nothing below sees it.

pub mod cards;
pub mod checked;
pub mod edit;
pub mod judged;
mod papers;
pub mod raw;
mod where_in;

/// A TOML text as a JSON value: for documents that a person writes in an editor (an agreement's draft).
///
/// # Errors
/// The line and what is wrong there.
pub fn toml_value(text: &str) -> Result<serde_json::Value, String> {
    toml::from_str(text).map_err(|error| error.to_string())
}
