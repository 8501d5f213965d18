//! A table flow's file is checked before anything of it is sealed: read once here, against the schema that the agreement pins, and
//! once more into the payload. Both readings must have seen the same bytes, or it settles anew.

use std::collections::BTreeMap;

use amanah_format::digest::{Digest, HashingReader};

use crate::catalogue::note::Details;
use crate::durable;
use crate::engine::policy::{Permit, ReturnReason, Size};
use crate::journal::OutboundRow;
use crate::plant::{self, Bug};
use crate::spool::outbox::Source;
use crate::stage::table::{check_table, details, why};

use super::faults::{failed, not_opened};
use super::{NotSealed, Seal};

/// A table that was found sound, and what the recipient must find too.
pub(super) struct Sound {
    digest: Digest,
    pub(super) rows: u64,
    pub(super) totals: BTreeMap<String, String>,
}

impl Sound {
    /// Whether what was sealed is what was checked.
    pub(super) fn is_of(&self, sealed: &Digest) -> bool {
        self.digest == *sealed
    }
}

impl Seal {
    /// `None` for a flow that carries files.
    pub(super) fn tabled(
        &self,
        row: &OutboundRow,
        sources: &[Source],
        permit: &Permit,
    ) -> Result<Option<Sound>, NotSealed> {
        let Some(terms) = &permit.table else {
            return Ok(None);
        };
        let [source] = sources else {
            return Err(NotSealed::Return(ReturnReason::NotAFile));
        };
        if row.items.iter().any(|item| item.is_folder) {
            return Err(NotSealed::Return(ReturnReason::NotAFile));
        }
        let work = self.node.spool.work();
        let file = durable::open_beneath(&source.root, &source.relative)
            .map_err(|error| not_opened(&work, &error))?;
        let mut content = HashingReader::new(self.node.stop.guard(&file));
        let name = source.entry.as_str();
        let checked =
            check_table(&mut content, name, terms, &work).map_err(|error| failed(&work, &error))?;
        let (_, digest, _) = content.finish();
        let refusal = checked
            .report
            .refusal()
            .filter(|_| !plant::has(Bug::TableUnchecked));
        match refusal {
            None => Ok(Some(Sound {
                digest,
                rows: checked.rows,
                totals: checked.totals,
            })),
            Some(refusal) => Err(NotSealed::Unfit(
                why(refusal),
                details(&checked, name, terms),
            )),
        }
    }

    /// The report of a table whose return a restart cut short; none where it cannot be made any more.
    pub(super) fn unfit_again(&self, row: &OutboundRow) -> Option<Details> {
        let sources = self.sources(row).ok()?;
        let size = Size {
            bytes: 0,
            entries: 1,
        };
        let now = self.node.clock.now();
        let permit = self
            .node
            .rules
            .now()
            .may_send(&row.peer, &row.flow, size, now)
            .ok()?;
        match self.tabled(row, &sources, &permit) {
            Err(NotSealed::Unfit(_, details)) => Some(details),
            _ => None,
        }
    }
}
