//! The story of a running daemon: read, open, recover, start, serve, stop. Floor 4: it alone sees the configuration and hands each
//! part its own small values; it joins what it started.

mod alarms;
mod build;
mod confine;
mod log;
mod loops;
mod reload;
mod secrets;
mod tables;
mod wire;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use amanah_format::id::{FlowName, PartyId};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config::checked::{Config, ConfigError};
use crate::engine::policy::Policy;
use crate::event::Event;
use crate::keys::KeysError;
use crate::stage::{Node, StageError};
use crate::store::table::recorded::Recorded;

use self::build::Parts;
use self::loops::Loops;
use self::wire::Wire;

/// After a stop is asked, what is under way is given up (resumably) within this time.
const STOP_WITHIN: Duration = Duration::from_secs(4);
/// How often the service manager and the board hear from us.
const TICK: Duration = Duration::from_secs(1);

/// Why the daemon did not start, or ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The configuration, a card or an agreement.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A private key.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The home is a newer program's or another party's.
    #[error("{0}")]
    Foreign(String),
    /// The home, the journal, the port.
    #[error("{0}")]
    Start(String),
    /// It stopped itself rather than say something untrue.
    #[error("halted: {0}")]
    Halted(String),
}

impl From<StageError> for RunError {
    fn from(error: StageError) -> Self {
        Self::Start(error.to_string())
    }
}

/// Where a loop says why the process must end.
#[derive(Clone, Default)]
pub(crate) struct Halt(Arc<Mutex<Option<String>>>);

impl Halt {
    /// Ends the process: going on could make something untrue.
    pub(crate) fn because(&self, node: &Node, reason: String) {
        tracing::error!(event = Event::Halted.name(), "halting: {reason}");
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(reason);
        node.stop.set();
        node.bells.ring_all();
    }

    fn reason(&self) -> Option<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// [`RunError`]: what is wrong and what to do.
pub fn run(file: &Path) -> Result<(), RunError> {
    log::start();
    harden();
    let config = Config::load(file)?;
    confine::confine(&config);
    let parts = build::parts(&config)?;
    parts.recover()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(64)
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| RunError::Start(error.to_string()))?;
    let outcome = runtime.block_on(serve(config, parts));
    runtime.shutdown_timeout(Duration::from_millis(200));
    outcome
}

/// Starts everything, waits, stops everything.
async fn serve(config: Config, parts: Parts) -> Result<(), RunError> {
    let mut signals = Signals::listen()?;
    let halt = Halt::default();
    let node = Arc::clone(&parts.node);
    let wire = Wire::start(&config, &parts).await?;
    let loops = Loops::start(parts, &config, &halt)?;
    notify(&[sd_notify::NotifyState::Ready]);
    tracing::info!(event = Event::Ready.name(), party = %config.party, home = %config.home.display(), "ready");
    attend(&config, &node, &wire, &mut signals).await;
    notify(&[sd_notify::NotifyState::Stopping]);
    let deadline = Instant::now() + STOP_WITHIN;
    node.stop.set();
    node.bells.ring_all();
    wire.stop(deadline).await;
    loops.join(deadline);
    tracing::info!(event = Event::Stopped.name(), "stopped");
    halt.reason()
        .map_or(Ok(()), |reason| Err(RunError::Halted(reason)))
}

/// Signals, reloads, the watchdog: until somebody asks for a stop.
async fn attend(config: &Config, node: &Arc<Node>, wire: &Wire, signals: &mut Signals) {
    let mut reloaded = node.bells.reload.heard();
    let mut ticks = tokio::time::interval(TICK);
    while !node.stop.is_set() {
        tokio::select! {
            _ = signals.terminate.recv() => return,
            _ = signals.interrupt.recv() => return,
            _ = signals.hangup.recv() => reload::again(config, node),
            _ = ticks.tick() => {
                notify(&[sd_notify::NotifyState::Watchdog]);
                wire.note_connected(node);
                wire.show_current_key(node);
                let heard = node.bells.reload.heard();
                if heard != reloaded {
                    reloaded = heard;
                    reload::again(config, node);
                }
            }
        }
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> Result<Self, RunError> {
        let on = |kind| signal(kind).map_err(|error| RunError::Start(format!("signals: {error}")));
        Ok(Self {
            terminate: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
            hangup: on(SignalKind::hangup())?,
        })
    }
}

/// Keys that can be read, and are those of our own card.
///
/// # Errors
/// The first that cannot.
pub fn check_keys(config: &Config, policy: &Policy) -> Result<(), RunError> {
    secrets::read(config, policy).map(|_| ())
}

/// The URL of a database server can be read, where there is one.
///
/// # Errors
/// The key file, or what is wrong with it.
pub fn check_tables(config: &Config) -> Result<(), RunError> {
    #[cfg(feature = "postgres")]
    tables::server::address(config)?;
    let _ = config;
    Ok(())
}

/// The database server that tables land in, where there is one, can be used; whether its role may more there than it needs. Nothing is
/// changed.
///
/// # Errors
/// What keeps rows from landing there.
pub fn look_at_tables(config: &Config) -> Result<bool, RunError> {
    #[cfg(feature = "postgres")]
    return tables::server::look(config);
    #[cfg(not(feature = "postgres"))]
    {
        let _ = config;
        Ok(false)
    }
}

/// What the database of table flows holds of a peer's flow, all of one moment; none where no database is configured. Nothing is changed.
///
/// # Errors
/// What keeps it from being read: a database of which nothing is known never counts as one that holds nothing.
pub fn recorded(config: &Config, of: (&PartyId, &FlowName)) -> Result<Option<Recorded>, RunError> {
    tables::recorded(config, of)
}

/// The alarm's command, where there is one, can be changed by nobody else.
///
/// # Errors
/// Who could change it.
pub fn check_alarm_command(config: &Config) -> Result<(), RunError> {
    Ok(alarms::command(config).map(|_| ())?)
}

/// No core dumps (they would hold keys and plaintext); nothing that we make is open to others.
fn harden() {
    let none = rustix::process::Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = rustix::process::setrlimit(rustix::process::Resource::Core, none) {
        tracing::warn!("core dumps could not be switched off: {error}");
    }
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o027));
}

fn notify(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("the service manager could not be told: {error}");
    }
}
