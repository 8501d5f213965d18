//! What peers cosigned of a ledger: `cosigned/PARTY.checkpoint` beside its records. Each line that verifies under a card that is
//! known proves that the first records are those which the peer saw then, however often the rest was signed anew. FORMAT.md §15.4.

use std::path::Path;

use amanah_format::{
    home,
    id::PartyId,
    keyring::Keyring,
    ledger::{Checkpoint, Cosigned, Tree, cosigners},
};
use amanahd::catalogue::{faces::proof as face, moment};

use super::{Fault, verify_note};
use crate::{exit::Outcome, papers, screen::Screen};

/// The peers' lines that count, the smallest size first.
pub(super) struct Witnesses(Vec<(Checkpoint, Cosigned)>);

impl Witnesses {
    /// Reads the folder; none where there is none. Notes of other ledgers, and lines of parties without a card here, do not count.
    pub(super) fn read(
        folder: &Path,
        keyring: &Keyring,
        newest: &Checkpoint,
    ) -> Result<Self, Fault> {
        let keys = |party: &PartyId| keyring.ledger_keys(party);
        let mut seen = Vec::new();
        let notes = papers::in_folder(folder, home::NOTE_SUFFIX)
            .map_err(|_| Fault::other(&folder.display()))?;
        for path in notes {
            let unread = |error: &dyn std::fmt::Display| {
                Fault::other(&format_args!("{}: {error}", path.display()))
            };
            let note = std::fs::read_to_string(&path).map_err(|error| unread(&error))?;
            let (_, checkpoint) = verify_note(&note, keyring)?;
            if checkpoint.origin != newest.origin {
                continue;
            }
            let cosigned = cosigners(&note, &keys).map_err(|error| unread(&error))?;
            let lines = cosigned.into_iter();
            seen.extend(lines.map(|one| (checkpoint.clone(), one)));
        }
        seen.sort_by_key(|(checkpoint, _)| checkpoint.size);
        let beyond = seen.iter().find(|(one, _)| one.size > newest.size);
        match beyond {
            None => Ok(Self(seen)),
            Some((one, by)) => {
                let values: [&dyn std::fmt::Display; 4] =
                    [&by.party, &one.size, &by.at, &newest.size];
                Err(Fault::new(face::LEDGER_SEEN_MORE, values))
            }
        }
    }

    /// The tree as it stands: at the sizes that peers saw it must be theirs.
    pub(super) fn compare(&self, tree: &Tree) -> Result<(), Fault> {
        let of_size = self.0.iter().filter(|(one, _)| one.size == tree.size());
        for (one, by) in of_size {
            if one.root != tree.root() {
                let values: [&dyn std::fmt::Display; 3] = [&by.party, &one.size, &by.at];
                return Err(Fault::new(face::LEDGER_REWRITTEN, values));
            }
        }
        Ok(())
    }

    pub(super) fn facts(&self) -> Vec<serde_json::Value> {
        let facts = self
            .0
            .iter()
            .map(|(one, by)| serde_json::json!({"party": by.party, "at": by.at, "size": one.size}));
        facts.collect()
    }

    /// What is proven by them, and what is not.
    pub(super) fn tell(&self, size: u64, screen: &mut Screen<'_>) -> Outcome<()> {
        for (one, by) in &self.0 {
            let at = moment::brief(by.at, screen.language);
            let count = moment::count(one.size, screen.language);
            screen.say(face::LEDGER_SEEN, &[&by.party, &count, &at])?;
        }
        let Some((last, _)) = self.0.last() else {
            return screen.say(face::LEDGER_UNSEEN, &[]);
        };
        let tail = size - last.size;
        if tail > 0 {
            screen.say(face::LEDGER_TAIL, &[&tail])?;
        }
        Ok(())
    }
}
