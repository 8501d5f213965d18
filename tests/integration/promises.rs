//! SECURITY.md and tests/PAST-FAILURES.md are honest about their tests: each one that they name is there, and every promise and
//! every failure has its line. The tables are read as text and held against the names of all test functions of the tree: a promise whose test was
//! renamed away is a promise that nothing holds.

use std::collections::BTreeSet;

use crate::tree;

const SECURITY: &str = "SECURITY.md";
const PAST_FAILURES: &str = "tests/PAST-FAILURES.md";
/// How many promises there are.
const PROMISES: usize = 25;

/// The lines of the table of promises.
fn promises() -> Vec<String> {
    let text = std::fs::read_to_string(tree::root().join(SECURITY)).expect("SECURITY.md is there");
    let lines = text.lines().filter(|line| line.starts_with("| P"));
    lines.map(str::to_owned).collect()
}

/// The names of tests between backticks: sentences of four words or more.
fn named(line: &str) -> impl Iterator<Item = &str> {
    let quoted = line.split('`').skip(1).step_by(2);
    quoted.filter(|word| word.matches('_').count() > 2)
}

/// The names of the functions under a test attribute.
fn tests_in(source: &str) -> Vec<&str> {
    let mut marked = false;
    let mut tests = Vec::new();
    for line in source.lines().map(str::trim) {
        if line == "#[test]" || line.starts_with("#[tokio::test") {
            marked = true;
        } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| marked) {
            marked = false;
            tests.extend(rest.split('(').next());
        }
    }
    tests
}

/// Names in these lines that no test has.
fn missing(lines: &[String]) -> Vec<&str> {
    let sources = tree::texts_ending(".rs");
    let real: BTreeSet<&str> = sources
        .iter()
        .flat_map(|file| tests_in(&file.text))
        .collect();
    let names = lines.iter().flat_map(|line| named(line));
    names.filter(|name| !real.contains(name)).collect()
}

#[test]
fn every_test_that_holds_a_promise_is_there() {
    let promises = promises();
    let missing = missing(&promises);
    assert!(
        missing.is_empty(),
        "SECURITY.md names tests that are not there: {missing:#?}"
    );
}

#[test]
fn every_test_that_keeps_a_past_failure_shut_is_there() {
    let text = std::fs::read_to_string(tree::root().join(PAST_FAILURES)).unwrap();
    let rows = text.lines().filter(|line| {
        line.starts_with("| ") && !line.starts_with("| what happened") && !line.starts_with("| ---")
    });
    let rows: Vec<String> = rows.map(str::to_owned).collect();
    let unheld: Vec<&String> = rows.iter().filter(|row| named(row).count() == 0).collect();
    assert!(rows.len() > 40 && unheld.is_empty(), "{unheld:#?}");
    let missing = missing(&rows);
    assert!(missing.is_empty(), "tests that are not there: {missing:#?}");
}

#[test]
fn every_promise_says_what_holds_it_today() {
    let lines = promises();
    assert_eq!(lines.len(), PROMISES);
    for (number, line) in (1..).zip(&lines) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [name, _promise, today, held_by] = cells.as_slice() else {
            panic!("four cells expected: {line}");
        };
        assert_eq!(*name, format!("P{number}"));
        assert!(["held", "in part", "not yet"].contains(today), "{line}");
        let tests = named(held_by).count();
        assert_eq!(*today == "not yet", tests == 0, "{line}");
        assert_eq!(*today == "held", !held_by.contains("missing:"), "{line}");
    }
}

#[test]
fn a_name_without_a_test_is_caught() {
    let source = "#[test]\nfn it_is_there_indeed() {}\n#[tokio::test(start_paused = true)]\nasync fn it_waits_for_it() {}\nfn it_is_no_test() {}\n";
    assert_eq!(tests_in(source), ["it_is_there_indeed", "it_waits_for_it"]);
    let line = "| P1 | x | held | `it_is_there_indeed` `sshd` `openat2` |";
    assert_eq!(named(line).collect::<Vec<_>>(), ["it_is_there_indeed"]);
}
