//! Where names lie at a server: the virtual tree of a peer's daemon, or two plain folders of a blind drop.
//! FORMAT.md §16.2 and §16.3.

use crate::transport::link::WireName;

/// What stands behind a name that is not handed over yet.
pub(super) const PART: &str = ".part";

/// The folder that we write into and the one that we read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// Without a slash at its end.
    pub put: String,
    /// The same.
    pub get: String,
}

impl Folders {
    /// Those of a daemon of ours.
    pub(super) fn of_a_daemon() -> Self {
        Self {
            put: "/incoming".to_owned(),
            get: "/outgoing".to_owned(),
        }
    }

    pub(super) fn part(&self, name: WireName) -> String {
        format!("{}/{name}{PART}", self.put)
    }

    pub(super) fn whole(&self, name: WireName) -> String {
        format!("{}/{name}", self.put)
    }

    pub(super) fn offer(&self, name: WireName) -> String {
        format!("{}/{name}", self.get)
    }
}
