//! The connections: a task for each peer that we dial, the server where peers dial us.
//! Keys and cards are looked up at each attempt, so a reload needs no new task. A listener that cannot be opened stops
//! the start; a peer that is away never does.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use amanah_format::id::PartyId;
use tokio::task::JoinHandle;

use crate::config::checked::{Config, DropAt, Peer};
use crate::stage::Node;
use crate::stage::blind::Blind;
use crate::stage::ship::Ship;
use crate::transport::client::drop::DropLink;
use crate::transport::client::{Dial, SshLink};
use crate::transport::link::Exchange;
use crate::transport::server::{Limits, Listen, Server};

use super::RunError;
use super::build::Parts;

/// A peer that does not answer within this time is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// What runs on the network.
pub(super) struct Wire {
    ships: Vec<JoinHandle<()>>,
    server: Option<Server>,
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
                    host_key: parts.transport.clone(),
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
    let key = parts.transport.clone();
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
            key: key.clone(),
            host_keys,
            post_quantum: peer.post_quantum,
            connect_timeout: CONNECT_TIMEOUT,
        };
        SshLink::connect(dial)
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
    let (key, post_quantum) = (parts.transport.clone(), peer.post_quantum);
    let connect = move || {
        let dial = Dial {
            address: at.address.clone(),
            user: at.user.clone(),
            key: key.clone(),
            host_keys: vec![at.host_key],
            post_quantum,
            connect_timeout: CONNECT_TIMEOUT,
        };
        DropLink::connect(dial, at.folders.clone())
    };
    tokio::spawn(ship.keep_connected(connect, move |link| Arc::clone(&blind).session(link)))
}
