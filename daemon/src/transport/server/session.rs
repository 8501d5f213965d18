//! One SSH connection: who is calling, and what may be asked for. Public keys only; the SFTP subsystem only, once per
//! channel. Every other request is answered with a failure, so that no client waits for an answer that never comes.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use amanah_format::id::PartyId;
use russh::keys::PublicKey;
use russh::server::{
    Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey,
};
use russh::{Channel, ChannelId, ChannelMsg, ChannelOpenFailure, MethodKind, MethodSet, Pty};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

use super::accept::Parts;
use super::tree::{Tree, Visit};
use super::{Connected, Presence, framing, inlet};
use crate::event::Event;
use crate::transport::algorithms::SFTP_PACKET_BYTES_MAX;
use crate::transport::host_key;
use crate::transport::link::Exchange;

/// The one subsystem.
const SUBSYSTEM: &str = "sftp";
/// Of an unknown user's name, this much is logged.
const USER_CHARS_MAX: usize = 64;
/// Channels that a client may leave half closed before it gets no more, as a multiple of those that it may use.
const CHANNELS_UNCLOSED_FACTOR: usize = 4;

/// The caller of one connection.
pub(super) struct Caller {
    exchange: Arc<dyn Exchange>,
    from: SocketAddr,
    connected: Connected,
    connections_per_peer_max: usize,
    channels_max: usize,
    handles_max: usize,
    channels: Arc<Semaphore>,
    /// Channels that the client has not closed: whether their subsystem was asked for already.
    open: HashSet<ChannelId>,
    served: HashSet<ChannelId>,
    login: Option<oneshot::Sender<()>>,
    /// Whether a user or key was refused.
    refused: Arc<AtomicBool>,
    /// Who it is, from the moment that its signature was verified.
    peer: Option<PartyId>,
    visit: Option<Visit>,
    presence: Option<Presence>,
    stop: watch::Receiver<bool>,
    alive: mpsc::Sender<()>,
    told: Arc<OnceLock<Login>>,
}

/// By which name and key somebody logged in.
pub(super) type Login = (String, amanah_format::signature::PublicKey);

impl Caller {
    /// Nobody yet; `login` is told when it is somebody, and `refused` becomes true when it wished to be.
    pub(super) fn new(
        parts: &Parts,
        from: SocketAddr,
        (login, refused): (oneshot::Sender<()>, Arc<AtomicBool>),
    ) -> Self {
        Self {
            exchange: Arc::clone(&parts.exchange),
            from,
            connected: parts.connected.clone(),
            connections_per_peer_max: parts.limits.connections_per_peer_max,
            channels_max: parts.limits.channels_per_connection_max,
            handles_max: parts.limits.handles_per_channel_max,
            channels: Arc::new(Semaphore::new(parts.limits.channels_per_connection_max)),
            open: HashSet::new(),
            served: HashSet::new(),
            login: Some(login),
            refused,
            peer: None,
            visit: None,
            presence: None,
            stop: parts.stop.clone(),
            alive: parts.alive.clone(),
            told: Arc::default(),
        }
    }

    /// The same, that says there who it is as soon as it is known.
    pub(super) fn telling(self, told: Arc<OnceLock<Login>>) -> Self {
        Self { told, ..self }
    }

    /// Whose key this is, if it may connect under that name.
    fn known(&self, user: &str, key: &PublicKey) -> Option<PartyId> {
        let known = host_key::ed25519(key).and_then(|key| self.exchange.may_connect(user, &key));
        if known.is_none() {
            self.refused.store(true, Ordering::Relaxed);
            let key = key.fingerprint(russh::keys::HashAlg::Sha256);
            tracing::info!(event = Event::StrangerRefused.name(), from = %self.from, user = user.escape_debug().take(USER_CHARS_MAX).collect::<String>(), %key, "refused: unknown user or key");
        }
        known
    }

    /// A place for one more channel.
    fn place(&self) -> Option<OwnedSemaphorePermit> {
        let unclosed_max = self.channels_max.saturating_mul(CHANNELS_UNCLOSED_FACTOR);
        if self.open.len() >= unclosed_max {
            return None;
        }
        Arc::clone(&self.channels).try_acquire_owned().ok()
    }
}

fn refuse() -> Auth {
    // The method stays on offer: a client with two keys may try the second.
    Auth::Reject {
        proceed_with_methods: Some(MethodSet::from(&[MethodKind::PublicKey][..])),
        partial_success: false,
    }
}

/// Waits for the subsystem and serves it. The channel is read from its first message on: what nobody reads would block
/// the whole connection.
async fn serve(mut channel: Channel<Msg>, tree: Tree) {
    loop {
        match channel.wait().await {
            Some(ChannelMsg::RequestSubsystem { name, .. }) if name == SUBSYSTEM => break,
            None | Some(ChannelMsg::Eof | ChannelMsg::Close) => return,
            Some(_) => {}
        }
    }
    run(inlet::Piped::new(channel.into_stream()), tree).await;
}

/// Serves the tree on a stream, behind the guard of its framing.
pub(super) async fn run<S>(stream: S, tree: Tree)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let config = russh_sftp::server::Config {
        max_client_packet_len: SFTP_PACKET_BYTES_MAX,
    };
    russh_sftp::server::run_with_config(framing::Framed::new(stream), tree, config).await;
}

impl Handler for Caller {
    type Error = russh::Error;

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Self::Error> {
        let known = self.known(user, offer.public_key);
        Ok(known.map_or_else(refuse, |_| Auth::Accept))
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        self.peer = self.known(user, key.public_key);
        if let (Some(_), Some(key)) = (&self.peer, host_key::ed25519(key.public_key)) {
            // The first login is the only one: whoever is somebody is not asked again.
            let _first = self.told.set((user.to_owned(), key));
        }
        Ok(self.peer.as_ref().map_or_else(refuse, |_| Auth::Accept))
    }

    async fn auth_succeeded(&mut self, _session: &mut Session) -> Result<(), Self::Error> {
        let Some(peer) = self.peer.clone() else {
            return Err(russh::Error::NotAuthenticated);
        };
        tracing::info!(event = Event::Connected.name(), from = %self.from, %peer, "connected");
        let max = self.connections_per_peer_max;
        self.presence = self.connected.enter(peer.clone(), self.from, max);
        if self.presence.is_none() {
            tracing::warn!(from = %self.from, %peer, "closed: too many connections of this peer");
            return Err(russh::Error::Disconnect);
        }
        let bell = self.exchange.offers_bell(&peer);
        let listed = Arc::new(Mutex::new(bell.heard()));
        let stop = self.stop.clone();
        self.visit = Some(Visit {
            exchange: Arc::clone(&self.exchange),
            peer,
            bell,
            listed,
            stop,
        });
        if let Some(login) = self.login.take() {
            // Nobody listens any more when the server is stopping.
            let _told = login.send(());
        }
        Ok(())
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        let Some((visit, place)) = self.visit.clone().zip(self.place()) else {
            reply.reject(ChannelOpenFailure::ResourceShortage).await;
            return Ok(());
        };
        self.open.insert(channel.id());
        let tree = Tree::new(visit, self.handles_max, (place, self.alive.clone()));
        tokio::spawn(serve(channel, tree));
        reply.accept().await;
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        if name == SUBSYSTEM && self.served.insert(channel) {
            session.channel_success(channel)
        } else {
            session.channel_failure(channel)
        }
    }

    async fn channel_close(
        &mut self,
        channel: ChannelId,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.open.remove(&channel);
        self.served.remove(&channel);
        Ok(())
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _term: &str,
        _columns: u32,
        _rows: u32,
        _width: u32,
        _height: u32,
        _modes: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn x11_request(
        &mut self,
        channel: ChannelId,
        _single_connection: bool,
        _protocol: &str,
        _cookie: &str,
        _screen: u32,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        _value: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn shell_request(
        &mut self,
        channel: ChannelId,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        _command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }
}
