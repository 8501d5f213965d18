//! What waits at the peer, and fetching it: listed within bounds, read ahead, delivered in order, never more than the
//! server said there is.

use russh_sftp::client::error::Error;
use russh_sftp::protocol::{OpenFlags, StatusCode};
use tokio::runtime::{Handle, RuntimeFlavor};

use super::channel::{Sftp, answer, strange};
use super::flight::Flight;
use super::pace::Pace;
use crate::transport::classes::{CLASSES, Class};
use crate::transport::link::{LinkError, Offer, WireName};

/// Asked for before the length is known: on a narrow line it must not hold up what is more urgent for long.
const FIRST_BYTES: u32 = 32 * 1024;
/// Lines of a listing that we read: what waits beyond is seen when the first have gone.
const LINES_MAX: usize = 100_000;

/// Where the chunks of a file go.
type Sink<'a> = &'a mut (dyn FnMut(u64, &[u8]) -> std::io::Result<()> + Send);

/// Told each name of a listing, and its length where the server says one.
type Listed<'a> = &'a mut (dyn FnMut(&str, Option<u64>) + Send);

/// Lists what waits for us.
pub(super) async fn offers(sftp: &Sftp) -> Result<Vec<Offer>, LinkError> {
    let mut offers = Vec::new();
    let mut skipped: usize = 0;
    list(
        sftp,
        &sftp.folders.get,
        &mut |found, bytes| match (WireName::parse(found), bytes) {
            (Some(name), Some(bytes)) => offers.push(Offer { name, bytes }),
            _ => skipped = skipped.saturating_add(1),
        },
    )
    .await?;
    if skipped > 0 {
        tracing::warn!(skipped, "names on offer that are none of ours");
    }
    Ok(offers)
}

/// Lists a folder, within bounds.
pub(super) async fn list(sftp: &Sftp, folder: &str, seen: Listed<'_>) -> Result<(), LinkError> {
    let folder = sftp.open_folder(folder).await?;
    // Dropped, it is closed: nobody waits for the answer.
    lines(sftp, folder.handle(), seen).await
}

async fn lines(sftp: &Sftp, handle: &str, seen: Listed<'_>) -> Result<(), LinkError> {
    let mut lines: usize = 0;
    while lines < LINES_MAX {
        let files = match sftp.raw.readdir(handle).await {
            Ok(name) => name.files,
            Err(Error::Status(status)) if status.status_code == StatusCode::Eof => break,
            Err(error) => return Err(answer(error)),
        };
        // A server that answers with nothing for ever would never end.
        if files.is_empty() {
            return Err(strange("an empty part of a listing"));
        }
        for file in files.into_iter().take(LINES_MAX.saturating_sub(lines)) {
            lines = lines.saturating_add(1);
            if !matches!(file.filename.as_str(), "." | "..") {
                seen(&file.filename, file.attrs.size);
            }
        }
    }
    Ok(())
}

/// Fetches a file from `offset` on, at the pace of its class.
pub(super) async fn get(
    (sftp, paces): (&Sftp, &[Pace; CLASSES]),
    name: WireName,
    offset: u64,
    into: Sink<'_>,
) -> Result<(), LinkError> {
    let file = sftp.open(sftp.folders.offer(name), OpenFlags::READ).await?;
    // Dropped, it is closed: nobody waits for the answer.
    pump((sftp, paces), file.handle(), offset, into).await
}

async fn pump(
    (sftp, paces): (&Sftp, &[Pace; CLASSES]),
    handle: &str,
    offset: u64,
    into: Sink<'_>,
) -> Result<(), LinkError> {
    // The first bytes are asked for together with the size: most files are no longer than that.
    let asked = sftp.read_bytes_max.min(FIRST_BYTES);
    let first = sftp.raw.read(handle, offset, asked);
    let (attributes, first) = tokio::join!(biased; sftp.raw.fstat(handle), first);
    let end = attributes.map_err(answer)?.attrs.size;
    let end = end.ok_or_else(|| strange("a file without a size"))?;
    let left = end
        .checked_sub(offset)
        .ok_or_else(|| strange("a file shorter than what we hold of it"))?;
    if left == 0 {
        return Ok(());
    }
    let asked = u64::from(asked);
    let first = first.map_err(ended_early)?.data;
    let is_too_long = u64::try_from(first.len()).is_ok_and(|found| found > asked);
    // Never more than the server said there is, whatever it sends.
    let length = usize::try_from(left.min(asked)).unwrap_or(usize::MAX);
    let Some(first) = first.get(..length).filter(|_| !is_too_long) else {
        return Err(strange("another number of bytes than asked for"));
    };
    deliver(into, offset, first)?;
    let mut next = offset.saturating_add(left.min(asked));
    let [.., last] = paces;
    let pace = paces.get(Class::of_bytes(end).rank()).unwrap_or(last);
    let mut flight = Flight::new(pace);
    loop {
        let left = end.saturating_sub(next);
        let most = flight.request_bytes(sftp.read_bytes_max);
        let length = most.min(u32::try_from(left).unwrap_or(u32::MAX));
        if length > 0 && !flight.is_full(length.into()) {
            let at = next;
            let read = sftp.raw.read(handle, at, length);
            flight
                .launch(async move { (at, length, read.await) }, length.into())
                .await;
            next = next.saturating_add(length.into());
            continue;
        }
        let Some((at, length, answered)) = flight.landed().await else {
            return Ok(());
        };
        let bytes = answered.map_err(ended_early)?.data;
        if u32::try_from(bytes.len()) != Ok(length) {
            return Err(strange("another number of bytes than asked for"));
        }
        deliver(into, at, &bytes)?;
    }
}

/// The end of a file before its size is reached is a fault of the server, not a refusal.
fn ended_early(error: Error) -> LinkError {
    if matches!(&error, Error::Status(status) if status.status_code == StatusCode::Eof) {
        return strange("the end of a file before its size");
    }
    answer(error)
}

/// The sink writes to disk: other tasks of this thread go on meanwhile, where the runtime has other threads.
fn deliver(into: Sink<'_>, at: u64, bytes: &[u8]) -> Result<(), LinkError> {
    let written = if Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread {
        tokio::task::block_in_place(|| into(at, bytes))
    } else {
        into(at, bytes)
    };
    Ok(written?)
}
