//! D2 `manifes-haji`: kloter after kloter, with its officers, and between them the pilgrims of special organisers. The season lies
//! where the moon puts it; its people travel beside those of the umrah, and D4 does not speak of them.

use std::ops::ControlFlow;

use super::agency::{self, Agency};
use super::day::{Day, Moment};
use super::dice::{Dice, Purpose};
use super::plan::Plan;
use super::row::Row;
use super::traveller::Person;
use super::umrah::Put;

/// Rows of a kloter: 383 pilgrims and 5 officers.
const KLOTER: u64 = 388;
const OFFICERS: u64 = 5;
/// Rows of a kloter and of the special pilgrims after it: 8 in 100 of all.
const BLOCK: u64 = KLOTER + 37;
/// Kloter that leave on one day.
const KLOTER_PER_DAY: u64 = 18;
/// Kloter of one season at most: 14 points of embarkation with 150 numbers each.
const KLOTER_PER_SEASON: u64 = 14 * 150;
/// Days between the seasons: the lunar year.
const LUNAR_YEAR: i64 = 354;
/// First day of the operation in 1446 H, 2 May 2025; and that year.
const FIRST_SEASON: (Day, i64) = (Day(20_210), 1_446);
/// The pilgrims' numbers begin where no traveller of an umrah is.
const FIRST_PERSON: u64 = 6_000_000;

/// A point of embarkation: its code, its airport, hours ahead of UTC.
const EMBARKATIONS: [(&str, &str, i64); 14] = [
    ("BTJ", "BTJ", 7),
    ("KNO", "KNO", 7),
    ("BTH", "BTH", 7),
    ("PDG", "PDG", 7),
    ("PLM", "PLM", 7),
    ("JKG", "CGK", 7),
    ("JKS", "CGK", 7),
    ("KJT", "KJT", 7),
    ("SOC", "SOC", 7),
    ("SUB", "SUB", 7),
    ("BPN", "BPN", 8),
    ("BDJ", "BDJ", 8),
    ("UPG", "UPG", 8),
    ("LOP", "LOP", 8),
];

/// A kloter.
struct Kloter {
    year: i64,
    embarkation: (&'static str, &'static str, i64),
    number: u64,
    departs: Moment,
    returns: Moment,
    flight: u64,
}

impl Kloter {
    fn of(plan: &Plan, index: u64) -> Self {
        let of_season = index % KLOTER_PER_SEASON;
        let later = i64::try_from(index / KLOTER_PER_SEASON).unwrap_or(0);
        let (first, year) = FIRST_SEASON;
        // The next season whose operation begins after the exercise's first day.
        let season = (plan.from.0 - first.0).div_euclid(LUNAR_YEAR) + 1 + later;
        let place = usize::try_from(of_season % 14).unwrap_or(0);
        let embarkation = EMBARKATIONS
            .get(place)
            .copied()
            .unwrap_or(("JKG", "CGK", 7));
        let day = i64::try_from(of_season / KLOTER_PER_DAY).unwrap_or(0);
        let mut dice = Dice::of(plan.seed, Purpose::Hajj, index | 1 << 50);
        let departs = Moment {
            day: first.plus(season * LUNAR_YEAR + day),
            minute: i64::try_from(dice.below(1_440)).unwrap_or(0),
            zone: embarkation.2,
        };
        Self {
            year: year + season,
            embarkation,
            number: of_season / 14 + 1,
            departs,
            returns: Moment {
                day: departs.day.plus(40),
                zone: 3,
                ..departs
            },
            flight: of_season % 1_000,
        }
    }
}

/// D2.
pub(crate) fn manifest(plan: &Plan, rows: u64, row: &mut Row, put: Put<'_>) -> ControlFlow<()> {
    for number in 0..rows {
        let kloter = Kloter::of(plan, number / BLOCK);
        pilgrim(plan, &kloter, number, row);
        put(row)?;
    }
    ControlFlow::Continue(())
}

fn pilgrim(plan: &Plan, kloter: &Kloter, number: u64, row: &mut Row) {
    let place = number % BLOCK;
    let person = Person::of(plan.seed, FIRST_PERSON + number, kloter.departs.day);
    let mut dice = Dice::of(plan.seed, Purpose::Hajj, number);
    row.clear();
    row.number(u64::try_from(kloter.year).unwrap_or(0));
    row.coded("99", number % 100_000_000, 8);
    if place < KLOTER {
        let is_officer = place >= KLOTER - OFFICERS;
        row.text(if is_officer { "PETUGAS" } else { "REGULER" });
        row.text(kloter.embarkation.0).number(kloter.number);
        row.number(place / 40 + 1).number(place / 10 + 1).nothing();
    } else {
        let licence = Agency::of(plan.seed, agency::PPIU + dice.below(agency::PIHK));
        row.text("KHUSUS").nothing().nothing().nothing().nothing();
        row.text(&licence.key());
    }
    row.text(&person.name(" ")).coded("Z", person.passport, 7);
    row.text("IDN").day(person.born).text(person.sex());
    match person.nik() {
        Some(nik) => row.number(nik),
        None => row.nothing(),
    };
    row.text(if dice.happens(20) {
        "MUJAMALAH"
    } else {
        "HAJI"
    });
    row.coded("", number % 100_000_000, 10);
    row.coded("ZZ7", kloter.flight, 3)
        .text(kloter.embarkation.1);
    row.text(if kloter.number.is_multiple_of(2) {
        "JED"
    } else {
        "MED"
    });
    row.moment(kloter.departs).moment(kloter.returns);
    row.text(if dice.happens(8) {
        "BATAL"
    } else {
        "TERDAFTAR"
    });
}
