//! Slips: numbers strictly rising per peer and kind in both ways, and those of ours that wait for their peer.
//! FORMAT.md §14.

use amanah_format::digest::Digest;
use amanah_format::id::PartyId;
use amanah_format::time::UtcTime;
use rusqlite::{Connection, params};

use super::change::Change;
use super::queries::{many, one, run};
use super::rows::{number, sql_int, text};
use super::{Journal, JournalError, SlipRow, WAITING_ROWS_MAX};

/// The two ways of `slip_numbers`.
const OUT: &str = "out";
const IN: &str = "in";

impl Journal {
    /// The next number for (peer, kind), reserved and recorded with the slip made by `make(number)`.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn add_slip(
        &self,
        peer: &PartyId,
        kind: &str,
        now: UtcTime,
        make: &mut SlipMaker<'_>,
    ) -> Result<(), JournalError> {
        self.change(now, |change| add(change, (peer, kind, ""), make).map(drop))
    }

    /// The same for a slip of which only the newest says anything: one about the same subject that still waits gives way.
    /// Its digest.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn put_slip(
        &self,
        (peer, kind, about): (&PartyId, &str, &str),
        now: UtcTime,
        make: &mut SlipMaker<'_>,
    ) -> Result<Digest, JournalError> {
        self.change(now, |change| put(change, (peer, kind, about), make))
    }

    /// Whether a slip about this waits for `peer`.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn has_slip(&self, peer: &PartyId, about: &str) -> Result<bool, JournalError> {
        let query = "SELECT 1 FROM slips WHERE peer = ?1 AND about = ?2";
        self.read(|sql| Ok(one(sql, query, (peer.as_str(), about), |_| Ok(()))?.is_some()))
    }

    /// Slips that wait for `peer`, oldest first, at most [`WAITING_ROWS_MAX`].
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn slips_for(&self, peer: &PartyId) -> Result<Vec<SlipRow>, JournalError> {
        let query =
            "SELECT digest, peer, container FROM slips WHERE peer = ?1 ORDER BY age LIMIT ?2";
        self.read(|sql| {
            many(sql, query, (peer.as_str(), WAITING_ROWS_MAX), |row| {
                Ok(SlipRow {
                    digest: Digest::from_bytes(row.get("digest")?),
                    peer: text(row, "peer")?,
                    container: row.get("container")?,
                })
            })
        })
    }

    /// The peer that it waits for has it durably. Gone already, or another peer's: nothing changes.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn slip_taken(&self, peer: &PartyId, digest: &Digest) -> Result<(), JournalError> {
        self.edit(|sql| {
            let store = "DELETE FROM slips WHERE digest = ?1 AND peer = ?2";
            run(sql, store, (digest.as_bytes(), peer.as_str())).map(drop)
        })
    }

    /// Whether (peer, kind, number) is higher than any heeded before.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn is_news(&self, peer: &PartyId, kind: &str, number: u64) -> Result<bool, JournalError> {
        self.read(|sql| Ok(number > last_number(sql, (IN, peer, kind))?))
    }

    /// True when (peer, kind, number) is higher than any before: then it is recorded.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn note_slip(&self, peer: &PartyId, kind: &str, number: u64) -> Result<bool, JournalError> {
        self.edit(|sql| {
            let is_new = number > last_number(sql, (IN, peer, kind))?;
            if is_new {
                set_number(sql, (IN, peer, kind), number)?;
            }
            Ok(is_new)
        })
    }
}

/// Makes a slip of a number: its digest and container.
pub type SlipMaker<'a> = dyn FnMut(u64) -> (Digest, Vec<u8>) + 'a;

/// See [`Journal::put_slip`].
pub(super) fn put(
    change: &Change<'_>,
    (peer, kind, about): (&PartyId, &str, &str),
    make: &mut SlipMaker<'_>,
) -> Result<Digest, JournalError> {
    let older = "DELETE FROM slips WHERE peer = ?1 AND about = ?2";
    run(change.sql, older, (peer.as_str(), about))?;
    add(change, (peer, kind, about), make)
}

/// Numbers rise with the clock, not by one: a home restored from an old copy has forgotten which it used last, and what it
/// says next must still be news to its peer.
fn add(
    change: &Change<'_>,
    (peer, kind, about): (&PartyId, &str, &str),
    make: &mut SlipMaker<'_>,
) -> Result<Digest, JournalError> {
    let sql = change.sql;
    let number = (last_number(sql, (OUT, peer, kind))? + 1).max(change.millis);
    let (digest, container) = make(number);
    set_number(sql, (OUT, peer, kind), number)?;
    // The same slip again (a revocation, after a crash before its shipping was noted) is one slip.
    let store = "INSERT INTO slips (digest, peer, container, about) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (digest) DO NOTHING";
    run(
        sql,
        store,
        params![digest.as_bytes(), peer.as_str(), container, about],
    )?;
    Ok(digest)
}

/// The last number of (way, peer, kind); 0 before the first.
fn last_number(
    sql: &Connection,
    (way, peer, kind): (&str, &PartyId, &str),
) -> Result<u64, JournalError> {
    let query = "SELECT number FROM slip_numbers WHERE way = ?1 AND peer = ?2 AND kind = ?3";
    let found = one(sql, query, (way, peer.as_str(), kind), |row| {
        number(row, "number")
    })?;
    Ok(found.unwrap_or(0))
}

fn set_number(
    sql: &Connection,
    (way, peer, kind): (&str, &PartyId, &str),
    number: u64,
) -> Result<(), JournalError> {
    let store = "INSERT INTO slip_numbers (way, peer, kind, number) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO UPDATE SET number = excluded.number";
    let values = (way, peer.as_str(), kind, sql_int(number)?);
    run(sql, store, values).map(drop)
}
