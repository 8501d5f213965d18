//! Bytes that are no SSH, or SSH out of its order, before anybody has logged in; and, after it, clients that use the
//! protocol's freedoms against the server: packets of no length, a new key exchange with every request, keys without end.
//! Each is cut off or served, and the next client is served after it.

use russh::Limits as RekeyLimits;
use russh::client::{AuthResult, Config, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::{PrivateKey, PrivateKeyWithHashAlg};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::raw_client::{Anybody, greeted, logged_in, sftp, succeeded};
use super::*;

/// Far below the time in which everybody must have logged in: what ends later was not cut off for what it sent.
const SOON: Duration = Duration::from_secs(10);
const GREETING: &[u8] = b"SSH-2.0-lain\r\n";
/// SSH_MSG_DISCONNECT, and the messages of a key exchange up to the server's share (RFC 4253, RFC 5656).
const DISCONNECT: u8 = 1;
const KEXINIT: u8 = 20;
const SERVER_SHARE: u8 = 31;

/// An unencrypted packet (RFC 4253 §6).
fn packet(payload: &[u8]) -> Vec<u8> {
    let padding = 8 + (8 - (payload.len() + 13) % 8) % 8;
    let length = u32::try_from(payload.len() + padding + 1).unwrap();
    let mut packet = length.to_be_bytes().to_vec();
    packet.push(u8::try_from(padding).unwrap());
    packet.extend(payload);
    packet.resize(packet.len() + padding, 0);
    packet
}

/// A KEXINIT that asks for this exchange, and for what the server has in all else.
fn kexinit(exchange: &str) -> Vec<u8> {
    let cipher = "aes256-gcm@openssh.com";
    let mac = "hmac-sha2-256-etm@openssh.com";
    let names = [
        exchange,
        "ssh-ed25519",
        cipher,
        cipher,
        mac,
        mac,
        "none",
        "none",
        "",
        "",
    ];
    let mut payload = vec![KEXINIT];
    payload.extend([7; 16]);
    for list in names {
        payload.extend(u32::try_from(list.len()).unwrap().to_be_bytes());
        payload.extend(list.as_bytes());
    }
    payload.extend([0; 5]);
    packet(&payload)
}

/// The client's half of an exchange over X25519.
fn share(bytes: &[u8]) -> Vec<u8> {
    let mut payload = vec![30];
    payload.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
    payload.extend(bytes);
    packet(&payload)
}

/// Sends these bytes, and reads to the end that the server puts: the types of its messages before it.
async fn cut_off(ministry: &Ministry, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(ministry.server.address).await.unwrap();
    let mut seen = Vec::new();
    let ended = timeout(SOON, async {
        // It may be closed before everything is sent; a reset is an end too.
        let _sent = stream.write_all(bytes).await;
        let _ended = stream.read_to_end(&mut seen).await;
    });
    ended.await.expect("it is cut off soon");
    let greeting = seen.iter().position(|byte| *byte == b'\n');
    let mut rest = greeting.map_or(&[][..], |at| &seen[at + 1..]);
    let mut types = Vec::new();
    while rest.len() > 5 {
        types.push(rest[5]);
        let length = u32::from_be_bytes(rest[..4].try_into().unwrap());
        let next = usize::try_from(length).unwrap() + 4;
        rest = rest.get(next..).unwrap_or_default();
    }
    types
}

/// What is sent after the greeting, or instead of it.
fn hostile_openings() -> Vec<(&'static str, Vec<u8>)> {
    let curve = kexinit("curve25519-sha256");
    let strict = kexinit("curve25519-sha256,kex-strict-c-v00@openssh.com");
    let long_names = kexinit(&vec!["x".repeat(60); 500].join(","));
    let length = |bytes: u32| [&bytes.to_be_bytes()[..], &[4; 64]].concat();
    let login = packet(&[&[5, 0, 0, 0, 12][..], b"ssh-userauth"].concat());
    let greeted = |name, parts: &[&[u8]]| (name, [GREETING, &parts.concat()].concat());
    vec![
        ("a line without end", vec![b'A'; 1 << 20]),
        ("another protocol", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ("SSH 1", b"SSH-1.5-lain\r\n".to_vec()),
        greeted("a packet of 4 GiB", &[&length(u32::MAX)]),
        greeted("a packet of 1 GiB", &[&length(1 << 30)]),
        greeted("a packet of nothing", &[&length(0)]),
        greeted("a huge KEXINIT", &[&long_names]),
        greeted(
            "no exchange in common",
            &[&kexinit("diffie-hellman-group1-sha1")],
        ),
        greeted("a login before the exchange", &[&login]),
        greeted("a channel before the exchange", &[&packet(&[90; 40])]),
        greeted("a login in the exchange", &[&curve, &login]),
        greeted(
            "an IGNORE in a strict exchange",
            &[&strict, &packet(&[2, 0, 0, 0, 0])],
        ),
        greeted("a share of zeros", &[&curve, &share(&[0; 32])]),
        greeted("a share of 31 bytes", &[&curve, &share(&[9; 31])]),
        greeted("a share of 33 bytes", &[&curve, &share(&[9; 33])]),
        greeted("a share of nothing", &[&curve, &share(&[])]),
    ]
}

#[tokio::test]
async fn what_is_no_ssh_or_out_of_its_order_is_cut_off_at_once() {
    let limits = Limits {
        login_grace_secs: 120,
        ..Limits::default()
    };
    let ministry = ministry_with(&["127.0.0.1/32"], limits).await;
    // An address of a peer is not shut out for what follows.
    drop(logged_in(&ministry).await);
    while !ministry.server.connected().is_empty() {
        tokio::task::yield_now().await;
    }
    for (name, bytes) in hostile_openings() {
        let types = cut_off(&ministry, &bytes).await;
        let only = [KEXINIT, DISCONNECT];
        assert!(
            types.iter().all(|kind| only.contains(kind)),
            "{name}: {types:?}"
        );
        assert!(!types.contains(&SERVER_SHARE), "{name}");
    }
    assert!(ministry.server.connected().is_empty());
    sftp(&logged_in(&ministry).await)
        .await
        .stat("/")
        .await
        .unwrap();
}

fn own() -> PrivateKeyWithHashAlg {
    let key = PrivateKey::from_openssh(key(CLIENT_SEED).to_openssh("").as_str()).unwrap();
    PrivateKeyWithHashAlg::new(Arc::new(key), None)
}

async fn logged_in_with(ministry: &Ministry, config: Config) -> Handle<Anybody> {
    let address = ministry.server.address;
    let mut handle = russh::client::connect(Arc::new(config), address, Anybody)
        .await
        .unwrap();
    let login = handle.authenticate_publickey(USER, own()).await.unwrap();
    assert_eq!(login, AuthResult::Success);
    handle
}

#[tokio::test]
async fn a_client_that_tries_key_after_key_is_cut_off() {
    let ministry = ministry().await;
    let mut handle = greeted(&ministry).await;
    let interactive = handle
        .authenticate_keyboard_interactive_start(USER, None)
        .await;
    assert!(matches!(
        interactive,
        Ok(KeyboardInteractiveAuthResponse::Failure { .. })
    ));
    let mut tried = 0;
    while tried < 100 {
        let text = key(tried).to_openssh("");
        let stranger = PrivateKey::from_openssh(text.as_str()).unwrap();
        let stranger = PrivateKeyWithHashAlg::new(Arc::new(stranger), None);
        if tried != CLIENT_SEED && handle.authenticate_publickey(USER, stranger).await.is_err() {
            break;
        }
        tried += 1;
    }
    assert!(tried <= 6, "{tried} keys could be tried");
    assert!(ministry.server.connected().is_empty());
}

#[tokio::test]
async fn a_new_key_exchange_with_every_request_is_served() {
    let ministry = ministry().await;
    let storm = Config {
        limits: RekeyLimits::new(1, 1, Duration::from_secs(3600)),
        ..Config::default()
    };
    let handle = logged_in_with(&ministry, storm).await;
    let stormy = sftp(&handle).await;
    for _ in 0..30 {
        stormy.stat("/incoming").await.unwrap();
    }
    sftp(&logged_in(&ministry).await)
        .await
        .stat("/")
        .await
        .unwrap();
}

#[tokio::test]
async fn a_client_that_takes_packets_of_no_length_gets_nothing_and_stops_nobody() {
    let ministry = ministry().await;
    for (window_size, maximum_packet_size) in [(0, 1 << 15), (1 << 20, 0), (0, 0), (1, 1)] {
        let config = Config {
            window_size,
            maximum_packet_size,
            ..Config::default()
        };
        let handle = logged_in_with(&ministry, config).await;
        // Cut off at once where no packet could ever hold an answer; else the answer cannot leave now.
        if let Ok(mut channel) = handle.channel_open_session().await {
            channel.request_subsystem(true, "sftp").await.unwrap();
            assert!(succeeded(&mut channel).await);
            let init = &[0, 0, 0, 5, 1, 0, 0, 0, 3][..];
            channel.data(init).await.unwrap();
        } else {
            assert_eq!(maximum_packet_size, 0);
        }
        let other = logged_in(&ministry).await;
        let served = async { sftp(&other).await.stat("/").await.unwrap() };
        timeout(SOON, served).await.expect("others are served");
        // Its own connection is served or cut, but never left without an answer.
        let second = timeout(SOON, handle.channel_open_session()).await;
        let _served_or_cut = second.expect("an answer");
    }
}
