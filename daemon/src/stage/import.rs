//! Import: an admitted bundle is decrypted and unpacked under limits into the store, which commits data and import record as
//! one; then the outcome and the receipt's exact bytes are recorded as one. SPOOL.md §3.
//!
//! The store is asked first: what it has committed is never imported again, it is only recorded.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use amanah_format::agreement::Lane;
use amanah_format::digest::{Digest, HashingReader};
use amanah_format::limits::BUNDLE_HEAD_BYTES;
use amanah_format::manifest::Manifest;
use amanah_format::open::{OpenError, open_payload_within};
use amanah_format::receipt::StoreRef;
use amanah_format::recipient::Identity;
use amanah_format::refusal::Refusal;
use amanah_format::slip::HeldReason;

use crate::engine::inbound::{Inbound, InboundEvent};
use crate::engine::policy::Carries;
use crate::event::Event;
use crate::journal::{Flows, InboundRow, Page};
use crate::kill;
use crate::plant::{self, Bug};
use crate::store::{self, ImportId, Store, StoreError};

use super::answer::{Answer, Kept};
use super::rejudge::verified_again;
use super::stuck::each_of_page;
use super::{Node, Pass, StageError, Stop};

mod afterwards;
mod beside;
mod early;
mod effort;
mod landing;
mod recheck;
mod rows;
mod table;

pub use self::landing::Tables;
pub use self::recheck::Rechecked;

use self::table::Checking;

use effort::Effort;

/// The importing stage: the only one with decryption keys.
pub struct Import {
    /// What all stages share.
    pub node: Arc<Node>,
    /// Our decryption identities, retired ones too.
    pub identities: Vec<Identity>,
    /// Where files land.
    pub store: Arc<dyn Store>,
    /// Where rows of table flows land; none: they land as files.
    pub tables: Option<Arc<Tables>>,
    /// Whether the store was compared with the journal in this life of the process.
    pub rechecked: Arc<Rechecked>,
    /// What some lane imports at this moment: a reload may give a flow another lane meanwhile.
    pub under_way: Mutex<BTreeSet<Digest>>,
}

/// How an import ended, short of an error of this machine.
enum End {
    Stored(StoreRef),
    Refused(Refusal),
    Held(HeldReason),
    /// Stays as it is; it is looked at again.
    Waits,
}

/// A bundle whose payload is longer than this takes seconds to import.
const SHORT_BYTES_MAX: u64 = 32 << 20;

/// Which of a lane's bundles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lengths {
    /// All of them.
    All,
    /// What is imported in a moment.
    Short,
    /// What takes longer.
    Long,
}

impl Lengths {
    const fn payload_bytes(self) -> RangeInclusive<u64> {
        match self {
            Self::All => 0..=u64::MAX,
            Self::Short => 0..=SHORT_BYTES_MAX,
            Self::Long => SHORT_BYTES_MAX + 1..=u64::MAX,
        }
    }
}

impl Import {
    /// Imports what is admitted in one lane. Lanes are imported side by side, and of a lane what is long beside what is short;
    /// what is in no agreement any more is in the normal one.
    ///
    /// # Errors
    /// This machine's.
    pub fn pass(&self, lane: Lane, lengths: Lengths) -> Result<Pass, StageError> {
        self.recheck()?;
        let policy = self.node.rules.now();
        let flows = match lane {
            Lane::Urgent | Lane::Bulk => Flows::These(policy.arriving_in(lane)),
            Lane::Normal => {
                let mut others = policy.arriving_in(Lane::Urgent);
                others.extend(policy.arriving_in(Lane::Bulk));
                Flows::AllBut(others)
            }
        };
        let bytes = lengths.payload_bytes();
        let ordered = self.in_sequence(&policy);
        let rows = |page: Page<'_>| {
            let journal = &self.node.journal;
            Ok(journal.admitted_in(&flows, &ordered, &bytes, page)?)
        };
        let pass = each_of_page(&self.node.stop, rows, |row| self.once(row))?;
        if pass.done == 0 {
            self.look_at_copy();
        }
        Ok(pass)
    }

    /// Not where another lane has it under way, nor where it had it since the rows were read.
    fn once(&self, row: &InboundRow) -> Result<(), StageError> {
        let under_way = || {
            self.under_way
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if !under_way().insert(row.digest) {
            return Ok(());
        }
        let now = self.node.journal.inbound(&row.digest);
        let done = now.map_err(StageError::from).and_then(|now| match now {
            Some(now) if now.state == Inbound::Admitted => self.forward(&now),
            Some(_) | None => Ok(()),
        });
        under_way().remove(&row.digest);
        done
    }

    fn forward(&self, row: &InboundRow) -> Result<(), StageError> {
        self.node.signing_moment()?;
        if self.is_nowhere(row)? {
            return Ok(());
        }
        let Some(head) = verified_again(&self.node, row)? else {
            return self.hold(row, HeldReason::CardUnknown);
        };
        let manifest = head.manifest();
        if plant::has(Bug::ReceiptBeforeCommit) {
            let entries = manifest.contents.entries;
            let (kind, records) = (self.store.kind().to_owned(), 0);
            let stored = StoreRef {
                kind,
                entries,
                records,
            };
            decide(&self.node, row, manifest, Ok(stored))?;
            return self.import(row, manifest).map(drop);
        }
        match self.import(row, manifest)? {
            End::Stored(store) => {
                kill::point("import.committed");
                decide(&self.node, row, manifest, Ok(store))?;
                kill::point("import.recorded");
                tracing::info!(event = Event::Imported.name(), manifest = %row.digest, peer = %row.peer, "imported");
                self.afterwards(row, manifest)?;
            }
            End::Refused(refusal) => refuse(&self.node, row, manifest, refusal)?,
            End::Held(reason) => self.hold(row, reason)?,
            End::Waits => {}
        }
        Ok(())
    }

    fn hold(&self, row: &InboundRow, reason: HeldReason) -> Result<(), StageError> {
        let (event, now) = (InboundEvent::Held, self.node.clock.now());
        self.node
            .journal
            .rejudge(&row.digest, event, Some(reason), now)?;
        // The sender is told by `admit`, which signs; here is only the decryption key.
        self.node.bells.import.ring();
        Ok(())
    }

    fn import(&self, row: &InboundRow, manifest: &Manifest) -> Result<End, StageError> {
        let id = id_of(row, manifest);
        let found = self.land(row, manifest, &id);
        match &found {
            Ok(_) => self.tell_of_schema(row, None),
            Err(StageError::Store(error)) => self.tell_of_schema(row, Some(error)),
            Err(_) => {}
        }
        match found {
            Err(StageError::Store(error)) => held_by_store(error).map(End::Held),
            found => found,
        }
    }

    fn unpack(
        &self,
        row: &InboundRow,
        manifest: &Manifest,
        id: &ImportId,
        carries: &Carries,
    ) -> Result<End, StageError> {
        let path = self.node.spool.incoming(&row.peer, &row.digest);
        let mut payload = payload_of(&self.node.stop, &path, manifest)?;
        let mut import = self.store.begin(id)?;
        match self.open(&mut payload, manifest, carries, &mut *import) {
            Ok(()) => Ok(End::Stored(import.commit()?)),
            Err(OpenError::Refused(refusal)) => {
                drop(import);
                self.prove(&path, manifest)?;
                Ok(End::Refused(refusal))
            }
            Err(OpenError::Io(error)) if error.kind() == std::io::ErrorKind::StorageFull => {
                Err(StoreError::Full.into())
            }
            Err(OpenError::Io(error)) => Err(failed_on(&path, &error)),
        }
    }
}

/// What stores know a bundle by.
fn id_of(row: &InboundRow, manifest: &Manifest) -> ImportId {
    ImportId {
        manifest: row.digest,
        peer: row.peer.clone(),
        flow: manifest.flow.clone(),
        bundle: manifest.bundle,
        contents: manifest.contents,
    }
}

fn failed_on(path: &Path, error: &std::io::Error) -> StageError {
    StageError::Other(format!("{}: {error}", path.display()))
}

/// The payload of a bundle that was taken over; its reading ends when the daemon stops.
fn payload_of(
    stop: &Stop,
    path: &Path,
    manifest: &Manifest,
) -> Result<impl Read + Send + use<>, StageError> {
    let io = |error: std::io::Error| failed_on(path, &error);
    let mut file = File::open(path).map_err(io)?;
    file.seek(SeekFrom::Start(BUNDLE_HEAD_BYTES)).map_err(io)?;
    let payload = stop.guard(file).take(manifest.payload.bytes);
    Ok(BufReader::with_capacity(256 * 1024, payload))
}

impl Import {
    /// Into the store's staging, within the work that its lengths allow; a table is checked on the way.
    fn open(
        &self,
        payload: &mut (dyn Read + Send),
        manifest: &Manifest,
        carries: &Carries,
        import: &mut dyn store::Import,
    ) -> Result<(), OpenError> {
        let effort = Effort::of(manifest);
        let spent = || effort.is_spent();
        let keys = &self.identities;
        match carries {
            Carries::Files => {
                open_payload_within(payload, keys, manifest, import, &spent).map(drop)
            }
            Carries::Table(terms) => {
                let mut checking = Checking::new(import, terms, self.node.spool.work());
                open_payload_within(payload, keys, manifest, &mut checking, &spent)
                    .and_then(|contents| checking.verdict(&contents).map_err(OpenError::Refused))
            }
        }
    }

    /// A refusal that is signed must be the sender's fault: the bytes are still those that matched the signed digest, and a key
    /// that the manifest names is here. Otherwise this machine lost something, and says so instead.
    fn prove(&self, path: &Path, manifest: &Manifest) -> Result<(), StageError> {
        let of_key = |identity: &Identity| identity.recipient().digest();
        let mut keys = self.identities.iter().map(of_key);
        if !keys.any(|key| manifest.recipients.contains(&key)) {
            return Err(StageError::Other(
                "a bundle is for a decryption key of ours that is not in the keys folder any more"
                    .to_owned(),
            ));
        }
        let mut hashing = HashingReader::new(payload_of(&self.node.stop, path, manifest)?);
        std::io::copy(&mut hashing, &mut std::io::sink())
            .map_err(|error| failed_on(path, &error))?;
        let (_, found, bytes) = hashing.finish();
        if found == manifest.payload.digest && bytes == manifest.payload.bytes {
            return Ok(());
        }
        Err(StageError::Other(format!(
            "{}: the disk changed it after it was taken over; restore it from the sender's copy",
            path.display()
        )))
    }
}

/// A store that is not there, or full, holds the bundle: not final. Anything else is tried again.
fn held_by_store(error: StoreError) -> Result<HeldReason, StageError> {
    match error {
        StoreError::Missing(_) | StoreError::Schema(_) => {
            tracing::warn!("{error}");
            Ok(HeldReason::StoreMissing)
        }
        StoreError::Full => Ok(HeldReason::SpaceMissing),
        StoreError::Durable(_)
        | StoreError::Io { .. }
        | StoreError::Busy
        | StoreError::Strange { .. }
        | StoreError::Database(_) => Err(error.into()),
    }
}

/// Records a refusal of a bundle that was taken over.
///
/// # Errors
/// The journal's.
pub(crate) fn refuse(
    node: &Node,
    row: &InboundRow,
    manifest: &Manifest,
    refusal: Refusal,
) -> Result<(), StageError> {
    tracing::warn!(event = Event::Refused.name(), manifest = %row.digest, peer = %row.peer, code = refusal.code(), "refused");
    decide(node, row, manifest, Err(refusal))
}

/// The first transaction of an outcome: the state, its ledger record, the receipt's exact bytes.
fn decide(
    node: &Node,
    row: &InboundRow,
    manifest: &Manifest,
    outcome: Result<StoreRef, Refusal>,
) -> Result<(), StageError> {
    let now = node.signing_moment()?;
    let answer = Answer {
        own: node.rules.now().own().clone(),
        peer: row.peer.clone(),
        digest: row.digest,
        manifest: Some(manifest),
        received: row.received,
        now,
        outcome,
    };
    let refusal = answer.outcome.as_ref().err().copied();
    let kept = Kept::find(node, &row.peer, &row.digest)?;
    if kept.as_ref().is_some_and(|kept| !kept.agrees(refusal)) {
        let subject = row.digest.to_string();
        node.board.alarm("receipt-doubtful", &subject, now);
        return Err(StageError::Other(format!(
            "bundle {subject}: this home has signed another outcome of it before"
        )));
    }
    node.journal.decide(
        &row.digest,
        refusal,
        now,
        &mut |origin, index| match &kept {
            Some(kept) => kept.text.clone(),
            None => answer.text(origin, index),
        },
    )?;
    node.bells.acknowledge.ring();
    node.bells.publish.ring();
    Ok(())
}
