//! `docs/refusals.md` is what the catalogue prints, and it has every code that the sources hand out: refusals, holds, reasons
//! of return, answers at the door, alarms. `UPDATE=1` writes the page anew.

use std::collections::BTreeSet;

use amanahd::catalogue::{page, refusals::explain};

use crate::tree;

const PAGE: &str = "docs/refusals.md";

/// What stands before a code in the sources of the stages and of the door.
const HANDED_OUT: [&str; 5] = ["denied(", "failure(", "Self::new(", "code: ", ".alarm("];

/// The kebab-case literals that directly follow one of the marks.
fn codes_in(source: &str) -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for mark in HANDED_OUT {
        for rest in source.split(mark).skip(1) {
            let Some(literal) = rest.trim_start().strip_prefix('"') else {
                continue;
            };
            let code = literal.split('"').next().unwrap_or_default();
            if !code.is_empty() && code.chars().all(|c| c.is_ascii_lowercase() || c == '-') {
                codes.insert(code.to_owned());
            }
        }
    }
    codes
}

/// The sources without their tests.
fn handed_out() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for file in tree::texts_ending(".rs") {
        let within = ["daemon/src/stage/", "daemon/src/transport/server/"]
            .iter()
            .chain(&["daemon/src/supervise/"])
            .any(|folder| file.path.starts_with(folder));
        if within && !file.path.contains("tests") {
            let code = file.text.split("#[cfg(test)]").next().unwrap_or_default();
            codes.extend(codes_in(code));
        }
    }
    codes
}

#[test]
fn the_page_is_what_the_catalogue_prints() {
    let path = tree::root().join(PAGE);
    let printed = page::print();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &printed).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == printed,
        "{PAGE} is out of date: run this test with UPDATE=1"
    );
}

#[test]
fn every_code_that_the_sources_hand_out_is_on_the_page() {
    let listed: BTreeSet<String> = page::codes().map(str::to_owned).collect();
    let real = handed_out();
    assert!(
        real.contains("no-space") && real.contains("damaged"),
        "{real:?}"
    );
    let missing: Vec<_> = real.difference(&listed).collect();
    assert!(missing.is_empty(), "not on the page: {missing:?}");
}

#[test]
fn no_code_is_listed_twice_and_each_is_explained() {
    let codes: Vec<_> = page::codes().collect();
    let different: BTreeSet<_> = codes.iter().collect();
    assert_eq!(different.len(), codes.len());
    for code in codes {
        assert!(explain(code).is_some(), "{code}");
        assert!(page::print().contains(&format!("\n### `{code}`\n\n- Arti: ")));
    }
}

#[test]
fn a_code_without_a_line_would_be_found() {
    let source = "denied(\n    \"new-code\", \"text\") .alarm(\"other\", failure(\"a text\") denied(code, \"x\")";
    let expected = ["new-code", "other"].map(str::to_owned);
    assert_eq!(codes_in(source), expected.into());
}
