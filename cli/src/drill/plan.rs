//! Who travels when, and with whom: groups of an exercise, drawn once. A group takes some thirty bytes, its travellers none: they
//! are drawn again from their numbers whenever a table speaks of them. So all tables of one exercise agree.

use super::agency::{self, Agency};
use super::day::Day;
use super::dice::{Dice, Purpose};

/// Travellers of a day in the season.
pub(crate) const PER_DAY: u64 = 6_300;
/// However few travel, they do so on so many days.
const DAYS_MIN: u64 = 7;
/// Tries to find an organiser whose licence stands as wanted: a tenth of them lapse.
const TRIES: usize = 200;

/// What is particular about a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing.
    Ordinary,
    /// In no manifest: nobody's licence is known.
    Unlisted,
    /// The organiser's licence has lapsed on the day of departure.
    Lapsed,
    /// The manifest names a licence that is in no register.
    Unknown,
    /// It wears another organiser's attributes.
    Borrowed,
}

/// People who travel together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group {
    pub(crate) number: u64,
    /// The first traveller's number; the others follow.
    pub(crate) first: u64,
    pub(crate) size: u64,
    pub(crate) departs: Day,
    pub(crate) returns: Day,
    /// Number of the organiser.
    pub(crate) agency: u64,
    pub(crate) kind: Kind,
}

impl Group {
    /// Numbers of its travellers.
    pub(crate) const fn travellers(&self) -> std::ops::Range<u64> {
        self.first..self.first + self.size
    }
}

/// An exercise: seed, first day, number of travellers, and the groups in the order of their departure.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) from: Day,
    pub(crate) travellers: u64,
    pub(crate) groups: Vec<Group>,
}

impl Plan {
    /// Plans the journeys of `travellers` people, from the day `from` on.
    pub(crate) fn new(seed: u64, from: Day, travellers: u64) -> Self {
        Self::over(
            seed,
            from,
            travellers,
            travellers.div_ceil(PER_DAY).max(DAYS_MIN),
        )
    }

    /// The same over a number of days.
    pub(crate) fn over(seed: u64, from: Day, travellers: u64, days: u64) -> Self {
        let mut plan = Self {
            seed,
            from,
            travellers,
            groups: Vec::new(),
        };
        let (mut first, mut number) = (0, 0);
        while first < travellers {
            let mut dice = Dice::of(seed, Purpose::Group, number);
            let size = (10 + dice.below(36)).min(travellers - first);
            let day = u128::from(first) * u128::from(days) / u128::from(travellers);
            let departs = from.plus(i64::try_from(day).unwrap_or(0));
            let away = if dice.happens(50) { 16 } else { 9 };
            let away = away + i64::try_from(dice.below(6)).unwrap_or(0);
            let kind = kind_of(seed, number);
            plan.groups.push(Group {
                number,
                first,
                size,
                departs,
                returns: departs.plus(away),
                agency: plan.organiser(kind, departs, &mut dice),
                kind,
            });
            first += size;
            number += 1;
        }
        plan
    }

    /// Who takes the group: for a lapsed one an organiser that was not permitted on that day, otherwise one that was.
    fn organiser(&self, kind: Kind, departs: Day, dice: &mut Dice) -> u64 {
        if kind == Kind::Unknown {
            return agency::UNKNOWN + dice.below(50);
        }
        let fits = |number: u64| {
            let standing = Agency::of(self.seed, number).standing(self.from);
            standing.is_lapsed(departs) == (kind == Kind::Lapsed)
        };
        let mut number = dice.below(agency::PPIU);
        for _ in 0..TRIES {
            if fits(number) {
                break;
            }
            number = dice.below(agency::PPIU);
        }
        number
    }

    /// An organiser in good standing all the time, other than `but`.
    pub(crate) fn sound_organiser(&self, but: u64, dice: &mut Dice) -> Agency {
        for _ in 0..TRIES {
            let agency = Agency::of(self.seed, dice.below(agency::PPIU));
            if agency.number != but && agency.standing(self.from).code == "AKTIF" {
                return agency;
            }
        }
        Agency::of(self.seed, but)
    }

    /// The group's organiser.
    pub(crate) fn agency(&self, group: &Group) -> Agency {
        Agency::of(self.seed, group.agency)
    }
}

/// Of ten groups one is in no manifest and one travels with a lapsed licence; of forty one names an unknown licence, of fifty one
/// borrows a flag, where they are not particular already. By blocks, so that a small exercise has them too.
fn kind_of(seed: u64, number: u64) -> Kind {
    // One of the first `bound` places of the block that the group is in.
    let place = |block: u64, bound: u64, salt: u64| {
        let mut dice = Dice::of(seed, Purpose::Block, (number / block) * 8 + salt);
        dice.below(bound)
    };
    let unlisted = place(10, 10, 0);
    let lapsed = (unlisted + 1 + place(10, 9, 1)) % 10;
    match number % 10 {
        here if here == unlisted => Kind::Unlisted,
        here if here == lapsed => Kind::Lapsed,
        _ if number % 40 == place(40, 40, 2) => Kind::Unknown,
        _ if number % 50 == place(50, 50, 3) => Kind::Borrowed,
        _ => Kind::Ordinary,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_traveller_is_in_exactly_one_group() {
        let plan = Plan::new(5, Day(21_900), 10_000);
        let mut next = 0;
        for group in &plan.groups {
            assert_eq!(group.first, next);
            assert!(group.size > 0 && group.returns > group.departs);
            next += group.size;
        }
        assert_eq!(next, 10_000);
    }

    #[test]
    fn lapsed_groups_travel_with_lapsed_licences_and_no_other_does() {
        let plan = Plan::new(5, Day(21_900), 20_000);
        for group in plan.groups.iter().filter(|g| g.kind != Kind::Unknown) {
            let standing = plan.agency(group).standing(plan.from);
            assert_eq!(
                standing.is_lapsed(group.departs),
                group.kind == Kind::Lapsed
            );
        }
        let of = |kind| {
            plan.groups
                .iter()
                .filter(|group| group.kind == kind)
                .count()
        };
        let groups = plan.groups.len();
        assert!(of(Kind::Unlisted).abs_diff(groups / 10) <= 1);
        assert!(of(Kind::Lapsed).abs_diff(groups / 10) <= 1);
        assert!(of(Kind::Unknown) > 5 && of(Kind::Borrowed) > 5);
    }

    #[test]
    fn a_small_exercise_has_both_findings_already() {
        for seed in 0..50 {
            let plan = Plan::new(seed, Day(21_900), 600);
            for kind in [Kind::Unlisted, Kind::Lapsed] {
                assert!(plan.groups.iter().any(|group| group.kind == kind), "{seed}");
            }
        }
    }
}
