//! People who do not exist: passports of series Z, NIK of the unassigned province 99, names from invented words. What becomes of
//! each on the journey is drawn here once, and every table reads it from here.

use super::day::Day;
use super::dice::{Dice, Purpose};
use super::plan::{Group, Kind, Plan};

/// First names that nobody has.
pub(crate) const FIRST: [&str; 24] = [
    "TIRUNA", "WASKARI", "MELANGI", "SADIPRA", "KALURA", "BERINDA", "JANUKA", "RAWISTA",
    "PELINDRI", "ANDORAK", "SUVILA", "GARENTI", "MOLISTA", "DARUVE", "KINALU", "ORBANI", "TESARUM",
    "VIRANGU", "LODISMA", "NAPERTA", "ZUKARI", "HELINDO", "IMBARSO", "YUTERNA",
];
const MIDDLE: [&str; 12] = [
    "ALUNTRA", "BISKORO", "DELWANI", "ERUMPA", "FALISTU", "GONDRIL", "HARSIVA", "KUMELTI",
    "LASTUVO", "MERUNDA", "PASIGRO", "RONVELA",
];
/// Last names that nobody has.
pub(crate) const LAST: [&str; 24] = [
    "CONTOHWATI",
    "PRACOBA",
    "TELADANI",
    "MISALKAN",
    "UMPAMANA",
    "PERAGAWI",
    "REKAANTO",
    "TIRUANSYAH",
    "CONTOHADI",
    "UJICOBAR",
    "KHAYALIN",
    "ANGGAPANI",
    "MISALWAN",
    "PURAWATI",
    "REKAWAN",
    "LATIHANTO",
    "PERAGANI",
    "UPAMADI",
    "COBAWATI",
    "TELADARSO",
    "TIRUWATI",
    "ANDAIKAN",
    "SEUMPAMA",
    "CONTOHRINI",
];
/// Passports are seven digits: a factor without 2 and 5 gives every number once.
const PASSPORTS: u64 = 10_000_000;
const PASSPORT_FACTOR: u64 = 7_368_787;

/// A person, as documents have them.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) passport: u64,
    pub(crate) born: Day,
    pub(crate) is_woman: bool,
    pub(crate) words: [&'static str; 3],
    serial: u64,
    region: u64,
    nik: Nik,
}

/// How the NIK relates to the day of birth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nik {
    /// Not given.
    None,
    Fits,
    /// The birthday was corrected later; a NIK never is.
    Differs,
}

impl Person {
    /// The person of this number, grown up or not on the day `on`.
    pub(crate) fn of(seed: u64, number: u64, on: Day) -> Self {
        let mut dice = Dice::of(seed, Purpose::Person, number);
        let years = match dice.below(100) {
            0..2 => dice.below(2),
            2..8 => 2 + dice.below(16),
            8..30 => 18 + dice.below(20),
            _ => 38 + dice.below(45),
        };
        let days = 30 + years * 365 + dice.below(365);
        let middle = dice.one_of(&MIDDLE);
        let words = [
            dice.one_of(&FIRST),
            if dice.happens(600) { middle } else { "" },
            dice.one_of(&LAST),
        ];
        let nik = match dice.below(1_000) {
            0..30 => Nik::None,
            30..40 => Nik::Differs,
            _ => Nik::Fits,
        };
        Self {
            passport: (number % PASSPORTS) * PASSPORT_FACTOR % PASSPORTS,
            born: on.plus(-i64::try_from(days).unwrap_or(0)),
            is_woman: dice.happens(550),
            words,
            serial: 1 + dice.below(9_999),
            region: dice.below(79),
            nik,
        }
    }

    pub(crate) const fn sex(&self) -> &'static str {
        if self.is_woman { "P" } else { "L" }
    }

    /// The words of the name between `between`.
    pub(crate) fn name(&self, between: &str) -> String {
        let mut name = String::with_capacity(40);
        for word in self.words.iter().filter(|word| !word.is_empty()) {
            if !name.is_empty() {
                name.push_str(between);
            }
            name.push_str(word);
        }
        name
    }

    /// The name as an organiser writes it that does not look into the passport.
    pub(crate) fn other_name(&self) -> String {
        let [first, middle, last] = self.words;
        match self.serial % 4 {
            0 if !middle.is_empty() => format!("{first} {last}"),
            0 | 1 => format!(
                "{} {}",
                if self.is_woman { "HJ." } else { "H." },
                self.name(" ")
            ),
            2 => format!("M. {}", self.name(" ")),
            _ => format!("{} BIN CONTOH", self.name(" ")),
        }
    }

    /// `99 kk cc DDMMYY SSSS`, a woman's day plus 40; none for some.
    pub(crate) fn nik(&self) -> Option<u64> {
        let born = match self.nik {
            Nik::None => return None,
            Nik::Fits => self.born,
            Nik::Differs => self.born.plus(-400),
        };
        let (year, month, day) = born.civil();
        let day = if self.is_woman { day + 40 } else { day };
        let birth = u64::try_from(day * 10_000 + month * 100 + year % 100).unwrap_or(0);
        let region = 990_000 + (1 + self.region) * 100 + 1;
        Some((region * 1_000_000 + birth) * 10_000 + self.serial)
    }

    /// Whether the NIK of this person does not fit the day of birth.
    pub(crate) fn nik_differs(seed: u64, number: u64) -> bool {
        Self::of(seed, number, Day(0)).nik == Nik::Differs
    }
}

/// A traveller of an exercise: the person, and what becomes of the journey.
#[derive(Debug, Clone)]
pub(crate) struct Traveller {
    pub(crate) number: u64,
    pub(crate) person: Person,
    pub(crate) fate: Fate,
}

/// What happens to one traveller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fate {
    /// Whether a manifest names them.
    pub(crate) is_listed: bool,
    /// Registered, and stayed at home.
    pub(crate) is_cancelled: bool,
    /// Held back at the checkpoint.
    pub(crate) is_postponed: bool,
    /// Left, and has not come back.
    pub(crate) stays: bool,
    /// The manifest's name is not that of the passport.
    pub(crate) name_differs: bool,
    /// In a second organiser's manifest too.
    pub(crate) is_twice: bool,
}

impl Fate {
    /// Whether the border saw them leave.
    pub(crate) const fn departs(&self) -> bool {
        !self.is_cancelled && !self.is_postponed
    }

    /// Whether the border saw them come back.
    pub(crate) const fn comes_back(&self) -> bool {
        self.departs() && !self.stays
    }
}

impl Plan {
    /// What becomes of a traveller, without the person.
    pub(crate) fn fate(&self, group: &Group, number: u64) -> Fate {
        let mut dice = Dice::of(self.seed, Purpose::Journey, number);
        let bits = dice.bits();
        let draw = |place: u32, parts: u64| (bits >> place) % 1_024 * 1_000 < parts * 1_024;
        // With the groups that nobody listed, 22 in 100 travellers are in no manifest.
        let is_listed = group.kind != Kind::Unlisted && !draw(0, 133);
        let is_cancelled = is_listed && draw(10, 15);
        let is_postponed = !is_cancelled && draw(20, 3);
        Fate {
            is_listed,
            is_cancelled,
            is_postponed,
            stays: draw(30, 4),
            name_differs: is_listed && draw(40, 120),
            is_twice: is_listed && !is_cancelled && draw(50, 2),
        }
    }

    /// A traveller of a group.
    pub(crate) fn traveller(&self, group: &Group, number: u64) -> Traveller {
        Traveller {
            number,
            person: Person::of(self.seed, number, group.departs),
            fate: self.fate(group, number),
        }
    }

    /// Whether the group's organiser reports that its people came back: half of them do.
    pub(crate) fn reports_return(&self, group: &Group) -> bool {
        Dice::of(self.seed, Purpose::Block, group.number * 8 + 7).happens(500)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_person_is_fictitious_by_construction() {
        let on = Day(21_900);
        for number in 0..3_000 {
            let person = Person::of(9, number, on);
            assert!(person.passport < PASSPORTS && person.born < on);
            if let Some(nik) = person.nik() {
                let digits = nik.to_string();
                assert!(digits.len() == 16 && digits.starts_with("99"), "{digits}");
            }
        }
    }

    #[test]
    fn no_two_travellers_of_a_backfill_share_a_passport() {
        let passport = |number| Person::of(9, number, Day(21_900)).passport;
        let all: std::collections::HashSet<u64> = (0..200_000).map(passport).collect();
        assert_eq!(all.len(), 200_000);
    }

    #[test]
    fn a_fifth_of_the_travellers_are_in_no_manifest() {
        let plan = Plan::new(9, Day(21_900), 50_000);
        let mut unlisted = 0;
        for group in &plan.groups {
            let fates = group.travellers().map(|number| plan.fate(group, number));
            unlisted += fates.filter(|fate| !fate.is_listed).count();
        }
        assert!((10_000..12_000).contains(&unlisted), "{unlisted}");
    }
}
