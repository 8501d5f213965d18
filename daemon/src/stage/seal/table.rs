//! A table flow's file is checked while it is sealed, against the schema that the agreement pins: it is read once, so what was
//! checked is what was sealed. What was encrypted of a table that is not sound goes with the check's verdict, before there is a
//! manifest of it.

use std::io::{self, BufWriter};
use std::path::Path;

use amanah_format::seal::Sealer;
use amanah_format::table::Checked;

use crate::catalogue::note::Details;
use crate::durable::{self, Steady};
use crate::engine::policy::{Permit, ReturnReason, Size, TableTerms};
use crate::journal::OutboundRow;
use crate::plant::{self, Bug};
use crate::spool::outbox::Source;
use crate::stage::table::{check_beside, check_table, details, why};

use super::faults::{failed, not_sealed};
use super::{NotSealed, Seal};

/// The one file that a bundle of a table flow is.
fn only_file<'s>(row: &OutboundRow, sources: &'s [Source]) -> Result<&'s Source, NotSealed> {
    match sources {
        [source] if !row.items.iter().any(|item| item.is_folder) => Ok(source),
        _ => Err(NotSealed::Return(ReturnReason::NotAFile)),
    }
}

/// Whether the check lets it through.
fn judge(checked: &Checked, source: &Source, terms: &TableTerms) -> Result<(), NotSealed> {
    let refusal = checked.report.refusal();
    match refusal.filter(|_| !plant::has(Bug::TableUnchecked)) {
        None => Ok(()),
        Some(refusal) => Err(NotSealed::Unfit(
            why(refusal),
            details(checked, source.entry.as_str(), terms),
        )),
    }
}

/// What refuses nothing is told by the log alone, which names no value.
fn tell_warnings(checked: &Checked, row: &OutboundRow) {
    for finding in checked.report.findings() {
        let (rule, rows, first) = (finding.fault.code(), finding.count, &finding.first_rows);
        tracing::warn!(bundle = %row.bundle, peer = %row.peer, flow = %row.flow, rule, subject = ?finding.subject, rows, ?first,
            "a table that is sent has a warning (rows are counted without the header)");
    }
}

impl Seal {
    /// Adds the table to its payload, with its rows and totals, which the recipient must find too.
    pub(super) fn add_table(
        &self,
        sealer: &mut Sealer<BufWriter<Steady>>,
        (row, sources): (&OutboundRow, &[Source]),
        terms: &TableTerms,
        payload: &Path,
    ) -> Result<(), NotSealed> {
        let source = only_file(row, sources)?;
        let checked = self.add(source, payload, |content| {
            let (name, work) = (source.entry.as_str(), self.node.spool.work());
            let (sealed, checked) = check_beside(content, name, terms, &work, |content| {
                sealer.entry(&source.entry, source.look.bytes, content)
            })
            .map_err(|error| failed(payload, &error))?;
            sealed.map_err(|error| not_sealed(payload, error))?;
            checked.map_err(|error| failed(&work, &error))
        })?;
        judge(&checked, source, terms)?;
        tell_warnings(&checked, row);
        sealer.count(checked.rows, checked.totals);
        Ok(())
    }

    /// The report of a table whose return a restart cut short; none where it cannot be made any more.
    pub(super) fn unfit_again(&self, row: &OutboundRow) -> Option<Details> {
        let sources = self.sources(row).ok()?;
        let size = Size {
            bytes: 0,
            entries: 1,
        };
        let now = self.node.clock.now();
        let policy = self.node.rules.now();
        let permit: Permit = policy.may_send(&row.peer, &row.flow, size, now).ok()?;
        let terms = permit.table?;
        let source = only_file(row, &sources).ok()?;
        match judge(&self.checked_alone(source, &terms).ok()?, source, &terms) {
            Err(NotSealed::Unfit(_, details)) => Some(details),
            _ => None,
        }
    }

    fn checked_alone(&self, source: &Source, terms: &TableTerms) -> io::Result<Checked> {
        let file = durable::open_beneath(&source.root, &source.relative)?;
        let mut content = self.node.stop.guard(&file);
        let work = self.node.spool.work();
        check_table(&mut content, source.entry.as_str(), terms, &work, None)
    }
}
