//! A table is checked beneath `work/`, before sealing and before importing, by the same code: what spills while its keys are sorted
//! is a file without a name, which is gone when the check is, however it ends. What spills is hashes, never a value.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use amanah_format::refusal::Refusal;
use amanah_format::table::{Checked, Dialect, Plan, RowSink, Spill, check_on, check_threads};

use crate::catalogue::Language;
use crate::catalogue::note::Details;
use crate::catalogue::table::Shown;
use crate::engine::policy::{ReturnReason, TableTerms};

/// The spill of one check: made when it is first needed.
struct Scratch {
    folder: PathBuf,
    file: Option<File>,
}

impl Spill for Scratch {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => tempfile::tempfile_in(&self.folder)?,
        };
        let written = file.write_all(bytes);
        self.file = Some(file);
        written
    }

    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let file = self.file.as_ref().ok_or(io::ErrorKind::UnexpectedEof)?;
        file.read_exact_at(into, offset)
    }
}

/// Checks a table by its flow's terms, on several threads; `name` tells the dialect. A sink is given the rows, of which those before a
/// faulty one have come by then.
///
/// # Errors
/// The reader's, the spill's or the sink's; or there is no thread for it.
pub(crate) fn check_table(
    content: &mut dyn Read,
    name: &str,
    terms: &TableTerms,
    work: &Path,
    rows: Option<&mut dyn RowSink>,
) -> io::Result<Checked> {
    let mut key = [0_u8; 16];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    let plan = Plan {
        schema: &terms.schema,
        dialect: Dialect::of_name(name),
        rows_max: terms.rows_max,
        totals: &terms.totals,
        key,
    };
    let mut scratch = Scratch {
        folder: work.to_owned(),
        file: None,
    };
    check_on(check_threads(), content, &plan, &mut scratch, rows)
}

/// The report in both languages, for the note beside a returned table.
pub(crate) fn details(checked: &Checked, name: &str, terms: &TableTerms) -> Details {
    let dialect = Dialect::of_name(name);
    let lines = |language| {
        let shown = Shown {
            language,
            dialect,
            schema: &terms.schema,
        };
        shown.lines(checked).join("\n")
    };
    Details {
        id: lines(Language::Indonesian),
        en: lines(Language::English),
    }
}

/// Why a table that a check refuses is not sent.
pub(crate) const fn why(refusal: Refusal) -> ReturnReason {
    if matches!(refusal, Refusal::TooLarge) {
        ReturnReason::TooLarge
    } else {
        ReturnReason::Refused(refusal)
    }
}
