//! Destruction records (berita acara pemusnahan): what is gone and recorded is certified under our signature, as many bundles of one
//! agreement, flow and side at once as one document holds. Recorded first, then written; a start writes what is missing.

use amanah_format::destruction::{self, Destruction, Rule, Totals};
use amanah_format::document::{Document, Ext};
use amanah_format::manifest::AgreementRef;
use amanah_format::time::UtcTime;

use crate::event::Event;
use crate::journal::{Act, Gone};
use crate::kill;
use crate::stage::StageError;

use super::Retention;

/// What did it.
const PROGRAM: &str = concat!("amanahd ", env!("CARGO_PKG_VERSION"));

impl Retention {
    /// Certifies all that is gone.
    pub(super) fn certify(&self, now: UtcTime) -> Result<(), StageError> {
        let journal = &self.node.journal;
        let mut made = 0;
        self.write_records()?;
        while let Some(gone) = journal.uncertified()? {
            // An agreement that was taken away since: it is certified when it is there again.
            let Some(agreement) = self.agreement(&gone) else {
                break;
            };
            let number = journal.next_act()?;
            let act = self.sign(&gone, (agreement, number), now)?;
            journal.certify(&gone, &act, now)?;
            kill::point("retention.certified");
            self.write_records()?;
            made += 1;
        }
        if made > 0 {
            // The names that were removed stood in the log as they were.
            journal.empty_the_log()?;
            self.node.bells.publish.ring();
        }
        Ok(())
    }

    fn agreement(&self, gone: &Gone) -> Option<AgreementRef> {
        let policy = self.node.rules.now();
        let found = policy
            .agreements()
            .iter()
            .find(|known| known.digest() == gone.agreement)?;
        let text = found.agreement();
        Some(AgreementRef {
            id: text.id.clone(),
            version: text.version,
            digest: gone.agreement,
        })
    }

    fn sign(
        &self,
        gone: &Gone,
        (agreement, number): (AgreementRef, u64),
        now: UtcTime,
    ) -> Result<Act, StageError> {
        let first = gone.bundles.iter().map(|bundle| bundle.at).min();
        let last = gone.bundles.iter().map(|bundle| bundle.at).max();
        let destruction = Destruction {
            format: Destruction::FORMAT.to_owned(),
            number,
            from: self.node.rules.now().own().clone(),
            peer: gone.peer.clone(),
            side: gone.side,
            agreement,
            flow: gone.flow.clone(),
            rule: Rule {
                days: gone.days,
                from: "settled".to_owned(),
                action: "destroy".to_owned(),
            },
            begun: first.unwrap_or(now),
            // The clock may have been set back meanwhile.
            finished: gone.done.max(last.unwrap_or(now)),
            program: PROGRAM.to_owned(),
            ledger: self.node.journal.checkpoint()?.origin,
            bundles: gone.bundles.clone(),
            totals: Totals::of(&gone.bundles).unwrap_or_default(),
            ext: Ext::default(),
            critical: Vec::new(),
        };
        destruction
            .check()
            .map_err(|error| StageError::Other(error.to_string()))?;
        let policy = self.node.rules.now();
        let key = self.signing.at(&policy, destruction.finished);
        let (digest, container) = destruction::sign(&destruction, key);
        Ok(Act {
            number,
            peer: gone.peer.clone(),
            digest,
            container,
        })
    }

    /// Writes the files of those that are recorded.
    fn write_records(&self) -> Result<(), StageError> {
        for act in self.node.journal.acts_to_write()? {
            let spool = &self.node.spool;
            spool.keep_destruction(&act.peer, &act.digest, &act.container)?;
            kill::point("retention.record-written");
            self.node.journal.act_written(act.number)?;
            tracing::info!(event = Event::DestructionCertified.name(), number = act.number, peer = %act.peer, document = %act.digest, "a destruction record is signed");
        }
        Ok(())
    }
}
