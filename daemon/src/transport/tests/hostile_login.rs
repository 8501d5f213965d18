//! A client that means ill, or is only strange, at the door: logins, channels, forwarding, bounds.
//! What must hold before anybody has logged in, and what a peer who has may not do beside SFTP. Each bound is reached,
//! not believed.

use russh::client::AuthResult;
use russh_sftp::protocol::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::raw_client::{greeted, logged_in, sftp, status, succeeded};
use super::*;
use crate::transport::client::SshLink;

#[tokio::test]
async fn an_idle_socket_is_closed_after_the_login_grace() {
    let limits = Limits {
        login_grace_secs: 1,
        ..Limits::default()
    };
    let ministry = ministry_with(&["127.0.0.1/32"], limits).await;
    // An address of a peer is not shut out for what follows.
    SshLink::connect(dial(&ministry)).await.unwrap();
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
async fn beyond_the_bounds_the_oldest_that_has_not_logged_in_is_closed() {
    let limits = Limits {
        unauthenticated_per_address_max: 1,
        ..Limits::default()
    };
    let ministry = ministry_with(&["127.0.0.1/32"], limits).await;
    let mut first = TcpStream::connect(ministry.server.address).await.unwrap();
    first.read_exact(&mut [0; 16]).await.unwrap();
    let mut second = TcpStream::connect(ministry.server.address).await.unwrap();
    second.read_exact(&mut [0; 16]).await.unwrap();
    // It ends: that is the test. A reset is an end too.
    let _ended = first.read_to_end(&mut Vec::new()).await;
    // A peer that has logged in takes none of those places, and finds one whoever stands there.
    let _one = SshLink::connect(dial(&ministry)).await.unwrap();
    let _third = TcpStream::connect(ministry.server.address).await.unwrap();
    let _two = SshLink::connect(dial(&ministry)).await.unwrap();
}

#[tokio::test]
async fn an_address_that_never_logs_in_is_shut_out_and_another_is_not() {
    let limits = Limits {
        login_grace_secs: 1,
        ..Limits::default()
    };
    let ministry = ministry_with(&["127.0.0.0/8"], limits).await;
    let from = |last: u8| async move {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(([127, 9, 9, last], 0).into()).unwrap();
        socket
    };
    let knock = |last: u8| {
        let (server, socket) = (ministry.server.address, from(last));
        async move {
            let mut seen = Vec::new();
            if let Ok(mut stream) = socket.await.connect(server).await {
                // A reset is an end too.
                let _ended = stream.read_to_end(&mut seen).await;
            }
            !seen.is_empty()
        }
    };
    // Two that take the whole second; then the address is known for it.
    assert!(knock(1).await && knock(1).await);
    assert!(!knock(1).await, "it is served again");
    assert!(knock(2).await, "another pays for it");
    SshLink::connect(dial(&ministry)).await.unwrap();
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
    let ministry = ministry_with(&["127.0.0.1/32"], limits).await;
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
async fn hundreds_of_channels_one_after_the_other_leave_nothing_behind() {
    let ministry = ministry().await;
    let handle = logged_in(&ministry).await;
    for _ in 0..300 {
        // The place of the one before it is free a moment later.
        let channel = loop {
            match handle.channel_open_session().await {
                Ok(channel) => break channel,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        channel.close().await.unwrap();
    }
    sftp(&handle).await.stat("/").await.unwrap();
}
