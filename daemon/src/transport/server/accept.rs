//! The accept loop: who may take a place, and for how long without logging in. An error of `accept` (no descriptors
//! left, a connection gone before it was taken) never ends the loop. Strangers are closed before a byte is exchanged.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use super::session::Caller;
use super::tree::stopped;
use super::{Connected, Limits, Network};
use crate::transport::link::Exchange;
use crate::transport::socket::Cutter;

/// How long to wait when `accept` fails: descriptors come back when connections end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// So many strangers are named in the log, so that a wrong `networks` is found; a flood of them is not.
const STRANGERS_NAMED: u32 = 100;

/// What the loop is made of.
pub(super) struct Parts {
    pub(super) config: Arc<russh::server::Config>,
    pub(super) exchange: Arc<dyn Exchange>,
    pub(super) networks: Vec<Network>,
    pub(super) limits: Limits,
    pub(super) connected: Connected,
    /// Says when everything is to end.
    pub(super) stop: watch::Receiver<bool>,
    pub(super) alive: mpsc::Sender<()>,
}

/// The parts, and the places that are left.
pub(super) struct Door {
    pub(super) parts: Parts,
    connections: Arc<Semaphore>,
    newcomers: Arc<Semaphore>,
    addresses: Arc<Mutex<HashMap<IpAddr, usize>>>,
    strangers: AtomicU32,
}

/// The places that one connection takes.
struct Admission {
    newcomer: Newcomer,
    connection: OwnedSemaphorePermit,
}

/// The places that it gives back once it has logged in.
struct Newcomer {
    address: IpAddr,
    addresses: Arc<Mutex<HashMap<IpAddr, usize>>>,
    _place: OwnedSemaphorePermit,
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        let mut addresses = self
            .addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = addresses.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                addresses.remove(&self.address);
            }
        }
    }
}

impl Door {
    pub(super) fn new(parts: Parts) -> Arc<Self> {
        Arc::new(Self {
            connections: Arc::new(Semaphore::new(parts.limits.connections_max)),
            newcomers: Arc::new(Semaphore::new(parts.limits.unauthenticated_max)),
            addresses: Arc::default(),
            strangers: AtomicU32::new(0),
            parts,
        })
    }

    /// Accepts until `stop` says so or its sender is gone; then ends the connections.
    pub(super) async fn accept(self: Arc<Self>, listener: TcpListener) {
        let mut stop = self.parts.stop.clone();
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = stopped(&mut stop) => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, from)) => {
                        if let Some(admission) = self.admit(from) {
                            connections.spawn(Arc::clone(&self).serve(stream, from, admission));
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
            }
        }
        drop(listener);
        while connections.join_next().await.is_some() {}
    }

    /// A place for a connection from this address, or `None`: it is closed without an answer.
    fn admit(&self, from: SocketAddr) -> Option<Admission> {
        let address = from.ip().to_canonical();
        if !self
            .parts
            .networks
            .iter()
            .any(|network| network.contains(address))
        {
            if self.strangers.fetch_add(1, Ordering::Relaxed) < STRANGERS_NAMED {
                tracing::warn!(%from, "closed: its network is not in [listen] networks");
            }
            return None;
        }
        let admission = self.places(address);
        if admission.is_none() {
            tracing::warn!(%from, "closed: too many connections");
        }
        admission
    }

    fn places(&self, address: IpAddr) -> Option<Admission> {
        let connection = Arc::clone(&self.connections).try_acquire_owned().ok()?;
        let place = Arc::clone(&self.newcomers).try_acquire_owned().ok()?;
        let mut addresses = self
            .addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let count = addresses.entry(address).or_default();
        if *count >= self.parts.limits.unauthenticated_per_address_max {
            return None;
        }
        *count = count.saturating_add(1);
        let addresses = Arc::clone(&self.addresses);
        Some(Admission {
            newcomer: Newcomer {
                address,
                addresses,
                _place: place,
            },
            connection,
        })
    }

    /// One connection, from its first byte to its last.
    async fn serve(self: Arc<Self>, stream: TcpStream, from: SocketAddr, admission: Admission) {
        let mut stop = self.parts.stop.clone();
        tokio::select! {
            () = stopped(&mut stop) => tracing::debug!(%from, "connection ended: stopping"),
            ended = self.run(stream, from, admission) => match ended {
                Ok(()) => tracing::debug!(%from, "connection ended"),
                Err(error) => tracing::info!(%from, %error, "connection ended"),
            },
        }
    }

    /// Leaving this function in any way cuts the socket, and with it the session's own task.
    async fn run(
        &self,
        stream: TcpStream,
        from: SocketAddr,
        admission: Admission,
    ) -> io::Result<()> {
        let Admission {
            newcomer,
            connection: _connection,
        } = admission;
        stream.set_nodelay(true)?;
        let _cutter = Cutter::of(&stream)?;
        let grace = Duration::from_secs(self.parts.limits.login_grace_secs);
        let deadline = Instant::now()
            .checked_add(grace)
            .unwrap_or_else(Instant::now);
        let (told, logged_in) = oneshot::channel();
        let caller = Caller::new(&self.parts, from, told);
        let config = Arc::clone(&self.parts.config);
        let session = timeout_at(deadline, russh::server::run_stream(config, stream, caller));
        let mut session = pin!(
            session
                .await
                .map_err(|_| late())?
                .map_err(io::Error::other)?
        );
        tokio::select! {
            ended = &mut session => return ended.map_err(io::Error::other),
            login = timeout_at(deadline, logged_in) => login.map_err(|_| late())?.map_err(io::Error::other)?,
        }
        drop(newcomer);
        session.await.map_err(io::Error::other)
    }
}

fn late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "no login in time")
}
