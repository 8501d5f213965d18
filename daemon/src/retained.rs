//! The list of what is kept (`retention.json`), as the daemon publishes it by atomic rename and `amanah retention due` reads it.
//! Versioned. It names bundles by their digests: no name of an item, no value of a row; and the reasons of holds, which are for this
//! home's operators.

use amanah_format::destruction::Side;
use amanah_format::time::UtcTime;
use serde::{Deserialize, Serialize};

/// Its version, the `format` member.
pub const FORMAT: &str = "amanah-retention/1";

/// `retention.json`, `amanah-retention/1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retained {
    /// [`FORMAT`].
    pub format: String,
    /// This node's party.
    pub party: String,
    /// When this was written.
    pub written: UtcTime,
    /// Flows of which something is kept, one for each side, peer and version of an agreement.
    pub flows: Vec<KeptFlow>,
    /// Holds that stand.
    pub holds: Vec<HoldStatus>,
}

/// A flow of which something is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptFlow {
    /// `sent` or `received`.
    pub side: Side,
    /// The other party.
    pub peer: String,
    /// The flow.
    pub flow: String,
    /// The agreement's id; none where it is not known here any more.
    pub agreement: Option<String>,
    /// Its version; the same.
    pub version: Option<u32>,
    /// The digest of its text.
    pub digest: String,
    /// How long it is kept; none where the agreement has a legal hold, or is not known.
    pub days: Option<u32>,
    /// Bundles that are kept; 10,000 are as many as are counted.
    pub kept: u64,
    /// Bundles of this flow that are not settled, whatever their agreement: they are never destroyed.
    pub unsettled: u64,
    /// Those that fall due first.
    pub bundles: Vec<KeptBundle>,
}

/// A bundle that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptBundle {
    /// Its manifest's digest.
    pub manifest: String,
    /// The sender's id for it.
    pub bundle: Option<String>,
    /// Its place in the stream.
    pub sequence: Option<u64>,
    /// Whether it was refused: then only the sealed bundle is kept.
    pub refused: bool,
    /// When its days began.
    pub since: UtcTime,
    /// When they are over, where they are counted.
    pub due: Option<UtcTime>,
    /// What keeps it beyond that.
    pub keeps: Option<Keeps>,
}

/// What keeps a bundle whose days are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keeps {
    /// An operator's hold.
    Hold,
    /// A legal hold of the agreement.
    Agreement,
    /// Its agreement is not known here any more.
    AgreementUnknown,
    /// Its sender has not taken the receipt yet.
    PeerUnsettled,
}

impl Keeps {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Hold,
        Self::Agreement,
        Self::AgreementUnknown,
        Self::PeerUnsettled,
    ];

    /// A stable word for JSON.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Agreement => "agreement",
            Self::AgreementUnknown => "agreement-unknown",
            Self::PeerUnsettled => "peer-unsettled",
        }
    }
}

/// A hold that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldStatus {
    /// Its number.
    pub number: u64,
    /// With whom what it keeps was exchanged.
    pub peer: String,
    /// In which flow.
    pub flow: String,
    /// One bundle of it; none: all of it.
    pub bundle: Option<String>,
    /// Why.
    pub reason: String,
    /// User id of who asked.
    pub by: u32,
    /// Since when.
    pub since: UtcTime,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_survives_the_round_trip_and_its_words_are_stable() {
        let text = r#"{"format":"amanah-retention/1","party":"phu","written":"2026-11-22T20:32:00Z","flows":[
            {"side":"received","peer":"imigrasi","flow":"perlintasan","agreement":"pks","version":1,"digest":"sha256:00","days":90,
             "kept":2,"unsettled":1,"bundles":[{"manifest":"sha256:01","bundle":null,"sequence":7,"refused":false,
             "since":"2026-11-22T20:32:00Z","due":"2027-02-20T20:32:00Z","keeps":"peer-unsettled"}]}],
            "holds":[{"number":1,"peer":"imigrasi","flow":"perlintasan","bundle":null,"reason":"perkara","by":1000,"since":"2026-11-22T20:32:00Z"}]}"#;
        let list: Retained = serde_json::from_str(text).unwrap();
        let again: Retained = serde_json::from_slice(&serde_json::to_vec(&list).unwrap()).unwrap();
        assert_eq!(again, list);
        assert_eq!(list.flows[0].bundles[0].keeps, Some(Keeps::PeerUnsettled));
        for keeps in Keeps::ALL {
            assert_eq!(
                serde_json::to_value(keeps).unwrap(),
                serde_json::json!(keeps.code())
            );
        }
    }
}
