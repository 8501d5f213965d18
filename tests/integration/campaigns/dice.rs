//! Randomness that can be had again: SplitMix64 from a seed that every campaign prints.
//! Nothing here asks the system.

/// A source of random numbers.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    /// The same seed gives the same numbers.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub(super) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of 0, 1, … `end` - 1; the bias of the remainder is of no weight here.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.roll() % end.max(1)
    }

    /// True in `percent` of a hundred.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of them.
    pub(super) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let index = self.below(all.len().try_into().unwrap());
        &all[usize::try_from(index).unwrap()]
    }

    /// Lower-case letters and digits, as hard to compress as such text is.
    pub(super) fn text(&mut self, bytes: u64) -> String {
        const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let mut text = String::new();
        let mut left = bytes;
        while left > 0 {
            let mut bits = self.roll();
            for _ in 0..left.min(12) {
                text.push(char::from(LETTERS[usize::try_from(bits & 31).unwrap()]));
                bits >>= 5;
            }
            left = left.saturating_sub(12);
        }
        text
    }
}

#[test]
fn the_same_seed_gives_the_same_numbers_and_another_seed_others() {
    let rolls = |seed| -> Vec<u64> {
        let mut dice = Dice::new(seed);
        (0..8).map(|_| dice.roll()).collect()
    };
    assert_eq!(rolls(7), rolls(7));
    assert_ne!(rolls(7), rolls(8));
    let mut dice = Dice::new(1);
    assert_eq!(dice.text(1000).len(), 1000);
    assert!((0..1000).all(|_| dice.below(6) < 6));
    assert!((0..100).all(|_| !dice.chance(0) && dice.chance(100)));
}
