//! Numbers of ours that are given up: what an operator asked, what was said to the recipient, until its receipt has come.
//! Facts beside the states (SPOOL.md §2): a bundle whose number is given up stays where it stands, for only a receipt moves it.

use amanah_format::digest::Digest;
use amanah_format::id::{FlowName, PartyId, Sequence};
use amanah_format::ledger::RecordKind;
use amanah_format::slip::VoidReason;
use amanah_format::time::UtcTime;
use rusqlite::params;

use super::ledger::set_fact;
use super::listing::outbound_by_digest;
use super::queries::{many, one};
use super::rows::{digest, sql_int};
use super::slips::{SlipMaker, put};
use super::{Journal, JournalError, LedgerEntry, WAITING_ROWS_MAX};
use crate::engine::outbound::Outbound;

/// What the facts' keys begin with; a manifest's digest follows.
const KEY: &str = "void ";
/// After the last of these keys.
const KEY_END: &str = "void!";
/// What a fact's value begins with before the recipient was told; the operator's user id follows.
const ASKED: &str = "asked ";

/// A number that is being given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Void {
    /// The bundle that has it.
    pub manifest: Digest,
    /// Who asked, while the recipient was not told; none from then on.
    pub asked_by: Option<u32>,
    /// Why, once the recipient was told.
    pub reason: Option<VoidReason>,
}

impl Journal {
    /// An operator wishes that a number be given up: its newest bundle, where that waits for its receipt, and has not been
    /// given up before. None where there is none.
    ///
    /// # Errors
    /// [`JournalError`], as all functions of this file.
    pub fn wish_void(
        &self,
        (peer, flow): (&PartyId, &FlowName),
        sequence: Sequence,
        by: u32,
    ) -> Result<Option<Digest>, JournalError> {
        let query = "SELECT digest FROM outbound WHERE peer = ?1 AND flow = ?2 AND sequence = ?3
            AND state IN ('queued', 'handed-over') ORDER BY epoch DESC, age DESC LIMIT 1";
        let number = sql_int(sequence.get())?;
        self.edit(|sql| {
            let values = params![peer.as_str(), flow.as_str(), number];
            let Some(manifest) = one(sql, query, values, |row| digest(row, "digest"))?.flatten()
            else {
                return Ok(None);
            };
            let key = key(&manifest);
            let known = "SELECT 1 FROM facts WHERE key = ?1";
            if one(sql, known, [&key], |_| Ok(()))?.is_none() {
                set_fact(sql, &key, Some(&format!("{ASKED}{by}")))?;
            }
            Ok(Some(manifest))
        })
    }

    /// The numbers that are being given up.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn voids(&self) -> Result<Vec<Void>, JournalError> {
        let query =
            "SELECT key, value FROM facts WHERE key > ?1 AND key < ?2 ORDER BY key LIMIT ?3";
        self.read(|sql| {
            let found = many(sql, query, (KEY, KEY_END, WAITING_ROWS_MAX), |row| {
                let (key, value): (String, String) = (row.get("key")?, row.get("value")?);
                Ok(void(&key, &value))
            })?;
            Ok(found.into_iter().flatten().collect())
        })
    }

    /// The recipient is told, for the first time: slip and record are one. False where the bundle was answered meanwhile: then
    /// nothing is said.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn give_up(
        &self,
        (manifest, reason, by): (&Digest, VoidReason, u32),
        now: UtcTime,
        make: &mut SlipMaker<'_>,
    ) -> Result<bool, JournalError> {
        self.change(now, |change| {
            let row = outbound_by_digest(change.sql, manifest)?;
            let waits = [Outbound::Queued, Outbound::HandedOver];
            let Some(row) = row.filter(|row| waits.contains(&row.state)) else {
                return Ok(false);
            };
            let about = about(manifest);
            let slip = put(change, (&row.peer, "void", &about), make)?;
            set_fact(change.sql, &key(manifest), Some(reason.code()))?;
            change.append(LedgerEntry {
                kind: RecordKind::Voided,
                manifest: Some(*manifest),
                digests: vec![slip],
                code: Some(reason.code().to_owned()),
                by: Some(by),
            })?;
            Ok(true)
        })
    }

    /// It is over: answered, or not to be given up.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn forget_void(&self, manifest: &Digest) -> Result<(), JournalError> {
        self.set_fact(&key(manifest), None)
    }
}

/// What a void slip of this bundle is about: a newer one takes the place of one that still waits.
#[must_use]
pub fn about(manifest: &Digest) -> String {
    format!("void {manifest}")
}

fn key(manifest: &Digest) -> String {
    format!("{KEY}{manifest}")
}

fn void(key: &str, value: &str) -> Option<Void> {
    let manifest = key.strip_prefix(KEY)?.parse().ok()?;
    let asked_by = value.strip_prefix(ASKED).and_then(|by| by.parse().ok());
    let mut reasons = VoidReason::ALL.iter().copied();
    let reason = reasons.find(|reason| reason.code() == value);
    Some(Void {
        manifest,
        asked_by,
        reason,
    })
}
