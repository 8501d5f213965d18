//! Documents under `amanah verify`: each kind, as the vectors have it, mutated in hundreds of ways. None verifies, none makes
//! the program do anything but say so: exit 1 (does not verify) or 65 (malformed).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use amanah::{Exit, Streams, run};

/// What each document is checked with.
const CARDS: [&str; 2] = ["card/ok-kemenhaj", "card/ok-imigrasi"];

/// Every changed byte would be many thousand runs: every so many-th, and all lengths in such steps.
const STEP: usize = 97;

/// Refused at the moment that their header names, not at every other.
const OF_THEIR_TIME: [&str; 3] = ["retired-key", "from-the-future", "key-ended"];

struct Bench {
    folder: tempfile::TempDir,
    counts: BTreeMap<u8, u32>,
    wrong: Vec<String>,
}

/// The bytes of a vector.
fn vector(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../format/vectors");
    let file = fs::read(folder.join(name)).unwrap();
    let end = file.windows(2).position(|pair| pair == b"\n\n").unwrap();
    file[end + 2..].to_vec()
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("cards")).unwrap();
        for name in CARDS {
            let place = folder.path().join("cards").join(&name[8..]);
            fs::write(place.with_extension("card.amanah"), vector(name)).unwrap();
        }
        Self {
            folder,
            counts: BTreeMap::new(),
            wrong: Vec::new(),
        }
    }

    fn verify(&self, bytes: &[u8]) -> Exit {
        let place: PathBuf = self.folder.path().join("dokumen.amanah");
        fs::write(&place, bytes).unwrap();
        let cards = self.folder.path().join("cards");
        let words: [OsString; 5] = [
            "amanah".into(),
            "verify".into(),
            "--keyring".into(),
            cards.into(),
            place.into(),
        ];
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let streams = Streams {
            out: &mut out,
            err: &mut err,
            is_terminal: false,
        };
        let exit = run(&words, streams);
        let said = !out.is_empty() || !err.is_empty();
        assert!(said, "nothing was said");
        exit
    }

    /// A document that must not verify.
    fn refused(&mut self, name: &str, bytes: &[u8]) {
        let exit = self.verify(bytes);
        *self.counts.entry(exit.code()).or_default() += 1;
        if exit != Exit::Negative && exit != Exit::Document {
            self.wrong.push(format!("{name}: exit {}", exit.code()));
        }
    }

    /// Every way of spoiling a good one.
    fn spoilt(&mut self, name: &str) {
        let good = vector(name);
        for place in (0..good.len()).step_by(STEP) {
            let mut changed = good.clone();
            changed[place] ^= 1;
            self.refused(&format!("{name}: bit at {place}"), &changed);
        }
        for length in (0..good.len()).step_by(STEP) {
            self.refused(&format!("{name}: {length} bytes"), &good[..length]);
        }
        self.refused(&format!("{name}: twice"), &[&*good, &*good].concat());
        self.refused(&format!("{name}: a byte after"), &[&*good, b"x"].concat());
        self.texts(name, &good);
    }

    /// The text changed, its length kept: the signature tells, and the reader must still not stumble.
    fn texts(&mut self, name: &str, good: &[u8]) {
        let pieces: [(&[u8], &[u8]); 9] = [
            (b"\"ext\": {}", b"\"ext\":[{}"),
            (b"\"ext\": {}", b"\"ext\":1e9"),
            (b"\"ext\": {}", b"\"ext\":-0 "),
            (b"\"ext\": {}", b"\"fmt\": {}"),
            (b"\"critical\": []", b"\"critical\":[1]"),
            (b"amanah-", b"amanah\0"),
            (b"amanah-", b"amana\xff-"),
            (b"sha256:", b"SHA256:"),
            (b"{", b"["),
        ];
        for (piece, other) in pieces {
            let found = good.windows(piece.len()).position(|window| window == piece);
            if let Some(at) = found {
                let mut changed = good.to_vec();
                changed.splice(at..at + piece.len(), other.iter().copied());
                let other = String::from_utf8_lossy(other);
                self.refused(&format!("{name}: {other}"), &changed);
            }
        }
    }
}

#[test]
fn no_spoilt_document_verifies() {
    let mut bench = Bench::new();
    let kinds = [
        "card/ok-kemenhaj",
        "agreement/ok",
        "receipt/ok-imported",
        "receipt/ok-refused",
        "slip/ok-held",
        "slip/ok-revocation",
        "checkpoint/ok",
        "manifest-head/ok",
    ];
    for name in kinds {
        bench.spoilt(name);
    }
    for name in refused_vectors() {
        bench.refused(&name, &vector(&name));
    }
    let tried: u32 = bench.counts.values().sum();
    println!(
        "bad input, documents: {tried} cases by exit code {:?}",
        bench.counts
    );
    assert!(bench.wrong.is_empty(), "{}", bench.wrong.join("\n"));
}

/// The frozen vectors that are whole documents and do not verify.
fn refused_vectors() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../format/vectors");
    let mut found = Vec::new();
    for kind in [
        "card",
        "agreement",
        "receipt",
        "slip",
        "container",
        "document",
    ] {
        for file in fs::read_dir(folder.join(kind)).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            if !name.starts_with("ok") && !OF_THEIR_TIME.contains(&&*name) {
                found.push(format!("{kind}/{name}"));
            }
        }
    }
    found
}
