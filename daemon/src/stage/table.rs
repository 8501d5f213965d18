//! A table is checked beneath `work/`, before sealing and before importing, by the same code: what spills while its keys are sorted
//! is a file without a name, which is gone when the check is, however it ends. What spills is hashes, never a value. Where the table
//! is read for something else, the check runs beside that, and is given the very bytes that came of the one reading.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use amanah_format::refusal::Refusal;
use amanah_format::table::{Checked, Dialect, Plan, RowSink, Spill, check_on, check_threads};

use crate::catalogue::Language;
use crate::catalogue::note::Details;
use crate::catalogue::table::Shown;
use crate::engine::policy::{ReturnReason, TableTerms};

/// Pieces that were read and wait for a check that runs beside.
const PIECES_WAITING: usize = 8;

/// The spill of one check: made when it is first needed.
struct Scratch {
    folder: PathBuf,
    file: Option<File>,
}

impl Spill for Scratch {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => tempfile::tempfile_in(&self.folder)?,
        };
        let written = file.write_all(bytes);
        self.file = Some(file);
        written
    }

    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let file = self.file.as_ref().ok_or(io::ErrorKind::UnexpectedEof)?;
        file.read_exact_at(into, offset)
    }
}

/// Checks a table by its flow's terms, on several threads; `name` tells the dialect. A sink is given the rows, of which those before a
/// faulty one have come by then.
///
/// # Errors
/// The reader's, the spill's or the sink's; or there is no thread for it.
pub(crate) fn check_table(
    content: &mut dyn Read,
    name: &str,
    terms: &TableTerms,
    work: &Path,
    rows: Option<&mut dyn RowSink>,
) -> io::Result<Checked> {
    let mut key = [0_u8; 16];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    let plan = Plan {
        schema: &terms.schema,
        dialect: Dialect::of_name(name),
        rows_max: terms.rows_max,
        totals: &terms.totals,
        key,
    };
    let mut scratch = Scratch {
        folder: work.to_owned(),
        file: None,
    };
    check_on(check_threads(), content, &plan, &mut scratch, rows)
}

/// Checks a table on a thread of its own while `take` reads it: what `take` came to, and what the check found in all that it read.
///
/// # Errors
/// There is no thread for it. The others are in the pair: `take`'s comes first, for the check then saw a part only.
pub(crate) fn check_beside<R: Read, T>(
    content: R,
    name: &str,
    terms: &TableTerms,
    work: &Path,
    take: impl FnOnce(&mut Tee<R>) -> T,
) -> io::Result<(T, io::Result<Checked>)> {
    let (fed, waiting) = sync_channel(PIECES_WAITING);
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("check-table".to_owned());
        let checking = thread.spawn_scoped(scope, move || {
            let mut feed = Feed {
                waiting,
                piece: Vec::new(),
                at: 0,
            };
            check_table(&mut feed, name, terms, work, None)
        })?;
        let mut tee = Tee {
            content,
            fed: Some(fed),
        };
        let taken = take(&mut tee);
        // Without a feeder the check comes to its end.
        drop(tee);
        let checked = checking.join();
        let ended_early = |_| Err(io::Error::other("a check ended early"));
        Ok((taken, checked.unwrap_or_else(ended_early)))
    })
}

/// Reads, and feeds the check what was read.
pub(crate) struct Tee<R> {
    content: R,
    fed: Option<SyncSender<Vec<u8>>>,
}

impl<R: Read> Read for Tee<R> {
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
    waiting: Receiver<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
}

impl Read for Feed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.piece.len() {
            let Ok(piece) = self.waiting.recv() else {
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

/// The report in both languages, for the note beside a returned table.
pub(crate) fn details(checked: &Checked, name: &str, terms: &TableTerms) -> Details {
    let dialect = Dialect::of_name(name);
    let lines = |language| {
        let shown = Shown {
            language,
            dialect,
            schema: &terms.schema,
        };
        shown.lines(checked).join("\n")
    };
    Details {
        id: lines(Language::Indonesian),
        en: lines(Language::English),
    }
}

/// Why a table that a check refuses is not sent.
pub(crate) const fn why(refusal: Refusal) -> ReturnReason {
    if matches!(refusal, Refusal::TooLarge) {
        ReturnReason::TooLarge
    } else {
        ReturnReason::Refused(refusal)
    }
}
