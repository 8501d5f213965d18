//! Rows of one table checked on several threads: the caller's cuts the text into blocks of whole records and takes what each left
//! behind, in their order, so that nothing of the outcome depends on how the threads ran. Few blocks are under way at a time.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Scope};

use super::check::{Check, Plan, Rows};
use super::csv::CsvRows;
use super::keys::Key;
use super::rows::{Cut, Lines, Rows as Source};
use super::stretch::{Gathered, Stretch};

/// Blocks that a thread has or waits for.
const BLOCKS_WAITING: usize = 2;

/// Beyond that many the thread that cuts and gathers cannot keep up.
const THREADS_MAX: usize = 4;

/// How many threads a check gains by on the processors that this process may use.
#[must_use]
pub fn check_threads() -> usize {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    processors.min(THREADS_MAX)
}

/// What became of a block, and its room.
type Done = io::Result<(Gathered, Vec<u8>)>;

/// A thread that checks blocks, one after the other.
struct Worker {
    blocks: SyncSender<Vec<u8>>,
    done: Receiver<Done>,
}

/// Checks all rows that `source` still has.
///
/// # Errors
/// As `check`; or a thread could not be started.
pub(super) fn rows(
    check: &mut Check<'_>,
    source: &mut CsvRows<'_>,
    threads: usize,
) -> io::Result<()> {
    let (plan, keys) = (check.plan, check.keys);
    thread::scope(|scope| {
        let workers = (0..threads).map(|_| Worker::start(scope, plan, keys));
        let workers = workers.collect::<io::Result<Vec<_>>>()?;
        // Nobody is waited for while something is left to cut, and block n is that of worker n modulo their number.
        let (mut cut, mut taken, mut rooms, mut end) = (0, 0, Vec::new(), None);
        loop {
            while end.is_none() && cut - taken < threads * BLOCKS_WAITING {
                let mut block: Vec<u8> = rooms.pop().unwrap_or_default();
                block.clear();
                end = match source.cut(&mut block) {
                    Ok(Cut::Full) => None,
                    Ok(Cut::End(fault)) => Some(Ok(fault)),
                    Err(error) => Some(Err(error)),
                };
                if !block.is_empty() {
                    of(&workers, cut)?.blocks.send(block).map_err(ended_early)?;
                    cut += 1;
                }
            }
            if taken == cut {
                break;
            }
            let (gathered, room) = of(&workers, taken)?.done.recv().map_err(ended_early)??;
            taken += 1;
            rooms.push(room);
            if !check.absorb(gathered)? {
                return Ok(());
            }
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

impl Worker {
    fn start<'s>(
        scope: &'s Scope<'s, '_>,
        plan: &'s Plan<'s>,
        keys: &'s [Key],
    ) -> io::Result<Self> {
        let (blocks, given) = sync_channel(BLOCKS_WAITING);
        let (taken, done) = sync_channel(BLOCKS_WAITING);
        let thread = thread::Builder::new().name("check-block".to_owned());
        thread.spawn_scoped(scope, move || work(plan, keys, given, &taken))?;
        Ok(Self { blocks, done })
    }
}

/// Until no block comes any more, or nobody wants to know.
fn work(plan: &Plan<'_>, keys: &[Key], blocks: Receiver<Vec<u8>>, done: &SyncSender<Done>) {
    let mut stretch = Stretch::new(plan, keys);
    for block in blocks {
        let mut bytes = block.as_slice();
        let mut source = Source::new(plan.dialect, Lines::new(&mut bytes), plan.schema);
        let read = stretch.read(&mut source, u64::MAX, &mut Rows);
        drop(source);
        if done.send(read.map(|_| (stretch.take(), block))).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
