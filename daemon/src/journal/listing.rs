//! Reading bundles, either way: one by its name, the oldest in some states, what waits for a peer, the newest for the
//! status snapshot. Every list is bounded; none changes anything.

use amanah_format::digest::Digest;
use amanah_format::id::{BundleId, PartyId};
use rusqlite::{Connection, Params};

use super::queries::{many, one};
use super::rows::{from_sql_int, inbound_row, item_row, outbound_row};
use super::turns::{INBOUND_UNDER_WAY, OUTBOUND_UNDER_WAY, Page, in_turn, peers_in};
use super::{InboundRow, Journal, JournalError, OutboundRow, WAITING_ROWS_MAX};
use crate::engine::inbound::Inbound;
use crate::engine::outbound::Outbound;

/// All columns but the manifest (14 KiB each) and the signature, which the status snapshot does not show.
const OUTBOUND_SHOWN: &str = "SELECT age, bundle, peer, flow, lane, state, seen_millis, agreement_id,
    agreement_version, agreement, epoch, sequence, NULL AS manifest, digest, NULL AS signature, payload_bytes,
    refusal, return_reason, held, changed, changed_millis FROM outbound";
pub(super) const INBOUND_SHOWN: &str = "SELECT age, digest, peer, state, bundle, agreement, flow, epoch, sequence, received,
    x'' AS manifest, x'' AS signature, payload_bytes, held, refusal, receipt, receipt_signature, was_delivered, changed,
    changed_millis FROM inbound";

impl Journal {
    /// Outgoing bundles that are under way in one of `states`, a page of them: the peers in turn, of each the oldest first.
    ///
    /// # Errors
    /// [`JournalError`], as all functions of this file.
    pub fn outbound_in(
        &self,
        states: &[Outbound],
        page: Page<'_>,
    ) -> Result<Vec<OutboundRow>, JournalError> {
        let states: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
        self.read(|sql| {
            let ages = under_way_in(sql, ("outbound", OUTBOUND_UNDER_WAY), &states, page)?;
            outbound_of(sql, ages)
        })
    }

    /// What waits for `peer` in `queue/`: first what it has not taken over, then what awaits its receipt; each by lane,
    /// then age, at most [`WAITING_ROWS_MAX`].
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn queued_for(&self, peer: &PartyId) -> Result<Vec<OutboundRow>, JournalError> {
        let query = "SELECT * FROM outbound WHERE peer = ?1 AND state = ?2
            AND state IN ('queued', 'handed-over') ORDER BY lane, age LIMIT ?3";
        self.read(|sql| {
            let mut waiting = Vec::new();
            for state in [Outbound::Queued, Outbound::HandedOver] {
                let values = (peer.as_str(), state.as_str(), WAITING_ROWS_MAX);
                waiting.extend(outbound_where(sql, query, values)?);
            }
            Ok(waiting)
        })
    }

    /// How many bundles wait for `peer` (not taken over, or not answered), and their payloads' bytes together.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn waiting_for(&self, peer: &PartyId) -> Result<(u64, u64), JournalError> {
        let query = "SELECT COUNT(*), COALESCE(SUM(payload_bytes), 0) FROM outbound
            WHERE peer = ?1 AND state IN ('queued', 'handed-over')";
        self.read(|sql| {
            let found = one(sql, query, [peer.as_str()], |row| {
                Ok((from_sql_int(row.get(0)?)?, from_sql_int(row.get(1)?)?))
            })?;
            Ok(found.unwrap_or_default())
        })
    }

    /// The outgoing bundle of this id.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn outbound(&self, bundle: &BundleId) -> Result<Option<OutboundRow>, JournalError> {
        self.read(|sql| outbound_by_id(sql, bundle))
    }

    /// The outgoing bundle of this manifest digest.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn outbound_by_digest(&self, digest: &Digest) -> Result<Option<OutboundRow>, JournalError> {
        self.read(|sql| outbound_by_digest(sql, digest))
    }

    /// The newest outgoing bundles, active ones first, at most `limit` active and `limit` others; without manifests.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn recent_outbound(&self, limit: u32) -> Result<Vec<OutboundRow>, JournalError> {
        let active = format!(
            "{OUTBOUND_SHOWN} WHERE state NOT IN ('settled', 'returned', 'put-back', 'destroyed')
            ORDER BY age DESC LIMIT ?1"
        );
        let newest = format!("{OUTBOUND_SHOWN} ORDER BY age DESC LIMIT ?1");
        self.read(|sql| {
            let mut found = outbound_where(sql, &active, [limit])?;
            let others = outbound_where(sql, &newest, [limit])?;
            found.extend(others.into_iter().filter(|row| row.state.is_final()));
            Ok(found)
        })
    }

    /// The incoming bundle of this manifest digest.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn inbound(&self, digest: &Digest) -> Result<Option<InboundRow>, JournalError> {
        self.read(|sql| inbound_by_digest(sql, digest))
    }

    /// Incoming bundles that are under way in one of `states`, a page of them: the peers in turn, of each the oldest first.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn inbound_in(
        &self,
        states: &[Inbound],
        page: Page<'_>,
    ) -> Result<Vec<InboundRow>, JournalError> {
        let states: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
        self.read(|sql| {
            let ages = under_way_in(sql, ("inbound", INBOUND_UNDER_WAY), &states, page)?;
            inbound_of(sql, ages)
        })
    }

    /// A page of what is held: bundles younger than `age`, oldest first, each with its age, at most `limit`.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn held_after(&self, age: i64, limit: u32) -> Result<Vec<(i64, InboundRow)>, JournalError> {
        let query = "SELECT * FROM inbound WHERE state = 'held' AND age > ?1 ORDER BY age LIMIT ?2";
        self.read(|sql| {
            many(sql, query, (age, limit), |row| {
                Ok((row.get("age")?, inbound_row(row)?))
            })
        })
    }

    /// How many bundles of `peer` are held.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn held_of(&self, peer: &PartyId) -> Result<u64, JournalError> {
        let query = "SELECT COUNT(*) FROM inbound WHERE state = 'held' AND peer = ?1";
        let count =
            self.read(|sql| one(sql, query, [peer.as_str()], |row| from_sql_int(row.get(0)?)));
        Ok(count?.unwrap_or_default())
    }

    /// Receipts signed and not yet taken by `peer`, oldest first, at most [`WAITING_ROWS_MAX`].
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn receipts_for(&self, peer: &PartyId) -> Result<Vec<InboundRow>, JournalError> {
        let query = "SELECT * FROM inbound WHERE peer = ?1 AND state = 'acknowledged' ORDER BY age LIMIT ?2";
        self.read(|sql| many(sql, query, (peer.as_str(), WAITING_ROWS_MAX), inbound_row))
    }

    /// How many receipts wait for `peer`.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn receipts_waiting(&self, peer: &PartyId) -> Result<u64, JournalError> {
        let query = "SELECT COUNT(*) FROM inbound WHERE peer = ?1 AND state = 'acknowledged'";
        self.read(|sql| {
            let found = one(sql, query, [peer.as_str()], |row| from_sql_int(row.get(0)?))?;
            Ok(found.unwrap_or_default())
        })
    }

    /// Imported and answered bundles that are kept still, newest first, `limit` of them after the first `skip`.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn answered_imports(&self, skip: u32, limit: u32) -> Result<Vec<InboundRow>, JournalError> {
        let query = format!(
            "{INBOUND_SHOWN} WHERE state IN ('acknowledged', 'delivered') AND refusal IS NULL AND destroyed IS NULL
            ORDER BY age DESC LIMIT ?1 OFFSET ?2"
        );
        self.read(|sql| many(sql, &query, (limit, skip), inbound_row))
    }

    /// The newest incoming bundles, active ones first, at most `limit` active and `limit` others; without manifests.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn recent_inbound(&self, limit: u32) -> Result<Vec<InboundRow>, JournalError> {
        let active =
            format!("{INBOUND_SHOWN} WHERE state <> 'delivered' ORDER BY age DESC LIMIT ?1");
        let newest = format!("{INBOUND_SHOWN} ORDER BY age DESC LIMIT ?1");
        self.read(|sql| {
            let mut found = many(sql, &active, [limit], inbound_row)?;
            let others = many(sql, &newest, [limit], inbound_row)?;
            let is_done = |row: &InboundRow| row.state == Inbound::Delivered;
            found.extend(others.into_iter().filter(is_done));
            Ok(found)
        })
    }
}

/// The outgoing bundle of this id, or `Unknown`.
pub(super) fn load_outbound(
    sql: &Connection,
    bundle: &BundleId,
) -> Result<OutboundRow, JournalError> {
    outbound_by_id(sql, bundle)?.ok_or_else(|| JournalError::Unknown(bundle.to_string()))
}

fn outbound_by_id(
    sql: &Connection,
    bundle: &BundleId,
) -> Result<Option<OutboundRow>, JournalError> {
    let query = "SELECT * FROM outbound WHERE bundle = ?1";
    Ok(outbound_where(sql, query, [bundle.to_string()])?.pop())
}

pub(super) fn outbound_by_digest(
    sql: &Connection,
    digest: &Digest,
) -> Result<Option<OutboundRow>, JournalError> {
    let query = "SELECT * FROM outbound WHERE digest = ?1";
    Ok(outbound_where(sql, query, [digest.as_bytes()])?.pop())
}

pub(super) fn inbound_by_digest(
    sql: &Connection,
    digest: &Digest,
) -> Result<Option<InboundRow>, JournalError> {
    let query = "SELECT * FROM inbound WHERE digest = ?1";
    one(sql, query, [digest.as_bytes()], inbound_row)
}

/// The incoming bundle of this manifest digest, or `Unknown`.
pub(super) fn load_inbound(sql: &Connection, digest: &Digest) -> Result<InboundRow, JournalError> {
    inbound_by_digest(sql, digest)?.ok_or_else(|| JournalError::Unknown(digest.to_string()))
}

/// A page of what is under way in one of `states`, the peers in turn.
fn under_way_in(
    sql: &Connection,
    (table, under_way): (&str, &str),
    states: &[&str],
    page: Page<'_>,
) -> Result<Vec<i64>, JournalError> {
    let query = format!(
        "SELECT age FROM {table} WHERE state = ?1 AND peer = ?2 AND {under_way} ORDER BY age LIMIT ?3"
    );
    let peers = peers_in(sql, (table, under_way), states.iter().copied())?;
    in_turn(&peers, page, |peer, most| {
        let asked = states.iter().map(|state| (*state, peer.as_str(), most));
        ages_of(sql, &query, asked)
    })
}

/// The ages that `query` finds for each of `asked`: ages first, so that only rows that are wanted are read whole.
pub(super) fn ages_of<P: Params>(
    sql: &Connection,
    query: &str,
    asked: impl Iterator<Item = P>,
) -> Result<Vec<i64>, JournalError> {
    let mut ages = Vec::new();
    for one in asked {
        ages.extend(many(sql, query, one, |row| Ok(row.get::<_, i64>(0)?))?);
    }
    Ok(ages)
}

/// The outgoing bundles of these ages, with their items.
pub(super) fn outbound_of(
    sql: &Connection,
    ages: Vec<i64>,
) -> Result<Vec<OutboundRow>, JournalError> {
    let by_age = "SELECT * FROM outbound WHERE age = ?1";
    ages.into_iter().try_fold(Vec::new(), |mut found, age| {
        found.extend(outbound_where(sql, by_age, [age])?);
        Ok(found)
    })
}

/// The incoming bundles of these ages.
pub(super) fn inbound_of(
    sql: &Connection,
    ages: Vec<i64>,
) -> Result<Vec<InboundRow>, JournalError> {
    let by_age = "SELECT * FROM inbound WHERE age = ?1";
    ages.into_iter().try_fold(Vec::new(), |mut found, age| {
        found.extend(many(sql, by_age, [age], inbound_row)?);
        Ok(found)
    })
}

pub(super) fn outbound_where(
    sql: &Connection,
    query: &str,
    with: impl Params,
) -> Result<Vec<OutboundRow>, JournalError> {
    let items = "SELECT * FROM items WHERE bundle = ?1 ORDER BY position";
    let mut found = many(sql, query, with, outbound_row)?;
    for row in &mut found {
        row.items = many(sql, items, [row.bundle.to_string()], item_row)?;
    }
    Ok(found)
}
