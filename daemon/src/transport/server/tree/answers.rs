//! How answers are made: a success, a refusal with its code in front, and the work behind them off the runtime's own
//! threads.

use std::fmt;

use russh_sftp::protocol::{Status, StatusCode};
use russh_sftp::server::StatusReply;
use tokio::task::spawn_blocking;

use super::place::Place;
use crate::transport::algorithms::{SFTP_CHUNK_BYTES_MAX, SFTP_PACKET_BYTES_MAX};
use crate::transport::link::Denied;

/// Runs what blocks off the runtime's own threads.
pub(super) async fn apart<T, F>(work: F) -> Result<T, StatusReply>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Denied> + Send + 'static,
{
    match spawn_blocking(work).await {
        Ok(answer) => answer.map_err(|why| refusal(&why)),
        Err(_) => Err(failure("stopping", "the daemon is stopping")),
    }
}

/// A refusal as a status, its code in front of the message.
pub(super) fn refusal(denied: &Denied) -> StatusReply {
    let status = match denied.code.as_str() {
        "no-such-file" => StatusCode::NoSuchFile,
        "not-allowed" => StatusCode::PermissionDenied,
        _ => StatusCode::Failure,
    };
    status.with_message(denied.to_string())
}

pub(super) fn denied(code: &str, message: &str) -> Denied {
    Denied {
        code: code.to_owned(),
        message: message.to_owned(),
    }
}

pub(super) fn failure(code: &str, message: &str) -> StatusReply {
    refusal(&denied(code, message))
}

pub(super) fn not_allowed(message: &str) -> StatusReply {
    failure("not-allowed", message)
}

pub(super) fn no_such_file() -> StatusReply {
    failure("no-such-file", "no such name here")
}

pub(super) fn done(id: u32) -> Status {
    Status {
        id,
        status_code: StatusCode::Ok,
        error_message: String::new(),
        language_tag: String::new(),
    }
}

/// A place in the tree, or a refusal.
pub(super) fn find(path: &str) -> Result<Place, StatusReply> {
    Place::parse(path).ok_or_else(no_such_file)
}

/// The four numbers of `limits@openssh.com` (OpenSSH PROTOCOL §4.8).
pub(super) fn limits(handles_max: usize) -> Vec<u8> {
    let chunk = u64::from(SFTP_CHUNK_BYTES_MAX);
    let handles = u64::try_from(handles_max).unwrap_or(u64::MAX);
    [u64::from(SFTP_PACKET_BYTES_MAX), chunk, chunk, handles]
        .iter()
        .flat_map(|number| number.to_be_bytes())
        .collect()
}

pub(super) fn malformed(_: impl fmt::Display) -> StatusReply {
    StatusCode::BadMessage.with_message("failure: the request's fields do not fit")
}
