//! A bundle, receipt or slip while it arrives: `incoming/PEER/NAME.part`, written at any offset, its synced prefix remembered
//! across restarts in `NAME.prefix`. Holes at most 32 MiB.

use super::{Spool, SpoolError};
use amanah_format::id::PartyId;
/// Largest distance between the end of what is there and a new write.
pub const HOLE_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// An arriving file.
pub struct Part { _private: () }
impl Spool {
    /// Opens or creates the part `name` (already checked to be a wire name); what lies beyond the synced prefix after a restart is cut off.
    pub fn part(&self, peer: &PartyId, name: &str) -> Result<Part, SpoolError> { todo!() }
    /// The synced prefix of `name`, none when there is no part.
    pub fn part_prefix(&self, peer: &PartyId, name: &str) -> Result<Option<u64>, SpoolError> { todo!() }
    /// Names and synced prefixes of all parts of `peer`.
    pub fn parts(&self, peer: &PartyId) -> Result<Vec<(String, u64)>, SpoolError> { todo!() }
    /// Drops a part.
    pub fn drop_part(&self, peer: &PartyId, name: &str) -> Result<(), SpoolError> { todo!() }
}
impl Part {
    /// Writes at an offset.
    pub fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), PartError> { todo!() }
    /// Bytes from 0 without hole, written (not yet synced).
    #[must_use] pub fn prefix(&self) -> u64 { todo!() }
    /// Syncs, remembers and returns the prefix.
    pub fn sync(&mut self) -> Result<u64, SpoolError> { todo!() }
    /// The file's path.
    #[must_use] pub fn path(&self) -> &std::path::Path { todo!() }
    /// A reader of its own.
    pub fn reopen(&self) -> Result<std::fs::File, SpoolError> { todo!() }
}
/// Why a write was not taken.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    #[error("write at {offset}: more than {HOLE_BYTES_MAX} bytes beyond the end")] Hole { offset: u64 },
    #[error("longer than its head or the limit allows")] TooLong,
    #[error(transparent)] Spool(#[from] SpoolError),
}
