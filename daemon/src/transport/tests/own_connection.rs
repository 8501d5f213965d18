//! How our client's connection to our server comes about, does not, and ends: the right host, the right key, a network that may
//! connect, and who is told when it has gone.

use std::sync::Arc;
use std::time::Duration;

use super::own_client::connected;
use super::*;
use crate::transport::client::SshLink;
use crate::transport::link::{Link, LinkError};

#[tokio::test]
async fn the_connected_peer_is_listed_until_it_goes() {
    let (ministry, link) = connected().await;
    link.offers().await.unwrap();
    let connected = ministry.server.connected();
    assert_eq!(connected.len(), 1);
    assert_eq!(connected[0].0.as_str(), USER);
    link.close().await;
    assert!(matches!(link.offers().await, Err(LinkError::Broken(_))));
    while !ministry.server.connected().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_host_that_is_not_on_the_card_is_refused_with_both_fingerprints() {
    let ministry = ministry().await;
    let mut dial = dial(&ministry);
    dial.host_keys = vec![key(STRANGER_SEED).public()];
    let error = SshLink::connect(dial).await.err().unwrap();
    let LinkError::HostKey {
        found, expected, ..
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!(found, key(SERVER_SEED).public().fingerprint());
    assert_eq!(expected, key(STRANGER_SEED).public().fingerprint());
}

#[tokio::test]
async fn an_unknown_key_and_a_wrong_user_are_refused() {
    let ministry = ministry().await;
    let mut with_other_key = dial(&ministry);
    with_other_key.key = key(STRANGER_SEED).to_openssh("");
    let mut as_other_user = dial(&ministry);
    as_other_user.user = "bpkh".parse().unwrap();
    for (dial, seed) in [
        (with_other_key, STRANGER_SEED),
        (as_other_user, CLIENT_SEED),
    ] {
        let error = SshLink::connect(dial).await.err().unwrap();
        let LinkError::Auth { fingerprint } = error else {
            panic!("{error}")
        };
        assert_eq!(fingerprint, key(seed).public().fingerprint());
    }
    assert!(ministry.server.connected().is_empty());
}

#[tokio::test]
async fn an_address_outside_the_networks_is_closed_at_once() {
    for networks in [&["10.0.0.0/8", "::1/128"][..], &[]] {
        let ministry = ministry_with(networks, Limits::default()).await;
        let error = SshLink::connect(dial(&ministry)).await.err().unwrap();
        assert!(matches!(error, LinkError::Broken(_)), "{error}");
    }
}

#[tokio::test]
async fn a_key_that_is_none_is_our_own_fault() {
    let ministry = ministry().await;
    let mut dial = dial(&ministry);
    dial.key = "no key".to_owned().into();
    assert!(matches!(
        SshLink::connect(dial).await.err(),
        Some(LinkError::Local(_))
    ));
    let mut listen = listen(&[], Limits::default());
    listen.host_key = "no key".to_owned().into();
    assert!(
        Server::start(listen, Arc::new(Memory::default()))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn that_the_connection_has_gone_is_told_to_who_asks_nothing() {
    let (ministry, link) = connected().await;
    let bound = Duration::from_secs(20);
    let mut ended = std::pin::pin!(link.ended());
    let lives = tokio::time::timeout(Duration::from_millis(50), &mut ended).await;
    assert!(lives.is_err(), "it was said to have ended");
    ministry.server.stop().await;
    tokio::time::timeout(bound, ended).await.unwrap();
    // Also to who asks too late.
    tokio::time::timeout(bound, link.ended()).await.unwrap();
}

#[tokio::test]
async fn a_host_without_post_quantum_key_exchange_is_refused_only_where_it_is_required() {
    /// A server that lets nobody in.
    struct Nobody;
    impl russh::server::Handler for Nobody {
        type Error = russh::Error;
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let classic = Arc::new(russh::server::Config {
        keys: vec![
            russh::keys::PrivateKey::from_openssh(key(SERVER_SEED).to_openssh("").as_str())
                .unwrap(),
        ],
        preferred: russh::Preferred {
            kex: vec![russh::kex::CURVE25519].into(),
            cipher: vec![russh::cipher::CHACHA20_POLY1305].into(),
            ..russh::Preferred::DEFAULT
        },
        ..russh::server::Config::default()
    });
    let serving = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            drop(russh::server::run_stream(Arc::clone(&classic), stream, Nobody).await);
        }
    });
    let ministry = ministry().await;
    for (post_quantum, reaches_login) in [
        (PostQuantum::Required, false),
        (PostQuantum::Preferred, true),
    ] {
        let mut dial = dial(&ministry);
        dial.address = address.to_string();
        dial.post_quantum = post_quantum;
        let error = SshLink::connect(dial).await.err().unwrap();
        assert_eq!(
            matches!(error, LinkError::Auth { .. }),
            reaches_login,
            "{error}"
        );
        assert_eq!(
            matches!(error, LinkError::Broken(_)),
            !reaches_login,
            "{error}"
        );
    }
    serving.abort();
}
