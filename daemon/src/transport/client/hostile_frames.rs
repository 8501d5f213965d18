//! Our side of an SFTP channel against a server that answers byte by byte what no codec would: other numbers than were asked,
//! packets longer than any, lengths beyond their packet, answers of another kind, answers to nobody.

use std::time::Duration;

use amanah_format::digest::Digest;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::channel::{self, Sftp};
use super::folders::Folders;
use crate::transport::algorithms::SFTP_PACKET_BYTES_MAX;
use crate::transport::link::{LinkError, WireName};

/// SSH_FXP_VERSION, _STATUS, _HANDLE, _DATA, _NAME, _ATTRS.
const VERSION: u8 = 2;
const STATUS: u8 = 101;
const HANDLE: u8 = 102;
const ATTRS: u8 = 105;

fn packet(kind: u8, rest: &[u8]) -> Vec<u8> {
    let length = u32::try_from(rest.len() + 1).unwrap();
    [&length.to_be_bytes()[..], &[kind], rest].concat()
}

/// Reads a request; its number.
async fn request(far: &mut DuplexStream) -> [u8; 4] {
    let length = far.read_u32().await.unwrap();
    let mut body = vec![0; usize::try_from(length).unwrap()];
    far.read_exact(&mut body).await.unwrap();
    body[1..5].try_into().unwrap()
}

/// Begins SFTP in good faith.
async fn begun() -> (Sftp, DuplexStream) {
    let (near, mut far) = tokio::io::duplex(1 << 20);
    let server = async {
        request(&mut far).await;
        far.write_all(&packet(VERSION, &[0, 0, 0, 3]))
            .await
            .unwrap();
    };
    let (sftp, ()) = tokio::join!(channel::start(near, Folders::of_a_daemon()), server);
    (sftp.unwrap(), far)
}

fn name() -> WireName {
    WireName::Bundle(Digest::of(b"a"))
}

/// Asks for a prefix, answers with these bytes (given the request's number) and closes; what the client makes of it.
async fn told(answer: impl FnOnce([u8; 4]) -> Vec<u8>) -> Result<u64, LinkError> {
    let (sftp, mut far) = begun().await;
    let server = async {
        let number = request(&mut far).await;
        // The client may have gone before the last of it.
        let _sent = far.write_all(&answer(number)).await;
        drop(far);
    };
    let asked = tokio::time::timeout(Duration::from_secs(10), sftp.prefix(name()));
    let (asked, ()) = tokio::join!(asked, server);
    asked.expect("it waits for an answer that will never come")
}

#[tokio::test]
async fn answers_of_no_acceptable_shape_break_the_connection() {
    let good = |number: [u8; 4]| {
        let fields = [&number[..], &[0, 0, 0, 1], &7_u64.to_be_bytes()].concat();
        packet(ATTRS, &fields)
    };
    assert_eq!(told(good).await.unwrap(), 7);
    let broken = |answered: Result<u64, LinkError>| {
        assert!(
            matches!(answered, Err(LinkError::Broken(_))),
            "{answered:?}"
        );
    };
    // An answer to a question that nobody asked is no answer to this one.
    broken(told(|_| good([9, 9, 9, 9])).await);
    broken(told(|number| packet(HANDLE, &[&number[..], &[0, 0, 0, 1, b'h']].concat())).await);
    broken(told(|number| packet(ATTRS, &number)).await);
    broken(
        told(|number| {
            packet(
                STATUS,
                &[&number[..], &[0, 0, 0, 4, 255, 255, 255, 255]].concat(),
            )
        })
        .await,
    );
    broken(told(|number| packet(ATTRS, &[&number[..], &[255; 4]].concat())).await);
    broken(told(|number| packet(77, &number)).await);
    broken(told(|_| vec![0, 0, 0, 0]).await);
    for length in [SFTP_PACKET_BYTES_MAX + 1, u32::MAX] {
        broken(
            told(|number| [&length.to_be_bytes()[..], &[ATTRS], &number, &[0; 4096]].concat())
                .await,
        );
    }
}

#[tokio::test]
async fn a_flood_of_answers_to_nobody_is_read_and_forgotten() {
    let (sftp, mut far) = begun().await;
    let server = async {
        let number = request(&mut far).await;
        for stranger in 1_000_000..1_020_000_u32 {
            let fields = [&stranger.to_be_bytes()[..], &[0; 4]].concat();
            far.write_all(&packet(ATTRS, &fields)).await.unwrap();
        }
        let fields = [&number[..], &[0, 0, 0, 1], &7_u64.to_be_bytes()].concat();
        far.write_all(&packet(ATTRS, &fields)).await.unwrap();
    };
    let (prefix, ()) = tokio::join!(sftp.prefix(name()), server);
    assert_eq!(prefix.unwrap(), 7);
}
