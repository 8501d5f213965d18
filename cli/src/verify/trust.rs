//! What a verification says: who signed, whether that is proven for its time as well, and what is not proven.
//! A finding without proof carries the rule that was broken.

use amanah_format::{
    digest::Digest, id::PartyId, keyring::Keyring, receipt::VerifiedReceipt, signature::PublicKey,
    time::UtcTime,
};
use amanahd::catalogue::{Language, Text, faces::proof as face, moment};
use serde_json::Value;

use super::kind::Kind;
use crate::exit::{Exit, Failure};

/// How far a valid signature reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// By a key that is valid now.
    Valid,
    /// By a key that was valid at the document's own time and is not any more: whoever holds an expired key could have
    /// written that time.
    TimeNotProven,
}

impl Proof {
    /// A stable word for JSON.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::TimeNotProven => "time-not-proven",
        }
    }

    pub(crate) const fn text(self) -> Text {
        match self {
            Self::Valid => face::VALID,
            Self::TimeNotProven => face::VALID_THEN,
        }
    }
}

/// A key that may sign now proves more than one that only could then.
pub(super) fn proof_of(keyring: &Keyring, party: &PartyId, key: &PublicKey, now: UtcTime) -> Proof {
    if keyring.may_sign(party, key, now) {
        Proof::Valid
    } else {
        Proof::TimeNotProven
    }
}

/// Of a receipt that verified at its own time.
pub(crate) fn receipt_proof(receipt: &VerifiedReceipt, keyring: &Keyring, now: UtcTime) -> Proof {
    proof_of(keyring, &receipt.receipt().from, &receipt.signer(), now)
}

/// Under which keys, when, and in which language a file is judged.
pub(super) struct Bench<'a> {
    pub(super) keyring: &'a Keyring,
    pub(super) now: UtcTime,
    pub(super) language: Language,
}

impl Bench<'_> {
    pub(super) fn wib(&self, time: UtcTime) -> String {
        moment::wib(time, self.language)
    }
}

/// What is said of one file.
pub(super) struct Finding {
    pub(super) kind: Kind,
    /// Or why it does not count.
    pub(super) proof: Result<Proof, String>,
    pub(super) signers: Vec<String>,
    pub(super) digest: Option<Digest>,
    /// What it says, proven to be said by the signers.
    pub(super) sentences: Vec<(Text, Vec<String>)>,
    /// What somebody might think it proves, and does not.
    pub(super) not_proven: Vec<Text>,
    /// The document itself, for JSON.
    pub(super) facts: Value,
    /// Why it could not be read, as an exit code.
    pub(super) unread: Option<Exit>,
}

impl Finding {
    /// The file could not be read: nothing is proven.
    pub(super) fn unreadable(failure: &Failure, language: Language) -> Self {
        Self {
            unread: Some(failure.exit),
            ..Self::bad(Kind::Unknown, failure.sentence(language))
        }
    }

    /// 0 where it verifies, 65 where it is not even a document, 1 otherwise; of an unreadable file why it is.
    pub(super) fn exit(&self) -> Exit {
        match (&self.proof, self.kind, self.unread) {
            (_, _, Some(exit)) => exit,
            (Ok(_), _, None) => Exit::Ok,
            (Err(_), Kind::Unknown, None) => Exit::Document,
            (Err(_), _, None) => Exit::Negative,
        }
    }

    pub(super) fn bad(kind: Kind, reason: impl ToString) -> Self {
        Self {
            kind,
            proof: Err(reason.to_string()),
            signers: Vec::new(),
            digest: None,
            sentences: Vec::new(),
            not_proven: Vec::new(),
            facts: Value::Null,
            unread: None,
        }
    }
}
