//! Planted bugs: mistakes that a daemon of this kind could have, which the campaigns must catch, or the campaigns prove nothing.
//! Without the feature `planted-bugs` (no shipped binary has it) none is there, whatever the environment says.

/// One mistake each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// Files are moved into place without being synced.
    RenameWithoutSync,
    /// The receipt's text is decided before the store has committed.
    ReceiptBeforeCommit,
    /// The record that something was imported is written after the data, not with it.
    RecordOutside,
    /// What was begun counts as imported.
    SeenBeforeImport,
    /// A sync that failed is tried again and then believed.
    RetryAfterFailedSync,
    /// A table is sealed whatever the check found.
    TableUnchecked,
}

impl Bug {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::RenameWithoutSync,
        Self::ReceiptBeforeCommit,
        Self::RecordOutside,
        Self::SeenBeforeImport,
        Self::RetryAfterFailedSync,
        Self::TableUnchecked,
    ];

    /// What the environment variable `AMANAH_PLANT` calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RenameWithoutSync => "rename-without-sync",
            Self::ReceiptBeforeCommit => "receipt-before-commit",
            Self::RecordOutside => "record-outside",
            Self::SeenBeforeImport => "seen-before-import",
            Self::RetryAfterFailedSync => "retry-after-failed-sync",
            Self::TableUnchecked => "table-unchecked",
        }
    }
}

/// With the feature: whether this process has the bug.
#[inline(always)]
#[must_use]
pub fn has(bug: Bug) -> bool {
    #[cfg(feature = "planted-bugs")]
    return planted() == Some(bug.name());
    #[cfg(not(feature = "planted-bugs"))]
    {
        let _ = bug;
        false
    }
}

/// With the feature: how much computing one opening may cost where `AMANAH_EFFORT_MILLIS` says it, so that a test sees the end
/// of it without a bundle that takes a minute. Else `own`.
#[must_use]
pub fn effort(own: std::time::Duration) -> std::time::Duration {
    #[cfg(feature = "planted-bugs")]
    if let Some(millis) = std::env::var("AMANAH_EFFORT_MILLIS")
        .ok()
        .and_then(|text| text.parse().ok())
    {
        return std::time::Duration::from_millis(millis);
    }
    own
}

/// The name in the environment, read once.
#[cfg(feature = "planted-bugs")]
fn planted() -> Option<&'static str> {
    static PLANTED: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    PLANTED
        .get_or_init(|| std::env::var("AMANAH_PLANT").ok())
        .as_deref()
}
