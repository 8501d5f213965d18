//! The manifest: the signed public face of a bundle, no personal data in it. FORMAT.md §9.
//! [`UnverifiedHead::verify`] is the only way to a [`VerifiedHead`].

use crate::{container::{ContainerError, HeadParts}, contents::{Binding, ContentsSummary}, digest::Digest, document::Ext, id::*, keyring::Keyring, refusal::Refusal, signature::{PublicKey, SecretKey}, time::UtcTime};

/// The agreement that a document names.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreementRef { pub id: AgreementId, pub version: u32, pub digest: Digest }
/// The ciphertext.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayloadRef { pub digest: Digest, pub bytes: u64 }

/// `manifest.json`, `amanah-bundle/1`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub format: String,
    pub bundle: BundleId,
    pub agreement: AgreementRef,
    pub flow: FlowName,
    pub purpose: String,
    pub from: PartyId,
    pub to: PartyId,
    pub epoch: Epoch,
    pub sequence: Sequence,
    /// Digest of the previous manifest of the stream; none for the very first.
    pub previous: Option<Digest>,
    /// [`crate::recipient::Recipient::digest`] of every decryption key used.
    pub recipients: Vec<Digest>,
    pub regarding: Option<Digest>,
    pub created: UtcTime,
    pub expires: UtcTime,
    pub payload: PayloadRef,
    pub contents: ContentsSummary,
    pub ext: Ext,
    pub critical: Vec<String>,
}
impl Manifest {
    /// What contents.json must repeat.
    #[must_use]
    pub fn binding(&self) -> Binding { todo!() }
    /// The exact bytes to sign: printed, then padded with spaces before the last brace to the length that the head demands.
    ///
    /// # Errors
    /// Longer than the head can hold.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ContainerError> { todo!() }
}

/// A bundle's head as it came in: nothing in it is believed yet.
pub struct UnverifiedHead { parts: HeadParts }
impl UnverifiedHead {
    /// Reads the first 16 KiB.
    ///
    /// # Errors
    /// [`Refusal::ContainerMalformed`].
    pub fn parse(head: &[u8]) -> Result<Self, Refusal> { todo!() }
    /// The digest of the manifest's exact bytes: the bundle's identity.
    #[must_use]
    pub fn digest(&self) -> Digest { todo!() }
    /// Length of the payload that the tar header declares (equal to the manifest's after verify).
    #[must_use]
    pub fn payload_bytes(&self) -> u64 { self.parts.payload_bytes }
    /// Signature, then whose key, then the text (bytes are verified before they are parsed), then: `from` is the signer, the
    /// key is valid at `received` and at `created`, the payload's length agrees with the container.
    ///
    /// # Errors
    /// [`VerifyError`]: with the signing party once the signature verified under a known card (so a receipt may be signed).
    pub fn verify(self, keyring: &Keyring, received: UtcTime) -> Result<VerifiedHead, VerifyError> { todo!() }
}
/// Why a head does not verify, and whether its signer is known (then, and only then, a receipt may answer it).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{refusal}")]
pub struct VerifyError { /// The code.
    pub refusal: Refusal, /// Who signed, when that is proven.
    pub signer: Option<PartyId>, /// The manifest, where its text could be read.
    pub manifest: Option<Box<Manifest>> }

/// A head whose signature, signer and text were verified in this process. Not `Clone`, not `Deserialize`: it is proof.
pub struct VerifiedHead { manifest: Manifest, digest: Digest, signer: PublicKey, bytes: Vec<u8>, signature: Vec<u8> }
impl VerifiedHead {
    #[must_use] pub fn manifest(&self) -> &Manifest { &self.manifest }
    #[must_use] pub fn digest(&self) -> Digest { self.digest }
    #[must_use] pub fn signer(&self) -> PublicKey { self.signer }
    /// The exact signed bytes and the armour: what the journal keeps.
    #[must_use] pub fn evidence(&self) -> (&[u8], &[u8]) { (&self.bytes, &self.signature) }
}
