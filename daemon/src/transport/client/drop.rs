//! Dialling a blind drop: a stock OpenSSH server with two folders, its host key pinned in our configuration. Only plain SFTP is
//! asked of it. What it says is believed nowhere: a length there is not a durable one, a name there not a promise.

use std::time::Duration;

use super::folders::{Folders, PART};
use super::{Dial, SshLink, pull};
use crate::transport::link::{
    BlindLink, LaneChannel, Left, Link, LinkError, Offer, Upload, WireName,
};

/// The end of an unfinished file that is sent again: what a server's crash may have left unwritten, or written as zeros.
const DOUBTED_BYTES: u64 = 1 << 20;

/// A live connection to a drop. Dropping it ends the connection.
pub struct DropLink(SshLink);

impl DropLink {
    /// Dials, authenticates, opens the channels.
    ///
    /// # Errors
    /// As [`SshLink::connect`].
    pub async fn connect(dial: Dial, folders: Folders) -> Result<Self, LinkError> {
        SshLink::open(dial, folders).await.map(Self)
    }
}

impl Link for DropLink {
    const DIRECT: bool = false;

    async fn prefix(&self, lane: LaneChannel, name: WireName) -> Result<u64, LinkError> {
        let bytes = self.0.lane(lane).prefix(name).await?;
        Ok(bytes.saturating_sub(DOUBTED_BYTES))
    }

    async fn put(
        &self,
        lane: LaneChannel,
        name: WireName,
        upload: Upload,
    ) -> Result<(), LinkError> {
        if upload.offset == 0 {
            // What lies there may be longer than ours.
            let sftp = self.0.lane(lane);
            or_gone(sftp.remove(sftp.folders.part(name)).await)?;
        }
        self.0.put(lane, name, upload).await
    }

    async fn hand_over(&self, lane: LaneChannel, name: WireName) -> Result<(), LinkError> {
        let sftp = self.0.lane(lane);
        if !sftp.replaces() {
            or_gone(sftp.remove(sftp.folders.whole(name)).await)?;
        }
        sftp.hand_over(name).await
    }

    async fn offers(&self) -> Result<Vec<Offer>, LinkError> {
        let (sftp, mut offers) = (&self.0.pulling, Vec::new());
        pull::list(sftp, &sftp.folders.get, &mut |found, bytes| {
            // The peer's unfinished files and whatever else lies there is none of our business.
            if let (Some(name), Some(bytes)) = (WireName::parse(found), bytes) {
                offers.push(Offer { name, bytes });
            }
        })
        .await?;
        Ok(offers)
    }

    async fn get(
        &self,
        name: WireName,
        offset: u64,
        into: &mut (dyn FnMut(u64, &[u8]) -> std::io::Result<()> + Send),
    ) -> Result<(), LinkError> {
        self.0.get(name, offset, into).await
    }

    async fn taken(&self, name: WireName) -> Result<(), LinkError> {
        self.0.taken(name).await
    }

    /// There is nobody to ask: sleeps.
    async fn wait(&self, timeout: Duration) -> Result<(), LinkError> {
        tokio::time::sleep(timeout).await;
        Ok(())
    }

    async fn ended(&self) -> LinkError {
        self.0.ended().await
    }

    async fn close(&self) {
        self.0.close().await;
    }
}

impl BlindLink for DropLink {
    async fn left(&self) -> Result<Vec<Left>, LinkError> {
        let (sftp, mut left) = (&self.0.waiting, Vec::new());
        pull::list(sftp, &sftp.folders.put, &mut |found, bytes| {
            let stem = found.strip_suffix(PART);
            if let (Some(name), Some(bytes)) = (WireName::parse(stem.unwrap_or(found)), bytes) {
                left.push(Left {
                    name,
                    bytes,
                    handed_over: stem.is_none(),
                });
            }
        })
        .await?;
        Ok(left)
    }

    async fn withdraw(&self, left: Left) -> Result<(), LinkError> {
        let sftp = &self.0.waiting;
        let path = if left.handed_over {
            sftp.folders.whole(left.name)
        } else {
            sftp.folders.part(left.name)
        };
        or_gone(sftp.remove(path).await)
    }
}

/// That it is not there is what was wanted.
fn or_gone(outcome: Result<(), LinkError>) -> Result<(), LinkError> {
    match outcome {
        Err(error) if error.is_gone() => Ok(()),
        other => other,
    }
}
