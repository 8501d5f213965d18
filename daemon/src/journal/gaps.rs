//! What is missing in incoming streams: numbers below the highest that came, or that the sender says we took over; and
//! places that count as consumed without a bundle. SPOOL.md §3. Only the highest epoch of a stream is watched: a new
//! epoch says that nothing more comes of the one before.

use amanah_format::digest::Digest;
use amanah_format::id::{FlowName, PartyId};
use amanah_format::ledger::RecordKind;
use amanah_format::slip::StreamPlace;
use amanah_format::time::UtcTime;
use rusqlite::{Connection, Row, params};

use super::queries::{many, one, run};
use super::rows::{digest, number, optional_number, sql_int, text};
use super::streams::{Spot, advance_contiguous};
use super::{Journal, JournalError, LedgerEntry};
use crate::engine::stream::{StreamKey, missing};

/// Most streams of all peers looked at in one pass: a hundred flows with each of forty peers.
const STREAMS_MAX: u32 = 4_096;
/// Places read to find the holes of one stream: as many as may be ahead of a gap, and one.
const HELD_MAX: u32 = 1_025;
/// Bundles looked at for the last moment of a flow: an older one may be answered after a newer one, but not after so many.
const NEWEST_ROWS: u32 = 64;

/// A stream in which numbers are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Which.
    pub stream: StreamKey,
    /// The first runs of missing numbers, each with its first and last; never empty.
    pub runs: Vec<(u64, u64)>,
}

/// The highest epoch of each stream.
const NEWEST: &str =
    "epoch = (SELECT MAX(epoch) FROM streams_in AS other WHERE other.peer = streams_in.peer
    AND other.agreement_id = streams_in.agreement_id AND other.flow = streams_in.flow)";

impl Journal {
    /// The streams in which numbers are missing.
    ///
    /// # Errors
    /// [`JournalError`], as all functions of this file.
    pub fn gaps(&self) -> Result<Vec<Gap>, JournalError> {
        let query = format!(
            "SELECT * FROM streams_in WHERE MAX(highest, told) > contiguous AND {NEWEST} LIMIT ?1"
        );
        self.read(|sql| {
            let open = many(sql, &query, [STREAMS_MAX], |row| {
                let until = number(row, "highest")?.max(number(row, "told")?);
                Ok((stream(row)?, number(row, "contiguous")?, until))
            })?;
            let mut gaps = Vec::new();
            for (stream, contiguous, until) in open {
                let runs = missing(contiguous, until, &held(sql, &stream, contiguous)?);
                if !runs.is_empty() {
                    gaps.push(Gap { stream, runs });
                }
            }
            Ok(gaps)
        })
    }

    /// The sender of a stream says up to where we took its bundles over. Whether that is more than came here.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn note_told(&self, place: &StreamPlace) -> Result<bool, JournalError> {
        let key = (
            place.from.as_str(),
            place.agreement.as_str(),
            place.flow.as_str(),
        );
        let epoch = sql_int(place.epoch.get())?;
        self.edit(|sql| {
            let store = "INSERT INTO streams_in (peer, agreement_id, flow, epoch, contiguous, told)
                VALUES (?1, ?2, ?3, ?4, 0, ?5) ON CONFLICT DO UPDATE SET told = excluded.told";
            let told = sql_int(place.sequence.get())?;
            run(sql, store, params![key.0, key.1, key.2, epoch, told])?;
            let query =
                "SELECT 1 FROM streams_in WHERE peer = ?1 AND agreement_id = ?2 AND flow = ?3
                AND epoch = ?4 AND told > MAX(highest, contiguous)";
            let more = one(sql, query, params![key.0, key.1, key.2, epoch], |_| Ok(()))?;
            Ok(more.is_some())
        })
    }

    /// The highest place that came of each stream of `peer`, and the highest of ours that it took over.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn seen_places(
        &self,
        own: &PartyId,
        peer: &PartyId,
    ) -> Result<Vec<StreamPlace>, JournalError> {
        let came = format!(
            "SELECT agreement_id, flow, epoch, highest AS sequence, highest_digest AS digest FROM streams_in
            WHERE peer = ?1 AND highest > 0 AND {NEWEST} LIMIT ?2"
        );
        let went = "SELECT agreement_id, flow, epoch, (
                SELECT MAX(sequence) FROM outbound WHERE outbound.peer = streams_out.peer
                AND outbound.agreement_id = streams_out.agreement_id AND outbound.flow = streams_out.flow
                AND outbound.epoch = streams_out.epoch AND sequence IS NOT NULL AND state IN
                ('handed-over', 'imported', 'refused', 'settled', 'returned', 'destroyed')) AS sequence
            FROM streams_out WHERE peer = ?1 AND epoch = (SELECT MAX(epoch) FROM streams_out AS other
                WHERE other.peer = streams_out.peer AND other.agreement_id = streams_out.agreement_id
                AND other.flow = streams_out.flow) LIMIT ?2";
        self.read(|sql| {
            let mut places = many(sql, &came, (peer.as_str(), STREAMS_MAX), |row| {
                place(row, (peer, own), digest(row, "digest")?)
            })?;
            places.extend(many(sql, went, (peer.as_str(), STREAMS_MAX), |row| {
                place(row, (own, peer), sent_digest(sql, peer.as_str(), row)?)
            })?);
            Ok(places.into_iter().flatten().collect())
        })
    }

    /// When a bundle of this flow last came from `peer`; one that it gave up did not come.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn last_came(
        &self,
        peer: &PartyId,
        flow: &FlowName,
    ) -> Result<Option<UtcTime>, JournalError> {
        let query = "SELECT MAX(received) AS moment FROM
            (SELECT received FROM inbound WHERE peer = ?1 AND flow = ?2 AND refusal IS NOT 'voided'
            ORDER BY age DESC LIMIT ?3)";
        self.last(query, (peer, flow))
    }

    /// When a bundle of this flow last got as far as `peer`: taken over, or answered.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn last_went(
        &self,
        peer: &PartyId,
        flow: &FlowName,
    ) -> Result<Option<UtcTime>, JournalError> {
        let query = "SELECT MAX(moment) AS moment FROM
            (SELECT CASE state WHEN 'destroyed' THEN seen_millis / 1000 ELSE changed END AS moment FROM outbound
            WHERE peer = ?1 AND flow = ?2 AND sequence IS NOT NULL AND refusal IS NOT 'voided' AND state IN
            ('handed-over', 'imported', 'refused', 'settled', 'returned', 'destroyed') ORDER BY age DESC LIMIT ?3)";
        self.last(query, (peer, flow))
    }

    fn last(
        &self,
        query: &str,
        (peer, flow): (&PartyId, &FlowName),
    ) -> Result<Option<UtcTime>, JournalError> {
        self.read(|sql| {
            let values = (peer.as_str(), flow.as_str(), NEWEST_ROWS);
            let found = one(sql, query, values, |row| {
                Ok(row.get::<_, Option<i64>>("moment")?)
            })?;
            Ok(found
                .flatten()
                .and_then(|secs| UtcTime::from_unix(secs).ok()))
        })
    }

    /// Our own receipt for a bundle came back from its sender: its number is consumed, whatever else is known of it.
    /// False where that was known.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn close_by_receipt(
        &self,
        stream: &StreamKey,
        sequence: u64,
        (manifest, receipt): (&Digest, &Digest),
        now: UtcTime,
    ) -> Result<bool, JournalError> {
        self.change(now, |change| {
            let spot = Spot::at(stream, sequence)?;
            if !spot.close(change.sql, Some(manifest))? {
                return Ok(false);
            }
            change.append(LedgerEntry {
                kind: RecordKind::ReceiptSigned,
                manifest: Some(*manifest),
                digests: vec![*receipt],
                code: Some("regained".to_owned()),
                by: None,
            })?;
            advance_contiguous(change.sql, &spot)?;
            Ok(true)
        })
    }
}

/// Numbers beyond `contiguous` that are taken or closed, rising.
fn held(sql: &Connection, stream: &StreamKey, contiguous: u64) -> Result<Vec<u64>, JournalError> {
    let query = "SELECT sequence FROM inbound WHERE peer = ?1 AND agreement_id = ?2 AND flow = ?3 AND epoch = ?4
            AND sequence > ?5 AND holds_place = 1
        UNION SELECT sequence FROM closed_in WHERE peer = ?1 AND agreement_id = ?2 AND flow = ?3 AND epoch = ?4
            AND sequence > ?5
        ORDER BY sequence LIMIT ?6";
    let values = params![
        stream.peer.as_str(),
        stream.agreement.as_str(),
        stream.flow.as_str(),
        sql_int(stream.epoch.get())?,
        sql_int(contiguous)?,
        HELD_MAX,
    ];
    many(sql, query, values, |row| number(row, "sequence"))
}

fn stream(row: &Row<'_>) -> Result<StreamKey, JournalError> {
    let epoch = optional_number(row, "epoch")?;
    Ok(StreamKey {
        peer: text(row, "peer")?,
        agreement: text(row, "agreement_id")?,
        flow: text(row, "flow")?,
        epoch: epoch.unwrap_or(amanah_format::id::Epoch::FIRST),
    })
}

/// A row as a place, none where nothing of the stream was seen.
fn place(
    row: &Row<'_>,
    (from, to): (&PartyId, &PartyId),
    manifest: Option<Digest>,
) -> Result<Option<StreamPlace>, JournalError> {
    let (epoch, sequence) = (
        optional_number(row, "epoch")?,
        optional_number(row, "sequence")?,
    );
    let (Some(epoch), Some(sequence), Some(manifest)) = (epoch, sequence, manifest) else {
        return Ok(None);
    };
    Ok(Some(StreamPlace {
        from: from.clone(),
        to: to.clone(),
        agreement: text(row, "agreement_id")?,
        flow: text(row, "flow")?,
        epoch,
        sequence,
        manifest,
    }))
}

fn sent_digest(
    sql: &Connection,
    peer: &str,
    row: &Row<'_>,
) -> Result<Option<Digest>, JournalError> {
    let query = "SELECT digest FROM outbound WHERE peer = ?1 AND agreement_id = ?2 AND flow = ?3 AND epoch = ?4
        AND sequence = ?5";
    let (agreement, flow): (String, String) = (row.get("agreement_id")?, row.get("flow")?);
    let (epoch, sequence): (i64, Option<i64>) = (row.get("epoch")?, row.get("sequence")?);
    let found = one(
        sql,
        query,
        params![peer, agreement, flow, epoch, sequence],
        |row| digest(row, "digest"),
    )?;
    Ok(found.flatten())
}
