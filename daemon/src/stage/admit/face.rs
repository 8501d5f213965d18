//! The face of an arrived bundle: what its bytes say by themselves, before any agreement is asked. Container, name, signature,
//! signer, text, then the payload's length, digest and end: a difference there is damage, which somebody else may have done.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

use amanah_format::container;
use amanah_format::digest::{Digest, HashingReader};
use amanah_format::id::PartyId;
use amanah_format::limits::BUNDLE_HEAD_BYTES;
use amanah_format::manifest::{Manifest, PayloadRef, UnverifiedHead, VerifiedHead};
use amanah_format::refusal::Refusal;
use amanah_format::time::UtcTime;

use crate::spool::part::Part;
use crate::transport::link::Denied;

use super::Admit;

/// What the bytes themselves say, before any agreement is asked.
pub(super) enum Face {
    /// Signature, signer, text and payload digest are right.
    Whole(Box<VerifiedHead>),
    /// Signed by this peer, but refused for a reason that its own signed bytes prove.
    Faulty(Box<Faulty>),
}

pub(super) struct Faulty {
    pub(super) refusal: Refusal,
    pub(super) manifest: Option<Manifest>,
    pub(super) evidence: (Vec<u8>, Vec<u8>),
    pub(super) payload_bytes: u64,
}

impl Admit {
    /// Reads the arrived bytes: container, name, signature, signer, text, digest, end.
    pub(super) fn face(
        &self,
        peer: &PartyId,
        digest: Digest,
        part: &Part,
        received: UtcTime,
    ) -> Result<Face, Denied> {
        let mut file = part.reopen().map_err(|error| Denied::failure(&error))?;
        let mut head = Vec::new();
        file.by_ref()
            .take(BUNDLE_HEAD_BYTES)
            .read_to_end(&mut head)
            .map_err(|error| Denied::failure(&error))?;
        let head = UnverifiedHead::parse(&head).map_err(Denied::refusal)?;
        if head.digest() != digest {
            return Err(Denied::refusal(Refusal::NameMismatch));
        }
        let payload_bytes = head.payload_bytes();
        let evidence = head.evidence();
        match head.verify(self.node.rules.now().keyring(), received) {
            Ok(verified) if &verified.manifest().from != peer => {
                Err(Denied::refusal(Refusal::SignerNotPeer))
            }
            Ok(verified) => {
                self.whole(part, &mut file, verified.manifest())?;
                Ok(Face::Whole(Box::new(verified)))
            }
            Err(fault) => match fault.signer {
                Some(signer) if &signer == peer => {
                    if let Some(manifest) = &fault.manifest {
                        self.whole(part, &mut file, manifest)?;
                    }
                    Ok(Face::Faulty(Box::new(Faulty {
                        refusal: fault.refusal,
                        manifest: fault.manifest.map(|manifest| *manifest),
                        evidence,
                        payload_bytes,
                    })))
                }
                Some(_) => Err(Denied::refusal(Refusal::SignerNotPeer)),
                None => Err(Denied::refusal(fault.refusal)),
            },
        }
    }

    /// The payload's length, digest and what follows it: anything else is damage, which somebody else may have done.
    fn whole(&self, part: &Part, file: &mut File, manifest: &Manifest) -> Result<(), Denied> {
        let failure = |error: &std::io::Error| Denied::failure(error);
        let PayloadRef { digest, bytes } = manifest.payload;
        // Whoever read along has hashed these very bytes, or nothing is found.
        if part.found_along() != Some(digest) {
            file.seek(SeekFrom::Start(BUNDLE_HEAD_BYTES))
                .map_err(|error| failure(&error))?;
            let payload = self.node.stop.guard(&*file).take(bytes);
            let mut hashing = HashingReader::new(BufReader::with_capacity(256 * 1024, payload));
            std::io::copy(&mut hashing, &mut std::io::sink()).map_err(|error| failure(&error))?;
            let (_, found, length) = hashing.finish();
            if length != bytes || found != digest {
                return Err(Denied::damaged());
            }
        }
        let mut tail = Vec::new();
        file.seek(SeekFrom::Start(BUNDLE_HEAD_BYTES.saturating_add(bytes)))
            .and_then(|_| file.take(64 * 1024).read_to_end(&mut tail))
            .map_err(|error| failure(&error))?;
        container::check_tail(bytes, &tail).map_err(|_| Denied::damaged())
    }
}

impl Denied {
    /// A door refusal.
    fn refusal(refusal: Refusal) -> Self {
        Self::new(
            refusal.code(),
            "not taken over; docs/refusals.md says what the code means and what to do",
        )
    }

    /// Bytes that are not what the manifest says.
    pub(in crate::stage) fn damaged() -> Self {
        Self::new(
            "damaged",
            "its bytes are not what its head says; the part was dropped, send it again",
        )
    }

    /// This machine's fault: the peer tries again later.
    pub(crate) fn failure(error: &dyn std::fmt::Display) -> Self {
        tracing::error!("a hand-over failed here: {error}");
        Self::local("the receiving machine could not take it over; try again")
    }

    /// Not now, for a reason in words: the peer keeps it, and tries again.
    pub(crate) fn not_now(message: String) -> Self {
        Self {
            code: "failure".to_owned(),
            message,
        }
    }

    /// Not now: it says nothing about the bytes, which are kept.
    pub(super) fn local(message: &str) -> Self {
        Self::new("failure", message)
    }

    fn new(code: &str, message: &str) -> Self {
        Self {
            code: code.to_owned(),
            message: message.to_owned(),
        }
    }

    /// Whether it says nothing about the bytes.
    pub(super) fn is_local(&self) -> bool {
        self.code == "failure"
    }
}
