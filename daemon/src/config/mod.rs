//! The configuration: TOML, unknown fields refused; raw as written, checked as meant, papers (cards, agreements,
//! revocations) beside it. Floor 4: nothing below sees it.

pub mod checked;
pub mod edit;
mod papers;
pub mod raw;
mod where_in;
