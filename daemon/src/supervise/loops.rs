//! One thread per stage: wait for the bell, do a pass, again. Errors of this machine are said, waited out and tried again; one that
//! could make something untrue ends the process.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use amanah_format::agreement::Lane;

use crate::bell::Bell;
use crate::config::checked::Config;
use crate::engine::retry::wait_after;
use crate::event::Event;
use crate::stage::import::{Import, Lengths};
use crate::stage::publish::Publish;
use crate::stage::seal::Seal;
use crate::stage::{Node, Pass, Reaction, StageError, requests};
use crate::watch::Ring;

use super::build::Parts;
use super::{Halt, RunError};

/// Between two looks into `requests/`, also where it rings: a flood of them is carried out at this pace.
const REQUESTS_GAP: Duration = Duration::from_millis(250);

/// The longest time between two looks where it rings: for what the kernel did not tell.
const REQUESTS_EVERY: Duration = Duration::from_secs(5);

/// Between two snapshots: people do not read faster, and each costs a few syncs.
const PUBLISH_GAP: Duration = Duration::from_millis(50);
/// One that has much to show takes no more than a tenth of the time from those who have something to do …
const PUBLISH_GAP_FACTOR: u32 = 9;
/// … and is never older than this.
const PUBLISH_GAP_MAX: Duration = Duration::from_secs(1);

/// Between two looks at the streams.
const STREAMS_GAP: Duration = Duration::from_millis(100);

/// The threads of the stages.
pub(super) struct Loops {
    threads: Vec<Thread>,
    ended: Receiver<&'static str>,
    publish: Arc<Publish>,
}

/// A stage's name and its thread.
type Thread = (&'static str, JoinHandle<()>);

/// What every loop needs.
#[derive(Clone)]
struct Common {
    node: Arc<Node>,
    halt: Halt,
    ended: Sender<&'static str>,
}

impl Loops {
    /// Starts one thread for each stage.
    pub(super) fn start(parts: Parts, _config: &Config, halt: &Halt) -> Result<Self, RunError> {
        let (sender, ended) = channel();
        let node = Arc::clone(&parts.node);
        let bells = node.bells.clone();
        let publish = Arc::new(parts.publish);
        let common = Common {
            node: Arc::clone(&node),
            halt: halt.clone(),
            ended: sender,
        };
        let publishing = Arc::clone(&publish);
        let arrive = parts.arrive;
        let (collect, seal, import) = (parts.collect, Arc::new(parts.seal), Arc::new(parts.import));
        let (acknowledge, settle, by_hand) = (parts.acknowledge, parts.settle, parts.by_hand);
        let retention = parts.retention;
        let mut alarms = parts.alarms;
        let streams = parts.streams;
        let (judging, opening) = (Arc::clone(&import), Arc::clone(&import));
        let mut threads = common.lanes(&seal, &import)?;
        threads.extend([
            common.spawn("collect", &bells.collect, move || collect.pass())?,
            common.spawn("import-early", &bells.early, move || opening.early_pass())?,
            common.spawn("rejudge", &bells.import, move || {
                arrive.admit.rejudge_pass(|row| judging.room_for(row))
            })?,
            common.spawn("acknowledge", &bells.acknowledge, move || {
                acknowledge.pass()
            })?,
            common.spawn("settle", &bells.settle, move || settle.pass())?,
            common.spawn("retention", &bells.retention, move || retention.pass())?,
            common.spawn("by-hand", &bells.by_hand, move || by_hand.pass())?,
            common.spawn("streams", &bells.streams, move || {
                let pass = streams.pass();
                // Every bundle rings: many are looked at together, for nothing here is urgent.
                std::thread::sleep(STREAMS_GAP);
                pass
            })?,
            common.requests()?,
            common.spawn("alarm", &bells.alarm, move || Ok(alarms.pass()))?,
            common.spawn("publish", &bells.publish, move || {
                let begun = Instant::now();
                let pass = publishing.pass(true);
                // What rings meanwhile is shown together.
                std::thread::sleep(publish_gap(begun.elapsed()));
                pass
            })?,
        ]);
        Ok(Self {
            threads,
            ended,
            publish,
        })
    }

    /// Waits for the threads until `deadline`; what a thread has under way then is given up, and taken up again at the next start.
    pub(super) fn join(self, deadline: Instant) {
        let mut running = self.threads;
        while !running.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(name) = self.ended.recv_timeout(left) else {
                let names: Vec<&str> = running.iter().map(|(name, _)| *name).collect();
                tracing::warn!("given up while under way: {}", names.join(", "));
                return;
            };
            for (_, thread) in running.extract_if(.., |(running, _)| *running == name) {
                if thread.join().is_err() {
                    tracing::error!(stage = name, "the stage ended by a panic");
                }
            }
        }
        if let Err(error) = self.publish.pass(false) {
            tracing::warn!("the last status could not be written: {error}");
        }
    }
}

/// How long the next snapshot waits after one that took so long.
fn publish_gap(took: Duration) -> Duration {
    took.saturating_mul(PUBLISH_GAP_FACTOR)
        .clamp(PUBLISH_GAP, PUBLISH_GAP_MAX)
}

/// The sealing threads' names by lane: a log line says which of them failed.
const SEALING: [(Lane, &str); 3] = [
    (Lane::Urgent, "seal-urgent"),
    (Lane::Normal, "seal"),
    (Lane::Bulk, "seal-bulk"),
];

/// The same of the importing ones: in the usual lane nobody's file waits until somebody's archive is unpacked.
const IMPORTING: [(Lane, Lengths, &str); 4] = [
    (Lane::Urgent, Lengths::All, "import-urgent"),
    (Lane::Normal, Lengths::Short, "import"),
    (Lane::Normal, Lengths::Long, "import-long"),
    (Lane::Bulk, Lengths::All, "import-bulk"),
];

impl Common {
    /// What operators ask: they wait for it, so its folder rings.
    fn requests(&self) -> Result<Thread, RunError> {
        let (node, bell) = (Arc::clone(&self.node), self.node.bells.requests.clone());
        let ring = Ring::start(&node.spool.requests_folder(), bell.clone())
            .inspect_err(|error| tracing::warn!("{error}; it is looked at four times a second"))
            .ok();
        self.spawn("requests", &bell, move || {
            let pass = requests::pass(&node)?;
            std::thread::sleep(REQUESTS_GAP);
            let may_rest = ring.is_some() && pass.done == 0;
            Ok(Pass {
                done: 0,
                again_after: if may_rest {
                    REQUESTS_EVERY
                } else {
                    Duration::ZERO
                },
            })
        })
    }

    /// Sealing and importing have a thread for each lane: what is urgent waits for no large bundle.
    fn lanes(&self, seal: &Arc<Seal>, import: &Arc<Import>) -> Result<Vec<Thread>, RunError> {
        let bells = self.node.bells.clone();
        let mut threads = Vec::new();
        for (lane, name) in SEALING {
            let seal = Arc::clone(seal);
            threads.push(self.spawn(name, &bells.seal, move || seal.pass(lane))?);
        }
        for (lane, lengths, name) in IMPORTING {
            let import = Arc::clone(import);
            threads.push(self.spawn(name, &bells.import, move || import.pass(lane, lengths))?);
        }
        Ok(threads)
    }

    fn spawn(
        &self,
        name: &'static str,
        bell: &Bell,
        mut pass: impl FnMut() -> Result<Pass, StageError> + Send + 'static,
    ) -> Result<Thread, RunError> {
        let (common, bell) = (self.clone(), bell.clone());
        let story = move || {
            let mut failures = 0;
            while !common.node.stop.is_set() {
                let heard = bell.heard();
                let wait = common.judge(name, pass(), &mut failures);
                if !wait.is_zero() && !common.node.stop.is_set() {
                    bell.wait(heard, wait);
                }
            }
            // INVARIANT: the receiver outlives the threads, or nobody waits for them any more.
            let _ = common.ended.send(name);
        };
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(story);
        let thread = thread.map_err(|error| RunError::Start(format!("thread {name}: {error}")))?;
        Ok((name, thread))
    }

    /// How long to wait before the next pass.
    fn judge(
        &self,
        name: &'static str,
        outcome: Result<Pass, StageError>,
        failures: &mut u32,
    ) -> Duration {
        match outcome {
            Ok(pass) => {
                if *failures > 0 {
                    self.node.board.quiet("stage-failing", name);
                }
                *failures = 0;
                if pass.done > 0 {
                    Duration::ZERO
                } else {
                    pass.again_after
                }
            }
            Err(_) if self.node.stop.is_set() => Duration::ZERO,
            Err(error) if error.reaction() == Reaction::Halt => {
                self.halt.because(&self.node, format!("{name}: {error}"));
                Duration::ZERO
            }
            Err(error) => {
                *failures += 1;
                tracing::error!(
                    event = Event::StageFailing.name(),
                    stage = name,
                    failures = *failures,
                    "{}",
                    self.why(&error)
                );
                self.node
                    .board
                    .alarm("stage-failing", name, self.node.clock.now());
                wait_after(*failures, u32::MAX)
            }
        }
    }

    /// Of a home that is away each stage meets something else; what they have in common is said.
    fn why(&self, error: &StageError) -> String {
        let away = self.node.spool.is_there().err();
        away.map_or_else(|| error.to_string(), |away| away.to_string())
    }
}
