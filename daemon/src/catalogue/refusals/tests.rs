//! Tests that no code is without words, and that the words are in both languages.

use super::*;
use crate::engine::policy::ReturnReason;
use amanah_format::slip::HeldReason;
use serde::Serialize;
use std::collections::BTreeSet;

/// The next reason in the enum's order; the compiler demands a line here for each new one.
fn after(reason: ReturnReason) -> Option<ReturnReason> {
    use ReturnReason as R;
    match reason {
        R::PeerUnknown => Some(R::FlowNotAgreed),
        R::FlowNotAgreed => Some(R::DirectionNotAgreed),
        R::DirectionNotAgreed => Some(R::AgreementNotInForce),
        R::AgreementNotInForce => Some(R::TooLarge),
        R::TooLarge => Some(R::TooManyEntries),
        R::TooManyEntries => Some(R::NotAFile),
        R::NotAFile => Some(R::Unreadable),
        R::Unreadable => Some(R::NameNotPortable),
        R::NameNotPortable => Some(R::FolderEmpty),
        R::FolderEmpty => Some(R::NoRecipientKey),
        R::NoRecipientKey | R::Refused(_) => None,
    }
}

fn after_held(reason: HeldReason) -> Option<HeldReason> {
    use HeldReason as H;
    match reason {
        H::Clock => Some(H::AgreementUnknown),
        H::AgreementUnknown => Some(H::CardUnknown),
        H::CardUnknown => Some(H::StoreMissing),
        H::StoreMissing => Some(H::SpaceMissing),
        H::SpaceMissing => Some(H::Gap),
        H::Gap => None,
    }
}

fn code(of: impl Serialize) -> String {
    serde_json::to_value(of)
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned()
}

fn all_codes() -> Vec<String> {
    let refusals = Refusal::ALL.iter().map(code);
    let reasons = std::iter::successors(Some(ReturnReason::PeerUnknown), |r| after(*r)).map(code);
    let held = std::iter::successors(Some(HeldReason::Clock), |r| after_held(*r)).map(code);
    refusals
        .chain(reasons)
        .chain(held)
        .chain(["damaged".to_owned()])
        .collect()
}

#[test]
fn every_code_is_explained_in_both_languages() {
    for code in all_codes() {
        let found = explain(&code).unwrap_or_else(|| panic!("{code} has no explanation"));
        for text in [found.meaning, found.remedy] {
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
