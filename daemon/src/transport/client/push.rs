//! The write pump: from a file of ours to NAME.part at the server, many requests in flight, synced at the end where it can.
//! It begins at the prefix that the peer has synced and counts only bytes that were acknowledged. It never renames: the
//! hand-over is a request of its own, once all of this succeeded.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use russh_sftp::protocol::OpenFlags;
use tokio::task::spawn_blocking;

use super::channel::{Sftp, answer};
use super::flight::Flight;
use super::pace::Pace;
use crate::transport::link::{LinkError, Upload, WireName};

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
    if let Err(error) = pump((sftp, pace), file.handle(), upload).await {
        // Closed also now, so that a channel does not run out of handles; the error is the news.
        let _closed = file.close().await;
        return Err(error);
    }
    let handle = file.handle().to_owned();
    // Both requests are sent at once, and answered in order.
    let (synced, closed) = tokio::join!(biased; sftp.sync(&handle), file.close());
    synced.and(closed)
}

async fn pump(
    (sftp, pace): (&Sftp, &Pace),
    handle: &str,
    upload: &Upload,
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
    let mut flight = Flight::new(pace);
    loop {
        let most = u64::from(flight.request_bytes(sftp.write_bytes_max));
        let length = most.min(end.saturating_sub(next));
        if length > 0 && !flight.is_full(length) {
            let bytes = read(Arc::clone(&upload.source), next, length).await?;
            let after = next.saturating_add(length);
            let write = sftp.raw.write(handle, next, bytes);
            flight
                .launch(async move { write.await.map(|_| after) }, length)
                .await;
            next = after;
            continue;
        }
        match flight.landed().await {
            None => return Ok(()),
            Some(acknowledged) => upload
                .sent
                .store(acknowledged.map_err(answer)?, Ordering::Relaxed),
        }
    }
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
