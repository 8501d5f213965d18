//! Faults of system calls by strace: which calls change state, how a life is recorded, and how the k-th call of a thread is
//! made to fail, or to be the last. strace counts per thread, and a call that fails so is never carried out.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::ground::Ground;

/// Calls by which the daemon changes its disk or tells its peer something.
pub(super) const CHANGING: [&str; 18] = [
    "openat",
    "openat2",
    "write",
    "pwrite64",
    "ftruncate",
    "mkdirat",
    "renameat",
    "renameat2",
    "linkat",
    "unlinkat",
    "unlink",
    "rmdir",
    "fchmod",
    "utimensat",
    "fsync",
    "fdatasync",
    "syncfs",
    "sendto",
];
/// Calls by which it makes something durable.
pub(super) const SYNCING: [&str; 3] = ["fsync", "fdatasync", "syncfs"];

/// What happens at the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Kill,
    Eio,
    Enospc,
}

/// The k-th call of this name of any one thread.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fault {
    pub(super) call: &'static str,
    pub(super) when: u64,
    pub(super) kind: Kind,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {} number {}", self.kind, self.call, self.when)
    }
}

impl Fault {
    /// What stands before the daemon's own command line. What is injected is noted in `log`.
    pub(super) fn words(&self, log: &Path) -> Vec<String> {
        let Self { call, when, kind } = self;
        let fault = match kind {
            Kind::Kill => "signal=KILL",
            Kind::Eio => "error=EIO",
            Kind::Enospc => "error=ENOSPC",
        };
        let mut words = tracing(log);
        words.extend(["-e".to_owned(), format!("trace={call}")]);
        words.extend([
            "-e".to_owned(),
            format!("inject={call}:{fault}:when={when}"),
        ]);
        words
    }
}

/// Records each changing call.
pub(super) fn recording(log: &Path) -> Vec<String> {
    let mut words = tracing(log);
    words.extend(["-e".to_owned(), format!("trace={}", CHANGING.join(","))]);
    words
}

fn tracing(log: &Path) -> Vec<String> {
    let log = log.to_string_lossy().into_owned();
    [
        "strace",
        "-f",
        "-qq",
        "-s",
        "0",
        "-o",
        &log,
        "--seccomp-bpf",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// For each call, the most that one thread made of it.
pub(super) fn most_per_thread(log: &Path) -> Result<BTreeMap<&'static str, u64>> {
    let text = fs::read_to_string(log).with_context(|| log.display().to_string())?;
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for line in text.lines() {
        let Some((thread, rest)) = line.split_once(' ') else {
            continue;
        };
        let Some((call, _)) = rest.trim_start().split_once('(') else {
            continue;
        };
        *counts.entry((call, thread)).or_default() += 1;
    }
    let mut most = BTreeMap::new();
    for ((call, _), count) in counts {
        if let Some(known) = CHANGING.iter().find(|known| **known == call) {
            let entry = most.entry(*known).or_insert(0);
            *entry = count.max(*entry);
        }
    }
    Ok(most)
}

/// Whether the fault happened.
pub(super) fn happened(log: &Path) -> bool {
    let text = fs::read_to_string(log).unwrap_or_default();
    text.contains("INJECTED") || text.contains("killed by SIGKILL")
}

impl Ground {
    /// Starts one under strace; does not wait.
    pub(super) fn start_traced(&mut self, who: usize, words: &[String]) -> Result<()> {
        let launch = self.ministry(who).launch().clone().through(words);
        self.ministry(who).launch_daemon(&launch)
    }

    /// Ends the daemon that runs below strace; strace ends with it.
    pub(super) fn kill_traced(&mut self, who: usize) -> Result<()> {
        let strace = self.ministry(who).daemon_id().context("no daemon runs")?;
        for _ in 0..100 {
            if self.ministry(who).has_ended()? {
                break;
            }
            let children = fs::read_to_string(format!("/proc/{strace}/task/{strace}/children"));
            let child = children?
                .split_whitespace()
                .next()
                .and_then(|id| id.parse().ok());
            if let Some(child) = child.and_then(Pid::from_raw) {
                // Gone in this moment is as good.
                let _ = kill_process(child, Signal::KILL);
                break;
            }
            std::thread::yield_now();
        }
        if self.ministry(who).until_ended().is_err() {
            bail!("strace does not end");
        }
        Ok(())
    }
}
