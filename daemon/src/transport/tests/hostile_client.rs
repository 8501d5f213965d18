//! A client that means ill, or is only strange, against our server.

use std::sync::Arc;

use russh::client::{AuthResult, Handle, Handler};
use russh::keys::{PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use russh::{Channel, ChannelMsg, client::Msg};
use russh_sftp::client::{RawSftpSession, error::Error};
use russh_sftp::protocol::{FileAttributes, OpenFlags, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::transport::algorithms::SFTP_PACKET_BYTES_MAX;
use crate::transport::client::SshLink;
use crate::transport::link::LinkError;

/// Takes any host.
struct Anybody;

impl Handler for Anybody {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        _shown: &PublicKeyOrCertificate,
    ) -> Result<bool, russh::Error> {
        Ok(true)
    }
}

async fn greeted(ministry: &Ministry) -> Handle<Anybody> {
    russh::client::connect(Arc::default(), ministry.server.address, Anybody)
        .await
        .unwrap()
}

async fn logged_in(ministry: &Ministry) -> Handle<Anybody> {
    let mut handle = greeted(ministry).await;
    let own = PrivateKey::from_openssh(key(CLIENT_SEED).to_openssh("").as_str()).unwrap();
    let login = handle
        .authenticate_publickey(USER, PrivateKeyWithHashAlg::new(Arc::new(own), None))
        .await;
    assert_eq!(login.unwrap(), AuthResult::Success);
    handle
}

async fn subsystem(handle: &Handle<Anybody>) -> Channel<Msg> {
    let mut channel = handle.channel_open_session().await.unwrap();
    channel.request_subsystem(true, "sftp").await.unwrap();
    assert!(succeeded(&mut channel).await);
    channel
}

/// The answer to the last request.
async fn succeeded(channel: &mut Channel<Msg>) -> bool {
    loop {
        match channel.wait().await {
            Some(ChannelMsg::Success) => return true,
            Some(ChannelMsg::Failure) => return false,
            Some(_) => {}
            None => panic!("the channel ended without an answer"),
        }
    }
}

async fn sftp(handle: &Handle<Anybody>) -> RawSftpSession {
    let session = RawSftpSession::new(subsystem(handle).await.into_stream());
    session.init().await.unwrap();
    session
}

fn status<T>(answer: Result<T, Error>) -> StatusCode {
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

async fn open(sftp: &RawSftpSession, path: &str, flags: OpenFlags) -> Result<String, Error> {
    sftp.open(path, flags, FileAttributes::empty())
        .await
        .map(|handle| handle.handle)
}

#[tokio::test]
async fn an_idle_socket_is_closed_after_the_login_grace() {
    let limits = Limits {
        login_grace_secs: 1,
        ..Limits::default()
    };
    let ministry = ministry_with(&["127.0.0.1"], limits).await;
    for greeting in [&b""[..], b"SSH-2.0-idle\r\n"] {
        let mut stream = TcpStream::connect(ministry.server.address).await.unwrap();
        stream.write_all(greeting).await.unwrap();
        let mut seen = Vec::new();
        // It ends: that is the test. A reset is an end too.
        let _ended = stream.read_to_end(&mut seen).await;
        assert!(seen.starts_with(b"SSH-2.0-amanah\r\n"));
    }
    // Also with a finished key exchange, but no login.
    let handle = greeted(&ministry).await;
    while !handle.is_closed() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn connections_beyond_the_bounds_are_closed_at_once() {
    let limits = Limits {
        unauthenticated_per_address_max: 1,
        ..Limits::default()
    };
    let ministry = ministry_with(&["127.0.0.1"], limits).await;
    let mut first = TcpStream::connect(ministry.server.address).await.unwrap();
    first.read_exact(&mut [0; 16]).await.unwrap();
    let mut second = TcpStream::connect(ministry.server.address).await.unwrap();
    assert_eq!(second.read(&mut [0; 16]).await.unwrap_or(0), 0);
    drop(first);
    // The place is free again once the server has seen that; and a peer that has logged in takes none of them.
    let _one = loop {
        match SshLink::connect(dial(&ministry)).await {
            Ok(link) => break link,
            Err(LinkError::Broken(_)) => tokio::task::yield_now().await,
            Err(other) => panic!("{other}"),
        }
    };
    let _two = SshLink::connect(dial(&ministry)).await.unwrap();
}

#[tokio::test]
async fn every_login_but_by_a_known_key_is_refused() {
    let ministry = ministry().await;
    let mut handle = greeted(&ministry).await;
    let refused = |login: AuthResult| matches!(login, AuthResult::Failure { .. });
    assert!(refused(handle.authenticate_none(USER).await.unwrap()));
    assert!(refused(
        handle.authenticate_password(USER, "secret").await.unwrap()
    ));
    assert!(handle.channel_open_session().await.is_err());
    assert!(ministry.server.connected().is_empty());
}

#[tokio::test]
async fn shell_exec_and_all_else_on_a_channel_are_answered_with_failure() {
    let ministry = ministry().await;
    let handle = logged_in(&ministry).await;
    let mut channel = handle.channel_open_session().await.unwrap();
    channel
        .request_pty(true, "vt100", 80, 24, 0, 0, &[])
        .await
        .unwrap();
    assert!(!succeeded(&mut channel).await);
    channel.set_env(true, "LD_PRELOAD", "x").await.unwrap();
    assert!(!succeeded(&mut channel).await);
    channel
        .request_x11(true, false, "MIT-MAGIC-COOKIE-1", "00", 0)
        .await
        .unwrap();
    assert!(!succeeded(&mut channel).await);
    channel.agent_forward(true).await.unwrap();
    assert!(!succeeded(&mut channel).await);
    channel.request_shell(true).await.unwrap();
    assert!(!succeeded(&mut channel).await);
    channel.exec(true, "id").await.unwrap();
    assert!(!succeeded(&mut channel).await);
    channel.request_subsystem(true, "netconf").await.unwrap();
    assert!(!succeeded(&mut channel).await);
    channel.request_subsystem(true, "sftp").await.unwrap();
    assert!(succeeded(&mut channel).await);
    channel.request_subsystem(true, "sftp").await.unwrap();
    assert!(!succeeded(&mut channel).await);
}

#[tokio::test]
async fn forwarding_is_refused_both_ways() {
    let ministry = ministry().await;
    let handle = logged_in(&ministry).await;
    assert!(
        handle
            .channel_open_direct_tcpip("127.0.0.1", 22, "127.0.0.1", 1)
            .await
            .is_err()
    );
    assert!(
        handle
            .channel_open_direct_streamlocal("/run/x")
            .await
            .is_err()
    );
    assert!(handle.tcpip_forward("127.0.0.1", 0).await.is_err());
    assert!(handle.streamlocal_forward("/run/x").await.is_err());
    // The connection lives on.
    sftp(&handle).await.stat("/").await.unwrap();
}

#[tokio::test]
async fn channels_and_handles_are_bounded() {
    let limits = Limits {
        channels_per_connection_max: 2,
        handles_per_channel_max: 2,
        ..Limits::default()
    };
    let ministry = ministry_with(&["127.0.0.1"], limits).await;
    let handle = logged_in(&ministry).await;
    let first = sftp(&handle).await;
    let _second = sftp(&handle).await;
    assert!(handle.channel_open_session().await.is_err());
    let one = first.opendir("/").await.unwrap().handle;
    first.opendir("/incoming").await.unwrap();
    assert_eq!(
        status(first.opendir("/outgoing").await),
        StatusCode::Failure
    );
    first.close(one).await.unwrap();
    first.opendir("/outgoing").await.unwrap();
}

#[tokio::test]
async fn a_client_that_floods_a_channel_without_subsystem_does_not_stop_the_connection() {
    let ministry = ministry().await;
    let handle = logged_in(&ministry).await;
    let flooded = handle.channel_open_session().await.unwrap();
    for _ in 0..3_000 {
        flooded.set_env(false, "x", "y").await.unwrap();
    }
    sftp(&handle).await.stat("/").await.unwrap();
}

#[tokio::test]
async fn nothing_behind_an_over_long_packet_is_executed() {
    let ministry = ministry().await;
    ministry
        .memory
        .state()
        .offers
        .insert(receipt("a"), Arc::default());
    let handle = logged_in(&ministry).await;
    let path = format!("/outgoing/{}", receipt("a"));
    let path_bytes = u32::try_from(path.len()).unwrap();
    // SSH_FXP_REMOVE, id 7, path: as it would be read by a codec that lost its place.
    let mut remove = (path_bytes + 9).to_be_bytes().to_vec();
    remove.push(13);
    remove.extend(7_u32.to_be_bytes());
    remove.extend(path_bytes.to_be_bytes());
    remove.extend(path.as_bytes());
    let init = [0, 0, 0, 5, 1, 0, 0, 0, 3];
    for length in [0, SFTP_PACKET_BYTES_MAX + 1] {
        let mut stream = subsystem(&handle).await.into_stream();
        let bytes = [&init[..], &length.to_be_bytes(), &remove].concat();
        stream.write_all(&bytes).await.unwrap();
        let mut answers = Vec::new();
        stream.read_to_end(&mut answers).await.unwrap();
        // One answer: the VERSION (2) to the INIT before it.
        let first = usize::try_from(u32::from_be_bytes(answers[..4].try_into().unwrap())).unwrap();
        assert_eq!((answers[4], answers.len()), (2, first + 4));
    }
    assert!(ministry.memory.state().offers.contains_key(&receipt("a")));
    assert!(ministry.memory.state().calls.is_empty());
    // And well framed it is.
    sftp(&handle).await.remove(path).await.unwrap();
    assert!(ministry.memory.state().offers.is_empty());
}

#[tokio::test]
async fn malformed_and_unknown_packets_get_an_answer() {
    let ministry = ministry().await;
    let handle = logged_in(&ministry).await;
    let mut stream = subsystem(&handle).await.into_stream();
    let packets: [&[u8]; 4] = [
        // INIT, INIT again, a type that is none, an OPEN that is cut short.
        &[0, 0, 0, 5, 1, 0, 0, 0, 3],
        &[0, 0, 0, 5, 1, 0, 0, 0, 3],
        &[0, 0, 0, 5, 99, 0, 0, 0, 1],
        &[0, 0, 0, 9, 3, 0, 0, 0, 2, 255, 255, 255, 255],
    ];
    stream.write_all(&packets.concat()).await.unwrap();
    let mut types = Vec::new();
    for _ in packets {
        let length = stream.read_u32().await.unwrap();
        let mut packet = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut packet).await.unwrap();
        types.push(packet[0]);
    }
    assert_eq!(types, [2, 101, 101, 101]);
}

#[tokio::test]
async fn paths_outside_the_tree_are_refused() {
    let ministry = ministry().await;
    ministry
        .memory
        .state()
        .offers
        .insert(bundle("a"), Arc::new(b"bytes".to_vec()));
    let handle = logged_in(&ministry).await;
    let sftp = sftp(&handle).await;
    let (write, read) = (OpenFlags::WRITE | OpenFlags::CREATE, OpenFlags::READ);
    let name = bundle("a");
    for path in [
        "/etc/passwd",
        "../x",
        "/incoming/../outgoing/x",
        "/incoming/x.part",
        "/outgoing/.",
        "",
        "/x",
    ] {
        for flags in [read, write] {
            assert!(open(&sftp, path, flags).await.is_err(), "{path}");
        }
    }
    for (path, flags) in [
        (format!("/outgoing/{name}"), write),
        (format!("/outgoing/{name}"), read | OpenFlags::WRITE),
        (format!("/incoming/{name}.part"), read),
        (format!("/incoming/{name}.part"), read | write),
        (format!("/incoming/{name}.part"), write | OpenFlags::EXCLUDE),
        (format!("/incoming/{name}"), write),
        ("/incoming".to_owned(), read),
    ] {
        assert_eq!(
            status(open(&sftp, &path, flags).await),
            StatusCode::PermissionDenied,
            "{path} {flags:?}"
        );
    }
    assert_eq!(status(sftp.opendir("/etc").await), StatusCode::NoSuchFile);
    assert_eq!(
        status(sftp.stat(format!("/incoming/{name}")).await),
        StatusCode::NoSuchFile
    );
    assert_eq!(status(sftp.realpath("/etc").await), StatusCode::NoSuchFile);
    assert!(ministry.memory.state().calls.is_empty());
}

#[tokio::test]
async fn renames_other_than_the_hand_over_and_other_changes_are_refused() {
    let ministry = ministry().await;
    let handle = logged_in(&ministry).await;
    let sftp = sftp(&handle).await;
    let (own, other) = (bundle("a"), bundle("b"));
    let part = format!("/incoming/{own}.part");
    let opened = open(&sftp, &part, OpenFlags::WRITE).await.unwrap();
    assert_eq!(
        status(sftp.rename(&part, format!("/incoming/{own}")).await),
        StatusCode::Failure
    );
    assert_eq!(status(sftp.remove(&part).await), StatusCode::Failure);
    assert_eq!(
        status(open(&sftp, &part, OpenFlags::WRITE).await),
        StatusCode::Failure
    );
    sftp.close(opened).await.unwrap();
    for to in [
        format!("/incoming/{other}"),
        format!("/outgoing/{own}"),
        format!("/incoming/{other}.part"),
    ] {
        assert_eq!(
            status(sftp.rename(&part, to).await),
            StatusCode::PermissionDenied
        );
    }
    assert_eq!(
        status(sftp.mkdir("/incoming/x", FileAttributes::empty()).await),
        StatusCode::OpUnsupported
    );
    assert_eq!(
        status(sftp.rmdir("/incoming").await),
        StatusCode::OpUnsupported
    );
    assert_eq!(
        status(sftp.symlink("/incoming/x", "/etc").await),
        StatusCode::OpUnsupported
    );
    assert_eq!(
        status(sftp.readlink("/incoming").await),
        StatusCode::OpUnsupported
    );
    assert_eq!(
        status(sftp.hardlink(&part, "/outgoing/x").await),
        StatusCode::OpUnsupported
    );
    assert_eq!(
        status(sftp.setstat("/incoming", FileAttributes::empty()).await),
        StatusCode::PermissionDenied
    );
    sftp.setstat(&part, FileAttributes::empty()).await.unwrap();
    sftp.rename(&part, format!("/incoming/{own}"))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_handle_of_another_kind_or_time_is_refused() {
    let ministry = ministry().await;
    ministry
        .memory
        .state()
        .offers
        .insert(bundle("a"), Arc::new(b"bytes".to_vec()));
    let handle = logged_in(&ministry).await;
    let sftp = sftp(&handle).await;
    let part = open(
        &sftp,
        &format!("/incoming/{}.part", bundle("b")),
        OpenFlags::WRITE,
    )
    .await
    .unwrap();
    let offer = open(
        &sftp,
        &format!("/outgoing/{}", bundle("a")),
        OpenFlags::READ,
    )
    .await
    .unwrap();
    let listing = sftp.opendir("/").await.unwrap().handle;
    for wrong in [&offer, &listing, &"99".to_owned()] {
        assert_eq!(
            status(sftp.write(wrong, 0, vec![1]).await),
            StatusCode::Failure
        );
        assert_eq!(status(sftp.fsync(wrong).await), StatusCode::Failure);
    }
    for wrong in [&part, &listing] {
        assert_eq!(status(sftp.read(wrong, 0, 9).await), StatusCode::Failure);
    }
    assert_eq!(status(sftp.readdir(&part).await), StatusCode::Failure);
    sftp.close(&part).await.unwrap();
    assert_eq!(
        status(sftp.write(&part, 0, vec![1]).await),
        StatusCode::Failure
    );
    assert_eq!(status(sftp.close(&part).await), StatusCode::Failure);
    assert_eq!(sftp.read(&offer, 3, u32::MAX).await.unwrap().data, b"es");
}
