//! Rings a bell when something comes into a folder that is looked at from time to time anyway: nobody waits for the next look.
//! It tells nothing else. What it misses (events that were lost, a folder that was exchanged) the next look finds.

use std::path::Path;

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::WatchError;
use crate::bell::Bell;

/// Rings until it is dropped.
pub struct Ring {
    _watcher: RecommendedWatcher,
}

impl Ring {
    /// Rings for `folder` itself, not for what is below its folders.
    ///
    /// # Errors
    /// [`WatchError`]: missing, not permitted, or no more watches for this user.
    pub fn start(folder: &Path, bell: Bell) -> Result<Self, WatchError> {
        let failed = |error: notify::Error| WatchError {
            path: folder.to_owned(),
            reason: error.to_string(),
        };
        let heard = move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|event| !event.need_rescan() && !brings(event.kind)) {
                return;
            }
            bell.ring();
        };
        let config = notify::Config::default().with_follow_symlinks(false);
        let mut watcher = RecommendedWatcher::new(heard, config).map_err(failed)?;
        watcher
            .watch(folder, RecursiveMode::NonRecursive)
            .map_err(failed)?;
        Ok(Self { _watcher: watcher })
    }
}

/// Whether something may be there that was not: to read, to open and to remove, as whoever looks does, is no news.
const fn brings(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::Create(_)
            | EventKind::Modify(ModifyKind::Name(_))
            | EventKind::Access(AccessKind::Close(AccessMode::Write))
            | EventKind::Any
            | EventKind::Other
    )
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn what_comes_in_rings_by_every_way_of_writing() {
        let ground = tempfile::tempdir().unwrap();
        let folder = ground.path().join("requests");
        fs::create_dir(&folder).unwrap();
        let bell = Bell::default();
        let _ring = Ring::start(&folder, bell.clone()).unwrap();
        let before = bell.heard();
        fs::write(ground.path().join("request"), "x").unwrap();
        fs::rename(ground.path().join("request"), folder.join("a.json")).unwrap();
        assert!(bell.wait(before, PATIENCE), "a rename into it");
        let before = bell.heard();
        fs::write(folder.join("b.json"), "x").unwrap();
        assert!(bell.wait(before, PATIENCE), "a file written into it");
        assert!(Ring::start(&ground.path().join("missing"), bell).is_err());
    }

    #[test]
    fn what_whoever_looks_does_is_no_news() {
        use notify::event::{DataChange, MetadataKind, RemoveKind};
        for kind in [
            EventKind::Access(AccessKind::Open(AccessMode::Any)),
            EventKind::Access(AccessKind::Close(AccessMode::Read)),
            EventKind::Remove(RemoveKind::File),
            EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any)),
            EventKind::Modify(ModifyKind::Data(DataChange::Any)),
        ] {
            assert!(!brings(kind), "{kind:?}");
        }
    }
}
