//! The container of an agreement: its exact text, the schemas that it pins, and up to two signatures. FORMAT.md §12.
//! Order: `agreement.json`, `schema-HEX.json` rising, `agreement.json.PARTY.sig` rising.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Agreement, AgreementError, Flow, FlowKind, Party};
use crate::container::{pack, unpack_small};
use crate::digest::Digest;
use crate::document;
use crate::id::PartyId;
use crate::keyring::Keyring;
use crate::limits::AGREEMENT_BYTES_MAX;
use crate::manifest::AgreementRef;
use crate::signature::{Purpose, SecretKey, verify};
use crate::table::Schema;
use crate::time::UtcTime;

/// The text's name in the container.
const NAME: &str = "agreement.json";

/// An agreement's exact bytes with the signatures gathered so far (0, 1 or 2), unverified.
#[derive(Clone, Debug)]
pub struct AgreementFile {
    pub(super) text: Vec<u8>,
    /// In the order of the parties' ids.
    pub(super) signatures: Vec<(PartyId, Vec<u8>)>,
    /// In the order of the digests.
    schemas: Vec<(Digest, Vec<u8>)>,
}

impl AgreementFile {
    /// A draft without tables: printed, checked, unsigned.
    ///
    /// # Errors
    /// A broken rule.
    pub fn draft(agreement: &Agreement) -> Result<Self, AgreementError> {
        Self::draft_with(agreement, Vec::new())
    }

    /// A draft with the exact bytes of the schema files that it pins.
    ///
    /// # Errors
    /// A broken rule; a schema that is missing, pinned by no flow, or cannot be used.
    pub fn draft_with(
        agreement: &Agreement,
        schemas: Vec<Vec<u8>>,
    ) -> Result<Self, AgreementError> {
        let draft = Self {
            text: document::print(agreement),
            signatures: Vec::new(),
            // By digest: in order, and each once.
            schemas: schemas
                .into_iter()
                .map(|bytes| (Digest::of(&bytes), bytes))
                .collect::<BTreeMap<_, _>>()
                .into_iter()
                .collect(),
        };
        // Reads back what it wrote: a number or text that no reader takes is found before anybody signs.
        Self::parse(&draft.to_bytes())
    }

    /// Reads a container.
    ///
    /// # Errors
    /// A broken rule.
    pub fn parse(container: &[u8]) -> Result<Self, AgreementError> {
        let files = unpack_small(container, AGREEMENT_BYTES_MAX)
            .map_err(|error| AgreementError(error.to_string()))?;
        let mut files = files.into_iter();
        let Some((name, text)) = files.next() else {
            return Err(AgreementError("an empty container".into()));
        };
        if name != NAME {
            return Err(AgreementError(format!("its first file is not {NAME}")));
        }
        let mut file = Self {
            text,
            signatures: Vec::new(),
            schemas: Vec::new(),
        };
        let agreement = file.agreement()?;
        for (name, bytes) in files {
            file.take(&agreement, &name, bytes)?;
        }
        file.schemas_of(&agreement)?;
        Ok(file)
    }

    /// The schemas of its table flows, each read and held against its flow.
    ///
    /// # Errors
    /// One is missing, cannot be used, or lacks a column that its flow names.
    fn schemas_of(&self, agreement: &Agreement) -> Result<Vec<Arc<Schema>>, AgreementError> {
        let mut schemas: Vec<Arc<Schema>> = Vec::new();
        let tables = |flow: &&Flow| flow.kind == FlowKind::Table;
        for flow in agreement.flows.iter().filter(tables) {
            let wrong = |reason: String| AgreementError(format!("flow {}: {reason}", flow.name));
            let pinned = self
                .schemas
                .iter()
                .find(|(digest, _)| flow.schema == Some(*digest));
            let (digest, bytes) = pinned
                .ok_or_else(|| wrong("the schema that it pins is not in the container".into()))?;
            let known = schemas.iter().find(|schema| schema.digest() == *digest);
            let schema = match known {
                Some(schema) => Arc::clone(schema),
                None => Arc::new(Schema::parse(bytes).map_err(|error| wrong(error.to_string()))?),
            };
            if let Some(rule) = super::rules::broken_by_schema(flow, &schema) {
                return Err(wrong(rule.into()));
            }
            schemas.push(schema);
        }
        Ok(schemas)
    }

    /// The exact bytes of the schema files that it carries, in the order of their digests.
    pub fn schema_files(&self) -> impl Iterator<Item = (Digest, &[u8])> {
        self.schemas
            .iter()
            .map(|(digest, bytes)| (*digest, bytes.as_slice()))
    }

    /// Takes one more file of the container, in the one order.
    fn take(
        &mut self,
        agreement: &Agreement,
        name: &str,
        bytes: Vec<u8>,
    ) -> Result<(), AgreementError> {
        if let Some(party) = signer_of(name) {
            let rises = self.signatures.last().is_none_or(|(last, _)| *last < party);
            if rises && agreement.party(&party).is_some() {
                self.signatures.push((party, bytes));
                return Ok(());
            }
        }
        if let Some(digest) = schema_of(name) {
            let rises = self.schemas.last().is_none_or(|(last, _)| *last < digest);
            let is_pinned = agreement.flows.iter().any(|f| f.schema == Some(digest));
            if rises && is_pinned && self.signatures.is_empty() && Digest::of(&bytes) == digest {
                self.schemas.push((digest, bytes));
                return Ok(());
            }
        }
        let name = document::excerpt(name);
        Err(AgreementError(format!(
            "the file {name:?} does not belong here"
        )))
    }

    /// The container's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let schemas = self
            .schemas
            .iter()
            .map(|(digest, bytes)| (format!("schema-{}.json", digest.to_hex()), bytes));
        let signatures = self
            .signatures
            .iter()
            .map(|(party, bytes)| (format!("{NAME}.{party}.sig"), bytes));
        let files: Vec<_> = std::iter::once((NAME.to_owned(), &self.text))
            .chain(schemas)
            .chain(signatures)
            .collect();
        let files: Vec<_> = files
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
            .collect();
        pack(&files)
    }

    /// The digest of agreement.json: its identity everywhere.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.text)
    }

    /// The exact bytes of agreement.json: what is signed.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The text, read strictly (not proof of anything).
    ///
    /// # Errors
    /// A broken rule.
    pub fn agreement(&self) -> Result<Agreement, AgreementError> {
        let agreement: Agreement =
            document::parse(&self.text).map_err(|error| AgreementError(error.to_string()))?;
        agreement.check()?;
        Ok(agreement)
    }

    /// Who has signed (unverified).
    pub fn signers(&self) -> impl Iterator<Item = &PartyId> {
        self.signatures.iter().map(|(party, _)| party)
    }

    /// Adds the signature of `party`, replacing an older one of it.
    ///
    /// # Errors
    /// `party` is not of the two.
    pub fn sign(&mut self, party: &PartyId, key: &SecretKey) -> Result<(), AgreementError> {
        if self.agreement()?.party(party).is_none() {
            return Err(AgreementError(format!("{party} is not a party of it")));
        }
        let armor = key.sign(Purpose::Agreement, &self.text);
        self.put(party, armor.into_bytes());
        Ok(())
    }

    /// Takes over the other side's signatures over the same bytes. One that we have and that matches the bytes stays.
    ///
    /// # Errors
    /// Another text, or a signature that does not match it.
    pub fn merge(&mut self, other: &Self) -> Result<(), AgreementError> {
        if self.text != other.text {
            return Err(AgreementError(format!(
                "the texts differ: ours is {}, theirs {}",
                self.digest(),
                other.digest()
            )));
        }
        for (party, armor) in &other.signatures {
            verify(Purpose::Agreement, &self.text, armor)
                .map_err(|error| AgreementError(format!("signature of {party}: {error}")))?;
            let matches = |ours: &[u8]| verify(Purpose::Agreement, &self.text, ours).is_ok();
            if !self.signature(party).is_some_and(matches) {
                self.put(party, armor.clone());
            }
        }
        Ok(())
    }

    fn signature(&self, party: &PartyId) -> Option<&[u8]> {
        let found = self.signatures.iter().find(|(signer, _)| signer == party);
        found.map(|(_, armor)| armor.as_slice())
    }

    fn put(&mut self, party: &PartyId, armor: Vec<u8>) {
        self.signatures.retain(|(signer, _)| signer != party);
        self.signatures.push((party.clone(), armor));
        self.signatures.sort_unstable();
    }

    /// Both signatures, each by a key valid `at` of a trusted card whose first card the agreement pins.
    /// Its dates are not asked: it may be loaded before it is effective.
    ///
    /// # Errors
    /// Names the missing or wrong one.
    pub fn verify(self, keyring: &Keyring, at: UtcTime) -> Result<CoSigned, AgreementError> {
        self.verify_when(keyring, Some(at))
    }

    /// The same for an agreement that was loaded before: its signatures were judged then, once, and a key that has ended
    /// since un-signs nothing. Whose keys they are is still asked.
    ///
    /// # Errors
    /// As [`AgreementFile::verify`].
    pub fn verify_again(self, keyring: &Keyring) -> Result<CoSigned, AgreementError> {
        self.verify_when(keyring, None)
    }

    fn verify_when(
        self,
        keyring: &Keyring,
        at: Option<UtcTime>,
    ) -> Result<CoSigned, AgreementError> {
        let agreement = self.agreement()?;
        for party in &agreement.parties {
            self.verify_party(party, keyring, at)
                .map_err(|reason| AgreementError(format!("party {}: {reason}", party.id)))?;
        }
        Ok(CoSigned {
            digest: self.digest(),
            schemas: self.schemas_of(&agreement)?,
            agreement,
        })
    }

    fn verify_party(
        &self,
        party: &Party,
        keyring: &Keyring,
        at: Option<UtcTime>,
    ) -> Result<(), String> {
        let pinned = |card: &&crate::card::VerifiedCard| {
            card.card().party == party.id && card.digest() == party.card
        };
        if keyring.cards().find(pinned).is_none() {
            return Err("the card that the agreement pins is not trusted here".into());
        }
        let armor = self.signature(&party.id).ok_or("it has not signed")?;
        let key = verify(Purpose::Agreement, &self.text, armor).map_err(|e| e.to_string())?;
        let may = match at {
            Some(at) => keyring.may_sign(&party.id, &key, at),
            None => keyring.signer(&key) == Some(&party.id),
        };
        if may {
            Ok(())
        } else {
            Err(format!(
                "signed by {}, which is no valid signing key of it",
                key.fingerprint()
            ))
        }
    }
}

/// The party in `agreement.json.PARTY.sig`.
fn signer_of(name: &str) -> Option<PartyId> {
    let rest = name.strip_prefix(NAME)?.strip_prefix('.')?;
    rest.strip_suffix(".sig")?.parse().ok()
}

/// The digest in `schema-HEX.json`.
fn schema_of(name: &str) -> Option<Digest> {
    let hex = name.strip_prefix("schema-")?.strip_suffix(".json")?;
    Digest::from_hex(hex).ok()
}

/// An agreement that both parties signed, verified in this process.
#[derive(Debug)]
pub struct CoSigned {
    agreement: Agreement,
    digest: Digest,
    schemas: Vec<Arc<Schema>>,
}

impl CoSigned {
    /// What it says.
    #[must_use]
    pub fn agreement(&self) -> &Agreement {
        &self.agreement
    }

    /// SHA-256 of agreement.json.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The schema that a table flow of it pins.
    #[must_use]
    pub fn schema(&self, flow: &Flow) -> Option<&Arc<Schema>> {
        let pinned = |schema: &&Arc<Schema>| flow.schema == Some(schema.digest());
        self.schemas.iter().find(pinned)
    }

    /// How documents name it.
    #[must_use]
    pub fn reference(&self) -> AgreementRef {
        AgreementRef {
            id: self.agreement.id.clone(),
            version: self.agreement.version,
            digest: self.digest,
        }
    }
}
