//! One peer of a hub: seals bundles of its stream one after the other, pushes them over the daemon's own client, and waits for
//! receipts, which it verifies and takes.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use amanah_format::container::{bundle_head, bundle_tail};
use amanah_format::contents::Binding;
use amanah_format::digest::Digest;
use amanah_format::document::{Document, Ext};
use amanah_format::entry_path::EntryPath;
use amanah_format::id::{BundleId, Epoch, Sequence};
use amanah_format::keyring::Keyring;
use amanah_format::manifest::Manifest;
use amanah_format::receipt::VerifiedReceipt;
use amanah_format::recipient::Recipient;
use amanah_format::seal::{SealOptions, Sealer};
use amanah_format::signature::Purpose;
use amanahd::clock::Clock;
use amanahd::transport::client::{Dial, PostQuantum, SshLink};
use amanahd::transport::link::{LaneChannel, Link, Upload, WireName};
use anyhow::{Context, Result, ensure};

use super::papers::{PURPOSE, Papers};

const CONNECT: Duration = Duration::from_secs(60);
/// A wait for the hub's bell.
const BELL: Duration = Duration::from_secs(10);
const DAY_SECS: i64 = 86_400;

/// A peer.
pub struct Peer {
    papers: Papers,
    /// The hub's card.
    keyring: Arc<Keyring>,
    address: SocketAddr,
    sealed: u64,
    previous: Option<Digest>,
}

/// A sealed bundle.
pub struct Bundle {
    /// Its manifest's.
    pub digest: Digest,
    upload: Upload,
}

impl Peer {
    pub(super) fn new(papers: Papers, (keyring, address): (Arc<Keyring>, SocketAddr)) -> Self {
        Self {
            papers,
            keyring,
            address,
            sealed: 0,
            previous: None,
        }
    }

    /// Dials the hub and logs in.
    ///
    /// # Errors
    /// It does not get in.
    pub async fn connect(&self) -> Result<SshLink> {
        let now = Clock::default().now();
        let dial = Dial {
            address: self.address.to_string(),
            user: self.papers.party.to_string(),
            key: self.papers.transport.to_openssh("uji"),
            host_keys: self.keyring.transport_keys(&self.papers.hub, now),
            post_quantum: PostQuantum::Preferred,
            connect_timeout: CONNECT,
        };
        let linked = SshLink::connect(dial).await;
        linked.with_context(|| self.papers.party.to_string())
    }

    /// The next bundle of its stream: so many files of so many bytes that nothing makes smaller.
    ///
    /// # Errors
    /// It cannot be sealed.
    pub fn seal(&mut self, files: u64, bytes: u64) -> Result<Bundle> {
        let (clock, papers) = (Clock::default(), &self.papers);
        let now = clock.now();
        let number = self.sealed + 1;
        let mut random = [0; 10];
        random[..8].copy_from_slice(&number.to_be_bytes());
        let binding = Binding {
            bundle: BundleId::new_v7(clock.unix_millis(), random),
            agreement: papers.agreement.digest,
            from: papers.party.clone(),
            to: papers.hub.clone(),
            flow: papers.flow.clone(),
        };
        let recipients = self.keyring.recipients(&papers.hub, now);
        let options = SealOptions {
            level: 1,
            workers: 0,
        };
        let mut sealer = Sealer::new(Vec::new(), &recipients, options)?;
        for file in 1..=files {
            let path = EntryPath::parse(format!("{file}.bin").as_bytes())?;
            let mut noise = std::fs::File::open("/dev/urandom")?.take(bytes);
            sealer.entry(&path, bytes, &mut noise)?;
        }
        let sealed = sealer.finish(&binding, [7; 32])?;
        let manifest = Manifest {
            format: Manifest::FORMAT.to_owned(),
            bundle: binding.bundle,
            agreement: papers.agreement.clone(),
            flow: papers.flow.clone(),
            purpose: PURPOSE.to_owned(),
            from: papers.party.clone(),
            to: papers.hub.clone(),
            epoch: Epoch::try_from(1)?,
            sequence: Sequence::try_from(number)?,
            previous: self.previous,
            recipients: recipients.iter().map(Recipient::digest).collect(),
            regarding: None,
            created: now,
            expires: now.plus_secs(DAY_SECS),
            payload: sealed.payload,
            contents: sealed.contents,
            ext: Ext::default(),
            critical: Vec::new(),
        };
        let text = manifest.to_bytes()?;
        let armour = papers.signing.sign(Purpose::Bundle, &text);
        let mut file = tempfile::tempfile()?;
        file.write_all(&bundle_head(&text, &armour, sealed.payload.bytes)?)?;
        file.write_all(&sealed.out)?;
        file.write_all(&bundle_tail(sealed.payload.bytes))?;
        self.sealed = number;
        self.previous = Some(Digest::of(&text));
        Ok(Bundle {
            digest: Digest::of(&text),
            upload: Upload {
                source: Arc::new(file),
                offset: 0,
                sent: Arc::new(AtomicU64::new(0)),
            },
        })
    }

    /// Waits for the receipts of all these, verifies and takes them.
    ///
    /// # Errors
    /// One is no receipt of the hub's for an import, or the connection broke.
    pub async fn receipts(&self, link: &SshLink, mut awaited: Vec<Digest>) -> Result<()> {
        loop {
            for offer in link.offers().await? {
                let WireName::Receipt(digest) = offer.name else {
                    continue;
                };
                let mut container = Vec::new();
                let mut into = |_, bytes: &[u8]| {
                    container.extend_from_slice(bytes);
                    Ok(())
                };
                link.get(offer.name, 0, &mut into).await?;
                let now = Clock::default().now();
                let receipt = VerifiedReceipt::verify(&container, &self.keyring, now)?;
                ensure!(
                    receipt.receipt().manifest == digest,
                    "a receipt for another bundle"
                );
                ensure!(
                    receipt.receipt().refusal.is_none(),
                    "{:?}",
                    receipt.receipt().refusal
                );
                link.taken(offer.name).await?;
                awaited.retain(|one| *one != digest);
            }
            if awaited.is_empty() {
                return Ok(());
            }
            link.wait(BELL).await?;
        }
    }
}

impl Bundle {
    /// Pushes it and hands it over.
    ///
    /// # Errors
    /// The hub does not take it.
    pub async fn push(&self, link: &SshLink, lane: LaneChannel) -> Result<()> {
        let name = WireName::Bundle(self.digest);
        link.put(lane, name, self.upload.clone()).await?;
        Ok(link.hand_over(lane, name).await?)
    }
}
