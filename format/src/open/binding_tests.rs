//! A payload opens only under its own manifest; whose fault a failure is; and the stock `age`, `zstd` and `tar`.
//! FORMAT.md §8 binds the list to its manifest, §18.3 promises the stock tools; a fault of a disk must never become a
//! refusal.

use std::{
    fs, io,
    process::Command,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    time::Duration,
};

use super::{
    tests::{
        Files, Kept, binding, compressed, encrypted, listing, manifest_for, manifest_of, path,
        refusal, sealed,
    },
    *,
};
use crate::{
    container::{
        pack,
        stock_tests::{Scratch, run},
    },
    contents::{self, Binding, ContentsSummary, Entry},
    digest::Digest,
    document,
    manifest::PayloadRef,
    seal::{SealError, SealOptions, Sealed, Sealer},
    time::UtcTime,
};

const OPTIONS: SealOptions = SealOptions {
    level: 1,
    workers: 0,
};
const SMALL: [(&str, &[u8]); 2] = [("a.csv", b"1,2,3\n"), ("b/empty", b"")];

fn sealer(key: &Identity) -> Sealer<Vec<u8>> {
    Sealer::new(Vec::new(), &[key.recipient()], OPTIONS).unwrap()
}

#[test]
fn a_payload_bound_to_another_manifest_is_refused() {
    let key = Identity::generate();
    let changes: [fn(&mut Binding); 5] = [
        |bound| bound.bundle = "019a9f6e-7c00-7000-8000-000000000002".parse().unwrap(),
        |bound| bound.agreement = Digest::of(b"another"),
        |bound| bound.from = "someone-else".parse().unwrap(),
        |bound| bound.to = "someone-else".parse().unwrap(),
        |bound| bound.flow = "another-flow".parse().unwrap(),
    ];
    for change in changes {
        let mut bound = binding();
        change(&mut bound);
        let mut sealer = sealer(&key);
        sealer.entry(&path("a"), 1, &mut &b"1"[..]).unwrap();
        let sealed = sealer.finish(&bound, [7; 32]).unwrap();
        let manifest = manifest_for(&sealed, &[key.recipient()]);
        let keys = std::slice::from_ref(&key);
        let opened = open_payload(&mut &*sealed.out, keys, &manifest, &mut Kept::default());
        let refused = OpenError::Refused(Refusal::ContentsMismatch);
        assert_eq!(opened.unwrap_err().to_string(), refused.to_string());
    }
}

#[test]
fn an_error_of_the_reader_is_no_refusal() {
    struct Failing<'a>(&'a [u8]);
    impl Read for Failing<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            match self.0.read(into)? {
                0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "disk")),
                count => Ok(count),
            }
        }
    }
    let key = [Identity::generate()];
    let (payload, manifest) = sealed(&SMALL, &[key[0].recipient()], OPTIONS);
    for length in [0, 50, payload.len() / 2, payload.len() - 1, payload.len()] {
        let mut reader = Failing(&payload[..length]);
        let opened = open_payload(&mut reader, &key, &manifest, &mut Kept::default());
        assert!(matches!(opened, Err(OpenError::Io(error)) if error.to_string() == "disk"));
    }
}

#[test]
fn an_error_of_the_sink_is_no_refusal() {
    struct Full;
    impl EntrySink for Full {
        fn entry(&mut self, _: &EntryPath, _: u64, _: &mut dyn Read) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }
    struct Lazy;
    impl EntrySink for Lazy {
        fn entry(&mut self, _: &EntryPath, _: u64, _: &mut dyn Read) -> io::Result<()> {
            Ok(())
        }
    }
    let key = [Identity::generate()];
    let (payload, manifest) = sealed(&SMALL, &[key[0].recipient()], OPTIONS);
    let full = open_payload(&mut &*payload, &key, &manifest, &mut Full);
    assert!(
        matches!(full, Err(OpenError::Io(error)) if error.kind() == io::ErrorKind::StorageFull)
    );
    let lazy = open_payload(&mut &*payload, &key, &manifest, &mut Lazy);
    assert!(matches!(lazy, Err(OpenError::Io(_))));
}

/// Bytes that no compression shortens: so many digests.
fn noise(digests: u64) -> Vec<u8> {
    (0..digests)
        .flat_map(|number| *Digest::of(&number.to_le_bytes()).as_bytes())
        .collect()
}

/// Decryption runs ahead of the entries, so it may know of the second fault first.
#[test]
fn a_payload_with_two_faults_is_refused_for_the_first_every_time() {
    let key = Identity::generate();
    let noise = noise(40_000);
    let files: [(&str, &[u8]); 3] = [("a", b"1"), ("A", b"2"), ("noise", &noise)];
    let list = listing(&files);
    let tar = pack(&[files[0], files[1], files[2], (contents::NAME, &list)]);
    let manifest = manifest_of(&files, &list, &key);
    let whole = encrypted(&compressed(&tar), &key);
    let cut = &whole[..whole.len() - 1];
    for _ in 0..50 {
        assert_eq!(refusal(&whole, &key, &manifest), Some(Refusal::EntryPath));
        assert_eq!(refusal(cut, &key, &manifest), Some(Refusal::EntryPath));
    }
}

/// Makes the block of this number one of zstd's reserved type (RFC 8878 §3.1.1.2).
fn spoil_block(frame: &mut [u8], number: usize) {
    let mut at = 6;
    for _ in 0..number {
        let header = u32::from_le_bytes([frame[at], frame[at + 1], frame[at + 2], 0]);
        assert!(header & 0b111 == 0, "noise is stored as it is");
        at += 3 + usize::try_from(header >> 3).unwrap();
    }
    frame[at] |= 0b110;
}

/// Says when its end was read.
struct Ending<'a>(&'a [u8], SyncSender<()>);

impl Read for Ending<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(into)?;
        if read == 0 && !into.is_empty() {
            let _ = self.1.try_send(());
        }
        Ok(read)
    }
}

/// Reads only once all of the ciphertext was read.
struct Late(Receiver<()>);

impl EntrySink for Late {
    fn entry(&mut self, _: &EntryPath, _: u64, content: &mut dyn Read) -> io::Result<()> {
        let bound = Duration::from_secs(20);
        assert!(self.0.recv_timeout(bound).is_ok(), "it was not read ahead");
        io::copy(content, &mut io::sink()).map(drop)
    }
}

/// The same of the frame: decryption runs ahead of decompression too, here with certainty.
#[test]
fn a_fault_that_lies_behind_another_does_not_count_though_it_was_met_first() {
    let key = [Identity::generate()];
    let noise = noise(80_000);
    let files: [(&str, &[u8]); 1] = [("noise", &noise)];
    let list = listing(&files);
    let mut frame = compressed(&pack(&[files[0], (contents::NAME, &list)]));
    // Farther than the entries are read ahead, and the end no farther than the frame is.
    spoil_block(&mut frame, 15);
    let whole = encrypted(&frame, &key[0]);
    let mut manifest = manifest_of(&files, &list, &key[0]);
    manifest.payload.bytes = u64::try_from(whole.len()).unwrap();
    let refusal = |payload: &[u8]| {
        let (said, heard) = sync_channel(1);
        let mut reader = Ending(payload, said);
        open_payload(&mut reader, &key, &manifest, &mut Late(heard))
            .unwrap_err()
            .to_string()
    };
    let malformed = OpenError::Refused(Refusal::PayloadMalformed).to_string();
    assert_eq!(refusal(&whole), malformed);
    assert_eq!(refusal(&whole[..whole.len() - 1]), malformed);
    let undecryptable = OpenError::Refused(Refusal::DecryptionFailed).to_string();
    assert_eq!(refusal(&whole[..1_800_000]), undecryptable);
}

#[test]
fn at_whatever_point_the_work_is_spent_it_is_refused_for_that() {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    let key = [Identity::generate()];
    let noise = noise(40_000);
    let files: [(&str, &[u8]); 2] = [("noise", &noise), ("small", b"1")];
    let (payload, manifest) = sealed(&files, &[key[0].recipient()], OPTIONS);
    let opened = |questions: usize| {
        let asked = AtomicUsize::new(0);
        let spent = || asked.fetch_add(1, SeqCst) >= questions;
        let mut kept = Kept::default();
        let opened = open_payload_within(&mut &*payload, &key, &manifest, &mut kept, &spent);
        (
            opened.map_err(|error| error.to_string()),
            asked.into_inner(),
        )
    };
    let (whole, asked) = opened(usize::MAX);
    assert!(whole.is_ok() && asked > 5, "asked {asked} times");
    let refused = OpenError::Refused(Refusal::PayloadExceeds).to_string();
    for questions in 0..asked {
        let (opened, _) = opened(questions);
        assert_eq!(
            opened.err().as_ref(),
            Some(&refused),
            "after {questions} of {asked}"
        );
    }
}

#[test]
fn a_file_that_changed_is_not_sealed() {
    let key = Identity::generate();
    for (expected, found) in [(4, 5), (6, 5)] {
        let mut sealer = sealer(&key);
        let error = sealer.entry(&path("a"), expected, &mut &b"12345"[..]);
        assert!(matches!(error, Err(SealError::Changed { found: f, .. }) if f == found));
        assert!(sealer.finish(&binding(), [7; 32]).is_err());
    }
}

#[test]
fn a_payload_without_entries_or_with_colliding_ones_is_not_sealed() {
    let key = Identity::generate();
    let empty = sealer(&key).finish(&binding(), [7; 32]);
    assert!(matches!(empty, Err(SealError::Empty)));
    let mut sealer = sealer(&key);
    sealer.entry(&path("a/b"), 1, &mut &b"1"[..]).unwrap();
    for name in ["A/B", "a", "a/b/c"] {
        let taken = sealer.entry(&path(name), 1, &mut &b"1"[..]);
        assert!(matches!(taken, Err(SealError::Duplicate(_))), "{name}");
    }
    assert!(sealer.finish(&binding(), [7; 32]).is_ok());
}

#[test]
fn recipients_are_one_to_sixteen_and_different() {
    let keys: Vec<_> = (0..17).map(|_| Identity::generate().recipient()).collect();
    let accepts = |list: &[_]| Sealer::new(Vec::new(), list, OPTIONS).is_ok();
    assert!(accepts(&keys[..1]) && accepts(&keys[..16]));
    assert!(!accepts(&[]) && !accepts(&keys));
    assert!(!accepts(&[keys[0].clone(), keys[0].clone()]));
}

/// A key file that stock `age` reads.
fn key_file(scratch: &Scratch, key: &Identity) -> std::path::PathBuf {
    let file = scratch.0.join("key.txt");
    let created = UtcTime::from_unix(0).unwrap();
    fs::write(&file, &*key.to_file(created)).unwrap();
    file
}

#[test]
fn stock_tools_open_what_is_sealed() {
    let scratch = Scratch::new();
    let key = Identity::generate();
    let key_file = key_file(&scratch, &key);
    for workers in [0, 2] {
        let options = SealOptions { level: 3, workers };
        let (payload, manifest) = sealed(&SMALL, &[key.recipient()], options);
        let frame = run(
            Command::new("age").arg("-d").arg("-i").arg(&key_file),
            &payload,
        );
        let tar = run(Command::new("zstd").args(["-d", "-c"]), &frame);
        run(
            Command::new("tar").arg("-C").arg(&scratch.0).arg("-xf-"),
            &tar,
        );
        for (name, bytes) in SMALL {
            assert_eq!(fs::read(scratch.0.join(name)).unwrap(), bytes);
        }
        let contents = fs::read(scratch.0.join("contents.json")).unwrap();
        assert_eq!(Digest::of(&contents), manifest.contents.digest);
    }
}

#[test]
fn what_stock_tools_seal_opens() {
    let scratch = Scratch::new();
    let key = Identity::generate();
    let file = scratch.0.join("Nur A\u{ef}syah.csv");
    fs::write(&file, b"1,2,3\n").unwrap();
    let entry = Entry {
        path: "Nur A\u{ef}syah.csv".to_owned(),
        bytes: 6,
        digest: Digest::of(b"1,2,3\n"),
        records: None,
        totals: None,
    };
    let contents = document::print(&Contents::new(&binding(), [9; 32], vec![entry]));
    fs::write(scratch.0.join("contents.json"), &contents).unwrap();
    let pax = "--pax-option=delete=atime,delete=ctime,delete=mtime";
    let mut tar = Command::new("tar");
    tar.args(["--format=posix", pax, "-cf-", "-C"])
        .arg(&scratch.0);
    let tar = run(tar.args(["Nur A\u{ef}syah.csv", "contents.json"]), b"");
    let frame = run(Command::new("zstd").args(["-3", "-c"]), &tar);
    let recipient = key.recipient().to_string();
    let payload = run(Command::new("age").args(["-r", &recipient]), &frame);
    let sealed = Sealed {
        out: (),
        payload: PayloadRef {
            digest: Digest::of(&payload),
            bytes: u64::try_from(payload.len()).unwrap(),
        },
        contents: ContentsSummary {
            digest: Digest::of(&contents),
            entries: 1,
            bytes: 6,
        },
    };
    let manifest = manifest_for(&sealed, &[key.recipient()]);
    let mut kept = Kept::default();
    open_payload(&mut &*payload, &[key], &manifest, &mut kept).unwrap();
    let expected: Files = vec![("Nur A\u{ef}syah.csv".to_owned(), b"1,2,3\n".to_vec())];
    assert_eq!(kept.0, expected);
}
