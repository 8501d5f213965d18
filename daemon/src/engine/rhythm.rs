//! Rhythm: how often a bundle of a flow is expected, and by when; silence past that is a fault that nobody else tells of.
//! Pure: time comes in, calendar arithmetic is done here (Gregorian, days since 1970). FORMAT.md §12.
//!
//! Understood are zones without summer time: Indonesia's three, Riyadh's, and fixed offsets. What is not understood is not
//! watched, and said so.

use amanah_format::agreement::Rhythm;
use amanah_format::time::UtcTime;

const HOUR_SECS: i64 = 3_600;
const DAY_SECS: i64 = 86_400;
/// Days looked back for two due days: more than two months of 31.
const BACK_DAYS_MAX: i64 = 64;

/// A rhythm that is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    every: Every,
    /// Seconds after local midnight.
    by_secs: i64,
    /// Local time less UTC.
    offset_secs: i64,
}

/// On which local days a bundle is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Every {
    Day,
    /// Monday to Friday.
    Weekday,
    /// One day of the week; 0 is Monday.
    Week(i64),
    /// The first day of each month, for the month before.
    Month,
}

/// The last two moments at which a bundle was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The one before.
    pub before: UtcTime,
    /// The latest that has passed.
    pub latest: UtcTime,
}

impl Watch {
    /// Reads a flow's rhythm in its agreement's zone; none where it is not understood.
    #[must_use]
    pub fn parse(rhythm: &Rhythm, zone: &str) -> Option<Self> {
        Some(Self {
            every: every(&rhythm.every)?,
            by_secs: clock(&rhythm.by)?,
            offset_secs: offset(zone)?,
        })
    }

    /// The last two due moments up to `now`; none before 1970 or beyond what a time can name.
    #[must_use]
    pub fn due(self, now: UtcTime) -> Option<Due> {
        let local = now.unix().checked_add(self.offset_secs)?;
        let today = local.div_euclid(DAY_SECS);
        let passed = |day: &i64| day * DAY_SECS + self.by_secs <= local;
        let mut days = (0..BACK_DAYS_MAX)
            .map(|back| today - back)
            .filter(|day| self.every.is_due(*day))
            .filter(passed);
        let moment =
            |day: i64| UtcTime::from_unix(day * DAY_SECS + self.by_secs - self.offset_secs).ok();
        let (latest, before) = (moment(days.next()?)?, moment(days.next()?)?);
        Some(Due { before, latest })
    }

    /// Whether a bundle that was due has not come: none since the due moment before the latest. An agreement that was not
    /// effective for the whole span expects nothing yet.
    #[must_use]
    pub fn is_missed(self, last: Option<UtcTime>, effective: UtcTime, now: UtcTime) -> bool {
        self.due(now).is_some_and(|due| {
            effective <= due.before && last.is_none_or(|last| last <= due.before)
        })
    }
}

impl Every {
    fn is_due(self, day: i64) -> bool {
        // 1970-01-01 was a Thursday.
        let weekday = (day + 3).rem_euclid(7);
        match self {
            Self::Day => true,
            Self::Weekday => weekday < 5,
            Self::Week(wanted) => weekday == wanted,
            Self::Month => is_first_of_month(day),
        }
    }
}

/// `day`, `weekday`, `monday` … `sunday`, `month`.
fn every(word: &str) -> Option<Every> {
    const DAYS: [&str; 7] = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    match word {
        "day" => Some(Every::Day),
        "weekday" => Some(Every::Weekday),
        "month" => Some(Every::Month),
        other => (0_i64..)
            .zip(DAYS)
            .find(|(_, name)| *name == other)
            .map(|(number, _)| Every::Week(number)),
    }
}

/// `HH:MM`, 00:00 to 23:59, in seconds.
fn clock(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |part: &str, below: i64| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        let number: i64 = digits.then(|| part.parse().ok())??;
        (number < below).then_some(number)
    };
    Some(two(hours, 24)? * HOUR_SECS + two(minutes, 60)? * 60)
}

/// Seconds that local time is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    let hours = match zone {
        "UTC" | "Etc/UTC" => 0,
        "Asia/Riyadh" => 3,
        "Asia/Jakarta" | "Asia/Pontianak" => 7,
        "Asia/Makassar" | "Asia/Ujung_Pandang" => 8,
        "Asia/Jayapura" => 9,
        // The IANA database counts these the other way: Etc/GMT-7 is seven hours ahead.
        other => {
            let text = other.strip_prefix("Etc/GMT")?;
            let hours: i64 = text.parse().ok()?;
            (-12..=14).contains(&-hours).then_some(-hours)?
        }
    };
    Some(hours * HOUR_SECS)
}

/// Whether the day, in days since 1970-01-01, is the first of a month: eras of 400 years that begin with March, so that the
/// leap day is the last of its year.
fn is_first_of_month(day: i64) -> bool {
    let of_era = (day + 719_468).rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    of_year == (153 * month + 2) / 5
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UtcTime {
        text.parse().unwrap()
    }

    fn watch(every: &str, by: &str, zone: &str) -> Option<Watch> {
        let rhythm = Rhythm {
            every: every.to_owned(),
            by: by.to_owned(),
        };
        Watch::parse(&rhythm, zone)
    }

    /// Each case: how often, where, now; when it was due before, and when last.
    fn is_due(cases: &[[&str; 5]]) {
        for [every, zone, now, before, latest] in cases {
            let due = watch(every, "06:00", zone).unwrap().due(at(now)).unwrap();
            let found = [due.before, due.latest];
            assert_eq!(found, [at(before), at(latest)], "{every} in {zone}, {now}");
        }
    }

    #[test]
    #[rustfmt::skip]
    fn six_in_jakarta_is_an_hour_before_midnight_utc_also_over_the_year() {
        is_due(&[
            ["day", "Asia/Jakarta", "2026-12-31T22:59:59Z", "2026-12-29T23:00:00Z", "2026-12-30T23:00:00Z"],
            ["day", "Asia/Jakarta", "2026-12-31T23:00:00Z", "2026-12-30T23:00:00Z", "2026-12-31T23:00:00Z"],
            ["day", "Asia/Jayapura", "2027-01-01T00:00:00Z", "2026-12-30T21:00:00Z", "2026-12-31T21:00:00Z"],
        ]);
    }

    #[test]
    #[rustfmt::skip]
    fn the_first_of_a_month_is_found_over_short_months_leap_years_and_centuries() {
        is_due(&[
            ["month", "UTC", "2027-03-01T06:00:00Z", "2027-02-01T06:00:00Z", "2027-03-01T06:00:00Z"],
            ["month", "UTC", "2028-03-01T05:59:59Z", "2028-01-01T06:00:00Z", "2028-02-01T06:00:00Z"],
            ["month", "UTC", "2028-03-31T00:00:00Z", "2028-02-01T06:00:00Z", "2028-03-01T06:00:00Z"],
            ["month", "UTC", "2100-03-15T00:00:00Z", "2100-02-01T06:00:00Z", "2100-03-01T06:00:00Z"],
            ["month", "UTC", "2000-03-01T06:00:00Z", "2000-02-01T06:00:00Z", "2000-03-01T06:00:00Z"],
            ["month", "UTC", "2027-01-01T06:00:00Z", "2026-12-01T06:00:00Z", "2027-01-01T06:00:00Z"],
        ]);
        let firsts = (0..146_097).filter(|day| is_first_of_month(*day)).count();
        assert_eq!(firsts, 4_800, "twelve in each of 400 years");
    }

    #[test]
    #[rustfmt::skip]
    fn weekdays_are_those_of_the_place() {
        // 2026-11-27 is a Friday; Monday 06:00 in Jakarta is Sunday 23:00 UTC.
        is_due(&[
            ["weekday", "Asia/Jakarta", "2026-11-29T22:59:59Z", "2026-11-25T23:00:00Z", "2026-11-26T23:00:00Z"],
            ["weekday", "Asia/Jakarta", "2026-11-29T23:00:00Z", "2026-11-26T23:00:00Z", "2026-11-29T23:00:00Z"],
            ["friday", "UTC", "2026-11-29T00:00:00Z", "2026-11-20T06:00:00Z", "2026-11-27T06:00:00Z"],
        ]);
    }

    #[test]
    fn silence_is_missed_once_it_is_due_and_a_late_bundle_ends_it() {
        let watch = watch("day", "06:00", "Asia/Jakarta").unwrap();
        let effective = at("2026-11-01T00:00:00Z");
        let missed =
            |last: Option<&str>, now: &str| watch.is_missed(last.map(at), effective, at(now));
        let yesterday = Some("2026-11-24T22:00:00Z");
        assert!(!missed(yesterday, "2026-11-25T22:59:59Z"));
        assert!(missed(yesterday, "2026-11-25T23:00:00Z"));
        assert!(missed(None, "2026-11-25T23:00:00Z"));
        assert!(!missed(
            Some("2026-11-25T23:30:00Z"),
            "2026-11-26T01:00:00Z"
        ));
        assert!(!missed(
            Some("2026-11-25T01:00:00Z"),
            "2026-11-25T23:00:00Z"
        ));
        // A clock that was set back expects less, not more.
        assert!(!missed(
            Some("2026-11-25T01:00:00Z"),
            "2026-11-20T00:00:00Z"
        ));
        let fresh = at("2026-11-25T00:00:00Z");
        assert!(!watch.is_missed(None, fresh, at("2026-11-25T23:00:00Z")));
        assert!(watch.is_missed(None, fresh, at("2026-11-26T23:00:00Z")));
    }

    #[test]
    fn what_is_not_understood_is_not_watched() {
        for (every, by, zone) in [
            ("hour", "06:00", "UTC"),
            ("Day", "06:00", "UTC"),
            ("day", "6:00", "UTC"),
            ("day", "24:00", "UTC"),
            ("day", "06:60", "UTC"),
            ("day", "+6:00", "UTC"),
            ("day", "06:00", "Europe/Amsterdam"),
            ("day", "06:00", "Etc/GMT+13"),
            ("day", "06:00", "Etc/GMT"),
        ] {
            assert_eq!(watch(every, by, zone), None, "{every} {by} {zone}");
        }
        let ahead = watch("day", "00:00", "Etc/GMT-7").unwrap();
        assert_eq!(ahead.offset_secs, 7 * HOUR_SECS);
    }
}
