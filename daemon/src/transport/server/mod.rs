//! Being dialled: our own accept loop over russh (limits before and after authentication), and the SFTP subsystem over the virtual tree
//! `/incoming` (write only) and `/outgoing` (read only) of the authenticated peer. Nothing else exists: no shell, exec, forwarding, other
//! paths, links, attributes. FORMAT.md §16.

mod accept;
#[cfg(feature = "fuzzing")]
pub mod bare;
mod framing;
mod inlet;
mod network;
mod newcomers;
mod penalties;
mod session;
mod tree;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use amanah_format::id::PartyId;
use russh::keys::{Algorithm, PrivateKey};
use russh::{MethodKind, MethodSet};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

pub use network::Network;

use super::algorithms;
use super::client::PostQuantum;
use super::link::Exchange;

/// Every refused key costs its sender this long, whatever the reason.
const REFUSAL_TIME: Duration = Duration::from_secs(1);
/// Keys that a client may try: it has one.
const LOGIN_ATTEMPTS_MAX: usize = 3;
/// Messages between the session and a channel's `inlet`, which is where they wait: enough to keep both busy.
const CHANNEL_MESSAGES_MAX: usize = 16;
/// How long `stop` waits for calls into the stages that are under way.
const STOP_TIME: Duration = Duration::from_secs(3);

/// Where and for whom to listen.
pub struct Listen {
    /// Port 0 takes a free one.
    pub address: SocketAddr,
    /// Only these networks are served (CIDR): others are closed at once. None: nobody is.
    pub networks: Vec<Network>,
    /// Our transport key (OpenSSH text): the host key.
    pub host_key: zeroize::Zeroizing<String>,
    /// Whether a session without ML-KEM is acceptable.
    pub post_quantum: PostQuantum,
    /// The bounds.
    pub limits: Limits,
}

/// Bounds of the server, each with its reason.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections that have logged in: bounds memory and descriptors.
    pub connections_max: usize,
    /// Connections beside them that have not: bounds what strangers cost. Beyond it the oldest goes, not the newest.
    pub unauthenticated_max: usize,
    /// The same for one address: a peer needs one, and some more while the loss of the first is not noticed.
    pub unauthenticated_per_address_max: usize,
    /// Seconds until a connection must have logged in.
    pub login_grace_secs: u64,
    /// Connections of one peer: it needs one, and one more while the loss of the first is not noticed. The others' places stay.
    pub connections_per_peer_max: usize,
    /// SFTP channels of one connection: our client opens five.
    /// With the two bounds beside it, one peer can hold 512 descriptors, an eighth of what the unit file grants.
    pub channels_per_connection_max: usize,
    /// Open files and listings of one channel: a client needs one or two.
    pub handles_per_channel_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 256,
            unauthenticated_max: 128,
            unauthenticated_per_address_max: 8,
            login_grace_secs: 20,
            connections_per_peer_max: 8,
            channels_per_connection_max: 8,
            handles_per_channel_max: 8,
        }
    }
}

/// A running server. Dropping it stops it too, without waiting.
pub struct Server {
    /// The bound address (port 0 resolved).
    pub address: SocketAddr,
    config: Shown,
    post_quantum: PostQuantum,
    connected: Connected,
    stopping: watch::Sender<bool>,
    accepting: JoinHandle<()>,
    /// Ends when the last connection and channel have let go of their sender.
    drained: mpsc::Receiver<()>,
}

impl Server {
    /// Binds and serves until `stop` is called or the value is dropped.
    ///
    /// # Errors
    /// The host key cannot be used, or the address cannot be bound.
    pub async fn start(listen: Listen, exchange: Arc<dyn Exchange>) -> Result<Self, io::Error> {
        let config = Arc::new(configuration(&listen.host_key, listen.post_quantum)?);
        let config = Arc::new(RwLock::new(config));
        let listener = TcpListener::bind(listen.address).await?;
        let address = listener.local_addr()?;
        let connected = Connected::default();
        let (stopping, stop) = watch::channel(false);
        let (alive, drained) = mpsc::channel(1);
        let door = accept::Door::new(accept::Parts {
            config: Arc::clone(&config),
            exchange,
            networks: listen.networks,
            limits: listen.limits,
            connected: connected.clone(),
            stop,
            alive,
        });
        let accepting = tokio::spawn(door.accept(listener));
        Ok(Self {
            address,
            config,
            post_quantum: listen.post_quantum,
            connected,
            stopping,
            accepting,
            drained,
        })
    }

    /// Stops accepting and ends the connections; returns when no call into `Exchange` is under way, or after 3 s.
    pub async fn stop(mut self) {
        self.stopping.send_replace(true);
        let quiet = async {
            // The loop ends with its connections; a panic in it is reported where it happened.
            let _ended = (&mut self.accepting).await;
            while self.drained.recv().await.is_some() {}
        };
        if tokio::time::timeout(STOP_TIME, quiet).await.is_err() {
            tracing::warn!("stopped listening while a peer's request is still under way");
        }
    }

    /// Shows another host key (OpenSSH text) to those that connect from now on.
    ///
    /// # Errors
    /// The key cannot be used; the old one stays.
    pub fn show(&self, host_key: &str) -> Result<(), io::Error> {
        let config = Arc::new(configuration(host_key, self.post_quantum)?);
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// Connected peers, for the status.
    #[must_use]
    pub fn connected(&self) -> Vec<(PartyId, SocketAddr)> {
        self.connected.list()
    }
}

/// What those that connect are met with; the host key may change.
type Shown = Arc<RwLock<Arc<russh::server::Config>>>;

/// Who is logged in.
#[derive(Clone, Default)]
struct Connected(Arc<Mutex<BTreeMap<u64, (PartyId, SocketAddr)>>>);

/// A line in that list, for as long as it lives.
struct Presence {
    list: Connected,
    number: u64,
}

impl Connected {
    /// None: the peer has `max` connections already.
    fn enter(&self, peer: PartyId, from: SocketAddr, max: usize) -> Option<Presence> {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if list.values().filter(|(known, _)| *known == peer).count() >= max {
            return None;
        }
        let number = list
            .last_key_value()
            .map_or(0, |(last, _)| last.saturating_add(1));
        list.insert(number, (peer, from));
        Some(Presence {
            list: self.clone(),
            number,
        })
    }

    fn list(&self) -> Vec<(PartyId, SocketAddr)> {
        let list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.values().cloned().collect()
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let mut list = self.list.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.remove(&self.number);
    }
}

/// russh's defaults are not those of a hardened server: all that matters is said here.
fn configuration(
    host_key: &str,
    post_quantum: PostQuantum,
) -> Result<russh::server::Config, io::Error> {
    let key = PrivateKey::from_openssh(host_key).map_err(|error| unusable(&error.to_string()))?;
    if key.algorithm() != Algorithm::Ed25519 || key.is_encrypted() {
        return Err(unusable("not an unencrypted Ed25519 key"));
    }
    Ok(russh::server::Config {
        server_id: algorithms::identification(),
        methods: MethodSet::from(&[MethodKind::PublicKey][..]),
        auth_rejection_time: REFUSAL_TIME,
        // OpenSSH asks for the list of methods in this way before it tries one.
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys: vec![key],
        window_size: algorithms::WINDOW_BYTES,
        maximum_packet_size: algorithms::PACKET_BYTES_MAX,
        channel_buffer_size: CHANNEL_MESSAGES_MAX,
        preferred: algorithms::preferred(post_quantum),
        max_auth_attempts: LOGIN_ATTEMPTS_MAX,
        inactivity_timeout: Some(algorithms::INACTIVITY_MAX),
        keepalive_interval: Some(algorithms::KEEPALIVE),
        keepalive_max: algorithms::KEEPALIVES_MAX,
        nodelay: true,
        ..russh::server::Config::default()
    })
}

fn unusable(why: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("the host key cannot be used: {why}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_peer_does_not_take_the_places_of_the_others() {
        let list = Connected::default();
        let from = SocketAddr::from(([10, 8, 0, 2], 9));
        let enter = |peer: &str| list.enter(peer.parse().unwrap(), from, 2);
        let (first, second) = (enter("imigrasi"), enter("imigrasi"));
        assert!(first.is_some() && second.is_some() && enter("imigrasi").is_none());
        assert!(enter("bpkh").is_some());
        drop(first);
        assert!(enter("imigrasi").is_some());
    }
}
