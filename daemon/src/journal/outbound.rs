//! Bundles on their way out: claims, the sealing transaction, signatures, answers, returns. SPOOL.md §2.
//! A number of a stream is taken in the transaction that stores the manifest's exact bytes, so there is no gap and no
//! second text for it. Which step may follow which is asked of `engine::outbound`; no state is set here without it.

use amanah_format::digest::Digest;
use amanah_format::id::{BundleId, Epoch, Sequence};
use amanah_format::ledger::RecordKind;
use amanah_format::manifest::AgreementRef;
use amanah_format::slip::HeldReason;
use amanah_format::time::UtcTime;
use rusqlite::{Connection, params};

use super::again::is_stopped;
use super::change::Change;
use super::items::insert_item;
use super::listing::load_outbound as load;
use super::queries::run;
use super::rows::{lane_rank, sql_int, word_of};
use super::{Journal, JournalError, LedgerEntry, NewClaim, OutboundRow};
use crate::engine::Illegal;
use crate::engine::outbound::{Outbound, OutboundEvent, next};
use crate::engine::policy::ReturnReason;

impl Journal {
    /// Records claims (state `Claiming`), one transaction for all.
    ///
    /// # Errors
    /// A bundle id that is recorded already; the disk's.
    pub fn claim(&self, claims: &[NewClaim], now: UtcTime) -> Result<(), JournalError> {
        self.change(now, |change| {
            claims.iter().try_for_each(|claim| insert(change, claim))
        })
    }

    /// Moves a bundle by an event that needs no further facts; a late or repeated `PeerTookOver` changes nothing.
    ///
    /// # Errors
    /// [`JournalError::Illegal`] also for events that have a function of their own.
    pub fn advance_outbound(
        &self,
        bundle: &BundleId,
        event: OutboundEvent,
        now: UtcTime,
    ) -> Result<Outbound, JournalError> {
        self.change(now, |change| {
            let row = load(change.sql, bundle)?;
            if needs_facts(event) {
                return Err(illegal(row.state, event));
            }
            step(change, &row, event, LedgerFacts::default())
        })
    }

    /// THE sealing transaction: takes the next sequence of the stream (peer, agreement id, flow, epoch), lets `make`
    /// print the exact manifest bytes (and say the payload's length), records both.
    ///
    /// # Errors
    /// [`JournalError::Make`] with what `make` said: then no number is used up.
    pub fn commit_seal(
        &self,
        bundle: &BundleId,
        agreement: &AgreementRef,
        now: UtcTime,
        make: &mut ManifestText<'_>,
    ) -> Result<OutboundRow, JournalError> {
        self.change(now, |change| {
            let row = load(change.sql, bundle)?;
            // Asked before the number is taken: an illegal event must not even call `make`.
            next(row.state, OutboundEvent::SealCommitted)?;
            if is_stopped(change.sql, &row.peer, &row.flow)? {
                return Err(JournalError::Make(
                    "the stream was stopped meanwhile".to_owned(),
                ));
            }
            let place = change.next_place(&row, agreement)?;
            let (epoch, sequence, previous) = place;
            let (text, payload_bytes) =
                make(epoch, sequence, previous).map_err(JournalError::Make)?;
            let sealed = OutboundRow {
                digest: Some(Digest::of(&text)),
                manifest: Some(text),
                agreement: Some(agreement.clone()),
                epoch: Some(epoch),
                sequence: Some(sequence),
                payload_bytes,
                ..row
            };
            record_seal(change.sql, &sealed, agreement)?;
            change.take_place(&sealed, agreement)?;
            step(
                change,
                &sealed,
                OutboundEvent::SealCommitted,
                LedgerFacts::default(),
            )?;
            load(change.sql, bundle)
        })
    }

    /// Stores the manifest's signature (`Signed`).
    ///
    /// # Errors
    /// As [`Journal::advance_outbound`].
    pub fn store_signature(
        &self,
        bundle: &BundleId,
        signature: &str,
        now: UtcTime,
    ) -> Result<(), JournalError> {
        self.change(now, |change| {
            let row = load(change.sql, bundle)?;
            let store = "UPDATE outbound SET signature = ?2 WHERE bundle = ?1";
            run(change.sql, store, params![bundle.to_string(), signature])?;
            let event = OutboundEvent::SignatureStored;
            step(change, &row, event, LedgerFacts::default())?;
            Ok(())
        })
    }

    /// Records why a bundle is about to go back, before its items are moved: after a crash the return is finished.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn intend_return(
        &self,
        bundle: &BundleId,
        reason: ReturnReason,
    ) -> Result<(), JournalError> {
        let store = "UPDATE outbound SET return_reason = ?2 WHERE bundle = ?1";
        self.edit(|sql| run(sql, store, (bundle.to_string(), reason.code())).map(drop))
    }

    /// Moves to `Returned` with its reason code.
    ///
    /// # Errors
    /// As [`Journal::advance_outbound`].
    pub fn record_return(
        &self,
        bundle: &BundleId,
        reason: ReturnReason,
        now: UtcTime,
    ) -> Result<(), JournalError> {
        self.change(now, |change| {
            let row = load(change.sql, bundle)?;
            let store = "UPDATE outbound SET return_reason = ?2 WHERE bundle = ?1";
            run(
                change.sql,
                store,
                params![bundle.to_string(), reason.code()],
            )?;
            let facts = LedgerFacts {
                digests: Vec::new(),
                code: Some(reason.code().to_owned()),
            };
            step(change, &row, OutboundEvent::OriginalsReturned, facts)?;
            Ok(())
        })
    }

    /// A held slip came from the peer for this manifest; nothing where it is not (or no longer) underway.
    ///
    /// # Errors
    /// The disk's.
    pub fn note_held(&self, digest: &Digest, reason: HeldReason) -> Result<(), JournalError> {
        self.edit(|sql| {
            let store = "UPDATE outbound SET held = ?2 WHERE digest = ?1 AND state IN ('queued', 'handed-over')";
            run(sql, store, params![digest.as_bytes(), word_of(reason)?])?;
            Ok(())
        })
    }
}

/// Prints a manifest's exact bytes and says the payload's length, given its place in the stream.
pub type ManifestText<'a> =
    dyn FnMut(Epoch, Sequence, Option<Digest>) -> Result<(Vec<u8>, u64), String> + 'a;

/// What a record says beside the manifest's digest.
#[derive(Default)]
pub(super) struct LedgerFacts {
    pub(super) digests: Vec<Digest>,
    pub(super) code: Option<String>,
}

/// Events that come with facts have a function of their own, which stores them in the same transaction.
const fn needs_facts(event: OutboundEvent) -> bool {
    matches!(
        event,
        OutboundEvent::SealCommitted
            | OutboundEvent::SignatureStored
            | OutboundEvent::ReceiptImported
            | OutboundEvent::ReceiptRefused
            | OutboundEvent::OriginalsReturned
    )
}

/// The record that an event leaves. Nothing was taken from the operator before the claim stood, or after it went back;
/// the queue is a place of ours.
const fn record_of(event: OutboundEvent) -> Option<RecordKind> {
    match event {
        OutboundEvent::StoodAside => Some(RecordKind::Claimed),
        OutboundEvent::SealCommitted => Some(RecordKind::Sealed),
        OutboundEvent::SignatureStored => Some(RecordKind::Signed),
        OutboundEvent::PeerTookOver => Some(RecordKind::HandedOver),
        OutboundEvent::ReceiptImported | OutboundEvent::ReceiptRefused => {
            Some(RecordKind::ReceiptVerified)
        }
        OutboundEvent::OriginalsSettled => Some(RecordKind::Settled),
        OutboundEvent::OriginalsReturned => Some(RecordKind::Returned),
        OutboundEvent::RetentionEnded => Some(RecordKind::Destroyed),
        OutboundEvent::WentBack | OutboundEvent::BundleQueued => None,
    }
}

/// The state after `event`, stored with its record; a state that stays writes nothing.
pub(super) fn step(
    change: &mut Change<'_>,
    row: &OutboundRow,
    event: OutboundEvent,
    facts: LedgerFacts,
) -> Result<Outbound, JournalError> {
    let after = next(row.state, event)?;
    if after == row.state {
        return Ok(after);
    }
    let store =
        "UPDATE outbound SET state = ?2, changed = ?3, changed_millis = ?4 WHERE bundle = ?1";
    let (secs, millis) = (change.now.unix(), sql_int(change.millis)?);
    let key = row.bundle.to_string();
    run(
        change.sql,
        store,
        params![key, after.as_str(), secs, millis],
    )?;
    if let Some(kind) = record_of(event) {
        change.append(LedgerEntry {
            kind,
            manifest: row.digest,
            digests: facts.digests,
            code: facts.code,
            by: None,
        })?;
    }
    Ok(after)
}

fn illegal(state: Outbound, event: OutboundEvent) -> JournalError {
    JournalError::Illegal(Illegal {
        state: state.as_str(),
        event: event.as_str(),
    })
}

fn insert(change: &Change<'_>, claim: &NewClaim) -> Result<(), JournalError> {
    let store = "INSERT INTO outbound (bundle, peer, flow, lane, state, seen_millis, changed, changed_millis)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let values = params![
        claim.bundle.to_string(),
        claim.peer.as_str(),
        claim.flow.as_str(),
        lane_rank(claim.lane),
        Outbound::Claiming.as_str(),
        sql_int(claim.seen_millis)?,
        change.now.unix(),
        sql_int(change.millis)?,
    ];
    run(change.sql, store, values)?;
    for (position, item) in (0_i64..).zip(&claim.items) {
        insert_item(change.sql, &claim.bundle, position, item)?;
    }
    Ok(())
}

fn record_seal(
    sql: &Connection,
    sealed: &OutboundRow,
    agreement: &AgreementRef,
) -> Result<(), JournalError> {
    let store =
        "UPDATE outbound SET agreement_id = ?2, agreement_version = ?3, agreement = ?4, epoch = ?5,
        sequence = ?6, manifest = ?7, digest = ?8, payload_bytes = ?9 WHERE bundle = ?1";
    let values = params![
        sealed.bundle.to_string(),
        agreement.id.as_str(),
        agreement.version,
        agreement.digest.as_bytes(),
        sealed.epoch.map(|epoch| sql_int(epoch.get())).transpose()?,
        sealed
            .sequence
            .map(|sequence| sql_int(sequence.get()))
            .transpose()?,
        sealed.manifest,
        sealed.digest.as_ref().map(Digest::as_bytes),
        sql_int(sealed.payload_bytes)?,
    ];
    run(sql, store, values)?;
    Ok(())
}
