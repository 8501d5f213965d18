//! A bound on the work of opening, which no length in the payload bounds by itself. FORMAT.md §7.
//! This crate knows no clock: the caller counts, and is asked before each piece is read, on whichever thread reads it.

use std::io::{self, Read};

use super::{OpenError, layer::Faults};
use crate::refusal::Refusal;

/// Says when the work has gone far enough: true from the moment on at which no more of it is to be done.
pub type Spent<'a> = &'a (dyn Fn() -> bool + Sync);

/// Reads between two questions, where reads may be as short as a tar header: a question costs about as much as one of them.
const READS_UNASKED: u8 = 16;

/// Passes bytes through as long as the work may go on.
pub(super) struct Paced<'a, R> {
    inner: R,
    spent: Spent<'a>,
    faults: &'a Faults,
    unasked: u8,
}

impl<'a, R> Paced<'a, R> {
    /// Nothing is read yet.
    pub(super) fn new(inner: R, spent: Spent<'a>, faults: &'a Faults) -> Self {
        Self {
            inner,
            spent,
            faults,
            unasked: 0,
        }
    }

    /// What was read through it.
    pub(super) fn into_inner(self) -> R {
        self.inner
    }
}

impl<R: Read> Read for Paced<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.unasked == 0 {
            if (self.spent)() {
                self.faults.put(OpenError::Refused(Refusal::PayloadExceeds));
                return Err(io::Error::other(
                    "opening it takes more work than it declares",
                ));
            }
            self.unasked = READS_UNASKED;
        }
        self.unasked -= 1;
        self.inner.read(into)
    }
}
