//! The stage settle.
