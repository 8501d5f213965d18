//! A table flow's file is checked again on arrival, by this side's own copy of the agreement, while it is written into the store's
//! staging: the store commits only what was sound. The check runs on a thread of its own, fed by what the store reads.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use amanah_format::contents::Contents;
use amanah_format::entry_path::EntryPath;
use amanah_format::open::EntrySink;
use amanah_format::refusal::Refusal;
use amanah_format::table::Checked;

use crate::engine::policy::TableTerms;
use crate::stage::table::check_table;

/// Pieces between the store and the check.
const PIECES_WAITING: usize = 4;

/// The store's sink, and the check beside it.
pub(super) struct Checking<'a> {
    sink: &'a mut dyn EntrySink,
    terms: &'a TableTerms,
    work: PathBuf,
    checked: Option<Checked>,
    /// Entries beyond the first: what is refused anyway is not checked.
    more: bool,
}

impl<'a> Checking<'a> {
    pub(super) fn new(sink: &'a mut dyn EntrySink, terms: &'a TableTerms, work: PathBuf) -> Self {
        Self {
            sink,
            terms,
            work,
            checked: None,
            more: false,
        }
    }

    /// See [`verdict`].
    pub(super) fn verdict(&self, contents: &Contents) -> Result<(), Refusal> {
        verdict(self.checked.as_ref(), self.more, contents)
    }
}

/// Whether the bundle is one table, sound, with the rows and totals that its sender declared.
pub(super) fn verdict(
    checked: Option<&Checked>,
    more: bool,
    contents: &Contents,
) -> Result<(), Refusal> {
    let (Some(checked), [entry], false) = (checked, contents.entries.as_slice(), more) else {
        return Err(Refusal::SchemaMismatch);
    };
    if let Some(refusal) = checked.report.refusal() {
        return Err(refusal);
    }
    let totals = entry.totals.clone().unwrap_or_default();
    let agrees = entry.records == Some(checked.rows) && totals == checked.totals;
    if agrees {
        Ok(())
    } else {
        Err(Refusal::TotalsMismatch)
    }
}

impl EntrySink for Checking<'_> {
    fn entry(&mut self, path: &EntryPath, bytes: u64, content: &mut dyn Read) -> io::Result<()> {
        if self.checked.is_some() {
            self.more = true;
            return self.sink.entry(path, bytes, content);
        }
        let (fed, feed) = sync_channel(PIECES_WAITING);
        let (terms, work) = (self.terms, &self.work);
        let sink = &mut *self.sink;
        let checked = thread::scope(|scope| {
            let thread = thread::Builder::new().name("check-table".to_owned());
            let checking = thread.spawn_scoped(scope, move || {
                let mut feed = Feed {
                    feed,
                    piece: Vec::new(),
                    at: 0,
                };
                check_table(&mut feed, path.as_str(), terms, work, None)
            })?;
            let mut tee = Tee {
                content,
                fed: Some(fed),
            };
            let stored = sink.entry(path, bytes, &mut tee);
            // Without a feeder the check comes to its end.
            drop(tee);
            let checked = checking
                .join()
                .map_err(|_| io::Error::other("a check ended early"))?;
            stored.and(checked)
        })?;
        self.checked = Some(checked);
        Ok(())
    }
}

/// Reads for the store, and feeds the check what was read.
struct Tee<'a> {
    content: &'a mut dyn Read,
    fed: Option<SyncSender<Vec<u8>>>,
}

impl Read for Tee<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.content.read(into)?;
        let piece = into.get(..read).unwrap_or_default();
        // A check that saw enough of a table that cannot be read on takes no more.
        let over = self
            .fed
            .as_ref()
            .is_some_and(|fed| !piece.is_empty() && fed.send(piece.to_vec()).is_err());
        if over {
            self.fed = None;
        }
        Ok(read)
    }
}

/// What the check reads.
struct Feed {
    feed: Receiver<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
}

impl Read for Feed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.piece.len() {
            let Ok(piece) = self.feed.recv() else {
                return Ok(0);
            };
            (self.piece, self.at) = (piece, 0);
        }
        let rest = self.piece.get(self.at..).unwrap_or_default();
        let bytes = rest.len().min(into.len());
        if let (Some(from), Some(to)) = (rest.get(..bytes), into.get_mut(..bytes)) {
            to.copy_from_slice(from);
        }
        self.at = self.at.saturating_add(bytes);
        Ok(bytes)
    }
}
