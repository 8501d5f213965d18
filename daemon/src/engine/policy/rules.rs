//! Which agreement is in force when: dates, revocations, versions, conflicts. FORMAT.md §12.
//! Only narrowing is automatic: two texts of one id and version, a revocation by either party, or a newer version take
//! an agreement out of force; nothing here ever puts one in force that both have not signed.

use std::collections::BTreeSet;

use amanah_format::agreement::{Agreement, CoSigned};
use amanah_format::digest::Digest;
use amanah_format::id::PartyId;
use amanah_format::time::UtcTime;

/// Seconds of a day, for drains and expiry.
pub(super) const DAY_SECS: i64 = 86_400;

/// The agreements as loaded, with what makes them not count.
pub(super) struct Rules {
    agreements: Vec<CoSigned>,
    revoked: Vec<(Digest, UtcTime)>,
    /// Digests of texts that share their id and version with another text.
    conflicts: BTreeSet<Digest>,
    alarms: Vec<String>,
}

impl Rules {
    pub(super) fn new(loaded: Vec<CoSigned>, revoked: Vec<(Digest, UtcTime)>) -> Self {
        let mut agreements: Vec<CoSigned> = Vec::with_capacity(loaded.len());
        for agreement in loaded {
            if !agreements.iter().any(|a| a.digest() == agreement.digest()) {
                agreements.push(agreement);
            }
        }
        let mut conflicts = BTreeSet::new();
        let mut alarms = BTreeSet::new();
        for (one, other) in pairs(&agreements) {
            let (a, b) = (one.agreement(), other.agreement());
            if a.id == b.id && a.version == b.version {
                conflicts.extend([one.digest(), other.digest()]);
                alarms.insert(format!("agreement-conflict {}/{}", a.id, a.version));
            }
            if a.id != b.id && same_pair(a, b) && a.effective < b.ends && b.effective < a.ends {
                let doubled = a.flows.iter().filter(|flow| b.flow(&flow.name).is_some());
                alarms.extend(doubled.map(|flow| format!("flow-doubled {}", flow.name)));
            }
        }
        Self {
            agreements,
            revoked,
            conflicts,
            alarms: alarms.into_iter().collect(),
        }
    }

    pub(super) fn agreements(&self) -> &[CoSigned] {
        &self.agreements
    }

    pub(super) fn alarms(&self) -> &[String] {
        &self.alarms
    }

    pub(super) fn find(&self, digest: &Digest) -> Option<&CoSigned> {
        self.agreements.iter().find(|a| a.digest() == *digest)
    }

    /// All between the two parties, whichever is named first.
    pub(super) fn between<'a>(
        &'a self,
        one: &'a PartyId,
        other: &'a PartyId,
    ) -> impl Iterator<Item = &'a CoSigned> {
        self.agreements.iter().filter(move |found| {
            let [first, second] = &found.agreement().parties;
            (&first.id == one && &second.id == other) || (&first.id == other && &second.id == one)
        })
    }

    /// May be used to send: see [`super::Policy::in_force`].
    pub(super) fn in_force(&self, found: &CoSigned, at: UtcTime) -> bool {
        found.agreement().covers(at)
            && self.is_sound(found, at)
            && self.superseded(found.agreement(), at).is_none()
    }

    /// May still be named by what arrives: in force, or superseded at most `drain_days` ago (the older version's own
    /// number), because the sender may have sealed before it knew the newer one.
    pub(super) fn admits(&self, found: &CoSigned, at: UtcTime) -> bool {
        let agreement = found.agreement();
        if !self.is_sound(found, at) || at < agreement.effective {
            return false;
        }
        match self.drains_until(found, at) {
            None => agreement.covers(at),
            Some(until) => at < until,
        }
    }

    /// See [`super::Policy::drains_until`].
    pub(super) fn drains_until(&self, found: &CoSigned, at: UtcTime) -> Option<UtcTime> {
        let agreement = found.agreement();
        let since = self.superseded(agreement, at)?;
        Some(since.plus_secs(i64::from(agreement.drain_days) * DAY_SECS))
    }

    pub(super) fn is_revoked(&self, digest: &Digest, at: UtcTime) -> bool {
        let mut revoked = self.revoked.iter();
        revoked.any(|(revoked, since)| revoked == digest && *since <= at)
    }

    /// Neither revoked at `at` nor one of two texts.
    fn is_sound(&self, found: &CoSigned, at: UtcTime) -> bool {
        let digest = found.digest();
        !self.conflicts.contains(&digest) && !self.is_revoked(&digest, at)
    }

    /// Since when a higher version of the same agreement is effective, if one is at `at`. It supersedes even where it
    /// is itself revoked, over or in conflict: what both parties replaced does not come back by that (default deny).
    fn superseded(&self, agreement: &Agreement, at: UtcTime) -> Option<UtcTime> {
        self.agreements
            .iter()
            .map(CoSigned::agreement)
            .filter(|newer| newer.id == agreement.id && newer.version > agreement.version)
            .map(|newer| newer.effective)
            .filter(|effective| *effective <= at)
            .min()
    }
}

fn pairs(agreements: &[CoSigned]) -> impl Iterator<Item = (&CoSigned, &CoSigned)> {
    agreements.iter().enumerate().flat_map(|(index, one)| {
        let others = agreements.iter().skip(index + 1);
        others.map(move |other| (one, other))
    })
}

fn same_pair(a: &Agreement, b: &Agreement) -> bool {
    let has = |party: &PartyId| b.parties.iter().any(|other| other.id == *party);
    a.parties.iter().all(|party| has(&party.id))
}
