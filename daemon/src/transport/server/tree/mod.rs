//! The virtual tree of one peer on one SFTP channel (DESIGN §9): what each request of the protocol means in it.
//! `handles` holds what is open, `place` the paths; what is asked of the stages runs off the runtime's own threads.

mod handles;
mod place;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use amanah_format::id::PartyId;
use russh_sftp::de;
use russh_sftp::extensions::{FsyncExtension, HardlinkExtension};
use russh_sftp::protocol::{
    Attrs, Data, ExtendedReply, File, FileAttributes, Handle, Name, OpenFlags, Packet, Status,
    StatusCode, Version,
};
use russh_sftp::server::{Handler, StatusReply};
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::task::spawn_blocking;

use self::handles::{Handles, Open};
use self::place::Place;
use crate::bell::{Bell, Heard};
use crate::transport::algorithms::{SFTP_CHUNK_BYTES_MAX, SFTP_PACKET_BYTES_MAX};
use crate::transport::link::{Denied, Exchange, WireName};

/// Lines of a listing in one answer: some 250 bytes each, well within a packet.
const LINES_PER_ANSWER: usize = 200;
/// Longest wait that a client may ask for: short of what a firewall on the way forgets.
const WAIT_SECS_MAX: u32 = 30;
/// The names of the extensions, as the VERSION answer gives them.
const POSIX_RENAME: &str = "posix-rename@openssh.com";
const FSYNC: &str = russh_sftp::extensions::FSYNC;
const LIMITS: &str = russh_sftp::extensions::LIMITS;
const WAIT: &str = "wait@amanah";

/// What all channels of one connection share.
#[derive(Clone)]
pub(in crate::transport::server) struct Visit {
    pub(in crate::transport::server) exchange: Arc<dyn Exchange>,
    pub(in crate::transport::server) peer: PartyId,
    pub(in crate::transport::server) bell: Bell,
    /// What was heard of the bell before the last listing of `/outgoing`.
    pub(in crate::transport::server) listed: Arc<Mutex<Heard>>,
    /// Ends a wait.
    pub(in crate::transport::server) stop: watch::Receiver<bool>,
}

impl Visit {
    /// Asks the stages, off the runtime's own threads.
    fn ask<T, F>(
        &self,
        question: F,
    ) -> impl Future<Output = Result<T, StatusReply>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Exchange, &PartyId) -> Result<T, Denied> + Send + 'static,
    {
        let exchange = Arc::clone(&self.exchange);
        let peer = self.peer.clone();
        apart(move || question(exchange.as_ref(), &peer))
    }

    async fn lines(&self, place: Place) -> Result<Vec<File>, StatusReply> {
        match place {
            Place::Root => Ok(vec![
                place::folder_line("incoming"),
                place::folder_line("outgoing"),
            ]),
            Place::Incoming => {
                let parts = self.ask(|exchange, peer| exchange.parts(peer)).await?;
                Ok(parts
                    .into_iter()
                    .map(|(name, prefix)| place::part_line(name, prefix))
                    .collect())
            }
            Place::Outgoing => {
                // Heard first: what rings while the list is made is not lost.
                let heard = self.bell.heard();
                let offers = self.ask(|exchange, peer| exchange.offers(peer)).await?;
                *self.listed.lock().unwrap_or_else(PoisonError::into_inner) = heard;
                Ok(offers
                    .into_iter()
                    .map(|offer| place::offer_line(offer.name, offer.bytes))
                    .collect())
            }
            Place::Part(_) | Place::HandedOver(_) | Place::Offer(_) => {
                Err(failure("failure", "not a folder"))
            }
        }
    }

    async fn open_offer(&self, name: WireName, flags: OpenFlags) -> Result<Open, StatusReply> {
        if flags.bits() != OpenFlags::READ.bits() {
            return Err(not_allowed("/outgoing/NAME is opened for reading only"));
        }
        Ok(Open::offer(
            self.ask(move |exchange, peer| exchange.open_offer(peer, name))
                .await?,
        ))
    }

    /// Waits until something new waits for the peer since it listed last.
    async fn wait(&self, seconds: u32) {
        let heard = *self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        let bell = self.bell.clone();
        let mut stop = self.stop.clone();
        let timeout = Duration::from_secs(u64::from(seconds.min(WAIT_SECS_MAX)));
        tokio::select! {
            _rang = bell.waited(heard, timeout) => {}
            () = stopped(&mut stop) => {}
        }
    }
}

/// Runs what blocks off the runtime's own threads.
async fn apart<T, F>(work: F) -> Result<T, StatusReply>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Denied> + Send + 'static,
{
    match spawn_blocking(work).await {
        Ok(answer) => answer.map_err(|why| refusal(&why)),
        Err(_) => Err(failure("stopping", "the daemon is stopping")),
    }
}

/// Returns when everything is to end.
pub(in crate::transport::server) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error says that the server was dropped: an end too.
    drop(stop.wait_for(|stop| *stop).await);
}

/// A refusal as a status, its code in front of the message.
fn refusal(denied: &Denied) -> StatusReply {
    let status = match denied.code.as_str() {
        "no-such-file" => StatusCode::NoSuchFile,
        "not-allowed" => StatusCode::PermissionDenied,
        _ => StatusCode::Failure,
    };
    status.with_message(denied.to_string())
}

fn denied(code: &str, message: &str) -> Denied {
    Denied {
        code: code.to_owned(),
        message: message.to_owned(),
    }
}

fn failure(code: &str, message: &str) -> StatusReply {
    refusal(&denied(code, message))
}

fn not_allowed(message: &str) -> StatusReply {
    failure("not-allowed", message)
}

fn no_such_file() -> StatusReply {
    failure("no-such-file", "no such name here")
}

fn done(id: u32) -> Status {
    Status {
        id,
        status_code: StatusCode::Ok,
        error_message: String::new(),
        language_tag: String::new(),
    }
}

/// A place in the tree, or a refusal.
fn find(path: &str) -> Result<Place, StatusReply> {
    Place::parse(path).ok_or_else(no_such_file)
}

/// One SFTP channel.
pub(in crate::transport::server) struct Tree {
    visit: Visit,
    handles: Handles,
    greeted: bool,
    /// The channel's place among those of its connection, and a sign that it is still served.
    _held: (OwnedSemaphorePermit, mpsc::Sender<()>),
}

impl Tree {
    pub(in crate::transport::server) fn new(
        visit: Visit,
        handles_max: usize,
        held: (OwnedSemaphorePermit, mpsc::Sender<()>),
    ) -> Self {
        Self {
            visit,
            handles: Handles::new(handles_max),
            greeted: false,
            _held: held,
        }
    }

    /// The synced prefix of a part; what was written on this channel is synced first.
    async fn prefix(&mut self, name: WireName) -> Result<u64, StatusReply> {
        if let Some(part) = self.handles.part(name) {
            return part.sync().await;
        }
        let prefix = self
            .visit
            .ask(move |exchange, peer| exchange.part_prefix(peer, name))
            .await?;
        prefix.ok_or_else(no_such_file)
    }

    async fn attributes(&mut self, path: &str) -> Result<FileAttributes, StatusReply> {
        match find(path)? {
            Place::Root | Place::Incoming | Place::Outgoing => Ok(place::folder()),
            Place::Part(name) => Ok(place::part(self.prefix(name).await?)),
            Place::HandedOver(_) => Err(no_such_file()),
            Place::Offer(name) => {
                let reader = self
                    .visit
                    .ask(move |exchange, peer| exchange.open_offer(peer, name))
                    .await?;
                Ok(place::offer(reader.bytes()))
            }
        }
    }

    async fn open_part(&mut self, name: WireName, flags: OpenFlags) -> Result<Open, StatusReply> {
        // A stock client's `reput` says APPEND and gives the offsets all the same: offsets count.
        let wrong = OpenFlags::READ | OpenFlags::EXCLUDE;
        if !flags.contains(OpenFlags::WRITE) || flags.intersects(wrong) {
            return Err(not_allowed(
                "/incoming/NAME.part is opened for writing only",
            ));
        }
        if self.handles.part(name).is_some() {
            return Err(failure(
                "exists",
                "this part is open on this channel already",
            ));
        }
        let afresh = flags.contains(OpenFlags::TRUNCATE);
        let open = move |exchange: &dyn Exchange, peer: &PartyId| {
            if afresh && exchange.part_prefix(peer, name)?.is_some() {
                exchange.drop_part(peer, name)?;
            }
            exchange.open_part(peer, name)
        };
        Ok(Open::part(name, self.visit.ask(open).await?))
    }

    /// NAME.part becomes NAME: the hand-over.
    async fn hand_over(&mut self, from: &str, to: &str) -> Result<(), StatusReply> {
        let (Place::Part(part), Place::HandedOver(name)) = (find(from)?, find(to)?) else {
            return Err(not_allowed(
                "only /incoming/NAME.part is renamed, to /incoming/NAME",
            ));
        };
        if part != name {
            return Err(not_allowed("a part is renamed to its own name only"));
        }
        if self.handles.part(name).is_some() {
            return Err(failure(
                "failure",
                "close the part before it is handed over",
            ));
        }
        self.visit
            .ask(move |exchange, peer| exchange.hand_over(peer, name))
            .await
    }
}

/// The four numbers of `limits@openssh.com` (OpenSSH PROTOCOL §4.8).
fn limits(handles_max: usize) -> Vec<u8> {
    let chunk = u64::from(SFTP_CHUNK_BYTES_MAX);
    let handles = u64::try_from(handles_max).unwrap_or(u64::MAX);
    [u64::from(SFTP_PACKET_BYTES_MAX), chunk, chunk, handles]
        .iter()
        .flat_map(|number| number.to_be_bytes())
        .collect()
}

fn malformed(_: impl fmt::Display) -> StatusReply {
    StatusCode::BadMessage.with_message("failure: the request's fields do not fit")
}

impl Handler for Tree {
    type Error = StatusReply;

    fn unimplemented(&self) -> StatusReply {
        StatusCode::OpUnsupported.with_message("not-allowed: this server does not do that")
    }

    async fn init(
        &mut self,
        _version: u32,
        _extensions: HashMap<String, String>,
    ) -> Result<Version, StatusReply> {
        if std::mem::replace(&mut self.greeted, true) {
            return Err(StatusCode::BadMessage.with_message("failure: a second INIT"));
        }
        let mut version = Version::new();
        for extension in [POSIX_RENAME, FSYNC, LIMITS, WAIT] {
            version
                .extensions
                .insert(extension.to_owned(), "1".to_owned());
        }
        Ok(version)
    }

    async fn open(
        &mut self,
        id: u32,
        filename: String,
        pflags: OpenFlags,
        _attrs: FileAttributes,
    ) -> Result<Handle, StatusReply> {
        self.handles.room()?;
        let open = match find(&filename)? {
            Place::Part(name) => self.open_part(name, pflags).await?,
            Place::Offer(name) => self.visit.open_offer(name, pflags).await?,
            Place::HandedOver(_) => {
                return Err(not_allowed("write NAME.part, then rename it to NAME"));
            }
            Place::Root | Place::Incoming | Place::Outgoing => {
                return Err(not_allowed("a folder is not opened"));
            }
        };
        Ok(Handle {
            id,
            handle: self.handles.enter(open),
        })
    }

    async fn close(&mut self, id: u32, handle: String) -> Result<Status, StatusReply> {
        self.handles.close(&handle)?;
        Ok(done(id))
    }

    async fn read(
        &mut self,
        id: u32,
        handle: String,
        offset: u64,
        len: u32,
    ) -> Result<Data, StatusReply> {
        let data = self.handles.offer_at(&handle)?.read(offset, len).await?;
        Ok(Data { id, data })
    }

    async fn write(
        &mut self,
        id: u32,
        handle: String,
        offset: u64,
        data: Vec<u8>,
    ) -> Result<Status, StatusReply> {
        self.handles.part_at(&handle)?.write(offset, data).await?;
        Ok(done(id))
    }

    async fn lstat(&mut self, id: u32, path: String) -> Result<Attrs, StatusReply> {
        Ok(Attrs {
            id,
            attrs: self.attributes(&path).await?,
        })
    }

    async fn stat(&mut self, id: u32, path: String) -> Result<Attrs, StatusReply> {
        Ok(Attrs {
            id,
            attrs: self.attributes(&path).await?,
        })
    }

    async fn fstat(&mut self, id: u32, handle: String) -> Result<Attrs, StatusReply> {
        Ok(Attrs {
            id,
            attrs: self.handles.attributes(&handle).await?,
        })
    }

    /// Stock clients set modes and times after an upload: answered, without effect.
    async fn setstat(
        &mut self,
        id: u32,
        path: String,
        _attrs: FileAttributes,
    ) -> Result<Status, StatusReply> {
        match find(&path)? {
            Place::Part(_) => Ok(done(id)),
            _ => Err(not_allowed("attributes are not kept")),
        }
    }

    async fn fsetstat(
        &mut self,
        id: u32,
        handle: String,
        _attrs: FileAttributes,
    ) -> Result<Status, StatusReply> {
        self.handles.part_at(&handle)?;
        Ok(done(id))
    }

    async fn opendir(&mut self, id: u32, path: String) -> Result<Handle, StatusReply> {
        self.handles.room()?;
        let lines = self.visit.lines(find(&path)?).await?;
        Ok(Handle {
            id,
            handle: self.handles.enter(Open::listing(lines)),
        })
    }

    async fn readdir(&mut self, id: u32, handle: String) -> Result<Name, StatusReply> {
        let files = self.handles.lines(&handle, LINES_PER_ANSWER)?;
        if files.is_empty() {
            Err(StatusCode::Eof.into())
        } else {
            Ok(Name { id, files })
        }
    }

    async fn realpath(&mut self, id: u32, path: String) -> Result<Name, StatusReply> {
        let path = find(&path)?.path();
        Ok(Name {
            id,
            files: vec![File::dummy(path)],
        })
    }

    async fn remove(&mut self, id: u32, filename: String) -> Result<Status, StatusReply> {
        match find(&filename)? {
            Place::Offer(name) => {
                self.visit
                    .ask(move |exchange, peer| exchange.taken(peer, name))
                    .await?
            }
            Place::Part(name) if self.handles.part(name).is_some() => {
                return Err(failure("failure", "close the part before it is removed"));
            }
            Place::Part(name) => {
                self.visit
                    .ask(move |exchange, peer| exchange.drop_part(peer, name))
                    .await?
            }
            _ => return Err(not_allowed("this is not removed")),
        }
        Ok(done(id))
    }

    async fn rename(
        &mut self,
        id: u32,
        oldpath: String,
        newpath: String,
    ) -> Result<Status, StatusReply> {
        self.hand_over(&oldpath, &newpath).await?;
        Ok(done(id))
    }

    async fn extended(
        &mut self,
        id: u32,
        request: String,
        data: Vec<u8>,
    ) -> Result<Packet, StatusReply> {
        match request.as_str() {
            POSIX_RENAME => {
                // Two paths, as in hardlink@openssh.com.
                let paths: HardlinkExtension =
                    de::from_bytes(&mut data.into()).map_err(malformed)?;
                self.hand_over(&paths.oldpath, &paths.newpath).await?;
            }
            FSYNC => {
                let file: FsyncExtension = de::from_bytes(&mut data.into()).map_err(malformed)?;
                self.handles.part_at(&file.handle)?.sync().await?;
            }
            LIMITS => {
                let data = limits(self.handles.max());
                return Ok(Packet::ExtendedReply(ExtendedReply { id, data }));
            }
            WAIT => {
                self.visit
                    .wait(de::from_bytes(&mut data.into()).map_err(malformed)?)
                    .await
            }
            _ => return Err(self.unimplemented()),
        }
        Ok(Packet::Status(done(id)))
    }
}
