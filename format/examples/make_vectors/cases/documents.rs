//! Entry paths, and the strict reading of documents (FORMAT.md sections 4 and 6). The document is a receipt, which has
//! every kind of value.

use super::{Case, case::swap, receipts::imported};

/// One case of the strict reading.
fn case(name: &str, expect: &str, comment: &str, bytes: Vec<u8>) -> Case {
    Case::new(&format!("document/{name}"), expect, comment, bytes)
}

/// The good document with a piece replaced.
fn with(piece: &str, other: &str) -> Vec<u8> {
    swap(&imported(), piece, other).into_bytes()
}

/// With these members of `ext`.
fn in_ext(members: &str) -> Vec<u8> {
    with(r#""ext": {}"#, &format!(r#""ext": {{{members}}}"#))
}

/// The strict reading.
pub(crate) fn all() -> Vec<Case> {
    let mut all = json();
    all.extend(shapes());
    all
}

/// What is strict JSON, and what is not.
// One case a line, as in a table.
#[rustfmt::skip]
fn json() -> Vec<Case> {
    let good = imported();
    let nested = |depth: usize| in_ext(&format!(r#""d": {}{}"#, "[".repeat(depth), "]".repeat(depth)));
    let first = r#""format": "amanah-receipt/1", "#;
    let reordered = swap(&swap(&good, first, ""), r#""ext": {}"#, &format!(r#"{first}"ext": {{}}"#));
    let mut invalid = good.clone().into_bytes();
    let place = invalid.len() / 2;
    invalid.splice(place..place, [0xff]);
    vec![
        case("ok", "ok", "as the other vectors have it", good.clone().into()),
        case("ok-spaces-after", "ok", "spaces and line feeds after the closing brace", format!("{good}   \n\n").into()),
        case("ok-order", "ok", "fields in another order", reordered.into()),
        case("ok-ext", "ok", "members of ext that nobody knows", in_ext(r#""unknown": [1, "x", {"y": null}]"#)),
        case("ok-depth", "ok", "sixteen deep", nested(14)),
        case("ok-integer-max", "ok", "2^53 - 1", in_ext(r#""n": [9007199254740991, -9007199254740991]"#)),
        case("ok-surrogates", "ok", "an escaped pair of surrogates", in_ext(r#""t": "\ud83d\ude00""#)),
        case("depth", "json", "seventeen deep", nested(15)),
        case("integer-too-large", "json", "2^53", in_ext(r#""n": 9007199254740992"#)),
        case("integer-too-small", "json", "-2^53", in_ext(r#""n": -9007199254740992"#)),
        case("fraction", "json", "a number with a fraction", in_ext(r#""n": 1.0"#)),
        case("exponent", "json", "a number with an exponent", in_ext(r#""n": 1e3"#)),
        case("minus-zero", "json", "-0", in_ext(r#""n": -0"#)),
        case("huge-number", "json", "1e400", in_ext(r#""n": 1e400"#)),
        case("duplicate-key", "json", "one name twice", with(r#""ext": {}"#, r#""ext": {}, "ext": {}"#)),
        case("duplicate-key-in-ext", "json", "one name twice, deep inside ext", in_ext(r#""a": {"b": [{"c": 1, "c": 1}]}"#)),
        case("duplicate-key-escaped", "json", "one name twice, once escaped", in_ext(r#""a": 1, "\u0061": 1"#)),
        case("lone-surrogate", "json", "half of a pair", in_ext(r#""t": "\ud83d""#)),
        case("nul", "json", "NUL in a text", in_ext(r#""t": "\u0000""#)),
        case("not-utf-8", "json", "a byte 0xff", invalid),
        case("byte-order-mark", "json", "a byte order mark before the first brace", format!("\u{feff}{good}").into()),
        case("trailing-bytes", "json", "a second document after the first", format!("{good}{{}}").into()),
        case("trailing-comma", "json", "a comma before a closing bracket", with(r#""critical": []"#, r#""critical": [],"#)),
        case("empty", "json", "no bytes", Vec::new()),
        case("ok-longest", "ok", "65,536 bytes", format!("{good}{}", " ".repeat(65_536 - good.len())).into()),
    ]
}

/// JSON that is another document than it should be.
// One case a line, as in a table.
#[rustfmt::skip]
fn shapes() -> Vec<Case> {
    let good = imported();
    vec![
        case("not-an-object", "shape", "a list", b"[]\n".to_vec()),
        case("unknown-field", "shape", "a field that is not of this format", with(r#""ext": {}"#, r#""extra": 1, "ext": {}"#)),
        case("missing-field", "shape", "no critical", with(r#", "critical": []"#, "")),
        case("missing-optional", "shape", "an optional field is left out; it must be null", with(r#""outcome": "imported", "refusal": null,"#, r#""outcome": "imported","#)),
        case("time-with-offset", "shape", "a time that is not in UTC", with("20:32:06Z", "20:32:06+07:00")),
        case("time-second-60", "shape", "a leap second", with("20:32:06Z", "20:32:60Z")),
        case("time-fraction", "shape", "a time with a fraction", with("20:32:06Z", "20:32:06.0Z")),
        case("digest-upper-case", "shape", "a digest in capitals", with(&"3".repeat(64), &"A".repeat(64))),
        case("digest-short", "shape", "63 digits", with(&"3".repeat(64), &"3".repeat(63))),
        case("party-id", "shape", "a capital in a party id", with(r#""from": "imigrasi""#, r#""from": "Imigrasi""#)),
        case("sequence-zero", "shape", "sequences begin with 1", with(r#""sequence": 1"#, r#""sequence": 0"#)),
        case("epoch-too-large", "shape", "2^32", with(r#""epoch": 1"#, r#""epoch": 4294967296"#)),
        case("number-as-text", "shape", "an integer in quotes", with(r#""sequence": 1"#, r#""sequence": "1""#)),
        case("format-version", "format", "a newer version", with("amanah-receipt/1", "amanah-receipt/2")),
        case("format-other", "format", "another type of document", with("amanah-receipt/1", "amanah-slip/1")),
        case("critical", "critical", "a name that version 1 does not know", with(r#""critical": []"#, r#""critical": ["sealed-twice"]"#)),
        case("too-long", "too-long", "65,537 bytes", format!("{good}{}", " ".repeat(65_537 - good.len())).into()),
    ]
}

/// Entry paths, one each.
pub(crate) fn entry_paths() -> Vec<Case> {
    let deep = |count: usize| vec!["a"; count].join("/");
    let good: &[(&str, &str)] = &[
        ("ok-spaces", "manifes jemaah 2026.csv"),
        ("ok-folder", "kloter/JKG-01/daftar nama.csv"),
        ("ok-composed", "caf\u{e9}.txt"),
        ("ok-arabic", "\u{62d}\u{62c}\u{627}\u{62c}.csv"),
        ("ok-dots", "..a/.b"),
        ("ok-inner-contents", "sub/contents.json"),
    ];
    let wrong: &[(&str, &str)] = &[
        ("empty", ""),
        ("absolute", "/etc/passwd"),
        ("parent", "a/../../b"),
        ("dot", "./a"),
        ("double-slash", "a//b"),
        ("slash-at-end", "a/"),
        ("backslash", "a\\b"),
        ("colon", "C:a"),
        ("control", "a\u{1}b"),
        ("line-feed", "a\nb"),
        ("c1-control", "a\u{85}b"),
        ("bidirectional", "a\u{202e}vsc.b"),
        ("zero-width", "a\u{200b}b"),
        ("decomposed", "cafe\u{301}.txt"),
        ("dot-at-end", "a."),
        ("space-at-end", "a /b"),
        ("device", "sub/nul.txt"),
        ("device-superscript", "COM\u{b9}"),
        ("contents-json", "Contents.JSON"),
    ];
    let path = |(name, path): &(&str, &str), expect| {
        Case::new(&format!("entry-path/{name}"), expect, "section 6", *path)
    };
    let made = |name: &str, expect, bytes: Vec<u8>| {
        Case::new(&format!("entry-path/{name}"), expect, "section 6", bytes)
    };
    let mut all: Vec<Case> = good.iter().map(|each| path(each, "ok")).collect();
    all.extend(wrong.iter().map(|each| path(each, "entry-path")));
    all.push(made("ok-255-bytes", "ok", vec![b'a'; 255]));
    all.push(made("256-bytes", "entry-path", vec![b'a'; 256]));
    all.push(made("ok-16-deep", "ok", deep(16).into()));
    all.push(made("17-deep", "entry-path", deep(17).into()));
    all.push(made("not-utf-8", "entry-path", vec![b'a', 0xff]));
    all.push(made("overlong-utf-8", "entry-path", vec![b'a', 0xc0, 0xaf]));
    all
}
