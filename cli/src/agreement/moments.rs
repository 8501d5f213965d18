//! Days that people write, as moments: the first moment of one, or the first after it, in a time zone of the country or another.
//! An agreement's dates are read so, and the time that a question is about.

use amanah_format::time::UtcTime;
use jiff::tz::TimeZone;

/// What a date stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Day {
    /// Its first moment.
    First,
    /// The first moment after it.
    Last,
}

/// A date in a time zone, or a moment in UTC as it is.
pub(crate) fn moment(text: &str, zone: &str, day: Day) -> Result<UtcTime, String> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let date: jiff::civil::Date = text.parse().map_err(|_| {
        format!("expected a date as 2026-12-01, or a time as 2026-12-01T00:00:00Z, found {text:?}")
    })?;
    let date = match day {
        Day::First => Ok(date),
        Day::Last => date.tomorrow(),
    };
    let zone = time_zone(zone)?;
    let start = date
        .and_then(|date| date.to_zoned(zone))
        .map_err(|error| error.to_string())?;
    UtcTime::from_unix(start.timestamp().as_second()).map_err(|error| error.to_string())
}

/// The country's three times have fixed distances to UTC and need no database on the machine; other zones do.
fn time_zone(name: &str) -> Result<TimeZone, String> {
    let hours = match name {
        "Asia/Jakarta" | "Asia/Pontianak" => 7,
        "Asia/Makassar" => 8,
        "Asia/Jayapura" => 9,
        other => return TimeZone::get(other).map_err(|error| error.to_string()),
    };
    Ok(TimeZone::fixed(jiff::tz::offset(hours)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_and_a_last_day_become_moments_in_utc() {
        let of = |text, day| moment(text, "Asia/Jakarta", day).unwrap().to_string();
        assert_eq!(of("2026-12-01", Day::First), "2026-11-30T17:00:00Z");
        assert_eq!(of("2026-12-31", Day::Last), "2026-12-31T17:00:00Z");
        assert_eq!(
            of("2026-12-31T00:00:00Z", Day::Last),
            "2026-12-31T00:00:00Z"
        );
        assert!(moment("1 Desember", "Asia/Jakarta", Day::First).is_err());
        assert!(moment("2026-12-01", "Asia/Nowhere", Day::First).is_err());
    }
}
