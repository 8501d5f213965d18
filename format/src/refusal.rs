//! The closed list of reasons why a bundle is not imported: stable codes, no free text. FORMAT.md §10.
//!
//! A code that a receipt may carry is *signed*; one that junk at the door gets is not (it must not buy signatures).

/// A reason code. Text form kebab-case (Display, FromStr, serde), the same in receipt, ledger, log and screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// `decryption-failed`: none of our keys opens it, or the age file is damaged inside its digest.
    DecryptionFailed,
    /// `payload-malformed`: not the zstd frame or tar that §7 describes.
    PayloadMalformed,
    /// `payload-exceeds`: more output than the manifest declares.
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
    pub const ALL: &'static [Self] = &[];
    /// Whether a receipt may carry it.
    #[must_use]
    pub const fn is_signed(self) -> bool { todo!() }
    /// The stable kebab-case code.
    #[must_use]
    pub const fn code(self) -> &'static str { todo!() }
}
