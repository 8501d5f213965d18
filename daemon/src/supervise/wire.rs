//! The connections: a task for each peer that we dial, the server where peers dial us.
//! Keys and cards are looked up at each attempt, so a reload needs no new task. A listener that cannot be opened stops
//! the start; a peer that is away never does.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use amanah_format::id::PartyId;
use amanah_format::keyring::Standing;
use amanah_format::signature::{PublicKey, SecretKey};
use tokio::task::JoinHandle;

use crate::config::checked::{Config, DropAt, Peer};
use crate::keys::OwnKeys;
use crate::stage::Node;
use crate::stage::blind::Blind;
use crate::stage::ship::Ship;
use crate::transport::client::drop::DropLink;
use crate::transport::client::{Dial, SshLink};
use crate::transport::link::{Exchange, LinkError};
use crate::transport::server::{Limits, Listen, Server};

use super::RunError;
use super::build::Parts;

/// A peer that does not answer within this time is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// What runs on the network.
pub(super) struct Wire {
    ships: Vec<JoinHandle<()>>,
    server: Option<Server>,
    transport: Arc<OwnKeys>,
    shown: std::sync::Mutex<Option<PublicKey>>,
    dialled_by: std::sync::Mutex<BTreeMap<PartyId, SocketAddr>>,
    metrics: Option<JoinHandle<()>>,
}

impl Wire {
    /// Listens, and starts dialling.
    pub(super) async fn start(config: &Config, parts: &Parts) -> Result<Self, RunError> {
        let server = match &config.listen {
            Some(listen) => {
                let listen = Listen {
                    address: listen.address,
                    networks: listen.networks.clone(),
                    host_key: text_of(first_key(&parts.node, &parts.transport)),
                    post_quantum: listen.post_quantum,
                    limits: Limits {
                        connections_max: usize::try_from(config.limits.connections_max)
                            .unwrap_or(usize::MAX),
                        ..Limits::default()
                    },
                };
                let address = listen.address;
                let door: Arc<dyn Exchange> = Arc::<crate::stage::door::Door>::clone(&parts.door);
                let server = Server::start(listen, door).await;
                let server = server
                    .map_err(|error| RunError::Start(format!("listening on {address}: {error}")))?;
                tracing::info!(address = %server.address, "listening");
                Some(server)
            }
            None => None,
        };
        let ships = config
            .peers
            .iter()
            .filter_map(|peer| match (&peer.drop, &peer.dial) {
                (Some(at), _) => Some(leave(parts, peer, at.clone())),
                (None, Some(address)) => Some(ship(parts, config, peer, address.clone())),
                (None, None) => None,
            });
        Ok(Self {
            ships: ships.collect(),
            server,
            transport: Arc::clone(&parts.transport),
            shown: std::sync::Mutex::default(),
            dialled_by: std::sync::Mutex::default(),
            metrics: show_metrics(config, parts).await?,
        })
    }

    /// Tells the board who has dialled us, and who has gone.
    pub(super) fn note_connected(&self, node: &Node) {
        let Some(server) = &self.server else { return };
        let now_here: BTreeMap<PartyId, SocketAddr> = server.connected().into_iter().collect();
        let mut before = self
            .dialled_by
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        for (peer, address) in &now_here {
            if !before.contains_key(peer) {
                node.board
                    .connected(peer, address.to_string(), node.clock.now());
                node.gates.connected(peer, true);
                node.bells.streams.ring();
                node.bells.publish.ring();
            }
        }
        for peer in before.keys().filter(|peer| !now_here.contains_key(*peer)) {
            node.board.disconnected(peer, None, node.clock.now(), None);
            node.gates.unreachable(peer);
            node.bells.publish.ring();
        }
        *before = now_here;
    }

    /// Shows the host key that our card says for now to whoever connects from now on.
    pub(super) fn show_current_key(&self, node: &Node) {
        let Some(server) = &self.server else { return };
        let key = first_key(node, &self.transport);
        let mut shown = self
            .shown
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if *shown != Some(key.public()) {
            match server.show(&text_of(key)) {
                Ok(()) => *shown = Some(key.public()),
                Err(error) => tracing::error!("the host key cannot be shown: {error}"),
            }
        }
    }

    /// Ends the connections; the loops have been told to stop.
    pub(super) async fn stop(self, deadline: Instant) {
        if let Some(server) = self.server {
            let left = deadline.saturating_duration_since(Instant::now());
            if tokio::time::timeout(left, server.stop()).await.is_err() {
                tracing::warn!("connections were cut");
            }
        }
        if let Some(metrics) = self.metrics {
            metrics.abort();
        }
        for ship in self.ships {
            let left = deadline.saturating_duration_since(Instant::now());
            let abort = ship.abort_handle();
            if tokio::time::timeout(left, ship).await.is_err() {
                abort.abort();
            }
        }
    }
}

/// Our transport key for now.
fn first_key<'a>(node: &Node, keys: &'a OwnKeys) -> &'a SecretKey {
    keys.first_of(&transport_order(node))
}

fn transport_order(node: &Node) -> Vec<PublicKey> {
    let policy = node.rules.now();
    let now = node.clock.now();
    policy
        .keyring()
        .use_order(policy.own(), now, Standing::Transport)
}

fn text_of(key: &SecretKey) -> zeroize::Zeroizing<String> {
    key.to_openssh("transport")
}

/// Dials with one of our keys after the other, as our card orders them for now: a peer that has not taken our newer card knows
/// the old one only, a peer that knows of its end the new one only. At last with one that we have revoked: a peer that still
/// takes it has to hear of that.
async fn with_each_key<L, F>(
    node: &Node,
    keys: &OwnKeys,
    connect: impl Fn(zeroize::Zeroizing<String>) -> F,
) -> Result<L, LinkError>
where
    F: Future<Output = Result<L, LinkError>>,
{
    let order = transport_order(node);
    let first = first_key(node, keys);
    let mut others: Vec<_> = keys
        .all()
        .filter(|key| key.public() != first.public())
        .collect();
    others.sort_by_key(|key| !order.contains(&key.public()));
    let mut refused = connect(text_of(first)).await;
    for key in others {
        if !matches!(refused, Err(LinkError::Auth { .. })) {
            break;
        }
        refused = connect(text_of(key)).await;
    }
    refused
}

/// Opens the door for collectors, where the configuration wants one.
async fn show_metrics(config: &Config, parts: &Parts) -> Result<Option<JoinHandle<()>>, RunError> {
    let Some(address) = config.metrics.listen else {
        return Ok(None);
    };
    let listener = tokio::net::TcpListener::bind(address).await;
    let listener = listener
        .map_err(|error| RunError::Start(format!("[metrics] listening on {address}: {error}")))?;
    let metrics = Arc::clone(&parts.metrics);
    Ok(Some(tokio::spawn(crate::metrics::serve(listener, metrics))))
}

/// One task: dials with the keys and cards of each moment.
fn ship(parts: &Parts, config: &Config, peer: &Peer, address: String) -> JoinHandle<()> {
    let ship = Arc::new(Ship {
        node: Arc::clone(&parts.node),
        arrive: Arc::clone(&parts.arrive),
        peer: peer.party.clone(),
        address: address.clone(),
        room: parts.room,
    });
    let node = Arc::clone(&parts.node);
    let keys = Arc::clone(&parts.transport);
    let (own, peer) = (config.party.to_string(), peer.clone());
    let session = Arc::clone(&ship);
    let connect = move || {
        let host_keys = node
            .rules
            .now()
            .keyring()
            .transport_keys(&peer.party, node.clock.now());
        let dial = Dial {
            address: address.clone(),
            user: own.clone(),
            key: String::new().into(),
            host_keys,
            post_quantum: peer.post_quantum,
            connect_timeout: CONNECT_TIMEOUT,
        };
        let (node, keys) = (Arc::clone(&node), Arc::clone(&keys));
        async move {
            with_each_key(&node, &keys, |key| {
                SshLink::connect(Dial {
                    key,
                    ..dial.clone()
                })
            })
            .await
        }
    };
    tokio::spawn(ship.keep_connected(connect, move |link| Arc::clone(&session).session(link)))
}

/// The same for a drop between us and the peer.
fn leave(parts: &Parts, peer: &Peer, at: DropAt) -> JoinHandle<()> {
    let ship = Arc::new(Ship {
        node: Arc::clone(&parts.node),
        arrive: Arc::clone(&parts.arrive),
        peer: peer.party.clone(),
        address: at.address.clone(),
        room: parts.room,
    });
    let blind = Arc::new(Blind::new(Arc::clone(&ship)));
    let (keys, post_quantum) = (Arc::clone(&parts.transport), peer.post_quantum);
    let node = Arc::clone(&parts.node);
    let connect = move || {
        let dial = Dial {
            address: at.address.clone(),
            user: at.user.clone(),
            key: String::new().into(),
            host_keys: vec![at.host_key],
            post_quantum,
            connect_timeout: CONNECT_TIMEOUT,
        };
        let (node, keys, folders) = (Arc::clone(&node), Arc::clone(&keys), at.folders.clone());
        async move {
            with_each_key(&node, &keys, |key| {
                let dial = Dial {
                    key,
                    ..dial.clone()
                };
                DropLink::connect(dial, folders.clone())
            })
            .await
        }
    };
    tokio::spawn(ship.keep_connected(connect, move |link| Arc::clone(&blind).session(link)))
}
