//! Tests that no code is without words, and that the words are in both languages.
//! A new code without words does not compile, or fails here.

use super::*;
use crate::catalogue::note::{code_in, why};
use std::collections::BTreeSet;

fn all_codes() -> Vec<&'static str> {
    crate::catalogue::page::codes().collect()
}

#[test]
fn every_code_is_explained_in_both_languages() {
    for code in all_codes() {
        let found = explain(code).unwrap_or_else(|| panic!("{code} has no explanation"));
        for text in [found.meaning, found.remedy, found.sysadmin] {
            assert!(text.id.ends_with('.') && text.en.ends_with('.'), "{code}");
            assert_ne!(text.id, text.en, "{code}");
        }
    }
}

#[test]
fn an_unknown_code_is_not_explained() {
    for unknown in ["", "Expired", "nothing"] {
        assert_eq!(explain(unknown), None);
    }
}

#[test]
fn each_refusal_has_a_meaning_of_its_own() {
    let meanings: BTreeSet<_> = Refusal::ALL
        .iter()
        .map(|r| refusal(*r).meaning.en)
        .collect();
    assert_eq!(meanings.len(), Refusal::ALL.len());
}

#[test]
fn the_note_beside_a_returned_item_says_it_in_both_languages() {
    let time = "2026-11-22T13:32:00Z".parse().unwrap();
    let note = why("manifes 1.csv", "flow-not-agreed", time);
    for part in [
        "Dikembalikan: manifes 1.csv",
        "22 November 2026 20.32 WIB (2026-11-22T13:32:00Z)",
        "tidak tercantum dalam perjanjian",
        "has no such flow",
        "Letak kesalahan:      operator pengirim",
        "For the sysadmin:     Nothing; help the operator",
        "Kode:                 flow-not-agreed",
    ] {
        assert!(note.contains(part), "{part}");
    }
    assert_eq!(code_in(&note), Some("flow-not-agreed"));
    assert_eq!(code_in("Kode: \u{1b}[2J"), None);
    assert_eq!(code_in("no note"), None);
    let hostile = why("a\u{1b}[2J", "no-such-code", time);
    assert!(!hostile.contains('\u{1b}') && hostile.contains("no-such-code"));
}
