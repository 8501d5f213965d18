//! One form of time: RFC 3339 in UTC, whole seconds, `2026-11-22T20:32:00Z` (exactly 20 bytes). FORMAT.md §3.
//! Years 1970-9999, no leap second. There is no clock here: `now` is always an argument.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use jiff::civil::DateTime;

use crate::document::{excerpt, text_form};

/// 1970-01-01T00:00:00, where seconds are counted from.
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
/// 9999-12-31T23:59:59Z.
const LAST: i64 = 253_402_300_799;

/// A moment in UTC, to the second. Text form as above; `Display`, `FromStr`, serde use it; ordered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcTime(i64);

impl UtcTime {
    /// From seconds since 1970.
    ///
    /// # Errors
    /// Outside the years 1970 to 9999.
    pub fn from_unix(secs: i64) -> Result<Self, TimeError> {
        if (0..=LAST).contains(&secs) {
            Ok(Self(secs))
        } else {
            Err(TimeError {
                found: format!("{secs} s since 1970"),
            })
        }
    }

    /// Seconds since 1970.
    #[must_use]
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// This moment and `secs` more (or less), held within the years 1970 to 9999.
    #[must_use]
    pub fn plus_secs(self, secs: i64) -> Self {
        Self(self.0.saturating_add(secs).clamp(0, LAST))
    }

    /// The date and time of day that a calendar shows in UTC.
    fn civil(self) -> DateTime {
        // INVARIANT: the seconds lie within the years 1970 to 9999, which `DateTime` covers, so nothing saturates.
        EPOCH.saturating_add(SignedDuration::from_secs(self.0))
    }

    /// `YYYYMMDDHHMMSSZ`, as OpenSSH's `allowed_signers` has it.
    #[must_use]
    pub fn to_compact(self) -> String {
        self.to_string()
            .chars()
            .filter(|c| !matches!(c, '-' | ':' | 'T'))
            .collect()
    }
}

impl fmt::Display for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.civil();
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            at.year(),
            at.month(),
            at.day(),
            at.hour(),
            at.minute(),
            at.second()
        )
    }
}

impl FromStr for UtcTime {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        text.strip_suffix('Z')
            .filter(|local| local.len() == 19)
            .and_then(|local| local.parse::<DateTime>().ok())
            .and_then(|at| Self::from_unix(at.duration_since(EPOCH).as_secs()).ok())
            // The parser takes more than RFC 3339 (a space for `T`, second 60): only the one spelling counts.
            .filter(|time| time.to_string() == text)
            .ok_or_else(|| TimeError {
                found: excerpt(text),
            })
    }
}

text_form!(UtcTime);

/// A text that is not such a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a time: expected UTC like 2026-11-22T20:32:00Z, found {found:?}")]
pub struct TimeError {
    found: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_and_printed_alike() {
        for (text, secs) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-11-22T20:32:00Z", 1_795_379_520),
            ("2024-02-29T23:59:59Z", 1_709_251_199),
            ("9999-12-31T23:59:59Z", LAST),
        ] {
            let time: UtcTime = text.parse().unwrap();
            assert_eq!((time.unix(), time.to_string()), (secs, text.to_owned()));
        }
    }

    #[test]
    fn other_spellings_and_impossible_moments_are_refused() {
        for wrong in [
            "",
            "2026-11-22T20:32:00",
            "2026-11-22T20:32:00+00:00",
            "2026-11-22t20:32:00z",
            "2026-11-22 20:32:00Z",
            "2026-11-22T20:32:00.0Z",
            "2026-11-22T20:32Z",
            "2026-11-22T20:32:60Z",
            "2026-02-29T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "+002026-11-22T20:32Z",
            "10000-01-01T00:00:0Z",
            "2026-11-22T24:00:00Z",
        ] {
            assert!(wrong.parse::<UtcTime>().is_err(), "{wrong}");
        }
        assert!(UtcTime::from_unix(-1).is_err());
        assert!(UtcTime::from_unix(LAST + 1).is_err());
    }

    proptest::proptest! {
        #[test]
        fn every_moment_reads_back(secs in 0..=LAST) {
            let time = UtcTime::from_unix(secs).unwrap();
            proptest::prop_assert_eq!(time.to_string().parse(), Ok(time));
        }

        #[test]
        fn what_is_read_prints_alike(text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]Z") {
            if let Ok(time) = text.parse::<UtcTime>() {
                proptest::prop_assert_eq!(time.to_string(), text);
            }
        }
    }

    #[test]
    fn adding_stays_within_the_years() {
        let noon: UtcTime = "2026-11-22T12:00:00Z".parse().unwrap();
        assert_eq!(noon.plus_secs(-1).to_string(), "2026-11-22T11:59:59Z");
        assert_eq!(noon.plus_secs(i64::MAX).unix(), LAST);
        assert_eq!(noon.plus_secs(i64::MIN).unix(), 0);
        assert_eq!(noon.to_compact(), "20261122120000Z");
    }
}
