//! Streams: looks after what no single bundle tells. Numbers that are missing are alarmed and asked for; stopped streams stay
//! alarmed; numbers that are given up are said until they are answered; positions are asked for at the start and told at each connection, and so are our later cards. The decisions are `engine::stream`'s.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use amanah_format::digest::Digest;
use amanah_format::document;
use amanah_format::id::{PartyId, Sequence};
use amanah_format::manifest::Manifest;
use amanah_format::slip::{Body, Resend};

use crate::engine::inbound::Inbound;
use crate::engine::rhythm::Watch;
use crate::engine::stream::{StreamKey, ask_again_after};
use crate::journal::{Gap, Page};

use super::signer::Signer;
use super::{IDLE, Node, Pass, ROWS_PER_PASS, StageError, cards, position, slips, void};

/// The stage.
pub struct Streams {
    /// What all stages share.
    pub node: Arc<Node>,
    /// Signs `resend` and `position` slips.
    pub signing: Arc<Signer>,
    /// The peers of the configuration.
    pub peers: Vec<PartyId>,
    /// What was asked for in this life of the process.
    pub asked: Mutex<HashMap<Subject, Asked>>,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Numbers of a stream.
    Numbers(StreamKey),
    /// One bundle.
    Bundle(Digest),
    /// The answer to a number of ours that is given up.
    Void(Digest),
}

/// What was not asked for again so long after it was due has come.
const KEPT: Duration = Duration::from_secs(7_200);

/// A request and when the next is due.
#[derive(Debug)]
pub struct Asked {
    times: u32,
    again_at: Instant,
}

impl Streams {
    /// One look at everything.
    ///
    /// # Errors
    /// The journal's.
    pub fn pass(&self) -> Result<Pass, StageError> {
        for peer in &self.peers {
            // First, for what comes after them a new key may have signed.
            cards::tell(&self.node, &self.signing, peer)?;
            position::ask(&self.node, &self.signing, peer)?;
            position::tell(&self.node, &self.signing, peer)?;
        }
        self.say_stopped()?;
        self.say_silent()?;
        let asked = self.ask_for_missing()?.min(self.ask_for_bundles()?);
        let again_after = asked.min(void::pass(self)?);
        Ok(Pass {
            done: 0,
            again_after,
        })
    }

    /// Flows of agreements in force in which a bundle was due and none came, or none got to the peer. Said on both sides.
    fn say_silent(&self) -> Result<(), StageError> {
        let (node, now) = (&self.node, self.node.clock.now());
        let policy = node.rules.now();
        let (mut missed, mut unknown) = (Vec::new(), Vec::new());
        for known in policy.agreements() {
            let text = known.agreement();
            if !policy.in_force(&known.digest(), now) {
                continue;
            }
            for flow in &text.flows {
                let Some(rhythm) = &flow.rhythm else { continue };
                let sends = &flow.from == policy.own();
                let peer = if sends { &flow.to } else { &flow.from };
                let subject = format!("{peer} {}", flow.name);
                let Some(watch) = Watch::parse(rhythm, &text.zone) else {
                    unknown.push(subject);
                    continue;
                };
                let last = match sends {
                    true => node.journal.last_went(peer, &flow.name)?,
                    false => node.journal.last_came(peer, &flow.name)?,
                };
                if watch.is_missed(last, text.effective, now) {
                    missed.push(subject);
                }
            }
        }
        node.board.alarm_exactly("rhythm-missed", &missed, now);
        node.board.alarm_exactly("rhythm-unknown", &unknown, now);
        Ok(())
    }

    /// A stopped stream is alarmed until somebody opens its next epoch, over restarts too.
    fn say_stopped(&self) -> Result<(), StageError> {
        let subjects = self.node.journal.stopped()?.into_iter();
        let subjects: Vec<String> = subjects
            .map(|stopped| format!("{} {}", stopped.peer, stopped.flow))
            .collect();
        self.node
            .board
            .alarm_exactly("sender-behind", &subjects, self.node.clock.now());
        Ok(())
    }

    /// Alarms the gaps, takes back the alarms of those that are closed, and asks where a request is due.
    fn ask_for_missing(&self) -> Result<Duration, StageError> {
        let gaps = self.node.journal.gaps()?;
        let subject = |gap: &Gap| format!("{} {}", gap.stream.peer, gap.stream.flow);
        let subjects: Vec<String> = gaps.iter().map(subject).collect();
        let now = self.node.clock.now();
        self.node
            .board
            .alarm_exactly("numbers-missing", &subjects, now);
        let is_open = |subject: &Subject| match subject {
            Subject::Numbers(stream) => gaps.iter().any(|gap| &gap.stream == stream),
            Subject::Bundle(_) | Subject::Void(_) => true,
        };
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|subject, asked| is_open(subject) && asked.again_at + KEPT > Instant::now());
        let mut next = IDLE;
        for gap in &gaps {
            match self.not_due(&Subject::Numbers(gap.stream.clone())) {
                Some(left) => next = next.min(left),
                None => self.ask(gap)?,
            }
        }
        Ok(next)
    }

    /// Bundles that are to be imported again and of which nothing lies here.
    fn ask_for_bundles(&self) -> Result<Duration, StageError> {
        let admitted = self
            .node
            .journal
            .inbound_in(&[Inbound::Admitted], Page::first(ROWS_PER_PASS))?;
        let mut next = IDLE;
        for row in admitted {
            if !self.node.spool.is_nowhere(&row.peer, &row.digest)? {
                continue;
            }
            let Ok(manifest) = document::parse::<Manifest>(&row.manifest) else {
                continue;
            };
            let subject = Subject::Bundle(row.digest);
            if let Some(left) = self.not_due(&subject) {
                next = next.min(left);
                continue;
            }
            let body = Body::Resend(Resend {
                manifest: Some(row.digest),
                agreement: manifest.agreement.id,
                flow: manifest.flow,
                epoch: manifest.epoch,
                first: manifest.sequence,
                last: manifest.sequence,
            });
            let slip = slips::draft(&self.node, &row.peer, body);
            let about = format!("resend {}", row.digest);
            slips::put(&self.node, &self.signing, slip, &about)?;
        }
        Ok(next)
    }

    /// How long until it may be asked for; none: now, and it counts as asked.
    pub(super) fn not_due(&self, subject: &Subject) -> Option<Duration> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let (times, again_at) = asked
            .get(subject)
            .map_or((0, None), |known| (known.times, Some(known.again_at)));
        let left = again_at.map(|at| at.saturating_duration_since(Instant::now()));
        if let Some(left) = left.filter(|left| !left.is_zero()) {
            return Some(left);
        }
        let times = times.saturating_add(1);
        let again_at = Instant::now() + Duration::from_secs(ask_again_after(times));
        asked.insert(subject.clone(), Asked { times, again_at });
        None
    }

    fn ask(&self, gap: &Gap) -> Result<(), StageError> {
        let stream = &gap.stream;
        for (index, (first, last)) in gap.runs.iter().enumerate() {
            tracing::warn!(peer = %stream.peer, flow = %stream.flow, epoch = stream.epoch.get(), first, last, "numbers are missing; they are asked for");
            // Beyond the last number there is nothing to ask for.
            let (Ok(first), Ok(last)) = (Sequence::try_from(*first), Sequence::try_from(*last))
            else {
                continue;
            };
            let body = Body::Resend(Resend {
                manifest: None,
                agreement: stream.agreement.clone(),
                flow: stream.flow.clone(),
                epoch: stream.epoch,
                first,
                last,
            });
            let slip = slips::draft(&self.node, &stream.peer, body);
            let about = format!("resend {} {index}", stream.flow);
            slips::put(&self.node, &self.signing, slip, &about)?;
        }
        Ok(())
    }
}
