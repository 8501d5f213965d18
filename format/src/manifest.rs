//! The manifest: the signed public face of a bundle, no personal data in it. FORMAT.md §9.
//! [`UnverifiedHead::verify`] is the only way to a [`VerifiedHead`].

use crate::{
    container::{self, ContainerError},
    contents::{Binding, ContentsSummary},
    digest::Digest,
    document::{self, Document, Ext, nullable},
    id::{AgreementId, BundleId, Epoch, FlowName, PartyId, Sequence},
    limits::{DOCUMENT_BYTES_MAX, ENTRIES_MAX, NAME_BYTES_MAX, RECIPIENTS_MAX},
    time::UtcTime,
};

#[cfg(test)]
mod tests;
mod verify;

pub use verify::{UnverifiedHead, VerifiedHead, VerifyError};

/// The agreement that a document names.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreementRef {
    /// Its id.
    pub id: AgreementId,
    /// Its version: 1, 2, 3 …
    pub version: u32,
    /// Digest of its text.
    pub digest: Digest,
}

/// The ciphertext.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayloadRef {
    /// SHA-256 of the age file.
    pub digest: Digest,
    /// Its length.
    pub bytes: u64,
}

/// `manifest.json`, `amanah-bundle/1`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `amanah-bundle/1`.
    pub format: String,
    /// Chosen by the sender; the bundle's identity is the manifest's digest.
    pub bundle: BundleId,
    /// Under which rules it is sent.
    pub agreement: AgreementRef,
    /// Which line of the agreement.
    pub flow: FlowName,
    /// One of the flow's purposes: 1 to 64 bytes of `A-Z a-z 0-9 _ -`.
    pub purpose: String,
    /// Sender, who signs.
    pub from: PartyId,
    /// Recipient.
    pub to: PartyId,
    /// Epoch of the stream.
    pub epoch: Epoch,
    /// Place in the stream and epoch.
    pub sequence: Sequence,
    /// Digest of the previous manifest of the stream; none for the very first.
    #[serde(deserialize_with = "nullable")]
    pub previous: Option<Digest>,
    /// [`crate::recipient::Recipient::digest`] of every decryption key used.
    pub recipients: Vec<Digest>,
    /// A manifest that this bundle answers or corrects.
    #[serde(deserialize_with = "nullable")]
    pub regarding: Option<Digest>,
    /// When it was sealed.
    pub created: UtcTime,
    /// Until when it may be handed over.
    pub expires: UtcTime,
    /// The ciphertext.
    pub payload: PayloadRef,
    /// The inner list.
    pub contents: ContentsSummary,
    /// Unknown members are ignored.
    pub ext: Ext,
    /// Names that a reader must know.
    pub critical: Vec<String>,
}

impl Manifest {
    /// What contents.json must repeat.
    #[must_use]
    pub fn binding(&self) -> Binding {
        Binding {
            bundle: self.bundle,
            agreement: self.agreement.digest,
            from: self.from.clone(),
            to: self.to.clone(),
            flow: self.flow.clone(),
        }
    }

    /// The exact bytes to sign: printed, then padded with spaces before the last brace to the length that the head demands.
    ///
    /// # Errors
    /// Longer than the head can hold.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ContainerError> {
        const TOO_LONG: ContainerError = ContainerError::Rule("manifest.json is too long");
        let mut bytes = document::print(self);
        let length = container::manifest_bytes_for(self.payload.bytes);
        let padding = length.checked_sub(bytes.len()).ok_or(TOO_LONG)?;
        // `print` ends in a brace and a line feed.
        let brace = bytes.len().saturating_sub(2);
        bytes.splice(brace..brace, std::iter::repeat_n(b' ', padding));
        Ok(bytes)
    }

    /// What its own members say about each other: true of every manifest, whatever the agreement and the clock.
    pub(crate) fn is_consistent(&self) -> bool {
        let first = self.epoch == Epoch::FIRST && self.sequence == Sequence::FIRST;
        first == self.previous.is_none()
            && self.from != self.to
            && self.created < self.expires
            && self.agreement.version > 0
            && is_purpose(&self.purpose)
            && is_recipient_list(&self.recipients)
            && (1..=ENTRIES_MAX).contains(&self.contents.entries)
    }
}

impl Document for Manifest {
    const FORMAT: &'static str = "amanah-bundle/1";
    const BYTES_MAX: u64 = DOCUMENT_BYTES_MAX;

    fn format(&self) -> &str {
        &self.format
    }

    fn critical(&self) -> &[String] {
        &self.critical
    }
}

/// The code of a purpose, in manifests and agreements alike: 1 to 64 bytes of `A-Z a-z 0-9 _ -`.
pub(crate) fn is_purpose(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

/// 1 to 16 digests, none twice.
fn is_recipient_list(list: &[Digest]) -> bool {
    let twice = |(place, digest)| list.iter().skip(place + 1).any(|other| other == digest);
    (1..=RECIPIENTS_MAX).contains(&list.len()) && !list.iter().enumerate().any(twice)
}
