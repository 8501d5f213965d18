//! Operators' requests as files: only regular ones of the right name and size are read, and who owns one is who asks.
//! The owner is read from the very file that is open, not from its path. What the bytes ask is read in
//! `stage::requests`: here they are bytes. SPOOL.md §1.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use amanah_format::home;

use super::{Spool, SpoolError, failed};
use crate::durable;

/// Longest request: a verb and a digest.
pub(super) const REQUEST_BYTES_MAX: u64 = 64 * 1024;
/// Most requests taken at one pass, a quarter of a second apart: each is a record of the ledger, and nobody needs more.
const REQUESTS_MAX: usize = 4;

impl Spool {
    /// Where requests come in.
    #[must_use]
    pub fn requests_folder(&self) -> PathBuf {
        self.home.join(home::REQUESTS)
    }

    /// Pending requests: (path, owner's user id, bytes), in order of their names; regular files only, at most 64 KiB each.
    /// What bears a request's name and is none (a link, a FIFO, a folder, too long) is removed; other names are left alone.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn requests(&self) -> Result<Vec<(PathBuf, u32, Vec<u8>)>, SpoolError> {
        let folder = Path::new(home::REQUESTS);
        let listed = durable::list_beneath(&self.home, folder);
        let mut names =
            listed.map_err(|source| failed("listing", &self.home.join(folder), source))?;
        names.retain(|name| is_request(name));
        names.sort_unstable();
        let mut requests = Vec::new();
        for name in names.into_iter().take(REQUESTS_MAX) {
            let relative = folder.join(name);
            match durable::open_beneath(&self.home, &relative).and_then(read) {
                Ok((owner, bytes)) => requests.push((self.home.join(relative), owner, bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    tracing::warn!("something in requests/ is no request and is removed: {error}");
                    durable::remove_beneath(&self.home, &relative)?;
                }
            }
        }
        Ok(requests)
    }

    /// Whether something waits in `requests/` under a request's name.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn has_requests(&self) -> Result<bool, SpoolError> {
        let folder = Path::new(home::REQUESTS);
        let listed = durable::list_beneath(&self.home, folder);
        let names = listed.map_err(|source| failed("listing", &self.home.join(folder), source))?;
        Ok(names.iter().any(|name| is_request(name)))
    }

    /// Removes a request that was carried out or is not understood; missing is fine.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn remove_request(&self, path: &Path) -> Result<(), SpoolError> {
        durable::remove_beneath(&self.home, self.relative(path)?)?;
        Ok(())
    }
}

/// Written under a hidden name and renamed to this one: a half-written request has another name.
fn is_request(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    !name.starts_with(b".") && name.ends_with(home::REQUEST_SUFFIX.as_bytes())
}

/// Owner and bytes, of the very file that is open.
fn read(file: File) -> io::Result<(u32, Vec<u8>)> {
    let owner = file.metadata()?.uid();
    let mut bytes = Vec::new();
    let read = file.take(REQUEST_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if u64::try_from(read).is_ok_and(|read| read <= REQUEST_BYTES_MAX) {
        Ok((owner, bytes))
    } else {
        let text = "longer than 64 KiB";
        Err(io::Error::new(io::ErrorKind::FileTooLarge, text))
    }
}
