//! Which document a file is: told by the name of the first entry of its container, or by a checkpoint's first line.
//! Names of files on disk prove nothing and are not asked.

use std::io::Read;
use std::path::Path;

use amanah_format::container::Walker;
use amanahd::catalogue::{Text, faces::proof as face};

use crate::exit::{Failure, Outcome};

/// The kinds of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Bundle,
    Receipt,
    Card,
    Agreement,
    Slip,
    Destruction,
    Checkpoint,
    Unknown,
}

/// What a checkpoint's origin begins with.
const ORIGIN: &[u8] = b"amanah/";

impl Kind {
    /// Looks at the beginning of the file.
    pub(crate) fn of(path: &Path) -> Outcome<Self> {
        let io = |error: std::io::Error| Failure::io(path, &error);
        let file = std::fs::File::open(path).map_err(io)?;
        let mut start = Vec::new();
        // Two headers and a PAX entry's content fit.
        file.take(16 * 1024).read_to_end(&mut start).map_err(io)?;
        Ok(Self::of_bytes(&start))
    }

    pub(crate) fn of_bytes(start: &[u8]) -> Self {
        if start.starts_with(ORIGIN) {
            return Self::Checkpoint;
        }
        let first = Walker::new(start).next_entry();
        let path = first.ok().flatten().map(|entry| entry.path);
        match path.as_deref() {
            Some(b"manifest.json") => Self::Bundle,
            Some(b"receipt.json") => Self::Receipt,
            Some(b"card.json") => Self::Card,
            Some(b"agreement.json") => Self::Agreement,
            Some(b"slip.json") => Self::Slip,
            Some(b"destruction.json") => Self::Destruction,
            Some(_) | None => Self::Unknown,
        }
    }

    /// A stable word for JSON.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Bundle => "bundle",
            Self::Receipt => "receipt",
            Self::Card => "card",
            Self::Agreement => "agreement",
            Self::Slip => "slip",
            Self::Destruction => "destruction",
            Self::Checkpoint => "checkpoint",
            Self::Unknown => "unknown",
        }
    }

    pub(crate) const fn name(self) -> Text {
        match self {
            Self::Bundle => face::BUNDLE,
            Self::Receipt => face::RECEIPT,
            Self::Card => face::CARD,
            Self::Agreement => face::AGREEMENT,
            Self::Slip => face::SLIP,
            Self::Destruction => face::DESTRUCTION,
            Self::Checkpoint => face::CHECKPOINT,
            Self::Unknown => face::UNKNOWN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use amanah_format::container::pack;

    #[test]
    fn a_document_is_known_by_its_first_entry() {
        for (name, kind) in [
            ("receipt.json", Kind::Receipt),
            ("card.json", Kind::Card),
            ("agreement.json", Kind::Agreement),
            ("slip.json", Kind::Slip),
            ("destruction.json", Kind::Destruction),
            ("manifest.json", Kind::Bundle),
            ("other.json", Kind::Unknown),
        ] {
            assert_eq!(Kind::of_bytes(&pack(&[(name, b"{}")])), kind, "{name}");
        }
        assert_eq!(Kind::of_bytes(b"amanah/imigrasi/1\n42\n"), Kind::Checkpoint);
        assert_eq!(Kind::of_bytes(b""), Kind::Unknown);
        assert_eq!(Kind::of_bytes(&[b'x'; 2048]), Kind::Unknown);
    }
}
