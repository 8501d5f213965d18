//! One SFTP channel: its session, what its server can do, and how its answers become ours.
//! A server without our extensions is used by the plain protocol (draft-ietf-secsh-filexfer-02). What it says in an
//! error is cut, cleaned of control characters, and never acted upon but for its code.

use std::pin::pin;
use std::task::{Context, Waker};

use russh::ChannelMsg;
use russh_sftp::client::error::Error;
use russh_sftp::client::{Config, RawSftpSession};
use russh_sftp::extensions::{self, HardlinkExtension};
use russh_sftp::protocol::{FileAttributes, OpenFlags, Packet, Status, StatusCode};

use tokio::io::{AsyncRead, AsyncWrite};

use super::connect::Dialler;
use crate::transport::algorithms::{SFTP_CHUNK_BYTES_MAX, SFTP_PACKET_BYTES_MAX};
use crate::transport::link::{LinkError, WireName};

/// The one subsystem.
const SUBSYSTEM: &str = "sftp";
/// Extensions beyond those that the codec names.
const POSIX_RENAME: &str = "posix-rename@openssh.com";
const WAIT: &str = "wait@amanah";
/// How long an answer may take: a hand-over reads and syncs the whole bundle.
const ANSWER_SECS_MAX: u64 = 600;
/// Longest wait that a server grants.
pub(super) const WAIT_SECS_MAX: u32 = 30;
/// What every server takes in one request (draft-ietf-secsh-filexfer-02 §3).
const CHUNK_BYTES_WITHOUT_LIMITS: u32 = 32 * 1024;
/// Of what a peer says in an error, this much is kept.
const MESSAGE_CHARS_MAX: usize = 300;
/// Longest code before the colon of a message.
const CODE_BYTES_MAX: usize = 40;

/// One channel.
pub(super) struct Sftp {
    pub(super) raw: RawSftpSession,
    /// Most bytes to write in one request.
    pub(super) write_bytes_max: u32,
    /// Most bytes to read in one request.
    pub(super) read_bytes_max: u32,
    has_posix_rename: bool,
    has_fsync: bool,
    has_wait: bool,
}

/// Opens a channel and starts SFTP on it.
pub(super) async fn open(handle: &russh::client::Handle<Dialler>) -> Result<Sftp, LinkError> {
    let mut channel = handle.channel_open_session().await.map_err(ended)?;
    channel
        .request_subsystem(true, SUBSYSTEM)
        .await
        .map_err(ended)?;
    loop {
        match channel.wait().await {
            Some(ChannelMsg::Success) => break,
            None | Some(ChannelMsg::Failure | ChannelMsg::Eof | ChannelMsg::Close) => {
                return Err(LinkError::Broken("the peer does not serve SFTP".to_owned()));
            }
            Some(_) => {}
        }
    }
    start(channel.into_stream()).await
}

/// Starts SFTP on a stream.
pub(super) async fn start<S>(stream: S) -> Result<Sftp, LinkError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let config = Config {
        max_packet_len: SFTP_PACKET_BYTES_MAX,
        request_timeout_secs: ANSWER_SECS_MAX,
        ..Config::default()
    };
    let raw = RawSftpSession::new_with_config(stream, config);
    let version = raw.init().await.map_err(answer)?;
    let has = |name| version.extensions.contains_key(name);
    let mut sftp = Sftp {
        raw,
        write_bytes_max: CHUNK_BYTES_WITHOUT_LIMITS,
        read_bytes_max: CHUNK_BYTES_WITHOUT_LIMITS,
        has_posix_rename: has(POSIX_RENAME),
        has_fsync: has(extensions::FSYNC),
        has_wait: has(WAIT),
    };
    if has(extensions::LIMITS) {
        let limits = sftp.raw.limits().await.map_err(answer)?;
        sftp.write_bytes_max = chunk(limits.max_write_len);
        sftp.read_bytes_max = chunk(limits.max_read_len);
    }
    Ok(sftp)
}

/// The size of a request by the server's limit; 0 says that it has none.
fn chunk(limit: u64) -> u32 {
    match u32::try_from(limit) {
        Ok(0) => CHUNK_BYTES_WITHOUT_LIMITS,
        Ok(limit) => limit.min(SFTP_CHUNK_BYTES_MAX),
        Err(_) => SFTP_CHUNK_BYTES_MAX,
    }
}

pub(super) fn part_path(name: WireName) -> String {
    format!("/incoming/{name}.part")
}

pub(super) fn offer_path(name: WireName) -> String {
    format!("/outgoing/{name}")
}

impl Sftp {
    pub(super) fn has_wait(&self) -> bool {
        self.has_wait
    }

    pub(super) async fn prefix(&self, name: WireName) -> Result<u64, LinkError> {
        match self.raw.stat(part_path(name)).await {
            Ok(attributes) => attributes
                .attrs
                .size
                .ok_or_else(|| strange("a file without a size")),
            Err(Error::Status(status)) if status.status_code == StatusCode::NoSuchFile => Ok(0),
            Err(error) => Err(answer(error)),
        }
    }

    pub(super) async fn hand_over(&self, name: WireName) -> Result<(), LinkError> {
        let (from, to) = (part_path(name), format!("/incoming/{name}"));
        if !self.has_posix_rename {
            return self.raw.rename(from, to).await.map(drop).map_err(answer);
        }
        // Two paths, as in hardlink@openssh.com.
        let paths = HardlinkExtension {
            oldpath: from,
            newpath: to,
        };
        let paths: Vec<u8> = paths.try_into().map_err(|_| strange("a name too long"))?;
        self.extended(POSIX_RENAME, paths).await
    }

    pub(super) async fn taken(&self, name: WireName) -> Result<(), LinkError> {
        self.raw
            .remove(offer_path(name))
            .await
            .map(drop)
            .map_err(answer)
    }

    pub(super) async fn wait(&self, seconds: u32) -> Result<(), LinkError> {
        self.extended(WAIT, seconds.to_be_bytes().to_vec()).await
    }

    /// Syncs an open file, where the server can.
    pub(super) async fn sync(&self, handle: &str) -> Result<(), LinkError> {
        if !self.has_fsync {
            return Ok(());
        }
        self.raw.fsync(handle).await.map(drop).map_err(answer)
    }

    async fn extended(&self, request: &str, fields: Vec<u8>) -> Result<(), LinkError> {
        let answered = self.raw.extended(request, fields).await.map_err(answer)?;
        let Packet::Status(status) = answered else {
            return Err(strange("an answer of another kind"));
        };
        if status.status_code == StatusCode::Ok {
            Ok(())
        } else {
            Err(denied(&status))
        }
    }
}

/// An open handle. A transfer that is given up drops it without closing: the server is told all the same.
pub(super) struct Opened<'a> {
    sftp: &'a Sftp,
    handle: String,
    closed: bool,
}

impl Sftp {
    /// Opens a file.
    pub(super) async fn open(
        &self,
        path: String,
        flags: OpenFlags,
    ) -> Result<Opened<'_>, LinkError> {
        let opened = self
            .raw
            .open(path, flags, FileAttributes::empty())
            .await
            .map_err(answer)?;
        Ok(Opened {
            sftp: self,
            handle: opened.handle,
            closed: false,
        })
    }

    /// Opens a folder.
    pub(super) async fn open_folder(&self, path: &str) -> Result<Opened<'_>, LinkError> {
        let opened = self.raw.opendir(path).await.map_err(answer)?;
        Ok(Opened {
            sftp: self,
            handle: opened.handle,
            closed: false,
        })
    }
}

impl Opened<'_> {
    /// What the server calls it.
    pub(super) fn handle(&self) -> &str {
        &self.handle
    }

    /// Closes it.
    pub(super) async fn close(mut self) -> Result<(), LinkError> {
        self.closed = true;
        self.sftp
            .raw
            .close(&self.handle)
            .await
            .map(drop)
            .map_err(answer)
    }
}

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        // The request's clock needs the runtime; where there is none any more, neither is the connection.
        if self.closed || tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let close = pin!(self.sftp.raw.close(&self.handle));
        // Sent when polled for the first time; nobody waits for the answer.
        let _sent = close.poll(&mut Context::from_waker(Waker::noop()));
    }
}

/// The connection is gone.
fn ended(error: russh::Error) -> LinkError {
    LinkError::Broken(error.to_string())
}

/// The server does not keep to the protocol.
pub(super) fn strange(what: &str) -> LinkError {
    LinkError::Broken(format!("the peer's server answered with {what}"))
}

/// What an error of the codec means: a status is the peer's word, all else is the connection.
pub(super) fn answer(error: Error) -> LinkError {
    match error {
        Error::Status(status) => denied(&status),
        Error::Timeout => LinkError::Broken(format!("no answer within {ANSWER_SECS_MAX} s")),
        Error::IO(text) | Error::Limited(text) | Error::UnexpectedBehavior(text) => {
            LinkError::Broken(text)
        }
        Error::UnexpectedPacket => strange("an answer of another kind"),
    }
}

/// A status that is not OK: `code: text` from a server of ours, anything from others.
fn denied(status: &Status) -> LinkError {
    let message: String = status
        .error_message
        .chars()
        .filter(|character| !character.is_control())
        .take(MESSAGE_CHARS_MAX)
        .collect();
    let gone = matches!(
        status.status_code,
        StatusCode::NoConnection | StatusCode::ConnectionLost
    );
    if gone {
        return LinkError::Broken(message);
    }
    let said = message
        .split_once(": ")
        .map(|(code, _)| code)
        .filter(|code| is_code(code));
    let plain = match status.status_code {
        StatusCode::NoSuchFile => Some("no-such-file"),
        StatusCode::PermissionDenied => Some("not-allowed"),
        StatusCode::Ok
        | StatusCode::Eof
        | StatusCode::Failure
        | StatusCode::BadMessage
        | StatusCode::NoConnection
        | StatusCode::ConnectionLost
        | StatusCode::OpUnsupported => None,
    };
    let code = said.or(plain).map(str::to_owned);
    LinkError::Denied { code, message }
}

fn is_code(text: &str) -> bool {
    (1..=CODE_BYTES_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status_code: StatusCode, message: &str) -> Status {
        Status {
            id: 1,
            status_code,
            error_message: message.to_owned(),
            language_tag: String::new(),
        }
    }

    #[test]
    fn a_code_before_the_colon_is_told_apart_from_other_texts() {
        for (status_code, message, expected) in [
            (
                StatusCode::Failure,
                "damaged: send it again",
                Some("damaged"),
            ),
            (
                StatusCode::Failure,
                "wrong-recipient: no",
                Some("wrong-recipient"),
            ),
            (StatusCode::Failure, "Failure", None),
            (StatusCode::Failure, "Error: disk", None),
            (StatusCode::NoSuchFile, "No such file", Some("no-such-file")),
            (
                StatusCode::PermissionDenied,
                "Permission denied",
                Some("not-allowed"),
            ),
        ] {
            let LinkError::Denied { code, .. } = denied(&status(status_code, message)) else {
                panic!("{message} is not a denial");
            };
            assert_eq!(code.as_deref(), expected, "{message}");
        }
    }

    #[test]
    fn what_a_peer_says_is_bounded_and_cannot_steer_a_terminal() {
        let LinkError::Denied { message, .. } =
            denied(&status(StatusCode::Failure, &"\u{1b}[2Jx".repeat(1000)))
        else {
            panic!("not a denial");
        };
        assert!(message.chars().count() <= MESSAGE_CHARS_MAX);
        assert!(!message.contains('\u{1b}'));
    }

    #[test]
    fn a_lost_connection_is_not_a_denial() {
        assert!(matches!(
            denied(&status(StatusCode::ConnectionLost, "x")),
            LinkError::Broken(_)
        ));
        assert!(matches!(answer(Error::Timeout), LinkError::Broken(_)));
    }

    #[test]
    fn requests_are_as_large_as_the_server_says_and_no_larger_than_a_packet() {
        assert_eq!(chunk(0), CHUNK_BYTES_WITHOUT_LIMITS);
        assert_eq!(chunk(1000), 1000);
        assert_eq!(chunk(u64::MAX), SFTP_CHUNK_BYTES_MAX);
    }
}
