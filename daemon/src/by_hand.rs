//! What the daemon says in `stick/out/TICKET/answer.json` to an operator who carries bundles by hand: which files are laid out,
//! which are wanted, and what became of each. Versioned; read by `amanah export` and `amanah import`, never by the daemon.

use serde::{Deserialize, Serialize};

/// Its version, the `format` member.
pub const FORMAT: &str = "amanah-by-hand/1";

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// [`FORMAT`].
    pub format: String,
    /// Whether the peer is paused; then nothing is laid out.
    pub paused: bool,
    /// One for each file, in the order in which they are to be copied.
    pub files: Vec<Told>,
}

/// What is said of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Its name on the wire.
    pub name: String,
    /// What became of it.
    pub fate: Fate,
    /// Its length, where it is laid out.
    pub bytes: u64,
    /// Why, where there is a reason: a code of the catalogue.
    pub code: Option<String>,
    /// Whose it is, once its signature is verified.
    pub peer: Option<String>,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// Laid out, to be copied to the stick.
    LaidOut,
    /// To be copied into the ticket's folder.
    Wanted,
    /// Verified and taken over now.
    TakenOver,
    /// Taken over, and waits for something (the code).
    Held,
    /// Taken over and refused: the receipt says so.
    Refused,
    /// It was taken over before.
    AlreadyHere,
    /// We made it ourselves.
    Ours,
    /// Not taken over (the code).
    TurnedAway,
    /// This machine failed; it may be brought again.
    Failed,
}

impl Told {
    /// With nothing more to say.
    #[must_use]
    pub fn new(name: String, fate: Fate) -> Self {
        Self {
            name,
            fate,
            bytes: 0,
            code: None,
            peer: None,
        }
    }
}
