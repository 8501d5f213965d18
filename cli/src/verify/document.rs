//! Judging the small documents: receipt, card, agreement, slip, checkpoint; `destruction` judges a destruction record.
//! Each finding names what is proven, and what somebody might think is proven and is not.

use amanah_format::{
    agreement::AgreementFile,
    card::VerifiedCard,
    container::unpack_small,
    document,
    keyring::Succession,
    ledger::Checkpoint,
    limits::DOCUMENT_BYTES_MAX,
    receipt::{Outcome as Answer, VerifiedReceipt},
    slip::{Body, Position, Proposed, Slip, StreamPlace, VerifiedSlip},
    time::UtcTime,
};
use amanahd::catalogue::{
    faces::{agreement as agreement_face, proof as face},
    shown,
};

use super::{
    destruction,
    kind::Kind,
    trust::{Bench, Finding, Proof, receipt_proof},
};

/// Judges at `now`, then at the document's own time: that it verifies only then is said.
pub(super) fn judge(kind: Kind, bytes: &[u8], bench: &Bench<'_>) -> Finding {
    let finding = match kind {
        Kind::Receipt => receipt(bytes, bench),
        Kind::Card => card(bytes, bench),
        Kind::Agreement => agreement(bytes, bench),
        Kind::Slip => slip(bytes, bench),
        Kind::Destruction => destruction::judge(bytes, bench),
        Kind::Checkpoint => checkpoint(bytes, bench),
        Kind::Bundle | Kind::Unknown => Err(String::new()),
    };
    finding.unwrap_or_else(|reason| Finding::bad(kind, reason))
}

fn json(of: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(of).unwrap_or_default()
}

fn receipt(bytes: &[u8], bench: &Bench<'_>) -> Result<Finding, String> {
    let verified =
        VerifiedReceipt::verify(bytes, bench.keyring, bench.now).map_err(|e| e.to_string())?;
    let receipt = verified.receipt();
    let finished = bench.wib(receipt.finished);
    let said = match receipt.outcome {
        Answer::Imported => (
            face::SAYS_IMPORTED,
            vec![receipt.from.to_string(), finished],
        ),
        Answer::Refused => {
            let code = receipt
                .refusal
                .map_or_else(String::new, |code| code.to_string());
            (
                face::SAYS_REFUSED,
                vec![receipt.from.to_string(), finished, code],
            )
        }
    };
    Ok(Finding {
        kind: Kind::Receipt,
        proof: Ok(receipt_proof(&verified, bench.keyring, bench.now)),
        signers: vec![receipt.from.to_string()],
        digest: Some(verified.digest()),
        sentences: vec![
            said,
            (face::ABOUT_BUNDLE, vec![receipt.manifest.to_string()]),
        ],
        not_proven: vec![face::RECEIPT_NOT_PROVEN],
        facts: json(receipt),
        unread: None,
    })
}

fn card(bytes: &[u8], bench: &Bench<'_>) -> Result<Finding, String> {
    let verified = VerifiedCard::verify(bytes).map_err(|error| error.to_string())?;
    let card = verified.card();
    let trusted = bench
        .keyring
        .cards()
        .any(|known| known.digest() == verified.digest());
    let is_current = card.keys.signing.iter().any(|valid| valid.at(bench.now));
    let remark = if trusted {
        face::CARD_TRUSTED
    } else {
        match bench.keyring.judge_successor(&verified, card.created) {
            Ok(Succession::Follows) => face::CARD_FOLLOWS,
            Ok(Succession::Rival) => face::CARD_RIVAL,
            Ok(Succession::Known | Succession::Behind | Succession::Early) | Err(_) => {
                face::CARD_NOT_TRUSTED
            }
        }
    };
    Ok(Finding {
        kind: Kind::Card,
        proof: Ok(if is_current {
            Proof::Valid
        } else {
            Proof::TimeNotProven
        }),
        signers: vec![card.party.to_string()],
        digest: Some(verified.digest()),
        sentences: vec![
            (
                face::CARD_OF,
                vec![card.party.to_string(), shown(&card.name)],
            ),
            (
                face::CARD_FINGERPRINT,
                vec![verified.digest().to_fingerprint()],
            ),
        ],
        not_proven: vec![remark],
        facts: json(card),
        unread: None,
    })
}

fn agreement(bytes: &[u8], bench: &Bench<'_>) -> Result<Finding, String> {
    let read = || AgreementFile::parse(bytes).map_err(|error| error.to_string());
    let file = read()?;
    let text = file.agreement().map_err(|error| error.to_string())?;
    let signers = file.signers().map(ToString::to_string).collect();
    let digest = file.digest();
    if let Some(missing) = crate::agreement::unsigned(&file, &text) {
        return Err(agreement_face::UNSIGNED.with(bench.language, &[&missing]));
    }
    let proof = match file.verify(bench.keyring, bench.now) {
        Ok(_) => Proof::Valid,
        Err(error) => match read()?.verify(bench.keyring, text.effective) {
            Ok(_) => Proof::TimeNotProven,
            Err(_) => return Err(error.to_string()),
        },
    };
    let dates = [text.effective, text.ends].map(|time| bench.wib(time));
    Ok(Finding {
        kind: Kind::Agreement,
        proof: Ok(proof),
        signers,
        digest: Some(digest),
        sentences: vec![
            (
                face::AGREEMENT_IS,
                vec![
                    text.id.to_string(),
                    text.version.to_string(),
                    shown(&text.title),
                ],
            ),
            (face::AGREEMENT_DATES, dates.to_vec()),
        ],
        not_proven: vec![face::AGREEMENT_NOT_PROVEN],
        facts: json(&text),
        unread: None,
    })
}

fn slip(bytes: &[u8], bench: &Bench<'_>) -> Result<Finding, String> {
    let (verified, proof) = match VerifiedSlip::verify(bytes, bench.keyring, bench.now) {
        Ok(verified) => (verified, Proof::Valid),
        Err(error) => {
            let made = made_at(bytes).filter(|made| *made <= bench.now);
            let then = made.and_then(|made| VerifiedSlip::verify(bytes, bench.keyring, made).ok());
            (then.ok_or_else(|| error.to_string())?, Proof::TimeNotProven)
        }
    };
    let slip = verified.slip();
    let said = match &slip.body {
        Body::Held { manifest, .. } => (face::SAYS_HELD, vec![manifest.to_string()]),
        Body::Revocation {
            agreement, reason, ..
        } => (
            face::SAYS_REVOKED,
            vec![
                agreement.id.to_string(),
                agreement.version.to_string(),
                shown(reason),
            ],
        ),
        Body::Resend(asked) => (
            face::SAYS_RESEND,
            vec![
                asked.flow.to_string(),
                asked.first.to_string(),
                asked.last.to_string(),
            ],
        ),
        Body::Void(void) => (
            face::SAYS_VOID,
            vec![
                void.flow.to_string(),
                void.sequence.to_string(),
                void.reason.code().to_owned(),
            ],
        ),
        Body::Position(position) => (face::SAYS_POSITION, vec![places(position)]),
        Body::Checkpoint(shown) => (face::SAYS_CHECKPOINT, vec![noted(&shown.note)]),
        Body::Cosignature(seen) => (face::SAYS_COSIGNED, vec![noted(&seen.note)]),
        Body::Card(proposed) => (face::SAYS_CARD, vec![carried(proposed)]),
    };
    Ok(Finding {
        kind: Kind::Slip,
        proof: Ok(proof),
        signers: vec![slip.from.to_string()],
        digest: Some(verified.digest()),
        sentences: vec![said],
        not_proven: Vec::new(),
        facts: json(slip),
        unread: None,
    })
}

/// `FLOW EPOCH.NUMBER`, one after the other; a dash for none.
fn places(position: &Position) -> String {
    let place = |one: &StreamPlace| format!("{} {}.{}", one.flow, one.epoch, one.sequence);
    let places: Vec<String> = position.streams.iter().map(place).collect();
    if places.is_empty() {
        "-".to_owned()
    } else {
        places.join(", ")
    }
}

/// Which ledger, and how long, by a note that is not verified here.
fn noted(note: &str) -> String {
    let read = Checkpoint::read(note);
    read.map_or_else(
        || "-".to_owned(),
        |one| format!("{} {}", one.origin, one.size),
    )
}

/// Number and fingerprint of the card in a slip.
fn carried(proposed: &Proposed) -> String {
    let card = VerifiedCard::verify(&proposed.container().unwrap_or_default());
    card.map_or_else(
        |_| "-".to_owned(),
        |card| format!("{} {}", card.card().number, card.digest().to_fingerprint()),
    )
}

/// What an unverified slip says of its own age.
fn made_at(bytes: &[u8]) -> Option<UtcTime> {
    let parts = unpack_small(bytes, DOCUMENT_BYTES_MAX).ok()?;
    let (_, text) = parts.first()?;
    document::parse::<Slip>(text).ok().map(|slip| slip.created)
}

fn checkpoint(bytes: &[u8], bench: &Bench<'_>) -> Result<Finding, String> {
    let note = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let (party, checkpoint) = crate::ledger::verify_note(note, bench.keyring)
        .map_err(|fault| fault.sentence(bench.language))?;
    Ok(Finding {
        kind: Kind::Checkpoint,
        proof: Ok(Proof::Valid),
        signers: vec![party.to_string()],
        digest: Some(checkpoint.root),
        sentences: vec![(
            face::CHECKPOINT_IS,
            vec![shown(&checkpoint.origin), checkpoint.size.to_string()],
        )],
        not_proven: vec![face::CHECKPOINT_NOT_PROVEN],
        facts: checkpoint_facts(&checkpoint),
        unread: None,
    })
}

fn checkpoint_facts(checkpoint: &Checkpoint) -> serde_json::Value {
    serde_json::json!({
        "origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root,
    })
}
