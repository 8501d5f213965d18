//! Sequence numbers: the next one of a stream that goes out, the places of a stream that comes in.
//! A stream is (peer, agreement id, flow, epoch); FORMAT.md §9.4.

use amanah_format::digest::Digest;
use amanah_format::id::{BundleId, Epoch, PartyId, Sequence};
use amanah_format::manifest::{AgreementRef, Manifest};
use rusqlite::{Connection, Row, params};

use super::change::Change;
use super::queries::{one, run};
use super::rows::{digest, number, optional_number, optional_text, sql_int};
use super::{Journal, JournalError, OutboundRow};
use crate::engine::policy::Place;
use crate::engine::stream::StreamKey;

impl Journal {
    /// What is known of the place that a manifest claims. `digest` is the manifest's own: a bundle that is held and
    /// judged again is not its own rival.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn place(
        &self,
        peer: &PartyId,
        digest: &Digest,
        manifest: &Manifest,
    ) -> Result<Place, JournalError> {
        let another = |found: Option<Digest>| found.filter(|found| found != digest);
        self.read(|sql| {
            let spot = Spot::of(peer, manifest)?;
            let before = Spot {
                sequence: spot.sequence - 1,
                ..spot.clone()
            };
            let closed = spot.closed(sql)?;
            Ok(Place {
                holder: another(spot.holder(sql)?),
                closed: closed.is_some_and(|by| by != Some(*digest)),
                same_id: another(spot.same_id(sql)?),
                before: before.holder(sql)?,
                contiguous: contiguous(sql, &spot)?,
            })
        })
    }
}

impl Change<'_> {
    /// The place that the next bundle of this stream takes: epoch, sequence, the manifest before it. Epoch 1 until an
    /// `epoch-opened` record opens another.
    pub(super) fn next_place(
        &self,
        row: &OutboundRow,
        agreement: &AgreementRef,
    ) -> Result<(Epoch, Sequence, Option<Digest>), JournalError> {
        let query = "SELECT epoch, next, previous FROM streams_out
            WHERE peer = ?1 AND agreement_id = ?2 AND flow = ?3 ORDER BY epoch DESC LIMIT 1";
        let stream = params![row.peer.as_str(), agreement.id.as_str(), row.flow.as_str()];
        let found = one(self.sql, query, stream, |row| {
            let epoch = optional_number(row, "epoch")?.unwrap_or(Epoch::FIRST);
            let sequence = optional_number(row, "next")?.unwrap_or(Sequence::FIRST);
            Ok((epoch, sequence, digest(row, "previous")?))
        })?;
        Ok(found.unwrap_or((Epoch::FIRST, Sequence::FIRST, None)))
    }

    /// Takes the place of a bundle that was just sealed.
    pub(super) fn take_place(
        &self,
        sealed: &OutboundRow,
        agreement: &AgreementRef,
    ) -> Result<(), JournalError> {
        let (Some(epoch), Some(sequence)) = (sealed.epoch, sealed.sequence) else {
            return Err(JournalError::Damaged(
                "a sealed bundle without a place".to_owned(),
            ));
        };
        let next = sequence
            .next()
            .ok_or_else(|| JournalError::Make("the stream has no number left".to_owned()))?;
        let store = "INSERT INTO streams_out (peer, agreement_id, flow, epoch, next, previous)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            ON CONFLICT DO UPDATE SET next = excluded.next, previous = excluded.previous";
        let values = params![
            sealed.peer.as_str(),
            agreement.id.as_str(),
            sealed.flow.as_str(),
            sql_int(epoch.get())?,
            sql_int(next.get())?,
            sealed.digest.as_ref().map(Digest::as_bytes),
        ];
        run(self.sql, store, values)?;
        Ok(())
    }
}

/// The place of an incoming bundle, as columns.
#[derive(Clone)]
pub(super) struct Spot {
    peer: String,
    agreement_id: String,
    flow: String,
    epoch: i64,
    sequence: i64,
    bundle: String,
}

impl Spot {
    pub(super) fn of(peer: &PartyId, manifest: &Manifest) -> Result<Self, JournalError> {
        Ok(Self {
            peer: peer.to_string(),
            agreement_id: manifest.agreement.id.to_string(),
            flow: manifest.flow.to_string(),
            epoch: sql_int(manifest.epoch.get())?,
            sequence: sql_int(manifest.sequence.get())?,
            bundle: manifest.bundle.to_string(),
        })
    }

    /// A place of which no bundle is at hand.
    pub(super) fn at(stream: &StreamKey, sequence: u64) -> Result<Self, JournalError> {
        Ok(Self {
            peer: stream.peer.to_string(),
            agreement_id: stream.agreement.to_string(),
            flow: stream.flow.to_string(),
            epoch: sql_int(stream.epoch.get())?,
            sequence: sql_int(sequence)?,
            bundle: String::new(),
        })
    }

    /// That of a recorded bundle, none where its text could not be read; and whether it holds it.
    pub(super) fn recorded(
        sql: &Connection,
        digest: &Digest,
    ) -> Result<(Option<Self>, bool), JournalError> {
        let query = "SELECT * FROM inbound WHERE digest = ?1";
        let found = one(sql, query, [digest.as_bytes()], |row| {
            Ok((Self::from_row(row)?, row.get("holds_place")?))
        })?;
        found.ok_or_else(|| JournalError::Unknown(digest.to_string()))
    }

    fn from_row(row: &Row<'_>) -> Result<Option<Self>, JournalError> {
        let Some(bundle) = optional_text::<BundleId>(row, "bundle")? else {
            return Ok(None);
        };
        Ok(Some(Self {
            peer: row.get("peer")?,
            agreement_id: row.get("agreement_id")?,
            flow: row.get("flow")?,
            epoch: row.get("epoch")?,
            sequence: row.get("sequence")?,
            bundle: bundle.to_string(),
        }))
    }

    /// Whether neither the place nor the bundle id is another's than `digest`.
    pub(super) fn is_free(&self, sql: &Connection, digest: &Digest) -> Result<bool, JournalError> {
        let closed = self.closed(sql)?;
        Ok(closed.is_none_or(|by| by == Some(*digest))
            && self.holder(sql)?.is_none()
            && self.same_id(sql)?.is_none())
    }

    /// Consumed without a bundle that holds it; inside: which bundle it was, where that is known.
    pub(super) fn closed(&self, sql: &Connection) -> Result<Option<Option<Digest>>, JournalError> {
        let query =
            "SELECT digest FROM closed_in WHERE peer = ?1 AND agreement_id = ?2 AND flow = ?3
            AND epoch = ?4 AND sequence = ?5";
        one(sql, query, self.columns(self.sequence), |row| {
            digest(row, "digest")
        })
    }

    /// Counts it as consumed; false where it is taken or closed already.
    pub(super) fn close(
        &self,
        sql: &Connection,
        by: Option<&Digest>,
    ) -> Result<bool, JournalError> {
        if self.holder(sql)?.is_some() {
            return Ok(false);
        }
        let store = "INSERT INTO closed_in (peer, agreement_id, flow, epoch, sequence, digest)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
        let (peer, agreement, flow, epoch, sequence) = self.columns(self.sequence);
        let by = by.map(Digest::as_bytes);
        let values = params![peer, agreement, flow, epoch, sequence, by];
        Ok(run(sql, store, values)? == 1)
    }

    fn holder(&self, sql: &Connection) -> Result<Option<Digest>, JournalError> {
        let query = "SELECT digest FROM inbound WHERE peer = ?1 AND agreement_id = ?2 AND flow = ?3
            AND epoch = ?4 AND sequence = ?5 AND holds_place = 1";
        let found = one(sql, query, self.columns(self.sequence), |row| {
            digest(row, "digest")
        })?;
        Ok(found.flatten())
    }

    /// Only a bundle that holds a place keeps its id from others: who may not take a place cannot block an id.
    fn same_id(&self, sql: &Connection) -> Result<Option<Digest>, JournalError> {
        let query =
            "SELECT digest FROM inbound WHERE peer = ?1 AND bundle = ?2 AND holds_place = 1";
        let found = one(sql, query, (&self.peer, &self.bundle), |row| {
            digest(row, "digest")
        })?;
        Ok(found.flatten())
    }

    fn columns(&self, last: i64) -> (&str, &str, &str, i64, i64) {
        (&self.peer, &self.agreement_id, &self.flow, self.epoch, last)
    }
}

/// Moves the high-water mark of a stream over the place that was just taken, and over those after it that were taken
/// or closed before. It never falls: a place given back later is only free again.
pub(super) fn advance_contiguous(sql: &Connection, taken: &Spot) -> Result<(), JournalError> {
    let known = sql_int(contiguous(sql, taken)?)?;
    let mut ahead = Spot {
        sequence: known,
        ..taken.clone()
    };
    loop {
        ahead.sequence += 1;
        if ahead.holder(sql)?.is_none() && ahead.closed(sql)?.is_none() {
            break;
        }
    }
    let store = "INSERT INTO streams_in (peer, agreement_id, flow, epoch, contiguous) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT DO UPDATE SET contiguous = excluded.contiguous";
    run(sql, store, taken.columns(ahead.sequence - 1)).map(drop)
}

/// A bundle took a place: the highest one of its stream is what we say that we have seen.
pub(super) fn note_highest(
    sql: &Connection,
    taken: &Spot,
    by: &Digest,
) -> Result<(), JournalError> {
    let store = "UPDATE streams_in SET highest = ?5, highest_digest = ?6 WHERE peer = ?1 AND agreement_id = ?2
        AND flow = ?3 AND epoch = ?4 AND highest <= ?5";
    let (peer, agreement, flow, epoch, sequence) = taken.columns(taken.sequence);
    let values = params![peer, agreement, flow, epoch, sequence, by.as_bytes()];
    run(sql, store, values).map(drop)
}

fn contiguous(sql: &Connection, spot: &Spot) -> Result<u64, JournalError> {
    let query = "SELECT contiguous FROM streams_in
        WHERE peer = ?1 AND agreement_id = ?2 AND flow = ?3 AND epoch = ?4";
    let (peer, agreement_id, flow, epoch, _) = spot.columns(0);
    let found = one(sql, query, (peer, agreement_id, flow, epoch), |row| {
        number(row, "contiguous")
    })?;
    Ok(found.unwrap_or(0))
}
