//! The vectors themselves: a valid one of each kind, and its changes, each with one fault.
//!
//! Documents are written as text here, not by the crate's types: so a vector tells when a type changes what it writes.
//! The keys exist for the vectors only.

pub(crate) mod case;
pub(crate) mod checkpoints;
pub(crate) mod containers;
pub(crate) mod destructions;
pub(crate) mod documents;
pub(crate) mod heads;
pub(crate) mod key_types;
pub(crate) mod papers;
pub(crate) mod parties;
pub(crate) mod payloads;
pub(crate) mod receipts;
pub(crate) mod signatures;
pub(crate) mod tables;
pub(crate) mod tape;

pub(crate) use case::Case;

/// What a group of vectors comes as.
pub(crate) type Made<T> = Result<T, Box<dyn std::error::Error>>;

/// All but the payloads.
pub(crate) fn deterministic() -> Made<Vec<Case>> {
    let mut all = documents::all();
    all.extend(documents::entry_paths());
    all.extend(signatures::all());
    all.extend(containers::all());
    all.extend(heads::all()?);
    all.extend(papers::cards());
    all.extend(papers::agreements());
    all.extend(tables::agreements());
    all.extend(tables::schemas());
    all.extend(tables::tables());
    all.extend(receipts::receipts());
    all.extend(receipts::slips());
    all.extend(destructions::all());
    all.extend(checkpoints::all());
    Ok(all)
}
