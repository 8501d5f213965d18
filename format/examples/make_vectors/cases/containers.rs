//! Containers (FORMAT.md section 5.2): what the walker accepts of stock tools, and each rule broken once.
//! The refused ones are written by `tape`, since no writer of ours makes them: other types, wrong sums, PAX records,
//! bad ends.

use super::{
    Case,
    tape::{changed, file, open_tar, pax, special, tar},
};

/// Small containers.
pub(crate) fn all() -> Vec<Case> {
    let mut all = accepted();
    all.extend(refused());
    all
}

fn case(name: &str, expect: &str, comment: &str, bytes: Vec<u8>) -> Case {
    Case::new(&format!("container/{name}"), expect, comment, bytes)
}

fn simple() -> Vec<u8> {
    tar(&[file("a.json", b"{}\n"), file("a.json.sig", b"x")])
}

fn with_pax(records: &[u8]) -> Vec<u8> {
    tar(&[pax(records), file("a", b"12345")])
}

// One case a line, as in a table.
#[rustfmt::skip]
fn accepted() -> Vec<Case> {
    let good = simple();
    let name = "m".repeat(120);
    let long = format!("130 path={name}\n");
    let ok = |name: &str, files: &str, comment: &str, bytes: Vec<u8>| {
        case(name, "ok", comment, bytes).with("files", files)
    };
    vec![
        ok("ok", "a.json a.json.sig", "two files", good.clone()),
        ok("ok-empty", "", "no file at all", tar(&[])),
        ok(
            "ok-record",
            "a.json a.json.sig",
            "filled up with zeros to a record of 10,240",
            [good.clone(), vec![0; 10_240 - good.len()]].concat(),
        ),
        ok("ok-owner", "a.json a.json.sig", "an owner and a mode: not used", changed(&changed(&good, 100, b"0000755\x000001750\x000001750\0"), 265, b"operator")),
        ok(
            "ok-devices-empty",
            "a.json a.json.sig",
            "device numbers of zero bytes",
            changed(&good, 329, &[0; 16]),
        ),
        ok("ok-pax-path", &name, "a name of 120 bytes", with_pax(long.as_bytes())),
        ok("ok-pax-size", "a", "a PAX size that agrees", with_pax(b"10 size=5\n")),
        ok("ok-prefix", "p/a.json a.json.sig", "a prefix", changed(&good, 345, b"p")),
    ]
}

// One case a line, as in a table.
#[rustfmt::skip]
fn refused() -> Vec<Case> {
    let good = simple();
    let rule = |name: &str, comment: &str, bytes: Vec<u8>| case(name, "rule", comment, bytes);
    let kind = |name: &str, comment: &str, flag: u8, link: &[u8]| {
        case(name, "kind", comment, tar(&[special("a", flag, link)]))
    };
    let mut checksum = good.clone();
    super::tape::put(&mut checksum, 148, b"000000");
    let mut padding = good.clone();
    super::tape::put(&mut padding, 600, b"x");
    let end_missing = open_tar(&[file("a", b"x")]);
    let one_zero = [end_missing.as_slice(), &[0; 512], &good].concat();
    let gnu = changed(&good, 257, b"ustar  \0");
    let names: Vec<String> = (0..65).map(|number| number.to_string()).collect();
    let many: Vec<_> = names.iter().map(|name| file(name, b"")).collect();
    vec![
        rule("magic-gnu", "GNU tar's old magic", gnu),
        rule("magic-v7", "no magic", changed(&good, 257, &[0; 8])),
        rule("checksum", "a wrong checksum", checksum),
        rule("size-base-256", "a size in base 256", changed(&good, 124, &[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3])),
        rule("size-negative", "a minus before the size", changed(&good, 124, b"-0000000003\0")),
        rule("size-unended", "twelve digits of size", changed(&good, 124, b"000000000003")),
        rule("link-name", "a regular file with a link name", changed(&good, 157, b"x")),
        rule("device-number", "a regular file with a device number", changed(&good, 329, b"0000001\0")),
        rule("name-empty", "no name", changed(&good, 0, &[0; 100])),
        rule("name-after-end", "bytes after the name's end", changed(&good, 50, b"x")),
        rule("unused-bytes", "bytes 500 to 511", changed(&good, 511, b"x")),
        rule("padding", "a byte in the padding", padding),
        rule("pax-other-key", "a PAX record of another key", with_pax(b"13 mtime=1.5\n")),
        rule("pax-link-path", "a PAX record linkpath", with_pax(b"14 linkpath=a\n")),
        rule("pax-twice", "one PAX key twice", with_pax(b"9 path=a\n9 path=b\n")),
        rule("pax-length", "a PAX record with a wrong length", with_pax(b"8 path=a\n")),
        rule("pax-size-differs", "two sizes that differ", with_pax(b"10 size=4\n")),
        rule("pax-path-nul", "a zero byte in a PAX path", with_pax(b"11 path=a\0b\n")),
        rule("pax-empty", "a PAX header without records", with_pax(b"")),
        case("pax-twice-over", "kind", "two PAX headers before one file", tar(&[pax(b"9 path=a\n"), pax(b"9 path=a\n"), file("a", b"")])),
        case("pax-global", "kind", "a global PAX header", tar(&[special("g", b'g', b""), file("a", b"")])),
        kind("gnu-long-name", "GNU's long name", b'L', b""),
        kind("hard-link", "a hard link", b'1', b"b"),
        kind("symbolic-link", "a symbolic link", b'2', b"/etc/passwd"),
        kind("device", "a character device", b'3', b""),
        kind("folder", "a folder", b'5', b""),
        kind("fifo", "a FIFO", b'6', b""),
        kind("type-nul", "the old type flag of regular files", 0, b""),
        rule("one-zero-block", "one zero block in the middle", one_zero),
        rule("bytes-after-end", "a byte after the end", [good.as_slice(), b"x"].concat()),
        rule("two-archives", "a second archive after the first", [good.as_slice(), &good].concat()),
        rule(
            "zeros",
            "10,241 zeros after the end",
            [good.as_slice(), &[0; 10_241]].concat(),
        ),
        rule("name-twice", "two files of one name", tar(&[file("a", b"x"), file("a", b"y")])),
        rule("too-many", "65 files", tar(&many)),
        case("cut-in-header", "truncated", "ends in a header", good.split_at(100).0.to_vec()),
        case("cut-in-content", "truncated", "ends in a content", good.split_at(513).0.to_vec()),
        case("cut-before-end", "truncated", "no end", end_missing),
        case("empty", "truncated", "no bytes", Vec::new()),
    ]
}
