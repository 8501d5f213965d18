//! Slips: numbers strictly rising per peer and kind in both ways, and those of ours that wait for their peer.
//! FORMAT.md §14.

use amanah_format::digest::Digest;
use amanah_format::id::PartyId;
use amanah_format::time::UtcTime;
use rusqlite::{Connection, params};

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
        make: &mut dyn FnMut(u64) -> (Digest, Vec<u8>),
    ) -> Result<(), JournalError> {
        self.change(now, |change| {
            let number = last_number(change.sql, (OUT, peer, kind))? + 1;
            let (digest, container) = make(number);
            set_number(change.sql, (OUT, peer, kind), number)?;
            // The same slip again (a revocation, after a crash before its shipping was noted) is one slip.
            let store = "INSERT INTO slips (digest, peer, container) VALUES (?1, ?2, ?3)
                ON CONFLICT (digest) DO NOTHING";
            let values = params![digest.as_bytes(), peer.as_str(), container];
            run(change.sql, store, values)?;
            Ok(())
        })
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

    /// The highest number of this kind that was heeded; 0 before the first.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn heeded_slip(&self, peer: &PartyId, kind: &str) -> Result<u64, JournalError> {
        self.read(|sql| last_number(sql, (IN, peer, kind)))
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
