//! Metrics for Prometheus, made from the status snapshot and nothing else: base units, counters that end in `_total`, few labels
//! (peer, flow, and a code of a closed list), all of them bounded by the configuration and the agreements. Off unless
//! `[metrics]` names a loopback address or a file; then the same text is in both. docs/alerts.rules.yml alerts on them.

mod listener;
mod text;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::durable;
use crate::snapshot::Snapshot;

pub use listener::serve;
pub use text::of;

/// A collector reads about every 15 seconds; a snapshot is made up to 20 times a second.
const EVERY: Duration = Duration::from_secs(5);
/// Whoever collects is another user; there is nothing personal in it.
const MODE: u32 = 0o644;

/// The text as it stands, and where else it goes.
pub struct Metrics {
    file: Option<PathBuf>,
    latest: Mutex<Latest>,
}

#[derive(Default)]
struct Latest {
    text: Arc<str>,
    made: Option<Instant>,
}

/// Whether the listener would answer a request with this head, for the fuzz target.
#[cfg(feature = "fuzzing")]
#[must_use]
pub fn would_answer(head: &[u8]) -> bool {
    listener::judge(head).is_ok()
}

impl Metrics {
    /// Nothing yet; `file` is replaced at each publication.
    #[must_use]
    pub fn new(file: Option<PathBuf>) -> Self {
        Self {
            file,
            latest: Mutex::default(),
        }
    }

    /// Takes over a snapshot, unless the last one was moments ago and this is not the end. A file that cannot be written
    /// is said in the log and stops nothing: metrics are a copy.
    pub fn publish(&self, snapshot: &Snapshot) {
        let now = Instant::now();
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = latest.made.is_some_and(|made| now - made < EVERY);
        if is_fresh && snapshot.running {
            return;
        }
        *latest = Latest {
            text: of(snapshot).into(),
            made: Some(now),
        };
        if let Some(file) = &self.file
            && let Err(error) = write(file, &latest.text)
        {
            tracing::warn!("the metrics could not be written: {error}");
        }
    }

    /// What a scrape gets.
    #[must_use]
    pub fn text(&self) -> Arc<str> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&latest.text)
    }
}

/// By rename, without a sync: after a power cut it is made anew.
fn write(file: &Path, text: &str) -> Result<(), durable::DurableError> {
    let folder = file.parent().unwrap_or(Path::new("/"));
    let name = file.file_name().and_then(std::ffi::OsStr::to_str);
    durable::publish(folder, name.unwrap_or_default(), text.as_bytes(), MODE)
}
