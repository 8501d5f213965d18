//! What an operator may ask of the daemon: a closed set of verbs, a JSON file renamed into `requests/`, attributed by
//! its owner. What is not exactly one of these verbs is refused, never guessed.

use amanah_format::{
    digest::Digest,
    id::{FlowName, PartyId},
};
use serde::{Deserialize, Serialize};

/// A request. JSON `{"verb": "retry", …}`, unknown members refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// Try the peer (all peers when none) again at once.
    Retry {
        /// Which peer.
        peer: Option<PartyId>,
    },
    /// Judge a held bundle again at once.
    Release {
        /// Its manifest's digest.
        manifest: Digest,
    },
    /// Ship nothing to this peer, fetch nothing from it.
    Pause {
        /// Which peer.
        peer: PartyId,
    },
    /// The end of a pause.
    Resume {
        /// Which peer.
        peer: PartyId,
    },
    /// Open the next epoch of a stopped stream.
    Reopen {
        /// Its recipient.
        peer: PartyId,
        /// Its flow.
        flow: FlowName,
    },
    /// This home is the newest there is, though it looks like a copy: seal without the peer's answer.
    Vouch {
        /// For which peer.
        peer: PartyId,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verb_survives_the_round_trip() {
        let peer: PartyId = "imigrasi".parse().unwrap();
        for request in [
            Request::Retry { peer: None },
            Request::Retry {
                peer: Some(peer.clone()),
            },
            Request::Release {
                manifest: Digest::of(b"m"),
            },
            Request::Pause { peer: peer.clone() },
            Request::Resume { peer: peer.clone() },
            Request::Reopen {
                peer: peer.clone(),
                flow: "manifes-umrah".parse().unwrap(),
            },
            Request::Vouch { peer },
        ] {
            let text = serde_json::to_string(&request).unwrap();
            assert_eq!(serde_json::from_str::<Request>(&text).unwrap(), request);
        }
    }

    #[test]
    fn the_text_form_is_the_verb_and_its_members() {
        let request: Request =
            serde_json::from_str(r#"{"verb": "pause", "peer": "imigrasi"}"#).unwrap();
        let peer = "imigrasi".parse().unwrap();
        assert_eq!(request, Request::Pause { peer });
    }

    #[test]
    fn what_is_not_a_verb_with_its_members_is_refused() {
        for wrong in [
            r#"{"verb": "destroy", "peer": "imigrasi"}"#,
            r#"{"verb": "pause"}"#,
            r#"{"verb": "pause", "peer": "../etc"}"#,
            r#"{"verb": "pause", "peer": "imigrasi", "now": true}"#,
            r#"{"verb": "retry", "all": true}"#,
            r#"{"verb": "reopen", "peer": "imigrasi"}"#,
            r#"{"verb": "reopen", "peer": "imigrasi", "flow": "manifes-umrah", "epoch": 9}"#,
            r#"{"verb": "release", "manifest": "sha256:00"}"#,
            r#"{"peer": "imigrasi"}"#,
        ] {
            assert!(serde_json::from_str::<Request>(wrong).is_err(), "{wrong}");
        }
    }
}
