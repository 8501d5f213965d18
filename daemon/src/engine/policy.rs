//! What may leave and what may enter: the agreements in force, the keyring, default deny. Pure; both sides ask the same
//! rules. `rules` says which agreements are in force, `send` what may leave, `judge` what may enter (FORMAT.md §9.3).

mod judge;
mod rules;
mod send;
mod tables;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use amanah_format::agreement::{CoSigned, Lane};
use amanah_format::digest::Digest;
use amanah_format::id::{FlowName, PartyId};
use amanah_format::keyring::Keyring;
use amanah_format::manifest::{AgreementRef, Manifest};
use amanah_format::recipient::Recipient;
use amanah_format::refusal::Refusal;
use amanah_format::slip::HeldReason;
use amanah_format::time::UtcTime;

use rules::Rules;
pub use tables::{CORRECTING, Carries, Landing, Mode, TableTerms};

/// The rules as loaded at one moment. Replaced whole on reload.
pub struct Policy {
    own: PartyId,
    keyring: Keyring,
    rules: Rules,
    card_notes: Vec<String>,
}

impl Policy {
    /// Gathers what was verified at load; `revoked` are agreements' digests with the moment from which a revocation
    /// counts. Two different texts with one id and version: an alarm, neither is in force.
    #[must_use]
    pub fn new(
        own: PartyId,
        keyring: Keyring,
        agreements: Vec<CoSigned>,
        revoked: Vec<(Digest, UtcTime)>,
    ) -> Self {
        let rules = Rules::new(agreements, revoked);
        Self {
            own,
            keyring,
            rules,
            card_notes: Vec::new(),
        }
    }

    /// The same, with what a person must look at in the cards: a code, a space, a party.
    #[must_use]
    pub fn with_card_notes(self, card_notes: Vec<String>) -> Self {
        Self { card_notes, ..self }
    }

    /// What a person must look at in the cards that came by wire (`card-fork`, `card-offered`, `card-unproven`).
    #[must_use]
    pub fn card_notes(&self) -> &[String] {
        &self.card_notes
    }

    /// Whether an agreement with `peer` that is in force at `at` lets its cards follow by the chain, without a hand.
    #[must_use]
    pub fn lets_cards_follow(&self, peer: &PartyId, at: UtcTime) -> bool {
        self.agreements().iter().any(|known| {
            let text = known.agreement();
            text.lets_cards_follow()
                && text.party(peer).is_some()
                && self.in_force(&known.digest(), at)
        })
    }

    /// The party that this node is.
    #[must_use]
    pub fn own(&self) -> &PartyId {
        &self.own
    }

    /// The trusted cards.
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// All agreements as loaded, in force or not, each text once.
    #[must_use]
    pub fn agreements(&self) -> &[CoSigned] {
        self.rules.agreements()
    }

    /// Conflicts found at load, for log and status: a code (`agreement-conflict`, `flow-doubled`), a space, what it is about.
    #[must_use]
    pub fn alarms(&self) -> &[String] {
        self.rules.alarms()
    }

    /// Whether this agreement (by digest) is in force at `at`: within its dates, not revoked, not one of two texts, and
    /// no higher version of it is effective. A version once superseded does not come back when the newer one ends.
    #[must_use]
    pub fn in_force(&self, agreement: &Digest, at: UtcTime) -> bool {
        self.rules
            .find(agreement)
            .is_some_and(|found| self.rules.in_force(found, at))
    }

    /// Until when bundles of this superseded agreement are still taken; none where no later version is effective at `at`.
    #[must_use]
    pub fn drains_until(&self, agreement: &Digest, at: UtcTime) -> Option<UtcTime> {
        let found = self.rules.find(agreement)?;
        self.rules.drains_until(found, at)
    }

    /// Whether either party revoked this agreement, with effect at `at`.
    #[must_use]
    pub fn is_revoked(&self, agreement: &Digest, at: UtcTime) -> bool {
        self.rules.is_revoked(agreement, at)
    }

    /// All flows that may be sent to `peer` at `at` (the outbox folders to make), sorted.
    #[must_use]
    pub fn sendable(&self, peer: &PartyId, at: UtcTime) -> Vec<FlowName> {
        send::sendable(self, peer, at)
    }

    /// The flows from others in this lane, each with its sender. Where versions of an agreement differ, the highest says it.
    #[must_use]
    pub fn arriving_in(&self, lane: Lane) -> BTreeSet<(PartyId, FlowName)> {
        let mut lanes = BTreeMap::new();
        for known in self.agreements() {
            let agreement = known.agreement();
            for flow in agreement.flows.iter().filter(|flow| flow.to == self.own) {
                let said = (agreement.version, flow.lane);
                let newest = lanes
                    .entry((flow.from.clone(), flow.name.clone()))
                    .or_insert(said);
                *newest = said.max(*newest);
            }
        }
        lanes
            .into_iter()
            .filter_map(|(flow, (_, its))| (its == lane).then_some(flow))
            .collect()
    }

    /// May this leave? Names the agreement, purpose, lane, recipients.
    ///
    /// # Errors
    /// Why not, for the operator.
    pub fn may_send(
        &self,
        peer: &PartyId,
        flow: &FlowName,
        size: Size,
        at: UtcTime,
    ) -> Result<Permit, ReturnReason> {
        send::may_send(self, (peer, flow), size, at)
    }

    /// May this verified bundle enter? `place` is what the journal knows of its stream. The checks run in the order of
    /// FORMAT.md §9.3; the first that fails names the code.
    #[must_use]
    pub fn judge(&self, manifest: &Manifest, place: &Place, received: UtcTime) -> Verdict {
        judge::judge(self, manifest, place, received)
    }

    /// How long a flow's originals and copies are kept.
    #[must_use]
    pub fn kept(&self, agreement: &Digest, flow: &FlowName) -> Kept {
        let found = self.rules.find(agreement);
        let terms = found.and_then(|found| found.agreement().flow(flow));
        match terms.map(|flow| &flow.retention) {
            None => Kept::Unknown,
            Some(retention) if retention.legal_hold => Kept::Held,
            Some(retention) => Kept::Days(retention.days),
        }
    }
}

/// How long something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// So many days from its outcome.
    Days(u32),
    /// A legal hold: nothing is destroyed.
    Held,
    /// No agreement known here lists the flow.
    Unknown,
}

/// What an outgoing bundle would carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Sum of the entries' lengths.
    pub bytes: u64,
    /// Number of files.
    pub entries: u64,
}

impl Size {
    /// Both together; `None` beyond what can be counted.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            bytes: self.bytes.checked_add(other.bytes)?,
            entries: self.entries.checked_add(other.entries)?,
        })
    }
}

/// A permission to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    /// The agreement in force that lists the flow.
    pub agreement: AgreementRef,
    /// The first purpose that the flow allows.
    pub purpose: String,
    /// How urgent the flow is.
    pub lane: Lane,
    /// Most bytes of the entries together.
    pub bytes_max: u64,
    /// The peer's decryption keys valid now; never empty.
    pub recipients: Vec<Recipient>,
    /// When the bundle expires.
    pub expires: UtcTime,
    /// What a table flow's file must hold to; none for files.
    pub table: Option<TableTerms>,
}

/// What the journal knows of the place that a bundle claims.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Another bundle that already holds this (stream, sequence).
    pub holder: Option<Digest>,
    /// It counts as consumed, though no bundle holds it.
    pub closed: bool,
    /// Another bundle of this sender with the same bundle id.
    pub same_id: Option<Digest>,
    /// Digest of the bundle at sequence - 1, when it was seen.
    pub before: Option<Digest>,
    /// Highest sequence up to which the stream has no gap (0: none).
    pub contiguous: u64,
}

/// The answer to an incoming bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// To be imported.
    Admit,
    /// Final: a signed receipt says so.
    Refuse(Refusal),
    /// Not yet: judged again.
    Hold(HeldReason),
}

/// Why an operator's item is not sent. Codes kebab-case; texts in the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReturnReason {
    /// No card of the peer is known here.
    PeerUnknown,
    /// No agreement with the peer lists the flow, or two do.
    FlowNotAgreed,
    /// The flow goes the other way only.
    DirectionNotAgreed,
    /// The agreement that lists the flow is not in force.
    AgreementNotInForce,
    /// More bytes than the flow allows.
    TooLarge,
    /// More files than a bundle can hold.
    TooManyEntries,
    /// A link, device or other thing that is neither file nor folder.
    NotAFile,
    /// The daemon may not read it.
    Unreadable,
    /// A name that an entry path cannot carry.
    NameNotPortable,
    /// A folder without a file in it.
    FolderEmpty,
    /// The peer has no decryption key that is valid now.
    NoRecipientKey,
    /// The peer refused it by a signed receipt; or it would, by the same check of the table, which was done here.
    #[serde(untagged)]
    Refused(Refusal),
}

impl ReturnReason {
    /// Reads what [`ReturnReason::code`] wrote.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        serde_json::from_value(serde_json::Value::String(code.to_owned())).ok()
    }

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::PeerUnknown => "peer-unknown",
            Self::FlowNotAgreed => "flow-not-agreed",
            Self::DirectionNotAgreed => "direction-not-agreed",
            Self::AgreementNotInForce => "agreement-not-in-force",
            Self::TooLarge => "too-large",
            Self::TooManyEntries => "too-many-entries",
            Self::NotAFile => "not-a-file",
            Self::Unreadable => "unreadable",
            Self::NameNotPortable => "name-not-portable",
            Self::FolderEmpty => "folder-empty",
            Self::NoRecipientKey => "no-recipient-key",
            Self::Refused(refusal) => refusal.code(),
        }
    }
}
