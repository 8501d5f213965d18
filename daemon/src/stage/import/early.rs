//! Opening early: the worker behind `stage::early`. It has the decryption keys because it belongs to the import; it writes to
//! staging only, and commits only what the ordinary import asks for.

use amanah_format::digest::HashingReader;
use amanah_format::manifest::PayloadRef;
use amanah_format::open::OpenError;
use amanah_format::receipt::StoreRef;

use crate::durable;
use crate::engine::policy::Carries;
use crate::spool::Along;
use crate::stage::early::{Job, Vain};
use crate::stage::{Pass, StageError};
use crate::store::{ImportId, StoreError};

use super::Import;

/// Of what the store has left, what is opened early takes at most this part: the rest of the upload needs room too.
const ROOM_SHARE: u64 = 2;

/// What came of it: the store's word where it was committed.
type Outcome = (Option<Result<StoreRef, StoreError>>, Vain);

impl Import {
    /// Opens the bundle that was offered, if there is one.
    ///
    /// # Errors
    /// A failed sync. Everything else is met again by the ordinary import, and said there.
    pub fn early_pass(&self) -> Result<Pass, StageError> {
        let Some(job) = self.node.early.begin() else {
            return Ok(Pass::of(0));
        };
        let (peer, digest) = (job.peer.clone(), job.digest);
        let (done, vain) = self.open_early(job);
        if vain != Vain::No {
            tracing::debug!(%peer, manifest = %digest, ?vain, "opened early for nothing");
        }
        self.node.early.end((&peer, digest), done, vain);
        if durable::halted() {
            return Err(StageError::Other(
                "a sync failed while a bundle was opened".to_owned(),
            ));
        }
        Ok(Pass::of(1))
    }

    fn open_early(&self, job: Job) -> Outcome {
        let Job {
            peer,
            digest,
            manifest,
            payload,
        } = job;
        let id = ImportId {
            manifest: digest,
            peer,
            flow: manifest.flow.clone(),
            bundle: manifest.bundle,
            contents: manifest.contents,
        };
        let policy = self.node.rules.now();
        let Some(carries) = policy.carries(&manifest.agreement.digest, &manifest.flow) else {
            return (None, Vain::Unfinished);
        };
        if matches!(carries, Carries::Table(_)) && self.tables_for(&manifest.flow).is_some() {
            return (None, hashed(payload, &manifest.payload));
        }
        let has_room = |room: u64| room / ROOM_SHARE > manifest.contents.bytes;
        if !self.store.room().is_ok_and(has_room) {
            return (None, Vain::Unfinished);
        }
        // A store that has it, or that fails, is the ordinary import's affair.
        let (Ok(None), Ok(mut import)) = (self.store.lookup(&id), self.store.begin(&id)) else {
            return (None, Vain::Unfinished);
        };
        let mut payload = HashingReader::new(payload);
        let opened = self.open(&mut payload, &manifest, &carries, &mut *import);
        let (along, found, bytes) = payload.finish();
        let is_whole = found == manifest.payload.digest && bytes == manifest.payload.bytes;
        match opened {
            Ok(()) if is_whole => {}
            // Why it cannot be opened is found again by the ordinary way, and said there.
            Ok(()) | Err(OpenError::Refused(_)) => return (None, Vain::Faulty),
            Err(OpenError::Io(_)) => return (None, Vain::Unfinished),
        }
        along.found(found);
        let stop = &self.node.stop;
        if !self.node.early.is_wanted(&digest, || stop.is_set()) {
            return (None, Vain::Unfinished);
        }
        (Some(import.commit()), Vain::No)
    }
}

/// Rows go from the bundle that was taken over into their database, in one transaction, which others would wait for while the rest
/// arrives. What is done here is to hash what arrives, so that the hand-over need not read it again.
fn hashed(payload: Along, expected: &PayloadRef) -> Vain {
    let mut payload = HashingReader::new(payload);
    let read = std::io::copy(&mut payload, &mut std::io::sink());
    let (along, found, bytes) = payload.finish();
    match read {
        Ok(_) if found == expected.digest && bytes == expected.bytes => {
            along.found(found);
            Vain::No
        }
        Ok(_) => Vain::Faulty,
        Err(_) => Vain::Unfinished,
    }
}

#[cfg(test)]
mod tests {
    use amanah_format::digest::Digest;

    use super::*;
    use crate::spool::Spool;

    #[test]
    fn what_arrives_is_hashed_and_counts_only_where_it_is_what_was_said() {
        let home = tempfile::tempdir().unwrap();
        let peer: amanah_format::id::PartyId = "bps".parse().unwrap();
        let spool = Spool::open(home.path(), std::slice::from_ref(&peer)).unwrap();
        let arrives = b"sembilan!";
        for (name, said, length, expected) in [
            ("a", &arrives[..], 9, Vain::No),
            ("b", b"yang lain", 9, Vain::Faulty),
            ("c", arrives, 8, Vain::Faulty),
        ] {
            let mut part = spool.part(&peer, name, 9).unwrap();
            let along = part.read_along(0..9, Box::new(|| false)).unwrap();
            part.write_at(0, arrives).unwrap();
            let (digest, bytes) = (Digest::of(said), length);
            let found = hashed(along, &PayloadRef { digest, bytes });
            assert_eq!(found, expected, "{name}");
            let known = (expected == Vain::No).then_some(digest);
            assert_eq!(part.found_along(), known, "{name}");
        }
        // One that is broken off.
        let mut part = spool.part(&peer, "d", 9).unwrap();
        let along = part.read_along(0..9, Box::new(|| true)).unwrap();
        let payload = PayloadRef {
            digest: Digest::of(arrives),
            bytes: 9,
        };
        assert_eq!(hashed(along, &payload), Vain::Unfinished);
        assert_eq!(part.found_along(), None);
    }
}
