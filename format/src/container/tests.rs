//! Tests of walker, writer and head: round trips, every truncation, every rule.
//! Held against FORMAT.md §5.2 and §9.2: each rule is broken by itself, and whatever is accepted is accepted again when
//! it is written anew.

use std::io::Read;

use super::*;
use crate::limits::BUNDLE_HEAD_BYTES;

pub(super) type Files = Vec<(String, Vec<u8>)>;

pub(super) fn files(list: &[(&str, &[u8])]) -> Files {
    list.iter()
        .map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()))
        .collect()
}

pub(super) fn long_name() -> String {
    format!("{}/{}", "m".repeat(120), "n".repeat(60))
}

pub(super) fn unpack(bytes: &[u8]) -> Result<Files, ContainerError> {
    unpack_small(bytes, 1 << 20)
}

/// One header block for `name` with `size`, changed by `change`, then made to checksum again.
fn block(size: u64, change: impl FnOnce(&mut tar::UstarHeader)) -> Vec<u8> {
    let mut header = tar::Header::new_old();
    header
        .as_mut_bytes()
        .copy_from_slice(&writer::header_blocks("x", size));
    change(header.as_ustar_mut().unwrap());
    header.as_old_mut().cksum = [b' '; 8];
    let sum: u64 = header.as_bytes().iter().map(|byte| u64::from(*byte)).sum();
    let text = format!("{sum:06o}\0 ");
    header.as_old_mut().cksum.copy_from_slice(text.as_bytes());
    header.as_bytes().to_vec()
}

fn ended(mut blocks: Vec<u8>) -> Vec<u8> {
    blocks.extend([0; 1024]);
    blocks
}

/// A PAX header with these records, an entry `x` without content, the end.
fn with_pax(records: &[u8]) -> Vec<u8> {
    let mut bytes = block(length_of(records), |header| header.typeflag = [b'x']);
    bytes.extend_from_slice(records);
    bytes.extend(zeros(padding_of(length_of(records))));
    bytes.extend(block(0, |_| ()));
    ended(bytes)
}

#[test]
fn what_is_packed_is_unpacked() {
    let long = long_name();
    let list: [(&str, &[u8]); 4] = [
        ("card.json", b"{}\n"),
        ("empty", b""),
        (&long, &[7; 512]),
        ("jamaah/Nur Aïsyah.csv", &[0; 513]),
    ];
    assert_eq!(unpack(&pack(&list)).unwrap(), files(&list));
}

#[test]
fn every_truncation_is_refused() {
    let bytes = pack(&[("a", b"12345"), (&long_name(), b"x")]);
    for length in 0..bytes.len() {
        let cut = unpack(&bytes[..length]);
        assert!(matches!(cut, Err(ContainerError::Truncated)), "{length}");
    }
}

#[test]
fn every_changed_header_byte_is_refused() {
    let bytes = pack(&[("a", b"12345")]);
    for place in (0..512).chain(517..bytes.len()) {
        let mut changed = bytes.clone();
        changed[place] ^= 0x40;
        assert!(unpack(&changed).is_err(), "{place}");
    }
}

#[test]
fn other_types_than_regular_files_are_refused_by_kind() {
    for kind in b"\x001234567ALKgSVN" {
        let bytes = ended(block(0, |header| header.typeflag = [*kind]));
        let found = unpack(&bytes);
        assert!(matches!(found, Err(ContainerError::Kind(found)) if found == char::from(*kind)));
    }
    let twice = [
        with_pax(b"9 path=a\n")[..1024].to_vec(),
        with_pax(b"9 path=a\n"),
    ]
    .concat();
    assert!(matches!(unpack(&twice), Err(ContainerError::Kind('x'))));
}

#[test]
fn each_broken_header_rule_is_refused() {
    type Change = fn(&mut tar::UstarHeader);
    let accepted: [Change; 5] = [
        |_| (),
        |header| header.dev_major = [0; 8],
        |header| header.mode = *b"0100755 ",
        |header| header.uname[..4].copy_from_slice(b"root"),
        |header| header.prefix[0] = b'p',
    ];
    let refused: [Change; 13] = [
        |header| header.magic = *b"ustar ",
        |header| header.version = *b"01",
        |header| header.linkname[0] = b'l',
        |header| header.linkname[99] = b'l',
        |header| header.dev_major = *b"0000001\0",
        |header| header.dev_minor = *b"       \0",
        |header| header.pad[11] = 1,
        |header| header.size = *b"-0000000000\0",
        |header| header.size = [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        |header| header.size = *b"000000000000",
        |header| header.uid = *b" 000000\0",
        |header| header.name = [0; 100],
        |header| header.name[50] = b'y',
    ];
    for (number, change) in accepted.into_iter().enumerate() {
        assert!(unpack(&ended(block(0, change))).is_ok(), "{number}");
    }
    for (number, change) in refused.into_iter().enumerate() {
        let found = unpack(&ended(block(0, change)));
        assert!(matches!(found, Err(ContainerError::Rule(_))), "{number}");
    }
}

#[test]
fn a_prefix_stands_before_the_name() {
    let bytes = ended(block(0, |header| header.prefix[0] = b'p'));
    assert_eq!(unpack(&bytes).unwrap(), files(&[("p/x", b"")]));
}

#[test]
fn only_canonical_pax_records_are_accepted() {
    for records in [&b"9 path=a\n"[..], b"10 size=0\n", b"9 path=a\n10 size=0\n"] {
        assert!(unpack(&with_pax(records)).is_ok());
    }
    let refused: [&[u8]; 14] = [
        b"",
        b"9 path=a\n9 path=a\n",
        b"09 path=a\n",
        b"8 path=a\n",
        b"12 path=a\n",
        b"99 path=a\n",
        b"9 path=\0\n",
        b"8 path=\n",
        b"+9 path=a\n",
        b"10 size=1\n",
        b"11 size=00\n",
        b"29 size=18446744073709551616\n",
        b"13 mtime=1.5\n",
        b"9 path=a",
    ];
    for records in refused {
        let found = unpack(&with_pax(records));
        assert!(matches!(found, Err(ContainerError::Rule(_))), "{records:?}");
    }
    let long = format!("4106 path={}\n", "p".repeat(4095));
    assert!(unpack(&with_pax(long.as_bytes())).is_err());
}

#[test]
fn a_size_beyond_ustar_stands_in_pax_alone() {
    let blocks = writer::header_blocks("big", 1 << 33);
    assert_eq!(blocks.len(), 1536);
    let entry = Walker::new(blocks.as_slice())
        .next_entry()
        .unwrap()
        .unwrap();
    assert_eq!(entry.bytes, 1 << 33);
    assert_eq!(writer::header_blocks("big", USTAR_SIZE_MAX).len(), 512);
}

#[test]
fn the_end_is_two_zero_blocks_and_little_more() {
    let bytes = pack(&[("a", b"12345")]);
    let with = |more: &[u8]| unpack(&[&bytes, more].concat()).is_ok();
    assert!(with(&[]) && with(&[0; 10_240]) && with(&[0; 7]));
    assert!(!with(&[0; 10_241]) && !with(&[1]) && !with(&pack(&[("b", b"")])));
    let one = [&bytes[..1536], &bytes].concat();
    assert!(matches!(unpack(&one), Err(ContainerError::Rule(_))));
}

#[test]
fn small_containers_have_bounds() {
    assert!(unpack_small(&pack(&[("a", b"12345")]), 5).is_ok());
    assert!(unpack_small(&pack(&[("a", b"12345")]), 4).is_err());
    assert!(unpack(&pack(&[("a", b""), ("a", b"")])).is_err());
    let names: Vec<String> = (0..65).map(|number| number.to_string()).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (&**name, &b""[..])).collect();
    assert!(unpack(&pack(&many[..64])).is_ok());
    assert!(unpack(&pack(&many)).is_err());
}

#[test]
fn content_left_unread_is_skipped() {
    let bytes = pack(&[("a", &[1; 1000]), ("b", b"2")]);
    let mut walker = Walker::new(bytes.as_slice());
    walker.next_entry().unwrap();
    walker.content().read_exact(&mut [0; 3]).unwrap();
    assert_eq!(walker.next_entry().unwrap().unwrap().path, b"b");
    assert_eq!(walker.content_whole().unwrap(), b"2");
    assert_eq!(walker.next_entry().unwrap(), None);
    assert_eq!(walker.next_entry().unwrap(), None);
}

#[test]
fn the_writer_writes_what_pack_writes_and_holds_to_the_length() {
    let mut writer = TarWriter::new(Vec::new());
    writer.entry("a", 5, &mut &b"12345"[..]).unwrap();
    assert_eq!(writer.finish().unwrap(), pack(&[("a", b"12345")]));
    for length in [4, 6] {
        let mut writer = TarWriter::new(Vec::new());
        let error = writer.entry("a", length, &mut &b"12345"[..]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(writer.entry("b", 0, &mut &b""[..]).is_err());
        assert!(writer.finish().is_err());
    }
}

fn head_for(payload_bytes: u64) -> Vec<u8> {
    let manifest = vec![b' '; manifest_bytes_for(payload_bytes)];
    bundle_head(&manifest, &"s".repeat(300), payload_bytes).unwrap()
}

#[test]
fn a_head_is_16_kib_whatever_the_payload() {
    for payload_bytes in [0, 1, USTAR_SIZE_MAX, USTAR_SIZE_MAX + 1, 1 << 50] {
        let head = head_for(payload_bytes);
        assert_eq!(length_of(&head), BUNDLE_HEAD_BYTES);
        let parts = read_head(&head).unwrap();
        assert_eq!(parts.payload_bytes, payload_bytes);
        assert_eq!(parts.manifest.len(), manifest_bytes_for(payload_bytes));
        assert_eq!(parts.signature.len(), 300);
    }
    assert!(bundle_head(&[b' '; 14_335 - 511], "s", 1).is_err());
    assert!(bundle_head(&[b' '; 14_336], &"s".repeat(513), 1).is_err());
}

#[test]
fn a_short_or_shifted_head_is_refused() {
    let head = head_for(9);
    for length in 0..head.len() {
        assert!(read_head(&head[..length]).is_err());
    }
    let longer = pack(&[
        ("manifest.json", &[b' '; 14_848]),
        ("manifest.json.sig", b"s"),
        ("payload.tar.zst.age", b"p"),
    ]);
    assert!(read_head(&longer).is_err());
    let shorter = pack(&[
        ("manifest.json", &[b' '; 13_824]),
        ("manifest.json.sig", b"s"),
        ("payload.tar.zst.age", &[b'p'; 2048]),
    ]);
    assert!(read_head(&shorter).is_err());
    let swapped = pack(&[
        ("manifest.json.sig", b"s"),
        ("manifest.json", &[b' '; 14_336]),
        ("payload.tar.zst.age", b"p"),
    ]);
    assert!(read_head(&swapped).is_err());
}

#[test]
fn a_longer_signature_of_a_stranger_fits_beside_a_shorter_manifest() {
    let bytes = pack(&[
        ("manifest.json", &[b' '; 13_824]),
        ("manifest.json.sig", &[b's'; 600]),
        ("payload.tar.zst.age", &[b'p'; 700]),
    ]);
    assert_eq!(read_head(&bytes).unwrap().payload_bytes, 700);
}

#[test]
fn head_payload_and_tail_are_one_tar() {
    for length in [0_u64, 1, 511, 512, 513] {
        let payload = vec![b'p'; usize::try_from(length).unwrap()];
        let tail = bundle_tail(length);
        let whole = [head_for(length), payload.clone(), tail.clone()].concat();
        assert_eq!(length_of(&whole), bundle_bytes(length));
        assert_eq!(unpack(&whole).unwrap()[2].1, payload);
        check_tail(length, &tail).unwrap();
        check_tail(length, &[tail.clone(), vec![0; 10_240]].concat()).unwrap();
        assert!(check_tail(length, &tail[1..]).is_err());
        assert!(check_tail(length, &[tail.clone(), vec![0; 10_241]].concat()).is_err());
        assert!(check_tail(length, &[&tail[1..], b"x"].concat()).is_err());
    }
}

proptest::proptest! {
    #[test]
    fn any_names_and_contents_come_back(
        list in proptest::collection::btree_map("[^\0]{1,60}", proptest::collection::vec(0_u8.., 0..1200), 0..6),
    ) {
        let list: Vec<(&str, &[u8])> = list.iter().map(|(name, bytes)| (&**name, &**bytes)).collect();
        assert_eq!(unpack(&pack(&list)).unwrap(), files(&list));
    }

    #[test]
    fn whatever_is_accepted_is_accepted_again_when_written_anew(
        place in 0_usize..3584,
        bytes in proptest::collection::vec(0_u8.., 1..20),
    ) {
        let mut changed = pack(&[("a", b"12345"), (&long_name(), b"x")]);
        for (place, byte) in changed.iter_mut().skip(place).zip(bytes) {
            *place = byte;
        }
        if let Ok(found) = unpack(&changed) {
            let list: Vec<(&str, &[u8])> = found.iter().map(|(name, bytes)| (&**name, &**bytes)).collect();
            assert_eq!(unpack(&pack(&list)).unwrap(), found);
        }
    }
}

#[test]
fn an_entry_in_pieces_is_written_as_any_other_and_keeps_to_its_length() {
    let content: Vec<u8> = (0_u8..251).cycle().take(1_300).collect();
    let in_pieces = |bytes: u64| {
        let mut tar = TarWriter::new(Vec::new());
        // Pieces that end nowhere in particular.
        let mut pieces = std::io::BufReader::with_capacity(97, content.as_slice());
        let written = tar.entry_in_pieces("x", bytes, &mut pieces);
        written.and_then(|()| tar.finish())
    };
    let mut whole = TarWriter::new(Vec::new());
    whole.entry("x", 1_300, &mut content.as_slice()).unwrap();
    assert_eq!(in_pieces(1_300).unwrap(), whole.finish().unwrap());
    for wrong in [0, 1_299, 1_301] {
        let error = in_pieces(wrong).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidData, "{wrong}");
    }
}
