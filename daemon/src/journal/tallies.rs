//! Counting without reading all rows: by peer, flow and state (kept by triggers), the oldest that is under way, the places of
//! each incoming stream. All of it follows from the bundles' rows and is made anew where a journal lacks it. What is read
//! here is shown, and decides nothing.

use amanah_format::digest::Digest;
use amanah_format::id::PartyId;
use amanah_format::time::UtcTime;
use rusqlite::Connection;

use super::queries::{many, one};
use super::rows::{from_sql_int, number, text};
use super::{Journal, JournalError};

const TALLIES: &str = include_str!("tallies.sql");
/// What an older journal counted with: by way and state alone.
const OLDER: &str = "
    DROP TRIGGER IF EXISTS outbound_came; DROP TRIGGER IF EXISTS outbound_moved;
    DROP TRIGGER IF EXISTS inbound_came; DROP TRIGGER IF EXISTS inbound_moved; DROP TRIGGER IF EXISTS inbound_gone;
    DROP TABLE IF EXISTS tallies;";

/// How many bundles of a flow are in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowTally {
    /// Whether they go out; else they come in.
    pub goes_out: bool,
    /// The other party.
    pub peer: PartyId,
    /// The flow; empty where a bundle's manifest could not be read.
    pub flow: String,
    /// The state's text.
    pub state: String,
    /// Whether the recipient's answer is a refusal.
    pub is_refused: bool,
    /// How many.
    pub rows: u64,
    /// Their payloads' bytes together.
    pub bytes: u64,
}

/// The numbers of an incoming stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamPlaces {
    /// Who sends it.
    pub peer: PartyId,
    /// Its agreement's id.
    pub agreement: String,
    /// Its flow.
    pub flow: String,
    /// Its epoch.
    pub epoch: u64,
    /// The highest number up to which none is missing.
    pub contiguous: u64,
    /// The highest number that came.
    pub highest: u64,
    /// How many numbers between the two have not come.
    pub missing: u64,
}

impl Journal {
    /// All counts, of flows in their order.
    ///
    /// # Errors
    /// [`JournalError`], as all functions of this file.
    pub fn flow_tallies(&self) -> Result<Vec<FlowTally>, JournalError> {
        let query = "SELECT * FROM tallies WHERE rows > 0";
        self.read(|sql| {
            many(sql, query, [], |row| {
                Ok(FlowTally {
                    goes_out: row.get::<_, String>("way")? == "outbound",
                    peer: text(row, "peer")?,
                    flow: row.get("flow")?,
                    state: row.get("state")?,
                    is_refused: row.get("is_refused")?,
                    rows: number(row, "rows")?,
                    bytes: number(row, "bytes")?,
                })
            })
        })
    }

    /// Since when the oldest bundle of a flow is under way: seen in the outbox, or taken over.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn oldest_unsettled(
        &self,
        goes_out: bool,
        peer: &PartyId,
        flow: &str,
    ) -> Result<Option<UtcTime>, JournalError> {
        let query = if goes_out {
            "SELECT seen_millis / 1000 FROM outbound WHERE peer = ?1 AND flow = ?2
             AND state NOT IN ('settled', 'returned', 'put-back', 'destroyed') ORDER BY age LIMIT 1"
        } else {
            "SELECT received FROM inbound WHERE peer = ?1 AND flow = ?2 AND state <> 'delivered' ORDER BY age LIMIT 1"
        };
        self.read(|sql| {
            let secs = one(sql, query, (peer.as_str(), flow), |row| {
                Ok(row.get::<_, i64>(0)?)
            })?;
            Ok(secs.and_then(|secs| UtcTime::from_unix(secs).ok()))
        })
    }

    /// The places of every incoming stream, found one after the other in their index.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn incoming_streams(&self) -> Result<Vec<StreamPlaces>, JournalError> {
        let query = "WITH RECURSIVE first (id) AS (
                SELECT * FROM (SELECT rowid FROM inbound WHERE holds_place = 1
                    ORDER BY peer, agreement_id, flow, epoch LIMIT 1)
                UNION ALL
                SELECT (SELECT next.rowid FROM inbound next WHERE next.holds_place = 1
                        AND (next.peer, next.agreement_id, next.flow, next.epoch)
                            > (here.peer, here.agreement_id, here.flow, here.epoch)
                        ORDER BY next.peer, next.agreement_id, next.flow, next.epoch LIMIT 1)
                    FROM first JOIN inbound here ON here.rowid = first.id)
            SELECT peer, agreement_id, flow, epoch FROM first JOIN inbound ON inbound.rowid = first.id";
        self.read(|sql| {
            let streams = many(sql, query, [], |row| {
                Ok(StreamPlaces {
                    peer: text(row, "peer")?,
                    agreement: row.get("agreement_id")?,
                    flow: row.get("flow")?,
                    epoch: number(row, "epoch")?,
                    contiguous: 0,
                    highest: 0,
                    missing: 0,
                })
            })?;
            let places = streams.into_iter().map(|stream| places(sql, stream));
            places.collect()
        })
    }

    /// Peer, flow and payload's length of an outgoing bundle that waits to be taken over; none of any other.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn queued_bundle(
        &self,
        manifest: &Digest,
    ) -> Result<Option<(PartyId, String, u64)>, JournalError> {
        let query =
            "SELECT peer, flow, payload_bytes FROM outbound WHERE digest = ?1 AND state = 'queued'";
        self.read(|sql| {
            one(sql, query, [manifest.as_bytes()], |row| {
                let flow = row.get("flow")?;
                Ok((text(row, "peer")?, flow, number(row, "payload_bytes")?))
            })
        })
    }
}

/// The numbers of one stream.
fn places(sql: &Connection, stream: StreamPlaces) -> Result<StreamPlaces, JournalError> {
    let known = "SELECT contiguous FROM streams_in
        WHERE peer = ?1 AND agreement_id = ?2 AND flow = ?3 AND epoch = ?4";
    let key = (
        stream.peer.as_str(),
        &stream.agreement,
        &stream.flow,
        super::rows::sql_int(stream.epoch)?,
    );
    let contiguous: i64 = one(sql, known, key, |row| Ok(row.get(0)?))?.unwrap_or(0);
    let beyond = "SELECT COUNT(*), COALESCE(MAX(sequence), ?5) FROM inbound WHERE peer = ?1 AND agreement_id = ?2
        AND flow = ?3 AND epoch = ?4 AND sequence > ?5 AND holds_place = 1";
    let with = (key.0, key.1, key.2, key.3, contiguous);
    let found = one(sql, beyond, with, |row| {
        Ok((from_sql_int(row.get(0)?)?, from_sql_int(row.get(1)?)?))
    })?;
    let contiguous = from_sql_int(contiguous)?;
    let (ahead, highest) = found.unwrap_or((0, contiguous));
    Ok(StreamPlaces {
        contiguous,
        highest,
        missing: highest.saturating_sub(contiguous).saturating_sub(ahead),
        ..stream
    })
}

/// Makes the counts of a new journal, or of an older one that lacks them.
pub(super) fn ensure(sql: &Connection) -> Result<(), JournalError> {
    let by_flow = "SELECT COUNT(*) FROM pragma_table_info('tallies') WHERE name = 'flow'";
    let is_there: bool = sql.query_row(by_flow, [], |row| row.get(0))?;
    if !is_there {
        sql.execute_batch(OLDER)?;
        sql.execute_batch(TALLIES)?;
    }
    Ok(())
}
