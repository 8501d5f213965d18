//! Ledgers that were published: our own, in which every bundle must have its records, and a copy of the peer's, in which every receipt
//! that it signed must be. A copy counts only whole: its records are those of a checkpoint that the peer signed.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use amanah_format::digest::Digest;
use amanah_format::home;
use amanah_format::ledger::{Record, RecordKind};
use amanah_format::receipt::{Outcome as Answer, VerifiedReceipt};
use amanah_format::time::UtcTime;
use amanahd::journal::Reading;

use super::{Ground, failure};
use crate::exit::{Exit, Failure, Outcome};
use crate::ledger;
use crate::screen::Screen;

/// The records of a ledger, by the bundle that they are about.
#[derive(Default)]
pub(super) struct Records {
    by_manifest: HashMap<Digest, Vec<Kept>>,
    size: u64,
    until: Option<UtcTime>,
    /// Nothing happened that is not in it.
    is_whole: bool,
}

/// What is kept of a record.
pub(super) struct Kept {
    index: u64,
    kind: RecordKind,
    digests: Vec<Digest>,
}

/// The peer's ledger, verified.
pub(super) fn read(folder: &Path, ground: &Ground, screen: &Screen<'_>) -> Outcome<Records> {
    let judged = ledger::intact(folder, &ground.keyring, &ground.peer)?;
    let refused = |fault: ledger::Fault| {
        let reason = fault.sentence(screen.language);
        Failure::new(
            Exit::Negative,
            format_args!("{}: {reason}", folder.display()),
        )
    };
    judged.map_err(refused)?;
    Records::of(&folder.join("records.jsonl"))
}

impl Records {
    /// Our own, as published: it may lag some seconds behind the journal.
    pub(super) fn own(ground: &Ground, reading: &Reading) -> Outcome<Self> {
        let mut own = match Self::of(&ground.home.join(home::LEDGER_RECORDS)) {
            Ok(own) => own,
            Err(failure) if failure.exit == Exit::Missing => return Ok(Self::default()),
            Err(failure) => return Err(failure),
        };
        own.is_whole = own.size >= reading.ledger_size().map_err(failure)?;
        Ok(own)
    }

    fn of(path: &Path) -> Outcome<Self> {
        let file = File::open(path).map_err(|error| Failure::io(path, &error))?;
        let mut records = Self::default();
        for line in BufReader::new(file).split(b'\n') {
            let line = line.map_err(|error| Failure::io(path, &error))?;
            let Ok(record) = Record::parse(&line) else {
                // The last line while it is being written; `amanah ledger verify` names any other.
                continue;
            };
            records.size += 1;
            records.until = Some(record.time);
            if let Some(manifest) = record.manifest {
                let kept = Kept {
                    index: record.index,
                    kind: record.kind,
                    digests: record.digests,
                };
                records.by_manifest.entry(manifest).or_default().push(kept);
            }
        }
        Ok(records)
    }

    /// Whether what happened then must be in it.
    pub(super) fn reaches(&self, time: UtcTime) -> bool {
        self.is_whole || self.until.is_some_and(|until| time < until)
    }

    /// Records of this kind about a bundle.
    pub(super) fn about(&self, manifest: &Digest, kind: RecordKind) -> Vec<&Kept> {
        let all = self.by_manifest.get(manifest).into_iter().flatten();
        all.filter(|record| record.kind == kind).collect()
    }

    /// What of a receipt its signer's ledger does not have: the outcome at the place that the receipt names, or the receipt itself.
    pub(super) fn lacks(&self, verified: &VerifiedReceipt) -> Option<String> {
        let receipt = verified.receipt();
        let kind = match receipt.outcome {
            Answer::Imported => RecordKind::Imported,
            Answer::Refused => RecordKind::Refused,
        };
        let outcomes = self.about(&receipt.manifest, kind);
        let index = receipt.ledger.index;
        if !outcomes.iter().any(|record| record.index == index) {
            return Some(format!("{kind} #{index}"));
        }
        let signed = self.about(&receipt.manifest, RecordKind::ReceiptSigned);
        let has = signed
            .iter()
            .any(|record| record.digests.contains(&verified.digest()));
        (!has).then(|| RecordKind::ReceiptSigned.to_string())
    }
}
