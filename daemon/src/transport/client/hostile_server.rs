//! Our side of an SFTP channel against servers that lie: about sizes, lengths, names, the end of things.
//! Each lie goes through the real codec over a pipe in memory; the client must end with an error or skip it, never
//! deliver a byte too many or read on for ever.

use std::collections::HashMap;
use std::io;

use amanah_format::digest::Digest;
use russh_sftp::protocol::{
    Attrs, Data, File, FileAttributes, Handle, Name, OpenFlags, Status, StatusCode, Version,
};
use russh_sftp::server::{Handler, StatusReply};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::channel::{self, Sftp};
use super::folders::Folders;
use super::pace::Direction;
use super::pull;
use crate::transport::link::{LinkError, WireName};

/// How it lies.
#[derive(Clone, Copy, Default)]
struct Lies {
    /// The size that it claims; none: it claims none.
    size: Option<u64>,
    /// What it adds to the length of each read.
    longer: i64,
    /// Whether reads find the end at once.
    ends: bool,
    /// Whether listings are endless, or only empty.
    endless: bool,
    empty: bool,
}

struct Liar(Lies);

fn ok(id: u32) -> Status {
    Status {
        id,
        status_code: StatusCode::Ok,
        error_message: String::new(),
        language_tag: String::new(),
    }
}

impl Handler for Liar {
    type Error = StatusReply;

    fn unimplemented(&self) -> StatusReply {
        StatusCode::OpUnsupported.into()
    }

    async fn init(&mut self, _: u32, _: HashMap<String, String>) -> Result<Version, StatusReply> {
        Ok(Version::new())
    }

    async fn open(
        &mut self,
        id: u32,
        _: String,
        _: OpenFlags,
        _: FileAttributes,
    ) -> Result<Handle, StatusReply> {
        Ok(Handle {
            id,
            handle: "h".to_owned(),
        })
    }

    async fn opendir(&mut self, id: u32, _: String) -> Result<Handle, StatusReply> {
        Ok(Handle {
            id,
            handle: "h".to_owned(),
        })
    }

    async fn close(&mut self, id: u32, _: String) -> Result<Status, StatusReply> {
        Ok(ok(id))
    }

    async fn fstat(&mut self, id: u32, _: String) -> Result<Attrs, StatusReply> {
        Ok(Attrs {
            id,
            attrs: FileAttributes {
                size: self.0.size,
                ..FileAttributes::empty()
            },
        })
    }

    async fn stat(&mut self, id: u32, path: String) -> Result<Attrs, StatusReply> {
        self.fstat(id, path).await
    }

    async fn read(&mut self, id: u32, _: String, _: u64, len: u32) -> Result<Data, StatusReply> {
        if self.0.ends {
            return Err(StatusCode::Eof.into());
        }
        let length = usize::try_from(i64::from(len) + self.0.longer).unwrap();
        Ok(Data {
            id,
            data: vec![0; length],
        })
    }

    async fn readdir(&mut self, id: u32, _: String) -> Result<Name, StatusReply> {
        let line = |name: &str| {
            File::new(
                name,
                FileAttributes {
                    size: Some(5),
                    ..FileAttributes::empty()
                },
            )
        };
        let good = WireName::Bundle(Digest::of(b"a")).to_string();
        if self.0.endless {
            let lines = if self.0.empty { 0 } else { 500 };
            return Ok(Name {
                id,
                files: vec![line(&good); lines],
            });
        }
        if self.0.empty {
            return Err(StatusCode::Eof.into());
        }
        self.0.empty = true;
        let files = [
            ".",
            "..",
            "../x",
            "/etc/passwd",
            "x.amanah",
            "\u{1b}[2J",
            &good,
        ]
        .map(line)
        .to_vec();
        Ok(Name { id, files })
    }
}

async fn against(lies: Lies) -> Sftp {
    let (near, far) = tokio::io::duplex(1 << 20);
    russh_sftp::server::run(far, Liar(lies)).await;
    channel::start(near, Folders::of_a_daemon()).await.unwrap()
}

async fn fetched(lies: Lies, offset: u64) -> Result<u64, LinkError> {
    let mut bytes = 0;
    let mut into = |_: u64, chunk: &[u8]| {
        bytes += u64::try_from(chunk.len()).unwrap();
        Ok(())
    };
    let name = WireName::Bundle(Digest::of(b"a"));
    let (sftp, paces) = (against(lies).await, Direction::paces());
    pull::get((&sftp, &paces), name, offset, &mut into).await?;
    Ok(bytes)
}

#[tokio::test]
async fn no_more_is_fetched_than_the_size_says() {
    let honest = Lies {
        size: Some(100_000),
        ..Lies::default()
    };
    assert_eq!(fetched(honest, 0).await.unwrap(), 100_000);
    assert_eq!(fetched(honest, 99_999).await.unwrap(), 1);
}

#[tokio::test]
async fn lies_about_a_file_break_the_connection() {
    let size = Some(100_000);
    for (lies, offset) in [
        (
            Lies {
                size,
                longer: 1,
                ..Lies::default()
            },
            0,
        ),
        (
            Lies {
                size,
                longer: -1,
                ..Lies::default()
            },
            0,
        ),
        (
            Lies {
                size,
                ends: true,
                ..Lies::default()
            },
            0,
        ),
        (
            Lies {
                size: None,
                ..Lies::default()
            },
            0,
        ),
        (
            Lies {
                size,
                ..Lies::default()
            },
            100_001,
        ),
    ] {
        let error = fetched(lies, offset).await.unwrap_err();
        assert!(matches!(error, LinkError::Broken(_)), "{error}");
    }
}

#[tokio::test]
async fn an_error_of_our_own_disk_ends_a_fetch() {
    let sftp = against(Lies {
        size: Some(9),
        ..Lies::default()
    })
    .await;
    let mut into = |_: u64, _: &[u8]| Err(io::ErrorKind::StorageFull.into());
    let error = pull::get(
        (&sftp, &Direction::paces()),
        WireName::Bundle(Digest::of(b"a")),
        0,
        &mut into,
    )
    .await
    .unwrap_err();
    assert!(matches!(error, LinkError::Local(_)), "{error}");
}

#[tokio::test]
async fn names_that_are_none_of_ours_are_skipped() {
    let offers = pull::offers(&against(Lies::default()).await).await.unwrap();
    assert_eq!(offers.len(), 1);
    assert_eq!(offers[0].name, WireName::Bundle(Digest::of(b"a")));
}

#[tokio::test]
async fn an_endless_listing_ends() {
    let endless = Lies {
        endless: true,
        ..Lies::default()
    };
    assert_eq!(
        pull::offers(&against(endless).await).await.unwrap().len(),
        100_000
    );
    let nothing = Lies {
        endless: true,
        empty: true,
        ..Lies::default()
    };
    assert!(matches!(
        pull::offers(&against(nothing).await).await,
        Err(LinkError::Broken(_))
    ));
}

#[tokio::test]
async fn a_server_without_extensions_is_used_by_the_plain_protocol() {
    let sftp = against(Lies {
        size: Some(7),
        ..Lies::default()
    })
    .await;
    let name = WireName::Bundle(Digest::of(b"a"));
    assert_eq!(
        (sftp.write_bytes_max, sftp.read_bytes_max),
        (32 * 1024, 32 * 1024)
    );
    assert_eq!(sftp.prefix(name).await.unwrap(), 7);
    sftp.sync("h").await.unwrap();
    // SSH_FXP_RENAME, which this one does not know.
    assert!(matches!(
        sftp.hand_over(name).await,
        Err(LinkError::Denied { code: None, .. })
    ));
}

#[tokio::test]
async fn a_server_that_goes_away_is_a_broken_connection() {
    let (near, far) = tokio::io::duplex(1 << 20);
    drop(far);
    assert!(matches!(
        channel::start(near, Folders::of_a_daemon()).await.err(),
        Some(LinkError::Broken(_))
    ));
}

/// A server that answers each packet with raw bytes of its own, and then goes away.
async fn answering(answers: Vec<Vec<u8>>) -> Result<Sftp, LinkError> {
    let (near, mut far) = tokio::io::duplex(1 << 20);
    tokio::spawn(async move {
        for answer in answers {
            let Ok(length) = far.read_u32().await else {
                return;
            };
            let mut asked = vec![0; usize::try_from(length).unwrap()];
            // The client may be gone already.
            let _asked = far.read_exact(&mut asked).await;
            let _answered = far.write_all(&answer).await;
        }
    });
    channel::start(near, Folders::of_a_daemon()).await
}

/// SSH_FXP_VERSION, without extensions.
const VERSION: &[u8] = &[0, 0, 0, 5, 2, 0, 0, 0, 3];

#[tokio::test]
async fn packets_of_any_length_and_greetings_of_any_kind_end_the_channel() {
    for greeting in [
        &[0xff, 0xff, 0xff, 0xff, 2][..],
        &[0x40, 0, 0, 0, 2, 0, 0, 0, 3],
        &[0, 0, 0, 0],
        &[0, 0, 0, 1, 2],
        &[0, 0, 0, 5, 99, 0, 0, 0, 3],
        b"Last login: today\n",
    ] {
        let started = answering(vec![greeting.to_vec()]).await;
        assert!(
            matches!(started.err(), Some(LinkError::Broken(_))),
            "{greeting:?}"
        );
    }
}

#[tokio::test]
async fn answers_under_a_wrong_number_and_of_a_wrong_kind_end_the_channel() {
    // A HANDLE for a request that nobody made, one of another kind, one cut short, one of a length that no reader takes.
    for answer in [
        &[0, 0, 0, 10, 102, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, b'h'][..],
        &[0, 0, 0, 10, 103, 0, 0, 0, 0, 0, 0, 0, 1, b'h'],
        &[0, 0, 0, 6, 102, 0, 0, 0, 0, 0],
        &[0x7f, 0xff, 0xff, 0xff, 102, 0, 0, 0, 0],
    ] {
        let sftp = answering(vec![VERSION.to_vec(), answer.to_vec()])
            .await
            .unwrap();
        let asked = sftp.prefix(WireName::Bundle(Digest::of(b"a"))).await;
        assert!(asked.is_err(), "{answer:?}");
    }
}
