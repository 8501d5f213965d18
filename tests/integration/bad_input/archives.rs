//! Hostile archives: a payload whose signature, digests and layers are right, and whose tar wants to write where it may not,
//! leave something special, or be read in two ways.

use super::tape::{Part, changed, file, open_tar, pax, special};
use super::workshop::HELLO;
use super::{Case, Draft, Expect, Ground, Workshop, case};

const PATH: Expect = Expect::Refused("entry-path");
const KIND: Expect = Expect::Refused("entry-kind");
const MALFORMED: Expect = Expect::Refused("payload-malformed");

/// A draft whose tar is the good file and these bytes, as if they were `entries` files of `bytes` bytes.
fn with(shop: &Workshop, more: &[u8], entries: u64, bytes: u64) -> Draft {
    let mut draft = shop.hello();
    draft.parts.extend_from_slice(more);
    draft.entries += entries;
    draft.bytes += bytes;
    draft
}

/// Files of these names, each listed as it is.
fn names(name: &str, expect: Expect, paths: &[&str]) -> Case {
    let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
    case(name, expect, move |shop| {
        let files: Vec<(&str, &[u8])> = paths.iter().map(|path| (&**path, HELLO)).collect();
        let mut draft = shop.draft(&files);
        let long = |path: &str| format!("{} path={path}\n", path.len() + 10);
        let records: Vec<String> = paths.iter().map(|path| long(path)).collect();
        let mut parts: Vec<Part<'_>> = Vec::new();
        for (path, record) in paths.iter().zip(&records) {
            if path.len() > 100 {
                parts.push(pax(record.as_bytes()));
                parts.push(file("panjang", HELLO));
            } else {
                parts.push(file(path, HELLO));
            }
        }
        draft.parts = open_tar(&parts);
        shop.seal(&draft)
    })
}

/// A name that is no text.
fn raw_name(name: &str, raw: &'static [u8]) -> Case {
    case(name, PATH, move |shop| {
        let part = Part {
            name: raw,
            kind: b'0',
            link: b"",
            bytes: HELLO,
        };
        shop.seal(&with(shop, &open_tar(&[part]), 1, 5))
    })
}

/// An entry of another type beside the good file.
fn kind(name: &str, flag: u8, link: &'static [u8]) -> Case {
    case(name, KIND, move |shop| {
        shop.seal(&with(shop, &open_tar(&[special("b", flag, link)]), 1, 0))
    })
}

/// The good file's header with other bytes at a place, its checksum right.
fn header(name: &str, expect: Expect, place: usize, bytes: &'static [u8]) -> Case {
    case(name, expect, move |shop| {
        let mut draft = shop.hello();
        draft.parts = changed(&draft.parts, place, bytes);
        shop.seal(&draft)
    })
}

/// A PAX header of these records before one more file.
fn records(name: &str, expect: Expect, records: &'static [u8]) -> Case {
    case(name, expect, move |shop| {
        let parts = open_tar(&[pax(records), file("b", HELLO)]);
        shop.seal(&with(shop, &parts, 1, 5))
    })
}

/// The tar changed as a whole.
fn whole(name: &str, expect: Expect, change: fn(Vec<u8>) -> Vec<u8>) -> Case {
    case(name, expect, move |shop| {
        let draft = shop.hello();
        shop.around(&draft, &super::workshop::frame(&change(draft.tar()))?)
    })
}

// One case a line, as in a table.
#[rustfmt::skip]
fn paths() -> Vec<Case> {
    let long = "m".repeat(256);
    let deep = vec!["a"; 17].join("/");
    vec![
        names("path: parent", PATH, &["../a"]),
        names("path: the parent itself", PATH, &[".."]),
        names("path: parent inside", PATH, &["a/../../b"]),
        names("path: far up", PATH, &["../../../../../../jejak.txt"]),
        names("path: absolute", PATH, &["/jejak-amanah"]),
        names("path: two slashes first", PATH, &["//jejak-amanah"]),
        names("path: two slashes inside", PATH, &["a//b"]),
        names("path: dot first", PATH, &["./a"]),
        names("path: dot inside", PATH, &["a/./b"]),
        names("path: a dot", PATH, &["."]),
        names("path: slash at the end", PATH, &["a/"]),
        names("path: backslash", PATH, &["a\\b"]),
        names("path: backslash parent", PATH, &["..\\..\\a"]),
        names("path: drive", PATH, &["C:a"]),
        names("path: stream", PATH, &["a.txt:x"]),
        names("path: CON", PATH, &["CON"]),
        names("path: nul.txt", PATH, &["sub/nul.txt"]),
        names("path: aux", PATH, &["aux.csv"]),
        names("path: COM1", PATH, &["COM1"]),
        names("path: LPT superscript", PATH, &["lpt\u{b2}"]),
        names("path: dot at the end", PATH, &["a."]),
        names("path: space at the end", PATH, &["a "]),
        names("path: space before a slash", PATH, &["a /b"]),
        names("path: control character", PATH, &["a\u{1}b"]),
        names("path: line feed", PATH, &["a\nb"]),
        names("path: escape", PATH, &["a\u{1b}[2Jb"]),
        names("path: delete", PATH, &["a\u{7f}b"]),
        names("path: C1 control", PATH, &["a\u{85}b"]),
        names("path: right-to-left override", PATH, &["a\u{202e}vsc.b"]),
        names("path: isolate", PATH, &["a\u{2066}b"]),
        names("path: zero-width", PATH, &["a\u{200b}b"]),
        names("path: byte order mark", PATH, &["\u{feff}a"]),
        names("path: decomposed", PATH, &["cafe\u{301}.txt"]),
        names("path: 256 bytes", PATH, &[&long]),
        names("path: 17 deep", PATH, &[&deep]),
        names("path: second list by case", PATH, &["CONTENTS.json"]),
        names("path: twice", PATH, &["a", "a"]),
        names("path: twice by case", PATH, &["Data.csv", "data.CSV"]),
        names("path: twice by normal form", PATH, &["caf\u{e9}", "cafe\u{301}"]),
        names("path: file and folder", PATH, &["a", "a/b"]),
        names("path: file and folder by case", PATH, &["A/b", "a"]),
        raw_name("path: not UTF-8", b"a\xff"),
        raw_name("path: overlong UTF-8", b"a\xc0\xafb"),
        raw_name("path: surrogate", b"a\xed\xa0\x80"),
        records("path: PAX parent", PATH, b"16 path=../../b\n"),
        records("path: PAX absolute", PATH, b"15 path=/jejak\n"),
    ]
}

// One case a line, as in a table.
#[rustfmt::skip]
fn kinds() -> Vec<Case> {
    vec![
        kind("kind: hard link to a file in it", b'1', b"a.txt"),
        kind("kind: hard link out", b'1', b"/etc/passwd"),
        kind("kind: symbolic link", b'2', b"/etc/passwd"),
        kind("kind: symbolic link up", b'2', b"../.."),
        kind("kind: character device", b'3', b""),
        kind("kind: block device", b'4', b""),
        kind("kind: folder", b'5', b""),
        kind("kind: FIFO", b'6', b""),
        kind("kind: contiguous file", b'7', b""),
        kind("kind: old regular file", 0, b""),
        kind("kind: GNU long name", b'L', b""),
        kind("kind: GNU long link", b'K', b""),
        kind("kind: GNU sparse", b'S', b""),
        kind("kind: GNU dump folder", b'D', b""),
        kind("kind: GNU multi-volume", b'M', b""),
        kind("kind: GNU volume label", b'V', b""),
        kind("kind: Solaris attributes", b'X', b""),
        kind("kind: Solaris list", b'A', b""),
        kind("kind: global PAX", b'g', b""),
        kind("kind: unknown", b'Z', b""),
        case("kind: two PAX headers", KIND, |shop| {
            let parts = open_tar(&[pax(b"9 path=b\n"), pax(b"9 path=c\n"), file("d", b"")]);
            shop.seal(&with(shop, &parts, 1, 0))
        }),
        case("kind: link, then a file through it", KIND, |shop| {
            let parts = open_tar(&[special("b", b'2', b"../../.."), file("b/jejak", HELLO)]);
            shop.seal(&with(shop, &parts, 2, 5))
        }),
    ]
}

// One case a line, as in a table.
#[rustfmt::skip]
fn headers() -> Vec<Case> {
    vec![
        header("header: setuid, not acted on", Expect::Imported, 100, b"0004755\0"),
        header("header: owner root, not acted on", Expect::Imported, 265, b"root"),
        header("header: size in base 256", MALFORMED, 124, b"\x80\0\0\0\0\0\0\0\0\0\0\x05"),
        header("header: size negative in base 256", MALFORMED, 124, &[0xff; 12]),
        header("header: size with a minus", MALFORMED, 124, b"-0000000005\0"),
        header("header: size without its end", MALFORMED, 124, b"000000000005"),
        header("header: size that is no octal", MALFORMED, 124, b"00000000009\0"),
        header("header: magic of GNU", MALFORMED, 257, b"ustar  \0"),
        header("header: no magic", MALFORMED, 257, &[0; 8]),
        header("header: link name of a file", MALFORMED, 157, b"/etc/passwd"),
        header("header: device number of a file", MALFORMED, 329, b"0000001\0"),
        header("header: bytes after the name", MALFORMED, 50, b"x"),
        header("header: unused bytes", MALFORMED, 511, b"x"),
        header("header: no name", MALFORMED, 0, &[0; 100]),
        header("header: mode that is no number", MALFORMED, 100, b"rwxr-xr-"),
        header("header: prefix that climbs", PATH, 345, b"../.."),
        records("PAX: linkpath", MALFORMED, b"24 linkpath=/etc/passwd\n"),
        records("PAX: extended attribute", MALFORMED, b"30 SCHILY.xattr.user.x=capable\n"),
        records("PAX: modification time", MALFORMED, b"13 mtime=1.5\n"),
        records("PAX: owner", MALFORMED, b"8 uid=0\n"),
        records("PAX: GNU sparse", MALFORMED, b"22 GNU.sparse.major=1\n"),
        records("PAX: character set", MALFORMED, b"21 hdrcharset=BINARY\n"),
        records("PAX: one key twice", MALFORMED, b"9 path=b\n9 path=c\n"),
        records("PAX: NUL in a path", MALFORMED, b"11 path=b\0c\n"),
        records("PAX: wrong length", MALFORMED, b"99 path=b\n"),
        records("PAX: length zero", MALFORMED, b"0 path=b\n"),
        records("PAX: another size", MALFORMED, b"10 size=4\n"),
        records("PAX: negative size", MALFORMED, b"11 size=-5\n"),
        records("PAX: size beyond 64 bits", MALFORMED, b"29 size=18446744073709551616\n"),
        records("PAX: nothing in it", MALFORMED, b""),
        case("PAX: more than 4 KiB", MALFORMED, |shop| {
            let long = format!("5010 path={}\n", "a".repeat(4999));
            let parts = open_tar(&[pax(long.as_bytes()), file("b", HELLO)]);
            shop.seal(&with(shop, &parts, 1, 5))
        }),
        case("header: wrong checksum", MALFORMED, |shop| {
            let mut draft = shop.hello();
            super::tape::put(&mut draft.parts, 148, b"000000");
            shop.seal(&draft)
        }),
        case("tar: a byte in the padding", MALFORMED, |shop| {
            let mut draft = shop.hello();
            super::tape::put(&mut draft.parts, 600, b"x");
            shop.seal(&draft)
        }),
        case("tar: second head in a content", Expect::Imported, |shop| {
            let inner = super::tape::tar(&[file("../jejak", HELLO)]);
            shop.seal(&shop.draft(&[("arsip.tar", &inner)]))
        }),
        whole("tar: cut in a header", MALFORMED, |tar| tar[..100].to_vec()),
        whole("tar: cut in a content", MALFORMED, |tar| tar[..514].to_vec()),
        whole("tar: no end", MALFORMED, |tar| tar[..tar.len() - 1024].to_vec()),
        whole("tar: one zero block in the middle", MALFORMED, |tar| [&[0; 512], &*tar].concat()),
        whole("tar: a byte after the end", MALFORMED, |tar| [&*tar, b"x"].concat()),
        whole("tar: a second archive", MALFORMED, |tar| [&*tar, &*tar].concat()),
        whole("tar: nothing", MALFORMED, |_| Vec::new()),
        whole("tar: only its end", Expect::Refused("contents-mismatch"), |_| vec![0; 1024]),
    ]
}

#[test]
fn a_hostile_path_writes_nothing() {
    Ground::all("paths in archives", paths());
}

#[test]
fn a_hostile_archive_leaves_nothing_special() {
    Ground::all(
        "kinds and headers in archives",
        kinds().into_iter().chain(headers()).collect(),
    );
}
