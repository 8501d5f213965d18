//! Payloads (FORMAT.md sections 7 and 8): age files for the key of imigrasi. Written once: age is not deterministic.
//!
//! The manifest stands in the vector's header, as JSON in one line; its payload digest and length are true.

mod layers;
mod lists;

use std::io::Write;

use super::{
    Case, Made,
    case::swap,
    heads,
    parties::{IDENTITY, RECIPIENT, RECIPIENT_OWN, agreement, digest},
    tape::{Part, file, open_tar, pax, special},
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
    [
        accepted(),
        layers::ciphertexts(),
        layers::damages(),
        layers::frames(),
        lists::archives(),
        lists::counts(),
        lists::lists(),
    ]
    .concat()
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
