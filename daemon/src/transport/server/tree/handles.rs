//! What a client has open on one channel: few, of three kinds, and a handle of one kind is nothing to another.
//! Their number is bounded, and a closed handle's name is never given out again. Calls into files run on blocking
//! threads; an upload that ends without its rename leaves its part as it is, to be resumed.

use std::collections::{HashMap, VecDeque};

use russh_sftp::protocol::{File, FileAttributes, StatusCode};
use russh_sftp::server::StatusReply;
use tokio::task::spawn_blocking;

use super::answers::{denied, failure, not_allowed, refusal};
use super::place;
use crate::transport::algorithms::SFTP_CHUNK_BYTES_MAX;
use crate::transport::link::{Denied, OfferReader, PartWriter, WireName};

/// Something open.
pub(super) enum Open {
    /// `/incoming/NAME.part`, for writing.
    Part(Part),
    /// `/outgoing/NAME`, for reading.
    Offer(Offer),
    /// A folder: the lines not yet told.
    Listing(VecDeque<File>),
}

impl Open {
    pub(super) fn part(name: WireName, writer: Box<dyn PartWriter>) -> Self {
        Self::Part(Part {
            name,
            writer: Lent(Some(writer)),
        })
    }

    pub(super) fn offer(reader: Box<dyn OfferReader>) -> Self {
        Self::Offer(Offer {
            bytes: reader.bytes(),
            reader: Lent(Some(reader)),
        })
    }

    pub(super) fn listing(lines: Vec<File>) -> Self {
        Self::Listing(lines.into())
    }
}

/// A file, lent to a blocking thread for the time of one call.
struct Lent<T: ?Sized>(Option<Box<T>>);

impl<T: Send + ?Sized + 'static> Lent<T> {
    async fn with<R, F>(&mut self, work: F) -> Result<R, StatusReply>
    where
        R: Send + 'static,
        F: FnOnce(&mut T) -> Result<R, Denied> + Send + 'static,
    {
        let Some(mut file) = self.0.take() else {
            return Err(failure(
                "failure",
                "an earlier request on this handle did not end",
            ));
        };
        let apart = spawn_blocking(move || {
            let result = work(&mut file);
            (file, result)
        });
        let Ok((file, result)) = apart.await else {
            return Err(failure("stopping", "the daemon is stopping"));
        };
        self.0 = Some(file);
        result.map_err(|why| refusal(&why))
    }
}

/// An upload.
pub(super) struct Part {
    name: WireName,
    writer: Lent<dyn PartWriter>,
}

impl Part {
    pub(super) async fn write(&mut self, offset: u64, bytes: Vec<u8>) -> Result<(), StatusReply> {
        self.writer
            .with(move |writer| writer.write_at(offset, &bytes))
            .await
    }

    /// The synced prefix.
    pub(super) async fn sync(&mut self) -> Result<u64, StatusReply> {
        self.writer.with(|writer| writer.sync()).await
    }
}

/// A download.
pub(super) struct Offer {
    bytes: u64,
    reader: Lent<dyn OfferReader>,
}

impl Offer {
    /// As much as was asked for, up to a packet; less only at the end.
    pub(super) async fn read(&mut self, offset: u64, len: u32) -> Result<Vec<u8>, StatusReply> {
        let left = self.bytes.saturating_sub(offset);
        let len = u64::from(len.min(SFTP_CHUNK_BYTES_MAX)).min(left);
        let len = usize::try_from(len).unwrap_or_default();
        let data = self
            .reader
            .with(move |reader| read(reader, offset, len))
            .await?;
        if data.is_empty() {
            Err(StatusCode::Eof.into())
        } else {
            Ok(data)
        }
    }
}

/// Fills a buffer, as far as the file goes.
fn read(reader: &mut dyn OfferReader, offset: u64, len: usize) -> Result<Vec<u8>, Denied> {
    let mut data = vec![0; len];
    let mut filled = 0;
    while let Some(into) = data.get_mut(filled..).filter(|into| !into.is_empty()) {
        let at = offset.saturating_add(u64::try_from(filled).unwrap_or(u64::MAX));
        let read = reader.read_at(at, into).map_err(|error| {
            tracing::error!(%error, "an offered file cannot be read");
            denied("failure", "the file cannot be read here now")
        })?;
        if read == 0 {
            break;
        }
        filled = filled.saturating_add(read);
    }
    data.truncate(filled);
    Ok(data)
}

/// All that is open on one channel.
pub(super) struct Handles {
    open: HashMap<String, Open>,
    next: u64,
    max: usize,
}

fn unknown() -> StatusReply {
    failure("failure", "no such handle, or one of another kind")
}

impl Handles {
    pub(super) fn new(max: usize) -> Self {
        Self {
            open: HashMap::new(),
            next: 1,
            max,
        }
    }

    pub(super) fn max(&self) -> usize {
        self.max
    }

    /// Whether one more may be opened.
    pub(super) fn room(&self) -> Result<(), StatusReply> {
        if self.open.len() < self.max {
            Ok(())
        } else {
            Err(failure("failure", "too many open handles"))
        }
    }

    /// Numbers it; a number is never used twice.
    pub(super) fn enter(&mut self, open: Open) -> String {
        let handle = self.next.to_string();
        self.next = self.next.saturating_add(1);
        self.open.insert(handle.clone(), open);
        handle
    }

    pub(super) fn close(&mut self, handle: &str) -> Result<(), StatusReply> {
        self.open.remove(handle).map(drop).ok_or_else(unknown)
    }

    /// The upload of this name.
    pub(super) fn part(&mut self, name: WireName) -> Option<&mut Part> {
        self.open.values_mut().find_map(|open| match open {
            Open::Part(part) if part.name == name => Some(part),
            Open::Part(_) | Open::Offer(_) | Open::Listing(_) => None,
        })
    }

    /// Closes the upload of this name, if it is open.
    pub(super) fn forget_part(&mut self, name: WireName) {
        self.open
            .retain(|_, open| !matches!(open, Open::Part(part) if part.name == name));
    }

    pub(super) fn part_at(&mut self, handle: &str) -> Result<&mut Part, StatusReply> {
        match self.open.get_mut(handle) {
            Some(Open::Part(part)) => Ok(part),
            Some(Open::Offer(_) | Open::Listing(_)) | None => Err(unknown()),
        }
    }

    pub(super) fn offer_at(&mut self, handle: &str) -> Result<&mut Offer, StatusReply> {
        match self.open.get_mut(handle) {
            Some(Open::Offer(offer)) => Ok(offer),
            Some(Open::Part(_)) => Err(not_allowed("a part is written, never read")),
            Some(Open::Listing(_)) | None => Err(unknown()),
        }
    }

    /// The next lines of a listing; none at its end.
    pub(super) fn lines(&mut self, handle: &str, max: usize) -> Result<Vec<File>, StatusReply> {
        match self.open.get_mut(handle) {
            Some(Open::Listing(lines)) => Ok(lines.drain(..lines.len().min(max)).collect()),
            Some(Open::Part(_) | Open::Offer(_)) | None => Err(unknown()),
        }
    }

    pub(super) async fn attributes(&mut self, handle: &str) -> Result<FileAttributes, StatusReply> {
        match self.open.get_mut(handle) {
            Some(Open::Part(part)) => Ok(place::part(part.sync().await?)),
            Some(Open::Offer(offer)) => Ok(place::offer(offer.bytes)),
            Some(Open::Listing(_)) => Ok(place::folder()),
            None => Err(unknown()),
        }
    }
}
