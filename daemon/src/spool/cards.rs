//! Cards of peers as they came by wire: `peer-cards/` those that counted when they came, `peer-cards/offered/` the others. Public documents;
//! only the daemon writes there, and each is verified and judged whenever it is loaded.

use std::path::Path;

use amanah_format::card::VerifiedCard;
use amanah_format::home;
use amanah_format::id::PartyId;
use amanah_format::time::UtcTime;

use super::{MODE_TEXT, Spool, SpoolError, failed};
use crate::durable;

impl Spool {
    /// Keeps a card, once: false where it lies here already, whenever it came. What came offered and is taken now is moved.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn keep_card(
        &self,
        card: &VerifiedCard,
        now: UtcTime,
        taken: bool,
    ) -> Result<bool, SpoolError> {
        let text = card.card();
        let name = home::card_came(&text.party, text.number, now, &card.digest());
        let end = name.rsplit('.').nth(2).unwrap_or_default().to_owned();
        let end = format!(".{end}{}", home::CARD_SUFFIX);
        let is_it = |known: &String| known.ends_with(&end);
        let (here, offered) = (
            self.home.join(home::CARDS_TAKEN),
            self.home.join(home::CARDS_OFFERED),
        );
        if self.cards_in(&here)?.iter().any(is_it) {
            return Ok(false);
        }
        let known = self.cards_in(&offered)?.into_iter().find(is_it);
        match (taken, known) {
            (false, Some(_)) => return Ok(false),
            (true, Some(known)) => durable::replace(&offered.join(known), &here.join(name))?,
            (true, None) => durable::write(&here, &name, card.container(), MODE_TEXT)?,
            (false, None) => durable::write(&offered, &name, card.container(), MODE_TEXT)?,
        }
        Ok(true)
    }

    /// Whether fewer than `max` cards of a peer are kept.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn has_room_for_card(&self, peer: &PartyId, max: usize) -> Result<bool, SpoolError> {
        let start = format!("{peer}.");
        let mut kept = 0;
        for folder in [home::CARDS_TAKEN, home::CARDS_OFFERED] {
            let names = self.cards_in(&self.home.join(folder))?;
            kept += names.iter().filter(|name| name.starts_with(&start)).count();
        }
        Ok(kept < max)
    }

    fn cards_in(&self, folder: &Path) -> Result<Vec<String>, SpoolError> {
        let io = |source| failed("reading", folder, source);
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(io)? {
            let name = entry.map_err(io)?.file_name();
            let name = name.to_string_lossy();
            if home::parse_card_came(&name).is_some() {
                names.push(name.into_owned());
            }
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use amanah_format::keyring::Keyring;

    use super::*;

    fn example() -> VerifiedCard {
        let bytes = include_bytes!("../../../keys-example/kemenhaj/cards/imigrasi.card.amanah");
        VerifiedCard::verify(bytes).unwrap()
    }

    #[test]
    fn a_card_is_kept_once_and_moves_when_it_is_taken() {
        let top = tempfile::tempdir().unwrap();
        let spool = Spool::open(top.path(), &[]).unwrap();
        let (card, party) = (example(), example().card().party.clone());
        let at = |secs: i64| UtcTime::from_unix(1_800_000_000 + secs).unwrap();
        assert!(spool.keep_card(&card, at(0), false).unwrap());
        assert!(!spool.keep_card(&card, at(9), false).unwrap());
        assert!(!spool.has_room_for_card(&party, 1).unwrap());
        assert!(spool.keep_card(&card, at(20), true).unwrap());
        assert!(!spool.keep_card(&card, at(30), true).unwrap());
        assert!(!spool.keep_card(&card, at(30), false).unwrap());
        let names = spool.cards_in(&top.path().join(home::CARDS_TAKEN)).unwrap();
        assert_eq!(names, [home::card_came(&party, 1, at(20), &card.digest())]);
        assert!(spool.has_room_for_card(&party, 2).unwrap());
        let mut keyring = Keyring::default();
        keyring.trust(card);
        assert_eq!(keyring.chain(&party).len(), 1);
    }
}
