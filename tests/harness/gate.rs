//! A gate at a named instant of SPOOL.md: the thread of a daemon that comes by stands still until the gate opens, while the
//! test changes something or watches the others. The daemon must have been started with [`HOLD_IN`] and the gates' folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use amanah::demo::ministry::Ministry;
use amanah::demo::waiting::until;
use anyhow::Result;
use rustix::fs::{FlockOperation, flock};

use super::exchange::PATIENCE;

/// The variable that names the folder in which a program under test looks for gates.
pub const HOLD_IN: &str = "AMANAH_HOLD_IN";

/// From its next start the daemon of a ministry looks for gates in this folder, which is made.
///
/// # Errors
/// It cannot be.
pub fn looks_for_gates(ministry: &mut Ministry, folder: &Path) -> Result<()> {
    fs::create_dir(folder)?;
    let launch = ministry.launch().clone();
    ministry.types_through(launch.with(HOLD_IN, &folder.to_string_lossy()));
    Ok(())
}

/// A gate at which a daemon waits as long as this value lives.
pub struct Gate {
    place: PathBuf,
    _locked: File,
}

impl Gate {
    /// Shuts the gate of this name.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn shut(folder: &Path, point: &str) -> Result<Self> {
        let (place, made) = (folder.join(point), folder.join("baru"));
        let locked = File::create(&made)?;
        flock(&locked, FlockOperation::LockExclusive)?;
        fs::rename(&made, &place)?;
        Ok(Self {
            place,
            _locked: locked,
        })
    }

    /// Waits until a thread stands at it.
    ///
    /// # Errors
    /// None comes.
    pub fn until_reached(&self) -> Result<()> {
        let mut reached = self.place.clone().into_os_string();
        reached.push(".reached");
        let reached = PathBuf::from(reached);
        until("the instant", PATIENCE, || {
            Ok(reached.exists().then_some(()))
        })
    }

    /// Who stands at it goes on standing; who comes later does not see it.
    ///
    /// # Errors
    /// It is not there.
    pub fn lets_others_by(&self) -> Result<()> {
        Ok(fs::remove_file(&self.place)?)
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        // Who comes later does not wait; who waits goes on when the lock falls with the file.
        let _gone = fs::remove_file(&self.place);
    }
}
