//! The limits of SAFETY.md P11, read from the running daemon itself: its peak of memory, the time that it computed, what it has
//! open. A case that was refused by every rule and cost ten minutes would still be a way to stop a ministry.

use std::fs;
use std::time::Duration;

use amanah_tests::ministry::Ministry;
use anyhow::{Context, Result, ensure};

/// Most memory of a daemon, whatever is pushed.
const MEMORY_KIB_MAX: u64 = 256 * 1024;
/// Most time of computing for one input, and more for each GiB that it declares.
const CPU_SECS_MAX: u64 = 60;
const CPU_SECS_PER_GIB: u64 = 20;
/// Parts of a second in `/proc/PID/stat` (proc(5): USER_HZ, the same on every Linux for programs).
const TICKS_PER_SEC: u64 = 100;
/// How many descriptors more than before may be open after a group: a connection that has just ended, a database's own.
const DESCRIPTORS_MORE_MAX: usize = 8;

/// What a daemon has used so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Used {
    pub(super) peak_kib: u64,
    pub(super) cpu: Duration,
    descriptors: usize,
}

impl Used {
    /// By the process that its own status names.
    pub(super) fn by(ministry: &Ministry) -> Result<Self> {
        let process = ministry.status()?.context("a status")?.process;
        let memory = fs::read_to_string(format!("/proc/{process}/status"))?;
        let peak = memory.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.context("VmHWM")?.trim().trim_end_matches(" kB");
        let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
        // The name of the program, in brackets, may hold anything.
        let (_, fields) = stat.rsplit_once(") ").context("the fields")?;
        // utime and stime are the fields 14 and 15 of all, the first here is the third.
        let times = fields.split(' ').skip(11).take(2);
        let ticks: Vec<u64> = times.map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self {
            peak_kib: peak.parse()?,
            cpu: Duration::from_millis(ticks.iter().sum::<u64>() * 1000 / TICKS_PER_SEC),
            descriptors: fs::read_dir(format!("/proc/{process}/fd"))?.count(),
        })
    }

    /// What this much input cost since `before`, which must be within the limits.
    pub(super) fn since(&self, before: &Self, declared_bytes: u64) -> Result<Duration> {
        let (cpu, gib) = (self.cpu.saturating_sub(before.cpu), declared_bytes >> 30);
        let most = Duration::from_secs(CPU_SECS_MAX + CPU_SECS_PER_GIB * gib);
        ensure!(cpu <= most, "{cpu:?} of computing");
        ensure!(
            self.peak_kib <= MEMORY_KIB_MAX,
            "{} KiB at the peak",
            self.peak_kib
        );
        Ok(cpu)
    }

    /// Nothing stays open that was opened since `before`.
    pub(super) fn holds_no_more_than(&self, before: &Self) -> Result<()> {
        let (now, then) = (self.descriptors, before.descriptors);
        ensure!(
            now <= then + DESCRIPTORS_MORE_MAX,
            "{now} descriptors, {then} before"
        );
        Ok(())
    }
}
