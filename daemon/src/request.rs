//! What an operator may ask of the daemon: a closed set of verbs, a JSON file renamed into `requests/`, attributed by its owner.

use amanah_format::{digest::Digest, id::PartyId};
use serde::{Deserialize, Serialize};
/// A request. JSON `{"verb": "retry", …}`, unknown members refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// Try the peer (all peers when none) again at once.
    Retry { peer: Option<PartyId> },
    /// Judge a held bundle again at once.
    Release { manifest: Digest },
    /// Ship nothing to this peer, fetch nothing from it.
    Pause { peer: PartyId },
    Resume { peer: PartyId },
}
