//! Forged bundles for the attacks: sealed as well as the sender itself could, but by another key, for another party, or in
//! another flow. Only what the attack is about is wrong, so that nothing else can be the reason of the refusal.

use amanah_format::container;
use amanah_format::contents::Binding;
use amanah_format::digest::Digest;
use amanah_format::document::{Document, Ext};
use amanah_format::entry_path::EntryPath;
use amanah_format::id::{BundleId, Epoch, FlowName, PartyId, Sequence};
use amanah_format::manifest::{AgreementRef, Manifest};
use amanah_format::recipient::Recipient;
use amanah_format::seal::{SealOptions, Sealed, Sealer};
use amanah_format::signature::{Purpose, SecretKey};
use amanahd::clock::Clock;
use anyhow::{Context, Result};

/// What a forged bundle carries.
const CONTENT: &[u8] = b"Serangan peragaan: tidak boleh pernah diimpor.\n";
/// The name of the file in it.
const NAME: &str = "serangan.txt";
/// An epoch that no honest sender of the demo ever opens, so that no honest bundle is in the way.
const EPOCH: u64 = 7;
/// How long it claims to be good.
const EXPIRES_SECS: i64 = 86_400;

/// What a forged bundle claims.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Who it says that it is from.
    pub from: PartyId,
    /// For whom it says that it is.
    pub to: PartyId,
    /// In which flow.
    pub flow: FlowName,
    /// Under which agreement.
    pub agreement: AgreementRef,
    /// For what purpose.
    pub purpose: String,
    /// Who could read it.
    pub recipients: Vec<Recipient>,
}

/// A bundle as bytes, and its name on the wire.
pub struct Bundle {
    /// Digest of its manifest.
    pub manifest: Digest,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// Seals and signs what is claimed.
///
/// # Errors
/// No randomness, or a claim that no manifest could make.
pub fn forge(claim: &Claim, key: &SecretKey) -> Result<Bundle> {
    let mut random = [0_u8; 42];
    getrandom::fill(&mut random)?;
    let (salt, id) = random.split_first_chunk::<32>().context("32 of 42 bytes")?;
    let binding = Binding {
        bundle: BundleId::new_v7(Clock::default().unix_millis(), id.try_into()?),
        agreement: claim.agreement.digest,
        from: claim.from.clone(),
        to: claim.to.clone(),
        flow: claim.flow.clone(),
    };
    let mut sealer = Sealer::new(
        Vec::new(),
        &claim.recipients,
        SealOptions {
            level: 1,
            workers: 0,
        },
    )?;
    let path = EntryPath::parse(NAME.as_bytes())?;
    sealer.entry(&path, u64::try_from(CONTENT.len())?, &mut &*CONTENT)?;
    let sealed = sealer.finish(&binding, *salt)?;
    let manifest = manifest(claim, &binding, &sealed)?.to_bytes()?;
    let signature = key.sign(Purpose::Bundle, &manifest);
    let mut bytes = container::bundle_head(&manifest, &signature, sealed.payload.bytes)?;
    bytes.extend(&sealed.out);
    bytes.extend(container::bundle_tail(sealed.payload.bytes));
    Ok(Bundle {
        manifest: Digest::of(&manifest),
        bytes,
    })
}

fn manifest(claim: &Claim, binding: &Binding, sealed: &Sealed<Vec<u8>>) -> Result<Manifest> {
    let now = Clock::default().now();
    Ok(Manifest {
        format: Manifest::FORMAT.to_owned(),
        bundle: binding.bundle,
        agreement: claim.agreement.clone(),
        flow: claim.flow.clone(),
        purpose: claim.purpose.clone(),
        from: claim.from.clone(),
        to: claim.to.clone(),
        epoch: Epoch::try_from(EPOCH)?,
        sequence: Sequence::FIRST,
        previous: Some(Digest::of(CONTENT)),
        recipients: claim.recipients.iter().map(Recipient::digest).collect(),
        regarding: None,
        created: now,
        expires: now.plus_secs(EXPIRES_SECS),
        payload: sealed.payload,
        contents: sealed.contents,
        ext: Ext::default(),
        critical: Vec::new(),
    })
}

/// The same bundle with one bit of its payload turned over.
///
/// # Errors
/// It is shorter than its head.
pub fn flip_a_bit(mut bundle: Vec<u8>) -> Result<Vec<u8>> {
    let head = usize::try_from(amanah_format::limits::BUNDLE_HEAD_BYTES)?;
    let middle = head + bundle.len().saturating_sub(head) / 3;
    *bundle
        .get_mut(middle)
        .context("a bundle without a payload")? ^= 1;
    Ok(bundle)
}
