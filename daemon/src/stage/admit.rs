//! The stage admit.
