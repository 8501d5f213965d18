//! A client without manners: logs in as the known peer, or not, and then says what a test wants said.
//! It trusts any host and checks nothing: only tests of the server use it, where our own client would never send such a
//! thing.

use std::sync::Arc;

use russh::client::{AuthResult, Handle, Handler};
use russh::keys::{PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use russh::{Channel, ChannelMsg, client::Msg};
use russh_sftp::client::{RawSftpSession, error::Error};
use russh_sftp::protocol::{FileAttributes, OpenFlags, StatusCode};

use super::*;

/// Takes any host.
pub(super) struct Anybody;

impl Handler for Anybody {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        _shown: &PublicKeyOrCertificate,
    ) -> Result<bool, russh::Error> {
        Ok(true)
    }
}

pub(super) async fn greeted(ministry: &Ministry) -> Handle<Anybody> {
    russh::client::connect(Arc::default(), ministry.server.address, Anybody)
        .await
        .unwrap()
}

pub(super) async fn logged_in(ministry: &Ministry) -> Handle<Anybody> {
    let mut handle = greeted(ministry).await;
    let own = PrivateKey::from_openssh(key(CLIENT_SEED).to_openssh("").as_str()).unwrap();
    let login = handle
        .authenticate_publickey(USER, PrivateKeyWithHashAlg::new(Arc::new(own), None))
        .await;
    assert_eq!(login.unwrap(), AuthResult::Success);
    handle
}

pub(super) async fn subsystem(handle: &Handle<Anybody>) -> Channel<Msg> {
    let mut channel = handle.channel_open_session().await.unwrap();
    channel.request_subsystem(true, "sftp").await.unwrap();
    assert!(succeeded(&mut channel).await);
    channel
}

/// The answer to the last request.
pub(super) async fn succeeded(channel: &mut Channel<Msg>) -> bool {
    loop {
        match channel.wait().await {
            Some(ChannelMsg::Success) => return true,
            Some(ChannelMsg::Failure) => return false,
            Some(_) => {}
            None => panic!("the channel ended without an answer"),
        }
    }
}

pub(super) async fn sftp(handle: &Handle<Anybody>) -> RawSftpSession {
    let session = RawSftpSession::new(subsystem(handle).await.into_stream());
    session.init().await.unwrap();
    session
}

pub(super) fn status<T>(answer: Result<T, Error>) -> StatusCode {
    match answer {
        Err(Error::Status(status)) => {
            assert!(
                status.error_message.contains(": "),
                "no code: {}",
                status.error_message
            );
            status.status_code
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was allowed"),
    }
}

pub(super) async fn open(
    sftp: &RawSftpSession,
    path: &str,
    flags: OpenFlags,
) -> Result<String, Error> {
    sftp.open(path, flags, FileAttributes::empty())
        .await
        .map(|handle| handle.handle)
}
