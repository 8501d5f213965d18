//! Our own streams as their recipients see them: what they ask for again, and where they have seen more than we know.
//! FORMAT.md §14.1. A bundle is given again as it was sealed: nothing here makes another.

use amanah_format::digest::Digest;
use amanah_format::id::{Epoch, FlowName, PartyId, Sequence};
use amanah_format::ledger::RecordKind;
use amanah_format::slip::{Resend, StreamPlace};
use amanah_format::time::UtcTime;
use rusqlite::{Connection, Row, params};

use super::queries::{many, one, run};
use super::rows::{digest, from_sql_int, optional_number, sql_int, text, word};
use super::{Journal, JournalError, LedgerEntry, WAITING_ROWS_MAX};
use crate::engine::outbound::Outbound;
use crate::engine::stream::Own;

/// A bundle is given again at most once in so long: an honest recipient needs it once, and whoever asks for everything all
/// the time gets no more than this.
const GIVEN_EVERY_SECS: i64 = 3_600;
/// What was not fetched within this time is not offered any more; it is when it is asked for again.
const OFFERED_SECS: i64 = 86_400;
/// Most bundles that wait to be given again to one peer: twice what it may name in one request.
const AGAIN_MAX: i64 = 2_048;

/// A bundle at a place that a peer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Its manifest's digest.
    pub digest: Digest,
    /// Where it stands.
    pub state: Outbound,
}

/// A stream of ours that is stopped, and the place at which its recipient is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// Its recipient.
    pub peer: PartyId,
    /// Its flow.
    pub flow: FlowName,
    /// The epoch that the recipient has seen.
    pub epoch: Epoch,
    /// The highest number in it.
    pub sequence: Sequence,
}

impl Journal {
    /// Our bundles at the places that `peer` asks for.
    ///
    /// # Errors
    /// [`JournalError`], as all functions of this file.
    pub fn asked_for(&self, peer: &PartyId, asked: &Resend) -> Result<Vec<Asked>, JournalError> {
        let query = "SELECT digest, state FROM outbound WHERE peer = ?1 AND agreement_id = ?2 AND flow = ?3
            AND epoch = ?4 AND sequence BETWEEN ?5 AND ?6 AND (?7 IS NULL OR digest = ?7) ORDER BY sequence";
        let values = params![
            peer.as_str(),
            asked.agreement.as_str(),
            asked.flow.as_str(),
            sql_int(asked.epoch.get())?,
            sql_int(asked.first.get())?,
            sql_int(asked.last.get())?,
            asked.manifest.as_ref().map(Digest::as_bytes),
        ];
        self.read(|sql| {
            let rows = many(sql, query, values, |row| {
                Ok(digest(row, "digest")?.zip(Some(word(row, "state")?)))
            })?;
            let asked = |(digest, state)| Asked { digest, state };
            Ok(rows.into_iter().flatten().map(asked).collect())
        })
    }

    /// `peer` is given a bundle of ours again: its receipt first, where there is one. False where it was given not long
    /// ago, or too much waits for this peer.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn give_again(
        &self,
        peer: &PartyId,
        bundle: &Digest,
        (receipt, payload): (bool, bool),
        now: UtcTime,
    ) -> Result<bool, JournalError> {
        self.edit(|sql| {
            // A clock that was set back makes nothing wait longer than that.
            let query = "SELECT 1 FROM again WHERE digest = ?1 AND asked > ?2 AND asked <= ?3";
            let since = now.unix().saturating_sub(GIVEN_EVERY_SECS);
            let values = params![bundle.as_bytes(), since, now.unix()];
            if one(sql, query, values, |_| Ok(()))?.is_some() || waiting(sql, peer)? >= AGAIN_MAX {
                return Ok(false);
            }
            let store = "INSERT INTO again (digest, peer, receipt_due, bundle_due, asked) VALUES (?1, ?2, ?3, ?4, ?5)
                ON CONFLICT DO UPDATE SET receipt_due = excluded.receipt_due, bundle_due = excluded.bundle_due,
                asked = excluded.asked";
            let values = params![bundle.as_bytes(), peer.as_str(), receipt, payload, now.unix()];
            run(sql, store, values)?;
            Ok(true)
        })
    }

    /// Receipts that go back to the `peer` that signed them.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn receipts_again(
        &self,
        peer: &PartyId,
        now: UtcTime,
    ) -> Result<Vec<(Digest, Vec<u8>)>, JournalError> {
        let query = "SELECT again.digest AS digest, outbound.receipt AS receipt FROM again
            JOIN outbound ON outbound.digest = again.digest
            WHERE again.peer = ?1 AND receipt_due = 1 AND asked > ?2 ORDER BY outbound.age LIMIT ?3";
        self.read(|sql| {
            let rows = many(sql, query, due(peer, now), |row| {
                Ok(digest(row, "digest")?.zip(row.get::<_, Option<Vec<u8>>>("receipt")?))
            })?;
            Ok(rows.into_iter().flatten().collect())
        })
    }

    /// Bundles to be given again to `peer`, and their payloads' lengths; not before their receipt was taken.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn bundles_again(
        &self,
        peer: &PartyId,
        now: UtcTime,
    ) -> Result<Vec<(Digest, u64)>, JournalError> {
        let query = "SELECT again.digest AS digest, payload_bytes FROM again
            JOIN outbound ON outbound.digest = again.digest
            WHERE again.peer = ?1 AND receipt_due = 0 AND bundle_due = 1 AND asked > ?2
            ORDER BY outbound.age LIMIT ?3";
        self.read(|sql| {
            let rows = many(sql, query, due(peer, now), |row| {
                Ok((
                    digest(row, "digest")?,
                    from_sql_int(row.get("payload_bytes")?)?,
                ))
            })?;
            let whole =
                |(digest, bytes): (Option<Digest>, u64)| digest.map(|digest| (digest, bytes));
            Ok(rows.into_iter().filter_map(whole).collect())
        })
    }

    /// What of a bundle is to be given again to `peer`: its receipt, itself.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn due_again(&self, peer: &PartyId, bundle: &Digest) -> Result<(bool, bool), JournalError> {
        let query = "SELECT receipt_due, bundle_due FROM again WHERE digest = ?1 AND peer = ?2";
        self.read(|sql| {
            let found = one(sql, query, (bundle.as_bytes(), peer.as_str()), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
            Ok(found.unwrap_or_default())
        })
    }

    /// The peer has its receipt back; the bundle itself follows.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn receipt_given_back(&self, peer: &PartyId, bundle: &Digest) -> Result<(), JournalError> {
        let store = "UPDATE again SET receipt_due = 0 WHERE digest = ?1 AND peer = ?2";
        self.edit(|sql| run(sql, store, (bundle.as_bytes(), peer.as_str())).map(drop))
    }

    /// The peer has the bundle, by its answer or by its receipt. The row stays, so that it is not given again at once.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn bundle_given(&self, peer: &PartyId, bundle: &Digest) -> Result<(), JournalError> {
        let store =
            "UPDATE again SET receipt_due = 0, bundle_due = 0 WHERE digest = ?1 AND peer = ?2
            AND (receipt_due = 1 OR bundle_due = 1)";
        self.edit(|sql| run(sql, store, (bundle.as_bytes(), peer.as_str())).map(drop))
    }

    /// Where the stream of ours stands that a peer's position names.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn own_place(&self, place: &StreamPlace) -> Result<Option<Own>, JournalError> {
        let key = (
            place.to.as_str(),
            place.agreement.as_str(),
            place.flow.as_str(),
        );
        self.read(|sql| {
            let query = "SELECT epoch, next FROM streams_out WHERE peer = ?1 AND agreement_id = ?2 AND flow = ?3
                ORDER BY epoch DESC LIMIT 1";
            let found = one(sql, query, key, |row| {
                Ok(optional_number(row, "epoch")?.zip(optional_number(row, "next")?))
            })?;
            let Some((epoch, next)) = found.flatten() else {
                return Ok(None);
            };
            let query = "SELECT digest FROM outbound WHERE peer = ?1 AND agreement_id = ?2 AND flow = ?3
                AND epoch = ?4 AND sequence = ?5";
            let (at_epoch, at) = (sql_int(place.epoch.get())?, sql_int(place.sequence.get())?);
            let there = one(sql, query, params![key.0, key.1, key.2, at_epoch, at], |row| {
                digest(row, "digest")
            })?;
            Ok(Some(Own {
                epoch,
                next,
                there: there.flatten(),
            }))
        })
    }

    /// Stops a stream of ours at the place that its recipient has seen. Said again: the newer place.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn stop_stream(&self, place: &StreamPlace, now: UtcTime) -> Result<(), JournalError> {
        let store = "INSERT INTO stopped (peer, flow, agreement_id, epoch, sequence, manifest, since)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET agreement_id = excluded.agreement_id,
            epoch = excluded.epoch, sequence = excluded.sequence, manifest = excluded.manifest";
        let values = params![
            place.to.as_str(),
            place.flow.as_str(),
            place.agreement.as_str(),
            sql_int(place.epoch.get())?,
            sql_int(place.sequence.get())?,
            place.manifest.as_bytes(),
            now.unix(),
        ];
        self.edit(|sql| run(sql, store, values).map(drop))
    }

    /// The stopped streams.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn stopped(&self) -> Result<Vec<Stopped>, JournalError> {
        let query = "SELECT * FROM stopped ORDER BY peer, flow LIMIT ?1";
        self.read(|sql| many(sql, query, [WAITING_ROWS_MAX], stopped))
    }

    /// Opens the next epoch of a stopped stream, with the recipient's last manifest as the one before. False where the
    /// stream is not stopped, or has no epoch left.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn open_epoch(
        &self,
        (peer, flow): (&PartyId, &FlowName),
        by: u32,
        now: UtcTime,
    ) -> Result<bool, JournalError> {
        self.change(now, |change| {
            let query = "SELECT stopped.*, (SELECT MAX(epoch) FROM streams_out WHERE streams_out.peer = stopped.peer
                AND streams_out.agreement_id = stopped.agreement_id AND streams_out.flow = stopped.flow) AS own
                FROM stopped WHERE peer = ?1 AND flow = ?2";
            let found = one(change.sql, query, (peer.as_str(), flow.as_str()), |row| {
                let seen = optional_number::<Epoch>(row, "epoch")?;
                let own = optional_number::<Epoch>(row, "own")?;
                let agreement: String = row.get("agreement_id")?;
                Ok((seen.max(own), agreement, digest(row, "manifest")?))
            })?;
            let Some((Some(last), agreement, Some(manifest))) = found else {
                return Ok(false);
            };
            let Some(epoch) = last.next() else {
                return Ok(false);
            };
            let store = "INSERT INTO streams_out (peer, agreement_id, flow, epoch, next, previous)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let first = sql_int(Sequence::FIRST.get())?;
            let key = (peer.as_str(), agreement.as_str(), flow.as_str());
            let values = params![key.0, key.1, key.2, sql_int(epoch.get())?, first, manifest.as_bytes()];
            run(change.sql, store, values)?;
            let over = "DELETE FROM stopped WHERE peer = ?1 AND flow = ?2";
            run(change.sql, over, (peer.as_str(), flow.as_str()))?;
            change.append(LedgerEntry {
                kind: RecordKind::EpochOpened,
                manifest: Some(manifest),
                digests: Vec::new(),
                code: None,
                by: Some(by),
            })?;
            Ok(true)
        })
    }
}

/// Whether nothing may be sealed for (peer, flow).
pub(super) fn is_stopped(
    sql: &Connection,
    peer: &PartyId,
    flow: &FlowName,
) -> Result<bool, JournalError> {
    let query = "SELECT 1 FROM stopped WHERE peer = ?1 AND flow = ?2";
    Ok(one(sql, query, (peer.as_str(), flow.as_str()), |_| Ok(()))?.is_some())
}

fn waiting(sql: &Connection, peer: &PartyId) -> Result<i64, JournalError> {
    let query =
        "SELECT COUNT(*) FROM again WHERE peer = ?1 AND (receipt_due = 1 OR bundle_due = 1)";
    let found = one(sql, query, [peer.as_str()], |row| Ok(row.get(0)?))?;
    Ok(found.unwrap_or(0))
}

fn due(peer: &PartyId, now: UtcTime) -> (String, i64, u32) {
    let since = now.unix().saturating_sub(OFFERED_SECS);
    (peer.to_string(), since, WAITING_ROWS_MAX)
}

fn stopped(row: &Row<'_>) -> Result<Stopped, JournalError> {
    let damaged = || JournalError::Damaged("a stopped stream without a place".to_owned());
    Ok(Stopped {
        peer: text(row, "peer")?,
        flow: text(row, "flow")?,
        epoch: optional_number(row, "epoch")?.ok_or_else(damaged)?,
        sequence: optional_number(row, "sequence")?.ok_or_else(damaged)?,
    })
}
