//! Dice that give the same numbers on every machine: SplitMix64 over (seed, what it is for, number). By no means secret.
//! Any traveller, agency or group can be drawn by its number alone, in any order, so that files which speak of the same
//! people agree without anything being kept in memory.

/// What numbers are drawn for: two purposes never share a sequence.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    Agency,
    Group,
    Block,
    Person,
    Journey,
    Crossing,
    Hajj,
    Query,
    Finding,
    Correction,
    Damage,
}

/// A sequence of numbers.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

/// The increment of SplitMix64: 2^64 divided by the golden ratio.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

fn mixed(state: u64) -> u64 {
    let mut mixed = state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl Dice {
    /// The sequence of one thing.
    pub(crate) fn of(seed: u64, purpose: Purpose, number: u64) -> Self {
        let purpose = match purpose {
            Purpose::Agency => 1,
            Purpose::Group => 2,
            Purpose::Block => 3,
            Purpose::Person => 4,
            Purpose::Journey => 5,
            Purpose::Crossing => 6,
            Purpose::Hajj => 7,
            Purpose::Query => 8,
            Purpose::Finding => 9,
            Purpose::Correction => 10,
            Purpose::Damage => 11_u64,
        };
        let sequence = mixed(seed.wrapping_add(purpose.wrapping_mul(STEP)));
        Self(mixed(sequence ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93)))
    }

    /// The next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mixed(self.0)
    }

    /// 0 to `bound` - 1; 0 where `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.bits().checked_rem(bound).unwrap_or(0)
    }

    /// True `parts` times in a thousand.
    pub(crate) fn happens(&mut self, parts: u64) -> bool {
        self.below(1_000) < parts
    }

    /// One of them.
    pub(crate) fn one_of(&mut self, words: &[&'static str]) -> &'static str {
        let count = u64::try_from(words.len()).unwrap_or(0);
        let place = usize::try_from(self.below(count)).unwrap_or(0);
        words.get(place).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_the_same_on_every_machine() {
        let mut dice = Dice::of(7, Purpose::Person, 42);
        let drawn = [dice.bits(), dice.bits()];
        assert_eq!(drawn, DRAWN);
        assert_ne!(Dice::of(8, Purpose::Person, 42).bits(), drawn[0]);
        assert_ne!(Dice::of(7, Purpose::Journey, 42).bits(), drawn[0]);
        assert_ne!(Dice::of(7, Purpose::Person, 43).bits(), drawn[0]);
    }

    /// What the first run drew: it shall never change, or old seeds mean other files.
    const DRAWN: [u64; 2] = [0x28fe_6beb_7bcd_cf8c, 0x455f_c98c_15e4_c116];

    #[test]
    fn a_rate_is_kept_over_many_draws() {
        let happened = (0..100_000).filter(|n| Dice::of(1, Purpose::Journey, *n).happens(120));
        let happened = happened.count();
        assert!((11_500..12_500).contains(&happened), "{happened}");
    }
}
