//! What an operator may ask of the daemon: a closed set of verbs, a JSON file renamed into `requests/`, attributed by
//! its owner. What is not exactly one of these verbs is refused, never guessed.

use amanah_format::{
    digest::Digest,
    id::{FlowName, PartyId, Sequence},
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
    /// Lay out what waits for the peer, to be carried by hand.
    Export {
        /// Which peer.
        peer: PartyId,
        /// The folder that it is laid out in.
        ticket: Ticket,
    },
    /// Say which of these files are wanted, and take what is copied into the ticket's folder.
    Import {
        /// That folder.
        ticket: Ticket,
        /// What lies on the stick, by its names on the wire.
        names: Vec<String>,
    },
    /// The copying is over: the ticket's folders may go.
    Carried {
        /// Which.
        ticket: Ticket,
        /// After an export: what is on the stick, durably.
        names: Vec<String>,
    },
    /// Open the next epoch of a stopped stream.
    Reopen {
        /// Its recipient.
        peer: PartyId,
        /// Its flow.
        flow: FlowName,
    },
    /// Give up a number of a stream whose bundle cannot be served any more.
    Void {
        /// Its recipient.
        peer: PartyId,
        /// Its flow.
        flow: FlowName,
        /// The number.
        number: Sequence,
    },
    /// A party's ledger begins anew, and its sysadmin has said why: it is followed from its next checkpoint on.
    AcceptLedger {
        /// Whose: a peer's, or our own as peers saw it.
        party: PartyId,
    },
    /// A legal hold: nothing of this flow, or of one bundle of it, is destroyed as long as it stands.
    Hold {
        /// With whom it was exchanged.
        peer: PartyId,
        /// In which flow.
        flow: FlowName,
        /// One bundle of it; none: all of it.
        bundle: Option<Digest>,
        /// Why: it stays in this home.
        reason: Reason,
        /// Random: the ledger has the digest of the request, and a reason could be guessed.
        salt: Ticket,
    },
    /// The end of a hold on exactly that.
    EndHold {
        /// With whom it was exchanged.
        peer: PartyId,
        /// In which flow.
        flow: FlowName,
        /// One bundle of it; none: all of it.
        bundle: Option<Digest>,
        /// Why.
        reason: Reason,
        /// As in a hold.
        salt: Ticket,
    },
    /// Destroy now what is due, and not within the hour.
    RunRetention {},
    /// This home is the newest there is, though it looks like a copy: seal without the peer's answer.
    Vouch {
        /// For which peer.
        peer: PartyId,
    },
}

/// Most names in one request: a request is at most 64 KiB long.
pub const NAMES_MAX: usize = 512;

/// Longest reason, in characters.
pub const REASON_CHARS_MAX: usize = 300;

/// Why somebody asks, in a few words: one line, nothing that a terminal would obey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reason(String);

impl Reason {
    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Reason {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_short = (1..=REASON_CHARS_MAX).contains(&text.chars().count());
        if is_short && !text.trim().is_empty() && !text.chars().any(char::is_control) {
            Ok(Self(text))
        } else {
            Err("expected one line of 1 to 300 characters")
        }
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.0
    }
}

/// Names a pair of folders in which an operator and the daemon meet: 32 lower-case hex digits that nobody guesses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ticket(String);

impl Ticket {
    /// A new one.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn draw() -> std::io::Result<Self> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(
            bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        ))
    }

    /// Its text, which is a plain file name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Ticket {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 32 && text.bytes().all(is_hex) {
            Ok(Self(text))
        } else {
            Err("expected 32 lower-case hex digits")
        }
    }
}

impl From<Ticket> for String {
    fn from(ticket: Ticket) -> Self {
        ticket.0
    }
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
            Request::Export {
                peer: peer.clone(),
                ticket: Ticket::draw().unwrap(),
            },
            Request::Import {
                ticket: Ticket::draw().unwrap(),
                names: vec!["a".to_owned()],
            },
            Request::Carried {
                ticket: Ticket::draw().unwrap(),
                names: Vec::new(),
            },
            Request::Reopen {
                peer: peer.clone(),
                flow: "manifes-umrah".parse().unwrap(),
            },
            Request::Void {
                peer: peer.clone(),
                flow: "manifes-umrah".parse().unwrap(),
                number: Sequence::FIRST,
            },
            Request::AcceptLedger {
                party: peer.clone(),
            },
            Request::Hold {
                peer: peer.clone(),
                flow: "manifes-umrah".parse().unwrap(),
                bundle: Some(Digest::of(b"m")),
                reason: Reason::try_from("perkara 7".to_owned()).unwrap(),
                salt: Ticket::draw().unwrap(),
            },
            Request::EndHold {
                peer: peer.clone(),
                flow: "manifes-umrah".parse().unwrap(),
                bundle: None,
                reason: Reason::try_from("selesai".to_owned()).unwrap(),
                salt: Ticket::draw().unwrap(),
            },
            Request::RunRetention {},
            Request::Vouch { peer },
        ] {
            let text = serde_json::to_string(&request).unwrap();
            assert_eq!(serde_json::from_str::<Request>(&text).unwrap(), request);
        }
    }

    #[test]
    fn a_request_with_as_many_names_as_may_be_is_short_enough() {
        let longest = format!("{}.receipt.amanah", "f".repeat(64));
        let request = Request::Import {
            ticket: Ticket::draw().unwrap(),
            names: vec![longest; NAMES_MAX],
        };
        assert!(serde_json::to_vec(&request).unwrap().len() < 64 * 1024);
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
            r#"{"verb": "void", "peer": "imigrasi", "flow": "manifes-umrah"}"#,
            r#"{"verb": "void", "peer": "imigrasi", "flow": "manifes-umrah", "number": 0}"#,
            r#"{"verb": "hold", "peer": "imigrasi", "flow": "f1", "bundle": null, "reason": "x"}"#,
            r#"{"verb": "hold", "peer": "imigrasi", "flow": "f1", "bundle": null, "reason": "", "salt": "0123456789abcdef0123456789abcdef"}"#,
            r#"{"verb": "hold", "peer": "imigrasi", "flow": "f1", "bundle": null, "reason": "a\u001b[2J", "salt": "0123456789abcdef0123456789abcdef"}"#,
            r#"{"verb": "run-retention", "peer": "imigrasi"}"#,
            r#"{"peer": "imigrasi"}"#,
            r#"{"verb": "export", "peer": "imigrasi", "ticket": "../../outbox"}"#,
            r#"{"verb": "carried", "ticket": "0123456789ABCDEF0123456789ABCDEF", "names": []}"#,
        ] {
            assert!(serde_json::from_str::<Request>(wrong).is_err(), "{wrong}");
        }
    }
}
