//! The status snapshot: what the daemon publishes to operators by atomic rename, read by `amanah status`. Versioned; names of items appear here and
//! nowhere outside the home.

use serde::{Deserialize, Serialize};
use amanah_format::time::UtcTime;
/// `status.json`, `amanah-status/1`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Snapshot { pub format: String, pub party: String, pub process: u32, pub version: String, pub started: UtcTime, pub written: UtcTime, /// False in the last one, written at stop.
    pub running: bool, pub peers: Vec<PeerStatus>, pub outgoing: Vec<OutgoingStatus>, pub incoming: Vec<IncomingStatus>, pub agreements: Vec<AgreementStatus>, pub alarms: Vec<Alarm>, pub ledger_size: u64, pub ledger_root: String, pub counts: std::collections::BTreeMap<String, u64> }
/// A peer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PeerStatus { pub party: String, pub name: String, /// `dial` or `listen`.
    pub side: String, pub address: Option<String>, pub connected: bool, pub since: Option<UtcTime>, pub last_error: Option<String>, pub retry_at: Option<UtcTime>, pub paused: bool, pub waiting_bundles: u64, pub waiting_bytes: u64 }
/// A bundle going out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OutgoingStatus { pub bundle: String, pub peer: String, pub flow: String, pub lane: String, pub state: String, pub items: Vec<ItemStatus>, pub bytes: u64, /// Acknowledged by the peer so far.
    pub sent_bytes: u64, pub sequence: Option<u64>, pub manifest: Option<String>, pub seen_millis: u64, pub changed_millis: u64, pub refusal: Option<String>, pub return_reason: Option<String>, pub held: Option<String> }
/// An operator's item.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ItemStatus { pub name: String, pub inode: u64, pub bytes: u64, pub resting_place: Option<String> }
/// A bundle coming in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IncomingStatus { pub manifest: String, pub bundle: Option<String>, pub peer: String, pub flow: Option<String>, pub state: String, pub sequence: Option<u64>, pub bytes: u64, pub received: UtcTime, pub changed_millis: u64, pub refusal: Option<String>, pub held: Option<String>, pub folder: Option<String> }
/// An agreement as loaded.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AgreementStatus { pub id: String, pub version: u32, pub digest: String, pub peer: String, pub in_force: bool, pub effective: UtcTime, pub ends: UtcTime, pub revoked: bool }
/// Something that a person must look at: a catalogue code and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm { pub code: String, pub subject: String, pub since: UtcTime }
/// Its name in the home.
pub const FORMAT: &str = "amanah-status/1";
