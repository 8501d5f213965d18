//! One target for each reader of bytes that others made. A target takes any bytes, must not panic, and what it accepts must print
//! and read again as the same. `tests/fuzz` hands them to cargo-fuzz, `tests/integration/fuzz.rs` replays the vectors and their
//! neighbours in every run. A vector's header is passed over, so that `format/vectors/KIND` is a corpus as it lies.

pub mod table;

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::LazyLock;

use amanah_format::agreement::{Agreement, AgreementFile};
use amanah_format::card::{Card, VerifiedCard};
use amanah_format::container::{pack, unpack_small};
use amanah_format::contents::Contents;
use amanah_format::document::{self, Document};
use amanah_format::entry_path::EntryPath;
use amanah_format::keyring::Keyring;
use amanah_format::ledger::{Checkpoint, Record};
use amanah_format::limits::DOCUMENT_BYTES_MAX;
use amanah_format::manifest::{Manifest, UnverifiedHead};
use amanah_format::open::{EntrySink, OpenError, open_payload};
use amanah_format::receipt::{Receipt, VerifiedReceipt};
use amanah_format::recipient::{Identity, Recipient};
use amanah_format::signature::{self, PublicKey, Purpose};
use amanah_format::slip::{Slip, VerifiedSlip};
use amanah_format::time::UtcTime;
use amanahd::config::checked::Config;
use amanahd::request::Request;
use amanahd::transport::link::WireName;
use amanahd::transport::server::Network;
use anyhow::{Context, Result};

use crate::fuzz_sftp;

/// A target.
pub type Target = fn(&[u8]);

/// All, by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("agreement", agreement),
    ("card", card),
    ("checkpoint", checkpoint),
    ("config", config),
    ("container", container),
    ("document", documents),
    ("entry_path", entry_path),
    ("manifest_head", manifest_head),
    ("payload", payload),
    ("payload_inside", payload_inside),
    ("receipt", receipt),
    ("records", records),
    ("request", request),
    ("scrape", scrape),
    ("sftp_answers", fuzz_sftp::answers),
    ("sftp_requests", fuzz_sftp::requests),
    ("signature", armor),
    ("slip", slip),
    ("table", table::table),
    ("words", words),
];

/// Runs the target of this name.
pub fn run(name: &str, bytes: &[u8]) {
    for (_, target) in TARGETS.iter().filter(|(known, _)| *known == name) {
        target(bytes);
    }
}

/// A payload vector, for its manifest and identity.
const VECTOR: &[u8] = include_bytes!("../../format/vectors/payload/ok");
/// A moment at which documents are judged.
const MOMENT: &str = "2026-11-25T00:00:00Z";

/// What follows a vector's header; all of what is no vector.
#[must_use]
pub fn behind_the_header(bytes: &[u8]) -> &[u8] {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n");
    let after = end.and_then(|end| bytes.get(end.saturating_add(2)..));
    after
        .filter(|_| bytes.starts_with(b"expect: "))
        .unwrap_or(bytes)
}

/// A line of a vector's header.
#[must_use]
pub fn header_line<'a>(vector: &'a [u8], key: &str) -> Option<&'a str> {
    let end = vector.windows(2).position(|pair| pair == b"\n\n")?;
    let header = std::str::from_utf8(vector.get(..end)?).ok()?;
    header
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
}

/// What is accepted prints and reads again as the same.
fn round<D: Document + PartialEq + std::fmt::Debug>(bytes: &[u8]) {
    if let Ok(read) = document::parse::<D>(bytes) {
        let printed = document::print(&read);
        let again = document::parse::<D>(&printed);
        assert_eq!(again.ok(), Some(read), "printed, it reads as another");
    }
}

/// Every document.
pub fn documents(bytes: &[u8]) {
    let bytes = behind_the_header(bytes);
    round::<Agreement>(bytes);
    round::<Card>(bytes);
    round::<Contents>(bytes);
    round::<Manifest>(bytes);
    round::<Receipt>(bytes);
    round::<Slip>(bytes);
}

/// A small container.
pub fn container(bytes: &[u8]) {
    let bytes = behind_the_header(bytes);
    if let Ok(files) = unpack_small(bytes, DOCUMENT_BYTES_MAX) {
        let listed: Vec<(&str, &[u8])> = files
            .iter()
            .map(|(name, content)| (name.as_str(), content.as_slice()))
            .collect();
        let again = unpack_small(&pack(&listed), DOCUMENT_BYTES_MAX);
        assert_eq!(
            again.ok().as_ref(),
            Some(&files),
            "packed, it reads as another"
        );
    }
}

/// A card in its container.
pub fn card(bytes: &[u8]) {
    let _judged = VerifiedCard::verify(behind_the_header(bytes));
}

/// An agreement in its container, signed or not.
pub fn agreement(bytes: &[u8]) {
    if let Ok(file) = AgreementFile::parse(behind_the_header(bytes)) {
        let again = AgreementFile::parse(&file.to_bytes());
        assert_eq!(again.map(|again| again.digest()).ok(), Some(file.digest()));
        let _judged = moment().map(|at| file.verify(&Keyring::default(), at));
    }
}

/// A receipt in its container.
pub fn receipt(bytes: &[u8]) {
    let _judged = moment()
        .map(|at| VerifiedReceipt::verify(behind_the_header(bytes), &Keyring::default(), at));
}

/// A slip in its container.
pub fn slip(bytes: &[u8]) {
    let _judged =
        moment().map(|at| VerifiedSlip::verify(behind_the_header(bytes), &Keyring::default(), at));
}

/// The head of a bundle, up to the payload's first byte.
pub fn manifest_head(bytes: &[u8]) {
    if let (Ok(head), Some(at)) = (UnverifiedHead::parse(behind_the_header(bytes)), moment()) {
        let _judged = head.verify(&Keyring::default(), at);
    }
}

/// The armour of a signature.
pub fn armor(bytes: &[u8]) {
    let armor = behind_the_header(bytes);
    for purpose in [Purpose::Bundle, Purpose::Receipt, Purpose::Card] {
        let _judged = signature::verify(purpose, b"message", armor);
    }
}

/// A path in a payload.
pub fn entry_path(bytes: &[u8]) {
    if let Ok(path) = EntryPath::parse(behind_the_header(bytes)) {
        assert_eq!(EntryPath::parse(path.as_str().as_bytes()), Ok(path));
    }
}

/// A ledger's lines.
pub fn records(bytes: &[u8]) {
    for line in behind_the_header(bytes).split(|byte| *byte == b'\n') {
        if let Ok(record) = Record::parse(line) {
            assert_eq!(record.to_line(), line, "printed, it is another");
        }
    }
}

/// A checkpoint: a signed note.
pub fn checkpoint(bytes: &[u8]) {
    if let Ok(note) = std::str::from_utf8(behind_the_header(bytes)) {
        let _judged = Checkpoint::verify(note, &[]);
    }
}

/// What an operator asks.
pub fn request(bytes: &[u8]) {
    if let Ok(asked) = serde_json::from_slice::<Request>(bytes) {
        let printed = serde_json::to_vec(&asked).ok();
        let again = printed.and_then(|text| serde_json::from_slice(&text).ok());
        assert_eq!(again, Some(asked), "printed, it asks for something else");
    }
}

/// The head of a request for metrics.
pub fn scrape(bytes: &[u8]) {
    if amanahd::metrics::would_answer(bytes) {
        assert!(bytes.starts_with(b"GET /metrics HTTP/1."));
    }
}

/// The configuration.
pub fn config(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _judged = Config::parse(text, Path::new("/etc/amanah/amanah.toml"));
    }
}

/// What is one word: times, keys, recipients, identities, networks, names on the wire.
pub fn words(bytes: &[u8]) {
    let Ok(word) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(time) = word.parse::<UtcTime>() {
        assert_eq!(time.to_string().parse(), Ok(time));
    }
    if let Ok(key) = word.parse::<PublicKey>() {
        assert_eq!(key.to_string().parse::<PublicKey>().ok(), Some(key));
    }
    if let Some(name) = WireName::parse(word) {
        assert_eq!(name.to_string(), word, "one name, one spelling");
    }
    let _recipient = word.parse::<Recipient>();
    let _identities = Identity::read_all(word);
    let _network = word.parse::<Network>();
}

/// A payload as it comes: age around all.
pub fn payload(bytes: &[u8]) {
    open(behind_the_header(bytes));
}

/// What is inside age and zstd: the archive, sealed by the target itself, because no mutation passes age's own checks.
pub fn payload_inside(archive: &[u8]) {
    if let Some(sealed) = sealed(archive) {
        open(&sealed);
    }
}

/// The archive in a payload.
///
/// # Errors
/// It cannot be opened with this identity.
pub fn inside(payload: &[u8], identity: &str) -> Result<Vec<u8>> {
    let identity: age::x25519::Identity = identity.parse().map_err(anyhow::Error::msg)?;
    let file = age::Decryptor::new(payload)?;
    let mut archive = Vec::new();
    let identity: &dyn age::Identity = &identity;
    let frame = file.decrypt(std::iter::once(identity))?;
    zstd::Decoder::new(frame)?.read_to_end(&mut archive)?;
    Ok(archive)
}

fn moment() -> Option<UtcTime> {
    MOMENT.parse().ok()
}

static OURS: LazyLock<Option<(Manifest, String)>> = LazyLock::new(|| {
    let manifest = document::parse(header_line(VECTOR, "manifest")?.as_bytes()).ok()?;
    Some((manifest, header_line(VECTOR, "identity")?.to_owned()))
});

/// Counts what comes out: never more than was signed.
struct Counted {
    bytes: u64,
    max: u64,
}

impl EntrySink for Counted {
    fn entry(&mut self, _: &EntryPath, bytes: u64, content: &mut dyn Read) -> io::Result<()> {
        let read = io::copy(content, &mut io::sink())?;
        assert!(read <= bytes, "an entry is longer than it says");
        self.bytes = self.bytes.saturating_add(read);
        assert!(self.bytes <= self.max, "more comes out than was signed");
        Ok(())
    }
}

fn open(bytes: &[u8]) {
    let Some((manifest, identity)) = OURS.as_ref() else {
        return;
    };
    let Ok(identities) = Identity::read_all(identity) else {
        return;
    };
    let mut sink = Counted {
        bytes: 0,
        max: manifest.contents.bytes,
    };
    let opened = open_payload(&mut &*bytes, &identities, manifest, &mut sink);
    assert!(
        !matches!(opened, Err(OpenError::Io(_))),
        "memory has no faults: {opened:?}"
    );
}

fn sealed(archive: &[u8]) -> Option<Vec<u8>> {
    let seal = || -> Result<Vec<u8>> {
        let (_, identity) = OURS.as_ref().context("the vector")?;
        let identity: age::x25519::Identity = identity.parse().map_err(anyhow::Error::msg)?;
        let recipient = identity.to_public();
        let recipient: &dyn age::Recipient = &recipient;
        let recipients = std::iter::once(recipient);
        let mut sealed = Vec::new();
        let cipher = age::Encryptor::with_recipients(recipients)?.wrap_output(&mut sealed)?;
        let mut frame = zstd::Encoder::new(cipher, 1)?;
        frame.include_checksum(true)?;
        frame.write_all(archive)?;
        frame.finish()?.finish()?;
        Ok(sealed)
    };
    seal().ok()
}
