//! One form of time: RFC 3339 in UTC, whole seconds, `2026-11-22T20:32:00Z` (exactly 20 bytes). FORMAT.md §3.
//! Years 1970-9999, no leap second. There is no clock here: `now` is always an argument.

/// A moment in UTC, to the second. Text form as above; `Display`, `FromStr`, serde use it; ordered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcTime(i64);

impl UtcTime {
    /// From seconds since 1970.
    ///
    /// # Errors
    /// Outside the years 1970 to 9999.
    pub fn from_unix(secs: i64) -> Result<Self, TimeError> { todo!() }
    /// Seconds since 1970.
    #[must_use]
    pub const fn unix(self) -> i64 { self.0 }
    /// This moment and `secs` more (or less), held within the years 1970 to 9999.
    #[must_use]
    pub fn plus_secs(self, secs: i64) -> Self { todo!() }
}

/// A text that is not such a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a time: expected UTC like 2026-11-22T20:32:00Z, found {found:?}")]
pub struct TimeError { found: String }
