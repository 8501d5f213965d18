//! A long file that is synced while it is still being written, so that its last sync has little left to wait for.
//! A help, never a promise: whoever wants the file on disk syncs it as always when it is whole. A sync that fails here
//! has failed for the whole process, and the last one says so.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::sync_bytes;

/// A file is synced each time so much came to it: long enough to keep a disk busy, little enough to be soon done.
const SYNCED_EACH_BYTES: u64 = 32 * 1024 * 1024;

/// A file under way.
#[derive(Debug)]
pub struct Steady {
    file: File,
    path: PathBuf,
    unsynced_bytes: u64,
    syncing: Option<Syncing>,
}

/// The thread that syncs, asked by a word.
#[derive(Debug)]
struct Syncing {
    ask: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl Steady {
    /// `path` is what errors say.
    #[must_use]
    pub fn new(file: File, path: &Path) -> Self {
        Self {
            file,
            path: path.to_owned(),
            unsynced_bytes: 0,
            syncing: None,
        }
    }

    /// The file as it is.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// The file itself, not synced to its end.
    #[must_use]
    pub fn finish(self) -> File {
        if let Some(Syncing { ask, thread }) = self.syncing {
            drop(ask);
            // It only syncs: what it failed with is remembered for all.
            let _ = thread.join();
        }
        self.file
    }

    /// Without a thread the last sync has all of it to do.
    fn start(&self) -> io::Result<Syncing> {
        let (ask, asked) = sync_channel(1);
        let (file, path) = (self.file.try_clone()?, self.path.clone());
        let story = move || {
            for () in asked {
                if sync_bytes(&file, &path).is_err() {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("sync-meanwhile".to_owned());
        let thread = thread.spawn(story)?;
        Ok(Syncing { ask, thread })
    }
}

impl Write for Steady {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        let more = u64::try_from(written).unwrap_or(u64::MAX);
        self.unsynced_bytes = self.unsynced_bytes.saturating_add(more);
        if self.unsynced_bytes >= SYNCED_EACH_BYTES {
            self.unsynced_bytes = 0;
            if self.syncing.is_none() {
                self.syncing = self.start().ok();
            }
            if let Some(syncing) = &self.syncing {
                // Still busy with what it was asked before: that one goes on to what came since.
                let _ = syncing.ask.try_send(());
            }
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_written_as_any_other_and_synced_meanwhile() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("long");
        let mut steady = Steady::new(File::create(&path).unwrap(), &path);
        let piece: Vec<u8> = (0_u8..251).cycle().take(1 << 20).collect();
        for _ in 0..70 {
            steady.write_all(&piece).unwrap();
        }
        assert!(steady.syncing.is_some());
        super::super::sync(&steady.finish(), &path).unwrap();
        assert!(std::fs::read(&path).unwrap() == piece.repeat(70));
    }

    #[test]
    fn a_short_file_needs_no_thread() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("short");
        let mut steady = Steady::new(File::create(&path).unwrap(), &path);
        steady.write_all(b"abc").unwrap();
        assert!(steady.syncing.is_none());
        drop(steady.finish());
        assert_eq!(std::fs::read(&path).unwrap(), b"abc");
    }
}
