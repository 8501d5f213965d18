//! What a fault while sealing means: the operator's item changed or cannot be sent, or the machine failed. One mapping for each
//! place where one can come from; none of their texts holds the name of an item.

use std::io::ErrorKind;
use std::path::Path;

use amanah_format::seal::SealError;
use rustix::io::Errno;

use crate::engine::policy::ReturnReason;
use crate::spool::outbox::SourceError;

use super::{NotSealed, StageError};

pub(super) fn why_no_source(error: SourceError) -> NotSealed {
    match error {
        SourceError::NotAFile(_) => NotSealed::Return(ReturnReason::NotAFile),
        SourceError::Name => NotSealed::Return(ReturnReason::NameNotPortable),
        SourceError::Unreadable => NotSealed::Return(ReturnReason::Unreadable),
        SourceError::Empty => NotSealed::Return(ReturnReason::FolderEmpty),
        SourceError::TooMany => NotSealed::Return(ReturnReason::TooManyEntries),
        // The operator took it away from under its claim, or put something else there: what is left goes back.
        SourceError::Spool(error) if error.io_kind().is_some_and(is_swapped) => NotSealed::Changed,
        SourceError::Spool(error) => NotSealed::Failed(error.into()),
    }
}

/// A file that is gone, or is no file any more (a link was swapped in): the item goes back and is looked at anew.
pub(super) fn not_opened(work: &Path, error: &std::io::Error) -> NotSealed {
    const SWAPPED: [Errno; 3] = [Errno::LOOP, Errno::NXIO, Errno::XDEV];
    let swapped = Errno::from_io_error(error).is_some_and(|errno| SWAPPED.contains(&errno));
    if swapped || is_swapped(error.kind()) {
        NotSealed::Changed
    } else if error.kind() == std::io::ErrorKind::PermissionDenied {
        NotSealed::Return(ReturnReason::Unreadable)
    } else {
        failed(work, error)
    }
}

/// Gone, or no longer what it was: a link, a file for a folder, a folder or a FIFO for a file (see `durable::open_beneath`).
fn is_swapped(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NotFound
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::InvalidInput
    )
}

pub(super) fn not_sealed(path: &Path, error: SealError) -> NotSealed {
    match error {
        SealError::Changed { .. } => NotSealed::Changed,
        SealError::Duplicate(_) => NotSealed::Return(ReturnReason::NameNotPortable),
        SealError::Empty => NotSealed::Return(ReturnReason::FolderEmpty),
        SealError::TooMany => NotSealed::Return(ReturnReason::TooManyEntries),
        SealError::Recipients(_) => NotSealed::Return(ReturnReason::NoRecipientKey),
        SealError::Io(error) => failed(path, &error),
    }
}

pub(super) fn failed(path: &Path, error: &std::io::Error) -> NotSealed {
    NotSealed::Failed(other(path, error))
}

pub(super) fn other(path: &Path, error: &std::io::Error) -> StageError {
    StageError::Other(format!("{}: {error}", path.display()))
}
