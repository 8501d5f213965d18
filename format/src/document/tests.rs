//! Tests of the strict reading: what it takes, and each thing that it refuses.
//! Held against FORMAT.md §4 on a document made for it, so that no rule of a real one can refuse first.

use super::*;

#[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Way {
    There,
    Back,
}

#[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Inner {
    n: i64,
}

#[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    format: String,
    text: String,
    inner: Vec<Inner>,
    way: Way,
    #[serde(deserialize_with = "nullable")]
    perhaps: Option<Inner>,
    ext: Ext,
    critical: Vec<String>,
}

impl Document for Sample {
    const FORMAT: &'static str = "amanah-sample/1";
    const BYTES_MAX: u64 = 4096;

    fn format(&self) -> &str {
        &self.format
    }

    fn critical(&self) -> &[String] {
        &self.critical
    }
}

const GOOD: &str = r#"{"format":"amanah-sample/1","text":"t\u00e9","inner":[{"n":-5}],"way":"back","perhaps":null,"ext":{},"critical":[]}"#;

fn read(text: &str) -> Result<Sample, DocumentError> {
    parse(text.as_bytes())
}

/// The sample with one piece replaced.
fn with(piece: &str, other: &str) -> Result<Sample, DocumentError> {
    assert!(GOOD.contains(piece));
    read(&GOOD.replace(piece, other))
}

#[test]
fn a_document_survives_printing_and_reading() {
    let sample = read(GOOD).unwrap();
    assert_eq!((sample.text.as_str(), &sample.way), ("té", &Way::Back));
    let printed = print(&sample);
    assert!(printed.ends_with(b"}\n"));
    assert_eq!(parse(&printed), Ok(sample));
}

#[test]
fn white_space_around_a_document_is_allowed() {
    assert!(read(&format!("\n {GOOD}   \n\n")).is_ok());
    assert!(with("[]}", "[]  \n }").is_ok());
}

#[test]
fn a_document_cut_short_anywhere_is_refused() {
    for end in 0..GOOD.len() {
        // A cut inside a character is not UTF-8, which is refused as well.
        assert!(parse::<Sample>(&GOOD.as_bytes()[..end]).is_err(), "{end}");
    }
}

#[test]
fn what_is_not_strict_json_is_refused() {
    let deep = format!("{}1{}", "[".repeat(16), "]".repeat(16));
    let deep = format!("{{\"d\":{deep}}}");
    for (piece, other) in [
        ("-5", "-0"),
        ("-5", "1.0"),
        ("-5", "1e3"),
        ("-5", "05"),
        ("-5", "+5"),
        ("-5", "9007199254740992"),
        ("-5", "-9007199254740992"),
        ("-5", "99999999999999999999"),
        ("-5", "NaN"),
        ("t\\u00e9", "a\\u0000b"),
        ("t\\u00e9", "\\ud800"),
        ("t\\u00e9", "a\tb"),
        ("{}", "{\"a\":1,\"a\":1}"),
        ("{}", "{\"a\":{\"b\":[1.5]}}"),
        ("{}", "{\"a\\u0000\":1}"),
        ("{}", &deep),
        ("\"way\"", "\"ext\":{},\"way\""),
        ("[]}", "[]}x"),
        ("[]}", "[]}{}"),
        ("[]}", "[],}"),
        ("{\"format\"", "\u{feff}{\"format\""),
        ("{\"format\"", "/**/{\"format\""),
    ] {
        let read = with(piece, other);
        assert!(
            matches!(read, Err(DocumentError::Json(_))),
            "{other}: {read:?}"
        );
    }
    assert!(matches!(
        parse::<Sample>(b"{\"format\":\"\xff\"}"),
        Err(DocumentError::Json(_))
    ));
}

#[test]
fn integers_and_depth_up_to_the_limits_are_read() {
    assert!(with("-5", "9007199254740991").is_ok());
    assert!(with("-5", "-9007199254740991").is_ok());
    // `ext` itself is at depth 2.
    let deep = format!("{{\"d\":{}1{}}}", "[".repeat(14), "]".repeat(14));
    assert!(with("{}", &deep).is_ok());
}

#[test]
fn another_shape_is_refused() {
    for (piece, other) in [
        ("\"text\"", "\"more\":1,\"text\""),
        ("\"perhaps\":null,", ""),
        ("\"ext\":{},", ""),
        (",\"critical\":[]", ""),
        ("[{\"n\":-5}]", "[[-5]]"),
        ("[{\"n\":-5}]", "{\"n\":-5}"),
        ("{\"n\":-5}", "{\"n\":-5,\"m\":1}"),
        ("\"back\"", "{\"back\":null}"),
        ("\"back\"", "\"Back\""),
        ("\"back\"", "1"),
        ("null", "[5]"),
        ("{}", "[]"),
        ("\"amanah-sample/1\"", "1"),
    ] {
        let read = with(piece, other);
        assert!(
            matches!(read, Err(DocumentError::Shape { .. })),
            "{other}: {read:?}"
        );
    }
    for text in [
        "[]",
        "null",
        "\"amanah-sample/1\"",
        "[\"amanah-sample/1\",[]]",
    ] {
        assert!(
            matches!(read(text), Err(DocumentError::Shape { .. })),
            "{text}"
        );
    }
}

#[test]
fn another_version_is_named_even_where_its_shape_differs() {
    let read = with(
        "amanah-sample/1\",\"text\":\"t\\u00e9\"",
        "amanah-sample/2\"",
    );
    assert_eq!(
        read,
        Err(DocumentError::Format {
            expected: "amanah-sample/1",
            found: "amanah-sample/2".into()
        })
    );
}

#[test]
fn a_critical_name_refuses_and_ext_does_not() {
    assert!(with("{}", "{\"later\":{\"a\":[1,null,true]}}").is_ok());
    assert_eq!(
        with("[]}", "[\"later\"],\"new\":1}"),
        Err(DocumentError::Critical("later".into()))
    );
}

#[test]
fn a_text_longer_than_its_type_allows_is_refused() {
    let long = format!("{GOOD}{}", " ".repeat(4096 - GOOD.len()));
    assert!(read(&long).is_ok());
    assert_eq!(
        read(&format!("{long} ")),
        Err(DocumentError::TooLong {
            found: 4097,
            max: 4096
        })
    );
}

proptest::proptest! {
    #[test]
    fn every_text_survives_printing_and_reading(text in "[^\\x00]*", n in -((1_i64 << 53) - 1)..(1 << 53)) {
        let sample = Sample { text, inner: vec![Inner { n }], ..read(GOOD).unwrap() };
        proptest::prop_assert_eq!(parse(&print(&sample)), Ok(sample));
    }

    #[test]
    fn what_still_reads_after_a_changed_byte_prints_and_reads_alike(at in 0..GOOD.len(), byte: u8) {
        let mut changed = GOOD.as_bytes().to_vec();
        changed[at] = byte;
        if let Ok(sample) = parse::<Sample>(&changed) {
            proptest::prop_assert_eq!(parse(&print(&sample)), Ok(sample));
        }
    }
}
