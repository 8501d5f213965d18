//! Opening a home: its folders and their modes, its lock, and the removal of what a crash left half-written.
//! The modes are the ones of SPOOL.md §1, and a start mends them; a link in place of a folder is refused. What a sweep
//! removes bears a temporary name in a folder into which only the daemon writes.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use amanah_format::home;
use amanah_format::id::{FlowName, PartyId};
use rustix::fs::{FlockOperation, Mode, OFlags};

use super::{Spool, SpoolError, failed};
use crate::durable;

/// Where the notes of quarantined bundles lie, readable by operators; the bundles themselves are the daemon's alone.
pub(super) const QUARANTINE_NOTES: &str = "quarantine";
/// Where revocations that came by wire are kept: what narrows acts from the wire.
pub(super) const REVOCATIONS: &str = "spool/revocations";
/// Where slips that gave a number up are kept: why the receipt says so.
pub(super) const VOIDS: &str = "spool/voids";
/// The daemon's alone.
pub(super) const MODE_OWN: u32 = 0o700;
/// Operators read.
pub(super) const MODE_SHOWN: u32 = 0o2750;
/// Operators write.
pub(super) const MODE_DROP: u32 = 0o2770;
/// A text that operators read.
pub(super) const MODE_TEXT: u32 = 0o640;
/// How deep below the home a sweep looks for temporary names: `spool/archive/sent/PEER/NAME`.
const SWEEP_DEPTH: usize = 4;

/// Folders of every home, with their modes.
const FOLDERS: [(&str, u32); 22] = [
    (home::WORK, MODE_OWN),
    (home::QUEUE, MODE_OWN),
    (home::INCOMING, MODE_OWN),
    (home::QUARANTINE, MODE_OWN),
    (home::ARCHIVE, MODE_OWN),
    (REVOCATIONS, MODE_OWN),
    (VOIDS, MODE_OWN),
    (home::OUTBOX, MODE_DROP),
    (home::REQUESTS, MODE_DROP),
    (home::RETURNED, MODE_SHOWN),
    (home::SENT, MODE_SHOWN),
    (home::RECEIPTS, MODE_SHOWN),
    (home::DESTRUCTIONS, MODE_SHOWN),
    (home::LEDGER, MODE_SHOWN),
    (home::LEDGER_COSIGNED, MODE_SHOWN),
    (home::LEDGER_PEERS, MODE_SHOWN),
    (home::CARDS_TAKEN, MODE_SHOWN),
    (home::CARDS_OFFERED, MODE_SHOWN),
    (QUARANTINE_NOTES, MODE_SHOWN),
    (home::STICK_OUT, MODE_SHOWN),
    (home::STICK_IN, MODE_SHOWN),
    (home::SPOOL, MODE_OWN),
];

impl Spool {
    /// Makes missing folders with their modes (`spool` and what is below 0700; `outbox`, `requests` 2770; what operators only read
    /// 2750), takes `spool/lock` (a second daemon on one home is refused), and removes temporary names that a crash left.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn open(home: &Path, peers: &[PartyId]) -> Result<Self, SpoolError> {
        let home = home.canonicalize().map_err(|source| {
            if source.kind() == io::ErrorKind::NotFound {
                SpoolError::Missing(home.to_owned())
            } else {
                failed("opening", home, source)
            }
        })?;
        durable::ensure_folder_beneath(&home, Path::new(home::SPOOL), MODE_OWN)?;
        let spool = Self {
            lock: lock(&home)?,
            outbox: OnceLock::new(),
            home,
            parts: Arc::default(),
            ledger: Mutex::default(),
            moved: Mutex::default(),
        };
        for (folder, mode) in FOLDERS {
            spool.ensure(folder, mode)?;
        }
        // The store may lie on another disk behind a link of the sysadmin's; only a missing inbox is made.
        if spool.home.join(home::INBOX).symlink_metadata().is_err() {
            spool.ensure(home::INBOX, MODE_SHOWN)?;
        }
        for peer in peers {
            spool.add_peer(peer)?;
        }
        if let Some(outbox) = durable::identity_of(spool.outboxes().metadata()) {
            let _ = spool.outbox.set(outbox);
        }
        spool.sweep_temporary();
        spool.sweep_sticks();
        Ok(spool)
    }

    /// Makes a peer's folders: at start, and when a card is added while the daemon runs.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn add_peer(&self, peer: &PartyId) -> Result<(), SpoolError> {
        for folder in [
            home::queue(peer),
            home::incoming(peer),
            home::archive_sent(peer),
            home::archive_received(peer),
        ] {
            self.ensure(&folder, MODE_OWN)?;
        }
        self.ensure(&home::receipts_sent(peer), MODE_SHOWN)?;
        self.ensure(&home::receipts_received(peer), MODE_SHOWN)?;
        self.ensure(&format!("{}/{peer}", home::OUTBOX), MODE_DROP)
    }

    /// Makes the outbox folders of the flows that may be sent to a peer. Others are left: what lies there is returned.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn make_outbox(&self, peer: &PartyId, flows: &[FlowName]) -> Result<(), SpoolError> {
        self.ensure(&format!("{}/{peer}", home::OUTBOX), MODE_DROP)?;
        for flow in flows {
            self.ensure(&home::outbox(peer, flow), MODE_DROP)?;
        }
        Ok(())
    }

    /// Makes one folder of the home, or mends its mode.
    pub(super) fn ensure(&self, folder: &str, mode: u32) -> Result<(), SpoolError> {
        self.is_there()?;
        Ok(durable::ensure_folder_beneath(
            &self.home,
            Path::new(folder),
            mode,
        )?)
    }

    /// Removes what writes that a crash cut short left, in folders that only we write. Best effort: it is only waste.
    fn sweep_temporary(&self) {
        for folder in [
            home::SPOOL,
            home::RECEIPTS,
            home::DESTRUCTIONS,
            home::LEDGER,
            home::SENT,
            home::RETURNED,
            QUARANTINE_NOTES,
        ] {
            durable::sweep(&self.home.join(folder), SWEEP_DEPTH);
        }
        durable::sweep(&self.home, 0);
    }
}

/// Takes the lock of a home.
fn lock(home: &Path) -> Result<File, SpoolError> {
    let path = home.join(home::LOCK);
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::open(&path, flags, Mode::from_raw_mode(0o600))
        .map_err(|errno| failed("opening", &path, errno))?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(File::from(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(SpoolError::Locked(home.to_owned())),
        Err(errno) => Err(failed("locking", &path, errno)),
    }
}
