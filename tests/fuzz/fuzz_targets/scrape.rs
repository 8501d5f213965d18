//! The target `scrape` of `tests/harness/fuzz.rs`, given to libFuzzer.
//! Nothing is decided here.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| amanah_tests::fuzz::run("scrape", bytes));
