//! The real rules for the model: the cards and the agreement of `keys-example/`, and manifests made from its bundle.
//! What is wrong with a manifest is wrong by the policy's own judgement, not by the model's.

use std::fs;

use amanah_format::agreement::AgreementFile;
use amanah_format::card::VerifiedCard;
use amanah_format::digest::Digest;
use amanah_format::id::{BundleId, Sequence};
use amanah_format::keyring::Keyring;
use amanah_format::manifest::Manifest;
use amanah_format::time::UtcTime;
use amanahd::engine::policy::Policy;

use super::super::checker::bundle_manifest;
use crate::tree;

/// What is wrong with a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// Refused at the door; its number is consumed.
    Purpose,
    /// Refused when it is opened; its number is consumed.
    Contents,
    /// Held until the receiver's clock has come so far.
    Early,
}

/// How far an early bundle is ahead: beyond the skew that is allowed.
pub(super) const AHEAD_SECS: i64 = 3_600;

/// Rules and a bundle to make others from.
pub(super) struct Papers {
    /// Without the agreement: what names it is held.
    pub(super) before: Policy,
    /// With it.
    pub(super) after: Policy,
    template: Manifest,
}

impl Papers {
    pub(super) fn read() -> Self {
        let folder = tree::root().join("keys-example");
        let read = |name: &str| fs::read(folder.join(name)).unwrap();
        let keyring = || {
            let mut keyring = Keyring::default();
            for party in ["kemenhaj", "imigrasi"] {
                let card = read(&format!("imigrasi/cards/{party}.card.amanah"));
                keyring.trust(VerifiedCard::verify(&card).unwrap());
            }
            keyring
        };
        let text = bundle_manifest(&folder.join("bundle.amanah")).unwrap();
        let template: Manifest = serde_json::from_slice(&text).unwrap();
        let agreement = read("imigrasi/agreements/pks-contoh.agreement.amanah");
        let agreement = AgreementFile::parse(&agreement).unwrap();
        let agreement = agreement.verify(&keyring(), template.created).unwrap();
        let own = template.to.clone();
        Self {
            before: Policy::new(own.clone(), keyring(), Vec::new(), Vec::new()),
            after: Policy::new(own, keyring(), vec![agreement], Vec::new()),
            template,
        }
    }

    /// When the receiver's clock stands at the beginning.
    pub(super) fn noon(&self) -> UtcTime {
        self.template.created
    }

    /// The manifest at this place of the stream, and its digest.
    pub(super) fn manifest(
        &self,
        place: (u64, Option<Digest>),
        bundle: u8,
        fault: Fault,
    ) -> (Manifest, Digest) {
        let mut manifest = self.template.clone();
        let (sequence, previous) = place;
        manifest.bundle = BundleId::new_v7(1_790_000_000_000, [bundle; 10]);
        manifest.sequence = Sequence::try_from(sequence).unwrap();
        manifest.previous = previous;
        match fault {
            Fault::Purpose => manifest.purpose = "LAIN".to_owned(),
            Fault::Early => manifest.created = manifest.created.plus_secs(AHEAD_SECS),
            Fault::None | Fault::Contents => {}
        }
        let digest = Digest::of(&serde_json::to_vec(&manifest).unwrap());
        (manifest, digest)
    }
}
