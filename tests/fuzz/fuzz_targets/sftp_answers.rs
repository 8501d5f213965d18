//! The target `sftp_answers` of `tests/harness/fuzz_sftp.rs`, given to libFuzzer.
//! Nothing is decided here.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| amanah_tests::fuzz::run("sftp_answers", bytes));
