//! The stage seal.
