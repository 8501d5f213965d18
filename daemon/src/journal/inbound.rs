//! Bundles on their way in: taken over once, judged again while held, decided, answered by one receipt. SPOOL.md §3.
//! A row is found by its manifest digest, never by the id that the sender chose. The outcome and the exact text of its
//! receipt are one transaction, the signature is a second: no other text can ever be signed for it.

use amanah_format::digest::Digest;
use amanah_format::ledger::RecordKind;
use amanah_format::refusal::Refusal;
use amanah_format::slip::HeldReason;
use amanah_format::time::UtcTime;
use rusqlite::{Connection, params};

use super::change::Change;
use super::listing::{inbound_by_digest, load_inbound as load};
use super::queries::run;
use super::rows::{sql_int, word_of};
use super::streams::{Spot, advance_contiguous, note_highest};
use super::{InboundRow, Journal, JournalError, LedgerEntry, NewInbound, ReceiptText};
use crate::engine::Illegal;
use crate::engine::inbound::{Inbound, InboundEvent, consumes_number, next};
use crate::engine::policy::Verdict;

impl Journal {
    /// Records a bundle that was taken over (its file lies durably in incoming/), with its verdict: `Admitted`, `Held`,
    /// or `Refused` (then `receipt` prints receipt.json given origin and index of the outcome's record).
    /// Known already: nothing changes but `CameAgain`; returns the row as it stands.
    ///
    /// A row that was refused as `sender-mismatch` gives way to the same manifest from the sender that it names: nobody
    /// can block a bundle by signing somebody else's manifest first.
    ///
    /// # Errors
    /// [`JournalError::PlaceTaken`] when it was judged `Admit` and its place went to another meanwhile;
    /// [`JournalError::Conflict`] when another sender's bundle of this digest is recorded.
    pub fn take_over(
        &self,
        new: &NewInbound,
        now: UtcTime,
        receipt: &mut ReceiptText<'_>,
    ) -> Result<InboundRow, JournalError> {
        self.change(now, |change| {
            match inbound_by_digest(change.sql, &new.digest)? {
                Some(known) if known.peer == new.peer => {
                    step(change, &known, InboundEvent::CameAgain)?;
                    return load(change.sql, &new.digest);
                }
                Some(known) if known.refusal == Some(Refusal::SenderMismatch) => {
                    let store = "DELETE FROM inbound WHERE digest = ?1";
                    run(change.sql, store, [new.digest.as_bytes()])?;
                }
                Some(_) => return Err(JournalError::Conflict),
                None => {}
            }
            take_new(change, new, receipt)?;
            load(change.sql, &new.digest)
        })
    }

    /// A held bundle is judged again: `Admitted`, or `Held` for another reason; or an import found its store or space
    /// missing (`Held`). The same reason again changes nothing.
    ///
    /// # Errors
    /// [`JournalError::PlaceTaken`] as for [`Journal::take_over`]; [`JournalError::Illegal`].
    pub fn rejudge(
        &self,
        digest: &Digest,
        event: InboundEvent,
        held: Option<HeldReason>,
        now: UtcTime,
    ) -> Result<(), JournalError> {
        self.change(now, |change| {
            let row = load(change.sql, digest)?;
            let admits = event == InboundEvent::Admitted;
            if !admits && event != InboundEvent::Held || admits != held.is_none() {
                return Err(illegal(row.state, event));
            }
            let after = next(row.state, event)?;
            if after == row.state && row.held == held {
                return Ok(());
            }
            if admits {
                occupy(change.sql, digest)?;
            }
            set_state(change, digest, after)?;
            let reason = held.map(word_of).transpose()?;
            let store = "UPDATE inbound SET held = ?2 WHERE digest = ?1";
            run(change.sql, store, params![digest.as_bytes(), reason])?;
            let kind = if admits {
                RecordKind::Admitted
            } else {
                RecordKind::Held
            };
            change.append_about(kind, Some(*digest), reason)?;
            Ok(())
        })
    }

    /// First transaction of an outcome: state, the outcome's ledger record, receipt.json's exact bytes made by `receipt`
    /// from (origin, index). `refusal` none: the store's commit is durable.
    ///
    /// # Errors
    /// [`JournalError::Illegal`].
    pub fn decide(
        &self,
        digest: &Digest,
        refusal: Option<Refusal>,
        now: UtcTime,
        receipt: &mut ReceiptText<'_>,
    ) -> Result<InboundRow, JournalError> {
        self.change(now, |change| {
            let row = load(change.sql, digest)?;
            let event = match refusal {
                None => InboundEvent::StoreCommitted,
                Some(_) => InboundEvent::Refused,
            };
            let after = next(row.state, event)?;
            if let Some(refusal) = refusal {
                settle_place(change.sql, digest, refusal)?;
            }
            set_state(change, digest, after)?;
            let text = record_outcome(change, digest, refusal, receipt)?;
            let store =
                "UPDATE inbound SET held = NULL, refusal = ?2, receipt = ?3 WHERE digest = ?1";
            let code = refusal.map(Refusal::code);
            run(change.sql, store, params![digest.as_bytes(), code, text])?;
            load(change.sql, digest)
        })
    }

    /// Second transaction: the signature and the record of the receipt's digest (`Acknowledged`).
    ///
    /// # Errors
    /// [`JournalError::Illegal`].
    pub fn store_receipt_signature(
        &self,
        digest: &Digest,
        signature: &str,
        now: UtcTime,
    ) -> Result<(), JournalError> {
        self.change(now, |change| {
            let row = load(change.sql, digest)?;
            step(change, &row, InboundEvent::ReceiptSigned)?;
            let Some(text) = row.receipt else {
                return Err(JournalError::Damaged(format!("no receipt of {digest}")));
            };
            let store = "UPDATE inbound SET receipt_signature = ?2 WHERE digest = ?1";
            run(change.sql, store, params![digest.as_bytes(), signature])?;
            change.append(LedgerEntry {
                kind: RecordKind::ReceiptSigned,
                manifest: Some(*digest),
                digests: vec![Digest::of(&text)],
                code: None,
                by: None,
            })?;
            Ok(())
        })
    }

    /// `ReceiptTaken` or `CameAgain`; the first delivery of a receipt is recorded in the ledger, later ones are not.
    ///
    /// # Errors
    /// [`JournalError::Illegal`] also for events that have a function of their own.
    pub fn advance_inbound(
        &self,
        digest: &Digest,
        event: InboundEvent,
        now: UtcTime,
    ) -> Result<Inbound, JournalError> {
        self.change(now, |change| {
            let row = load(change.sql, digest)?;
            match event {
                InboundEvent::CameAgain => step(change, &row, event),
                InboundEvent::ReceiptTaken => {
                    let after = step(change, &row, event)?;
                    note_delivery(change, digest)?;
                    Ok(after)
                }
                InboundEvent::Admitted
                | InboundEvent::Refused
                | InboundEvent::Held
                | InboundEvent::StoreCommitted
                | InboundEvent::StoreLost
                | InboundEvent::RetentionEnded
                | InboundEvent::ReceiptSigned => Err(illegal(row.state, event)),
            }
        })
    }
}

impl Journal {
    /// The store has lost an import that was answered: the bundle is to be imported again, under its old receipt.
    ///
    /// # Errors
    /// [`JournalError::Illegal`] also for a refused bundle, which no store ever had.
    pub fn store_lost(&self, digest: &Digest, now: UtcTime) -> Result<(), JournalError> {
        self.change(now, |change| {
            let row = load(change.sql, digest)?;
            if row.refusal.is_some() {
                return Err(illegal(row.state, InboundEvent::StoreLost));
            }
            step(change, &row, InboundEvent::StoreLost)?;
            let code = InboundEvent::StoreLost.as_str().to_owned();
            change.append_about(RecordKind::Admitted, Some(*digest), Some(code))?;
            Ok(())
        })
    }
}

/// A bundle that was never seen before.
fn take_new(
    change: &mut Change<'_>,
    new: &NewInbound,
    receipt: &mut ReceiptText<'_>,
) -> Result<(), JournalError> {
    let state = match new.verdict {
        Verdict::Admit => Inbound::Admitted,
        Verdict::Hold(_) => Inbound::Held,
        Verdict::Refuse(_) => Inbound::Refused,
    };
    insert(change, new, state)?;
    let store = "UPDATE inbound SET held = ?2, refusal = ?3, receipt = ?4 WHERE digest = ?1";
    let key = new.digest.as_bytes();
    match new.verdict {
        Verdict::Admit => {
            occupy(change.sql, &new.digest)?;
            change.append_about(RecordKind::Admitted, Some(new.digest), None)?;
        }
        Verdict::Hold(reason) => {
            occupy_if_free(change.sql, &new.digest)?;
            let reason = word_of(reason)?;
            run(
                change.sql,
                store,
                params![key, reason, None::<String>, None::<Vec<u8>>],
            )?;
            change.append_about(RecordKind::Held, Some(new.digest), Some(reason))?;
        }
        Verdict::Refuse(refusal) => {
            settle_place(change.sql, &new.digest, refusal)?;
            let text = record_outcome(change, &new.digest, Some(refusal), receipt)?;
            run(
                change.sql,
                store,
                params![key, None::<String>, refusal.code(), text],
            )?;
        }
    }
    Ok(())
}

fn insert(change: &Change<'_>, new: &NewInbound, state: Inbound) -> Result<(), JournalError> {
    let store = "INSERT INTO inbound (digest, peer, state, bundle, agreement_id, agreement, flow, epoch, sequence,
        holds_place, received, manifest, signature, payload_bytes, changed, changed_millis)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?10, ?11, ?12, ?13, ?14, ?15)";
    let manifest = new.manifest.as_ref();
    let epoch = manifest.map(|manifest| sql_int(manifest.epoch.get()));
    let sequence = manifest.map(|manifest| sql_int(manifest.sequence.get()));
    let values = params![
        new.digest.as_bytes(),
        new.peer.as_str(),
        state.as_str(),
        manifest.map(|manifest| manifest.bundle.to_string()),
        manifest.map(|manifest| manifest.agreement.id.as_str()),
        manifest.map(|manifest| manifest.agreement.digest.as_bytes()),
        manifest.map(|manifest| manifest.flow.as_str()),
        epoch.transpose()?,
        sequence.transpose()?,
        new.received.unix(),
        new.manifest_bytes,
        new.signature,
        sql_int(new.payload_bytes)?,
        change.now.unix(),
        sql_int(change.millis)?,
    ];
    run(change.sql, store, values).map(drop)
}

/// The outcome's record, then the receipt that names it.
fn record_outcome(
    change: &mut Change<'_>,
    digest: &Digest,
    refusal: Option<Refusal>,
    receipt: &mut ReceiptText<'_>,
) -> Result<Vec<u8>, JournalError> {
    let kind = match refusal {
        None => RecordKind::Imported,
        Some(_) => RecordKind::Refused,
    };
    let code = refusal.map(|refusal| refusal.code().to_owned());
    let index = change.append_about(kind, Some(*digest), code)?;
    Ok(receipt(change.origin, index))
}

/// The state after an event whose record the caller writes.
pub(super) fn step(
    change: &Change<'_>,
    row: &InboundRow,
    event: InboundEvent,
) -> Result<Inbound, JournalError> {
    let after = next(row.state, event)?;
    if after != row.state {
        set_state(change, &row.digest, after)?;
    }
    Ok(after)
}

fn set_state(change: &Change<'_>, digest: &Digest, after: Inbound) -> Result<(), JournalError> {
    let store =
        "UPDATE inbound SET state = ?2, changed = ?3, changed_millis = ?4 WHERE digest = ?1";
    let (secs, millis) = (change.now.unix(), sql_int(change.millis)?);
    let values = params![digest.as_bytes(), after.as_str(), secs, millis];
    run(change.sql, store, values).map(drop)
}

/// A peer that sends a bundle again and again gets its receipt each time, but no more records.
fn note_delivery(change: &mut Change<'_>, digest: &Digest) -> Result<(), JournalError> {
    let store = "UPDATE inbound SET was_delivered = 1 WHERE digest = ?1 AND was_delivered = 0";
    if run(change.sql, store, [digest.as_bytes()])? == 1 {
        change.append_about(RecordKind::ReceiptDelivered, Some(*digest), None)?;
    }
    Ok(())
}

/// The place of a bundle that is to be imported: it is its own, or the judgement is out of date.
fn occupy(sql: &Connection, digest: &Digest) -> Result<(), JournalError> {
    if occupy_if_free(sql, digest)? {
        Ok(())
    } else {
        Err(JournalError::PlaceTaken)
    }
}

/// Takes the place where nobody holds it (or this bundle itself does); whether it holds it now.
fn occupy_if_free(sql: &Connection, digest: &Digest) -> Result<bool, JournalError> {
    let (spot, holds) = Spot::recorded(sql, digest)?;
    if holds {
        return Ok(true);
    }
    let Some(spot) = spot else {
        return Ok(false);
    };
    if !spot.is_free(sql, digest)? {
        return Ok(false);
    }
    set_place(sql, digest, true)?;
    advance_contiguous(sql, &spot)?;
    note_highest(sql, &spot, digest)?;
    Ok(true)
}

/// After a refusal: a number that counts as consumed stays (or becomes) taken, another is free again.
fn settle_place(sql: &Connection, digest: &Digest, refusal: Refusal) -> Result<(), JournalError> {
    if consumes_number(refusal) {
        occupy_if_free(sql, digest).map(drop)
    } else {
        set_place(sql, digest, false)
    }
}

fn set_place(sql: &Connection, digest: &Digest, holds: bool) -> Result<(), JournalError> {
    let store = "UPDATE inbound SET holds_place = ?2 WHERE digest = ?1";
    run(sql, store, params![digest.as_bytes(), holds]).map(drop)
}

fn illegal(state: Inbound, event: InboundEvent) -> JournalError {
    JournalError::Illegal(Illegal {
        state: state.as_str(),
        event: event.as_str(),
    })
}
