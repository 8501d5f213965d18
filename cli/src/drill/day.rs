//! Days as numbers since 1970-01-01, and how tables write them: `2030-01-05`, `2030-01-05T05:10:00+07:00`.
//! Hundreds of millions are written, so that no calendar library stands in between.

use jiff::civil::Date;

/// A day: what is added and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Day(pub(crate) i64);

impl Day {
    /// Of a calendar's date.
    pub(crate) fn of(date: Date) -> Self {
        let epoch = jiff::civil::date(1970, 1, 1);
        let days = epoch.until(date).map_or(0, |span| span.get_days());
        Self(i64::from(days))
    }

    /// `days` later, or earlier.
    pub(crate) const fn plus(self, days: i64) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// Year, month, day of the month (Howard Hinnant, "chrono-compatible low-level date algorithms").
    pub(crate) const fn civil(self) -> (i64, i64, i64) {
        let shifted = self.0 + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year + era * 400 + if month <= 2 { 1 } else { 0 };
        (year, month, day)
    }
}

/// A moment as a table has it: local time and how far it is from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    pub(crate) day: Day,
    /// Of that day, 0 to 1,439.
    pub(crate) minute: i64,
    /// Hours ahead of UTC.
    pub(crate) zone: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_two_centuries_is_that_of_the_calendar() {
        let mut date = jiff::civil::date(1900, 1, 1);
        while date.year() < 2100 {
            let (year, month, day) = Day::of(date).civil();
            let calendar = (date.year().into(), date.month().into(), date.day().into());
            assert_eq!((year, month, day), calendar);
            date = date.tomorrow().unwrap();
        }
    }
}
