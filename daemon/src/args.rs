//! Command line of amanahd.
