//! The one integration binary: what holds between the parts, and what holds for the tree as a whole.
//! Each module is named after the rule or the journey that it puts to the test.
#![cfg(test)]

mod crate_versions;
mod doc_links;
mod promises;
mod samples;
mod spool_text;
mod tidy;
mod tree;
mod unit_files;
