//! Kill points: named instants of SPOOL.md at which a test lets the process die as if by SIGKILL, or holds one thread of it
//! while the test changes something. Without the feature `kill-points` (no shipped binary has it) a point is nothing at all.

/// With the feature: dies here when the environment variable `AMANAH_KILL_AT` is this name (`NAME` or `NAME:n` for the
/// n-th passing, counted from 1). Waits here while somebody else has locked the file NAME in the folder `AMANAH_HOLD_IN`;
/// the file NAME.reached beside it says so.
#[inline(always)]
pub fn point(name: &'static str) {
    #[cfg(feature = "kill-points")]
    {
        armed::pass(name);
        held::pass(name);
    }
    #[cfg(not(feature = "kill-points"))]
    let _ = name;
}

#[cfg(feature = "kill-points")]
mod held {
    use std::fs::{File, remove_file};
    use std::path::PathBuf;
    use std::sync::OnceLock;

    use rustix::fs::{FlockOperation, flock};

    /// Waits for the lock of the gate that bears this name; where there is no gate it goes on.
    pub(super) fn pass(name: &str) {
        static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
        let folder = FOLDER.get_or_init(|| std::env::var_os("AMANAH_HOLD_IN").map(PathBuf::from));
        let Some(folder) = folder else { return };
        let Ok(gate) = File::open(folder.join(name)) else {
            return;
        };
        let reached = folder.join(format!("{name}.reached"));
        // Ignored: a test that hears nothing of its gate fails by itself.
        let _ = File::create(&reached);
        let _ = flock(&gate, FlockOperation::LockShared);
        let _ = remove_file(&reached);
    }
}

#[cfg(feature = "kill-points")]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use rustix::process::{Signal, getpid, kill_process};

    /// Which point, and how many passings are left.
    struct Target {
        name: String,
        left: AtomicU64,
    }

    /// Dies when `name` is the target and this is its passing.
    pub(super) fn pass(name: &'static str) {
        static TARGET: OnceLock<Option<Target>> = OnceLock::new();
        let target = TARGET.get_or_init(|| parse(&std::env::var("AMANAH_KILL_AT").ok()?));
        if target.as_ref().is_some_and(|target| target.is_now(name)) {
            die();
        }
    }

    impl Target {
        fn is_now(&self, name: &str) -> bool {
            self.name == name && self.left.fetch_sub(1, Ordering::SeqCst) == 1
        }
    }

    fn parse(text: &str) -> Option<Target> {
        let (name, passing) = match text.rsplit_once(':') {
            Some((name, passing)) => (name, passing.parse().ok()?),
            None => (text, 1),
        };
        let name = name.to_owned();
        let left = AtomicU64::new(passing);
        Some(Target { name, left })
    }

    fn die() -> ! {
        // Ignored: a process may always kill itself, and if not, standing still is the nearest thing to death.
        let _ = kill_process(getpid(), Signal::KILL);
        loop {
            std::thread::park();
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_point_is_meant_at_its_passing_only() {
            let target = parse("journal.before-commit:2").unwrap();
            assert!(!target.is_now("journal.after-commit"));
            assert!(!target.is_now("journal.before-commit"));
            assert!(target.is_now("journal.before-commit"));
            assert!(!target.is_now("journal.before-commit"));
            assert!(parse("seal").unwrap().is_now("seal"));
        }

        #[test]
        fn a_passing_that_is_no_number_arms_nothing() {
            assert!(parse("seal:x").is_none());
        }
    }
}
