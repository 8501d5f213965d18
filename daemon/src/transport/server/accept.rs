//! The accept loop: who may take a place, and for how long without logging in. An error of `accept` (no descriptors
//! left, a connection gone before it was taken) never ends the loop. Strangers are closed before a byte is exchanged.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use super::newcomers::{Newcomers, Place};
use super::penalties::Offence;
use super::session::{Caller, Login};
use super::tree::stopped;
use super::{Connected, Limits, Network, Shown};
use crate::transport::link::Exchange;
use crate::transport::socket::Cutter;

/// How long to wait when `accept` fails: descriptors come back when connections end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// How often it is asked whether those that are connected may still be.
const STILL_WELCOME: Duration = Duration::from_secs(1);

/// So many strangers are named in the log, so that a wrong `networks` is found; a flood of them is not.
const STRANGERS_NAMED: u32 = 100;

/// What the loop is made of.
pub(super) struct Parts {
    pub(super) config: Shown,
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
    newcomers: Arc<Newcomers>,
    strangers: AtomicU32,
}

/// Why a connection ended before it had logged in, as far as it must pay for it.
enum Unknown {
    /// By itself, or by an error.
    Ended(io::Error),
    /// To make room for others.
    PutOut,
    /// It took too long.
    Late,
}

impl Door {
    pub(super) fn new(parts: Parts) -> Arc<Self> {
        Arc::new(Self {
            connections: Arc::new(Semaphore::new(parts.limits.connections_max)),
            newcomers: Newcomers::new(parts.limits),
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
                        if let Some(place) = self.admit(from) {
                            connections.spawn(Arc::clone(&self).serve(stream, from, place));
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
    fn admit(&self, from: SocketAddr) -> Option<(Place, oneshot::Receiver<()>)> {
        let address = from.ip().to_canonical();
        let networks = &self.parts.networks;
        if !networks.iter().any(|network| network.contains(address)) {
            if self.strangers.fetch_add(1, Ordering::Relaxed) < STRANGERS_NAMED {
                tracing::warn!(%from, "closed: its network is not in [listen] networks");
            }
            return None;
        }
        let now = Instant::now();
        let place = self.newcomers.enter(address, now);
        if place.is_none()
            && let Some(untold) = self.newcomers.may_tell(now)
        {
            tracing::warn!(%from, untold, "closed: too many connections from there that did not log in");
        }
        place
    }

    /// One connection, from its first byte to its last.
    async fn serve(
        self: Arc<Self>,
        stream: TcpStream,
        from: SocketAddr,
        place: (Place, oneshot::Receiver<()>),
    ) {
        let mut stop = self.parts.stop.clone();
        tokio::select! {
            () = stopped(&mut stop) => tracing::debug!(%from, "connection ended: stopping"),
            ended = self.run(stream, from, place) => match ended {
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
        (place, put_out): (Place, oneshot::Receiver<()>),
    ) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let _cutter = Cutter::of(&stream)?;
        let (told, logged_in) = oneshot::channel();
        let refused = Arc::new(AtomicBool::new(false));
        let who = Arc::new(OnceLock::new());
        let caller = Caller::new(&self.parts, from, (told, Arc::clone(&refused)));
        let caller = caller.telling(Arc::clone(&who));
        let config = self.parts.config.read();
        let config = Arc::clone(&config.unwrap_or_else(PoisonError::into_inner));
        let mut session = pin!(async {
            let session = russh::server::run_stream(config, stream, caller).await;
            session
                .map_err(io::Error::other)?
                .await
                .map_err(io::Error::other)
        });
        let grace = Duration::from_secs(self.parts.limits.login_grace_secs);
        let deadline = Instant::now().checked_add(grace);
        let deadline = deadline.unwrap_or_else(Instant::now);
        let ended = tokio::select! {
            ended = &mut session => Unknown::Ended(ended.err().unwrap_or_else(gone)),
            _put_out = put_out => Unknown::PutOut,
            login = timeout_at(deadline, logged_in) => match login {
                Ok(Ok(())) => {
                    place.logged_in();
                    let _connection = self.connection()?;
                    return tokio::select! {
                        ended = &mut session => ended,
                        () = self.until_unwelcome(&who) => {
                            Err(io::Error::other("its key is not valid any more"))
                        }
                    };
                }
                // It has ended, and says why in a moment.
                Ok(Err(_)) => {
                    let ended = timeout_at(deadline, &mut session).await;
                    Unknown::Ended(ended.ok().and_then(Result::err).unwrap_or_else(gone))
                }
                Err(_) => Unknown::Late,
            },
        };
        self.unknown(ended, place, refused.load(Ordering::Relaxed), from);
        Ok(())
    }

    /// Until the key by which somebody logged in may not connect any more: expired, or ended by a newer card.
    async fn until_unwelcome(&self, who: &OnceLock<Login>) {
        loop {
            sleep(STILL_WELCOME).await;
            let known = who
                .get()
                .is_none_or(|(user, key)| self.parts.exchange.may_connect(user, key).is_some());
            if !known {
                return;
            }
        }
    }

    /// A place among those that have logged in.
    fn connection(&self) -> io::Result<OwnedSemaphorePermit> {
        let place = Arc::clone(&self.connections).try_acquire_owned();
        place.map_err(|_| io::Error::other("too many connections: [limits] connections_max"))
    }

    /// What the address pays for it, and a line in the log.
    fn unknown(&self, ended: Unknown, place: Place, refused: bool, from: SocketAddr) {
        let now = Instant::now();
        let (offence, why) = match ended {
            // That one was noted by whoever put it out.
            Unknown::PutOut => (None, "closed: others wait to log in".to_owned()),
            Unknown::Late => (
                Some(Offence::TookTheGrace),
                "closed: no login in time".into(),
            ),
            Unknown::Ended(error) if refused => (Some(Offence::Refused), error.to_string()),
            Unknown::Ended(error) => (Some(Offence::NoAttempt), error.to_string()),
        };
        if let Some(offence) = offence {
            place.offended(offence, now);
        }
        if let Some(untold) = self.newcomers.may_tell(now) {
            tracing::info!(%from, untold, "a connection did not log in: {why}");
        }
    }
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "it went away")
}
