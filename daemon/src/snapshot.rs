//! The status snapshot: what the daemon publishes to operators by atomic rename, read by `amanah status`. Versioned;
//! names of items appear here and nowhere outside the home.

use std::collections::BTreeMap;

use amanah_format::time::UtcTime;
use serde::{Deserialize, Serialize};

/// Its version, the `format` member.
pub const FORMAT: &str = "amanah-status/1";

/// `status.json`, `amanah-status/1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// [`FORMAT`].
    pub format: String,
    /// This node's party.
    pub party: String,
    /// The daemon's process id.
    pub process: u32,
    /// The daemon's version.
    pub version: String,
    /// When the daemon started.
    pub started: UtcTime,
    /// When this was written.
    pub written: UtcTime,
    /// False in the last one, written at stop.
    pub running: bool,
    /// The peers, in the order of the configuration.
    pub peers: Vec<PeerStatus>,
    /// What each flow of each peer has come to, out and in.
    #[serde(default)]
    pub streams: Vec<StreamStatus>,
    /// Bundles going out, active ones first.
    pub outgoing: Vec<OutgoingStatus>,
    /// Bundles coming in, active ones first.
    pub incoming: Vec<IncomingStatus>,
    /// Agreements as loaded.
    pub agreements: Vec<AgreementStatus>,
    /// When the first of our own card's keys in use ends.
    #[serde(default)]
    pub keys_end: Option<UtcTime>,
    /// What a person must look at.
    pub alarms: Vec<Alarm>,
    /// Records in the ledger.
    pub ledger_size: u64,
    /// The ledger's root, as a digest's text.
    pub ledger_root: String,
    /// Bundles by direction and state, and what else is counted.
    pub counts: BTreeMap<String, u64>,
}

/// A peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerStatus {
    /// Its id.
    pub party: String,
    /// Its legal name, from its card.
    pub name: String,
    /// `dial`, `listen` or `hand`.
    pub side: String,
    /// Where it is dialled.
    pub address: Option<String>,
    /// Whether a connection is open.
    pub connected: bool,
    /// Since when it is connected, or away.
    pub since: Option<UtcTime>,
    /// When it was last connected, also before this start.
    #[serde(default)]
    pub last_contact: Option<UtcTime>,
    /// When the first of its card's keys in use ends.
    #[serde(default)]
    pub keys_end: Option<UtcTime>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it is tried again.
    pub retry_at: Option<UtcTime>,
    /// Whether an operator paused it.
    pub paused: bool,
    /// Bundles that wait for it.
    pub waiting_bundles: u64,
    /// Their payloads' bytes together.
    pub waiting_bytes: u64,
    /// Receipts that wait for it.
    #[serde(default)]
    pub waiting_receipts: u64,
}

/// A flow, out to a peer or in from it, over all its epochs. Counts are of bundles since the journal began.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamStatus {
    /// The other party.
    pub peer: String,
    /// The flow; empty for bundles whose manifest could not be read.
    pub flow: String,
    /// `out` or `in`.
    pub way: String,
    /// Out: not taken over by the peer yet. In: taken over, no outcome yet (held ones too).
    pub waiting: u64,
    /// The payloads' bytes of those that wait.
    pub waiting_bytes: u64,
    /// Of those that wait, held for a reason that may pass.
    pub held: u64,
    /// Bundles that are being sent now.
    pub in_flight: u64,
    /// Their length.
    pub in_flight_bytes: u64,
    /// What of it the peer has acknowledged.
    pub sent_bytes: u64,
    /// How fast, where it is known.
    pub bytes_per_sec: Option<u64>,
    /// How long what is in flight will take at that rate.
    pub remaining_secs: Option<u64>,
    /// Out: taken over by the peer, whatever came of it. In: taken over by us.
    pub delivered: u64,
    /// Answered with `imported`.
    pub imported: u64,
    /// Answered with a signed refusal.
    pub refused: u64,
    /// Out: given back to the operator before anything left.
    pub returned: u64,
    /// In: the highest number up to which none is missing, in the newest epoch.
    pub contiguous: Option<u64>,
    /// In: the highest number that came, in the newest epoch.
    pub highest: Option<u64>,
    /// In: numbers that have not come, over all epochs.
    pub missing: Option<u64>,
    /// Since when the oldest that is not settled (out) or answered (in) waits.
    pub oldest_unsettled: Option<UtcTime>,
}

/// A bundle going out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingStatus {
    /// Its id.
    pub bundle: String,
    /// Where it goes.
    pub peer: String,
    /// Its flow.
    pub flow: String,
    /// Its lane.
    pub lane: String,
    /// Its state ([`crate::engine::outbound::Outbound`]).
    pub state: String,
    /// The operator's items in it.
    pub items: Vec<ItemStatus>,
    /// The payload's length.
    pub bytes: u64,
    /// Acknowledged by the peer so far.
    pub sent_bytes: u64,
    /// Its place in the stream, once sealed.
    pub sequence: Option<u64>,
    /// Its manifest's digest, once sealed.
    pub manifest: Option<String>,
    /// When its items were seen settled, in milliseconds since 1970.
    pub seen_millis: u64,
    /// Its last change, in milliseconds since 1970.
    pub changed_millis: u64,
    /// Why the peer refused it.
    pub refusal: Option<String>,
    /// Why it was returned to the operator.
    pub return_reason: Option<String>,
    /// Why the peer holds it.
    pub held: Option<String>,
}

/// An operator's item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemStatus {
    /// Its name as shown; bytes that are no UTF-8 are replaced.
    pub name: String,
    /// Its inode: tells it from another item of the same name.
    pub inode: u64,
    /// Its length, or the sum of a folder's files.
    pub bytes: u64,
    /// Where it ended, relative to the home.
    pub resting_place: Option<String>,
}

/// A bundle coming in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncomingStatus {
    /// Its manifest's digest.
    pub manifest: String,
    /// Its id, where its text could be read.
    pub bundle: Option<String>,
    /// Who sent it.
    pub peer: String,
    /// Its flow.
    pub flow: Option<String>,
    /// Its state ([`crate::engine::inbound::Inbound`]).
    pub state: String,
    /// Its place in the stream.
    pub sequence: Option<u64>,
    /// The payload's length.
    pub bytes: u64,
    /// When it was taken over.
    pub received: UtcTime,
    /// Its last change, in milliseconds since 1970.
    pub changed_millis: u64,
    /// Why it was refused.
    pub refusal: Option<String>,
    /// Why it is held.
    pub held: Option<String>,
    /// Where it was imported, relative to the home.
    pub folder: Option<String>,
}

/// An agreement as loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreementStatus {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// The digest of its text.
    pub digest: String,
    /// The other party.
    pub peer: String,
    /// Whether it is in force now.
    pub in_force: bool,
    /// First moment in force.
    pub effective: UtcTime,
    /// First moment no longer in force.
    pub ends: UtcTime,
    /// Whether either party revoked it.
    pub revoked: bool,
}

/// Something that a person must look at: a catalogue code and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// The catalogue's code.
    pub code: String,
    /// What it is about.
    pub subject: String,
    /// Since when.
    pub since: UtcTime,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"{"format":"amanah-status/1","party":"kemenhaj","process":7,"version":"0.1.0",
        "started":"2026-11-22T20:00:00Z","written":"2026-11-22T20:32:00Z","running":true,
        "peers":[{"party":"imigrasi","name":"Imigrasi","side":"dial","address":"10.0.0.2:2222","connected":true,
            "since":null,"last_contact":null,"keys_end":null,"last_error":null,"retry_at":null,"paused":false,"waiting_bundles":1,"waiting_bytes":2}],
        "outgoing":[{"bundle":"b","peer":"imigrasi","flow":"manifes-umrah","lane":"normal","state":"queued",
            "items":[{"name":"jemaah 1.csv","inode":9,"bytes":5,"resting_place":null}],"bytes":5,"sent_bytes":0,
            "sequence":1,"manifest":null,"seen_millis":1,"changed_millis":2,"refusal":null,"return_reason":null,
            "held":null}],
        "incoming":[{"manifest":"m","bundle":null,"peer":"imigrasi","flow":null,"state":"held","sequence":null,
            "bytes":5,"received":"2026-11-22T20:32:00Z","changed_millis":2,"refusal":null,"held":"clock",
            "folder":null}],
        "agreements":[{"id":"pks-manifes","version":1,"digest":"d","peer":"imigrasi","in_force":true,
            "effective":"2026-11-01T17:00:00Z","ends":"2028-11-01T17:00:00Z","revoked":false}],
        "alarms":[{"code":"disk-full","subject":"spool","since":"2026-11-22T20:32:00Z"}],
        "ledger_size":3,"ledger_root":"r","counts":{"outgoing.queued":1}}"#;

    #[test]
    fn a_snapshot_survives_the_round_trip() {
        let snapshot: Snapshot = serde_json::from_str(SAMPLE).unwrap();
        assert_eq!(snapshot.format, FORMAT);
        let again: Snapshot =
            serde_json::from_slice(&serde_json::to_vec(&snapshot).unwrap()).unwrap();
        assert_eq!(again, snapshot);
    }

    #[test]
    fn a_snapshot_of_an_older_daemon_is_read() {
        let older = SAMPLE.replace(r#""last_contact":null,"keys_end":null,"#, "");
        let snapshot: Snapshot = serde_json::from_str(&older).unwrap();
        assert!(snapshot.streams.is_empty() && snapshot.peers[0].last_contact.is_none());
    }

    #[test]
    fn a_snapshot_cut_short_is_refused() {
        for end in 0..SAMPLE.len() {
            assert!(serde_json::from_str::<Snapshot>(&SAMPLE[..end]).is_err());
        }
    }
}
