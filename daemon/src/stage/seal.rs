//! Seal: a claimed item becomes a bundle in the queue. SPOOL.md §2 has the order, which is the promise:
//!
//! payload into `work/` at its final offset, synced → one transaction (sequence, previous, exact manifest bytes, ledger record)
//! → signature, recorded → head at offset 0, synced, renamed into `queue/`, recorded. After the transaction only the rest ever
//! runs, from the stored bytes.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use amanah_format::agreement::Lane;
use amanah_format::container;
use amanah_format::contents::Binding;
use amanah_format::digest::Digest;
use amanah_format::document::{Document, Ext};
use amanah_format::id::{Epoch, Sequence};
use amanah_format::limits::BUNDLE_HEAD_BYTES;
use amanah_format::manifest::Manifest;
use amanah_format::seal::{SealOptions, Sealed, Sealer};
use amanah_format::signature::Purpose;

use crate::catalogue::note::Details;
use crate::durable::{self, Steady};
use crate::engine::outbound::{Outbound, OutboundEvent};
use crate::engine::policy::{Permit, ReturnReason, Size};
use crate::event::Event;
use crate::journal::{OutboundRow, Page};
use crate::kill;
use crate::spool::outbox::{Look, Source};

use super::hand_back::give_back;
use super::signer::Signer;
use super::stuck::each_of_page;
use super::{IDLE, Node, Pass, StageError};

mod faults;
mod table;

use self::faults::{failed, not_opened, not_sealed, other, why_no_source};

/// How soon a gate that is shut is looked at again.
const GATE_AGAIN: Duration = Duration::from_millis(500);

/// Less is compressed without workers.
const WORKERS_BYTES_MIN: u64 = 1024 * 1024;

/// The sealing stage: the only one with the signing key of bundles.
pub struct Seal {
    /// What all stages share.
    pub node: Arc<Node>,
    /// Our signing keys.
    pub signing: Arc<Signer>,
    /// Compression.
    pub options: SealOptions,
    /// How long a bundle may travel.
    pub expires_days: u32,
}

/// Why a claimed bundle is not sealed now.
enum NotSealed {
    /// The operator gets it back.
    Return(ReturnReason),
    /// The operator gets a table back, with what is wrong with it.
    Unfit(ReturnReason, Details),
    /// A file changed while it was read: it goes back into the outbox and settles anew.
    Changed,
    /// The daemon is stopping, or the machine failed: tried again.
    Failed(StageError),
}

impl<E: Into<StageError>> From<E> for NotSealed {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Seal {
    /// Seals what is claimed in one lane, and finishes what was sealed before a restart. Lanes are sealed side by side; a
    /// bundle's lane never changes, so no two of them have the same row.
    ///
    /// # Errors
    /// This machine's.
    pub fn pass(&self, lane: Lane) -> Result<Pass, StageError> {
        let shut = self.node.gates.shut();
        let rows = |page: Page<'_>| Ok(self.node.journal.unsealed_in(lane, &shut, page)?);
        let pass = each_of_page(&self.node.stop, rows, |row| self.forward(row))?;
        // A gate may open by time alone.
        let again_after = if shut.is_empty() { IDLE } else { GATE_AGAIN };
        Ok(Pass {
            again_after,
            ..pass
        })
    }

    fn forward(&self, row: &OutboundRow) -> Result<(), StageError> {
        if row.state != Outbound::Claimed {
            return self.finish(row);
        }
        if let Some(reason) = row.return_reason.as_deref().and_then(ReturnReason::parse) {
            let details = self.unfit_again(row);
            return give_back(&self.node, row, reason, details.as_ref());
        }
        let sealed = self.seal(row);
        if !matches!(sealed, Ok(_) | Err(NotSealed::Failed(_))) {
            // The items of a home that is away are neither unreadable nor gone.
            self.node.spool.is_there()?;
        }
        match sealed {
            Ok(sealed) => self.finish(&sealed),
            Err(NotSealed::Return(reason)) => give_back(&self.node, row, reason, None),
            Err(NotSealed::Unfit(reason, details)) => {
                give_back(&self.node, row, reason, Some(&details))
            }
            Err(NotSealed::Changed) => self.put_back(row),
            Err(NotSealed::Failed(error)) => Err(error),
        }
    }

    /// Up to and including the sealing transaction.
    fn seal(&self, row: &OutboundRow) -> Result<OutboundRow, NotSealed> {
        let now = self.node.signing_moment()?;
        let sources = self.sources(row)?;
        let size = Size {
            bytes: sources
                .iter()
                .map(|source| source.look.bytes)
                .fold(0, u64::saturating_add),
            entries: u64::try_from(sources.len()).unwrap_or(u64::MAX),
        };
        let policy = self.node.rules.now();
        let permit = policy
            .may_send(&row.peer, &row.flow, size, now)
            .map_err(NotSealed::Return)?;
        let binding = Binding {
            bundle: row.bundle,
            agreement: permit.agreement.digest,
            from: policy.own().clone(),
            to: row.peer.clone(),
            flow: row.flow.clone(),
        };
        let sealed = self
            .write_payload((row, &sources), &permit, &binding)
            .inspect_err(|_| self.clear_work(row))?;
        kill::point("seal.payload-synced");
        self.unchanged(row, &sources)
            .inspect_err(|_| self.clear_work(row))?;
        let mut make = |epoch, sequence, previous| {
            let place = (epoch, sequence, previous);
            let manifest = self.manifest(&permit, &binding, &sealed, place);
            let bytes = manifest.to_bytes().map_err(|error| error.to_string())?;
            Ok((bytes, manifest.payload.bytes))
        };
        let row = self
            .node
            .journal
            .commit_seal(&row.bundle, &permit.agreement, now, &mut make)?;
        kill::point("seal.committed");
        Ok(row)
    }

    /// What was written so far would fill a disk that is full already. Best effort: it is written over or swept later.
    fn clear_work(&self, row: &OutboundRow) {
        let _ = std::fs::remove_file(self.node.spool.work_payload(&row.bundle));
    }

    fn sources(&self, row: &OutboundRow) -> Result<Vec<Source>, NotSealed> {
        let folder = self.node.spool.outbox(&row.peer, &row.flow);
        let mut all = Vec::new();
        for item in &row.items {
            match self
                .node
                .spool
                .sources(&folder, &item.claim_name, &item.name, item.is_folder)
            {
                Ok(some) => all.extend(some),
                Err(error) => return Err(why_no_source(error)),
            }
        }
        Ok(all)
    }

    /// Whether everything is what it was when it was listed: a file added to a folder after that is not in the payload, and
    /// one that was written to after it was read is there as it no longer is. Neither may go to `sent/` as if it were sent.
    fn unchanged(&self, row: &OutboundRow, before: &[Source]) -> Result<(), NotSealed> {
        if self.sources(row)? == before {
            Ok(())
        } else {
            Err(NotSealed::Changed)
        }
    }

    /// Streams the entries through tar, zstd and age into `work/`, behind the room for the head.
    fn write_payload(
        &self,
        (row, sources): (&OutboundRow, &[Source]),
        permit: &Permit,
        binding: &Binding,
    ) -> Result<Sealed<()>, NotSealed> {
        let path = self.node.spool.work_payload(&row.bundle);
        let mut file = create_anew(&path)?;
        file.seek(SeekFrom::Start(BUNDLE_HEAD_BYTES))
            .map_err(|error| failed(&path, &error))?;
        let out = BufWriter::with_capacity(256 * 1024, Steady::new(file, &path));
        let options = for_sources(self.options, sources);
        let mut sealer = Sealer::new(out, &permit.recipients, options)
            .map_err(|error| not_sealed(&path, error))?;
        if let Some(terms) = &permit.table {
            self.add_table(&mut sealer, (row, sources), terms, &path)?;
        } else {
            for source in sources {
                self.add(source, &path, |content| {
                    let sealed = sealer.entry(&source.entry, source.look.bytes, content);
                    sealed.map_err(|error| not_sealed(&path, error))
                })?;
            }
        }
        let mut salt = [0_u8; 32];
        getrandom::fill(&mut salt)
            .map_err(|error| StageError::Other(format!("no randomness: {error}")))?;
        let sealed = sealer
            .finish(binding, salt)
            .map_err(|error| not_sealed(&path, error))?;
        let file = sealed.out.into_inner();
        let file = file.map_err(|error| failed(&path, error.error()))?;
        let mut file = file.finish();
        file.write_all(&container::bundle_tail(sealed.payload.bytes))
            .map_err(|error| failed(&path, &error))?;
        durable::sync(&file, &path)?;
        Ok(Sealed {
            out: (),
            payload: sealed.payload,
            contents: sealed.contents,
        })
    }

    /// One file: the very inode that is open is what was listed, before and after `take` read it.
    fn add<T>(
        &self,
        source: &Source,
        payload: &Path,
        take: impl FnOnce(&mut (dyn Read + Send)) -> Result<T, NotSealed>,
    ) -> Result<T, NotSealed> {
        let file = durable::open_beneath(&source.root, &source.relative)
            .map_err(|error| not_opened(payload, &error))?;
        let is_listed = || match file.metadata() {
            Ok(metadata) if Look::of(&metadata) == source.look => Ok(()),
            Ok(_) => Err(NotSealed::Changed),
            Err(error) => Err(failed(payload, &error)),
        };
        is_listed()?;
        kill::point("seal.opened");
        let taken = take(&mut self.node.stop.guard(&file))?;
        is_listed().map(|()| taken)
    }

    fn manifest(
        &self,
        permit: &Permit,
        binding: &Binding,
        sealed: &Sealed<()>,
        place: (Epoch, Sequence, Option<Digest>),
    ) -> Manifest {
        let (epoch, sequence, previous) = place;
        Manifest {
            format: Manifest::FORMAT.to_owned(),
            bundle: binding.bundle,
            agreement: permit.agreement.clone(),
            flow: binding.flow.clone(),
            purpose: permit.purpose.clone(),
            from: binding.from.clone(),
            to: binding.to.clone(),
            epoch,
            sequence,
            previous,
            recipients: permit
                .recipients
                .iter()
                .map(amanah_format::recipient::Recipient::digest)
                .collect(),
            regarding: None,
            created: self.node.clock.now(),
            expires: self
                .node
                .clock
                .now()
                .plus_secs(i64::from(self.expires_days) * 86_400),
            payload: sealed.payload,
            contents: sealed.contents,
            ext: Ext::default(),
            critical: Vec::new(),
        }
    }

    /// From the stored bytes: signature, head, queue.
    fn finish(&self, row: &OutboundRow) -> Result<(), StageError> {
        let (Some(manifest), Some(digest)) = (&row.manifest, row.digest) else {
            return Err(StageError::Other(format!(
                "bundle {} is sealed but has no manifest",
                row.bundle
            )));
        };
        let (policy, now) = (self.node.rules.now(), self.node.clock.now());
        let created = |manifest: &Manifest| manifest.created;
        let key = self.signing.of(&policy, manifest, created, now);
        let signature = key.sign(Purpose::Bundle, manifest);
        if row.state == Outbound::Sealed {
            self.node
                .journal
                .store_signature(&row.bundle, &signature, self.node.clock.now())?;
            kill::point("seal.signed");
        }
        let (work, queued) = (
            self.node.spool.work_payload(&row.bundle),
            self.node.spool.queued(&row.peer, &digest),
        );
        if work.exists() {
            let head = container::bundle_head(manifest, &signature, row.payload_bytes)
                .map_err(|error| StageError::Other(error.to_string()))?;
            put_head(&work, &head)?;
            kill::point("seal.head-synced");
            durable::replace(&work, &queued)?;
            kill::point("seal.renamed");
        } else if !queued.exists() {
            self.node.spool.is_there()?;
            let (bundle, now) = (row.bundle.to_string(), self.node.clock.now());
            self.node.board.alarm("payload-lost", &bundle, now);
            return Err(other(&work, &std::io::ErrorKind::NotFound.into()));
        }
        self.node.journal.advance_outbound(
            &row.bundle,
            OutboundEvent::BundleQueued,
            self.node.clock.now(),
        )?;
        tracing::info!(event = Event::Sealed.name(), bundle = %row.bundle, manifest = %digest, peer = %row.peer, flow = %row.flow, bytes = row.payload_bytes, "sealed");
        self.node.bells.peer(&row.peer).ring();
        self.node.bells.publish.ring();
        Ok(())
    }

    fn put_back(&self, row: &OutboundRow) -> Result<(), StageError> {
        let folder = self.node.spool.outbox(&row.peer, &row.flow);
        for item in &row.items {
            self.node
                .spool
                .put_back(&folder.join(&item.claim_name), &folder.join(&item.name))?;
        }
        self.node.spool.sync_moves()?;
        self.node.journal.advance_outbound(
            &row.bundle,
            OutboundEvent::WentBack,
            self.node.clock.now(),
        )?;
        durable::remove(&self.node.spool.work_payload(&row.bundle))?;
        tracing::info!(bundle = %row.bundle, "changed while it was read; it settles anew");
        self.node.bells.collect.ring();
        Ok(())
    }
}

/// What fits into one job of a worker is compressed sooner than a worker is there.
fn for_sources(options: SealOptions, sources: &[Source]) -> SealOptions {
    let bytes = sources.iter().map(|source| source.look.bytes);
    if bytes.fold(0, u64::saturating_add) > WORKERS_BYTES_MIN {
        return options;
    }
    SealOptions {
        workers: 0,
        ..options
    }
}

/// The head is written last, at offset 0, over a payload that is synced already.
fn put_head(work: &Path, head: &[u8]) -> Result<(), StageError> {
    let file = OpenOptions::new().write(true).open(work);
    let file = file.map_err(|error| other(work, &error))?;
    file.write_all_at(head, 0)
        .map_err(|error| other(work, &error))?;
    Ok(durable::sync(&file, work)?)
}

fn create_anew(path: &Path) -> Result<File, StageError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| other(path, &error))
}
