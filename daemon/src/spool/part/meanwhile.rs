//! A growing part is synced, and its prefix written down, by a thread of its own beside the writing. Joined before the part is
//! given up: nothing is remembered of a part that may be gone, or another's, by then.

use std::fs::File;
use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use super::{Durably, Key, Part, Parts, remember, tell};
use crate::durable;
use crate::spool::{SpoolError, failed};

/// The thread, told up to where all is written.
#[derive(Debug)]
pub(in crate::spool) struct Meanwhile {
    ask: SyncSender<u64>,
    thread: JoinHandle<Result<u64, SpoolError>>,
}

impl Meanwhile {
    /// Starts it.
    pub(super) fn start(part: &Part) -> Result<Self, SpoolError> {
        let io = |source| failed("opening", &part.path, source);
        // Without room to wait in: who asks again waits until what was asked before is done.
        let (ask, asked) = sync_channel(0);
        let work = Work {
            file: part.file.try_clone().map_err(io)?,
            path: part.path.clone(),
            parts: Arc::clone(&part.parts),
            key: part.key.clone(),
        };
        let story = move || asked.iter().try_fold(0, |_, prefix| work.sync(prefix));
        let thread = thread::Builder::new().name("sync-part".to_owned());
        let thread = thread.spawn(story).map_err(io)?;
        Ok(Self { ask, thread })
    }

    /// Asks for the bytes up to `prefix`. False: it has failed, and [`Meanwhile::end`] says how.
    pub(super) fn ask(&self, prefix: u64) -> bool {
        self.ask.send(prefix).is_ok()
    }

    /// The prefix that was synced last; 0 when none was.
    pub(super) fn end(self) -> Result<u64, SpoolError> {
        drop(self.ask);
        let ended = self.thread.join();
        ended.unwrap_or_else(|_| {
            let source = std::io::Error::other("the syncing thread ended early");
            Err(failed("syncing", &PathBuf::new(), source))
        })
    }
}

struct Work {
    file: File,
    path: PathBuf,
    parts: Arc<Mutex<Parts>>,
    key: Key,
}

impl Work {
    fn sync(&self, prefix: u64) -> Result<u64, SpoolError> {
        durable::sync_bytes(&self.file, &self.path)?;
        remember(&self.path, prefix, Durably::No)?;
        tell(&self.parts, &self.key, prefix);
        Ok(prefix)
    }
}
