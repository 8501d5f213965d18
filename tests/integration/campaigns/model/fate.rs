//! What a schedule decides: when a side dies, what the link does with a message, what an unsynced file becomes. All of it comes
//! from the dice, and all of it is written down, so that one seed is one history.

use super::super::dice::Dice;

/// A side died in the middle of what it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Died;

/// The dice and the history so far.
pub(super) struct Fate {
    pub(super) dice: Dice,
    pub(super) trace: Vec<String>,
    /// Of a hundred passings of a point, so many are deaths.
    pub(super) deaths: u64,
}

impl Fate {
    pub(super) fn new(seed: u64, deaths: u64) -> Self {
        let (dice, trace) = (Dice::new(seed), Vec::new());
        Self {
            dice,
            trace,
            deaths,
        }
    }

    /// A point at which the process can die.
    pub(super) fn point(&mut self, name: &'static str) -> Result<(), Died> {
        if self.dice.chance(self.deaths) {
            self.note(format!("died at {name}"));
            return Err(Died);
        }
        Ok(())
    }

    pub(super) fn note(&mut self, text: String) {
        self.trace.push(text);
    }
}
