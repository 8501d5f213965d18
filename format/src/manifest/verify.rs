//! From a head as it came in to a verified one. FORMAT.md §9 has the order of the checks.
//!
//! Bytes are verified before they are parsed. Once the signature verified under a known card, a refusal may be answered
//! by a receipt; before that, never.

use super::Manifest;
use crate::{
    container::{self, HeadParts},
    digest::Digest,
    document::{self, DocumentError},
    id::PartyId,
    keyring::Keyring,
    refusal::Refusal,
    signature::{self, PublicKey, Purpose},
    time::UtcTime,
};

/// A bundle's head as it came in: nothing in it is believed yet.
pub struct UnverifiedHead {
    parts: HeadParts,
}

impl UnverifiedHead {
    /// Reads the first 16 KiB.
    ///
    /// # Errors
    /// [`Refusal::ContainerMalformed`].
    pub fn parse(head: &[u8]) -> Result<Self, Refusal> {
        let parts = container::read_head(head).map_err(|_| Refusal::ContainerMalformed)?;
        Ok(Self { parts })
    }

    /// The digest of the manifest's exact bytes: the bundle's identity.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.parts.manifest)
    }

    /// Length of the payload that the tar header declares (equal to the manifest's after verify).
    #[must_use]
    pub fn payload_bytes(&self) -> u64 {
        self.parts.payload_bytes
    }

    /// The exact manifest bytes and the armour, unverified: what a journal keeps of a bundle that it refuses.
    #[must_use]
    pub fn evidence(&self) -> (Vec<u8>, Vec<u8>) {
        (self.parts.manifest.clone(), self.parts.signature.clone())
    }

    /// Signature, then whose key, then the text (bytes are verified before they are parsed), then: `from` is the signer, the
    /// key is valid at `received` and at `created`, the payload's length agrees with the container. How far `created` may
    /// lie after `received` is policy, and not judged here.
    ///
    /// # Errors
    /// [`VerifyError`]: with the signing party once the signature verified under a known card (so a receipt may be signed).
    pub fn verify(self, keyring: &Keyring, received: UtcTime) -> Result<VerifiedHead, VerifyError> {
        let HeadParts {
            manifest,
            signature,
            payload_bytes,
        } = self.parts;
        let verified = VerifiedHead::of_text(manifest, signature, keyring, received)?;
        // The tar header is not signed: somebody else may have changed it, so no receipt may blame the sender.
        if verified.manifest.payload.bytes != payload_bytes {
            return Err(VerifyError::unsigned(Refusal::ContainerMalformed));
        }
        Ok(verified)
    }
}

impl VerifiedHead {
    /// The same for a manifest and its armour that came without their bundle.
    ///
    /// # Errors
    /// As [`UnverifiedHead::verify`].
    pub fn of_text(
        bytes: Vec<u8>,
        signature: Vec<u8>,
        keyring: &Keyring,
        received: UtcTime,
    ) -> Result<Self, VerifyError> {
        let key = signature::verify(Purpose::Bundle, &bytes, &signature)
            .map_err(|_| VerifyError::unsigned(Refusal::SignatureInvalid))?;
        let signer = keyring
            .signer(&key)
            .ok_or_else(|| VerifyError::unsigned(Refusal::SignerUnknown))?;
        let manifest = document::parse::<Manifest>(&bytes).map_err(|error| {
            let refusal = refusal_for(&error);
            VerifyError::signed(refusal, signer, None)
        })?;
        let allowed = |at| keyring.may_sign(signer, &key, at);
        let refusal = if manifest.from != *signer {
            Some(Refusal::SenderMismatch)
        } else if !allowed(received) || !allowed(manifest.created) {
            Some(Refusal::SignerNotValid)
        } else if !manifest.is_consistent() {
            Some(Refusal::ManifestMalformed)
        } else {
            None
        };
        if let Some(refusal) = refusal {
            return Err(VerifyError::signed(refusal, signer, Some(manifest)));
        }
        Ok(Self {
            manifest,
            digest: Digest::of(&bytes),
            signer: key,
            bytes,
            signature,
        })
    }
}

fn refusal_for(error: &DocumentError) -> Refusal {
    match error {
        DocumentError::Format { .. } | DocumentError::Critical(_) => Refusal::FormatUnsupported,
        DocumentError::TooLong { .. } | DocumentError::Json(_) | DocumentError::Shape { .. } => {
            Refusal::ManifestMalformed
        }
    }
}

/// Why a head does not verify, and whether its signer is known (then, and only then, a receipt may answer it).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{refusal}")]
pub struct VerifyError {
    /// The code.
    pub refusal: Refusal,
    /// Who signed, when that is proven.
    pub signer: Option<PartyId>,
    /// The manifest, where its text could be read.
    pub manifest: Option<Box<Manifest>>,
}

impl VerifyError {
    fn unsigned(refusal: Refusal) -> Self {
        Self {
            refusal,
            signer: None,
            manifest: None,
        }
    }

    fn signed(refusal: Refusal, signer: &PartyId, manifest: Option<Manifest>) -> Self {
        Self {
            refusal,
            signer: Some(signer.clone()),
            manifest: manifest.map(Box::new),
        }
    }
}

/// A head whose signature, signer and text were verified in this process. Not `Clone`, not `Deserialize`: it is proof.
pub struct VerifiedHead {
    manifest: Manifest,
    digest: Digest,
    signer: PublicKey,
    bytes: Vec<u8>,
    signature: Vec<u8>,
}

impl VerifiedHead {
    /// What was signed.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The bundle's identity.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The key that signed.
    #[must_use]
    pub fn signer(&self) -> PublicKey {
        self.signer
    }

    /// The exact signed bytes and the armour: what the journal keeps.
    #[must_use]
    pub fn evidence(&self) -> (&[u8], &[u8]) {
        (&self.bytes, &self.signature)
    }
}
