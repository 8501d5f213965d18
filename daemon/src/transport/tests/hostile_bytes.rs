//! What comes before any login, byte by byte: greetings that never end, lengths that are lies, key exchanges out of order or
//! with shares that give the secret away. Written without any SSH library, because none would send such things.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::*;
use crate::transport::client::SshLink;

/// SSH_MSG_IGNORE, _KEXINIT, _NEWKEYS, _KEX_ECDH_INIT and its answer (RFC 4253 §12, RFC 5656 §7.1).
const IGNORE: u8 = 2;
const KEXINIT: u8 = 20;
const NEWKEYS: u8 = 21;
const ECDH_INIT: u8 = 30;
const ECDH_REPLY: u8 = 31;
/// A share that every server must take: the base point.
const BASE_POINT: [u8; 32] = {
    let mut share = [0; 32];
    share[0] = 9;
    share
};
/// Longest wait for the end of a connection whose bounds are a second or two.
const SOON: Duration = Duration::from_secs(10);

/// A plaintext packet (RFC 4253 §6).
fn packet(payload: &[u8]) -> Vec<u8> {
    let padding = 4 + (8 - (5 + payload.len() + 4) % 8) % 8;
    let length = u32::try_from(1 + payload.len() + padding).unwrap();
    let mut packet = length.to_be_bytes().to_vec();
    packet.push(u8::try_from(padding).unwrap());
    packet.extend(payload);
    packet.extend(vec![0; padding]);
    packet
}

fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap();
    [&length.to_be_bytes()[..], bytes].concat()
}

/// A KEXINIT that our server can agree to, with this list of key exchanges.
fn kexinit(exchanges: &str) -> Vec<u8> {
    let mut payload = vec![KEXINIT];
    payload.extend([7; 16]);
    let lists = [
        exchanges,
        "ssh-ed25519",
        "aes256-gcm@openssh.com",
        "aes256-gcm@openssh.com",
        "hmac-sha2-512-etm@openssh.com",
        "hmac-sha2-512-etm@openssh.com",
        "none",
        "none",
        "",
        "",
    ];
    payload.extend(lists.iter().flat_map(|list| string(list.as_bytes())));
    payload.extend([0; 5]);
    packet(&payload)
}

fn share(bytes: &[u8]) -> Vec<u8> {
    packet(&[&[ECDH_INIT][..], &string(bytes)].concat())
}

/// Sends these bytes behind a greeting; the types of the packets that come until the end, and whether there was an end.
async fn answers(ministry: &Ministry, bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut stream = TcpStream::connect(ministry.server.address).await.unwrap();
    stream.write_all(b"SSH-2.0-x\r\n").await.unwrap();
    // The server may have closed before the last of it.
    let _sent = stream.write_all(bytes).await;
    let mut seen = Vec::new();
    let ended = timeout(Duration::from_secs(2), stream.read_to_end(&mut seen)).await;
    let greeting = seen.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let (mut types, mut rest) = (Vec::new(), &seen[greeting..]);
    while rest.len() > 5 {
        let length = usize::try_from(u32::from_be_bytes(rest[..4].try_into().unwrap())).unwrap();
        types.push(rest[5]);
        if types.last() == Some(&NEWKEYS) {
            break;
        }
        rest = rest.get(4 + length..).unwrap_or_default();
    }
    (types, ended.is_ok())
}

/// After whatever was tried, the peer gets in.
async fn is_well(ministry: &Ministry) {
    SshLink::connect(dial(ministry)).await.unwrap();
}

#[tokio::test]
async fn a_greeting_byte_by_byte_or_without_end_ends_with_the_login_grace() {
    let limits = Limits {
        login_grace_secs: 1,
        ..Limits::default()
    };
    let ministry = ministry_with(&["127.0.0.1/32"], limits).await;
    let begun = Instant::now();
    for piece in [&b"S"[..], &[b'x'; 4096], b"comment before it\r\n"] {
        let mut stream = TcpStream::connect(ministry.server.address).await.unwrap();
        let writing = async {
            // Slowly, until it is refused.
            while stream.write_all(piece).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(SOON, writing).await.expect("it may go on for ever");
    }
    assert!(begun.elapsed() < SOON);
    is_well(&ministry).await;
}

#[tokio::test]
async fn a_packet_longer_than_any_is_not_waited_for() {
    let ministry = ministry().await;
    for length in [0, 1, 4, 512 * 1024, 1 << 24, u32::MAX] {
        let lie = [&length.to_be_bytes()[..], &[4; 60]].concat();
        let (types, ended) = answers(&ministry, &lie).await;
        assert!(ended, "{length} is waited for");
        assert!(!types.contains(&ECDH_REPLY), "{length}: {types:?}");
    }
    is_well(&ministry).await;
}

#[tokio::test]
async fn a_huge_or_broken_key_exchange_init_ends_the_connection() {
    let ministry = ministry().await;
    let names = "a@b,".repeat(8_000) + "curve25519-sha256";
    // Longer than RFC 4253 asks anybody to take, yet agreeable: it is taken or ends, never more.
    let _answered = answers(&ministry, &kexinit(&names)).await;
    let mut lying = kexinit("curve25519-sha256");
    // The length of the first list: beyond the packet.
    lying[22..26].copy_from_slice(&u32::MAX.to_be_bytes());
    for bytes in [
        lying,
        packet(&[KEXINIT]),
        kexinit("none-of-yours"),
        kexinit(""),
    ] {
        let (types, ended) = answers(&ministry, &bytes).await;
        assert!(ended, "it goes on");
        assert!(!types.contains(&ECDH_REPLY), "{types:?}");
    }
    is_well(&ministry).await;
}

#[tokio::test]
async fn a_message_out_of_order_ends_a_strict_key_exchange() {
    let ministry = ministry().await;
    let strict = kexinit("curve25519-sha256,kex-strict-c-v00@openssh.com");
    let (ignore, good) = (packet(&[IGNORE, 0, 0, 0, 0]), share(&BASE_POINT));
    let (types, _) = answers(&ministry, &[strict.clone(), good.clone()].concat()).await;
    assert!(types.contains(&ECDH_REPLY), "in order: {types:?}");
    for wrong in [
        [ignore.clone(), strict.clone(), good.clone()].concat(),
        [strict.clone(), ignore, good.clone()].concat(),
        [strict.clone(), packet(&[NEWKEYS]), good.clone()].concat(),
        // SSH_MSG_SERVICE_REQUEST, SSH_MSG_USERAUTH_REQUEST, SSH_MSG_CHANNEL_OPEN before any key.
        [strict.clone(), packet(&[5, 0, 0, 0, 0]), good.clone()].concat(),
        [strict.clone(), packet(&[50, 0, 0, 0, 0]), good.clone()].concat(),
        [strict, packet(&[90, 0, 0, 0, 0]), good].concat(),
    ] {
        let (types, ended) = answers(&ministry, &wrong).await;
        assert!(ended && !types.contains(&ECDH_REPLY), "{types:?}");
    }
    is_well(&ministry).await;
}

/// RFC 7748 §6.1, RFC 8731 §3: a share of small order gives a secret that everybody knows.
#[tokio::test]
async fn shares_of_small_order_or_of_another_length_are_refused() {
    let ministry = ministry().await;
    let mut one = [0; 32];
    one[0] = 1;
    // p - 1 and p, little-endian.
    let (mut minus_one, mut p) = ([0xFF; 32], [0xFF; 32]);
    (minus_one[0], minus_one[31]) = (0xEC, 0x7F);
    (p[0], p[31]) = (0xED, 0x7F);
    let odd: [&[u8]; 8] = [
        &[0; 32],
        &one,
        &minus_one,
        &p,
        &[],
        &BASE_POINT[..31],
        &[9; 33],
        &[9; 5000],
    ];
    for bytes in odd {
        let exchange = [kexinit("curve25519-sha256"), share(bytes)].concat();
        let (types, ended) = answers(&ministry, &exchange).await;
        assert!(
            ended && !types.contains(&ECDH_REPLY),
            "{bytes:?}: {types:?}"
        );
    }
    is_well(&ministry).await;
}
