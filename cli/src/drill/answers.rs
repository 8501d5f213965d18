//! The answer key: what a ministry would ask of manifests, register and crossings, answered from the plan before a row is written.
//! Whoever imports the tables and asks by SQL must get these very numbers (before damage).

use std::collections::BTreeMap;

use serde::Serialize;

use super::corrections::Change;
use super::plan::{Group, Kind, Plan};
use super::row::Row;
use super::traveller::{Fate, Person};
use super::voyage::Voyage;

/// Answers about an exercise that has D1, D3 and D4.
#[derive(Debug, Default, Clone, Serialize, PartialEq, Eq)]
pub struct Answers {
    /// People whom the border let out.
    pub departed: u64,
    /// Of these: in no manifest within three days.
    pub without_manifest: u64,
    /// Of these: under a licence of the register that was not active on that day.
    pub lapsed_licence: u64,
    /// Of these: under a licence that the register does not have.
    pub unknown_licence: u64,
    /// Of these: told the name of another bureau than that of their manifest.
    pub other_bureau: u64,
    /// People held back.
    pub postponed: u64,
    /// People who came back.
    pub returned: u64,
    /// People who left and did not come back.
    pub not_returned: u64,
    /// People who came back, and whose manifest does not say so.
    pub return_not_reported: u64,
    /// People at the border whose manifest has another name than their passport.
    pub name_differs: u64,
    /// Passports in the manifests of two organisers.
    pub in_two_manifests: u64,
    /// Rows of manifests whose NIK does not fit day of birth and sex: warnings.
    pub nik_warnings: u64,
    /// Registered and cancelled.
    pub cancelled: u64,
    /// Whom a lapsed licence took out: what a finding would be made of.
    pub lapsed_groups: Vec<Lapsed>,
}

/// People who left on one flight, on one day, under one lapsed licence.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Lapsed {
    /// The licence.
    pub licence: String,
    /// The flight of the manifest.
    pub flight: String,
    /// The day of the manifest.
    pub day: String,
    /// How many.
    pub people: u64,
}

impl Answers {
    /// What the tables say once the rows of these travellers are corrected.
    pub(crate) fn of(plan: &Plan, changes: &BTreeMap<u64, Change>) -> Self {
        let mut answers = Self::default();
        let mut lapsed: BTreeMap<[String; 3], u64> = BTreeMap::new();
        for group in &plan.groups {
            let standing = plan.agency(group).standing(plan.from);
            let is_lapsed = group.kind != Kind::Unknown && standing.is_lapsed(group.departs);
            let is_reported = plan.reports_return(group);
            let before = answers.lapsed_licence;
            for number in group.travellers() {
                let fate = corrected(plan.fate(group, number), changes.get(&number));
                answers.count(fate, is_reported);
                if fate.is_listed && Person::nik_differs(plan.seed, number) {
                    answers.nik_warnings += 1 + u64::from(fate.is_twice);
                }
                if fate.departs() && fate.is_listed {
                    answers.lapsed_licence += u64::from(is_lapsed);
                    answers.unknown_licence += u64::from(group.kind == Kind::Unknown);
                    answers.other_bureau += u64::from(group.kind == Kind::Borrowed);
                }
            }
            let people = answers.lapsed_licence - before;
            if people > 0 {
                *lapsed.entry(key(plan, group)).or_default() += people;
            }
        }
        let named = |([day, flight, licence], people): ([String; 3], u64)| Lapsed {
            licence,
            flight,
            day,
            people,
        };
        answers.lapsed_groups = lapsed.into_iter().map(named).collect();
        answers
    }

    fn count(&mut self, fate: Fate, is_reported: bool) {
        let (departs, comes_back) = (fate.departs(), fate.comes_back());
        self.departed += u64::from(departs);
        self.without_manifest += u64::from(departs && !fate.is_listed);
        self.postponed += u64::from(fate.is_postponed);
        self.returned += u64::from(comes_back);
        self.not_returned += u64::from(departs && !comes_back);
        self.return_not_reported += u64::from(comes_back && fate.is_listed && !is_reported);
        self.name_differs += u64::from(fate.name_differs && !fate.is_cancelled);
        self.in_two_manifests += u64::from(fate.is_twice);
        self.cancelled += u64::from(fate.is_cancelled && fate.is_listed);
    }
}

/// A row that was replaced has the passport's name; one that was withdrawn names nobody.
fn corrected(fate: Fate, change: Option<&Change>) -> Fate {
    match change {
        None => fate,
        Some(change) => Fate {
            is_listed: *change == Change::Replaced,
            name_differs: false,
            ..fate
        },
    }
}

/// Day, flight and licence of a group, as its manifest has them.
fn key(plan: &Plan, group: &Group) -> [String; 3] {
    let mut row = Row::default();
    row.day(group.departs);
    let day = String::from_utf8_lossy(row.bytes()).into_owned();
    let voyage = Voyage::of(plan, group);
    [
        day,
        format!("ZZ{}", voyage.flight),
        plan.agency(group).key(),
    ]
}
