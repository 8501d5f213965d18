//! What the daemon published last: whether it runs, its alarms, what waits too long, which numbers are missing, who is away.
//! Alarms are counted by code; what they are about stays in `amanah status`.

use std::collections::BTreeMap;

use amanah_format::time::UtcTime;
use amanahd::catalogue::faces::doctor as face;
use amanahd::snapshot::{Snapshot, StreamStatus};

use super::{Findings, Patient, Severity};
use crate::status::{Life, life};

const HOUR_SECS: i64 = 3_600;
/// A peer that dials us and has not been there for so long is away.
const AWAY_HOURS: i64 = 1;

pub(super) fn look(patient: &Patient<'_>, older_than_hours: u32, findings: &mut Findings) {
    findings.look_at("daemon");
    let Some(snapshot) = &patient.snapshot else {
        findings.add(
            Severity::Error,
            &face::DAEMON_NEVER,
            [&patient.home.display()],
        );
        return;
    };
    let age = (patient.now.unix() - snapshot.written.unix()).max(0);
    let life = life(snapshot, patient.now.unix());
    match life {
        Life::Running => {}
        Life::Stopped => findings.add(Severity::Error, &face::DAEMON_STOPPED, [&age]),
        Life::Silent => findings.add(Severity::Error, &face::DAEMON_SILENT, [&age]),
    }
    let own = env!("CARGO_PKG_VERSION");
    if snapshot.version != own {
        findings.add(
            Severity::Warning,
            &face::DAEMON_OTHER_VERSION,
            [&snapshot.version, &own],
        );
    }
    alarms(snapshot, findings);
    findings.look_at("flows");
    flows(snapshot, patient.now, older_than_hours, findings);
    if life == Life::Running {
        peers(snapshot, patient.now, findings);
    }
}

fn alarms(snapshot: &Snapshot, findings: &mut Findings) {
    let mut by_code: BTreeMap<&str, (usize, UtcTime)> = BTreeMap::new();
    for alarm in &snapshot.alarms {
        let entry = by_code.entry(&alarm.code).or_insert((0, alarm.since));
        entry.0 += 1;
        entry.1 = entry.1.min(alarm.since);
    }
    for (code, (count, since)) in by_code {
        findings.add(Severity::Error, &face::ALARM, [&code, &count, &since]);
    }
}

fn flows(snapshot: &Snapshot, now: UtcTime, older_than_hours: u32, findings: &mut Findings) {
    for stream in &snapshot.streams {
        let name = name(stream);
        if let Some(oldest) = stream.oldest_unsettled {
            let hours = (now.unix() - oldest.unix()) / HOUR_SECS;
            if hours >= i64::from(older_than_hours) {
                findings.add(Severity::Warning, &face::UNSETTLED, [&name, &hours]);
            }
        }
        if let (Some(missing @ 1..), Some(after)) = (stream.missing, stream.contiguous) {
            findings.add(
                Severity::Warning,
                &face::NUMBERS_MISSING,
                [&name, &missing, &after],
            );
        }
    }
}

fn name(stream: &StreamStatus) -> String {
    let arrow = if stream.way == "out" { '→' } else { '←' };
    format!("{arrow} {} {}", stream.peer, stream.flow)
}

/// Peers that dial us cannot be looked for; that they are away can be seen.
fn peers(snapshot: &Snapshot, now: UtcTime, findings: &mut Findings) {
    for peer in &snapshot.peers {
        if peer.paused {
            findings.add(Severity::Note, &face::PEER_PAUSED, [&peer.party]);
        } else if peer.side == "listen" && !peer.connected {
            let since = peer.last_contact.unwrap_or(snapshot.started);
            let hours = (now.unix() - since.unix()) / HOUR_SECS;
            if hours >= AWAY_HOURS {
                findings.add(Severity::Warning, &face::PEER_SILENT, [&peer.party, &hours]);
            }
        }
    }
}
