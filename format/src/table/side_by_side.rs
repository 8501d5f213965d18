//! Rows of one table checked in blocks of whole records, on one thread or on several. The caller's cuts the text and takes what each
//! block left behind, in their order, so that nothing of the outcome depends on how the threads ran. Few blocks are under way at a
//! time.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Scope};

use super::batch::Batch;
use super::check::{Check, Plan, RowSink, Rows};
use super::csv::CsvRows;
use super::keys::Key;
use super::lines::Cut;
use super::report::Fault;
use super::rows::Rows as Source;
use super::stretch::{Gathered, Stretch};
use super::value::Value;

/// Blocks that a thread has or waits for.
const BLOCKS_WAITING: usize = 4;

/// Beyond that many the thread that cuts and gathers cannot keep up.
const THREADS_MAX: usize = 4;

/// How many threads a check gains by on the processors that this process may use.
#[must_use]
pub fn check_threads() -> usize {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    processors.min(THREADS_MAX)
}

/// Some records, and the sound ones of them as rows where somebody takes them. Its memory is used again.
struct Block {
    text: Vec<u8>,
    rows: Batch,
}

/// What became of a block.
type Done = io::Result<(Gathered, Block)>;

/// A thread that checks blocks, one after the other.
struct Worker {
    blocks: SyncSender<Block>,
    done: Receiver<Done>,
}

/// Checks all rows that `source` still has, in blocks on this thread.
///
/// # Errors
/// As `check`.
pub(super) fn in_turn(
    check: &mut Check<'_>,
    source: &mut CsvRows<'_>,
    sink: &mut dyn RowSink,
) -> io::Result<()> {
    let mut stretch = Stretch::new(check.plan, check.keys);
    let mut text = Vec::new();
    loop {
        text.clear();
        let end = next_block(source, &mut text);
        let mut block = Source::of_block(text);
        if !check.stretch(&mut stretch, &mut block, u64::MAX, sink)? {
            return Ok(());
        }
        text = block.into_block();
        if let Some(end) = end {
            if let Some(fault) = end? {
                check.broken(fault);
            }
            return Ok(());
        }
    }
}

/// Cuts the next block. `None` where there may be more; otherwise why there is not, which counts after what is in this one.
fn next_block(source: &mut CsvRows<'_>, text: &mut Vec<u8>) -> Option<io::Result<Option<Fault>>> {
    match source.cut(text) {
        Ok(Cut::Full) => None,
        Ok(Cut::End(fault)) => Some(Ok(fault)),
        Err(error) => Some(Err(error)),
    }
}

/// The same on so many threads; `sink` is given what the check gives its own.
///
/// # Errors
/// As `check`; or a thread could not be started.
pub(super) fn rows(
    check: &mut Check<'_>,
    source: &mut CsvRows<'_>,
    threads: usize,
    mut sink: Option<&mut dyn RowSink>,
) -> io::Result<()> {
    let (plan, keys, is_wanted) = (check.plan, check.keys, sink.is_some());
    let form = sink.as_ref().and_then(|sink| sink.form());
    thread::scope(|scope| {
        // Nobody is waited for while something is left to cut, and block n is that of worker n modulo their number.
        let (mut cut, mut taken, mut empty, mut end) = (0, 0, Vec::new(), None);
        let mut workers = Vec::new();
        loop {
            while end.is_none() && cut - taken < threads * BLOCKS_WAITING {
                let mut block = empty.pop().unwrap_or_else(|| Block {
                    text: Vec::new(),
                    rows: Batch::of(form),
                });
                block.text.clear();
                end = next_block(source, &mut block.text);
                if block.text.is_empty() {
                    continue;
                }
                if workers.len() < threads {
                    workers.push(Worker::start(scope, plan, keys, is_wanted)?);
                }
                let worker = of(&workers, cut)?;
                worker.blocks.send(block).map_err(ended_early)?;
                cut += 1;
            }
            if taken == cut {
                break;
            }
            let done = of(&workers, taken)?.done.recv();
            let (gathered, mut block) = done.map_err(ended_early)??;
            taken += 1;
            let more = check.absorb_block(gathered, &mut block.rows, &mut sink)?;
            if !more {
                return Ok(());
            }
            empty.push(block);
        }
        // Only now: what came before it counts first.
        if let Some(fault) = end.transpose()?.flatten() {
            check.broken(fault);
        }
        Ok(())
    })
}

fn of(workers: &[Worker], block: usize) -> io::Result<&Worker> {
    let worker = block.checked_rem(workers.len());
    let worker = worker.and_then(|place| workers.get(place));
    worker.ok_or_else(|| io::Error::other("no thread checks"))
}

fn ended_early<E>(_: E) -> io::Error {
    io::Error::other("a check ended early")
}

impl Check<'_> {
    /// Takes what a block left behind, and hands on its rows unless something refused the table before it.
    fn absorb_block(
        &mut self,
        next: Gathered,
        rows: &mut Batch,
        sink: &mut Option<&mut dyn RowSink>,
    ) -> io::Result<bool> {
        if let Some(sink) = sink
            && !rows.is_empty()
            && !self.refuses()
        {
            rows.follow(self.rows_so_far());
            sink.batch(rows)?;
        }
        rows.clear();
        self.absorb(next)
    }
}

impl Worker {
    fn start<'s>(
        scope: &'s Scope<'s, '_>,
        plan: &'s Plan<'s>,
        keys: &'s [Key],
        is_wanted: bool,
    ) -> io::Result<Self> {
        let (blocks, given) = sync_channel(BLOCKS_WAITING);
        let (taken, done) = sync_channel(BLOCKS_WAITING);
        let thread = thread::Builder::new().name("check-block".to_owned());
        thread.spawn_scoped(scope, move || work(plan, keys, is_wanted, given, &taken))?;
        Ok(Self { blocks, done })
    }
}

/// Until no block comes any more, or nobody wants to know.
fn work(
    plan: &Plan<'_>,
    keys: &[Key],
    is_wanted: bool,
    blocks: Receiver<Block>,
    done: &SyncSender<Done>,
) {
    let mut stretch = Stretch::new(plan, keys);
    for mut block in blocks {
        let text = std::mem::take(&mut block.text);
        let mut source = Source::of_block(text);
        let read = if is_wanted {
            stretch.read(&mut source, u64::MAX, &mut Keeping(&mut block.rows))
        } else {
            stretch.read(&mut source, u64::MAX, &mut Rows)
        };
        block.text = source.into_block();
        if done.send(read.map(|_| (stretch.take(), block))).is_err() {
            return;
        }
    }
}

/// Rows of a block, for the caller's thread.
struct Keeping<'b>(&'b mut Batch);

impl RowSink for Keeping<'_> {
    fn row(&mut self, number: u64, values: &[Value<'_>]) -> io::Result<()> {
        self.0.push(number, values)
    }
}

#[cfg(test)]
mod tests;
