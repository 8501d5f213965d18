//! What is kept as evidence or for a person: receipts, destruction records, archived bundles, quarantine and its notes, revocations.
//! A receipt or revocation is never written over and never removed. The bundles themselves are readable by the daemon
//! alone; operators see the notes. Moves are done once, and found done after a crash. SPOOL.md §1.

use std::io;
use std::path::{Path, PathBuf};

use amanah_format::destruction;
use amanah_format::digest::Digest;
use amanah_format::home;
use amanah_format::id::PartyId;
use amanah_format::receipt;
use amanah_format::time::UtcTime;

use super::{
    MODE_SHOWN, MODE_TEXT, QUARANTINE_NOTES, REVOCATIONS, Spool, SpoolError, VOIDS, failed, plain,
};
use crate::durable::{self, DurableError};

/// Whose receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// We signed it.
    Issued,
    /// The peer did.
    Received,
}

/// Why something lies in quarantine: shown by `amanah quarantine`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct QuarantineNote {
    /// Its name on the wire.
    pub name: String,
    /// Who sent it.
    pub peer: PartyId,
    /// The refusal code, or what else was found.
    pub code: String,
    /// When.
    pub time: UtcTime,
    /// How long it is.
    pub bytes: u64,
    /// `refused`, `held` or `dropped` (then only this note is left of it).
    pub state: String,
}

impl Spool {
    /// Keeps a receipt as evidence: `receipts/{sent,received}/PEER/HEX.receipt.amanah`. The same again changes nothing.
    ///
    /// # Errors
    /// [`SpoolError`]; `Exists` when another receipt for this bundle is kept already: evidence is never written over.
    pub fn keep_receipt(
        &self,
        side: Side,
        peer: &PartyId,
        manifest: &Digest,
        container: &[u8],
    ) -> Result<(), SpoolError> {
        let folder = match side {
            Side::Issued => home::receipts_sent(peer),
            Side::Received => home::receipts_received(peer),
        };
        self.ensure(&folder, MODE_SHOWN)?;
        self.keep(&self.home.join(folder), &receipt::name(manifest), container)
    }

    /// Keeps a destruction record of ours as evidence: `destructions/PEER/HEX.destruction.amanah`. The same again changes nothing.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn keep_destruction(
        &self,
        peer: &PartyId,
        digest: &Digest,
        container: &[u8],
    ) -> Result<(), SpoolError> {
        let folder = home::destructions(peer);
        self.ensure(&folder, MODE_SHOWN)?;
        self.keep(
            &self.home.join(folder),
            &destruction::name(digest),
            container,
        )
    }

    /// The receipt that we signed for a bundle of `peer`, where one is kept.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn kept_receipt(
        &self,
        peer: &PartyId,
        manifest: &Digest,
    ) -> Result<Option<Vec<u8>>, SpoolError> {
        let folder = self.home.join(home::receipts_sent(peer));
        let path = folder.join(receipt::name(manifest));
        match std::fs::read(&path) {
            Ok(kept) => Ok(Some(kept)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(failed("reading", &path, source)),
        }
    }

    /// Makes sure that a bundle of `peer` lies in `incoming/`, back from the archive where it was put away; false where it is
    /// nowhere.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn bring_back(&self, peer: &PartyId, manifest: &Digest) -> Result<bool, SpoolError> {
        let (here, away) = (
            self.incoming(peer, manifest),
            self.archived_received(peer, manifest),
        );
        if !here.is_file() {
            if !away.is_file() {
                return self.is_there().map(|()| false);
            }
            durable::replace(&away, &here)?;
        }
        Ok(true)
    }

    /// Whether nothing of a bundle of `peer` lies here, neither in `incoming/` nor in the archive.
    ///
    /// # Errors
    /// [`SpoolError::Away`].
    pub fn is_nowhere(&self, peer: &PartyId, manifest: &Digest) -> Result<bool, SpoolError> {
        let found = self.incoming(peer, manifest).is_file()
            || self.archived_received(peer, manifest).is_file();
        self.is_sure(found)?;
        Ok(!found)
    }

    /// Whether receipts lie here: a home that has a past.
    #[must_use]
    pub fn has_past(&self) -> bool {
        let folder = |name: &str| std::fs::read_dir(self.home.join(name));
        ["sent", "received"]
            .into_iter()
            .filter_map(|side| folder(&format!("{}/{side}", home::RECEIPTS)).ok())
            .flatten()
            .flatten()
            .any(|peer| std::fs::read_dir(peer.path()).is_ok_and(|mut kept| kept.next().is_some()))
    }

    /// Where a sealed bundle of ours lies: in the queue or in the archive; none where it is lost.
    ///
    /// # Errors
    /// [`SpoolError::Away`]: then nothing is known of it.
    pub fn sent_bundle(
        &self,
        peer: &PartyId,
        manifest: &Digest,
    ) -> Result<Option<PathBuf>, SpoolError> {
        let places = [
            self.queued(peer, manifest),
            self.archived_sent(peer, manifest),
        ];
        let found = places.into_iter().find(|place| place.is_file());
        self.is_sure(found.is_some())?;
        Ok(found)
    }

    /// Keeps a revocation that came by wire: `spool/revocations/HEX.slip.amanah`, HEX of the slip. The same again changes nothing.
    ///
    /// # Errors
    /// As [`Spool::keep_receipt`].
    pub fn keep_revocation(&self, slip: &Digest, container: &[u8]) -> Result<(), SpoolError> {
        let name = format!("{}.slip.amanah", slip.to_hex());
        self.keep(&self.home.join(REVOCATIONS), &name, container)
    }

    /// Keeps the slip by which a peer gave a number up: why the receipt for its bundle says so.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn keep_void(&self, slip: &Digest, container: &[u8]) -> Result<(), SpoolError> {
        let name = format!("{}.slip.amanah", slip.to_hex());
        self.keep(&self.home.join(VOIDS), &name, container)
    }

    /// Our checkpoint with the line of a peer, for auditors: the newest.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn keep_cosigned(&self, peer: &PartyId, note: &str) -> Result<(), SpoolError> {
        self.keep_note(home::LEDGER_COSIGNED, peer, note)
    }

    /// A peer's checkpoint with our line, as we saw it last.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn keep_peer_note(&self, peer: &PartyId, note: &str) -> Result<(), SpoolError> {
        self.keep_note(home::LEDGER_PEERS, peer, note)
    }

    /// A note that contradicts what was seen of a party's ledger before.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn keep_fork(
        &self,
        party: &PartyId,
        digest: &Digest,
        note: &str,
    ) -> Result<(), SpoolError> {
        let name = format!("{party}.{}.fork", digest.to_hex());
        self.keep(&self.home.join(home::LEDGER_PEERS), &name, note.as_bytes())
    }

    fn keep_note(&self, folder: &str, party: &PartyId, note: &str) -> Result<(), SpoolError> {
        let name = format!("{party}{}", home::NOTE_SUFFIX);
        let folder = self.home.join(folder);
        Ok(durable::write(&folder, &name, note.as_bytes(), MODE_TEXT)?)
    }

    /// Writes what must never change afterwards.
    fn keep(&self, folder: &Path, name: &str, bytes: &[u8]) -> Result<(), SpoolError> {
        let path = folder.join(name);
        match std::fs::read(&path) {
            // It may have been renamed into place by a process that died before it synced the folder.
            Ok(kept) if kept == bytes => Ok(durable::sync_folder(folder)?),
            Ok(_) => Err(DurableError::Exists(path).into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(durable::write(folder, name, bytes, MODE_TEXT)?)
            }
            Err(source) => Err(failed("reading", &path, source)),
        }
    }

    /// Moves an outgoing bundle that was answered from the queue to the archive; done already is fine.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn archive_sent(&self, peer: &PartyId, manifest: &Digest) -> Result<(), SpoolError> {
        put_away(
            &self.queued(peer, manifest),
            &self.archived_sent(peer, manifest),
        )
    }

    /// Moves an imported bundle from `incoming/` to the archive; done already is fine.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn archive_received(&self, peer: &PartyId, manifest: &Digest) -> Result<(), SpoolError> {
        put_away(
            &self.incoming(peer, manifest),
            &self.archived_received(peer, manifest),
        )
    }

    /// Removes our copy of a sent bundle from the archive; missing is fine.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn remove_archived_sent(
        &self,
        peer: &PartyId,
        manifest: &Digest,
    ) -> Result<(), SpoolError> {
        self.is_sure(durable::remove(&self.archived_sent(peer, manifest))?)
    }

    /// Removes a received bundle from the archive; missing is fine.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn remove_archived_received(
        &self,
        peer: &PartyId,
        manifest: &Digest,
    ) -> Result<(), SpoolError> {
        self.is_sure(durable::remove(&self.archived_received(peer, manifest))?)
    }

    /// Removes a bundle that came again although it was answered; missing is fine.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn forget_incoming(&self, peer: &PartyId, manifest: &Digest) -> Result<(), SpoolError> {
        self.is_sure(durable::remove(&self.incoming(peer, manifest))?)
    }

    /// Writes the note `quarantine/NAME.json` for operators, then moves a refused or doubtful bundle to
    /// `spool/quarantine/NAME`, where only the daemon reads it; done already is fine.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn quarantine(
        &self,
        peer: &PartyId,
        name: &str,
        from: &Path,
        note: &QuarantineNote,
    ) -> Result<(), SpoolError> {
        let note = QuarantineNote {
            peer: peer.clone(),
            ..note.clone()
        };
        self.note_quarantine(name, &note)?;
        put_away(from, &self.quarantined(plain(name)?))
    }

    /// Writes only the note: what it speaks of is not kept.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn note_quarantine(&self, name: &str, note: &QuarantineNote) -> Result<(), SpoolError> {
        let folder = self.home.join(QUARANTINE_NOTES);
        let json = serde_json::to_vec(note)
            .map_err(|error| failed("printing a note in", &folder, error))?;
        Ok(durable::write(
            &folder,
            &format!("{}.json", plain(name)?),
            &json,
            MODE_TEXT,
        )?)
    }

    /// Removes what lies under this name in quarantine; missing is fine. The note stays.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn remove_quarantined(&self, name: &str) -> Result<(), SpoolError> {
        self.is_sure(durable::remove(&self.quarantined(plain(name)?))?)
    }

    /// `spool/quarantine/NAME`
    #[must_use]
    pub fn quarantined(&self, name: &str) -> PathBuf {
        self.home.join(home::QUARANTINE).join(name)
    }
}

/// Moves a bundle between two of the daemon's folders. Replaces: two of one digest were verified to be the same bytes. What
/// is no longer here and is there already was moved before a crash; then the sync that it may lack is made up for.
fn put_away(from: &Path, to: &Path) -> Result<(), SpoolError> {
    match durable::replace(from, to) {
        Err(error) if error.io_kind() == Some(io::ErrorKind::NotFound) && to.exists() => {
            Ok(durable::sync_folder(to.parent().unwrap_or(to))?)
        }
        done => Ok(done?),
    }
}
