//! Numbers of a stream of which the journal has no bundle: a row that was taken away, or a bundle that never came. A missing number
//! belongs to a time by its neighbours, because it has none of its own.

use std::collections::BTreeMap;

use amanah_format::id::{AgreementId, Epoch};
use amanahd::journal::Place;

use super::finding::{Finding, What};

/// The numbers of all streams of a flow: which there are, and which of them lie in the time that was asked for.
#[derive(Default)]
pub(super) struct Numbers {
    streams: BTreeMap<(AgreementId, Epoch), Stream>,
}

#[derive(Default)]
struct Stream {
    /// Whether a number is in that time; `None` for numbers that have no bundle, and need none.
    known: BTreeMap<u64, Option<bool>>,
    /// Given to somebody, as far as is known.
    highest: u64,
}

impl Numbers {
    /// A bundle has this number.
    pub(super) fn has(&mut self, place: &Place, is_asked: bool) {
        self.note(place, Some(is_asked));
    }

    /// This number needs no bundle.
    pub(super) fn needs_none(&mut self, place: &Place) {
        self.note(place, None);
    }

    fn note(&mut self, (agreement, epoch, number): &Place, is_asked: Option<bool>) {
        let stream = self.streams.entry((agreement.clone(), *epoch)).or_default();
        stream.known.insert(number.get(), is_asked);
    }

    /// All numbers up to this one were given.
    pub(super) fn reach(&mut self, (agreement, epoch, number): &Place) {
        let stream = self.streams.entry((agreement.clone(), *epoch)).or_default();
        stream.highest = stream.highest.max(number.get());
    }

    /// Each run of missing numbers beside one in that time.
    pub(super) fn gaps(&self) -> Vec<Finding> {
        let streams = self.streams.iter();
        let of = |((_, epoch), stream): (&(AgreementId, Epoch), &Stream)| {
            let epoch = epoch.get();
            let gap = move |(first, last)| Finding {
                what: What::Gap,
                place: Some((epoch, first)),
                last: Some(last),
                manifest: None,
                values: Vec::new(),
            };
            stream.gaps().into_iter().map(gap).collect::<Vec<_>>()
        };
        streams.flat_map(of).collect()
    }
}

impl Stream {
    fn gaps(&self) -> Vec<(u64, u64)> {
        let mut gaps = Vec::new();
        let mut before = (0, false);
        let end = [(self.highest.saturating_add(1), Some(false))];
        let known = self.known.iter().map(|(number, asked)| (*number, *asked));
        for (number, asked) in known.chain(end) {
            // What needs no bundle counts as its neighbour does.
            let is_asked = asked.unwrap_or(before.1);
            if number > before.0 + 1 && (is_asked || before.1) {
                gaps.push((before.0 + 1, number - 1));
            }
            if number > before.0 {
                before = (number, is_asked);
            }
        }
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(number: u64) -> Place {
        (
            "pks-jemaah".parse().unwrap(),
            Epoch::FIRST,
            number.try_into().unwrap(),
        )
    }

    fn found(numbers: &[(u64, bool)], highest: u64) -> Vec<(u64, Option<u64>)> {
        let mut all = Numbers::default();
        for (number, is_asked) in numbers {
            all.has(&place(*number), *is_asked);
        }
        if highest > 0 {
            all.reach(&place(highest));
        }
        let gaps = all.gaps().into_iter();
        gaps.map(|gap| (gap.place.unwrap().1, gap.last)).collect()
    }

    #[test]
    fn every_run_beside_a_number_that_was_asked_for_is_named_once() {
        assert!(found(&[(1, true), (2, true), (3, true)], 3).is_empty());
        assert_eq!(found(&[(1, true), (3, true)], 3), [(2, Some(2))]);
        assert_eq!(found(&[(3, true)], 3), [(1, Some(2))]);
        assert_eq!(found(&[(1, true), (2, true)], 5), [(3, Some(5))]);
        assert_eq!(
            found(&[(2, true), (6, true)], 0),
            [(1, Some(1)), (3, Some(5))]
        );
    }

    #[test]
    fn a_gap_between_other_days_is_not_named() {
        assert!(found(&[(1, false), (4, false), (5, true)], 5).is_empty());
        assert_eq!(found(&[(1, false), (4, true)], 4), [(2, Some(3))]);
    }

    #[test]
    fn numbers_that_need_no_bundle_fill_a_gap() {
        let mut all = Numbers::default();
        all.has(&place(1), true);
        all.needs_none(&place(2));
        all.has(&place(4), true);
        let gaps = all.gaps();
        assert_eq!(gaps.len(), 1);
        assert_eq!((gaps[0].place, gaps[0].last), (Some((1, 3)), Some(3)));
    }
}
