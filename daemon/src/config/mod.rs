//! The configuration: TOML, unknown fields refused; raw as written, checked as meant. Floor 4: nothing below sees it.
pub mod checked;
pub mod raw;
