//! Which bytes of an arriving file are there: a few sorted intervals, no two of them touching.
//! Pure, and bounded in number, so that a sender who leaves holes everywhere costs no memory.

use std::ops::Range;

/// Most intervals: a sender with this many holes does not send in any order that makes sense.
pub(super) const INTERVALS_MAX: usize = 1_024;

/// Sorted, disjoint, not touching, none empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Intervals(Vec<Range<u64>>);

impl Intervals {
    /// The bytes from 0 to `end`.
    pub(super) fn up_to(end: u64) -> Self {
        let mut all = Self::default();
        all.insert(0..end);
        all
    }

    /// Length from 0 without a hole.
    pub(super) fn prefix(&self) -> u64 {
        self.0
            .first()
            .filter(|first| first.start == 0)
            .map_or(0, |first| first.end)
    }

    /// The end of the last interval.
    pub(super) fn end(&self) -> u64 {
        self.0.last().map_or(0, |last| last.end)
    }

    /// How many bytes before the end are missing.
    pub(super) fn missing(&self) -> u64 {
        let there: u64 = self.0.iter().map(|range| range.end - range.start).sum();
        self.end() - there
    }

    /// Whether [`Self::insert`] keeps to [`INTERVALS_MAX`].
    pub(super) fn has_room_for(&self, new: &Range<u64>) -> bool {
        let (from, to) = self.touched_by(new);
        from < to || self.0.len() < INTERVALS_MAX
    }

    /// Adds bytes that are there now.
    pub(super) fn insert(&mut self, new: Range<u64>) {
        if new.is_empty() {
            return;
        }
        let (from, to) = self.touched_by(&new);
        let touched = self.0.get(from..to).unwrap_or_default();
        let start = touched
            .first()
            .map_or(new.start, |first| first.start.min(new.start));
        let end = touched.last().map_or(new.end, |last| last.end.max(new.end));
        self.0.splice(from..to, std::iter::once(start..end));
    }

    /// Which intervals overlap or touch a new one.
    fn touched_by(&self, new: &Range<u64>) -> (usize, usize) {
        let from = self.0.partition_point(|range| range.end < new.start);
        let to = self.0.partition_point(|range| range.start <= new.end);
        (from, to)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_head_that_comes_last_closes_the_hole_before_it() {
        let mut there = Intervals::default();
        there.insert(16..100);
        assert_eq!((there.prefix(), there.end(), there.missing()), (0, 100, 16));
        there.insert(0..16);
        assert_eq!(
            (there.prefix(), there.end(), there.missing()),
            (100, 100, 0)
        );
        assert_eq!(there, Intervals::up_to(100));
    }

    #[test]
    fn more_holes_than_the_bound_find_no_room_but_filling_one_does() {
        let mut there = Intervals::default();
        for place in 0..u64::try_from(INTERVALS_MAX).unwrap() {
            assert!(there.has_room_for(&(place * 4..place * 4 + 1)));
            there.insert(place * 4..place * 4 + 1);
        }
        assert!(!there.has_room_for(&(1 << 40..(1 << 40) + 1)));
        assert!(there.has_room_for(&(1..2)));
        assert!(there.has_room_for(&(1..4)));
    }

    proptest! {
        #[test]
        fn intervals_say_the_same_as_a_map_of_bytes(writes in prop::collection::vec((0_u64..64, 0_u64..16), 0..40)) {
            let mut there = Intervals::default();
            let mut map = [false; 80];
            for (start, length) in writes {
                there.insert(start..start + length);
                for at in start..start + length {
                    map[usize::try_from(at).unwrap()] = true;
                }
            }
            let prefix = map.iter().take_while(|there| **there).count();
            let end = map.iter().rposition(|there| *there).map_or(0, |last| last + 1);
            let missing = map[..end].iter().filter(|there| !**there).count();
            prop_assert_eq!(there.prefix(), u64::try_from(prefix).unwrap());
            prop_assert_eq!(there.end(), u64::try_from(end).unwrap());
            prop_assert_eq!(there.missing(), u64::try_from(missing).unwrap());
            prop_assert!(there.0.windows(2).all(|pair| pair[0].end < pair[1].start));
        }
    }
}
