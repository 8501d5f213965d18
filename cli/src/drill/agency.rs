//! Organisers that do not exist: `PT CONTOH …`, business numbers that begin with 00. Which licence stands how, and since when,
//! is drawn by number; a licence that was frozen on one day was good on the day before.

use super::day::Day;
use super::dice::{Dice, Purpose};

/// Umrah organisers in the register.
pub(crate) const PPIU: u64 = 2_600;
/// So many of them hold a second licence, for special hajj.
pub(crate) const PIHK: u64 = 400;
/// Rows of the register.
pub(crate) const LICENCES: u64 = PPIU + PIHK;
/// Numbers from here on are in no register.
pub(crate) const UNKNOWN: u64 = 900_000;

/// Made-up middle words of names.
const WORDS: [&str; 12] = [
    "SAFAR", "TELADAN", "MISAL", "PERAGA", "UPAMA", "COBA", "REKA", "TIRUAN", "ANGGAPAN",
    "LATIHAN", "PURAPURA", "KHAYAL",
];

/// How a licence stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// As the register writes it.
    pub(crate) code: &'static str,
    pub(crate) since: Day,
    pub(crate) until: Option<Day>,
}

impl Standing {
    /// Whether the licence was not good on this day.
    pub(crate) fn is_lapsed(&self, day: Day) -> bool {
        self.code != "AKTIF" && self.since <= day && self.until.is_none_or(|until| day <= until)
    }
}

/// An umrah organiser, or its second licence.
#[derive(Debug, Clone)]
pub(crate) struct Agency {
    /// Its place in the register, from 0; from [`UNKNOWN`] on it is not there.
    pub(crate) number: u64,
    dice: Dice,
}

impl Agency {
    pub(crate) fn of(seed: u64, number: u64) -> Self {
        Self {
            number,
            dice: Dice::of(seed, Purpose::Agency, number),
        }
    }

    /// Whether this row of the register is a licence for special hajj.
    pub(crate) const fn is_pihk(&self) -> bool {
        self.number >= PPIU && self.number < LICENCES
    }

    /// The number of the firm: the second licence has that of the first.
    pub(crate) const fn firm(&self) -> u64 {
        if self.is_pihk() {
            self.number - PPIU
        } else {
            self.number
        }
    }

    /// The canonical key: `OSS:0000000000001:0001`.
    pub(crate) fn key(&self) -> String {
        let sequence = if self.is_pihk() { 2 } else { 1 };
        format!("OSS:{}:{sequence:04}", self.business_number())
    }

    /// Thirteen digits, the first two 0.
    pub(crate) fn business_number(&self) -> String {
        format!("{:013}", self.firm() + 1)
    }

    /// `PT CONTOH SAFAR 0001`.
    pub(crate) fn name(&self, seed: u64) -> String {
        let word = Self::of(seed, self.firm()).dice.one_of(&WORDS);
        format!("PT CONTOH {word} {:04}", self.firm() + 1)
    }

    /// Year in which the licence was given.
    pub(crate) fn year(&self) -> u64 {
        2017 + self.dice.clone().bits() % 8
    }

    /// One of the spellings that are in use for this licence; 40 in 100 are not the register's own.
    pub(crate) fn spelled(&self, dice: &mut Dice) -> String {
        let (number, year) = (self.number + 1, self.year());
        if !dice.happens(400) {
            return self.key();
        }
        match dice.below(5) {
            0 => format!("U.{number} Tahun {year}"),
            1 => format!("U.{number}/{year}"),
            2 => format!("{number}/{year}"),
            3 => format!("No {number} Tahun {year}"),
            _ => format!("{}0001", self.business_number()),
        }
    }

    /// How it stands; `from` is the first day of the exercise.
    pub(crate) fn standing(&self, from: Day) -> Standing {
        let mut dice = self.dice.clone();
        let _ = dice.bits();
        let drawn = dice.below(1_000);
        let shift = i64::try_from(dice.below(141)).unwrap_or(0) - 120;
        let half = dice.happens(500);
        let since = from.plus(shift);
        let (code, until) = match drawn {
            0..85 => ("BEKU", Some(since.plus(if half { 182 } else { 364 }))),
            85..100 => ("HENTI_SEMENTARA", Some(since.plus(182))),
            100..110 => ("DICABUT", None),
            110..115 => ("KEDALUWARSA", None),
            _ => {
                let years = i64::try_from(self.year() - 2017).unwrap_or(0);
                let since = Day(17_198 + years * 365 + shift);
                return Standing {
                    code: "AKTIF",
                    since,
                    until: None,
                };
            }
        };
        Standing { code, since, until }
    }

    /// A sequence for whatever else the register says of it.
    pub(crate) fn dice(&self) -> Dice {
        let mut dice = self.dice.clone();
        for _ in 0..8 {
            let _ = dice.bits();
        }
        dice
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: Day = Day(21_900);

    #[test]
    fn every_agency_is_fictitious_by_construction() {
        for number in (0..LICENCES).chain([UNKNOWN]) {
            let agency = Agency::of(3, number);
            assert!(agency.key().starts_with("OSS:00"), "{}", agency.key());
            assert!(agency.name(3).starts_with("PT CONTOH "));
        }
    }

    #[test]
    fn a_tenth_of_the_licences_lapse_and_were_good_before() {
        let standings = (0..PPIU).map(|number| Agency::of(3, number).standing(FROM));
        let lapsed: Vec<_> = standings.filter(|s| s.code != "AKTIF").collect();
        assert!((234..365).contains(&lapsed.len()), "{}", lapsed.len());
        for standing in &lapsed {
            assert!(standing.is_lapsed(standing.since));
            assert!(!standing.is_lapsed(standing.since.plus(-1)));
            if let Some(until) = standing.until {
                assert!(standing.is_lapsed(until) && !standing.is_lapsed(until.plus(1)));
            }
        }
        let later = lapsed.iter().filter(|standing| standing.since > FROM);
        assert!(later.count() > 10);
    }
}
