//! Legal holds: what an operator keeps from being destroyed, a flow with a peer or one bundle of it. A hold stands until somebody
//! ends it; its row stays for ever. That it was asked for is a record of the ledger, made by whoever takes the request.

use amanah_format::digest::Digest;
use amanah_format::id::{FlowName, PartyId};
use amanah_format::time::UtcTime;
use rusqlite::{Connection, params};

use super::queries::{many, one, run};
use super::rows::{digest, moment, number, text};
use super::{Journal, JournalError};

/// A hold that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its number.
    pub number: u64,
    /// What it is on.
    pub on: HoldOn,
    /// Why, for people of this party.
    pub reason: String,
    /// User id of who asked.
    pub by: u32,
    /// Since when.
    pub since: UtcTime,
}

/// What a hold is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldOn {
    /// With whom it was exchanged.
    pub peer: PartyId,
    /// In which flow, sent or received.
    pub flow: FlowName,
    /// One bundle of it; none: all of it, also what comes later.
    pub bundle: Option<Digest>,
}

impl HoldOn {
    /// Whether it covers this bundle.
    #[must_use]
    pub fn covers(&self, peer: &PartyId, flow: Option<&FlowName>, bundle: &Digest) -> bool {
        let is_whole = self.bundle.is_none() && flow == Some(&self.flow);
        &self.peer == peer && (is_whole || self.bundle.as_ref() == Some(bundle))
    }
}

impl Journal {
    /// A hold begins; one on the same that stands already stays as it is. False then.
    ///
    /// # Errors
    /// [`JournalError`], as all functions of this file.
    pub fn hold(
        &self,
        on: &HoldOn,
        reason: &str,
        by: u32,
        now: UtcTime,
    ) -> Result<bool, JournalError> {
        let bundle = on.bundle.as_ref().map(Digest::as_bytes);
        self.edit(|sql| {
            let stands = "SELECT 1 FROM holds WHERE peer = ?1 AND flow = ?2 AND digest IS ?3 AND ended IS NULL";
            let key = params![on.peer.as_str(), on.flow.as_str(), bundle];
            if one(sql, stands, key, |_| Ok(()))?.is_some() {
                return Ok(false);
            }
            let store = "INSERT INTO holds (peer, flow, digest, reason, asked_by, since) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let row = params![
                on.peer.as_str(),
                on.flow.as_str(),
                bundle,
                reason,
                by,
                now.unix()
            ];
            Ok(run(sql, store, row)? == 1)
        })
    }

    /// The hold on exactly this ends; false where none stands.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn end_hold(&self, on: &HoldOn, by: u32, now: UtcTime) -> Result<bool, JournalError> {
        let store = "UPDATE holds SET ended = ?4, ended_by = ?5 WHERE peer = ?1 AND flow = ?2 AND digest IS ?3 AND ended IS NULL";
        let row = params![
            on.peer.as_str(),
            on.flow.as_str(),
            on.bundle.as_ref().map(Digest::as_bytes),
            now.unix(),
            by
        ];
        self.edit(|sql| Ok(run(sql, store, row)? > 0))
    }

    /// Those that stand, oldest first.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn holds(&self) -> Result<Vec<Hold>, JournalError> {
        let query = "SELECT * FROM holds WHERE ended IS NULL ORDER BY number";
        self.read(|sql| {
            many(sql, query, [], |row| {
                Ok(Hold {
                    number: number(row, "number")?,
                    on: HoldOn {
                        peer: text(row, "peer")?,
                        flow: text(row, "flow")?,
                        bundle: digest(row, "digest")?,
                    },
                    reason: row.get("reason")?,
                    by: row.get("asked_by")?,
                    since: moment(row, "since")?,
                })
            })
        })
    }
}

/// Whether one stands on this bundle.
pub(super) fn is_held(
    sql: &Connection,
    (peer, flow): (&PartyId, Option<&FlowName>),
    bundle: &Digest,
) -> Result<bool, JournalError> {
    let query = "SELECT 1 FROM holds WHERE ended IS NULL AND peer = ?1
        AND ((digest IS NULL AND flow = ?2) OR digest = ?3) LIMIT 1";
    let key = params![peer.as_str(), flow.map(FlowName::as_str), bundle.as_bytes()];
    Ok(one(sql, query, key, |_| Ok(()))?.is_some())
}
