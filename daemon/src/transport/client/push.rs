//! The write pump: from a file of ours to `/incoming/NAME.part`, many requests in flight, synced at the end.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use russh_sftp::protocol::{FileAttributes, OpenFlags};
use tokio::task::spawn_blocking;

use super::channel::{Sftp, answer, part_path};
use super::flight::Flight;
use crate::transport::link::{LinkError, WireName};

/// What is sent, and from where on.
pub(super) struct From {
    pub(super) source: Arc<File>,
    pub(super) offset: u64,
}

/// Sends the rest of a file and has it synced.
pub(super) async fn put(
    sftp: &Sftp,
    name: WireName,
    from: From,
    sent: &AtomicU64,
) -> Result<(), LinkError> {
    let flags = OpenFlags::WRITE | OpenFlags::CREATE;
    let opened = sftp
        .raw
        .open(part_path(name), flags, FileAttributes::empty())
        .await;
    let handle = opened.map_err(answer)?.handle;
    let written = pump(sftp, &handle, from, sent).await;
    let synced = match written {
        Ok(()) => sftp.sync(&handle).await,
        Err(error) => Err(error),
    };
    // Closed also after an error, so that a channel does not run out of handles; the error is the news.
    let closed = sftp.raw.close(handle).await.map(drop).map_err(answer);
    synced.and(closed)
}

async fn pump(sftp: &Sftp, handle: &str, from: From, sent: &AtomicU64) -> Result<(), LinkError> {
    let end = from.source.metadata()?.len();
    if from.offset > end {
        let text = format!(
            "the peer holds {} bytes of a file that has {end}",
            from.offset
        );
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text).into());
    }
    sent.store(from.offset, Ordering::Relaxed);
    let mut next = from.offset;
    let mut flight = Flight::new();
    loop {
        let length = u64::from(sftp.write_bytes_max).min(end.saturating_sub(next));
        if length > 0 && !flight.is_full(length) {
            let bytes = read(Arc::clone(&from.source), next, length).await?;
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
            Some(acknowledged) => sent.store(acknowledged.map_err(answer)?, Ordering::Relaxed),
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
