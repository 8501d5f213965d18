//! The stage ship.
