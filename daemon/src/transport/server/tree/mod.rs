//! The virtual tree of one peer on one SFTP channel (FORMAT.md §16): what each request of the protocol means in it.
//! `handles` holds what is open, `place` the paths; what is asked of the stages runs off the runtime's own threads.

mod answers;
mod begun;
mod handles;
mod place;
mod visit;

use std::collections::{HashMap, VecDeque};

use amanah_format::id::PartyId;
use russh_sftp::de;
use russh_sftp::extensions::{FsyncExtension, HardlinkExtension};
use russh_sftp::protocol::{
    Attrs, Data, ExtendedReply, File, FileAttributes, Handle, Name, OpenFlags, Packet, Status,
    StatusCode, Version,
};
use russh_sftp::server::{Handler, StatusReply};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use self::answers::{done, failure, find, limits, malformed, no_such_file, not_allowed};
use self::begun::Begun;
use self::handles::{Handles, Open};
use self::place::Place;
pub(in crate::transport::server) use self::visit::{Visit, stopped};
use crate::transport::link::{Exchange, WireName};

/// Lines of a listing in one answer: some 250 bytes each, well within a packet.
const LINES_PER_ANSWER: usize = 200;
/// Names that a channel remembers to have handed over: a stock client asks for the one that it has just renamed.
const HANDED_OVER_MAX: usize = 16;
/// The names of the extensions, as the VERSION answer gives them.
const POSIX_RENAME: &str = "posix-rename@openssh.com";
const FSYNC: &str = russh_sftp::extensions::FSYNC;
const LIMITS: &str = russh_sftp::extensions::LIMITS;
const WAIT: &str = "wait@amanah";

/// One SFTP channel.
pub(in crate::transport::server) struct Tree {
    visit: Visit,
    handles: Handles,
    /// After the handles: what they hold open is closed first.
    begun: Begun,
    greeted: bool,
    /// What was handed over on this channel, and how long it was; the oldest first.
    handed_over: VecDeque<(WireName, u64)>,
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
            begun: Begun::new(visit.clone(), held.1.clone()),
            visit,
            handles: Handles::new(handles_max),
            greeted: false,
            handed_over: VecDeque::new(),
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
            // `rclone` looks for what it renamed, and calls the renaming failed when nothing is there.
            Place::HandedOver(name) => {
                let known = self.handed_over.iter().find(|(known, _)| *known == name);
                known
                    .map(|(_, bytes)| place::part(*bytes))
                    .ok_or_else(no_such_file)
            }
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
        // Some can resume only what they open for reading too (Python's `r+`): what is refused is to read.
        if !flags.contains(OpenFlags::WRITE) || flags.contains(OpenFlags::EXCLUDE) {
            return Err(not_allowed(
                "/incoming/NAME.part is opened for writing, new or not",
            ));
        }
        self.begun.note(name)?;
        // A transfer that was given up may have left its handle behind: the newer one counts.
        self.handles.forget_part(name);
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
        let bytes = self.prefix(name).await.unwrap_or_default();
        self.visit
            .ask(move |exchange, peer| exchange.hand_over(peer, name))
            .await?;
        self.begun.done(name);
        self.handed_over.retain(|(known, _)| *known != name);
        self.handed_over.push_back((name, bytes));
        if self.handed_over.len() > HANDED_OVER_MAX {
            self.handed_over.pop_front();
        }
        Ok(())
    }
}

/// Modes and times are not kept, and nobody relies on them; a length that is not kept would be a lie.
fn keeps_length(attributes: &FileAttributes) -> Result<(), StatusReply> {
    match attributes.size {
        None => Ok(()),
        Some(_) => Err(not_allowed(
            "a length is not set: write, or open the part anew to truncate it",
        )),
    }
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
        attributes: FileAttributes,
    ) -> Result<Status, StatusReply> {
        match find(&path)? {
            Place::Part(_) => keeps_length(&attributes).map(|()| done(id)),
            Place::Root
            | Place::Incoming
            | Place::Outgoing
            | Place::HandedOver(_)
            | Place::Offer(_) => Err(not_allowed("attributes are not kept")),
        }
    }

    async fn fsetstat(
        &mut self,
        id: u32,
        handle: String,
        attributes: FileAttributes,
    ) -> Result<Status, StatusReply> {
        self.handles.part_at(&handle)?;
        keeps_length(&attributes).map(|()| done(id))
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
                    .await?;
                self.begun.done(name);
            }
            Place::Root | Place::Incoming | Place::Outgoing | Place::HandedOver(_) => {
                return Err(not_allowed("this is not removed"));
            }
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
