//! A client that means ill, or is only strange, inside: framing, paths, renames, handles.
//! Whatever is sent, the stages behind the server see only the calls of the virtual tree (FORMAT.md §16.2).

use std::sync::Arc;

use russh_sftp::protocol::{FileAttributes, OpenFlags, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::raw_client::{logged_in, open, sftp, status, subsystem};
use super::*;
use crate::transport::algorithms::SFTP_PACKET_BYTES_MAX;

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
        &[0, 0, 0, 5, 99, 0, 0, 0, 7],
        &[0, 0, 0, 9, 3, 0, 0, 0, 8, 255, 255, 255, 255],
    ];
    stream.write_all(&packets.concat()).await.unwrap();
    let (mut types, mut numbers) = (Vec::new(), Vec::new());
    for _ in packets {
        let length = stream.read_u32().await.unwrap();
        let mut packet = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut packet).await.unwrap();
        types.push(packet[0]);
        numbers.push(packet[4]);
    }
    assert_eq!(types, [2, 101, 101, 101]);
    assert_eq!(numbers[2..], [7, 8], "answered under another number");
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
async fn a_slip_that_is_left_unfinished_ends_with_its_channel_and_a_bundle_does_not() {
    let ministry = ministry().await;
    let handle = logged_in(&ministry).await;
    let channel = sftp(&handle).await;
    let slip = |text: &str| WireName::Slip(Digest::of(text.as_bytes()));
    let names = [
        slip("handed over"),
        slip("left"),
        slip("closed"),
        bundle("left"),
    ];
    let write = OpenFlags::WRITE | OpenFlags::CREATE;
    for name in names {
        let opened = open(&channel, &format!("/incoming/{name}.part"), write).await;
        let file = opened.unwrap();
        channel
            .write(file.clone(), 0, b"sepotong".to_vec())
            .await
            .unwrap();
        if name != slip("left") {
            channel.close(file).await.unwrap();
        }
        if name == slip("handed over") {
            let (from, to) = (
                format!("/incoming/{name}.part"),
                format!("/incoming/{name}"),
            );
            channel.rename(from, to).await.unwrap();
        }
    }
    drop(channel);
    drop(handle);
    ministry.server.stop().await;
    let state = ministry.memory.state();
    let left: Vec<_> = state.parts.keys().copied().collect();
    assert_eq!(left, [bundle("left")]);
    assert!(state.received.contains_key(&slip("handed over")));
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
    let again = open(&sftp, &part, OpenFlags::WRITE).await.unwrap();
    assert_eq!(status(sftp.close(opened).await), StatusCode::Failure);
    sftp.close(again).await.unwrap();
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
    let reading = async |handle| status(sftp.read(handle, 0, 9).await);
    assert_eq!(reading(&part).await, StatusCode::PermissionDenied);
    assert_eq!(reading(&listing).await, StatusCode::Failure);
    assert_eq!(status(sftp.readdir(&part).await), StatusCode::Failure);
    sftp.close(&part).await.unwrap();
    assert_eq!(
        status(sftp.write(&part, 0, vec![1]).await),
        StatusCode::Failure
    );
    assert_eq!(status(sftp.close(&part).await), StatusCode::Failure);
    assert_eq!(sftp.read(&offer, 3, u32::MAX).await.unwrap().data, b"es");
}
