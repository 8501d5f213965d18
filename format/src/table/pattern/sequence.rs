//! Expressions that are one class of characters after the other, the last one perhaps without end: passport numbers, codes, names.
//! Their automaton is a chain, so which byte may stand where is a table, and no byte waits for what the one before it led to. Texts
//! of ASCII only; for others, and for every other expression, the automaton is asked.

use regex_automata::dfa::{Automaton, dense};
use regex_automata::util::primitives::StateID;

/// Most places of a chain: a bit for each.
const PLACES_MAX: usize = 32;
/// Bytes from here on are no ASCII.
const BEYOND: u8 = 0x80;

/// Which bytes may stand where, and where a text may end.
#[derive(Debug, Clone)]
pub(super) struct Sequence {
    /// Of each byte the places where it may stand, the first in the lowest bit.
    places: Box<[u32; 256]>,
    /// The lengths that a text may have.
    ends: u32,
    /// Whatever stands behind this place is held to be at it.
    last: usize,
}

impl Sequence {
    /// None where the automaton is no chain, or too long a one.
    pub(super) fn of(dfa: &dense::DFA<Vec<u32>>, first: StateID) -> Option<Self> {
        let mut sequence = Self {
            places: Box::new([0; 256]),
            ends: 0,
            last: 0,
        };
        let mut state = first;
        for place in 0..PLACES_MAX {
            sequence.last = place;
            let may_end = dfa.is_match_state(dfa.next_eoi_state(state));
            sequence.ends |= u32::from(may_end) << place;
            let mut next = None;
            for (byte, places) in (0..BEYOND).zip(sequence.places.iter_mut()) {
                let to = dfa.next_state(state, byte);
                if dfa.is_dead_state(to) {
                    continue;
                }
                if *next.get_or_insert(to) != to {
                    return None;
                }
                *places |= 1 << place;
            }
            match next {
                Some(next) if next != state => state = next,
                _ => return Some(sequence),
            }
        }
        None
    }

    /// Whether it matches; `None` where that is not to be told here.
    pub(super) fn matches(&self, text: &str) -> Option<bool> {
        let bytes = text.as_bytes();
        let (mut all, mut seen) = (self.ends >> bytes.len().min(self.last), 0);
        let (head, tail) = bytes.split_at(bytes.len().min(self.last));
        for (place, byte) in head.iter().enumerate() {
            seen |= *byte;
            all &= self.places_of(*byte) >> place;
        }
        for byte in tail {
            seen |= *byte;
            all &= self.places_of(*byte) >> self.last;
        }
        (seen < BEYOND).then_some(all & 1 == 1)
    }

    fn places_of(&self, byte: u8) -> u32 {
        let places = self.places.get(usize::from(byte));
        places.copied().unwrap_or_default()
    }
}
