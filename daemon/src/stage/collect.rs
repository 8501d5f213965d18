//! The stage collect.
