//! Watches the outbox with inotify and rings a bell; tells what was moved in, closed after writing, or is still being written.
//! Events never prove that something exists: a scan does. Not for writers on other machines of a network share. SPOOL.md §1.
//!
//! What was not heard is not guessed: of a file that was there before its folder was listened to (a start, a new folder, events
//! that the kernel dropped) nobody knows whether somebody has it open still. Such a one is `Unsure`.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::bell::Bell;
use crate::clock::Clock;

mod heed;
mod known;
mod ring;
mod session;

use self::heed::Ear;
use self::known::key_of;
pub use self::ring::Ring;

/// A watch that cannot listen tries again so often.
const LISTEN_AGAIN: Timespec = Timespec {
    tv_sec: 1,
    tv_nsec: 0,
};

/// A running watch; ends when dropped.
pub struct Watch {
    ear: Arc<Mutex<Ear>>,
    root: PathBuf,
    wake: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

/// What the events say of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Renamed in from elsewhere.
    MovedIn {
        /// When, in milliseconds since 1970.
        at_millis: u64,
    },
    /// Closed after writing.
    Closed {
        /// When, in milliseconds since 1970.
        at_millis: u64,
    },
    /// Opened anew or written to, and not closed: the item, or a file in it.
    Writing,
    /// It may have been open before anybody listened, or the events contradict each other.
    Unsure,
}

impl Watch {
    /// Watches `root` and the folders in it, ringing `bell`. `root` holds no link.
    ///
    /// # Errors
    /// [`WatchError`]: missing, not permitted, or no more watches for this user.
    pub fn start(root: &Path, bell: Bell) -> Result<Self, WatchError> {
        let failed = |error: std::io::Error| WatchError {
            path: root.to_owned(),
            reason: error.to_string(),
        };
        let mut ear = Ear::new(root, Clock::default());
        ear.listen_anew().map_err(|errno| failed(errno.into()))?;
        let ear = Arc::new(Mutex::new(ear));
        let (wake, woken) = UnixStream::pair().map_err(failed)?;
        let thread = {
            let ear = Arc::clone(&ear);
            let listener = std::thread::Builder::new().name("watch".to_owned());
            listener.spawn(move || listen(&ear, &bell, woken))
        };
        Ok(Self {
            ear,
            root: root.to_owned(),
            wake: Some(wake),
            thread: Some(thread.map_err(failed)?),
        })
    }

    /// Hears everything that the kernel has told up to now: asked between a scan and what is made of it, so that the scan never
    /// knows more than the events do.
    pub fn catch_up(&self, bell: &Bell) {
        if heed(&mut self.lock(), bell) {
            // The thread waits for the old queue.
            let _ = self.wake.as_ref().map(|mut wake| wake.write(b"!"));
        }
    }

    /// What was heard of the item at `path`, whose inode was made at `born_nanos` (since 1970); none: that it is of this
    /// time, and nothing more.
    #[must_use]
    pub fn heard(&self, path: &Path, born_nanos: i128) -> Option<Heard> {
        let key = key_of(&self.root, path)?;
        self.lock().heard(&key, born_nanos)
    }

    fn lock(&self) -> MutexGuard<'_, Ear> {
        self.ear.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.wake.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// The watch's thread: waits for events until the other end of `woken` is gone.
fn listen(ear: &Mutex<Ear>, bell: &Bell, woken: UnixStream) {
    let lock = || ear.lock().unwrap_or_else(PoisonError::into_inner);
    let mut one = [0_u8; 1];
    loop {
        let queue = lock().queue();
        let mut on = vec![PollFd::new(&woken, PollFlags::IN)];
        let events = queue
            .as_deref()
            .map(|queue| PollFd::new(queue, PollFlags::IN));
        on.extend(events);
        // Interrupted or not: what there is to do is looked at below.
        let _ = poll(&mut on, queue.is_none().then_some(&LISTEN_AGAIN));
        let is_woken = on.first().is_some_and(|woken| !woken.revents().is_empty());
        drop(on);
        if is_woken && !matches!((&woken).read(&mut one), Ok(1)) {
            return;
        }
        heed(&mut lock(), bell);
    }
}

/// Hears, and rings before anybody else hears: who comes after knows that it rang. True: the queue is another one now.
fn heed(ear: &mut Ear, bell: &Bell) -> bool {
    let told = ear.heed();
    if told.ring {
        bell.ring();
    }
    told.is_anew
}

/// Why watching is not possible (then only scans see new items).
#[derive(Debug, thiserror::Error)]
#[error("watching {path}: {reason}")]
pub struct WatchError {
    /// What was to be watched.
    pub path: PathBuf,
    /// What the system said.
    pub reason: String,
}

#[cfg(test)]
mod tests;
