//! The inside of a payload, the tar and its list, each rule broken once.
//! FORMAT.md section 7, number 3, and section 8: paths, order, counts, digests, and what binds a list to its manifest.

use super::{
    super::{
        parties::{agreement, digest},
        tape::{file, open_tar, tar},
    },
    Case, HELLO, Made, Maker, contents, frame, hello, kind, listed, paths, plan,
};

/// The tar.
pub(super) fn archives() -> Vec<(&'static str, Maker)> {
    vec![
        ("payload/tar-cut-short", |name| {
            let plan = hello();
            plan.around(name, "payload-malformed", &frame(&open_tar(&plan.parts))?)
        }),
        ("payload/tar-after-end", |name| {
            let plan = hello();
            plan.around(
                name,
                "payload-malformed",
                &frame(&[plan.tar(), b"x".to_vec()].concat())?,
            )
        }),
        ("payload/tar-global-pax", |name| kind(name, b'g', b"")),
        ("payload/folder", |name| kind(name, b'5', b"")),
        ("payload/symbolic-link", |name| {
            kind(name, b'2', b"/etc/passwd")
        }),
        ("payload/hard-link", |name| kind(name, b'1', b"a.txt")),
        ("payload/fifo", |name| kind(name, b'6', b"")),
        ("payload/path-parent", |name| paths(name, &["../a"])),
        ("payload/path-absolute", |name| paths(name, &["/a"])),
        ("payload/path-dot", |name| paths(name, &["./a"])),
        ("payload/path-twice", |name| paths(name, &["a", "a"])),
        ("payload/path-case", |name| {
            paths(name, &["Data.csv", "data.CSV"])
        }),
        ("payload/path-file-and-folder", |name| {
            paths(name, &["a", "A/b"])
        }),
        ("payload/path-second-list", |name| {
            paths(name, &["CONTENTS.json"])
        }),
    ]
}

/// What refuses most of the lists.
const MISMATCH: &str = "contents-mismatch";

/// A good payload but for a piece of its list.
fn saying(name: &str, piece: &str, other: &str) -> Made<Case> {
    hello().saying(piece, other).seal(name, MISMATCH)
}

/// Numbers of entries and bytes, place of the list.
pub(super) fn counts() -> Vec<(&'static str, Maker)> {
    vec![
        ("payload/more-bytes", |name| {
            let mut plan = hello();
            plan.bytes -= 1;
            plan.seal(name, "payload-exceeds")
        }),
        ("payload/more-entries", |name| {
            let mut plan = plan(&[("a", b"1"), ("b", b"")]);
            plan.entries = 1;
            plan.seal(name, "payload-exceeds")
        }),
        ("payload/fewer-bytes", |name| {
            let mut plan = hello();
            plan.bytes += 1;
            plan.seal(name, MISMATCH)
        }),
        ("payload/fewer-entries", |name| {
            let mut plan = hello();
            plan.entries = 2;
            plan.seal(name, MISMATCH)
        }),
        ("payload/no-list", |name| {
            let plan = hello();
            plan.around(name, MISMATCH, &frame(&tar(&plan.parts))?)
        }),
        ("payload/list-not-last", |name| {
            let plan = hello();
            let first = [
                file("contents.json", plan.contents.as_bytes()),
                file("a.txt", HELLO),
            ];
            plan.around(name, MISMATCH, &frame(&tar(&first))?)
        }),
    ]
}

/// What the list says.
pub(super) fn lists() -> Vec<(&'static str, Maker)> {
    vec![
        ("payload/list-digest", |name| {
            let other = hello().saying("07070707", "08080808");
            hello().around(name, MISMATCH, &frame(&other.tar())?)
        }),
        ("payload/list-salt", |name| saying(name, "0707", "07")),
        ("payload/list-other-bundle", |name| {
            saying(name, "000000000001", "000000000002")
        }),
        ("payload/list-other-flow", |name| {
            saying(name, "manifes-umrah", "perlintasan")
        }),
        ("payload/list-other-sender", |name| {
            saying(name, "\"kemenhaj\"", "\"orang-lain\"")
        }),
        ("payload/list-other-agreement", |name| {
            saying(name, &digest(agreement()), &digest("lain"))
        }),
        ("payload/list-entry-digest", |name| {
            saying(name, &digest(HELLO), &digest("lain"))
        }),
        ("payload/list-entry-bytes", |name| {
            saying(name, "\"bytes\": 5", "\"bytes\": 6")
        }),
        ("payload/list-entry-path", |name| {
            saying(name, "a.txt", "b.txt")
        }),
        ("payload/list-order", |name| {
            let mut plan = plan(&[("a", b"1"), ("b", b"2")]);
            plan.contents = contents(&[listed("b", b"2"), listed("a", b"1")]);
            plan.seal(name, MISMATCH)
        }),
        ("payload/list-entry-missing", |name| {
            let mut plan = plan(&[("a", b"1"), ("b", b"2")]);
            plan.contents = contents(&[listed("a", b"1")]);
            plan.seal(name, MISMATCH)
        }),
        ("payload/list-duplicate-key", |name| {
            saying(name, "\"ext\": {}", "\"ext\": {}, \"ext\": {}")
        }),
        ("payload/list-format", |name| {
            hello()
                .saying("contents/1", "contents/2")
                .seal(name, "format-unsupported")
        }),
    ]
}
