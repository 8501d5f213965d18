//! `amanah receipts`: the evidence kept in the home, each verified anew, here and now.
//! A file's name and place prove nothing: only what verifies is listed as valid. FORMAT.md §13.

use std::path::{Path, PathBuf};

use amanah_format::{
    id::{PartyId, Sequence},
    keyring::Keyring,
    receipt::{Outcome as Answer, VerifiedReceipt},
    time::UtcTime,
};
use amanahd::catalogue::{faces::traffic, moment, shown};
use comfy_table::Table;

use crate::{
    exit::{Exit, Outcome},
    papers,
    place::Place,
    screen::Screen,
    verify::trust::{Proof, receipt_proof},
};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  amanah receipts\n  amanah receipts imigrasi --json")]
pub(crate) struct Wanted {
    /// Only those exchanged with this peer
    peer: Option<PartyId>,
}

const END: &str = ".receipt.amanah";
/// Folders beneath `receipts/`: what the peer signed for us, what we signed.
const SIDES: [(&str, bool); 2] = [("received", true), ("sent", false)];

/// A receipt's file and what its verification says.
struct Kept {
    path: PathBuf,
    from_peer: bool,
    verified: Result<(VerifiedReceipt, Proof), String>,
}

impl Kept {
    /// What does not verify comes first; it has no time that counts.
    fn finished(&self) -> Option<(UtcTime, Option<Sequence>)> {
        let (verified, _) = self.verified.as_ref().ok()?;
        let receipt = verified.receipt();
        Some((receipt.finished, receipt.sequence))
    }
}

/// Exit 1 when one of them does not verify.
pub(crate) fn run(wanted: &Wanted, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let home = place.config()?.home;
    let (keyring, now) = (place.keyring()?, papers::now());
    let mut kept = Vec::new();
    for (side, from_peer) in SIDES {
        for folder in peers(
            &home.join(amanah_format::home::RECEIPTS).join(side),
            wanted.peer.as_ref(),
        )? {
            for path in papers::in_folder(&folder, END)? {
                let verified = verify(&path, &keyring, now)?;
                kept.push(Kept {
                    path,
                    from_peer,
                    verified,
                });
            }
        }
    }
    kept.sort_by_key(Kept::finished);
    let all_good = kept.iter().all(|one| one.verified.is_ok());
    if screen.json {
        let facts: Vec<_> = kept.iter().map(fact).collect();
        screen.facts(&serde_json::json!({"format": "amanah-receipts/1", "receipts": facts}))?;
    } else if kept.is_empty() {
        screen.say(traffic::NO_RECEIPTS, &[])?;
    } else {
        let table = table(&kept, screen);
        screen.line(&table.to_string())?;
    }
    Ok(if all_good { Exit::Ok } else { Exit::Negative })
}

fn peers(folder: &Path, only: Option<&PartyId>) -> Outcome<Vec<PathBuf>> {
    if let Some(peer) = only {
        return Ok(vec![folder.join(peer.as_str())]);
    }
    papers::in_folder(folder, "")
}

fn verify(
    path: &Path,
    keyring: &Keyring,
    now: UtcTime,
) -> Outcome<Result<(VerifiedReceipt, Proof), String>> {
    let bytes = papers::read(path)?;
    let verified = VerifiedReceipt::verify(&bytes, keyring, now);
    Ok(verified
        .map(|receipt| {
            let proof = receipt_proof(&receipt, keyring, now);
            (receipt, proof)
        })
        .map_err(|error| error.to_string()))
}

fn fact(kept: &Kept) -> serde_json::Value {
    let (verified, reason, receipt) = match &kept.verified {
        Ok((receipt, proof)) => (true, proof.code(), Some(receipt.receipt())),
        Err(reason) => (false, reason.as_str(), None),
    };
    serde_json::json!({
        "file": kept.path, "signed_by_peer": kept.from_peer, "verified": verified,
        "proof": reason, "receipt": receipt,
    })
}

fn table(kept: &[Kept], screen: &Screen<'_>) -> Table {
    let heads = [
        traffic::FINISHED,
        traffic::SIGNED_BY,
        traffic::FLOW,
        traffic::NUMBER,
        traffic::OUTCOME,
        traffic::PROOF,
    ];
    let mut table = screen.table(heads);
    for one in kept {
        table.add_row(row(one, screen));
    }
    table
}

fn row(kept: &Kept, screen: &Screen<'_>) -> [String; 6] {
    let (verified, proof) = match &kept.verified {
        Ok(pair) => pair,
        Err(reason) => {
            let name = kept.path.file_name().unwrap_or_default().to_string_lossy();
            let bad = screen.text(traffic::PROOF_BAD, &[&shown(reason)]);
            return [
                String::new(),
                String::new(),
                shown(&name),
                String::new(),
                String::new(),
                bad,
            ];
        }
    };
    let receipt = verified.receipt();
    let outcome = match receipt.outcome {
        Answer::Imported => screen.text(traffic::IMPORTED, &[]),
        Answer::Refused => {
            let code = receipt
                .refusal
                .map_or_else(String::new, |code| code.to_string());
            screen.text(traffic::REFUSED, &[&code])
        }
    };
    [
        moment::brief(receipt.finished, screen.language),
        receipt.from.to_string(),
        receipt
            .flow
            .as_ref()
            .map_or_else(String::new, ToString::to_string),
        receipt
            .sequence
            .map_or_else(String::new, |sequence| sequence.get().to_string()),
        outcome,
        screen.text(proof.text(), &[]),
    ]
}
