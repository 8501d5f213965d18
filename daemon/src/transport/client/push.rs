//! The write pump: from a file of ours to NAME.part at the server, many requests in flight, synced at the end where it can.
//! It begins at the prefix that the peer has synced and counts only bytes that were acknowledged. It never renames: the
//! hand-over is a request of its own, once all of this succeeded.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use russh_sftp::client::error::Error;
use russh_sftp::protocol::OpenFlags;
use tokio::task::spawn_blocking;

use super::channel::{Sftp, answer};
use super::flight::Flight;
use super::pace::Pace;
use crate::transport::link::{LinkError, Upload, WireName};

/// How far the file is acknowledged with a request's answer.
type Written = Result<u64, Error>;

/// Sends the rest of a file and has it synced.
pub(super) async fn put(
    (sftp, pace): (&Sftp, &Pace),
    name: WireName,
    upload: &Upload,
) -> Result<(), LinkError> {
    // From the first request to the last, not only while bytes move.
    let _moving = pace.begin();
    let flags = OpenFlags::WRITE | OpenFlags::CREATE;
    let file = sftp.open(sftp.folders.part(name), flags).await?;
    let handle = file.handle().to_owned();
    let mut flight = Flight::new(pace);
    if let Err(error) = pump(sftp, &handle, upload, &mut flight).await {
        // Closed also now, so that a channel does not run out of handles; the error is the news.
        let _closed = file.close().await;
        return Err(error);
    }
    // Sent at once behind the last write, and answered in order: the first failure is the news.
    let landed = land(&mut flight, upload, 0);
    let (landed, synced, closed) = tokio::join!(biased; landed, sftp.sync(&handle), file.close());
    landed.and(synced).and(closed)
}

/// Takes answers until so many requests at most are in flight.
async fn land(
    flight: &mut Flight<'_, Written>,
    upload: &Upload,
    left_max: usize,
) -> Result<(), LinkError> {
    while flight.len() > left_max {
        let Some(acknowledged) = flight.landed().await else {
            break;
        };
        let acknowledged = acknowledged.map_err(answer)?;
        upload.sent.store(acknowledged, Ordering::Relaxed);
    }
    Ok(())
}

/// Sends all of it; the last answers are still to be taken.
async fn pump<'a>(
    sftp: &'a Sftp,
    handle: &'a str,
    upload: &Upload,
    flight: &mut Flight<'a, Written>,
) -> Result<(), LinkError> {
    let end = upload.source.metadata()?.len();
    if upload.offset > end {
        let text = format!(
            "the peer holds {} bytes of a file that has {end}",
            upload.offset
        );
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text).into());
    }
    upload.sent.store(upload.offset, Ordering::Relaxed);
    let mut next = upload.offset;
    while next < end {
        let most = u64::from(flight.request_bytes(sftp.write_bytes_max));
        let length = most.min(end.saturating_sub(next));
        if flight.is_full(length) {
            let left_max = flight.len().saturating_sub(1);
            land(flight, upload, left_max).await?;
            continue;
        }
        let bytes = read(Arc::clone(&upload.source), next, length).await?;
        let after = next.saturating_add(length);
        let write = sftp.raw.write(handle, next, bytes);
        flight
            .launch(async move { write.await.map(|_| after) }, length)
            .await;
        next = after;
    }
    Ok(())
}

async fn read(source: Arc<File>, offset: u64, length: u64) -> io::Result<Vec<u8>> {
    let length = usize::try_from(length).map_err(io::Error::other)?;
    let reading = spawn_blocking(move || {
        let mut bytes = vec![0; length];
        source.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    });
    reading.await.map_err(io::Error::other)?
}
