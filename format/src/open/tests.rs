//! What is sealed opens; what was cut, changed, swapped or made to exceed does not, and for the right reason.
//! Every layer of FORMAT.md §7 is broken from inside out, at every byte where that is small, and the code is the one of
//! §10.

use std::io::{self, Read, Write};

use super::*;
use crate::{
    container::{TarWriter, pack},
    contents::{self, Binding, Entry},
    digest::Digest,
    document::{self, Ext},
    manifest::{AgreementRef, PayloadRef},
    recipient::Recipient,
    seal::{SealOptions, Sealed, Sealer},
};

pub(crate) type Files = Vec<(String, Vec<u8>)>;

/// Keeps what it is given.
#[derive(Default)]
pub(crate) struct Kept(pub(crate) Files);

impl EntrySink for Kept {
    fn entry(&mut self, path: &EntryPath, bytes: u64, content: &mut dyn Read) -> io::Result<()> {
        let mut kept = Vec::new();
        content.read_to_end(&mut kept)?;
        assert_eq!(u64::try_from(kept.len()).unwrap(), bytes);
        self.0.push((path.as_str().to_owned(), kept));
        Ok(())
    }
}

pub(crate) fn binding() -> Binding {
    Binding {
        bundle: "019a9f6e-7c00-7000-8000-000000000001".parse().unwrap(),
        agreement: Digest::of(b"agreement"),
        from: "kemenag".parse().unwrap(),
        to: "kemenhaj".parse().unwrap(),
        flow: "jemaah-manifest".parse().unwrap(),
    }
}

/// A manifest for a sealed payload; nobody signed it.
pub(crate) fn manifest_for<W>(sealed: &Sealed<W>, recipients: &[Recipient]) -> Manifest {
    let bound = binding();
    Manifest {
        format: "amanah-bundle/1".to_owned(),
        bundle: bound.bundle,
        agreement: AgreementRef {
            id: "pks-haji-2026".parse().unwrap(),
            version: 1,
            digest: bound.agreement,
        },
        flow: bound.flow,
        purpose: "HAJJ-VISA".to_owned(),
        from: bound.from,
        to: bound.to,
        epoch: "1".parse().unwrap(),
        sequence: "1".parse().unwrap(),
        previous: None,
        recipients: recipients.iter().map(Recipient::digest).collect(),
        regarding: None,
        created: "2026-11-22T20:32:00Z".parse().unwrap(),
        expires: "2026-12-22T20:32:00Z".parse().unwrap(),
        payload: sealed.payload,
        contents: sealed.contents,
        ext: Ext::default(),
        critical: Vec::new(),
    }
}

const OPTIONS: SealOptions = SealOptions {
    level: 1,
    workers: 0,
};

pub(crate) fn path(text: &str) -> EntryPath {
    EntryPath::parse(text.as_bytes()).unwrap()
}

/// Seals `files` and says so in a manifest.
pub(crate) fn sealed(
    files: &[(&str, &[u8])],
    recipients: &[Recipient],
    options: SealOptions,
) -> (Vec<u8>, Manifest) {
    let mut sealer = Sealer::new(Vec::new(), recipients, options).unwrap();
    for (name, bytes) in files {
        let length = u64::try_from(bytes.len()).unwrap();
        let digest = sealer.entry(&path(name), length, &mut &**bytes).unwrap();
        assert_eq!(digest, Digest::of(bytes));
    }
    let sealed = sealer.finish(&binding(), [7; 32]).unwrap();
    assert_eq!(sealed.payload.digest, Digest::of(&sealed.out));
    let manifest = manifest_for(&sealed, recipients);
    (sealed.out, manifest)
}

/// The text of a contents.json that lists `files`.
pub(super) fn listing(files: &[(&str, &[u8])]) -> Vec<u8> {
    let entries = files.iter().map(|(name, bytes)| Entry {
        path: (*name).to_owned(),
        bytes: u64::try_from(bytes.len()).unwrap(),
        digest: Digest::of(bytes),
        records: None,
        totals: None,
    });
    document::print(&Contents::new(&binding(), [7; 32], entries.collect()))
}

/// age around any plaintext.
pub(super) fn encrypted(plaintext: &[u8], key: &Identity) -> Vec<u8> {
    let recipients = [key.as_age().to_public()];
    let recipients = recipients.iter().map(|key| -> &dyn age::Recipient { key });
    let encryptor = age::Encryptor::with_recipients(recipients).unwrap();
    let mut writer = encryptor.wrap_output(Vec::new()).unwrap();
    writer.write_all(plaintext).unwrap();
    writer.finish().unwrap()
}

/// One zstd frame as the format wants it.
pub(super) fn compressed(tar: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(tar).unwrap();
    encoder.finish().unwrap()
}

/// A manifest for `files` whose contents.json has this text.
pub(super) fn manifest_of(files: &[(&str, &[u8])], listing: &[u8], key: &Identity) -> Manifest {
    let bytes = files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
    let sealed = Sealed {
        out: (),
        payload: PayloadRef {
            digest: Digest::of(b""),
            bytes: 0,
        },
        contents: contents::ContentsSummary {
            digest: Digest::of(listing),
            entries: u64::try_from(files.len()).unwrap(),
            bytes: u64::try_from(bytes).unwrap(),
        },
    };
    manifest_for(&sealed, &[key.recipient()])
}

fn open(payload: &[u8], key: &Identity, manifest: &Manifest) -> Result<Files, OpenError> {
    let mut kept = Kept::default();
    let keys = std::slice::from_ref(key);
    open_payload(&mut &*payload, keys, manifest, &mut kept)?;
    Ok(kept.0)
}

pub(super) fn refusal(payload: &[u8], key: &Identity, manifest: &Manifest) -> Option<Refusal> {
    match open(payload, key, manifest) {
        Err(OpenError::Refused(refusal)) => Some(refusal),
        Err(OpenError::Io(_)) | Ok(_) => None,
    }
}

fn owned(files: &[(&str, &[u8])]) -> Files {
    let pair = |(name, bytes): &(&str, &[u8])| ((*name).to_owned(), bytes.to_vec());
    files.iter().map(pair).collect()
}

const SMALL: [(&str, &[u8]); 2] = [("a.csv", b"1,2,3\n"), ("b/empty", b"")];

#[test]
fn what_is_sealed_opens() {
    let big: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let long = format!("{}/{}.csv", "m".repeat(110), "n".repeat(110));
    let files: [(&str, &[u8]); 5] = [
        ("kosong", b""),
        ("besar.bin", &big[..3_000_000]),
        (&long, b"long"),
        ("jemaah/Nur A\u{ef}syah \u{2014} \u{639}.csv", b"x"),
        ("jemaah/lain.csv", &[0; 70_000]),
    ];
    let keys = [Identity::generate(), Identity::generate()];
    let recipients: Vec<Recipient> = keys.iter().map(Identity::recipient).collect();
    for workers in [0, 2] {
        let options = SealOptions { level: 3, workers };
        let (payload, manifest) = sealed(&files, &recipients, options);
        for key in &keys {
            assert!(open(&payload, key, &manifest).unwrap() == owned(&files));
        }
    }
}

#[test]
fn many_entries_open_in_their_order() {
    let names: Vec<String> = (0..3_000).map(|number| format!("d/{number}")).collect();
    let files: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (&**name, name.as_bytes()))
        .collect();
    let key = Identity::generate();
    let (payload, manifest) = sealed(&files, &[key.recipient()], OPTIONS);
    assert!(open(&payload, &key, &manifest).unwrap() == owned(&files));
}

#[test]
fn every_truncation_is_refused() {
    let key = Identity::generate();
    let (payload, manifest) = sealed(&SMALL, &[key.recipient()], OPTIONS);
    for length in 0..payload.len() {
        let found = refusal(&payload[..length], &key, &manifest);
        assert_eq!(found, Some(Refusal::DecryptionFailed), "{length}");
    }
}

#[test]
fn every_flipped_byte_and_every_trailing_byte_is_refused() {
    let key = Identity::generate();
    let (payload, manifest) = sealed(&SMALL, &[key.recipient()], OPTIONS);
    for place in 0..payload.len() {
        let mut changed = payload.clone();
        changed[place] ^= 1;
        let found = refusal(&changed, &key, &manifest);
        assert_eq!(found, Some(Refusal::DecryptionFailed), "{place}");
    }
    let longer = [&payload[..], b"x"].concat();
    let found = refusal(&longer, &key, &manifest);
    assert_eq!(found, Some(Refusal::DecryptionFailed));
}

#[test]
fn a_payload_of_several_chunks_is_whole_or_refused() {
    let noise: Vec<u8> = (0..100_000_u64)
        .flat_map(|n| *Digest::of(&n.to_le_bytes()).as_bytes())
        .collect();
    let files: [(&str, &[u8]); 1] = [("noise", &noise[..200_000])];
    let key = Identity::generate();
    let (payload, manifest) = sealed(&files, &[key.recipient()], OPTIONS);
    assert!(payload.len() > 3 * 65_552);
    let start = payload.len() % 65_552;
    for length in (start..payload.len())
        .step_by(65_552)
        .chain([payload.len() - 1, 65_552])
    {
        let found = refusal(&payload[..length], &key, &manifest);
        assert_eq!(found, Some(Refusal::DecryptionFailed), "{length}");
    }
}

#[test]
fn another_key_does_not_open() {
    let key = Identity::generate();
    let (payload, manifest) = sealed(&SMALL, &[key.recipient()], OPTIONS);
    let found = refusal(&payload, &Identity::generate(), &manifest);
    assert_eq!(found, Some(Refusal::DecryptionFailed));
}

#[test]
fn a_recipient_that_the_manifest_does_not_name_is_refused() {
    let keys = [Identity::generate(), Identity::generate()];
    let recipients: Vec<Recipient> = keys.iter().map(Identity::recipient).collect();
    let (payload, mut manifest) = sealed(&SMALL, &recipients, OPTIONS);
    assert!(open(&payload, &keys[0], &manifest).is_ok());
    manifest.recipients.truncate(1);
    let found = refusal(&payload, &keys[0], &manifest);
    assert_eq!(found, Some(Refusal::DecryptionFailed));
}

#[test]
fn only_one_frame_with_a_checksum_is_opened() {
    let key = Identity::generate();
    let list = listing(&SMALL);
    let manifest = manifest_of(&SMALL, &list, &key);
    let tar = pack(&[SMALL[0], SMALL[1], (contents::NAME, &list)]);
    let frame = compressed(&tar);
    assert!(open(&encrypted(&frame, &key), &key, &manifest).is_ok());
    let skippable: &[u8] = b"\x50\x2a\x4d\x18\x01\0\0\0x";
    let halves = [compressed(&tar[..512]), compressed(&tar[512..])].concat();
    let mut wide = zstd::Encoder::new(Vec::new(), 1).unwrap();
    wide.include_checksum(true).unwrap();
    wide.window_log(24).unwrap();
    wide.write_all(&tar).unwrap();
    let mut damaged = frame.clone();
    *damaged.last_mut().unwrap() ^= 1;
    for wrong in [
        zstd::encode_all(&*tar, 1).unwrap(),
        [skippable, &frame].concat(),
        [&frame, skippable].concat(),
        [&frame[..], &frame].concat(),
        [&frame[..], b"x"].concat(),
        halves,
        wide.finish().unwrap(),
        damaged,
        frame[..frame.len() - 1].to_vec(),
        frame[..3].to_vec(),
        Vec::new(),
        tar.clone(),
    ] {
        let found = refusal(&encrypted(&wrong, &key), &key, &manifest);
        assert_eq!(found, Some(Refusal::PayloadMalformed));
    }
}

/// What opening a payload with this tar, under an honest manifest for `files`, leads to.
fn refusal_of_tar(tar: &[u8], files: &[(&str, &[u8])]) -> Option<Refusal> {
    let key = Identity::generate();
    let manifest = manifest_of(files, &listing(files), &key);
    refusal(&encrypted(&compressed(tar), &key), &key, &manifest)
}

#[test]
fn a_bomb_is_refused_before_the_sink_sees_it() {
    struct Nothing;
    impl EntrySink for Nothing {
        fn entry(&mut self, _: &EntryPath, _: u64, _: &mut dyn Read) -> io::Result<()> {
            panic!("plaintext beyond the signed length");
        }
    }
    let key = Identity::generate();
    let manifest = manifest_of(&[("a", b"12345")], &listing(&[("a", b"12345")]), &key);
    let mut tar = TarWriter::new(zstd::Encoder::new(Vec::new(), 1).unwrap());
    let bytes = 64 << 20;
    tar.entry("a", bytes, &mut io::repeat(0).take(bytes))
        .unwrap();
    let mut frame = tar.finish().unwrap().finish().unwrap();
    // The checksum flag alone: nothing is read as far as the checksum.
    frame[4] |= ZSTD_CHECKSUM;
    let payload = encrypted(&frame, &key);
    let opened = open_payload(&mut &*payload, &[key], &manifest, &mut Nothing);
    assert!(matches!(
        opened,
        Err(OpenError::Refused(Refusal::PayloadExceeds))
    ));
}

#[test]
fn more_entries_bytes_or_zeros_than_signed_are_refused() {
    let list = listing(&SMALL);
    let [a, b] = SMALL;
    let contents = (contents::NAME, &*list);
    let more = refusal_of_tar(&pack(&[a, b, ("c", b""), contents]), &SMALL);
    assert_eq!(more, Some(Refusal::PayloadExceeds));
    let longer = refusal_of_tar(&pack(&[("a.csv", b"1,2,3,4\n"), b, contents]), &SMALL);
    assert_eq!(longer, Some(Refusal::PayloadExceeds));
    let mut zeros = pack(&[a, b, contents]);
    zeros.resize(zeros.len() + (1 << 20), 0);
    assert_eq!(
        refusal_of_tar(&zeros, &SMALL),
        Some(Refusal::PayloadMalformed)
    );
}

#[test]
fn unsafe_and_colliding_paths_are_refused() {
    for name in ["../a", "/a", "a//b", "A.CSV", "a.csv/b", "Contents.json"] {
        let files: [(&str, &[u8]); 2] = [("a.csv", b"1"), (name, b"2")];
        let list = listing(&files);
        let tar = pack(&[files[0], files[1], (contents::NAME, &list)]);
        assert_eq!(
            refusal_of_tar(&tar, &files),
            Some(Refusal::EntryPath),
            "{name}"
        );
    }
}

#[test]
fn other_kinds_of_entries_are_refused() {
    let mut tar = pack(&[SMALL[0], (contents::NAME, &listing(&SMALL[..1]))]);
    tar[156] = b'2';
    let sum = std::str::from_utf8(&tar[148..154]).unwrap();
    let sum = u32::from_str_radix(sum, 8).unwrap() + 2;
    tar[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
    assert_eq!(refusal_of_tar(&tar, &SMALL[..1]), Some(Refusal::EntryKind));
}

#[test]
fn contents_must_be_last_and_say_what_is_there() {
    let [a, b] = SMALL;
    let list = listing(&SMALL);
    let contents = (contents::NAME, &*list);
    assert_eq!(refusal_of_tar(&pack(&[a, b, contents]), &SMALL), None);
    let other = listing(&[b, a]);
    for tar in [
        pack(&[a, b]),
        pack(&[a, contents]),
        pack(&[a, contents, b]),
        pack(&[b, a, contents]),
        pack(&[("a.csv", b"1,2,4\n"), b, contents]),
        pack(&[a, b, (contents::NAME, &other)]),
        pack(&[a, b, (contents::NAME, b"{}")]),
        pack(&[]),
    ] {
        let found = refusal_of_tar(&tar, &SMALL);
        assert_eq!(found, Some(Refusal::ContentsMismatch));
    }
}
