//! Payloads (FORMAT.md sections 7 and 8): age files for the key of imigrasi. Written once: age is not deterministic.
//!
//! The manifest stands in the vector's header, as JSON in one line; its payload digest and length are true.

use std::io::Write;

use super::{
    Case, Made,
    case::swap,
    heads,
    parties::{IDENTITY, IDENTITY_OWN, RECIPIENT, RECIPIENT_OWN, agreement, digest},
    tape::{Part, file, open_tar, pax, special, tar},
};

/// How a vector of this name is made.
type Maker = fn(&str) -> Made<Case>;

/// A payload before it is made: files, the list, what stands in the manifest.
struct Plan<'a> {
    parts: Vec<Part<'a>>,
    contents: String,
    entries: usize,
    bytes: usize,
}

/// The one file of most vectors.
const HELLO: &[u8] = b"hello";

fn listed(path: &str, bytes: &[u8]) -> String {
    format!(
        r#"{{"path": "{path}", "bytes": {}, "digest": "{}"}}"#,
        bytes.len(),
        digest(bytes)
    )
}

fn contents(entries: &[String]) -> String {
    format!(
        r#"{{"format": "amanah-contents/1", "salt": "{}", "bundle": "01920000-0000-7000-8000-000000000001",
"agreement": "{}", "from": "kemenhaj", "to": "imigrasi", "flow": "manifes-umrah",
"entries": [{}], "ext": {{}}, "critical": []}}
"#,
        "07".repeat(32),
        digest(agreement()),
        entries.join(",\n"),
    )
}

/// These files and their list.
fn plan<'a>(files: &[(&'a str, &'a [u8])]) -> Plan<'a> {
    let lines: Vec<String> = files
        .iter()
        .map(|(path, bytes)| listed(path, bytes))
        .collect();
    Plan {
        parts: files
            .iter()
            .map(|(path, bytes)| file(path, bytes))
            .collect(),
        contents: contents(&lines),
        entries: files.len(),
        bytes: files.iter().map(|(_, bytes)| bytes.len()).sum(),
    }
}

fn hello() -> Plan<'static> {
    plan(&[("a.txt", HELLO)])
}

impl Plan<'_> {
    /// The list with a piece exchanged.
    fn saying(mut self, piece: &str, other: &str) -> Self {
        self.contents = swap(&self.contents, piece, other);
        self
    }

    fn tar(&self) -> Vec<u8> {
        let list = open_tar(&[file("contents.json", self.contents.as_bytes())]);
        [open_tar(&self.parts), list, vec![0; 1024]].concat()
    }

    /// The whole vector.
    fn seal(self, name: &str, expect: &str) -> Made<Case> {
        let tar = self.tar();
        self.around(name, expect, &frame(&tar)?)
    }

    /// The vector of any compressed bytes.
    fn around(&self, name: &str, expect: &str, compressed: &[u8]) -> Made<Case> {
        let payload = encrypt(&[RECIPIENT], compressed)?;
        Ok(self.vector(name, expect, &[RECIPIENT], payload))
    }

    fn vector(&self, name: &str, expect: &str, recipients: &[&str], payload: Vec<u8>) -> Case {
        let names: Vec<String> = recipients
            .iter()
            .map(|key| format!("\"{}\"", digest(key)))
            .collect();
        let manifest = heads::manifest().replace('\n', " ");
        let manifest = swap(
            &manifest,
            &format!("\"{}\"", digest(RECIPIENT)),
            &names.join(", "),
        );
        let manifest = swap(
            &manifest,
            &format!("sha256:{}", "4".repeat(64)),
            &digest(&payload),
        );
        let manifest = swap(
            &manifest,
            "\"bytes\": 1234",
            &format!("\"bytes\": {}", payload.len()),
        );
        let manifest = swap(
            &manifest,
            &format!("sha256:{}", "5".repeat(64)),
            &digest(&self.contents),
        );
        let counts = format!("\"entries\": {}, \"bytes\": {}", self.entries, self.bytes);
        let manifest = swap(&manifest, "\"entries\": 1, \"bytes\": 5", &counts);
        let comment = name.rsplit('/').next().unwrap_or(name).replace('-', " ");
        Case::new(name, expect, &comment, payload)
            .with("identity", IDENTITY)
            .with("manifest", manifest)
    }
}

fn frame(bytes: &[u8]) -> Made<Vec<u8>> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3)?;
    encoder.include_checksum(true)?;
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

fn encrypt(recipients: &[&str], bytes: &[u8]) -> Made<Vec<u8>> {
    let keys: Vec<age::x25519::Recipient> = recipients
        .iter()
        .map(|key| key.parse())
        .collect::<Result<_, _>>()?;
    let encryptor =
        age::Encryptor::with_recipients(keys.iter().map(|key| -> &dyn age::Recipient { key }))?;
    let mut out = encryptor.wrap_output(Vec::new())?;
    out.write_all(bytes)?;
    Ok(out.finish()?)
}

/// The age file of a good payload, changed.
fn damaged(name: &str, change: fn(&mut Vec<u8>)) -> Made<Case> {
    let plan = hello();
    let mut payload = encrypt(&[RECIPIENT], &frame(&plan.tar())?)?;
    change(&mut payload);
    Ok(plan.vector(name, "decryption-failed", &[RECIPIENT], payload))
}

/// Files, of which the last breaks a rule between paths or of one.
fn paths(name: &str, list: &[&str]) -> Made<Case> {
    let files: Vec<(&str, &[u8])> = list.iter().map(|path| (*path, HELLO)).collect();
    plan(&files).seal(name, "entry-path")
}

/// A part of another kind beside the file.
fn kind(name: &str, flag: u8, link: &[u8]) -> Made<Case> {
    let mut plan = hello();
    plan.parts.push(special("b", flag, link));
    plan.seal(name, "entry-kind")
}

/// All payload vectors, by name.
pub(crate) fn all() -> Vec<(&'static str, Maker)> {
    [accepted(), ciphertexts(), frames(), archives(), lists()].concat()
}

fn accepted() -> Vec<(&'static str, Maker)> {
    vec![
        ("payload/ok", |name| hello().seal(name, "ok")),
        ("payload/ok-files", |name| {
            plan(&[
                ("b/kosong", b""),
                ("a.csv", b"1\n"),
                ("b/manifes jemaah.csv", b"x"),
            ])
            .seal(name, "ok")
        }),
        ("payload/ok-pax-path", |name| {
            let mut plan = plan(&[("caf\u{e9}.txt", HELLO)]);
            plan.parts = vec![pax(b"18 path=caf\xc3\xa9.txt\n"), file("caf_.txt", HELLO)];
            plan.seal(name, "ok")
        }),
        ("payload/ok-two-recipients", |name| {
            let plan = hello();
            let keys = [RECIPIENT, RECIPIENT_OWN];
            let payload = encrypt(&keys, &frame(&plan.tar())?)?;
            Ok(plan.vector(name, "ok", &keys, payload))
        }),
        ("payload/ok-many-blocks", |name| {
            let bytes: Vec<u8> = (0..300_000_u32).map(|n| n.to_le_bytes()[1]).collect();
            plan(&[("large.bin", &bytes)]).seal(name, "ok")
        }),
    ]
}

fn ciphertexts() -> Vec<(&'static str, Maker)> {
    vec![
        ("payload/other-identity", |name| {
            Ok(hello()
                .seal(name, "decryption-failed")?
                .instead("identity", IDENTITY_OWN))
        }),
        ("payload/recipient-unsaid", |name| {
            let plan = hello();
            let payload = encrypt(&[RECIPIENT, RECIPIENT_OWN], &frame(&plan.tar())?)?;
            Ok(plan.vector(name, "decryption-failed", &[RECIPIENT], payload))
        }),
        ("payload/recipient-missing", |name| {
            let plan = hello();
            let payload = encrypt(&[RECIPIENT], &frame(&plan.tar())?)?;
            Ok(plan.vector(
                name,
                "decryption-failed",
                &[RECIPIENT, RECIPIENT_OWN],
                payload,
            ))
        }),
        ("payload/passphrase", |name| {
            let plan = hello();
            let mut out =
                age::Encryptor::with_user_passphrase("rahasia".into()).wrap_output(Vec::new())?;
            out.write_all(&frame(&plan.tar())?)?;
            Ok(plan.vector(name, "decryption-failed", &[RECIPIENT], out.finish()?))
        }),
        ("payload/age-version", |name| {
            damaged(name, |age| super::tape::put(age, 20, b"2"))
        }),
        ("payload/age-mac", |name| {
            damaged(name, |age| {
                let mac = age.windows(4).position(|four| four == b"--- ").unwrap_or(0) + 4;
                let other = if age.get(mac) == Some(&b'A') {
                    b"B"
                } else {
                    b"A"
                };
                super::tape::put(age, mac, other);
            })
        }),
        ("payload/age-last-byte", |name| {
            damaged(name, |age| {
                age.iter_mut().rev().take(1).for_each(|byte| *byte ^= 1)
            })
        }),
        ("payload/age-cut-short", |name| {
            damaged(name, |age| age.truncate(age.len() - 1))
        }),
        ("payload/age-byte-after", |name| {
            damaged(name, |age| age.push(0))
        }),
        ("payload/age-empty", |name| damaged(name, Vec::clear)),
        ("payload/age-long-header", |name| {
            damaged(name, |age| {
                let stanza = format!(
                    "-> X25519 a\n{}",
                    format!("{}\n", "A".repeat(64)).repeat(1100)
                );
                age.splice(22..22, stanza.into_bytes());
            })
        }),
    ]
}

fn frames() -> Vec<(&'static str, Maker)> {
    const MALFORMED: &str = "payload-malformed";
    vec![
        ("payload/zstd-no-checksum", |name| {
            let plan = hello();
            plan.around(
                name,
                MALFORMED,
                &zstd::encode_all(plan.tar().as_slice(), 3)?,
            )
        }),
        ("payload/zstd-two-frames", |name| {
            let plan = hello();
            let tar = plan.tar();
            let (first, second) = tar.split_at(1024);
            plan.around(name, MALFORMED, &[frame(first)?, frame(second)?].concat())
        }),
        ("payload/zstd-frame-after", |name| {
            let plan = hello();
            plan.around(
                name,
                MALFORMED,
                &[frame(&plan.tar())?, frame(b"")?].concat(),
            )
        }),
        ("payload/zstd-skippable-before", |name| {
            let plan = hello();
            let skippable = b"\x50\x2a\x4d\x18\x01\x00\x00\x00x".to_vec();
            plan.around(name, MALFORMED, &[skippable, frame(&plan.tar())?].concat())
        }),
        ("payload/zstd-skippable-after", |name| {
            let plan = hello();
            let skippable = b"\x50\x2a\x4d\x18\x01\x00\x00\x00x".to_vec();
            plan.around(name, MALFORMED, &[frame(&plan.tar())?, skippable].concat())
        }),
        ("payload/zstd-window", |name| {
            let plan = hello();
            let mut encoder = zstd::Encoder::new(Vec::new(), 3)?;
            encoder.include_checksum(true)?;
            encoder.window_log(24)?;
            encoder.write_all(&plan.tar())?;
            plan.around(name, MALFORMED, &encoder.finish()?)
        }),
        ("payload/zstd-checksum-wrong", |name| {
            let plan = hello();
            let mut compressed = frame(&plan.tar())?;
            compressed
                .iter_mut()
                .rev()
                .take(1)
                .for_each(|byte| *byte ^= 1);
            plan.around(name, MALFORMED, &compressed)
        }),
        ("payload/zstd-cut-short", |name| {
            let plan = hello();
            let mut compressed = frame(&plan.tar())?;
            compressed.truncate(compressed.len() / 2);
            plan.around(name, MALFORMED, &compressed)
        }),
        ("payload/not-compressed", |name| {
            let plan = hello();
            plan.around(name, MALFORMED, &plan.tar())
        }),
        ("payload/nothing", |name| {
            hello().around(name, MALFORMED, b"")
        }),
    ]
}

fn archives() -> Vec<(&'static str, Maker)> {
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

fn lists() -> Vec<(&'static str, Maker)> {
    const MISMATCH: &str = "contents-mismatch";
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
        ("payload/list-digest", |name| {
            let plan = hello();
            let other = hello().saying("07070707", "08080808");
            plan.around(name, MISMATCH, &frame(&other.tar())?)
        }),
        ("payload/list-salt", |name| {
            hello().saying("0707", "07").seal(name, MISMATCH)
        }),
        ("payload/list-other-bundle", |name| {
            hello()
                .saying("000000000001", "000000000002")
                .seal(name, MISMATCH)
        }),
        ("payload/list-other-flow", |name| {
            hello()
                .saying("manifes-umrah", "perlintasan")
                .seal(name, MISMATCH)
        }),
        ("payload/list-other-sender", |name| {
            hello()
                .saying("\"kemenhaj\"", "\"orang-lain\"")
                .seal(name, MISMATCH)
        }),
        ("payload/list-other-agreement", |name| {
            hello()
                .saying(&digest(agreement()), &digest("lain"))
                .seal(name, MISMATCH)
        }),
        ("payload/list-entry-digest", |name| {
            hello()
                .saying(&digest(HELLO), &digest("lain"))
                .seal(name, MISMATCH)
        }),
        ("payload/list-entry-bytes", |name| {
            hello()
                .saying("\"bytes\": 5", "\"bytes\": 6")
                .seal(name, MISMATCH)
        }),
        ("payload/list-entry-path", |name| {
            hello().saying("a.txt", "b.txt").seal(name, MISMATCH)
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
            hello()
                .saying("\"ext\": {}", "\"ext\": {}, \"ext\": {}")
                .seal(name, MISMATCH)
        }),
        ("payload/list-format", |name| {
            hello()
                .saying("contents/1", "contents/2")
                .seal(name, "format-unsupported")
        }),
    ]
}
