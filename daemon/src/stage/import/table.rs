//! A table flow's file is checked again on arrival, by this side's own copy of the agreement, while it is written into the store's
//! staging: the store commits only what was sound.

use std::io::{self, Read};
use std::path::PathBuf;

use amanah_format::contents::Contents;
use amanah_format::entry_path::EntryPath;
use amanah_format::open::EntrySink;
use amanah_format::refusal::Refusal;
use amanah_format::table::Checked;

use crate::engine::policy::TableTerms;
use crate::stage::table::check_beside;

/// The store's sink, and the check beside it.
pub(super) struct Checking<'a> {
    sink: &'a mut dyn EntrySink,
    terms: &'a TableTerms,
    work: PathBuf,
    checked: Option<Checked>,
    /// Entries beyond the first: what is refused anyway is not checked.
    more: bool,
}

impl<'a> Checking<'a> {
    pub(super) fn new(sink: &'a mut dyn EntrySink, terms: &'a TableTerms, work: PathBuf) -> Self {
        Self {
            sink,
            terms,
            work,
            checked: None,
            more: false,
        }
    }

    /// See [`verdict`].
    pub(super) fn verdict(&self, contents: &Contents) -> Result<(), Refusal> {
        verdict(self.checked.as_ref(), self.more, contents)
    }
}

/// Whether the bundle is one table, sound, with the rows and totals that its sender declared.
pub(super) fn verdict(
    checked: Option<&Checked>,
    more: bool,
    contents: &Contents,
) -> Result<(), Refusal> {
    let (Some(checked), [entry], false) = (checked, contents.entries.as_slice(), more) else {
        return Err(Refusal::SchemaMismatch);
    };
    if let Some(refusal) = checked.report.refusal() {
        return Err(refusal);
    }
    let totals = entry.totals.clone().unwrap_or_default();
    let agrees = entry.records == Some(checked.rows) && totals == checked.totals;
    if agrees {
        Ok(())
    } else {
        Err(Refusal::TotalsMismatch)
    }
}

impl EntrySink for Checking<'_> {
    fn entry(&mut self, path: &EntryPath, bytes: u64, content: &mut dyn Read) -> io::Result<()> {
        if self.checked.is_some() {
            self.more = true;
            return self.sink.entry(path, bytes, content);
        }
        let (terms, work) = (self.terms, &self.work);
        let sink = &mut *self.sink;
        let (stored, checked) = check_beside(content, path.as_str(), terms, work, |content| {
            sink.entry(path, bytes, content)
        })?;
        let checked = stored.and(checked)?;
        self.checked = Some(checked);
        Ok(())
    }
}
