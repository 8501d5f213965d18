//! The journal read by another program, as it was at one moment, whether its daemon runs or not. The file is locked for the daemon
//! alone and stays so: its bytes are copied, and the copy is opened. Nothing here writes to the journal, takes a lock on it, or
//! believes more of it than that it was written.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use amanah_format::digest::Digest;
use amanah_format::id::{AgreementId, Epoch, FlowName, PartyId, Sequence};
use amanah_format::refusal::Refusal;
use amanah_format::time::UtcTime;
use rusqlite::{Connection, OpenFlags, Row};

use super::JournalError;
use super::queries::{many, one};
use super::rows::{
    digest, from_sql_int, moment, optional_number, optional_text, optional_word, word,
};
use super::schema::knows;
use crate::engine::inbound::Inbound;
use crate::engine::outbound::Outbound;

/// How often the copy is begun anew where the daemon emptied its log meanwhile: it does so every thousand pages.
const TRIES: u32 = 20;
/// The head of the log: its salts change whenever the log begins anew.
const LOG_HEAD_BYTES: usize = 32;

/// A copy of the journal.
pub struct Reading {
    sql: Connection,
}

/// A bundle, out or in, as the journal has it.
#[derive(Debug, Clone)]
pub struct KeptRow<State> {
    /// Its manifest's digest; going out, from `Sealed` on.
    pub digest: Option<Digest>,
    /// Where it stands.
    pub state: State,
    /// The agreement of its stream.
    pub agreement: Option<AgreementId>,
    /// The stream's epoch.
    pub epoch: Option<Epoch>,
    /// Its place in the stream.
    pub sequence: Option<Sequence>,
    /// Out: when its items were seen settled. In: when it was taken over.
    pub at: UtcTime,
    /// Its last change.
    pub changed: UtcTime,
    /// The manifest's exact bytes; empty before `Sealed`.
    pub manifest: Vec<u8>,
    /// Why it was refused.
    pub refusal: Option<Refusal>,
    /// The digest of its receipt.json: the peer's, or ours.
    pub receipt: Option<Digest>,
    /// Whether the destruction of its contents has at least begun.
    pub is_destroyed: bool,
}

/// A place of a stream: agreement, epoch, number.
pub type Place = (AgreementId, Epoch, Sequence);

impl Reading {
    /// Copies the journal at `path` into a folder below `work` that is gone before this returns; the copy lives as long as this.
    ///
    /// # Errors
    /// [`JournalError::Open`] where it cannot be copied; `Foreign` where a newer program wrote it; what SQLite says.
    pub fn take(path: &Path, work: &Path) -> Result<Self, JournalError> {
        let failed = |reason: String| JournalError::Open {
            path: path.to_owned(),
            reason,
        };
        let place = tempfile::Builder::new().prefix("reading-").tempdir_in(work);
        let place = place.map_err(|error| failed(format!("{}: {error}", work.display())))?;
        let copy = place.path().join("journal");
        copied(path, &copy).map_err(|error| failed(error.to_string()))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let sql = Connection::open_with_flags(&copy, flags)?;
        // The index of the log stays in memory; the first look reads the log, and holds both files open.
        sql.execute_batch(
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;",
        )?;
        let version: i64 =
            sql.query_row("SELECT user_version FROM pragma_user_version", [], |row| {
                row.get(0)
            })?;
        knows(version).map_err(|reason| JournalError::Foreign {
            path: path.to_owned(),
            reason,
        })?;
        one(&sql, "SELECT value FROM facts LIMIT 1", [], |_| Ok(()))?;
        drop(place);
        Ok(Self { sql })
    }

    /// What went to `peer` in `flow`, oldest first, each as `read` makes of it: manifests are large.
    ///
    /// # Errors
    /// [`JournalError`], as all functions of this file.
    pub fn sent<T>(
        &self,
        (peer, flow): (&PartyId, &FlowName),
        read: impl Fn(KeptRow<Outbound>) -> T,
    ) -> Result<Vec<T>, JournalError> {
        let query = "SELECT digest, state, agreement_id, epoch, sequence, seen_millis / 1000 AS at, changed, manifest, refusal,
            receipt_digest, NULL AS receipt, coalesce(destroyed, (SELECT begun FROM destructions AS gone
            WHERE gone.side = 'sent' AND gone.digest = outbound.digest)) AS destroyed
            FROM outbound WHERE peer = ?1 AND flow = ?2 ORDER BY age";
        many(&self.sql, query, [peer.as_str(), flow.as_str()], |row| {
            let kept = kept(row)?;
            Ok(read(KeptRow {
                receipt: digest(row, "receipt_digest")?,
                is_destroyed: kept.is_destroyed || kept.state == Outbound::Destroyed,
                ..kept
            }))
        })
    }

    /// What came from `peer` in `flow`, the same way.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn received<T>(
        &self,
        (peer, flow): (&PartyId, &FlowName),
        read: impl Fn(KeptRow<Inbound>) -> T,
    ) -> Result<Vec<T>, JournalError> {
        let query = "SELECT digest, state, agreement_id, epoch, sequence, received AS at, changed, manifest, refusal, receipt,
            coalesce(destroyed, (SELECT begun FROM destructions AS gone WHERE gone.side = 'received' AND gone.digest = inbound.digest))
            AS destroyed FROM inbound WHERE peer = ?1 AND flow = ?2 ORDER BY age";
        many(&self.sql, query, [peer.as_str(), flow.as_str()], |row| {
            let text: Option<Vec<u8>> = row.get("receipt")?;
            Ok(read(KeptRow {
                receipt: text.map(|text| Digest::of(&text)),
                ..kept(row)?
            }))
        })
    }

    /// How many records its ledger has.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn ledger_size(&self) -> Result<u64, JournalError> {
        let query = "SELECT coalesce(max(idx) + 1, 0) FROM ledger";
        let size = one(&self.sql, query, [], |row| from_sql_int(row.get(0)?))?;
        Ok(size.unwrap_or_default())
    }

    /// The highest number given so far in each stream to `peer` in `flow`.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn given(&self, (peer, flow): (&PartyId, &FlowName)) -> Result<Vec<Place>, JournalError> {
        let query = "SELECT agreement_id, epoch, next - 1 AS sequence FROM streams_out
            WHERE peer = ?1 AND flow = ?2 AND next > 1";
        self.places(query, [peer.as_str(), flow.as_str()])
    }

    /// Numbers of `peer` in `flow` that count as consumed without a bundle of theirs.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn closed(&self, (peer, flow): (&PartyId, &FlowName)) -> Result<Vec<Place>, JournalError> {
        let query =
            "SELECT agreement_id, epoch, sequence FROM closed_in WHERE peer = ?1 AND flow = ?2";
        self.places(query, [peer.as_str(), flow.as_str()])
    }

    fn places(&self, query: &str, of: [&str; 2]) -> Result<Vec<Place>, JournalError> {
        let found = many(&self.sql, query, of, |row| {
            let agreement = optional_text(row, "agreement_id")?;
            let place = (
                agreement,
                optional_number(row, "epoch")?,
                optional_number(row, "sequence")?,
            );
            Ok(match place {
                (Some(agreement), Some(epoch), Some(sequence)) => {
                    Some((agreement, epoch, sequence))
                }
                _ => None,
            })
        });
        Ok(found?.into_iter().flatten().collect())
    }
}

fn kept<State: serde::de::DeserializeOwned>(row: &Row<'_>) -> Result<KeptRow<State>, JournalError> {
    Ok(KeptRow {
        digest: digest(row, "digest")?,
        state: word(row, "state")?,
        agreement: optional_text(row, "agreement_id")?,
        epoch: optional_number(row, "epoch")?,
        sequence: optional_number(row, "sequence")?,
        at: moment(row, "at")?,
        changed: moment(row, "changed")?,
        manifest: row
            .get::<_, Option<Vec<u8>>>("manifest")?
            .unwrap_or_default(),
        refusal: optional_word(row, "refusal")?,
        receipt: None,
        is_destroyed: row.get::<_, Option<i64>>("destroyed")?.is_some(),
    })
}

/// What tells whether the log began anew: its head; where there is none, the file itself, which nobody changes then.
#[derive(PartialEq, Eq)]
enum Stamp {
    Log([u8; LOG_HEAD_BYTES]),
    File(u64, SystemTime),
}

fn stamp(path: &Path) -> io::Result<Stamp> {
    let mut head = [0; LOG_HEAD_BYTES];
    let read = File::open(log_of(path)).and_then(|mut log| log.read_exact(&mut head));
    match read {
        Ok(()) => Ok(Stamp::Log(head)),
        Err(error) if is_empty(&error) => {
            let file = fs::metadata(path)?;
            Ok(Stamp::File(file.len(), file.modified()?))
        }
        Err(error) => Err(error),
    }
}

fn is_empty(error: &io::Error) -> bool {
    [io::ErrorKind::NotFound, io::ErrorKind::UnexpectedEof].contains(&error.kind())
}

/// Copies file and log so that both together are the journal of one moment. The daemon changes the file only by what stands in the
/// log, so whatever the copy of the file has half is whole in the log that is copied after it, unless the log began anew: then all
/// of it is copied again. A half-written end of the log is dropped by its checksums.
fn copied(path: &Path, copy: &Path) -> io::Result<()> {
    for _ in 0..TRIES {
        let before = stamp(path)?;
        fs::copy(path, copy)?;
        match fs::copy(log_of(path), log_of(copy)) {
            Err(error) if !is_empty(&error) => return Err(error),
            Ok(_) | Err(_) => {}
        }
        if stamp(path)? == before {
            return Ok(());
        }
        match fs::remove_file(log_of(copy)) {
            Err(error) if !is_empty(&error) => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Err(io::Error::other(
        "it changes too fast to be copied; try again",
    ))
}

fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Journal;

    fn opened(folder: &Path) -> (PathBuf, Journal) {
        let path = folder.join("journal.sqlite");
        let party = "phu".parse().unwrap();
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let journal = Journal::open(&path, &party, now).unwrap();
        (path, journal)
    }

    fn value(reading: &Reading, key: &str) -> Option<String> {
        let query = "SELECT value FROM facts WHERE key = ?1";
        one(&reading.sql, query, [key], |row| Ok(row.get(0)?)).unwrap()
    }

    #[test]
    fn a_journal_in_use_is_read_as_it_is_and_nothing_of_the_copy_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let work = tempfile::tempdir().unwrap();
        let (path, journal) = opened(folder.path());
        for round in 0..3_u32 {
            let text = format!("round {round}");
            journal.set_fact("uji", Some(&text)).unwrap();
            let reading = Reading::take(&path, work.path()).unwrap();
            assert_eq!(fs::read_dir(work.path()).unwrap().count(), 0);
            assert_eq!(value(&reading, "uji").as_ref(), Some(&text));
            // The copy does not move on with the journal.
            journal.set_fact("uji", Some("later")).unwrap();
            assert_eq!(value(&reading, "uji").as_ref(), Some(&text));
        }
        drop(journal);
        let reading = Reading::take(&path, work.path()).unwrap();
        assert_eq!(value(&reading, "uji").as_deref(), Some("later"));
    }

    #[test]
    fn copies_taken_while_the_journal_is_written_are_each_of_one_moment() {
        let folder = tempfile::tempdir().unwrap();
        let work = tempfile::tempdir().unwrap();
        let (path, journal) = opened(folder.path());
        // Two facts that are always the same, and enough bytes that the log begins anew many times.
        let write = |round: u32| {
            let text = format!("{round:09}{}", "x".repeat(40_000));
            journal
                .edit(|sql| {
                    super::super::ledger::set_fact(sql, "satu", Some(&text))?;
                    super::super::ledger::set_fact(sql, "dua", Some(&text))
                })
                .unwrap();
        };
        write(0);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| (1..400).for_each(write));
            let mut taken = 0;
            while !writer.is_finished() || taken == 0 {
                let Ok(reading) = Reading::take(&path, work.path()) else {
                    continue;
                };
                taken += 1;
                assert_eq!(value(&reading, "satu"), value(&reading, "dua"));
                let check = "SELECT integrity_check FROM pragma_integrity_check";
                let sound: String = reading.sql.query_row(check, [], |row| row.get(0)).unwrap();
                assert_eq!(sound, "ok");
            }
        });
    }
}
