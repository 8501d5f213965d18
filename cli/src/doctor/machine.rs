//! The machine: its clock (synchronised? in agreement with the peers' receipts?), the room and the inodes of the home's disk.
//! A receipt cannot come before it was signed; where it does, one of two clocks is wrong.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use amanah_format::home;
use amanah_format::limits::CLOCK_SKEW_SECS;
use amanah_format::receipt::VerifiedReceipt;
use amanahd::catalogue::{Language, faces::doctor as face, moment};

use super::{Findings, Patient, Severity};
use crate::papers;

/// systemd-timesyncd makes it when it has set the clock.
const SYNCHRONISED: &str = "/run/systemd/timesync/synchronized";
/// Longest wait for `timedatectl`, which asks a service.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// A second or two is rounding.
const SKEW_SECS_NOTED: i64 = 5;
/// The newest receipts of each peer that are compared: older ones tell of clocks that were set since.
const RECEIPTS_COMPARED: usize = 20;
/// So many times the bound on free bytes is low.
const LOW_TIMES: u64 = 4;
/// Below a twentieth of all inodes they are low.
const INODES_PART: u64 = 20;
/// A home needs a few for each bundle.
const INODES_MIN: u64 = 10_000;

pub(super) fn look(patient: &Patient<'_>, findings: &mut Findings) {
    findings.look_at("clock");
    match is_synchronised() {
        Some(true) => {}
        Some(false) => findings.add(Severity::Warning, &face::CLOCK_UNSYNCED, []),
        None => findings.add(Severity::Note, &face::CLOCK_UNKNOWN, []),
    }
    receipts(patient, findings);
    held(patient, findings);
    findings.look_at("disk");
    disk(patient, findings);
}

/// What whoever sets the clock says; none where nobody can be asked.
fn is_synchronised() -> Option<bool> {
    if Path::new(SYNCHRONISED).exists() {
        return Some(true);
    }
    let mut asked = Command::new("timedatectl")
        .args(["show", "--property=NTPSynchronized", "--value"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let start = Instant::now();
    let status = loop {
        if let Some(status) = asked.try_wait().ok()? {
            break status;
        }
        if start.elapsed() > ANSWER_WITHIN {
            let _ = asked.kill();
            let _ = asked.wait();
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let answer = std::io::read_to_string(asked.stdout.take()?).ok()?;
    match answer.trim() {
        "yes" if status.success() => Some(true),
        "no" if status.success() => Some(false),
        _ => None,
    }
}

/// The peers' newest receipts: the time that each names against the time at which its file was written here.
fn receipts(patient: &Patient<'_>, findings: &mut Findings) {
    let Ok((policy, _)) = patient.config.policy(patient.now) else {
        return;
    };
    for peer in &patient.config.peers {
        let folder = patient.home.join(home::receipts_received(&peer.party));
        let mut files: Vec<_> = papers::in_folder(&folder, ".receipt.amanah")
            .unwrap_or_default()
            .into_iter()
            .filter_map(|path| Some((written(&path)?, path)))
            .collect();
        files.sort_unstable_by_key(|(written, _)| std::cmp::Reverse(*written));
        let ahead = files
            .iter()
            .take(RECEIPTS_COMPARED)
            .filter_map(|(came, path)| {
                let bytes = papers::read(path).ok()?;
                let receipt =
                    VerifiedReceipt::verify(&bytes, policy.keyring(), patient.now).ok()?;
                Some(receipt.receipt().finished.unix() - came)
            });
        if let Some(secs) = ahead.max().filter(|secs| *secs > SKEW_SECS_NOTED) {
            let severity = if secs > CLOCK_SKEW_SECS {
                Severity::Error
            } else {
                Severity::Warning
            };
            findings.add(severity, &face::CLOCK_PEER_AHEAD, [&peer.party, &secs]);
        }
    }
}

fn written(path: &Path) -> Option<i64> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|found| found.mtime())
}

fn held(patient: &Patient<'_>, findings: &mut Findings) {
    let Some(snapshot) = &patient.snapshot else {
        return;
    };
    let ahead = snapshot.written.unix() - patient.now.unix();
    if ahead > SKEW_SECS_NOTED {
        findings.add(Severity::Warning, &face::CLOCK_WENT_BACK, [&ahead]);
    }
    let reasons = snapshot.incoming.iter().map(|bundle| &bundle.held);
    let reasons = reasons.chain(snapshot.outgoing.iter().map(|bundle| &bundle.held));
    let clock = reasons
        .filter(|reason| reason.as_deref() == Some("clock"))
        .count();
    if clock > 0 {
        findings.add(Severity::Error, &face::CLOCK_HOLDS, [&clock]);
    }
}

fn disk(patient: &Patient<'_>, findings: &mut Findings) {
    let Ok(found) = rustix::fs::statvfs(&patient.home) else {
        return;
    };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let bound = patient.config.limits.free_bytes_min;
    let size = |bytes| moment::bytes(bytes, Language::English);
    let values: [&dyn std::fmt::Display; 3] = [&patient.home.display(), &size(free), &size(bound)];
    if free < bound {
        findings.add(Severity::Error, &face::DISK_FULL, values);
    } else if free < bound.saturating_mul(LOW_TIMES) {
        findings.add(Severity::Warning, &face::DISK_LOW, values);
    }
    // A file system without a fixed number of inodes says 0.
    let is_counted = found.f_files > 0;
    if is_counted && found.f_favail < INODES_MIN.min(found.f_files / INODES_PART) {
        findings.add(
            Severity::Warning,
            &face::INODES_LOW,
            [&patient.home.display(), &found.f_favail, &found.f_files],
        );
    }
}
