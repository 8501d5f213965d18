//! Names and numbers with a grammar: parties, flows, bundles, agreements, epochs, sequences. FORMAT.md §3.
//! Private fields, made only by parsing: a value of these types is well formed.

/// A party's id, also its SSH user name: `[a-z][a-z0-9-]{0,30}[a-z0-9]` (2 to 32 bytes), no `--`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartyId(String);
/// A flow's name, also a folder name: `[a-z][a-z0-9-]{0,62}[a-z0-9]` (2 to 64 bytes), no `--`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowName(String);
/// An agreement's id: the grammar of a flow's name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgreementId(String);
/// A bundle's sender-chosen id: a UUIDv7 (RFC 9562) in its lower-case hyphenated form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BundleId(uuid::Uuid);
/// The place of a bundle in its stream and epoch: 1, 2, 3 … 2^53-1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(u64);
/// The epoch of a stream: 1, 2, 3 … 2^32-1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u32);

/// A text or number outside its grammar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {kind}: expected {expected}, found {found:?}")]
pub struct IdError { kind: &'static str, expected: &'static str, found: String }
// Each: FromStr<Err = IdError>, Display, Debug, AsRef<str>/as_str() for texts, serde as text through try_from.
// Sequence/Epoch: FIRST, TryFrom<u64>, get(self) -> u64, next(self) -> Option<Self>, serde as integer.
// BundleId: new_v7(unix_millis: u64, random: [u8; 10]) -> Self.
