//! Somebody who holds a ministry's transport key and pushes what the daemon never would. It speaks through our own SSH
//! client, so whatever is refused is refused by the other side, and by nothing on the way.

use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use amanah_format::card::VerifiedCard;
use amanah_format::digest::Digest;
use amanah_format::home;
use amanahd::clock::Clock;
use amanahd::transport::client::{Dial, PostQuantum, SshLink};
use amanahd::transport::link::{LaneChannel, Link, LinkError, Upload, WireName};
use anyhow::{Context, Result};
use tokio::runtime::Runtime;
use tokio::time::timeout;

use super::ministry::Ministry;

/// Longest wait for any single answer.
const ANSWER: Duration = Duration::from_secs(30);
/// Which channel it uses.
const LANE: LaneChannel = LaneChannel::Normal;

/// A connection made with stolen keys.
pub struct Intruder {
    runtime: Runtime,
    link: SshLink,
}

/// What the other side said to a hand-over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Taken over, or known already.
    Taken,
    /// Turned away, with the code.
    Denied(String),
}

impl Intruder {
    /// Connects to `address` with the keys of `victim`, as the victim's peer would see it.
    ///
    /// # Errors
    /// The keys cannot be read, or it does not connect.
    pub fn connect(victim: &Ministry, address: SocketAddr, peer: &VerifiedCard) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let now = Clock::default().now();
        let host_keys = peer.card().keys.transport.iter().filter(|key| key.at(now));
        let dial = Dial {
            address: address.to_string(),
            user: victim.party().to_string(),
            key: std::fs::read_to_string(victim.folder().join(home::KEY_TRANSPORT))?.into(),
            host_keys: host_keys.map(|key| key.key).collect(),
            post_quantum: PostQuantum::Preferred,
            connect_timeout: ANSWER,
        };
        let link = runtime.block_on(SshLink::connect(dial))?;
        Ok(Self { runtime, link })
    }

    /// Pushes these bytes as the bundle of this name, and hands them over.
    ///
    /// # Errors
    /// The connection breaks.
    pub fn push(&self, manifest: Digest, bytes: &[u8]) -> Result<Answer> {
        self.push_as(WireName::Bundle(manifest), bytes)
    }

    /// Pushes these bytes under any name that the wire has, and hands them over.
    ///
    /// # Errors
    /// The connection breaks.
    pub fn push_as(&self, name: WireName, bytes: &[u8]) -> Result<Answer> {
        let mut file = tempfile::tempfile()?;
        file.write_all(bytes)?;
        let pushed = self
            .runtime
            .block_on(async { timeout(ANSWER, self.hand_over(name, Arc::new(file))).await });
        match pushed.context("no answer to a hand-over")? {
            Ok(()) => Ok(Answer::Taken),
            Err(LinkError::Denied { code, message }) => Ok(Answer::Denied(code.unwrap_or(message))),
            Err(error) => Err(error.into()),
        }
    }

    async fn hand_over(&self, name: WireName, file: Arc<File>) -> Result<(), LinkError> {
        let upload = Upload {
            source: file,
            offset: 0,
            sent: Arc::new(AtomicU64::new(0)),
        };
        self.link.put(LANE, name, upload).await?;
        self.link.hand_over(LANE, name).await
    }

    /// Waits for the receipt of this bundle among what the other side offers; the exact bytes.
    ///
    /// # Errors
    /// None is offered in time.
    pub fn receipt(&self, manifest: Digest) -> Result<Vec<u8>> {
        let name = WireName::Receipt(manifest);
        let waited = self.runtime.block_on(async {
            timeout(ANSWER, async {
                while !self.offers(name).await? {
                    self.link.wait(ANSWER).await?;
                }
                let mut receipt = Vec::new();
                let mut take = |_: u64, bytes: &[u8]| receipt.write_all(bytes);
                self.link.get(name, 0, &mut take).await?;
                Ok::<_, LinkError>(receipt)
            })
            .await
        });
        Ok(waited.context("no receipt was offered")??)
    }

    /// Says that the receipt of this bundle is durable here.
    ///
    /// # Errors
    /// The connection breaks, or it is not offered.
    pub fn take(&self, manifest: Digest) -> Result<()> {
        let name = WireName::Receipt(manifest);
        let taken = self
            .runtime
            .block_on(async { timeout(ANSWER, self.link.taken(name)).await });
        Ok(taken.context("no answer")??)
    }

    /// Whether a receipt of this bundle is offered now.
    ///
    /// # Errors
    /// The connection breaks.
    pub fn is_receipt_offered(&self, manifest: Digest) -> Result<bool> {
        let offered = self
            .runtime
            .block_on(async { timeout(ANSWER, self.offers(WireName::Receipt(manifest))).await });
        Ok(offered.context("no list of offers")??)
    }

    /// The slips that the other side offers, as they are.
    ///
    /// # Errors
    /// The connection breaks.
    pub fn slips(&self) -> Result<Vec<Vec<u8>>> {
        let fetched = self.runtime.block_on(async {
            timeout(ANSWER, async {
                let mut slips = Vec::new();
                for offer in self.link.offers().await? {
                    if matches!(offer.name, WireName::Slip(_)) {
                        let mut slip = Vec::new();
                        let mut take = |_: u64, bytes: &[u8]| slip.write_all(bytes);
                        self.link.get(offer.name, 0, &mut take).await?;
                        slips.push(slip);
                    }
                }
                Ok::<_, LinkError>(slips)
            })
            .await
        });
        Ok(fetched.context("no list of offers")??)
    }

    async fn offers(&self, name: WireName) -> Result<bool, LinkError> {
        Ok(self
            .link
            .offers()
            .await?
            .iter()
            .any(|offer| offer.name == name))
    }
}

impl Drop for Intruder {
    fn drop(&mut self) {
        // The connection goes with the runtime in any case: this only spares the other side a line in its log.
        let _ = self
            .runtime
            .block_on(async { timeout(Duration::from_secs(1), self.link.close()).await });
    }
}
