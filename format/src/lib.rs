//! The grammar of every byte that outlives a process: bundles, receipts, cards, agreements, slips, destruction records, the ledger,
//! names.
//!
//! Normative text: `FORMAT.md` beside this crate. No file, socket, clock or async runtime is known here:
//! bytes come in as slices or `Read`, go out as vectors or `Write`, and the time is an argument.

pub mod agreement;
mod ahead;
mod behind;
pub mod card;
pub mod container;
pub mod contents;
pub mod destruction;
pub mod digest;
pub mod document;
pub mod entry_path;
pub mod home;
pub mod id;
pub mod keyring;
pub mod ledger;
pub mod limits;
pub mod manifest;
pub mod open;
pub mod receipt;
pub mod recipient;
pub mod refusal;
pub mod seal;
pub mod signature;
pub mod slip;
pub mod table;
pub mod time;
