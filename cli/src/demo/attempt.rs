//! The kinds of attempts that the demo makes against itself: what each is called, what must come of it, and how that is said
//! to people. Nothing is tried here; `attacks` does.

use std::path::PathBuf;

use amanahd::catalogue::Text;

use super::intruder::Answer;
use super::texts;

/// What can be tried.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// A stable name.
    pub name: &'static str,
    /// The same for people.
    pub text: Text,
    /// What must come of it: a code, or how it ends.
    pub expected: &'static str,
    /// The same for people.
    pub outcome: Text,
}

pub(super) static FLIPPED_BIT: Kind = Kind {
    name: "flipped-bit",
    text: texts::FLIPPED_BIT,
    expected: "damaged",
    outcome: texts::DAMAGED,
};

pub(super) static UNKNOWN_SIGNER: Kind = Kind {
    name: "unknown-signer",
    text: texts::UNKNOWN_SIGNER,
    expected: "signer-unknown",
    outcome: texts::TURNED_AWAY,
};

pub(super) static WRONG_RECIPIENT: Kind = Kind {
    name: "wrong-recipient",
    text: texts::WRONG_RECIPIENT,
    expected: "refused wrong-recipient",
    outcome: texts::REFUSED_RECIPIENT,
};

pub(super) static FLOW_NOT_AGREED: Kind = Kind {
    name: "flow-not-agreed",
    text: texts::FLOW_NOT_AGREED,
    expected: "refused flow-not-agreed",
    outcome: texts::REFUSED_FLOW,
};

pub(super) static REPLAY: Kind = Kind {
    name: "replay",
    text: texts::REPLAY,
    expected: "the same receipt",
    outcome: texts::SAME_RECEIPT,
};

pub(super) static DROP_NOT_AGREED: Kind = Kind {
    name: "drop-not-agreed",
    text: texts::DROP_NOT_AGREED,
    expected: "returned flow-not-agreed",
    outcome: texts::CAME_BACK,
};

/// One attempt and its end.
#[derive(Debug, Clone)]
pub struct Attack {
    /// What was tried.
    pub kind: &'static Kind,
    /// From whom to whom.
    pub way: String,
    /// What came.
    pub got: String,
    /// Whether anything of it appeared in the inbox.
    pub imported: bool,
    /// What proves it: a receipt, a note.
    pub evidence: Option<PathBuf>,
}

impl Attack {
    /// An attempt of which nothing is known but the answer at the door.
    pub(super) fn answered(kind: &'static Kind, answer: Answer) -> Self {
        Self {
            kind,
            way: String::new(),
            got: match answer {
                Answer::Taken => "taken over".to_owned(),
                Answer::Denied(code) => code,
            },
            imported: false,
            evidence: None,
        }
    }

    /// Whether it ended as it must.
    #[must_use]
    pub fn is_as_expected(&self) -> bool {
        self.kind.expected == self.got && !self.imported
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_expected_end_without_an_import_counts() {
        let answer = |code: &str| Attack::answered(&FLIPPED_BIT, Answer::Denied(code.to_owned()));
        assert!(answer("damaged").is_as_expected());
        assert!(!answer("failure").is_as_expected());
        assert!(!Attack::answered(&FLIPPED_BIT, Answer::Taken).is_as_expected());
        let imported = Attack {
            imported: true,
            ..answer("damaged")
        };
        assert!(!imported.is_as_expected());
    }
}
