//! Tests of the journal: a journal in a folder of its own, bundles both ways, and the ledger checked after each.
//! SQLite on a real file system, closed and opened again where a restart is meant: SPOOL.md §2 and §3 as sentences.

mod counting;
mod destroying;
mod incoming;
mod keeping;
mod opening;
mod outgoing;
mod streams;
mod turns;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use amanah_format::agreement::Lane;
use amanah_format::contents::ContentsSummary;
use amanah_format::digest::Digest;
use amanah_format::document::Ext;
use amanah_format::id::{BundleId, Epoch, PartyId, Sequence};
use amanah_format::ledger::{Record, RecordKind, Tree, leaf_hash};
use amanah_format::manifest::{AgreementRef, Manifest, PayloadRef};
use amanah_format::time::UtcTime;
use tempfile::TempDir;

use super::{Item, Journal, NewClaim, NewInbound};
use crate::engine::policy::Verdict;

/// A journal in a folder that goes with it.
struct Place {
    folder: TempDir,
    journal: Journal,
}

fn party(text: &str) -> PartyId {
    text.parse().unwrap()
}

fn noon() -> UtcTime {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn bundle(n: u8) -> BundleId {
    BundleId::new_v7(1_790_000_000_000, [n; 10])
}

fn agreement() -> AgreementRef {
    AgreementRef {
        id: "pks-manifes".parse().unwrap(),
        version: 1,
        digest: Digest::of(b"agreement"),
    }
}

fn open() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let journal = Journal::open(&path, &party("kemenhaj"), noon()).unwrap();
    Place { folder, journal }
}

impl Place {
    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("journal.sqlite")
    }

    /// Closes it and opens it again.
    fn reopened(self) -> Self {
        let path = self.path();
        drop(self.journal);
        let journal = Journal::open(&path, &party("kemenhaj"), noon()).unwrap();
        Self {
            folder: self.folder,
            journal,
        }
    }

    /// All records; their tree's root must be the checkpoint's.
    fn records(&self) -> Vec<Record> {
        let lines = self.journal.ledger_lines(0, u32::MAX).unwrap();
        let mut tree = Tree::default();
        for line in &lines {
            tree.push(leaf_hash(line));
        }
        let checkpoint = self.journal.checkpoint().unwrap();
        assert_eq!(
            (checkpoint.size, checkpoint.root),
            (tree.size(), tree.root())
        );
        assert_eq!(checkpoint.origin, "amanah/kemenhaj/1");
        lines
            .iter()
            .map(|line| Record::parse(line).unwrap())
            .collect()
    }

    fn kinds(&self) -> Vec<RecordKind> {
        self.records()
            .into_iter()
            .map(|record| record.kind)
            .collect()
    }
}

fn item(name: &[u8]) -> Item {
    Item {
        name: OsString::from_vec(name.to_vec()),
        claim_name: format!(".claimed-{}", Digest::of(name).to_hex()),
        is_folder: false,
        inode: u64::MAX,
        bytes: 5,
        ctime_nanos: 0,
        resting_place: None,
    }
}

fn claim(n: u8) -> NewClaim {
    NewClaim {
        bundle: bundle(n),
        peer: party("imigrasi"),
        flow: "manifes-umrah".parse().unwrap(),
        lane: Lane::Normal,
        items: vec![item(b"jemaah 1.csv"), item(b"not utf-8 \xff")],
        seen_millis: 7,
    }
}

/// The manifest of a bundle that comes in, at this place of its stream.
pub(crate) fn manifest(sequence: u64) -> Manifest {
    Manifest {
        format: "amanah-bundle/1".to_owned(),
        bundle: bundle(u8::try_from(sequence).unwrap()),
        agreement: agreement(),
        flow: "paspor".parse().unwrap(),
        purpose: "pengawasan".to_owned(),
        from: party("imigrasi"),
        to: party("kemenhaj"),
        epoch: Epoch::FIRST,
        sequence: Sequence::try_from(sequence).unwrap(),
        previous: None,
        recipients: Vec::new(),
        regarding: None,
        created: noon(),
        expires: noon(),
        payload: PayloadRef {
            digest: Digest::of(b"payload"),
            bytes: 7,
        },
        contents: ContentsSummary {
            digest: Digest::of(b"contents"),
            entries: 1,
            bytes: 5,
        },
        ext: Ext::default(),
        critical: Vec::new(),
    }
}

/// It, taken over with this verdict; `name` stands for its exact bytes.
fn arrived(name: &[u8], manifest: Manifest, verdict: Verdict) -> NewInbound {
    NewInbound {
        digest: Digest::of(name),
        peer: party("imigrasi"),
        manifest: Some(manifest),
        manifest_bytes: name.to_vec(),
        signature: b"armour".to_vec(),
        payload_bytes: 7,
        received: noon(),
        verdict,
    }
}
