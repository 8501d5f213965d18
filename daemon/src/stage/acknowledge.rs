//! The stage acknowledge.
