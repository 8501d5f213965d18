//! What each event means for what is known. Where two orders of the same acts leave the same events (an exchange of names, a
//! write in the very moment of a rename), nothing is guessed: the names become unsure.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use amanah_format::home;
use rustix::fs::inotify::ReadFlags;
use rustix::io::Errno;

use super::Heard;
use super::known::{ITEM_DEPTH, Key, Known, Mark, depth, folder_of, item_of, joined, name_of};
use super::session::{EVENTS_MAX, Session, Told};
use crate::clock::Clock;

mod moves;

use self::moves::Moving;

/// Who makes events faster than they are read does not hold us for ever.
const ROUNDS_MAX: usize = 64;

/// What listens.
pub(super) struct Ear {
    root: PathBuf,
    clock: Clock,
    /// None: nothing can be heard now.
    session: Option<Session>,
    known: Known,
    moving: VecDeque<Moving>,
    /// The last move within the outbox: from where to where.
    last: Option<(Key, Key)>,
}

/// What came of listening.
#[derive(Default)]
pub(super) struct Outcome {
    /// Something may be there that no scan has seen.
    pub(super) ring: bool,
    /// The queue is another one now.
    pub(super) is_anew: bool,
}

impl Ear {
    /// One that hears nothing yet.
    pub(super) fn new(root: &Path, clock: Clock) -> Self {
        Self {
            root: root.to_owned(),
            clock,
            session: None,
            known: Known::default(),
            moving: VecDeque::new(),
            last: None,
        }
    }

    /// Forgets everything and listens from now on.
    pub(super) fn listen_anew(&mut self) -> Result<(), Errno> {
        self.known.forget_all();
        self.moving.clear();
        self.last = None;
        self.session = None;
        let session = Session::open(&self.root, &now_of(&self.clock))?;
        self.session = Some(session);
        Ok(())
    }

    /// The queue to wait for.
    pub(super) fn queue(&self) -> Option<Arc<OwnedFd>> {
        let session = self.session.as_ref()?;
        Some(Arc::clone(&session.queue))
    }

    /// Takes in everything that was told up to now.
    pub(super) fn heed(&mut self) -> Outcome {
        let mut outcome = Outcome::default();
        for _ in 0..ROUNDS_MAX {
            let (some, is_all) = self.heed_some();
            outcome.ring |= some.ring;
            outcome.is_anew |= some.is_anew;
            if is_all {
                break;
            }
        }
        outcome
    }

    /// Takes in some of it; whether that was all.
    fn heed_some(&mut self) -> (Outcome, bool) {
        let told = match &self.session {
            Some(session) => session.read(),
            None => return (self.tried_again(), true),
        };
        let is_all = told.len() < EVENTS_MAX;
        let mut ring = false;
        for one in told {
            let is_lost = self.is_lost(&one);
            ring |= !is_lost && self.one(&one);
            if is_lost || self.session.is_none() {
                tracing::info!(
                    "events of the outbox were lost: what may still be open waits for its quiet period"
                );
                let _ = self.listen_anew();
                let anew = Outcome {
                    ring: true,
                    is_anew: true,
                };
                return (anew, true);
            }
        }
        let is_anew = false;
        (Outcome { ring, is_anew }, is_all)
    }

    /// What is known of an item.
    pub(super) fn heard(&self, key: &[u8], born_nanos: i128) -> Option<Heard> {
        match self.known.mark(key) {
            Some(Mark::Writing) => Some(Heard::Writing),
            _ if self.known.is_written_below(key) => Some(Heard::Writing),
            // Perhaps only to be read: nobody is told which.
            _ if self.known.is_open(key) => Some(Heard::Unsure),
            Some(Mark::Closed(at_millis)) => Some(Heard::Closed { at_millis }),
            Some(Mark::MovedIn(at_millis)) => Some(Heard::MovedIn { at_millis }),
            Some(Mark::Unsure) => Some(Heard::Unsure),
            Some(Mark::Made) | None => {
                let is_of_this_time = |since| born_nanos > since;
                let whole_life = self.since(folder_of(key)).is_some_and(is_of_this_time);
                (!whole_life).then_some(Heard::Unsure)
            }
        }
    }

    fn since(&self, folder: &[u8]) -> Option<i128> {
        self.session.as_ref()?.since_nanos(folder)
    }

    fn tried_again(&mut self) -> Outcome {
        let is_anew = self.listen_anew().is_ok();
        Outcome {
            ring: is_anew,
            is_anew,
        }
    }

    /// Whether events are missing after this one, or the outbox is elsewhere now.
    fn is_lost(&self, told: &Told) -> bool {
        let ends = ReadFlags::IGNORED | ReadFlags::MOVE_SELF | ReadFlags::UNMOUNT;
        let path = self
            .session
            .as_ref()
            .and_then(|session| session.path_of(told.watch));
        told.flags.contains(ReadFlags::QUEUE_OVERFLOW)
            || (path.is_some_and(Vec::is_empty) && told.flags.intersects(ends))
    }

    /// One event; whether a scan should look.
    fn one(&mut self, told: &Told) -> bool {
        let Some(session) = &mut self.session else {
            return false;
        };
        let Some(folder) = session.path_of(told.watch) else {
            return false;
        };
        let key = match &told.name {
            Some(name) => joined(folder, name),
            None => {
                if told.flags.contains(ReadFlags::IGNORED) {
                    session.ended(told.watch);
                }
                return false;
            }
        };
        let is_folder = told.flags.contains(ReadFlags::ISDIR);
        let is_claim = name_of(&key).starts_with(home::CLAIM_PREFIX.as_bytes());
        if let Some(ring) = self.looked_at(&key, told.flags, is_folder) {
            return ring && !is_claim;
        }
        let ring = if told.flags.contains(ReadFlags::CREATE) {
            self.made(&key, is_folder)
        } else if told.flags.contains(ReadFlags::MODIFY) {
            !is_folder && self.modified(&key)
        } else if told.flags.contains(ReadFlags::CLOSE_WRITE) {
            self.closed(&key)
        } else if told.flags.contains(ReadFlags::DELETE) {
            self.known.take(&key);
            self.known.take_opens(&key);
            depth(&key) < ITEM_DEPTH
        } else if told.flags.contains(ReadFlags::MOVED_FROM) {
            self.left(&key, told.cookie)
        } else if told.flags.contains(ReadFlags::MOVED_TO) {
            self.came(&key, told.cookie, is_folder)
        } else {
            return false;
        };
        self.touch_item_of(&key);
        ring && !is_claim
    }

    fn made(&mut self, key: &Key, is_folder: bool) -> bool {
        let now = now_of(&self.clock);
        if is_folder {
            // What is made in it before it is listened to is unsure.
            let _ = self
                .session
                .as_mut()
                .map(|session| session.listen(key, &now));
            return true;
        }
        let path = self.session.as_ref().map(|session| session.path(key));
        let ring = self.remember(key, Mark::Made);
        // Of a second name, a link, a FIFO nothing more may be told. What has another name by now is told of again.
        ring || path
            .and_then(|path| path.symlink_metadata().ok())
            .is_some_and(|metadata| !metadata.is_file() || metadata.nlink() != 1)
    }

    /// An opening, or a close without a write: whether a scan should look. None: it was something else.
    fn looked_at(&mut self, key: &Key, flags: ReadFlags, is_folder: bool) -> Option<bool> {
        if flags.contains(ReadFlags::CLOSE_NOWRITE) {
            let was_last = !is_folder && self.known.is_open(key) && self.known.closed(key);
            if was_last && self.known.mark(key) == Some(Mark::Writing) {
                return Some(self.closed(key));
            }
            return Some(was_last && depth(key) <= ITEM_DEPTH);
        }
        if !flags.contains(ReadFlags::OPEN) {
            return None;
        }
        let fits = is_folder || self.known.opened(key);
        if !fits {
            self.session = None;
        }
        let is_new = self.known.mark(key) == Some(Mark::Made);
        Some(!fits || (is_new && self.remember(key, Mark::Writing)))
    }

    /// Written to, or cut, or its time was set. That is no open writer where nobody has opened it, but perhaps one of before.
    fn modified(&mut self, key: &Key) -> bool {
        let mark = match self.known.mark(key) {
            Some(Mark::Writing) => return false,
            _ if self.known.is_open(key) => Mark::Writing,
            Some(Mark::Closed(_)) => Mark::Closed(self.clock.unix_millis()),
            // The quiet period of its folder begins anew by itself.
            _ if depth(key) > ITEM_DEPTH => return false,
            Some(Mark::Made | Mark::MovedIn(_) | Mark::Unsure) | None => Mark::Unsure,
        };
        self.remember(key, mark)
    }

    fn closed(&mut self, key: &Key) -> bool {
        self.known.closed(key);
        if depth(key) > ITEM_DEPTH {
            self.known.forget(key);
            return false;
        }
        self.remember(key, Mark::Closed(self.clock.unix_millis()));
        true
    }

    /// A change inside an item takes back that it was moved in.
    fn touch_item_of(&mut self, key: &[u8]) {
        if depth(key) > ITEM_DEPTH
            && let Some(item) = item_of(key)
            && matches!(self.known.mark(item), Some(Mark::MovedIn(_)))
        {
            self.known.forget(item);
        }
    }

    /// Remembers; true: there was too much. Then this session is worth nothing any more.
    fn remember(&mut self, key: &[u8], mark: Mark) -> bool {
        let fits = self.known.remember(key, mark);
        if !fits {
            self.session = None;
        }
        !fits
    }
}

/// The moment, rounded up: whatever was made before has no later birth.
fn now_of(clock: &Clock) -> impl Fn() -> i128 + use<> {
    let clock = clock.clone();
    move || i128::from(clock.unix_millis().saturating_add(1)) * 1_000_000
}
