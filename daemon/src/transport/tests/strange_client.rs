//! The habits of clients that nobody here wrote, one by one, and where each ends: a folder asked for with a dot behind it, a
//! look at what was just handed over, a part opened for reading too, lengths that are set.

use russh_sftp::protocol::{FileAttributes, OpenFlags, StatusCode};

use super::raw_client::{logged_in, open, sftp, status};
use super::*;

fn of_length(size: u64) -> FileAttributes {
    FileAttributes {
        size: Some(size),
        ..FileAttributes::empty()
    }
}

#[tokio::test]
async fn a_folder_is_found_with_a_dot_behind_it_and_a_file_is_not() {
    let ministry = ministry().await;
    let handle = logged_in(&ministry).await;
    let sftp = sftp(&handle).await;
    for folder in ["/.", "/incoming/.", "/outgoing/."] {
        assert!(sftp.stat(folder).await.unwrap().attrs.is_dir(), "{folder}");
    }
    let listing = sftp.opendir("/incoming/.").await.unwrap().handle;
    sftp.close(listing).await.unwrap();
    let real = sftp.realpath("/outgoing/.").await.unwrap();
    assert_eq!(real.files[0].filename, "/outgoing");
    for wrong in [
        "/incoming/..".to_owned(),
        format!("/incoming/{}.part/.", bundle("a")),
    ] {
        assert_eq!(status(sftp.stat(wrong).await), StatusCode::NoSuchFile);
    }
}

#[tokio::test]
async fn what_a_channel_handed_over_it_may_look_at_and_nobody_else_may() {
    let ministry = ministry().await;
    let handle = logged_in(&ministry).await;
    let (here, there) = (sftp(&handle).await, sftp(&handle).await);
    let (part, whole) = (
        format!("/incoming/{}.part", bundle("a")),
        format!("/incoming/{}", bundle("a")),
    );
    assert_eq!(status(here.stat(&whole).await), StatusCode::NoSuchFile);
    let opened = open(&here, &part, OpenFlags::WRITE).await.unwrap();
    here.write(&opened, 0, b"bytes".to_vec()).await.unwrap();
    here.fsync(&opened).await.unwrap();
    here.close(opened).await.unwrap();
    assert_eq!(status(here.stat(&whole).await), StatusCode::NoSuchFile);
    here.rename(&part, &whole).await.unwrap();
    assert_eq!(here.stat(&whole).await.unwrap().attrs.size, Some(5));
    assert_eq!(status(here.stat(&part).await), StatusCode::NoSuchFile);
    assert_eq!(status(there.stat(&whole).await), StatusCode::NoSuchFile);
    for flags in [OpenFlags::READ, OpenFlags::WRITE] {
        assert_eq!(
            status(open(&here, &whole, flags).await),
            StatusCode::PermissionDenied
        );
    }
    assert_eq!(
        status(here.remove(&whole).await),
        StatusCode::PermissionDenied
    );
}

#[tokio::test]
async fn a_channel_remembers_only_what_it_handed_over_last() {
    let ministry = ministry().await;
    let handle = logged_in(&ministry).await;
    let sftp = sftp(&handle).await;
    let whole = |number: u32| format!("/incoming/{}", bundle(&number.to_string()));
    for number in 0..17 {
        let part = format!("{}.part", whole(number));
        let opened = open(&sftp, &part, OpenFlags::WRITE).await.unwrap();
        sftp.close(opened).await.unwrap();
        sftp.rename(part, whole(number)).await.unwrap();
    }
    assert_eq!(status(sftp.stat(whole(0)).await), StatusCode::NoSuchFile);
    sftp.stat(whole(1)).await.unwrap();
    sftp.stat(whole(16)).await.unwrap();
}

#[tokio::test]
async fn a_part_opened_for_reading_too_is_written_and_not_read() {
    let ministry = ministry().await;
    let handle = logged_in(&ministry).await;
    let sftp = sftp(&handle).await;
    let part = format!("/incoming/{}.part", bundle("a"));
    let both = OpenFlags::READ | OpenFlags::WRITE;
    let opened = open(&sftp, &part, both).await.unwrap();
    sftp.write(&opened, 0, b"bytes".to_vec()).await.unwrap();
    assert_eq!(
        status(sftp.read(&opened, 0, 5).await),
        StatusCode::PermissionDenied
    );
    assert_eq!(
        status(open(&sftp, &part, OpenFlags::READ).await),
        StatusCode::PermissionDenied
    );
    assert_eq!(
        status(open(&sftp, &part, both | OpenFlags::EXCLUDE).await),
        StatusCode::PermissionDenied
    );
}

#[tokio::test]
async fn a_length_that_is_set_is_refused_and_not_ignored() {
    let ministry = ministry().await;
    let handle = logged_in(&ministry).await;
    let sftp = sftp(&handle).await;
    let part = format!("/incoming/{}.part", bundle("a"));
    let opened = open(&sftp, &part, OpenFlags::WRITE).await.unwrap();
    sftp.write(&opened, 0, b"bytes".to_vec()).await.unwrap();
    for length in [0, 3, u64::MAX] {
        let by_handle = sftp.fsetstat(&opened, of_length(length)).await;
        assert_eq!(status(by_handle), StatusCode::PermissionDenied);
        let by_path = sftp.setstat(&part, of_length(length)).await;
        assert_eq!(status(by_path), StatusCode::PermissionDenied);
    }
    sftp.fsetstat(&opened, FileAttributes::empty())
        .await
        .unwrap();
    assert_eq!(sftp.stat(&part).await.unwrap().attrs.size, Some(5));
}
