//! Placeholder.
//! Placeholder.
