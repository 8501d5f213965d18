//! D4 `perlintasan`: what the border saw, by day and hour. Departures of everybody who left or was held back, and returns of those
//! who came back. What the traveller says of the bureau stands as told, in every spelling.

use std::ops::ControlFlow;

use super::day::Moment;
use super::dice::{Dice, Purpose};
use super::plan::{Group, Kind, Plan};
use super::row::Row;
use super::traveller::Traveller;
use super::umrah::Put;
use super::voyage::{Route, Voyage};

/// Which way a group passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Direction {
    Out,
    Back,
}

/// A group at a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Passage {
    day: i64,
    minute: i64,
    group: usize,
    direction: Direction,
}

/// D4, in the order of time.
pub(crate) fn crossings(plan: &Plan, row: &mut Row, put: Put<'_>) -> ControlFlow<()> {
    for passage in passages(plan) {
        let Some(group) = plan.groups.get(passage.group) else {
            continue;
        };
        let checkpoint = Checkpoint::of(plan, group, passage);
        for (place, number) in (0..).zip(group.travellers()) {
            let traveller = plan.traveller(group, number);
            let fate = traveller.fate;
            let passes = match passage.direction {
                Direction::Out => !fate.is_cancelled,
                Direction::Back => fate.comes_back(),
            };
            if passes {
                checkpoint.row(&traveller, place, row);
                put(row)?;
            }
        }
    }
    ControlFlow::Continue(())
}

fn passages(plan: &Plan) -> Vec<Passage> {
    let mut passages = Vec::with_capacity(plan.groups.len() * 2);
    for (index, group) in plan.groups.iter().enumerate() {
        let [out, back] = Voyage::of(plan, group).minutes;
        for (day, minute, direction) in [
            (group.departs, out, Direction::Out),
            (group.returns, back, Direction::Back),
        ] {
            passages.push(Passage {
                day: day.0,
                minute,
                group: index,
                direction,
            });
        }
    }
    passages.sort_unstable();
    passages
}

/// What all rows of a passage share.
struct Checkpoint<'a> {
    plan: &'a Plan,
    group: &'a Group,
    passage: Passage,
    voyage: Voyage,
    /// The bureau that the group's attributes show: its own, or another's.
    shown: String,
}

impl<'a> Checkpoint<'a> {
    fn of(plan: &'a Plan, group: &'a Group, passage: Passage) -> Self {
        let shown = if group.kind == Kind::Borrowed {
            let mut dice = Dice::of(plan.seed, Purpose::Finding, group.number);
            plan.sound_organiser(group.agency, &mut dice)
        } else {
            plan.agency(group)
        };
        Self {
            plan,
            group,
            passage,
            voyage: Voyage::of(plan, group),
            shown: shown.name(plan.seed),
        }
    }

    fn row(&self, traveller: &Traveller, place: i64, row: &mut Row) {
        let mut dice = Dice::of(self.plan.seed, Purpose::Crossing, traveller.number);
        let is_out = self.passage.direction == Direction::Out;
        let by_sea = self.voyage.route == Route::BySea;
        let person = &traveller.person;
        row.clear();
        row.coded("PL-", traveller.number * 2 + u64::from(!is_out), 16);
        row.text(if is_out { "KELUAR" } else { "MASUK" });
        row.text(if by_sea {
            "LAUT-BTC"
        } else {
            self.voyage.airport.checkpoint
        });
        row.text(if by_sea { "LAUT" } else { "UDARA" });
        row.moment(Moment {
            day: self.passage.day(),
            minute: (self.passage.minute + place).min(1_439),
            zone: self.voyage.airport.zone,
        });
        row.text(if dice.happens(350) {
            "AUTOGATE"
        } else {
            "KONTER"
        });
        row.coded("Z", person.passport, 7).text(&person.name("<"));
        row.text("IDN").day(person.born).text(person.sex());
        self.way(is_out, row);
        row.text(self.voyage.visa);
        let is_held = is_out && traveller.fate.is_postponed;
        row.text(if is_held { "TUNDA" } else { "LINTAS" });
        row.text(match (is_held, dice.happens(500)) {
            (false, _) => "",
            (true, true) => "DUGAAN_NONPROSEDURAL",
            (true, false) => "VISA_TIDAK_SESUAI;DOKUMEN_TIDAK_LENGKAP",
        });
        if is_out {
            self.told(&mut dice, row);
        } else {
            row.nothing().nothing().nothing();
        }
    }

    /// Flight, airports, final destination, transit.
    fn way(&self, is_out: bool, row: &mut Row) {
        let Voyage {
            airport, arrives, ..
        } = self.voyage;
        if self.voyage.route == Route::BySea {
            row.nothing().nothing().nothing();
        } else {
            let abroad = if self.voyage.route == Route::ByAir {
                "KUL"
            } else {
                arrives
            };
            row.coded("ZZ", self.voyage.flight, 3);
            let ends = if is_out {
                [airport.code, abroad]
            } else {
                [abroad, airport.code]
            };
            row.text(ends[0]).text(ends[1]);
        }
        row.text(if is_out { "SAU" } else { "IDN" });
        row.text(if self.voyage.route == Route::Direct {
            "TIDAK"
        } else {
            "YA"
        });
    }

    /// What the traveller says of the bureau, and what is seen.
    fn told(&self, dice: &mut Dice, row: &mut Row) {
        if self.group.kind == Kind::Borrowed {
            row.text(&self.shown)
                .nothing()
                .text("SERAGAM;KARTU_IDENTITAS;TAS_KOPER");
            return;
        }
        let is_listed = self.group.kind != Kind::Unlisted;
        row.text(if is_listed && dice.happens(600) {
            &self.shown
        } else {
            ""
        });
        if is_listed && dice.happens(300) {
            row.text(&self.plan.agency(self.group).spelled(dice));
        } else {
            row.nothing();
        }
        row.text(if is_listed && dice.happens(400) {
            "SERAGAM;TAS_KOPER"
        } else {
            ""
        });
    }
}

impl Passage {
    const fn day(&self) -> super::day::Day {
        super::day::Day(self.day)
    }
}
