//! A table flow's file is checked before it is sealed: read once here, against the schema that the agreement pins, and once more into
//! the payload. Both readings must have seen the same bytes, or it settles anew. Of a long file both go on side by side; what was
//! encrypted of a table that is not sound goes with the check's verdict, before there is a manifest of it.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ScopedJoinHandle};

use amanah_format::contents::Binding;
use amanah_format::digest::{Digest, HashingReader};
use amanah_format::seal::Sealed;

use crate::catalogue::note::Details;
use crate::durable;
use crate::engine::policy::{Permit, ReturnReason, Size};
use crate::journal::OutboundRow;
use crate::plant::{self, Bug};
use crate::spool::outbox::Source;
use crate::stage::table::{check_table, details, why};

use super::faults::{failed, not_opened};
use super::{NotSealed, Seal, StageError};

/// A shorter table is checked before it is encrypted: another thread would cost more than it saves.
const BESIDE_BYTES_MIN: u64 = 1024 * 1024;

/// A table that was found sound, and what the recipient must find too.
pub(super) struct Sound {
    digest: Digest,
    pub(super) rows: u64,
    pub(super) totals: BTreeMap<String, String>,
}

impl Sound {
    /// Whether what was sealed is what was checked.
    pub(super) fn is_of(&self, sealed: &Digest) -> bool {
        self.digest == *sealed
    }
}

/// What a check found; `None` for a flow that carries files.
type Found = Result<Option<Sound>, NotSealed>;

/// A check that may be under way while its table is encrypted.
pub(super) struct Checking<'s> {
    found: State<'s>,
    /// It found something that refuses.
    unfit: &'s AtomicBool,
}

enum State<'s> {
    Done(Found),
    Beside(ScopedJoinHandle<'s, Found>),
    Told,
}

impl<'s> Checking<'s> {
    /// A reader that fails once the check has refused the table.
    pub(super) fn guard<R: Read>(&self, content: R) -> impl Read + use<'s, R> {
        Heeding {
            content,
            unfit: self.unfit,
        }
    }

    /// What it found, once.
    pub(super) fn sound(&mut self) -> Found {
        match std::mem::replace(&mut self.found, State::Told) {
            State::Done(found) => found,
            State::Beside(thread) => thread.join().unwrap_or_else(|_| {
                let text = "a check ended early".to_owned();
                Err(StageError::Other(text).into())
            }),
            State::Told => Ok(None),
        }
    }
}

struct Heeding<'s, R> {
    content: R,
    unfit: &'s AtomicBool,
}

impl<R: Read> Read for Heeding<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.unfit.load(Ordering::Relaxed) {
            return Err(io::Error::other("the table is not sound"));
        }
        self.content.read(into)
    }
}

impl Seal {
    /// The payload of what was claimed, of a table only where its check lets it through.
    pub(super) fn checked_payload(
        &self,
        (row, sources): (&OutboundRow, &[Source]),
        permit: &Permit,
        binding: &Binding,
    ) -> Result<Sealed<()>, NotSealed> {
        let unfit = AtomicBool::new(false);
        let bytes = sources.iter().map(|source| source.look.bytes);
        if permit.table.is_none() || bytes.fold(0, u64::saturating_add) <= BESIDE_BYTES_MIN {
            let found = Ok(self.tabled(row, sources, permit)?);
            let mut checking = Checking {
                found: State::Done(found),
                unfit: &unfit,
            };
            return self.write_payload((row, sources), &mut checking, permit, binding);
        }
        thread::scope(|scope| {
            let thread = thread::Builder::new().name("check-table".to_owned());
            let thread = thread.spawn_scoped(scope, || {
                let found = self.tabled(row, sources, permit);
                unfit.store(found.is_err(), Ordering::Relaxed);
                found
            });
            let no_thread =
                |error: io::Error| StageError::Other(format!("no thread for a check: {error}"));
            let mut checking = Checking {
                found: State::Beside(thread.map_err(no_thread)?),
                unfit: &unfit,
            };
            let written = self.write_payload((row, sources), &mut checking, permit, binding);
            // The check's word outweighs what its end did to the writing.
            checking.sound().and(written)
        })
    }

    /// `None` for a flow that carries files.
    pub(super) fn tabled(&self, row: &OutboundRow, sources: &[Source], permit: &Permit) -> Found {
        let Some(terms) = &permit.table else {
            return Ok(None);
        };
        let [source] = sources else {
            return Err(NotSealed::Return(ReturnReason::NotAFile));
        };
        if row.items.iter().any(|item| item.is_folder) {
            return Err(NotSealed::Return(ReturnReason::NotAFile));
        }
        let work = self.node.spool.work();
        let file = durable::open_beneath(&source.root, &source.relative)
            .map_err(|error| not_opened(&work, &error))?;
        let mut content = HashingReader::new(self.node.stop.guard(&file));
        let name = source.entry.as_str();
        let checked = check_table(&mut content, name, terms, &work, None)
            .map_err(|error| failed(&work, &error))?;
        let (_, digest, _) = content.finish();
        let refusal = checked
            .report
            .refusal()
            .filter(|_| !plant::has(Bug::TableUnchecked));
        match refusal {
            None => Ok(Some(Sound {
                digest,
                rows: checked.rows,
                totals: checked.totals,
            })),
            Some(refusal) => Err(NotSealed::Unfit(
                why(refusal),
                details(&checked, name, terms),
            )),
        }
    }

    /// The report of a table whose return a restart cut short; none where it cannot be made any more.
    pub(super) fn unfit_again(&self, row: &OutboundRow) -> Option<Details> {
        let sources = self.sources(row).ok()?;
        let size = Size {
            bytes: 0,
            entries: 1,
        };
        let now = self.node.clock.now();
        let permit = self
            .node
            .rules
            .now()
            .may_send(&row.peer, &row.flow, size, now)
            .ok()?;
        match self.tabled(row, &sources, &permit) {
            Err(NotSealed::Unfit(_, details)) => Some(details),
            _ => None,
        }
    }
}
