//! What people are shown beside the journal: links to peers, progress of transfers, alarms. Lost at restart without harm.
//! Nothing decides by it: a stage that needs to know something asks the journal. Only `publish` reads it, for
//! `status.json`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use amanah_format::digest::Digest;
use amanah_format::id::PartyId;
use amanah_format::time::UtcTime;

use crate::bell::Bell;
use crate::catalogue;
use crate::event::Event;
use crate::snapshot::Alarm;

/// Most alarms of one code: the oldest of a flood says as much as all of it, and leaves room for alarms of other codes, which
/// are few.
const ALARMS_OF_CODE_MAX: usize = 20;

/// The link to a peer as last seen.
#[derive(Debug, Clone, Default)]
pub struct LinkState {
    /// Connected now.
    pub connected: bool,
    /// Since when it is (or is not).
    pub since: Option<UtcTime>,
    /// Where it is.
    pub address: Option<String>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it is tried again.
    pub retry_at: Option<UtcTime>,
}

/// Shared by all stages; every method is short.
#[derive(Default)]
pub struct Board {
    links: Mutex<BTreeMap<PartyId, LinkState>>,
    progress: Mutex<BTreeMap<Digest, Arc<AtomicU64>>>,
    alarms: Mutex<Vec<Alarm>>,
    untold: Mutex<BTreeSet<&'static str>>,
    told: Bell,
}

impl Board {
    /// A board that rings `bell` when an alarm is raised.
    #[must_use]
    pub fn ringing(bell: Bell) -> Self {
        Self {
            told: bell,
            ..Self::default()
        }
    }

    /// The peer is connected.
    pub fn connected(&self, peer: &PartyId, address: String, now: UtcTime) {
        let state = LinkState {
            connected: true,
            since: Some(now),
            address: Some(address),
            ..LinkState::default()
        };
        lock(&self.links).insert(peer.clone(), state);
    }

    /// The peer is not connected, and why.
    pub fn disconnected(
        &self,
        peer: &PartyId,
        error: Option<String>,
        now: UtcTime,
        retry_at: Option<UtcTime>,
    ) {
        let mut links = lock(&self.links);
        let link = links.entry(peer.clone()).or_default();
        if link.connected || link.since.is_none() {
            link.since = Some(now);
        }
        link.connected = false;
        link.retry_at = retry_at;
        if error.is_some() {
            link.last_error = error;
        }
    }

    /// The link as last seen.
    #[must_use]
    pub fn link(&self, peer: &PartyId) -> LinkState {
        lock(&self.links).get(peer).cloned().unwrap_or_default()
    }

    /// The counter of acknowledged bytes of a bundle.
    #[must_use]
    pub fn progress(&self, manifest: &Digest) -> Arc<AtomicU64> {
        Arc::clone(lock(&self.progress).entry(*manifest).or_default())
    }

    /// Acknowledged bytes of a bundle; 0 where nothing is under way.
    #[must_use]
    pub fn sent_bytes(&self, manifest: &Digest) -> u64 {
        lock(&self.progress)
            .get(manifest)
            .map_or(0, |sent| sent.load(Ordering::Relaxed))
    }

    /// All counters that there are.
    #[must_use]
    pub fn in_flight(&self) -> BTreeMap<Digest, u64> {
        let progress = lock(&self.progress);
        let counters = progress.iter();
        counters
            .map(|(manifest, sent)| (*manifest, sent.load(Ordering::Relaxed)))
            .collect()
    }

    /// A bundle is through: its counter goes.
    pub fn finished(&self, manifest: &Digest) {
        lock(&self.progress).remove(manifest);
    }

    /// Raises an alarm once; the same code and subject again changes nothing.
    pub fn alarm(&self, code: &str, subject: &str, now: UtcTime) {
        let mut alarms = lock(&self.alarms);
        let same = || alarms.iter().filter(|alarm| alarm.code == code);
        let known = same().any(|alarm| alarm.subject == subject);
        if !known && same().count() < ALARMS_OF_CODE_MAX {
            tracing::error!(event = Event::Alarm.name(), code, subject, "alarm");
            alarms.push(Alarm {
                code: code.to_owned(),
                subject: subject.to_owned(),
                since: now,
            });
            // Only a code of the closed list is ever told: whatever wrote the others.
            let listed = catalogue::page::codes().find(|listed| *listed == code);
            lock(&self.untold).extend(listed);
            self.told.ring();
        }
    }

    /// Whether this alarm is raised.
    #[must_use]
    pub fn is_alarmed(&self, code: &str, subject: &str) -> bool {
        let alarms = lock(&self.alarms);
        let mut of_it = alarms.iter();
        of_it.any(|alarm| alarm.code == code && alarm.subject == subject)
    }

    /// Takes an alarm back: its cause is gone.
    pub fn quiet(&self, code: &str, subject: &str) {
        lock(&self.alarms).retain(|alarm| alarm.code != code || alarm.subject != subject);
    }

    /// Raises an alarm of this code for each of `subjects`, and takes back those for others.
    pub fn alarm_exactly(&self, code: &str, subjects: &[String], now: UtcTime) {
        let is_over = |alarm: &Alarm| alarm.code == code && !subjects.contains(&alarm.subject);
        lock(&self.alarms).retain(|alarm| !is_over(alarm));
        for subject in subjects {
            self.alarm(code, subject, now);
        }
    }

    /// Takes back every alarm about `subject`.
    pub fn quiet_all_of(&self, subject: &str) {
        lock(&self.alarms).retain(|alarm| !alarm.subject.starts_with(subject));
    }

    /// Codes of alarms that nobody was told of yet.
    #[must_use]
    pub fn untold(&self) -> Vec<&'static str> {
        lock(&self.untold).iter().copied().collect()
    }

    /// Somebody is being told of this one.
    pub fn tell(&self, code: &'static str) {
        lock(&self.untold).remove(code);
    }

    /// All alarms, oldest first.
    #[must_use]
    pub fn alarms(&self) -> Vec<Alarm> {
        lock(&self.alarms).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_one_alarm_leaves_room_for_another() {
        let board = Board::default();
        let now = UtcTime::from_unix(1_800_000_000).unwrap();
        for number in 0..1_000 {
            board.alarm("damaged", &number.to_string(), now);
        }
        board.alarm("payload-lost", "x", now);
        board.alarm("payload-lost", "x", now);
        board.alarm("of-no-list", "y", now);
        assert_eq!(board.untold(), ["damaged", "payload-lost"]);
        board.tell("damaged");
        assert_eq!(board.untold(), ["payload-lost"]);
        board.quiet("of-no-list", "y");
        let alarms = board.alarms();
        assert_eq!(alarms.len(), ALARMS_OF_CODE_MAX + 1);
        assert_eq!(alarms.last().unwrap().code, "payload-lost");
    }
}
