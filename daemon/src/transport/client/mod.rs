//! Dialling a peer: SSH by russh, the host key pinned from its card, our transport key; one SFTP channel per lane, one
//! for pulling, one for `wait@amanah`. The peer's server is trusted with nothing: what it says is bounded and checked.

#[cfg(feature = "fuzzing")]
pub mod bare;
mod channel;
mod connect;
pub mod drop;
mod flight;
mod folders;
#[cfg(test)]
mod hostile_frames;
#[cfg(test)]
mod hostile_server;
mod pace;
mod pull;
mod push;

use std::time::Duration;

use amanah_format::signature::PublicKey;

use self::channel::{Sftp, WAIT_SECS_MAX};
use self::connect::{Ended, LoggedIn};
pub use self::folders::Folders;
use self::pace::{Direction, Pace};
use super::classes::CLASSES;
use super::link::{LaneChannel, Link, LinkError, Offer, Upload, WireName};
use super::socket::Cutter;

/// How long a goodbye may take.
const GOODBYE_MAX: Duration = Duration::from_millis(200);

/// Whom to dial, and how.
#[derive(Clone)]
pub struct Dial {
    /// `host:port`.
    pub address: String,
    /// The SSH user: our party id, or what a blind drop calls us.
    pub user: String,
    /// Our transport key (OpenSSH text).
    pub key: zeroize::Zeroizing<String>,
    /// Transport keys of the peer's card that are valid now, or the drop's key.
    pub host_keys: Vec<PublicKey>,
    /// Whether ML-KEM is a must.
    pub post_quantum: PostQuantum,
    /// For each of the three steps: TCP, SSH up to the login, the channels.
    pub connect_timeout: Duration,
}

/// Whether a session without ML-KEM is acceptable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PostQuantum {
    /// ML-KEM where the peer has it, else curve25519.
    Preferred,
    /// No connection without it.
    Required,
}

/// A live SSH connection with its SFTP channels. Dropping it ends the connection.
pub struct SshLink {
    handle: russh::client::Handle<connect::Dialler>,
    urgent: Sftp,
    normal: Sftp,
    bulk: Sftp,
    pulling: Sftp,
    waiting: Sftp,
    /// Those of the three lanes, and of the classes that are fetched.
    pushed: [Pace; 3],
    pulled: [Pace; CLASSES],
    cutter: Cutter,
    ended: Ended,
}

impl SshLink {
    /// Dials, authenticates, opens the channels.
    ///
    /// # Errors
    /// `HostKey` and `Auth` when one side does not know the other, `Local` for our own key, else `Broken`.
    pub async fn connect(dial: Dial) -> Result<Self, LinkError> {
        Self::open(dial, Folders::of_a_daemon()).await
    }

    async fn open(dial: Dial, folders: Folders) -> Result<Self, LinkError> {
        let LoggedIn {
            handle,
            cutter,
            ended,
        } = connect::session(&dial).await?;
        let (urgent, normal, bulk, pulling, waiting) = {
            let open = || channel::open(&handle, folders.clone());
            let channels = async { tokio::try_join!(open(), open(), open(), open(), open()) };
            connect::within(dial.connect_timeout, "opening the channels", channels).await??
        };
        Ok(Self {
            handle,
            urgent,
            normal,
            bulk,
            pulling,
            waiting,
            pushed: Direction::paces(),
            pulled: Direction::paces(),
            cutter,
            ended,
        })
    }

    /// Whether the one who answers at the address has the peer's host key; nothing else is asked, and our own key is
    /// not needed.
    ///
    /// # Errors
    /// `HostKey` for another key, `Broken` when nobody answers in time as SSH does.
    pub async fn look(dial: Dial) -> Result<(), LinkError> {
        connect::host_key(&dial).await
    }

    fn lane(&self, lane: LaneChannel) -> &Sftp {
        match lane {
            LaneChannel::Urgent => &self.urgent,
            LaneChannel::Normal => &self.normal,
            LaneChannel::Bulk => &self.bulk,
        }
    }

    fn pace(&self, lane: LaneChannel) -> &Pace {
        let [urgent, normal, bulk] = &self.pushed;
        match lane {
            LaneChannel::Urgent => urgent,
            LaneChannel::Normal => normal,
            LaneChannel::Bulk => bulk,
        }
    }
}

impl Link for SshLink {
    async fn prefix(&self, lane: LaneChannel, name: WireName) -> Result<u64, LinkError> {
        self.lane(lane).prefix(name).await
    }

    async fn put(
        &self,
        lane: LaneChannel,
        name: WireName,
        upload: Upload,
    ) -> Result<(), LinkError> {
        push::put((self.lane(lane), self.pace(lane)), name, &upload).await
    }

    async fn hand_over(&self, lane: LaneChannel, name: WireName) -> Result<(), LinkError> {
        self.lane(lane).hand_over(name).await
    }

    async fn offers(&self) -> Result<Vec<Offer>, LinkError> {
        pull::offers(&self.pulling).await
    }

    async fn get(
        &self,
        name: WireName,
        offset: u64,
        into: &mut (dyn FnMut(u64, &[u8]) -> std::io::Result<()> + Send),
    ) -> Result<(), LinkError> {
        pull::get((&self.pulling, &self.pulled), name, offset, into).await
    }

    async fn taken(&self, name: WireName) -> Result<(), LinkError> {
        self.pulling.taken(name).await
    }

    async fn wait(&self, timeout: Duration) -> Result<(), LinkError> {
        if self.waiting.has_wait() {
            // Whole seconds, rounded up: less than one must not become none.
            let whole = timeout
                .as_secs()
                .saturating_add(u64::from(timeout.subsec_nanos() > 0));
            let seconds = u32::try_from(whole)
                .unwrap_or(WAIT_SECS_MAX)
                .min(WAIT_SECS_MAX);
            return self.waiting.wait(seconds).await;
        }
        tokio::select! {
            () = tokio::time::sleep(timeout) => Ok(()),
            ended = self.ended() => Err(ended),
        }
    }

    async fn ended(&self) -> LinkError {
        self.ended.wait().await;
        LinkError::Broken("ended by the peer or on the way".to_owned())
    }

    async fn close(&self) {
        let goodbye = async {
            // It may have ended already: that is what was wanted.
            let _told = self
                .handle
                .disconnect(russh::Disconnect::ByApplication, "", "en")
                .await;
            self.ended.wait().await;
        };
        // A session that is stuck takes no goodbye.
        let _said = tokio::time::timeout(GOODBYE_MAX, goodbye).await;
        self.cutter.cut();
    }
}
