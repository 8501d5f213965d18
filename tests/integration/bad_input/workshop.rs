//! Makes bundles with the sender's own keys: right in all but what a case turns. A draft is a bundle before it is sealed;
//! each step towards the bundle may be taken with other bytes than the right ones.

use std::cell::Cell;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use amanah_format::agreement::AgreementFile;
use amanah_format::card::VerifiedCard;
use amanah_format::container;
use amanah_format::contents::{Binding, Contents, ContentsSummary, Entry};
use amanah_format::digest::Digest;
use amanah_format::document::{self, Document, Ext};
use amanah_format::home;
use amanah_format::id::{BundleId, Epoch, Sequence};
use amanah_format::manifest::{AgreementRef, Manifest, PayloadRef};
use amanah_format::recipient::Recipient;
use amanah_format::signature::{Purpose, SecretKey};
use amanah_format::time::UtcTime;
use amanah_tests::exchange::Exchange;
use amanah_tests::items::Way;
use amanahd::clock::Clock;
use anyhow::{Context, Result};
use tempfile::TempDir;

use super::tape::{file, open_tar};

/// What the agreement of the pair allows.
const PURPOSE: &str = "PENERTIBAN";
/// The content of most cases.
pub(super) const HELLO: &[u8] = b"hello";
/// Length of manifest.json before a payload of less than 8 GiB.
pub(super) const MANIFEST_BYTES: usize = 14_336;

/// A bundle as bytes, and its name on the wire.
#[derive(Clone)]
pub(super) struct Bundle {
    pub(super) manifest: Digest,
    pub(super) bytes: Vec<u8>,
}

/// The sender's table.
pub(super) struct Workshop {
    /// The ground's folder: what must never change but within the receiver's home.
    pub(super) folder: PathBuf,
    pub(super) way: Way,
    pub(super) agreement: AgreementRef,
    pub(super) recipients: Vec<Recipient>,
    pub(super) own_recipients: Vec<Recipient>,
    pub(super) signing: SecretKey,
    /// The receiver's key: what the sender never has, and a case may claim.
    pub(super) others_signing: SecretKey,
    made: Cell<u32>,
    /// Where stock tools make keys and signatures: beside the ground, which must not change.
    pub(super) bench: TempDir,
}

/// A bundle before it is sealed.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) manifest: Manifest,
    /// The tar before its list.
    pub(super) parts: Vec<u8>,
    /// contents.json
    pub(super) list: String,
    pub(super) entries: u64,
    pub(super) bytes: u64,
}

fn key(folder: &Path) -> Result<SecretKey> {
    let text = fs::read_to_string(folder.join(home::KEY_SIGNING))?;
    Ok(SecretKey::from_openssh(&text)?)
}

pub(super) fn now() -> UtcTime {
    Clock::default().now()
}

impl Workshop {
    pub(super) fn of(exchange: &Exchange) -> Result<Self> {
        let (phu, way) = (&exchange.pair.phu, exchange.out.clone());
        let file = home::agreement_file(&exchange.pair.agreement()?, 1);
        let file = fs::read(phu.folder().join(home::AGREEMENTS).join(file))?;
        let file = AgreementFile::parse(&file)?;
        let agreement = file.agreement()?;
        let keys =
            |owner: &amanah_tests::ministry::Ministry, other: &_| -> Result<Vec<Recipient>> {
                let card = owner
                    .folder()
                    .join(home::CARDS)
                    .join(home::card_file(other));
                let card = VerifiedCard::verify(&fs::read(card)?)?;
                let keys = card.card().keys.decryption.iter();
                Ok(keys.map(|key| key.key.clone()).collect())
            };
        Ok(Self {
            folder: exchange.folder().to_owned(),
            agreement: AgreementRef {
                id: agreement.id.clone(),
                version: agreement.version,
                digest: file.digest(),
            },
            recipients: keys(phu, &way.to)?,
            own_recipients: keys(&exchange.pair.imigrasi, &way.from)?,
            signing: key(phu.folder())?,
            others_signing: key(exchange.pair.imigrasi.folder())?,
            way,
            made: Cell::new(1),
            bench: tempfile::tempdir()?,
        })
    }

    /// The first bundle of an epoch of its own, so that no case is in the way of another.
    pub(super) fn draft(&self, files: &[(&str, &[u8])]) -> Draft {
        let epoch = self.made.get() + 1;
        self.made.set(epoch);
        let mut random = [0; 10];
        random[..4].copy_from_slice(&epoch.to_be_bytes());
        let now = now();
        let nothing = Digest::of(b"");
        let (payload, contents) = (
            PayloadRef {
                digest: nothing,
                bytes: 0,
            },
            ContentsSummary {
                digest: nothing,
                entries: 0,
                bytes: 0,
            },
        );
        let manifest = Manifest {
            format: Manifest::FORMAT.to_owned(),
            bundle: BundleId::new_v7(Clock::default().unix_millis(), random),
            agreement: self.agreement.clone(),
            flow: self.way.flow.clone(),
            purpose: PURPOSE.to_owned(),
            from: self.way.from.clone(),
            to: self.way.to.clone(),
            epoch: Epoch::try_from(u64::from(epoch)).unwrap(),
            sequence: Sequence::FIRST,
            previous: Some(nothing),
            recipients: self.recipients.iter().map(Recipient::digest).collect(),
            regarding: None,
            created: now,
            expires: now.plus_secs(86_400),
            payload,
            contents,
            ext: Ext::default(),
            critical: Vec::new(),
        };
        let parts: Vec<_> = files
            .iter()
            .map(|(name, bytes)| file(name, bytes))
            .collect();
        let mut draft = Draft {
            manifest,
            parts: open_tar(&parts),
            list: String::new(),
            entries: 0,
            bytes: 0,
        };
        draft.listed(files);
        draft
    }

    pub(super) fn hello(&self) -> Draft {
        self.draft(&[("a.txt", HELLO)])
    }

    /// All steps as they should be.
    pub(super) fn seal(&self, draft: &Draft) -> Result<Bundle> {
        self.around(draft, &frame(&draft.tar())?)
    }

    /// With other bytes where the compressed tar should be.
    pub(super) fn around(&self, draft: &Draft, compressed: &[u8]) -> Result<Bundle> {
        self.carrying(draft, &encrypt(&self.recipients, compressed)?)
    }

    /// With other bytes where the age file should be.
    pub(super) fn carrying(&self, draft: &Draft, payload: &[u8]) -> Result<Bundle> {
        let text = draft.filled(payload).to_bytes()?;
        self.signed(&text, payload)
    }

    /// With a changed text of the manifest, signed all the same.
    pub(super) fn saying(&self, change: impl Fn(&str) -> String) -> Result<Bundle> {
        let draft = self.hello();
        let payload = encrypt(&self.recipients, &frame(&draft.tar())?)?;
        let text = String::from_utf8(document::print(&draft.filled(&payload)))?;
        let mut text = change(&text).into_bytes();
        text.resize(MANIFEST_BYTES, b' ');
        self.signed(&text, &payload)
    }

    /// A whole bundle of an exact manifest text.
    pub(super) fn signed(&self, text: &[u8], payload: &[u8]) -> Result<Bundle> {
        packed(text, &self.signing.sign(Purpose::Bundle, text), payload)
    }
}

/// A bundle of these three parts, whatever they are.
pub(super) fn packed(text: &[u8], armour: &str, payload: &[u8]) -> Result<Bundle> {
    let length = u64::try_from(payload.len())?;
    let head = container::bundle_head(text, armour, length)?;
    Ok(Bundle {
        manifest: Digest::of(text),
        bytes: [&head, payload, &container::bundle_tail(length)].concat(),
    })
}

impl Draft {
    /// The list as if these were the files; their bytes are counted.
    pub(super) fn listed(&mut self, files: &[(&str, &[u8])]) {
        let entries = files.iter().map(|(path, bytes)| Entry {
            path: (*path).to_owned(),
            bytes: u64::try_from(bytes.len()).unwrap(),
            digest: Digest::of(bytes),
            records: None,
            totals: None,
        });
        let entries: Vec<Entry> = entries.collect();
        self.entries = u64::try_from(entries.len()).unwrap();
        self.bytes = entries.iter().map(|entry| entry.bytes).sum();
        let binding: Binding = self.manifest.binding();
        let list = document::print(&Contents::new(&binding, [7; 32], entries));
        self.list = String::from_utf8(list).unwrap();
    }

    /// The whole tar.
    pub(super) fn tar(&self) -> Vec<u8> {
        let list = open_tar(&[file("contents.json", self.list.as_bytes())]);
        [self.parts.clone(), list, vec![0; 1024]].concat()
    }

    /// The manifest with what is true of this payload.
    pub(super) fn filled(&self, payload: &[u8]) -> Manifest {
        let mut manifest = self.manifest.clone();
        manifest.payload = PayloadRef {
            digest: Digest::of(payload),
            bytes: u64::try_from(payload.len()).unwrap(),
        };
        manifest.contents = ContentsSummary {
            digest: Digest::of(self.list.as_bytes()),
            entries: self.entries,
            bytes: self.bytes,
        };
        manifest
    }
}

/// One frame with its checksum.
pub(super) fn frame(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3)?;
    encoder.include_checksum(true)?;
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// An age file for these.
pub(super) fn encrypt(recipients: &[Recipient], bytes: &[u8]) -> Result<Vec<u8>> {
    let keys = age_keys(recipients)?;
    encrypt_for(keys.iter().map(|key| -> &dyn age::Recipient { key }), bytes)
}

pub(super) fn age_keys(recipients: &[Recipient]) -> Result<Vec<age::x25519::Recipient>> {
    let parsed = recipients.iter().map(|key| {
        let key: Result<_, &str> = key.as_str().parse();
        key.ok().context("a recipient")
    });
    parsed.collect()
}

pub(super) fn encrypt_for<'a>(
    keys: impl Iterator<Item = &'a dyn age::Recipient>,
    bytes: &[u8],
) -> Result<Vec<u8>> {
    let mut out = age::Encryptor::with_recipients(keys)?.wrap_output(Vec::new())?;
    out.write_all(bytes)?;
    Ok(out.finish()?)
}

/// `text` with `piece` replaced, which must be in it.
pub(super) fn swap(text: &str, piece: &str, other: &str) -> String {
    assert!(text.contains(piece), "{piece} is not in {text}");
    text.replacen(piece, other, 1)
}
