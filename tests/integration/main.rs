//! The one integration binary: what holds between the parts, and what holds for the tree as a whole.
//! Each module is named after the rule or the journey that it puts to the test.
#![cfg(test)]

mod attack;
mod auditor;
mod bad_input;
mod blind_drop;
mod by_hand;
mod campaigns;
mod canary;
mod confined;
mod crash;
mod crate_versions;
mod datasets;
mod demo;
mod doc_links;
mod figures;
mod flood;
mod fuzz;
mod given_up;
mod guides;
mod held;
mod home_away;
mod hub;
mod journey;
mod keys_example;
mod lanes;
mod manual;
mod notify;
mod operation;
mod outbox;
mod past_failures;
mod postgres;
mod promises;
mod quota;
mod refusal_page;
mod restored;
mod retention;
mod rhythm;
mod roll_over;
mod samples;
mod second_verifier;
mod shell_blocks;
mod spool_text;
mod ssh_audit;
mod stick;
mod stores;
mod strange_clients;
mod tables;
mod three_users;
mod tidy;
mod tree;
mod unit_files;
mod upgrade;
mod wire;
mod witness;

/// The program that the tests start as users do.
fn program() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_BIN_EXE_amanah-under-test"))
}
