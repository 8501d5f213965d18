//! Receipts of bundles that went out: which of them is the answer, recorded once. SPOOL.md §2, FORMAT.md §13.
//! For one bundle there is one receipt, ever; another one is evidence against its signer, and changes nothing.

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
            let (row, standing) = match stands(change.sql, receipt, receipt_digest)? {
                Some(found) => found,
                None => return Ok(None),
            };
            if standing == Standing::Repeated {
                return Ok(Some(row));
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

    /// Whether [`Journal::answer`] would take this receipt: asked before it is kept as evidence, which is never written
    /// over, so that one that does not count cannot stand in the place of the one that does.
    ///
    /// # Errors
    /// [`JournalError::Conflict`] as there; the disk's.
    pub fn would_answer(
        &self,
        receipt: &Receipt,
        receipt_digest: &Digest,
    ) -> Result<(), JournalError> {
        self.read(|sql| stands(sql, receipt, receipt_digest).map(drop))
    }
}

/// What a verified receipt is to the bundle that it names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// The first answer.
    New,
    /// The answer that is recorded.
    Repeated,
}

/// The bundle that a receipt answers, if there is one that went to its signer; `Conflict` where it cannot be its answer.
fn stands(
    sql: &Connection,
    receipt: &Receipt,
    receipt_digest: &Digest,
) -> Result<Option<(OutboundRow, Standing)>, JournalError> {
    let found = outbound_by_digest(sql, &receipt.manifest)?;
    let Some(row) = found.filter(|row| row.peer == receipt.from) else {
        return Ok(None);
    };
    match answered_by(sql, &row.bundle)? {
        Some(known) if known == *receipt_digest => Ok(Some((row, Standing::Repeated))),
        Some(_) => Err(JournalError::Conflict),
        None if names(receipt, &row) => Ok(Some((row, Standing::New))),
        None => Err(JournalError::Conflict),
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
