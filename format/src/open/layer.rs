//! Which layer failed first: the bundle's file, age, or zstd. FORMAT.md §7.
//!
//! Each layer passes the error of the layer beneath it on as its own, and a sink may wrap it again. Each is therefore
//! watched where it is read, and the first fault is kept: whose fault it is decides between a refusal and a retry.

use std::io::{self, BufRead, Read};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::OpenError;
use crate::refusal::Refusal;

/// What is read through a [`Watched`].
#[derive(Clone, Copy)]
pub(super) enum Layer {
    /// The ciphertext as this machine reads it.
    Source,
    /// Plaintext out of age.
    Cipher,
    /// The tar out of zstd, and contents out of the tar.
    Frame,
}

/// The first fault of some layers, which may be read on another thread.
#[derive(Default)]
pub(super) struct Faults(Mutex<Option<OpenError>>);

impl Faults {
    /// Ends the watch.
    pub(super) fn take(&self) -> Option<OpenError> {
        self.first().take()
    }

    /// What was met beyond the point to which anybody read is no fault.
    pub(super) fn forget(&self) {
        *self.first() = None;
    }

    fn first(&self) -> MutexGuard<'_, Option<OpenError>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a fault of no layer.
    pub(super) fn put(&self, fault: OpenError) {
        self.first().get_or_insert(fault);
    }

    fn note(&self, layer: Layer, error: io::Error) {
        self.first().get_or_insert_with(|| match layer {
            Layer::Source => OpenError::Io(error),
            Layer::Cipher => OpenError::Refused(Refusal::DecryptionFailed),
            Layer::Frame => OpenError::Refused(Refusal::PayloadMalformed),
        });
    }
}

/// Passes bytes through and notes a failure.
pub(super) struct Watched<'a, R> {
    inner: R,
    faults: &'a Faults,
    layer: Layer,
}

impl<'a, R: Read> Watched<'a, R> {
    /// Nothing is read yet.
    pub(super) fn new(inner: R, faults: &'a Faults, layer: Layer) -> Self {
        Self {
            inner,
            faults,
            layer,
        }
    }
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.inner.read(into).map_err(|error| {
            let kind = error.kind();
            // Not a failure: whoever reads tries again.
            if kind == io::ErrorKind::Interrupted {
                return error;
            }
            self.faults.note(self.layer, error);
            kind.into()
        })
    }
}

/// Passes on what was read ahead on another thread: a fault met there counts only where the reading came to it, so that the answer
/// to a payload with two faults does not depend on how threads ran.
pub(super) struct Reached<'a, R> {
    inner: R,
    ahead: &'a Faults,
    faults: &'a Faults,
}

impl<'a, R: BufRead> Reached<'a, R> {
    /// Faults of `ahead` become those of `faults`.
    pub(super) fn new(inner: R, ahead: &'a Faults, faults: &'a Faults) -> Self {
        Self {
            inner,
            ahead,
            faults,
        }
    }
}

impl<R: BufRead> Read for Reached<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Reached<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let (ahead, faults) = (self.ahead, self.faults);
        self.inner.fill_buf().inspect_err(|_| {
            if let Some(fault) = ahead.take() {
                faults.put(fault);
            }
        })
    }

    fn consume(&mut self, read: usize) {
        self.inner.consume(read);
    }
}
