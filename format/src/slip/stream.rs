//! Slips about streams: `resend`, `void`, `position`. FORMAT.md §14.
//! What each says, and the rules between its own fields. Whether the stream exists, and whom it belongs to, is the
//! reader's to ask: a slip can only speak of streams between the two who exchange it.

use serde::{Deserialize, Serialize};

use super::Slip;
use crate::digest::Digest;
use crate::document::nullable;
use crate::id::{AgreementId, Epoch, FlowName, PartyId, Sequence};
use crate::limits::SEQUENCE_AHEAD_MAX;

/// Most streams of one `position` slip: at their longest they fit into a document of 64 KiB.
pub const POSITION_STREAMS_MAX: usize = 128;

/// The member of a position's `ext` by which it asks for the other side's: a value that was never used before.
const ASKS: &str = "asks";
/// The member that names the slip which asked.
const ANSWERS: &str = "answers";

/// Please send these numbers of your stream again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resend {
    /// Only this bundle, where it is known which.
    #[serde(deserialize_with = "nullable")]
    pub manifest: Option<Digest>,
    /// The stream's agreement.
    pub agreement: AgreementId,
    /// Its flow.
    pub flow: FlowName,
    /// Its epoch.
    pub epoch: Epoch,
    /// The first number.
    pub first: Sequence,
    /// The last one.
    pub last: Sequence,
}

/// Why a number is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VoidReason {
    /// The sealed payload is gone.
    PayloadLost,
    /// The bundle may not be handed over any more.
    Expired,
    /// A key without which it is of no use is gone.
    KeyLost,
}

impl VoidReason {
    /// All reasons, in the order of FORMAT.md.
    pub const ALL: &'static [Self] = &[Self::PayloadLost, Self::Expired, Self::KeyLost];

    /// The stable kebab-case code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::PayloadLost => "payload-lost",
            Self::Expired => "expired",
            Self::KeyLost => "key-lost",
        }
    }
}

/// This number is given up and counts as consumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Void {
    /// The stream's agreement.
    pub agreement: AgreementId,
    /// Its flow.
    pub flow: FlowName,
    /// Its epoch.
    pub epoch: Epoch,
    /// The number.
    pub sequence: Sequence,
    /// The bundle that had it, where there was one.
    #[serde(deserialize_with = "nullable")]
    pub manifest: Option<Digest>,
    /// Why.
    pub reason: VoidReason,
}

/// The member of a void's `ext` with the exact text of the manifest that is given up …
const MANIFEST: &str = "manifest";
/// … and the one with its armour: so its recipient can answer for a bundle of which it has nothing else.
const SIGNATURE: &str = "signature";

/// The highest place seen of one stream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamPlace {
    /// Who sends.
    pub from: PartyId,
    /// Who receives.
    pub to: PartyId,
    /// The agreement.
    pub agreement: AgreementId,
    /// The flow.
    pub flow: FlowName,
    /// The highest epoch.
    pub epoch: Epoch,
    /// The highest number in it.
    pub sequence: Sequence,
    /// The manifest at that place.
    pub manifest: Digest,
}

/// How far the signer has seen each stream, in both directions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// At most [`POSITION_STREAMS_MAX`], each stream once.
    pub streams: Vec<StreamPlace>,
}

impl Resend {
    /// At most as many numbers as a stream may be ahead of a gap.
    pub(super) fn holds(&self) -> bool {
        let span = self.last.get().checked_sub(self.first.get());
        span.is_some_and(|span| span < SEQUENCE_AHEAD_MAX && (self.manifest.is_none() || span == 0))
    }
}

impl Position {
    /// Streams between the two parties of the slip, each once, not too many.
    pub(super) fn holds(&self, from: &PartyId, to: &PartyId) -> bool {
        let ours = |one: &StreamPlace| {
            (&one.from == from && &one.to == to) || (&one.from == to && &one.to == from)
        };
        let key = |one: &StreamPlace| (one.from.clone(), one.agreement.clone(), one.flow.clone());
        let mut seen: Vec<_> = self.streams.iter().map(key).collect();
        seen.sort_unstable();
        seen.dedup();
        self.streams.len() <= POSITION_STREAMS_MAX
            && seen.len() == self.streams.len()
            && self.streams.iter().all(ours)
    }
}

impl Slip {
    /// Makes a void carry the manifest that it gives up, and its armour.
    pub fn attach(&mut self, manifest: &str, armour: &str) {
        self.ext.set(MANIFEST, manifest.to_owned());
        self.ext.set(SIGNATURE, armour.to_owned());
    }

    /// The manifest and the armour that a void carries. Nothing of them is believed yet.
    #[must_use]
    pub fn attached(&self) -> Option<(&str, &str)> {
        self.ext.text(MANIFEST).zip(self.ext.text(SIGNATURE))
    }

    /// Makes it a position that asks for one in answer; `nonce` was never used before.
    pub fn ask(&mut self, nonce: [u8; 16]) {
        let hex = nonce.map(|byte| format!("{byte:02x}")).concat();
        self.ext.set(ASKS, hex);
    }

    /// Makes it the answer to the slip of this digest.
    pub fn answer(&mut self, asked: &Digest) {
        self.ext.set(ANSWERS, asked.to_string());
    }

    /// Whether it asks for a position in answer.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.ext.text(ASKS).is_some()
    }

    /// The slip that it answers.
    #[must_use]
    pub fn answers(&self) -> Option<Digest> {
        self.ext.text(ANSWERS)?.parse().ok()
    }
}
