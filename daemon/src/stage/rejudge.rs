//! Rejudge: what is held is judged again at each pass, a page of it at a time, so that no number of held bundles keeps the
//! others from their turn, and none that fails blocks another. SPOOL.md §3.

use std::fs::File;
use std::io::Read;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use amanah_format::id::FlowName;
use amanah_format::limits::BUNDLE_HEAD_BYTES;
use amanah_format::manifest::{UnverifiedHead, VerifiedHead};
use amanah_format::refusal::Refusal;
use amanah_format::slip::HeldReason;
use amanah_format::time::UtcTime;

use crate::engine::inbound::InboundEvent;
use crate::engine::policy::{Policy, Verdict};
use crate::journal::InboundRow;

use super::admit::Admit;
use super::{IDLE, Node, Pass, ROWS_PER_PASS, StageError, each, import, slips};

/// The next page of what is held is looked at after so long.
const NEXT_PAGE: Duration = Duration::from_secs(1);
/// A bundle that its store did not take is not offered to it again before so long: each attempt leaves two records and a slip.
const STORE_AGAIN_SECS: i64 = 15;
/// The same where a table must be changed by hand first.
const SCHEMA_AGAIN_SECS: i64 = 300;

/// Where the look at what is held has come to.
#[derive(Default)]
pub struct HeldLook {
    /// Up to which age; 0 before a round.
    from: i64,
    /// The policy that this round began under.
    under: Option<Arc<Policy>>,
    /// Whether the configuration was read anew since the round before: somebody mended something, so nothing waits for its time.
    is_asked_for: bool,
}

impl HeldLook {
    fn begin(&mut self, policy: Arc<Policy>) {
        if self.from == 0 {
            let before = self.under.replace(Arc::clone(&policy));
            self.is_asked_for = !before.is_some_and(|before| Arc::ptr_eq(&before, &policy));
        }
    }
}

impl Admit {
    /// Judges the next page of what is held. `room` says what the store of a bundle has left, none where it is missing.
    ///
    /// # Errors
    /// This machine's.
    pub fn rejudge_pass(
        &self,
        room: impl Fn(&InboundRow) -> Option<u64>,
    ) -> Result<Pass, StageError> {
        let mut look = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        look.begin(self.node.rules.now());
        let page = self.node.journal.held_after(look.from, ROWS_PER_PASS)?;
        let is_full = u32::try_from(page.len()).is_ok_and(|rows| rows >= ROWS_PER_PASS);
        look.from = page.last().filter(|_| is_full).map_or(0, |(age, _)| *age);
        each(&self.node.stop, &page, |(_, row)| {
            self.rejudge(row, room(row), look.is_asked_for)
        })?;
        let waits = page.iter().any(|(_, row)| waits_for_store(row.held));
        let again_after = match (is_full, waits) {
            (true, _) => NEXT_PAGE,
            (false, true) => Duration::from_secs(STORE_AGAIN_SECS.unsigned_abs()),
            (false, false) => IDLE,
        };
        Ok(Pass {
            done: 0,
            again_after,
        })
    }

    fn rejudge(
        &self,
        row: &InboundRow,
        room: Option<u64>,
        is_asked_for: bool,
    ) -> Result<(), StageError> {
        if let Some(reason) = row.held {
            slips::tell_held(&self.node, &self.signing, row, reason)?;
        }
        let now = self.node.clock.now();
        let is_time = is_asked_for || self.is_due(row, now);
        if waits_for_store(row.held) && (room.is_none() || !is_time) {
            return Ok(());
        }
        let Some(head) = verified_again(&self.node, row)? else {
            return self.hold(row, HeldReason::CardUnknown);
        };
        let manifest = head.manifest();
        if waits_for_store(row.held) && room.is_some_and(|room| room < manifest.contents.bytes) {
            return Ok(());
        }
        let place = self.node.journal.place(&row.peer, &row.digest, manifest)?;
        let judged_at = if row.held == Some(HeldReason::Clock) {
            now
        } else {
            row.received
        };
        match self.node.rules.now().judge(manifest, &place, judged_at) {
            Verdict::Admit => {
                let event = InboundEvent::Admitted;
                self.node.journal.rejudge(&row.digest, event, None, now)?;
                self.node.bells.import.ring();
                Ok(())
            }
            Verdict::Refuse(refusal) => import::refuse(&self.node, row, manifest, refusal),
            Verdict::Hold(reason) => self.hold(row, reason),
        }
    }

    /// Also where the clock was set back meanwhile.
    fn is_due(&self, row: &InboundRow, now: UtcTime) -> bool {
        let flow = row.flow.as_ref().map(FlowName::as_str).unwrap_or_default();
        let subject = format!("{}/{flow}", row.peer);
        let after = if self.node.board.is_alarmed("store-schema", &subject) {
            SCHEMA_AGAIN_SECS
        } else {
            STORE_AGAIN_SECS
        };
        now >= row.changed.plus_secs(after) || now < row.changed
    }

    /// Held for a reason that is not the one before: recorded, and the sender is told.
    fn hold(&self, row: &InboundRow, reason: HeldReason) -> Result<(), StageError> {
        if row.held == Some(reason) {
            return Ok(());
        }
        let now = self.node.clock.now();
        let event = InboundEvent::Held;
        self.node
            .journal
            .rejudge(&row.digest, event, Some(reason), now)?;
        slips::tell_held(&self.node, &self.signing, row, reason)
    }
}

/// Whether the store, not the policy, must change before it is judged again: what the policy says would send it back at once.
const fn waits_for_store(held: Option<HeldReason>) -> bool {
    matches!(
        held,
        Some(HeldReason::StoreMissing | HeldReason::SpaceMissing)
    )
}

/// The proof for a recorded bundle, made anew in this process from the file; judged at the moment it was received. None: the
/// signer's card, or its key, is not trusted here any more, which says nothing against the bytes.
///
/// # Errors
/// The file is gone or no longer what was taken over: the machine's fault, and said so.
pub(crate) fn verified_again(
    node: &Node,
    row: &InboundRow,
) -> Result<Option<VerifiedHead>, StageError> {
    let path = node.spool.incoming(&row.peer, &row.digest);
    let mut head = Vec::new();
    let read =
        File::open(&path).and_then(|file| file.take(BUNDLE_HEAD_BYTES).read_to_end(&mut head));
    read.map_err(|error| StageError::Other(format!("{}: {error}", path.display())))?;
    let head = UnverifiedHead::parse(&head)
        .map_err(|refusal| StageError::Other(format!("{}: {refusal}", path.display())))?;
    if head.digest() != row.digest {
        let text = format!("{}: is another bundle", path.display());
        return Err(StageError::Other(text));
    }
    match head.verify(node.rules.now().keyring(), row.received) {
        Ok(verified) => Ok(Some(verified)),
        Err(fault)
            if matches!(
                fault.refusal,
                Refusal::SignerUnknown | Refusal::SignerNotValid
            ) =>
        {
            Ok(None)
        }
        Err(fault) => Err(StageError::Other(format!(
            "{}: no longer verifies: {fault}",
            path.display()
        ))),
    }
}
