//! Dates, times of day and moments, read from one exact spelling each: ISO 8601 as Table Schema's `default`; patterns
//! are in `layout`. Proleptic Gregorian, years 0001 to 9999, no leap seconds. There is no clock here.

use std::cmp::Ordering;
use std::fmt;

/// Microseconds of a day.
const DAY_MICROS: i64 = 86_400_000_000;
/// Widest offset from UTC in minutes, as RFC 3339 allows.
const OFFSET_MINUTES_MAX: i64 = 23 * 60 + 59;

/// A date: days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i32);

/// A time of day: microseconds since midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(i64);

/// A moment: microseconds since 1970-01-01T00:00:00Z. With a pattern format, which has no offset, in the writer's own time.
/// It keeps the offset that it was written with, for printing; two spellings of one moment are one value.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    micros: i64,
    /// In minutes.
    offset: Option<i64>,
}

impl Date {
    /// `YYYY-MM-DD`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let &[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = text.as_bytes() else {
            return None;
        };
        Self::of(
            digits(&[y0, y1, y2, y3])?,
            digits(&[m0, m1])?,
            digits(&[d0, d1])?,
        )
    }

    /// Of a year, month and day that exist.
    pub(super) fn of(year: i64, month: i64, day: i64) -> Option<Self> {
        if year < 1 || !(1..=12).contains(&month) || day < 1 || day > month_days(year, month) {
            return None;
        }
        // Days of the civil calendar, counted in eras of 400 years from March (H. Hinnant, chrono-compatible dates).
        let year = if month <= 2 { year - 1 } else { year };
        let (era, of_era) = (year / 400, year % 400);
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
        i32::try_from(days).ok().map(Self)
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn days(self) -> i32 {
        self.0
    }

    /// This date and so many days.
    pub(super) const fn plus_days(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// Year, month, day.
    #[must_use]
    pub fn civil(self) -> (i64, i64, i64) {
        let days = i64::from(self.0) + 719_468;
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let years = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * years + years / 4 - years / 100);
        let shifted = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 {
            shifted + 3
        } else {
            shifted - 9
        };
        let year = era * 400 + years + i64::from(month <= 2);
        (year, month, day)
    }
}

/// Digit by digit: three numbers padded by the formatting machinery would be most of what writing a row of dates costs.
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        let ([y0, y1], [y2, y3]) = (two(year / 100)?, two(year % 100)?);
        let ([m0, m1], [d0, d1]) = (two(month)?, two(day)?);
        ascii(f, &[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1])
    }
}

impl TimeOfDay {
    /// `HH:MM:SS`, with up to six digits of a fraction.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (head, rest) = text.as_bytes().split_at_checked(8)?;
        let &[h0, h1, b':', m0, m1, b':', s0, s1] = head else {
            return None;
        };
        let whole = Self::of(digits(&[h0, h1])?, digits(&[m0, m1])?, digits(&[s0, s1])?)?;
        let fraction = match rest {
            [] => 0,
            [b'.', fraction @ ..] if (1..=6).contains(&fraction.len()) => {
                let missing = u32::try_from(6 - fraction.len()).ok()?;
                digits(fraction)? * 10_i64.pow(missing)
            }
            _ => return None,
        };
        Some(Self(whole.0 + fraction))
    }

    pub(super) fn of(hour: i64, minute: i64, second: i64) -> Option<Self> {
        let exists = hour <= 23 && minute <= 59 && second <= 59;
        exists.then(|| Self(((hour * 60 + minute) * 60 + second) * 1_000_000))
    }

    /// Microseconds since midnight.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }
}

impl Moment {
    /// RFC 3339: `2026-11-22T20:32:00+07:00`, `…Z`, with up to six digits of a fraction. The offset is demanded: a time without
    /// one means four different moments between Jayapura and Jeddah.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (date, rest) = text.split_at_checked(10)?;
        let rest = rest.strip_prefix('T')?;
        let (time, offset) = match rest.strip_suffix('Z') {
            Some(time) => (time, 0),
            None => {
                let (time, offset) = rest.split_at_checked(rest.len().checked_sub(6)?)?;
                (time, offset_minutes(offset)?)
            }
        };
        let local = Self::of(Date::parse(date)?, TimeOfDay::parse(time)?);
        Some(Self {
            micros: local.micros - offset * 60_000_000,
            offset: Some(offset),
        })
    }

    pub(super) const fn of(date: Date, time: TimeOfDay) -> Self {
        // A date has at most 2^22 days here, so that nothing overflows; widening only.
        Self {
            micros: widened(date.0) * DAY_MICROS + time.0,
            offset: None,
        }
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.micros
    }

    /// This moment and so many days of 24 hours.
    pub(super) const fn plus_days(self, days: i32) -> Self {
        let micros = self.micros.saturating_add(widened(days) * DAY_MICROS);
        Self { micros, ..self }
    }
}

impl PartialEq for Moment {
    fn eq(&self, other: &Self) -> bool {
        self.micros == other.micros
    }
}

impl Eq for Moment {}

impl PartialOrd for Moment {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Moment {
    fn cmp(&self, other: &Self) -> Ordering {
        self.micros.cmp(&other.micros)
    }
}

/// RFC 3339 with the offset that it was written with; without one where it had none.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.offset.unwrap_or_default();
        let local = self.micros.saturating_add(minutes * 60_000_000);
        let days = i32::try_from(local.div_euclid(DAY_MICROS)).map_err(|_| fmt::Error)?;
        Date(days).fmt(f)?;
        f.write_str("T")?;
        TimeOfDay(local.rem_euclid(DAY_MICROS)).fmt(f)?;
        match self.offset {
            None => Ok(()),
            Some(0) => f.write_str("Z"),
            Some(_) => {
                let sign = if minutes < 0 { b'-' } else { b'+' };
                let ([h0, h1], [m0, m1]) = (two(minutes.abs() / 60)?, two(minutes.abs() % 60)?);
                ascii(f, &[sign, h0, h1, b':', m0, m1])
            }
        }
    }
}

/// `HH:MM:SS`, with a fraction only where there is one.
impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (secs, micros) = (self.0 / 1_000_000, self.0 % 1_000_000);
        let ([h0, h1], [m0, m1]) = (two(secs / 3_600)?, two(secs / 60 % 60)?);
        let [s0, s1] = two(secs % 60)?;
        ascii(f, &[h0, h1, b':', m0, m1, b':', s0, s1])?;
        if micros == 0 {
            return Ok(());
        }
        let digits = format!("{micros:06}");
        write!(f, ".{}", digits.trim_end_matches('0'))
    }
}

/// A number below 100 as two digits.
fn two(number: i64) -> Result<[u8; 2], fmt::Error> {
    let number = u8::try_from(number).ok().filter(|number| *number < 100);
    let number = number.ok_or(fmt::Error)?;
    Ok([b'0' + number / 10, b'0' + number % 10])
}

fn ascii(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    f.write_str(std::str::from_utf8(bytes).map_err(|_| fmt::Error)?)
}

/// `i64::from` is not yet callable in a constant function.
#[expect(clippy::as_conversions, reason = "an i32 always fits an i64")]
const fn widened(number: i32) -> i64 {
    number as i64
}

/// `+07:00` or `-03:30`, in minutes.
fn offset_minutes(text: &str) -> Option<i64> {
    let &[sign, h0, h1, b':', m0, m1] = text.as_bytes() else {
        return None;
    };
    let (hours, minutes) = (digits(&[h0, h1])?, digits(&[m0, m1])?);
    let total = hours * 60 + minutes;
    if minutes > 59 || total > OFFSET_MINUTES_MAX {
        return None;
    }
    match sign {
        b'+' => Some(total),
        b'-' => Some(-total),
        _ => None,
    }
}

/// Digits only.
pub(super) fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0_i64, |sum, byte| {
        let value = byte.wrapping_sub(b'0');
        (value < 10).then(|| sum * 10 + i64::from(value))
    })
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn month_days(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `YYYY`.
pub(super) fn year(text: &str) -> Option<i32> {
    let year = (text.len() == 4).then(|| digits(text.as_bytes()))??;
    i32::try_from(year).ok().filter(|year| *year >= 1)
}

/// `YYYY-MM`, in months since year 0.
pub(super) fn year_month(text: &str) -> Option<i32> {
    let (of_year, rest) = text.split_at_checked(4)?;
    let month = rest.strip_prefix('-').filter(|month| month.len() == 2)?;
    let month = i32::try_from(digits(month.as_bytes())?).ok()?;
    let exists = (1..=12).contains(&month);
    exists.then_some(year(of_year)? * 12 + month - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_counted_as_the_calendar_counts() {
        for (text, days) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2000-02-29", 11_016),
            ("2026-11-26", 20_783),
            ("0001-01-01", -719_162),
            ("9999-12-31", 2_932_896),
        ] {
            let date = Date::parse(text).unwrap();
            assert_eq!((date.days(), date.to_string().as_str()), (days, text));
        }
        let mut day = Date::parse("1899-12-31").unwrap();
        for _ in 0..150_000 {
            assert_eq!(Date::parse(&day.to_string()), Some(day));
            day = day.plus_days(1);
        }
    }

    #[test]
    fn days_that_do_not_exist_and_other_spellings_are_refused() {
        for text in [
            "2026-02-29",
            "1900-02-29",
            "2026-04-31",
            "2026-13-01",
            "2026-00-10",
            "2026-1-1",
            "26-01-01",
            "2026-01-01 ",
            "2026/01/01",
            "01/02/2026",
            "0000-01-01",
            "2026-01-0١",
            "",
            "-026-01-01",
        ] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
    }

    #[test]
    fn one_moment_has_many_offsets() {
        let jakarta = Moment::parse("2026-11-22T20:32:00+07:00").unwrap();
        assert_eq!(Moment::parse("2026-11-22T13:32:00Z"), Some(jakarta));
        assert_eq!(
            Moment::parse("2026-11-22T16:32:00.000+03:00"),
            Some(jakarta)
        );
        assert_eq!(jakarta.micros(), 1_795_354_320_000_000);
        for text in [
            "2026-11-22T20:32:00+07:00",
            "2026-11-22T00:10:00.25-03:30",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59.999999Z",
        ] {
            assert_eq!(Moment::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "2026-11-22T20:32:00",
            "2026-11-22 20:32:00Z",
            "2026-11-22T20:32Z",
            "2026-11-22T24:00:00Z",
            "2026-11-22T20:32:60Z",
            "2026-11-22T20:32:00+24:00",
            "2026-11-22T20:32:00+0700",
            "2026-11-22T20:32:00.Z",
            "2026-11-22T20:32:00.1234567Z",
            "2026-11-22t20:32:00z",
            "é026-11-22T20:32:00Z",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }
}
