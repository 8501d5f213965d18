//! Which items travel in one bundle: files of one flow that were settled at one scan. What is wrong with an item comes back
//! with that item alone: a folder, whose inside is only read when it is sealed, is a bundle of its own, and so is a file
//! whose name differs only by case from one that is in the batch already.

use std::collections::{HashMap, HashSet};

use amanah_format::entry_path::EntryPath;
use amanah_format::id::{BundleId, FlowName, PartyId};
use amanah_format::limits::ENTRIES_MAX;

use crate::engine::policy::{ReturnReason, Size};
use crate::journal::{Item, NewClaim};
use crate::spool::outbox::{Seen, SeenKind};

use super::{Collect, Settled};

/// A batch that may take more.
struct Open {
    /// Its place among the claims.
    at: usize,
    size: Size,
    /// The names in it, by their case keys.
    names: HashSet<String>,
}

/// What a file's name must not share with another of its batch; none for a folder, or a name that no entry can have.
pub(super) fn key_of(seen: &Seen) -> Option<String> {
    let path = EntryPath::parse(seen.name.as_encoded_bytes()).ok()?;
    (seen.kind == SeenKind::File).then(|| path.case_key())
}

impl Collect {
    /// Bundles: what may be sent is batched per flow, what may not stands alone.
    pub(super) fn group(&self, settled: Vec<Settled>) -> Vec<(NewClaim, Option<ReturnReason>)> {
        let seen_millis = self.node.clock.unix_millis();
        let mut claims: Vec<(NewClaim, Option<ReturnReason>)> = Vec::new();
        let mut open: HashMap<(PartyId, FlowName), Open> = HashMap::new();
        let policy = self.node.rules.now();
        for item in settled {
            let key = (item.peer.clone(), item.flow.clone());
            let own = Size {
                bytes: item.seen.bytes,
                entries: item.seen.files,
            };
            let name = key_of(&item.seen);
            if item.problem.is_none()
                && let Some(name) = &name
                && let Some(batch) = open.get_mut(&key)
                && let Some((claim, _)) = claims.get_mut(batch.at)
                && !batch.names.contains(name)
                && claim.items.len() < self.batch_items_max
                && let Some(sum) = batch.size.plus(own)
                && sum.entries <= ENTRIES_MAX
                && policy
                    .may_send(&item.peer, &item.flow, sum, self.node.clock.now())
                    // A table is a bundle of its own: its rows are checked, counted and answered for together.
                    .is_ok_and(|permit| permit.table.is_none())
            {
                batch.size = sum;
                batch.names.insert(name.clone());
                claim
                    .items
                    .push(as_item(&claim.bundle, claim.items.len(), &item.seen));
                continue;
            }
            let bundle = new_bundle_id(seen_millis);
            if item.problem.is_none()
                && let Some(name) = name
            {
                let batch = Open {
                    at: claims.len(),
                    size: own,
                    names: HashSet::from([name]),
                };
                open.insert(key, batch);
            }
            let items = vec![as_item(&bundle, 0, &item.seen)];
            claims.push((
                NewClaim {
                    bundle,
                    peer: item.peer,
                    flow: item.flow,
                    lane: item.lane,
                    items,
                    seen_millis,
                },
                item.problem,
            ));
        }
        claims
    }
}

fn as_item(bundle: &BundleId, place: usize, seen: &Seen) -> Item {
    Item {
        name: seen.name.clone(),
        claim_name: format!("{}{bundle}-{place}", amanah_format::home::CLAIM_PREFIX),
        is_folder: seen.kind == SeenKind::Folder,
        inode: seen.inode,
        bytes: seen.bytes,
        ctime_nanos: 0,
        resting_place: None,
    }
}

pub(super) fn new_bundle_id(unix_millis: u64) -> BundleId {
    let mut random = [0_u8; 10];
    // INVARIANT: Linux has had getrandom(2) since 3.17; without randomness nothing here may go on.
    #[expect(clippy::expect_used, reason = "no safe way on without randomness")]
    getrandom::fill(&mut random).expect("the kernel gives random bytes");
    BundleId::new_v7(unix_millis, random)
}
