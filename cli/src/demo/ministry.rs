//! A ministry as its people see it: a home, the commands that they type, the daemon that serves it. The demo and the tests
//! act through this alone, so both drive the very program that is shipped. A daemon ends with its `Ministry`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use amanah_format::digest::Digest;
use amanah_format::home;
use amanah_format::id::{FlowName, PartyId};
use amanahd::snapshot::{PeerStatus, Snapshot};
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::launch::{Launch, Ran, ended_within};
use super::waiting;

/// Longest run of a command that is no transfer.
const COMMAND: Duration = Duration::from_secs(60);
/// Longest wait for a daemon to come up or to go: many times what it needs, also on a busy machine.
const DAEMON: Duration = Duration::from_secs(30);
/// Lines of the log that an error shows.
const LOG_TAIL: usize = 40;

/// One ministry.
pub struct Ministry {
    party: PartyId,
    folder: PathBuf,
    home: PathBuf,
    launch: Launch,
    daemon: Option<Child>,
}

impl Ministry {
    /// A ministry whose home and configuration will be `folder`; nothing is made yet.
    #[must_use]
    pub fn new(launch: Launch, folder: PathBuf, party: PartyId) -> Self {
        Self {
            party,
            home: folder.clone(),
            folder,
            launch,
            daemon: None,
        }
    }

    /// Its party id.
    #[must_use]
    pub fn party(&self) -> &PartyId {
        &self.party
    }

    /// The home as the configuration now says: the configuration's folder need not be the same.
    pub fn lives_in(&mut self, home: PathBuf) {
        self.home = home;
    }

    /// Its commands are started like this from now on.
    pub fn types_through(&mut self, launch: Launch) {
        self.launch = launch;
    }

    /// The folder of its configuration, keys, cards and agreements.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its home.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// How its commands are started.
    #[must_use]
    pub fn launch(&self) -> &Launch {
        &self.launch
    }

    /// A place in the home.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    /// Where its daemon's words go: beside the folder, which belongs to the program.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.folder.with_extension("log")
    }

    /// The outbox of a flow.
    #[must_use]
    pub fn outbox(&self, peer: &PartyId, flow: &FlowName) -> PathBuf {
        self.path(&home::outbox(peer, flow))
    }

    /// The receipt that `peer` signed for a bundle of ours.
    #[must_use]
    pub fn receipt(&self, peer: &PartyId, manifest: &Digest) -> PathBuf {
        self.path(&home::receipts_received(peer))
            .join(amanah_format::receipt::name(manifest))
    }

    /// Our bundle after its receipt.
    #[must_use]
    pub fn archived(&self, peer: &PartyId, manifest: &Digest) -> PathBuf {
        self.path(&home::archive_sent(peer))
            .join(amanah_format::container::bundle_name(manifest))
    }

    /// Runs a command of this ministry; any exit code is an answer.
    ///
    /// # Errors
    /// It cannot be run, or does not end.
    pub fn attempt<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<Ran> {
        let mut words: Vec<&OsStr> = arguments.iter().map(AsRef::as_ref).collect();
        words.extend([OsStr::new("--home"), self.folder.as_os_str()]);
        self.launch.run(&words, COMMAND)
    }

    /// Runs a command of this ministry, which must succeed.
    ///
    /// # Errors
    /// It cannot be run, or fails.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<Ran> {
        self.attempt(arguments)?.succeeded()
    }

    /// Starts the daemon and waits until it has published its first status.
    ///
    /// # Errors
    /// It cannot be started, or ends at once.
    pub fn start(&mut self) -> Result<()> {
        let launch = self.launch.clone();
        self.launch_daemon(&launch)?;
        self.until_up()
    }

    /// Starts the daemon in another way than the commands, and does not wait.
    ///
    /// # Errors
    /// One runs already, or it cannot be started.
    pub fn launch_daemon(&mut self, launch: &Launch) -> Result<()> {
        if self.daemon.is_some() {
            bail!("the daemon of {} runs already", self.party);
        }
        let config = self.folder.join(home::CONFIG);
        let words = [
            OsStr::new("daemon"),
            OsStr::new("run"),
            OsStr::new("--with-parent"),
            OsStr::new("--config"),
            config.as_os_str(),
        ];
        self.daemon = Some(launch.start(&words, &self.log())?);
        Ok(())
    }

    /// Waits until the daemon that was started has published its first status.
    ///
    /// # Errors
    /// It ends, or does not come up.
    pub fn until_up(&mut self) -> Result<()> {
        let process = self.daemon.as_ref().map(Child::id);
        self.wait_for("its first status", DAEMON, |status| {
            (status.running && Some(status.process) == process).then_some(())
        })
    }

    /// The process that was started and not yet waited for.
    #[must_use]
    pub fn daemon_id(&self) -> Option<u32> {
        self.daemon.as_ref().map(Child::id)
    }

    /// Sends the daemon a signal.
    ///
    /// # Errors
    /// No daemon runs.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let child = self.daemon.as_ref().context("no daemon runs")?;
        Ok(kill_process(Pid::from_child(child), signal)?)
    }

    /// Asks the daemon to stop, and waits; how it ended and how long that took.
    ///
    /// # Errors
    /// No daemon runs, or it does not stop.
    pub fn stop(&mut self) -> Result<(ExitStatus, Duration)> {
        let start = Instant::now();
        self.signal(Signal::TERM)?;
        Ok((self.until_ended()?, start.elapsed()))
    }

    /// Ends the daemon as a power cut would.
    ///
    /// # Errors
    /// No daemon runs.
    pub fn kill(&mut self) -> Result<ExitStatus> {
        self.signal(Signal::KILL)?;
        self.until_ended()
    }

    /// Whether the daemon that was started has ended by itself.
    ///
    /// # Errors
    /// The system does not say.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self
            .daemon
            .as_mut()
            .map(Child::try_wait)
            .transpose()?
            .flatten()
            .is_some())
    }

    /// Waits until the daemon has ended by itself.
    ///
    /// # Errors
    /// No daemon runs, or it goes on.
    pub fn until_ended(&mut self) -> Result<ExitStatus> {
        let mut child = self.daemon.take().context("no daemon runs")?;
        let ended = ended_within(&mut child, DAEMON);
        if ended.is_err() {
            self.daemon = Some(child);
        }
        ended.with_context(|| self.words())
    }

    /// The status as last published; none before the first.
    ///
    /// # Errors
    /// It cannot be read, or is no status.
    pub fn status(&self) -> Result<Option<Snapshot>> {
        match std::fs::read(self.path(home::STATUS)) {
            // It is not synced: a power cut may leave it empty until the next start.
            Ok(json) if json.is_empty() => Ok(None),
            Ok(json) => Ok(Some(serde_json::from_slice(&json).context("status.json")?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until the status shows what is looked for.
    ///
    /// # Errors
    /// It does not within `within`, or the daemon ends first.
    pub fn wait_for<T>(
        &mut self,
        what: &str,
        within: Duration,
        mut found: impl FnMut(&Snapshot) -> Option<T>,
    ) -> Result<T> {
        let outcome = waiting::until(what, within, || {
            if let Some(answer) = self.status()?.as_ref().and_then(&mut found) {
                return Ok(Some(answer));
            }
            match self
                .daemon
                .as_mut()
                .map(Child::try_wait)
                .transpose()?
                .flatten()
            {
                Some(status) => bail!("the daemon ended meanwhile: {status}"),
                None => Ok(None),
            }
        });
        outcome.with_context(|| self.words())
    }

    /// Waits until the link to `peer` is as wished.
    ///
    /// # Errors
    /// It is not in time.
    pub fn wait_for_peer(
        &mut self,
        what: &str,
        peer: &PartyId,
        mut wished: impl FnMut(&PeerStatus) -> bool,
    ) -> Result<()> {
        self.wait_for(what, DAEMON, |status| {
            let peer = status
                .peers
                .iter()
                .find(|found| found.party == peer.as_str())?;
            wished(peer).then_some(())
        })
    }

    /// What an error shows of this ministry: who, and its daemon's last words.
    fn words(&self) -> String {
        let log = std::fs::read(self.log()).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        let last = lines
            .get(lines.len().saturating_sub(LOG_TAIL)..)
            .unwrap_or_default();
        format!(
            "{}; its daemon's last words:\n{}",
            self.party,
            last.join("\n")
        )
    }
}

impl Drop for Ministry {
    fn drop(&mut self) {
        if let Some(mut child) = self.daemon.take() {
            // Gone already is as good: what counts is that it does not outlive us.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
