//! The folders in which operators and the daemon meet to carry bundles by hand: `stick/out/TICKET/` (operators read) and
//! `stick/in/TICKET/` (operators write, so nothing there is trusted). Nothing in them is the only copy of anything, nothing is
//! synced, and a start removes it all. SPOOL.md §1.

use std::ffi::OsString;
use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use amanah_format::digest::Digest;
use amanah_format::home;
use amanah_format::id::PartyId;

use super::folders::MODE_DROP;
use super::{MODE_SHOWN, MODE_TEXT, Spool, SpoolError, failed, list, plain};
use crate::durable;

/// A bundle that is laid out: its folder keeps others away. Its group cannot be changed, because the daemon may not.
const MODE_LAID_OUT: u32 = 0o644;

impl Spool {
    /// Makes the folder in which a ticket's files are laid out.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn open_stick_out(&self, ticket: &str) -> Result<(), SpoolError> {
        self.ensure(
            &format!("{}/{}", home::STICK_OUT, plain(ticket)?),
            MODE_SHOWN,
        )
    }

    /// Makes the folder into which a ticket's files are copied.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn open_stick_in(&self, ticket: &str) -> Result<(), SpoolError> {
        self.ensure(&format!("{}/{}", home::STICK_IN, plain(ticket)?), MODE_DROP)
    }

    /// Lays a queued bundle out under a second name: no byte is copied. Its length; none when it is not in the queue any more.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn lay_out_bundle(
        &self,
        ticket: &str,
        peer: &PartyId,
        manifest: &Digest,
    ) -> Result<Option<u64>, SpoolError> {
        let queued = self.queued(peer, manifest);
        let name = queued.file_name().unwrap_or_default();
        let target = self.stick_out(ticket)?.join(name);
        let io = |source| failed("laying out", &target, source);
        match std::fs::hard_link(&queued, &target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            linked => linked.map_err(io)?,
        }
        std::fs::set_permissions(&target, Permissions::from_mode(MODE_LAID_OUT)).map_err(io)?;
        Ok(Some(target.metadata().map_err(io)?.len()))
    }

    /// Lays out something small: a receipt, a slip, or what there is to say.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn lay_out(&self, ticket: &str, name: &str, bytes: &[u8]) -> Result<(), SpoolError> {
        let folder = self.stick_out(ticket)?;
        Ok(durable::publish(&folder, plain(name)?, bytes, MODE_TEXT)?)
    }

    /// What was copied in: every name in the folder, in byte order. None where the folder is gone.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn copied_in(&self, ticket: &str) -> Result<Vec<OsString>, SpoolError> {
        list(&self.home.join(stick_in(ticket)?))
    }

    /// Opens a file that was copied in, if it is a regular one.
    ///
    /// # Errors
    /// The system's.
    pub fn open_copied_in(&self, ticket: &str, name: &str) -> io::Result<File> {
        let folder = stick_in(ticket).map_err(io::Error::other)?;
        durable::open_beneath(&self.home, &folder.join(name))
    }

    /// Removes something that was copied in, whatever it is.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn remove_copied_in(&self, ticket: &str, name: &str) -> Result<(), SpoolError> {
        let path = stick_in(ticket)?.join(name);
        durable::remove_beneath(&self.home, &path)?;
        Ok(())
    }

    /// Removes both folders of a ticket.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn close_stick(&self, ticket: &str) -> Result<(), SpoolError> {
        durable::remove_beneath(&self.home, &stick_in(ticket)?)?;
        durable::remove_folder(&self.stick_out(ticket)?)?;
        Ok(())
    }

    /// Removes what tickets of an earlier process left.
    pub(super) fn sweep_sticks(&self) {
        for folder in [home::STICK_OUT, home::STICK_IN] {
            let names = list(&self.home.join(folder)).unwrap_or_default();
            for name in names {
                // Best effort: a folder that somebody filled too deep is left, and no ticket leads to it.
                if let Err(error) =
                    durable::remove_beneath(&self.home, &Path::new(folder).join(name))
                {
                    tracing::warn!("{error}");
                }
            }
        }
    }

    fn stick_out(&self, ticket: &str) -> Result<PathBuf, SpoolError> {
        Ok(self.home.join(home::STICK_OUT).join(plain(ticket)?))
    }
}

fn stick_in(ticket: &str) -> Result<PathBuf, SpoolError> {
    Ok(Path::new(home::STICK_IN).join(plain(ticket)?))
}
