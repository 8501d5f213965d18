//! The ledger: records, the RFC 6962 Merkle tree over them, checkpoints as C2SP signed notes. FORMAT.md §15.
//! This file walks records against a checkpoint; `record`, `tree`, `proof`, `checkpoint` and `cosignature` hold the parts.

mod checkpoint;
mod cosignature;
mod proof;
mod record;
mod tree;

pub use checkpoint::{Checkpoint, origin, parse_origin};
pub use cosignature::{Cosigned, cosigners};
pub use proof::{CONSISTENCY_MAX, Prover, consistency_parts, is_consistent};
pub use record::{Record, RecordKind, RecordKindError};
pub use tree::{Tree, leaf_hash};

/// Walks records against a verified checkpoint: exactly as many as it says, indices without gap, the first one `opened`, the
/// root equal. Records written after the checkpoint are not covered by it: the caller leaves them out.
///
/// # Errors
/// Names the first record that is wrong.
pub fn verify_records<'a>(
    lines: impl Iterator<Item = &'a [u8]>,
    checkpoint: &Checkpoint,
) -> Result<(), LedgerError> {
    let mut tree = Tree::default();
    for line in lines {
        let index = tree.size();
        if index == checkpoint.size {
            return Err(LedgerError(format!(
                "more records than the checkpoint's {index}"
            )));
        }
        let wrong = |reason: String| LedgerError(format!("record {index}: {reason}"));
        let record = Record::parse(line).map_err(|error| wrong(error.0))?;
        if record.index != index {
            return Err(wrong(format!("it calls itself {}", record.index)));
        }
        if (index == 0) != (record.kind == RecordKind::Opened) {
            return Err(wrong("the first record, and no other, is `opened`".into()));
        }
        tree.push(leaf_hash(line));
    }
    if tree.size() != checkpoint.size {
        return Err(LedgerError(format!(
            "{} records: the checkpoint covers {}",
            tree.size(),
            checkpoint.size
        )));
    }
    if tree.root() != checkpoint.root {
        return Err(LedgerError(format!(
            "the records' root is {}, the checkpoint's {}",
            tree.root(),
            checkpoint.root
        )));
    }
    Ok(())
}

/// Why a ledger does not verify.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("ledger: {0}")]
pub struct LedgerError(pub(crate) String);

#[cfg(test)]
mod tests;
