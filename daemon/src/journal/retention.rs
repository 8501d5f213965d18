//! What is still kept of answered bundles, and the record that it was destroyed. SPOOL.md §3.
//! Lists are by terms: what is under a legal hold, or under terms that last longer, hides nothing behind it. The row of a
//! bundle stays for ever; only the mark says that its bytes are gone. How it comes to that: `destroying`.

use amanah_format::destruction::Side;
use amanah_format::digest::Digest;
use amanah_format::id::{BundleId, FlowName, PartyId};
use amanah_format::ledger::RecordKind;
use amanah_format::time::UtcTime;
use rusqlite::{Connection, Params, params};

use super::destroying::note_done;
use super::inbound::step as step_inbound;
use super::listing::{load_inbound, load_outbound, outbound_where};
use super::outbound::{LedgerFacts, step as step_outbound};
use super::queries::{many, one, run};
use super::rows::{digest, from_sql_int, inbound_row, optional_text, text};
use super::{InboundRow, Journal, JournalError, OutboundRow};
use crate::engine::inbound::InboundEvent;
use crate::engine::outbound::{OutboundEvent, next};

/// By what the index `inbound_kept` finds its rows, word for word as there.
pub(super) const TERMS: &str = "(iif(refusal IS NULL, 'i', 'r') || ' ' || hex(ifnull(agreement, x'')) || ' ' || ifnull(flow, ''))";
/// Which rows it has.
pub(super) const KEPT: &str = "destroyed IS NULL AND state IN ('acknowledged', 'delivered')";

/// Most rows that are counted: each costs a look at it, and nobody else can use the journal meanwhile.
const COUNTED_MAX: u32 = 10_000;

/// Which rows the index `outbound_kept` has.
const SENT_KEPT: &str =
    "destroyed IS NULL AND digest IS NOT NULL AND state IN ('settled', 'returned')";

/// What decides how long the bytes of a bundle that came are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// It lies in quarantine, not in the archive.
    pub is_refused: bool,
    /// The agreement that its manifest names; none where that could not be read.
    pub agreement: Option<Digest>,
    /// Its flow; the same.
    pub flow: Option<FlowName>,
    /// As the journal has it.
    key: String,
}

impl Journal {
    /// The terms of everything that is kept of what came, each once.
    ///
    /// # Errors
    /// [`JournalError`], as all functions of this file.
    pub fn terms_kept(&self) -> Result<Vec<Terms>, JournalError> {
        let query = format!(
            "SELECT {TERMS} AS terms, refusal IS NOT NULL AS is_refused, agreement, flow FROM inbound INDEXED BY inbound_kept
            WHERE {KEPT} AND {TERMS} > ?1 ORDER BY {TERMS} LIMIT 1"
        );
        self.read(|sql| {
            let (mut found, mut last) = (Vec::new(), String::new());
            while let Some(terms) = one(sql, &query, [&last], |row| {
                Ok(Terms {
                    is_refused: row.get("is_refused")?,
                    agreement: digest(row, "agreement")?,
                    flow: optional_text(row, "flow")?,
                    key: row.get("terms")?,
                })
            })? {
                last.clone_from(&terms.key);
                found.push(terms);
            }
            Ok(found)
        })
    }

    /// What came under these terms at `moment` or before, is answered and still kept, whether its peer has the receipt or not:
    /// oldest first, `skip` of them left out, at most `limit`.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn received_kept(
        &self,
        terms: &Terms,
        moment: UtcTime,
        (skip, limit): (u32, u32),
    ) -> Result<Vec<InboundRow>, JournalError> {
        let query = format!(
            "SELECT * FROM inbound INDEXED BY inbound_kept WHERE {TERMS} = ?1 AND received <= ?2 AND {KEPT}
            ORDER BY received, age LIMIT ?3 OFFSET ?4"
        );
        let with = (&terms.key, moment.unix(), limit, skip);
        self.read(|sql| many(sql, &query, with, inbound_row))
    }

    /// What was settled, or refused and returned, under this agreement and flow at `moment` or before, and is still kept:
    /// longest ago first, `skip` of them left out, at most `limit`.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn sent_kept(
        &self,
        (agreement, flow): (&Digest, &FlowName),
        moment: UtcTime,
        (skip, limit): (u32, u32),
    ) -> Result<Vec<OutboundRow>, JournalError> {
        let query = "SELECT * FROM outbound WHERE agreement = ?1 AND flow = ?2 AND changed <= ?3 AND destroyed IS NULL
            AND digest IS NOT NULL AND state IN ('settled', 'returned') ORDER BY changed, age LIMIT ?4 OFFSET ?5";
        let with = params![
            agreement.as_bytes(),
            flow.as_str(),
            moment.unix(),
            limit,
            skip
        ];
        self.read(|sql| outbound_where(sql, query, with))
    }

    /// Agreements and flows of which something that went out is kept, each once.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn sent_terms(&self) -> Result<Vec<(Digest, FlowName)>, JournalError> {
        let query = format!(
            "SELECT agreement, flow FROM outbound INDEXED BY outbound_kept
            WHERE {SENT_KEPT} AND (agreement, flow) > (?1, ?2) ORDER BY agreement, flow LIMIT 1"
        );
        self.read(|sql| {
            let (mut found, mut last) = (Vec::new(), (Vec::new(), String::new()));
            while let Some((agreement, flow)) = one(sql, &query, (&last.0, &last.1), |row| {
                let agreement: [u8; 32] = row.get("agreement")?;
                Ok((
                    Digest::from_bytes(agreement),
                    text::<FlowName>(row, "flow")?,
                ))
            })? {
                last = (agreement.as_bytes().to_vec(), flow.as_str().to_owned());
                found.push((agreement, flow));
            }
            Ok(found)
        })
    }

    /// How much that went out under this agreement and flow is kept; at most 10,000 are counted.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn sent_count(&self, (agreement, flow): (&Digest, &FlowName)) -> Result<u64, JournalError> {
        let query = format!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM outbound INDEXED BY outbound_kept
            WHERE {SENT_KEPT} AND agreement = ?1 AND flow = ?2 LIMIT {COUNTED_MAX})"
        );
        let with = (agreement.as_bytes(), flow.as_str());
        self.read(|sql| count(sql, &query, with))
    }

    /// How much that came under these terms is kept; at most 10,000 are counted.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn received_count(&self, terms: &Terms) -> Result<u64, JournalError> {
        let query = format!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM inbound INDEXED BY inbound_kept WHERE {TERMS} = ?1 AND {KEPT} LIMIT {COUNTED_MAX})"
        );
        self.read(|sql| count(sql, &query, [&terms.key]))
    }

    /// How much is not settled yet, by side, peer and flow.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn unsettled(&self) -> Result<Vec<Unsettled>, JournalError> {
        let out = "SELECT peer, flow, COUNT(*) AS bundles FROM outbound
            WHERE state NOT IN ('settled', 'returned', 'put-back', 'destroyed') GROUP BY peer, flow";
        let back = "SELECT peer, flow, COUNT(*) AS bundles FROM inbound
            WHERE state <> 'delivered' AND state <> 'acknowledged' AND flow IS NOT NULL GROUP BY peer, flow";
        self.read(|sql| {
            let mut found = Vec::new();
            for (side, query) in [(Side::Sent, out), (Side::Received, back)] {
                found.extend(many(sql, query, [], |row| {
                    Ok(Unsettled {
                        side,
                        peer: text(row, "peer")?,
                        flow: text(row, "flow")?,
                        bundles: from_sql_int(row.get("bundles")?)?,
                    })
                })?);
            }
            Ok(found)
        })
    }

    /// All of a bundle that came is destroyed, with so many rows of a database: the mark and its record. Done already is fine.
    ///
    /// # Errors
    /// [`JournalError::Illegal`] for a bundle that is not answered.
    pub fn received_destroyed(
        &self,
        digest: &Digest,
        rows: u64,
        now: UtcTime,
    ) -> Result<(), JournalError> {
        self.change(now, |change| {
            let row = load_inbound(change.sql, digest)?;
            step_inbound(change, &row, InboundEvent::RetentionEnded)?;
            let mark = "UPDATE inbound SET destroyed = ?2 WHERE digest = ?1 AND destroyed IS NULL";
            if run(change.sql, mark, params![digest.as_bytes(), now.unix()])? == 1 {
                let record = change.append_about(RecordKind::Destroyed, Some(*digest), None)?;
                note_done(change.sql, (Side::Received, digest), (rows, record), now)?;
            }
            Ok(())
        })
    }

    /// The originals and our copy of a bundle that went out are destroyed, or the copy alone where the originals were returned:
    /// the mark and its record. The names of its items go too. Done already is fine.
    ///
    /// # Errors
    /// [`JournalError::Illegal`] for a bundle that is not settled or returned.
    pub fn sent_destroyed(&self, bundle: &BundleId, now: UtcTime) -> Result<(), JournalError> {
        self.change(now, |change| {
            let row = load_outbound(change.sql, bundle)?;
            if is_destroyed(change.sql, bundle)? {
                return Ok(());
            }
            let mark = "UPDATE outbound SET destroyed = ?2 WHERE bundle = ?1";
            run(change.sql, mark, params![bundle.to_string(), now.unix()])?;
            let forget = "UPDATE items SET name = x'', resting_place = NULL WHERE bundle = ?1";
            run(change.sql, forget, [bundle.to_string()])?;
            let event = OutboundEvent::RetentionEnded;
            let record = change.next_index();
            if next(row.state, event)? == row.state {
                change.append_about(RecordKind::Destroyed, row.digest, None)?;
            } else {
                step_outbound(change, &row, event, LedgerFacts::default())?;
            }
            match &row.digest {
                Some(digest) => note_done(change.sql, (Side::Sent, digest), (0, record), now),
                None => Ok(()),
            }
        })
    }
}

/// How much of a flow is not settled yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsettled {
    /// Whether it goes out or came in.
    pub side: Side,
    /// With whom it is exchanged.
    pub peer: PartyId,
    /// In which flow.
    pub flow: FlowName,
    /// How many bundles.
    pub bundles: u64,
}

fn count(sql: &Connection, query: &str, with: impl Params) -> Result<u64, JournalError> {
    let found = one(sql, query, with, |row| from_sql_int(row.get(0)?))?;
    Ok(found.unwrap_or_default())
}

fn is_destroyed(sql: &Connection, bundle: &BundleId) -> Result<bool, JournalError> {
    let query = "SELECT destroyed IS NOT NULL FROM outbound WHERE bundle = ?1";
    let found = one(sql, query, [bundle.to_string()], |row| Ok(row.get(0)?))?;
    Ok(found.unwrap_or(false))
}
