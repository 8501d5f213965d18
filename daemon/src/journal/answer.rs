//! Answers: the receipt that ends the way of an outgoing bundle, checked against what was sent, stored once. A receipt that
//! contradicts what was sent, or another for the same bundle, changes nothing. SPOOL.md §2.

use amanah_format::digest::Digest;
use amanah_format::id::BundleId;
use amanah_format::receipt::{Outcome, Receipt};
use amanah_format::time::UtcTime;
use rusqlite::{Connection, params};

use super::listing::{load_outbound as load, outbound_by_digest};
use super::outbound::{LedgerFacts, step};
use super::queries::{one, run};
use super::rows::digest;
use super::{Journal, JournalError, OutboundRow};
use crate::engine::outbound::OutboundEvent;

impl Journal {
    /// A verified receipt came for the bundle of this manifest digest: stores its container, moves to `Imported` or
    /// `Refused`. `Ok(None)`: no such bundle of ours, or not one that went to who signs the receipt. The same receipt
    /// again changes nothing; a different one for an answered bundle, or one that names another agreement, flow, epoch
    /// or sequence, is `Conflict` (evidence, alarm).
    ///
    /// # Errors
    /// [`JournalError::Conflict`]; as [`Journal::advance_outbound`].
    pub fn answer(
        &self,
        receipt: &Receipt,
        receipt_digest: &Digest,
        container: &[u8],
        now: UtcTime,
    ) -> Result<Option<OutboundRow>, JournalError> {
        self.change(now, |change| {
            let Some(row) = outbound_by_digest(change.sql, &receipt.manifest)? else {
                return Ok(None);
            };
            if row.peer != receipt.from {
                return Ok(None);
            }
            if let Some(known) = answered_by(change.sql, &row.bundle)? {
                return if known == *receipt_digest {
                    Ok(Some(row))
                } else {
                    Err(JournalError::Conflict)
                };
            }
            if !names(receipt, &row) {
                return Err(JournalError::Conflict);
            }
            store_answer(change.sql, &row, receipt, (receipt_digest, container))?;
            let event = match receipt.outcome {
                Outcome::Imported => OutboundEvent::ReceiptImported,
                Outcome::Refused => OutboundEvent::ReceiptRefused,
            };
            let facts = LedgerFacts {
                digests: vec![*receipt_digest],
                code: receipt.refusal.map(|refusal| refusal.code().to_owned()),
            };
            step(change, &row, event, facts)?;
            load(change.sql, &row.bundle).map(Some)
        })
    }

    /// What [`Journal::answer`] would say, without a change: false where no bundle of ours is meant.
    ///
    /// # Errors
    /// [`JournalError::Conflict`].
    pub fn would_answer(
        &self,
        receipt: &Receipt,
        receipt_digest: &Digest,
    ) -> Result<bool, JournalError> {
        self.read(|sql| {
            let row = outbound_by_digest(sql, &receipt.manifest)?;
            let Some(row) = row.filter(|row| row.peer == receipt.from) else {
                return Ok(false);
            };
            let known = answered_by(sql, &row.bundle)?;
            if known.map_or_else(|| names(receipt, &row), |known| known == *receipt_digest) {
                Ok(true)
            } else {
                Err(JournalError::Conflict)
            }
        })
    }

    /// The container of the receipt that answered it, as it came.
    ///
    /// # Errors
    /// The disk's.
    pub fn answer_container(&self, bundle: &BundleId) -> Result<Option<Vec<u8>>, JournalError> {
        self.read(|sql| {
            let query = "SELECT receipt FROM outbound WHERE bundle = ?1";
            let found = one(sql, query, [bundle.to_string()], |row| Ok(row.get(0)?))?;
            Ok(found.flatten())
        })
    }
}

/// The digest of the receipt that answered it already.
fn answered_by(sql: &Connection, bundle: &BundleId) -> Result<Option<Digest>, JournalError> {
    let query = "SELECT receipt_digest FROM outbound WHERE bundle = ?1";
    let known = one(sql, query, [bundle.to_string()], |row| {
        digest(row, "receipt_digest")
    })?;
    Ok(known.flatten())
}

/// Whether a receipt names what was sent (FORMAT.md §13): all four members, or none where the text could not be read.
fn names(receipt: &Receipt, row: &OutboundRow) -> bool {
    let unread = receipt.agreement.is_none()
        && receipt.flow.is_none()
        && receipt.epoch.is_none()
        && receipt.sequence.is_none()
        && receipt.outcome == Outcome::Refused;
    let agreement = row.agreement.as_ref().map(|agreement| agreement.digest);
    let same = receipt.agreement == agreement
        && receipt.flow.as_ref() == Some(&row.flow)
        && receipt.epoch == row.epoch
        && receipt.sequence == row.sequence;
    unread || same
}

fn store_answer(
    sql: &Connection,
    row: &OutboundRow,
    receipt: &Receipt,
    (digest, container): (&Digest, &[u8]),
) -> Result<(), JournalError> {
    let store = "UPDATE outbound SET receipt = ?2, receipt_digest = ?3, refusal = ?4, held = NULL WHERE bundle = ?1";
    let refusal = receipt.refusal.map(|refusal| refusal.code());
    let values = params![
        row.bundle.to_string(),
        container,
        digest.as_bytes(),
        refusal
    ];
    run(sql, store, values)?;
    Ok(())
}
