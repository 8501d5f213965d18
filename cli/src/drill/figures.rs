//! D9 `rekap`: the month's figures, counted from the same journeys as everything else.
//! No personal data: a month, a measure, an airport, a number.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::agency;
use super::day::Day;
use super::plan::{Kind, Plan};
use super::row::Row;
use super::umrah::Put;
use super::voyage::Voyage;

/// Month, measure, dimension, value.
type Key = (String, &'static str, &'static str, &'static str);

/// D9, by month.
pub(crate) fn figures(plan: &Plan, row: &mut Row, put: Put<'_>) -> ControlFlow<()> {
    for ((month, measure, dimension, value), count) in counted(plan) {
        row.clear();
        row.text(&month)
            .text(measure)
            .text(dimension)
            .text(value)
            .number(count);
        put(row)?;
    }
    ControlFlow::Continue(())
}

fn month(day: Day) -> String {
    let (year, month, _) = day.civil();
    format!("{year:04}-{month:02}")
}

fn counted(plan: &Plan) -> BTreeMap<Key, u64> {
    let mut counts: BTreeMap<Key, u64> = BTreeMap::new();
    for group in &plan.groups {
        let (out, back) = (month(group.departs), month(group.returns));
        let airport = Voyage::of(plan, group).airport.code;
        let known = group.agency < agency::UNKNOWN;
        let mut add = |month: &str, measure, times: u64| {
            let key = (month.to_owned(), measure, "NASIONAL", "SEMUA");
            *counts.entry(key).or_default() += times;
        };
        let mut left = 0;
        for fate in group.travellers().map(|number| plan.fate(group, number)) {
            let (departs, listed) = (fate.departs(), fate.is_listed);
            left += u64::from(departs);
            add(&out, "TERDAFTAR", u64::from(listed));
            add(&out, "BATAL", u64::from(fate.is_cancelled));
            add(&out, "BERANGKAT", u64::from(departs));
            add(&back, "PULANG", u64::from(fate.comes_back()));
            add(&back, "BELUM_PULANG", u64::from(departs && fate.stays));
            add(&out, "TANPA_MANIFES", u64::from(departs && !listed));
            add(&out, "TUNDA", u64::from(fate.is_postponed));
            let lapsed = departs && listed && group.kind == Kind::Lapsed;
            add(&out, "IZIN_TIDAK_AKTIF", u64::from(lapsed));
            add(
                &out,
                "IZIN_TIDAK_DIKENAL",
                u64::from(departs && listed && !known),
            );
        }
        let key = (out, "BERANGKAT", "BANDARA", airport);
        *counts.entry(key).or_default() += left;
    }
    counts
}
