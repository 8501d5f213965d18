//! A pass over rows of which some may fail: no row blocks another, and no stream blocks another. What fails stays where it is,
//! at the front of its listing; the pass looks beyond it. A stream that fails again and again is left for the next pass, so
//! that it does not cost the others their time.

use std::collections::{BTreeMap, HashMap};

use amanah_format::id::{FlowName, PartyId};

use crate::journal::{InboundRow, OutboundRow, Page};

use super::{Pass, ROWS_PER_PASS, Reaction, StageError, Stop};

/// Of one peer no more than this at a time, and then it is looked again who waits: nobody waits for the rest of a backlog.
const ROWS_OF_ONE: u32 = 2;

/// So many rows of one stream may fail in one pass: a few that are damaged do not hold up the rest of it, and a store that
/// takes nothing is not asked ten thousand times.
const FAILURES_MAX: u32 = 8;

/// How many rows of each peer a pass has left where they were.
type Left = BTreeMap<PartyId, u32>;

/// A row of a stream.
pub(super) trait InStream {
    /// Whose stream, and which.
    fn stream(&self) -> Stream;
}

/// The other party and the flow; one direction only, for a stage has no more.
type Stream = (PartyId, Option<FlowName>);

impl InStream for OutboundRow {
    fn stream(&self) -> Stream {
        (self.peer.clone(), Some(self.flow.clone()))
    }
}

impl InStream for InboundRow {
    fn stream(&self) -> Stream {
        (self.peer.clone(), self.flow.clone())
    }
}

/// Takes a few rows of each peer a step forward; where one fails, all the others too, a page after the other, for a pass with an
/// error is followed by a wait. The first error is the pass's.
pub(super) fn each_of_page<T: InStream>(
    stop: &Stop,
    mut rows: impl FnMut(Page<'_>) -> Result<Vec<T>, StageError>,
    mut step: impl FnMut(&T) -> Result<(), StageError>,
) -> Result<Pass, StageError> {
    let mut failures: HashMap<Stream, u32> = HashMap::new();
    let (mut first, mut done, mut left) = (None, 0_usize, Left::new());
    loop {
        // Where something failed, what lies behind it is looked for by whole pages.
        let of_one = if left.is_empty() {
            ROWS_OF_ONE
        } else {
            ROWS_PER_PASS
        };
        let page = rows(Page {
            skip: &left,
            limit: ROWS_PER_PASS,
            of_one,
        })?;
        let is_last = page.is_empty() || (!left.is_empty() && !is_full(page.len()));
        for row in page {
            if stop.is_set() {
                return first.map_or(Ok(Pass::of(done)), Err);
            }
            let failed = failures.entry(row.stream()).or_default();
            if *failed < FAILURES_MAX {
                match step(&row) {
                    Ok(()) => {
                        done += 1;
                        continue;
                    }
                    Err(error) if error.reaction() == Reaction::Halt => return Err(error),
                    Err(error) => {
                        *failed += 1;
                        first = first.or(Some(error));
                    }
                }
            }
            let (peer, _) = row.stream();
            let left = left.entry(peer).or_default();
            *left = left.saturating_add(1);
        }
        if is_last || left.is_empty() {
            return first.map_or(Ok(Pass::of(done)), Err);
        }
    }
}

fn is_full(rows: usize) -> bool {
    u32::try_from(rows).map_or(true, |rows| rows >= ROWS_PER_PASS)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// A number within a stream of this name.
    #[derive(Clone, Debug, PartialEq)]
    struct Row(&'static str, u32);

    impl InStream for Row {
        fn stream(&self) -> Stream {
            ("phu".parse().unwrap(), self.0.parse().ok())
        }
    }

    /// One pass over these rows: what was done, in order, how many steps failed, and whether the pass did.
    fn pass(rows: Vec<Row>, fails: impl Fn(&Row) -> bool) -> (Vec<Row>, usize, bool) {
        let rows = RefCell::new(rows);
        let (mut done, mut failed) = (Vec::new(), 0);
        let listed = |page: Page| {
            let (peer, _) = Row("", 0).stream();
            let skip = page.skip.get(&peer).copied().unwrap_or(0);
            let all = rows.borrow();
            let from = all.iter().skip(usize::try_from(skip).unwrap());
            Ok(from
                .take(usize::try_from(page.limit.min(page.of_one)).unwrap())
                .cloned()
                .collect())
        };
        let step = |row: &Row| {
            if fails(row) {
                failed += 1;
                return Err(StageError::Other("no".to_owned()));
            }
            rows.borrow_mut().retain(|other| other != row);
            done.push(row.clone());
            Ok(())
        };
        let ended = each_of_page(&Stop::default(), listed, step);
        (done, failed, ended.is_err())
    }

    fn many(flow: &'static str, count: u32) -> impl Iterator<Item = Row> {
        (0..count).map(move |number| Row(flow, number))
    }

    #[test]
    fn a_stream_of_which_everything_fails_does_not_hide_another_behind_it() {
        let rows = many("macet", 1000).chain(many("lancar", 3)).collect();
        let (done, failed, is_err) = pass(rows, |row| row.0 == "macet");
        assert_eq!(done, many("lancar", 3).collect::<Vec<_>>());
        assert_eq!(failed, usize::try_from(FAILURES_MAX).unwrap());
        assert!(is_err);
    }

    #[test]
    fn a_few_rows_that_fail_do_not_hold_up_the_rest_of_their_stream() {
        let (done, failed, is_err) = pass(many("satu", 500).collect(), |row| row.1 % 100 == 1);
        assert_eq!((done.len(), failed, is_err), (495, 5, true));
    }

    #[test]
    fn of_one_peer_little_is_done_before_it_is_looked_who_else_waits() {
        let (done, failed, is_err) = pass(many("satu", 500).collect(), |_| false);
        assert_eq!((done.len(), failed, is_err), (2, 0, false));
    }
}
