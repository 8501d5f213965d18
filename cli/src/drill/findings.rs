//! D6 `temuan` and `temuan-orang`, D7 `tindak-lanjut`: one finding for each group that calls for one, its people, and what became of
//! it. They follow from the same plan as manifests and crossings, so that whoever looks there finds them.

use std::ops::ControlFlow;

use super::day::Moment;
use super::dice::{Dice, Purpose};
use super::plan::{Group, Kind, Plan};
use super::row::Row;
use super::traveller::Traveller;
use super::umrah::Put;
use super::voyage::{Route, Voyage};

/// Fewer people with another's attributes are no finding.
const BORROWED_MIN: usize = 5;

/// A finding.
struct Finding<'a> {
    plan: &'a Plan,
    number: u64,
    group: &'a Group,
    people: Vec<Traveller>,
    voyage: Voyage,
    kind: &'static str,
    rule: &'static str,
    account: &'static str,
}

/// All of them, in the order of departure.
fn findings(plan: &Plan) -> impl Iterator<Item = Finding<'_>> {
    let found = plan.groups.iter().filter_map(|group| {
        let (kind, rule, account) = match group.kind {
            Kind::Ordinary => return None,
            Kind::Unlisted => (
                "TIDAK_TERCATAT",
                "R3/1",
                "Rombongan tidak ada dalam manifes",
            ),
            Kind::Lapsed => (
                "IZIN_TIDAK_AKTIF",
                "R5/1",
                "Izin tidak aktif pada tanggal berangkat",
            ),
            Kind::Unknown => (
                "IZIN_TIDAK_DIKENAL",
                "R6/1",
                "Izin tidak ada dalam registri",
            ),
            Kind::Borrowed => ("PINJAM_BENDERA", "R8/1", "Atribut milik penyelenggara lain"),
        };
        let travellers = group.travellers().map(|n| plan.traveller(group, n));
        let counts =
            |t: &Traveller| t.fate.departs() && (t.fate.is_listed || group.kind == Kind::Unlisted);
        let people: Vec<Traveller> = travellers.filter(counts).collect();
        let least = if group.kind == Kind::Borrowed {
            BORROWED_MIN
        } else {
            1
        };
        (people.len() >= least).then(|| Finding {
            plan,
            number: 0,
            group,
            people,
            voyage: Voyage::of(plan, group),
            kind,
            rule,
            account,
        })
    });
    (1..)
        .zip(found)
        .map(|(number, finding)| Finding { number, ..finding })
}

impl Finding<'_> {
    fn id(&self, row: &mut Row) {
        let (year, ..) = self.plan.from.civil();
        let year = u64::try_from(year).unwrap_or(0);
        row.clear();
        let number = format!("IMI-{year:04}-{:06}", self.number % 1_000_000);
        row.text(&number);
    }

    fn moment(&self, days: i64, minute: i64) -> Moment {
        Moment {
            day: self.group.departs.plus(days),
            minute,
            zone: self.voyage.airport.zone,
        }
    }

    fn row(&self, row: &mut Row) {
        let by_sea = self.voyage.route == Route::BySea;
        let agency = self.plan.agency(self.group);
        self.id(row);
        row.number(1).text(self.kind);
        row.text(if self.group.kind == Kind::Unlisted {
            "SEGERA"
        } else {
            "BIASA"
        });
        row.moment(self.moment(0, self.voyage.minutes[0]));
        row.text(if by_sea {
            "LAUT-BTC"
        } else {
            self.voyage.airport.checkpoint
        });
        if by_sea {
            row.nothing();
        } else {
            row.coded("ZZ", self.voyage.flight, 3);
        }
        if self.group.kind == Kind::Unlisted {
            row.nothing().nothing().nothing();
        } else {
            row.text(&agency.name(self.plan.seed))
                .nothing()
                .text(&agency.key());
        }
        row.text(self.rule)
            .number(u64::try_from(self.people.len()).unwrap_or(0));
        row.text(if self.group.kind == Kind::Borrowed {
            "SERAGAM;KARTU_IDENTITAS;TAS_KOPER"
        } else {
            ""
        });
        row.text(self.account)
            .text("LINTAS")
            .text("Mohon diperiksa");
        row.moment(self.moment(30, 960)).text("KEPALA SEKSI CONTOH");
        row.text("TERBATAS").nothing();
    }

    fn person(&self, place: u64, traveller: &Traveller, row: &mut Row) {
        let person = &traveller.person;
        self.id(row);
        row.number(1).number(place).coded("Z", person.passport, 7);
        row.text(&person.name(" "))
            .day(person.born)
            .text(person.sex());
        row.text(self.voyage.visa).text("LINTAS");
    }

    /// What follows: taken over, verified or turned down, closed.
    fn steps(&self) -> Vec<[&'static str; 4]> {
        let mut dice = Dice::of(self.plan.seed, Purpose::Finding, self.number | 1 << 60);
        let mut steps = vec![["DITERIMA", "", "", ""]];
        if dice.happens(80) {
            steps.push(["DITOLAK", "", "", "Izin sah pada tanggal itu"]);
            return steps;
        }
        if dice.happens(800) {
            steps.push(["DIVERIFIKASI", "", "", ""]);
        }
        if dice.happens(500) {
            let code = dice.one_of(&[
                "KLARIFIKASI",
                "BAPK",
                "PEMBINAAN",
                "PERINGATAN_TERTULIS",
                "PEMBEKUAN",
                "LIMPAH_APH",
            ]);
            let class = dice.one_of(&["SESUAI", "SESUAI", "BELUM_SESUAI"]);
            steps.push(["SELESAI", code, class, ""]);
        }
        steps
    }
}

/// D6.
pub(crate) fn all(plan: &Plan, row: &mut Row, put: Put<'_>) -> ControlFlow<()> {
    for finding in findings(plan) {
        finding.row(row);
        put(row)?;
    }
    ControlFlow::Continue(())
}

/// D6, the people.
pub(crate) fn people(plan: &Plan, row: &mut Row, put: Put<'_>) -> ControlFlow<()> {
    for finding in findings(plan) {
        for (place, traveller) in (1..).zip(&finding.people) {
            finding.person(place, traveller, row);
            put(row)?;
        }
    }
    ControlFlow::Continue(())
}

/// D7.
pub(crate) fn follow_ups(plan: &Plan, row: &mut Row, put: Put<'_>) -> ControlFlow<()> {
    for finding in findings(plan) {
        for (step, [state, code, class, reason]) in (1_u64..).zip(finding.steps()) {
            finding.id(row);
            let days = i64::try_from(step * step).unwrap_or(0);
            row.number(step)
                .moment(finding.moment(days, 540))
                .text(state);
            row.text(code).text(class).text(reason);
            row.coded("B-", finding.number, 1)
                .text("KEPALA SEKSI CONTOH");
            put(row)?;
        }
    }
    ControlFlow::Continue(())
}
