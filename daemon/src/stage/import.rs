//! The stage import.
