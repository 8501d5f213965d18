//! The closed list of reasons why a bundle is not imported: stable codes, no free text. FORMAT.md §10.
//!
//! A code that a receipt may carry is *signed*; one that junk at the door gets is not (it must not buy signatures).

use std::fmt;
use std::str::FromStr;

use crate::document::{excerpt, text_form};

/// A reason code. Text form kebab-case (Display, FromStr, serde), the same in receipt, ledger, log and screen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    // --- at the door: an SFTP error, never a receipt ---
    /// `container-malformed`: not the tar that §5 describes.
    ContainerMalformed,
    /// `signature-invalid`: the manifest's signature does not verify.
    SignatureInvalid,
    /// `signer-unknown`: no known card holds the signing key.
    SignerUnknown,
    /// `signer-not-peer`: a known party's key, but not of the peer at this connection.
    SignerNotPeer,
    /// `name-mismatch`: the name on the wire is not the manifest's digest.
    NameMismatch,
    // --- signed ---
    /// `manifest-malformed`: verified bytes that are not a manifest.
    ManifestMalformed,
    /// `format-unsupported`: a version or `critical` name that is not known.
    FormatUnsupported,
    /// `signer-not-valid`: the key was not valid when the bundle was handed over or made.
    SignerNotValid,
    /// `sender-mismatch`: `from` is not the signer.
    SenderMismatch,
    /// `wrong-recipient`: `to`, or a decryption key, is not this party's.
    WrongRecipient,
    /// `agreement-not-in-force`: known, but expired, superseded beyond its drain, or revoked.
    AgreementNotInForce,
    /// `flow-not-agreed`: the agreement lists no such flow.
    FlowNotAgreed,
    /// `direction-not-agreed`: the flow goes the other way.
    DirectionNotAgreed,
    /// `purpose-not-agreed`: the flow does not allow this purpose.
    PurposeNotAgreed,
    /// `too-large`: more bytes, entries or records than the flow allows.
    TooLarge,
    /// `expired`: handed over after `expires`.
    Expired,
    /// `sequence-conflict`: another bundle holds this place of the stream.
    SequenceConflict,
    /// `sequence-too-far`: beyond the first gap by more than the limit.
    SequenceTooFar,
    /// `previous-mismatch`: `previous` is not the digest of the bundle before it.
    PreviousMismatch,
    /// `bundle-id-reused`: another bundle of this sender has this id.
    BundleIdReused,
    /// `voided`: the sender gave the number up before the bundle was taken over.
    Voided,
    /// `decryption-failed`: none of our keys opens it, or the age file is damaged inside its digest.
    DecryptionFailed,
    /// `payload-malformed`: not the zstd frame or tar that §7 describes.
    PayloadMalformed,
    /// `payload-exceeds`: more output than the manifest declares, or more work to open it.
    PayloadExceeds,
    /// `entry-path`: an entry's path breaks a rule of §6, or collides with another.
    EntryPath,
    /// `entry-kind`: something else than a regular file.
    EntryKind,
    /// `contents-mismatch`: `contents.json` is missing, or disagrees with the manifest or the entries.
    ContentsMismatch,
    // --- reserved for tables (signed) ---
    /// `schema-mismatch`: other columns than the agreement pins.
    SchemaMismatch,
    /// `records-invalid`: rows that break the schema.
    RecordsInvalid,
    /// `totals-mismatch`: control totals differ.
    TotalsMismatch,
}
impl Refusal {
    /// All codes, in the order of FORMAT.md.
    pub const ALL: &'static [Self] = &[
        Self::ContainerMalformed,
        Self::SignatureInvalid,
        Self::SignerUnknown,
        Self::SignerNotPeer,
        Self::NameMismatch,
        Self::ManifestMalformed,
        Self::FormatUnsupported,
        Self::SignerNotValid,
        Self::SenderMismatch,
        Self::WrongRecipient,
        Self::AgreementNotInForce,
        Self::FlowNotAgreed,
        Self::DirectionNotAgreed,
        Self::PurposeNotAgreed,
        Self::TooLarge,
        Self::Expired,
        Self::SequenceConflict,
        Self::SequenceTooFar,
        Self::PreviousMismatch,
        Self::BundleIdReused,
        Self::Voided,
        Self::DecryptionFailed,
        Self::PayloadMalformed,
        Self::PayloadExceeds,
        Self::EntryPath,
        Self::EntryKind,
        Self::ContentsMismatch,
        Self::SchemaMismatch,
        Self::RecordsInvalid,
        Self::TotalsMismatch,
    ];

    /// Whether a receipt may carry it.
    #[must_use]
    pub const fn is_signed(self) -> bool {
        !matches!(
            self,
            Self::ContainerMalformed
                | Self::SignatureInvalid
                | Self::SignerUnknown
                | Self::SignerNotPeer
                | Self::NameMismatch
        )
    }

    /// The stable kebab-case code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ContainerMalformed => "container-malformed",
            Self::SignatureInvalid => "signature-invalid",
            Self::SignerUnknown => "signer-unknown",
            Self::SignerNotPeer => "signer-not-peer",
            Self::NameMismatch => "name-mismatch",
            Self::ManifestMalformed => "manifest-malformed",
            Self::FormatUnsupported => "format-unsupported",
            Self::SignerNotValid => "signer-not-valid",
            Self::SenderMismatch => "sender-mismatch",
            Self::WrongRecipient => "wrong-recipient",
            Self::AgreementNotInForce => "agreement-not-in-force",
            Self::FlowNotAgreed => "flow-not-agreed",
            Self::DirectionNotAgreed => "direction-not-agreed",
            Self::PurposeNotAgreed => "purpose-not-agreed",
            Self::TooLarge => "too-large",
            Self::Expired => "expired",
            Self::SequenceConflict => "sequence-conflict",
            Self::SequenceTooFar => "sequence-too-far",
            Self::PreviousMismatch => "previous-mismatch",
            Self::BundleIdReused => "bundle-id-reused",
            Self::Voided => "voided",
            Self::DecryptionFailed => "decryption-failed",
            Self::PayloadMalformed => "payload-malformed",
            Self::PayloadExceeds => "payload-exceeds",
            Self::EntryPath => "entry-path",
            Self::EntryKind => "entry-kind",
            Self::ContentsMismatch => "contents-mismatch",
            Self::SchemaMismatch => "schema-mismatch",
            Self::RecordsInvalid => "records-invalid",
            Self::TotalsMismatch => "totals-mismatch",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Refusal {
    type Err = RefusalError;

    fn from_str(text: &str) -> Result<Self, RefusalError> {
        Self::ALL
            .iter()
            .copied()
            .find(|refusal| refusal.code() == text)
            .ok_or_else(|| RefusalError {
                found: excerpt(text),
            })
    }
}

text_form!(Refusal);

/// A text that is none of the codes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a refusal code: {found:?}")]
pub struct RefusalError {
    found: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The one after it in the enum's order; the compiler demands a line here for each new code.
    fn after(refusal: Refusal) -> Option<Refusal> {
        use Refusal::*;
        match refusal {
            ContainerMalformed => Some(SignatureInvalid),
            SignatureInvalid => Some(SignerUnknown),
            SignerUnknown => Some(SignerNotPeer),
            SignerNotPeer => Some(NameMismatch),
            NameMismatch => Some(ManifestMalformed),
            ManifestMalformed => Some(FormatUnsupported),
            FormatUnsupported => Some(SignerNotValid),
            SignerNotValid => Some(SenderMismatch),
            SenderMismatch => Some(WrongRecipient),
            WrongRecipient => Some(AgreementNotInForce),
            AgreementNotInForce => Some(FlowNotAgreed),
            FlowNotAgreed => Some(DirectionNotAgreed),
            DirectionNotAgreed => Some(PurposeNotAgreed),
            PurposeNotAgreed => Some(TooLarge),
            TooLarge => Some(Expired),
            Expired => Some(SequenceConflict),
            SequenceConflict => Some(SequenceTooFar),
            SequenceTooFar => Some(PreviousMismatch),
            PreviousMismatch => Some(BundleIdReused),
            BundleIdReused => Some(Voided),
            Voided => Some(DecryptionFailed),
            DecryptionFailed => Some(PayloadMalformed),
            PayloadMalformed => Some(PayloadExceeds),
            PayloadExceeds => Some(EntryPath),
            EntryPath => Some(EntryKind),
            EntryKind => Some(ContentsMismatch),
            ContentsMismatch => Some(SchemaMismatch),
            SchemaMismatch => Some(RecordsInvalid),
            RecordsInvalid => Some(TotalsMismatch),
            TotalsMismatch => None,
        }
    }

    #[test]
    fn all_codes_are_listed_in_order() {
        let walked: Vec<_> =
            std::iter::successors(Some(Refusal::ContainerMalformed), |r| after(*r)).collect();
        assert_eq!(walked, Refusal::ALL);
    }

    #[test]
    fn each_code_reads_back_and_no_other_does() {
        for refusal in Refusal::ALL {
            assert_eq!(refusal.code().parse(), Ok(*refusal));
        }
        for wrong in ["", "Expired", "expired ", "unknown"] {
            assert!(wrong.parse::<Refusal>().is_err(), "{wrong}");
        }
        assert_eq!(
            serde_json::to_string(&Refusal::TooLarge).unwrap(),
            "\"too-large\""
        );
        assert!(serde_json::from_str::<Refusal>("\"too_large\"").is_err());
    }

    /// How many codes at the head of the list belong at the door.
    const UNSIGNED: usize = 5;

    #[test]
    fn what_junk_at_the_door_gets_is_never_signed() {
        let (door, rest) = Refusal::ALL.split_at(UNSIGNED);
        assert!(door.iter().all(|refusal| !refusal.is_signed()));
        assert!(rest.iter().all(|refusal| refusal.is_signed()));
    }
}
