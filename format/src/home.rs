//! Names of folders and files in a home, pure strings, all in one place. FORMAT.md §16, SPOOL.md.
//!
//! ```text
//! outbox/PEER/FLOW/NAME            an operator's drop            .claimed-ID  while it is under way
//! sent/PEER/FLOW/NAME              originals after settlement, until destroyed
//! returned/PEER/FLOW/NAME(+.why.txt)
//! inbox/PEER/FLOW/BUNDLE-ID/       the `files` store             inbox/.imports/HEX markers, inbox/.staging/HEX
//! receipts/sent/PEER/HEX.receipt.amanah, receipts/received/PEER/…      evidence
//! ledger/records.jsonl, ledger/checkpoint
//! requests/                        operators' verbs
//! status.json                      the status snapshot
//! spool/                           the daemon's alone (0700): journal.sqlite, lock, work/, queue/PEER/, incoming/PEER/, quarantine/, archive/sent/PEER/, archive/received/PEER/
//! ```
use crate::{
    digest::Digest,
    id::{FlowName, PartyId},
};
/// Config folder: the configuration.
pub const CONFIG: &str = "amanah.toml";
/// Config folder: private keys.
pub const KEYS: &str = "keys";
/// Config folder: peers' cards (`PARTY.card.amanah`) and our own.
pub const CARDS: &str = "cards";
/// Config folder: agreements and revocations.
pub const AGREEMENTS: &str = "agreements";
