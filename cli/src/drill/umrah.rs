//! D1 `manifes-umrah` and D3 `registri-penyelenggara`: what the ministry for hajj and umrah knows of journeys before they begin.
//! A manifest's row is made here alone, also where a correction needs it once more.

use std::ops::ControlFlow;

use super::agency::Agency;
use super::day::Day;
use super::dice::{Dice, Purpose};
use super::plan::{Group, Kind, Plan};
use super::row::Row;
use super::traveller::Traveller;
use super::voyage::Voyage;

/// Takes one row; breaks when it wants no more.
pub(crate) type Put<'a> = &'a mut dyn FnMut(&mut Row) -> ControlFlow<()>;

/// What all rows of a group share.
pub(crate) struct Listing<'a> {
    plan: &'a Plan,
    group: &'a Group,
    voyage: Voyage,
    licence: String,
    organiser: String,
    reports_return: bool,
}

impl<'a> Listing<'a> {
    pub(crate) fn of(plan: &'a Plan, group: &'a Group) -> Self {
        let agency = plan.agency(group);
        Self {
            plan,
            group,
            voyage: Voyage::of(plan, group),
            licence: agency.key(),
            organiser: agency.name(plan.seed),
            reports_return: plan.reports_return(group),
        }
    }

    fn status(&self, traveller: &Traveller) -> &'static str {
        let fate = traveller.fate;
        if fate.is_cancelled {
            "BATAL"
        } else if fate.is_postponed {
            "TERDAFTAR"
        } else if self.reports_return && fate.comes_back() {
            "PULANG"
        } else {
            "BERANGKAT"
        }
    }

    /// The row of a traveller, under the name that the organiser wrote or that of the passport.
    pub(crate) fn row(&self, traveller: &Traveller, name: &str, row: &mut Row) {
        row.clear();
        row.coded("UJI-", traveller.number + 1, 9);
        row.text(&self.licence).text(&self.organiser);
        row.coded("ROM-", self.group.number + 1, 6);
        self.person(traveller, name, self.group.departs, row);
        row.text(self.status(traveller));
    }

    /// The same person in the manifest of another organiser, a day later.
    fn second_row(&self, traveller: &Traveller, row: &mut Row) {
        let mut dice = Dice::of(self.plan.seed, Purpose::Crossing, traveller.number);
        let other = self.plan.sound_organiser(self.group.agency, &mut dice);
        row.clear();
        row.coded("UJI-G", traveller.number + 1, 9);
        row.text(&other.key()).text(&other.name(self.plan.seed));
        row.coded("ROM-G", self.group.number + 1, 6);
        let name = traveller.person.name(" ");
        self.person(traveller, &name, self.group.departs.plus(1), row);
        row.text("TERDAFTAR");
    }

    fn person(&self, traveller: &Traveller, name: &str, departs: Day, row: &mut Row) {
        let person = &traveller.person;
        row.text(name).coded("Z", person.passport, 7).text("IDN");
        row.day(person.born).text(person.sex());
        match person.nik() {
            Some(nik) => row.number(nik),
            None => row.nothing(),
        };
        row.text(self.voyage.visa);
        row.coded("", traveller.number % 100_000_000, 10);
        row.day(departs.plus(60));
        row.coded("ZZ", self.voyage.flight, 3);
        row.text(self.voyage.airport.code).text(self.voyage.arrives);
        let stay = self.group.returns.0 - self.group.departs.0;
        row.day(departs).day(departs.plus(stay));
    }
}

/// D1: everybody whom a manifest names, in the order of departure.
pub(crate) fn manifest(plan: &Plan, row: &mut Row, put: Put<'_>) -> ControlFlow<()> {
    for group in plan.groups.iter().filter(|g| g.kind != Kind::Unlisted) {
        let listing = Listing::of(plan, group);
        for number in group.travellers() {
            let traveller = plan.traveller(group, number);
            if !traveller.fate.is_listed {
                continue;
            }
            let name = if traveller.fate.name_differs {
                traveller.person.other_name()
            } else {
                traveller.person.name(" ")
            };
            listing.row(&traveller, &name, row);
            put(row)?;
            if traveller.fate.is_twice {
                listing.second_row(&traveller, row);
                put(row)?;
            }
        }
    }
    ControlFlow::Continue(())
}

/// D3: the register as it stands, one row for each licence.
pub(crate) fn register(plan: &Plan, rows: u64, row: &mut Row, put: Put<'_>) -> ControlFlow<()> {
    for number in 0..rows {
        licence(&Agency::of(plan.seed, number), plan, row);
        put(row)?;
    }
    ControlFlow::Continue(())
}

fn licence(agency: &Agency, plan: &Plan, row: &mut Row) {
    let mut dice = agency.dice();
    let standing = agency.standing(plan.from);
    let year = agency.year();
    // Days from 1970 to the first of January 2017, and so many years and days on.
    let issued = Day(17_167 + i64::try_from((year - 2017) * 365 + dice.below(360)).unwrap_or(0));
    let name = agency.name(plan.seed);
    let plain = name.trim_start_matches("PT ");
    let is_good = standing.code == "AKTIF";
    row.clear();
    row.text(&agency.key()).text(&agency.spelled(&mut dice));
    row.text(if agency.is_pihk() { "PIHK" } else { "PPIU" });
    row.text(&name);
    if dice.happens(300) {
        row.joined(&[plain, ";", plain.trim_start_matches("CONTOH ")]);
    } else {
        row.nothing();
    }
    row.text(&agency.business_number());
    if dice.happens(700) {
        row.text(&format!("SK {} TAHUN {year}", agency.number + 1));
    } else {
        row.nothing();
    }
    row.day(issued);
    row.maybe_day(dice.happens(500).then(|| issued.plus(7_300)));
    row.text(standing.code)
        .day(if is_good { issued } else { standing.since });
    row.maybe_day(standing.until);
    if is_good {
        row.nothing();
    } else {
        let (since, ..) = standing.since.civil();
        row.text(&format!("B-{}/CONTOH/{since}", agency.number + 1));
    }
    row.coded("", 11 + agency.firm() % 84, 2);
    row.coded("KOTA CONTOH ", 1 + agency.firm() % 79, 2);
    row.text(dice.one_of(&["A", "B", "B", "C", "-"]));
    row.text(dice.one_of(&["", "ASOSIASI CONTOH", "PERKUMPULAN MISAL"]));
}
