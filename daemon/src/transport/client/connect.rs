//! From an address to a session that has logged in.
//! The host key is compared with the peer's card before our key is shown. Each step has a time limit, and every channel
//! that the server tries to open towards us is refused.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use amanah_format::signature::PublicKey;
use russh::Channel;
use russh::client::{self, AuthResult, ChannelOpenHandle, Handle, Handler, Msg, Session};
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::Dial;
use crate::transport::algorithms;
use crate::transport::host_key::{Mismatch, pinned};
use crate::transport::link::LinkError;
use crate::transport::socket::Cutter;

/// What the session asks us while it lives: only whether the host is the peer. It opens no channels towards us; the
/// library would accept them.
pub(super) struct Dialler {
    pins: Vec<PublicKey>,
    /// Why the host is not the peer.
    mismatch: Arc<Mutex<Option<Mismatch>>>,
    /// Goes with the session's task, and tells by it.
    _lives: watch::Sender<()>,
}

/// A session that has logged in.
pub(super) struct LoggedIn {
    pub(super) handle: Handle<Dialler>,
    pub(super) cutter: Cutter,
    pub(super) ended: Ended,
}

/// Knows when the session's task has ended.
pub(super) struct Ended(watch::Receiver<()>);

impl Ended {
    pub(super) async fn wait(&self) {
        // Nothing is ever sent: the only change is the sender's end.
        while self.0.clone().changed().await.is_ok() {}
    }
}

/// Dials, checks the host key, logs in.
pub(super) async fn session(dial: &Dial) -> Result<LoggedIn, LinkError> {
    let key = private_key(dial)?;
    let stream = within(
        dial.connect_timeout,
        "connecting",
        TcpStream::connect(&dial.address),
    )
    .await?;
    let stream = stream.map_err(|error| broken(&dial.address, error))?;
    stream
        .set_nodelay(true)
        .map_err(|error| broken(&dial.address, error))?;
    let cutter = Cutter::of(&stream)?;
    let login = async {
        let (mut handle, ended) = greet(dial, stream).await?;
        log_in(dial, &mut handle, key).await?;
        Ok::<_, LinkError>((handle, ended))
    };
    let (handle, ended) = within(dial.connect_timeout, "logging in", login).await??;
    Ok(LoggedIn {
        handle,
        cutter,
        ended,
    })
}

/// Dials and compares the host key, and goes before any of our keys is shown.
pub(super) async fn host_key(dial: &Dial) -> Result<(), LinkError> {
    let look = async {
        let stream = TcpStream::connect(&dial.address).await;
        let stream = stream.map_err(|error| broken(&dial.address, error))?;
        let (handle, _ended) = greet(dial, stream).await?;
        // It may have ended already: that is what was wanted.
        let _told = handle
            .disconnect(russh::Disconnect::ByApplication, "", "en")
            .await;
        Ok(())
    };
    within(dial.connect_timeout, "looking at the host key", look).await?
}

/// An error when it takes longer.
pub(super) async fn within<F: Future>(
    limit: Duration,
    step: &str,
    work: F,
) -> Result<F::Output, LinkError> {
    let done = tokio::time::timeout(limit, work).await;
    done.map_err(|_| LinkError::Broken(format!("{step} took longer than {} s", limit.as_secs())))
}

fn broken(address: &str, error: impl std::fmt::Display) -> LinkError {
    LinkError::Broken(format!("{address}: {error}"))
}

fn private_key(dial: &Dial) -> Result<Arc<PrivateKey>, LinkError> {
    let unusable = |why: String| {
        let text = format!("our transport key cannot be used: {why}");
        LinkError::Local(std::io::Error::new(std::io::ErrorKind::InvalidInput, text))
    };
    let key =
        PrivateKey::from_openssh(dial.key.as_str()).map_err(|error| unusable(error.to_string()))?;
    if key.algorithm() != russh::keys::Algorithm::Ed25519 || key.is_encrypted() {
        return Err(unusable("not an unencrypted Ed25519 key".to_owned()));
    }
    Ok(Arc::new(key))
}

/// Key exchange and host key.
async fn greet(dial: &Dial, stream: TcpStream) -> Result<(Handle<Dialler>, Ended), LinkError> {
    let mismatch = Arc::default();
    let (lives, ended) = watch::channel(());
    let dialler = Dialler {
        pins: dial.host_keys.clone(),
        mismatch: Arc::clone(&mismatch),
        _lives: lives,
    };
    let greeted = client::connect_stream(Arc::new(configuration(dial)), stream, dialler).await;
    let greeted = greeted.map_err(|error| {
        let mismatch = mismatch
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        mismatch.map_or_else(
            || broken(&dial.address, error),
            |Mismatch { found, expected }| LinkError::HostKey {
                address: dial.address.clone(),
                found,
                expected,
            },
        )
    });
    Ok((greeted?, Ended(ended)))
}

async fn log_in(
    dial: &Dial,
    handle: &mut Handle<Dialler>,
    key: Arc<PrivateKey>,
) -> Result<(), LinkError> {
    let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
    let key = PrivateKeyWithHashAlg::new(key, None);
    match handle.authenticate_publickey(&dial.user, key).await {
        Ok(AuthResult::Success) => Ok(()),
        Ok(AuthResult::Failure { .. }) => Err(LinkError::Auth { fingerprint }),
        Err(error) => Err(broken(&dial.address, error)),
    }
}

fn configuration(dial: &Dial) -> client::Config {
    client::Config {
        client_id: algorithms::identification(),
        window_size: algorithms::WINDOW_BYTES,
        maximum_packet_size: algorithms::PACKET_BYTES_MAX,
        channel_buffer_size: algorithms::CHANNEL_MESSAGES_MAX,
        preferred: algorithms::preferred(dial.post_quantum),
        inactivity_timeout: Some(algorithms::INACTIVITY_MAX),
        keepalive_interval: Some(algorithms::KEEPALIVE),
        keepalive_max: algorithms::KEEPALIVES_MAX,
        nodelay: true,
        ..client::Config::default()
    }
}

impl Handler for Dialler {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        let found = pinned(shown, &self.pins).err();
        let known = found.is_none();
        *self.mismatch.lock().unwrap_or_else(PoisonError::into_inner) = found;
        Ok(known)
    }

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        _channel: Channel<Msg>,
        _address: &str,
        _port: u32,
        _originator: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        // Dropped without an answer, a handle refuses.
        drop(reply);
        Ok(())
    }

    async fn server_channel_open_forwarded_streamlocal(
        &mut self,
        _channel: Channel<Msg>,
        _path: &str,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        drop(reply);
        Ok(())
    }

    async fn server_channel_open_agent_forward(
        &mut self,
        _channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        drop(reply);
        Ok(())
    }

    async fn server_channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        drop(reply);
        Ok(())
    }

    async fn server_channel_open_direct_tcpip(
        &mut self,
        _channel: Channel<Msg>,
        _host: &str,
        _port: u32,
        _originator: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        drop(reply);
        Ok(())
    }

    async fn server_channel_open_direct_streamlocal(
        &mut self,
        _channel: Channel<Msg>,
        _path: &str,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        drop(reply);
        Ok(())
    }

    async fn server_channel_open_x11(
        &mut self,
        _channel: Channel<Msg>,
        _originator: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        drop(reply);
        Ok(())
    }
}
