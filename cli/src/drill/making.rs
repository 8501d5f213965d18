//! Makes the tables of an exercise: one file each, streamed, whole under its name only when it is whole. The same wish gives the
//! same bytes on every machine.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use amanah_format::digest::{Digest, HashingWriter};
use jiff::civil::Date;

use super::answers::Answers;
use super::damage::{Damaged, Damager, Spoil};
use super::dataset::Dataset;
use super::day::Day;
use super::plan::Plan;
use super::row::Row;
use super::{corrections, crossings, figures, findings, hajj, queries, umrah};

/// Bytes written at once.
const BUFFER: usize = 256 * 1024;
/// Rows between two reports of progress.
const REPORT_ROWS: u64 = 4_096;
/// Travellers of a day where only the month's figures are wanted.
const FIGURES_PER_DAY: u64 = 10;
/// An outbox leaves files of this ending alone.
const UNFINISHED: &str = "part";

/// What is to be made.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Which tables, each once.
    pub datasets: Vec<Dataset>,
    /// With one dataset its rows, with several the travellers; `None` for what is usual.
    pub rows: Option<u64>,
    /// Another seed, other people.
    pub seed: u64,
    /// First day of departure.
    pub from: Date,
    /// Rows of a million that are damaged.
    pub errors: u64,
    /// What is done to whole files.
    pub spoil: Vec<Spoil>,
    /// The manifest of the bundle that carried D1, which D8 corrects; made-up ones where it was not sent.
    pub corrects: Option<Digest>,
}

/// A file that was made.
#[derive(Debug)]
pub struct Made {
    /// Of which dataset.
    pub dataset: Dataset,
    /// Where it lies.
    pub path: PathBuf,
    /// Rows below the header.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of it.
    pub digest: Digest,
    /// What is wrong with its rows.
    pub damaged: Vec<Damaged>,
}

/// What could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", path.display())]
pub struct MakeError {
    /// Where.
    pub path: PathBuf,
    /// Why.
    pub error: io::Error,
}

/// Told how many rows of a dataset are written, and about how many there will be.
pub type Progress<'a> = &'a mut dyn FnMut(Dataset, u64, u64);

/// An exercise that is planned: makes its tables, and knows the answers.
#[derive(Debug)]
pub struct Exercise {
    wish: Wish,
    plan: Plan,
}

impl Exercise {
    /// Plans it: some two bytes of memory for each traveller.
    #[must_use]
    pub fn plan(wish: Wish) -> Self {
        let from = Day::of(wish.from);
        let plan = match *wish.datasets.as_slice() {
            [one] => {
                let rows = wish.rows.unwrap_or_else(|| one.usual_rows());
                let travellers = one.travellers_for(rows);
                if one == Dataset::Figures {
                    let days = travellers / FIGURES_PER_DAY + 1;
                    Plan::over(wish.seed, from, travellers, days)
                } else {
                    Plan::new(wish.seed, from, travellers)
                }
            }
            _ => {
                let travellers = wish.rows.unwrap_or(Dataset::UmrahManifest.usual_rows());
                Plan::new(wish.seed, from, travellers)
            }
        };
        Self { wish, plan }
    }

    /// What a ministry would ask, and the answers, where manifests, register and crossings are all made.
    #[must_use]
    pub fn answers(&self) -> Option<Answers> {
        let needed = [
            Dataset::UmrahManifest,
            Dataset::Register,
            Dataset::Crossings,
        ];
        let has = |dataset| self.wish.datasets.contains(dataset);
        let is_whole = needed.iter().all(has);
        is_whole.then(|| Answers::of(&self.plan, &BTreeMap::new()))
    }

    /// The same once D8, where it is made too, was applied.
    #[must_use]
    pub fn answers_corrected(&self) -> Option<Answers> {
        let is_made = self.wish.datasets.contains(&Dataset::Corrections);
        let rows = self.rows_max(Dataset::Corrections);
        let after = || Answers::of(&self.plan, &corrections::changes(&self.plan, rows));
        (is_made && self.answers().is_some()).then(after)
    }

    /// Makes one table in `folder`, which must be there.
    ///
    /// # Errors
    /// There is a file of that name already, or it cannot be written.
    pub fn make(
        &self,
        dataset: Dataset,
        folder: &Path,
        progress: Progress<'_>,
    ) -> Result<Made, MakeError> {
        let path = folder.join(format!("{}.csv", dataset.name()));
        let unfinished = path.with_extension(format!("csv.{UNFINISHED}"));
        let failed = |error| MakeError {
            path: path.clone(),
            error,
        };
        if path.symlink_metadata().is_ok() {
            return Err(failed(io::ErrorKind::AlreadyExists.into()));
        }
        let made = self.write(dataset, &unfinished, progress);
        let made = made.map_err(|error| {
            // A disk that is full is not left full.
            let _ = std::fs::remove_file(&unfinished);
            failed(error)
        })?;
        std::fs::rename(&unfinished, &path).map_err(failed)?;
        Ok(Made { path, ..made })
    }

    fn write(&self, dataset: Dataset, path: &Path, progress: Progress<'_>) -> io::Result<Made> {
        let columns = dataset.columns();
        // In every table other rows.
        let place = (1..)
            .zip(Dataset::all())
            .find(|(_, known)| *known == dataset);
        let seed = self.wish.seed ^ place.map_or(0, |(place, _)| place << 48);
        let damager = Damager::new(&columns, seed, self.wish.errors, &self.wish.spoil);
        let mut writing = Writing::begin(path, damager)?;
        let (most, expected) = (self.rows_max(dataset), self.rows_expected(dataset));
        let mut failure = None;
        let mut put = |row: &mut Row| {
            if let Err(error) = writing.row(row) {
                failure = Some(error);
                return ControlFlow::Break(());
            }
            if writing.rows % REPORT_ROWS == 0 {
                progress(dataset, writing.rows, expected);
            }
            if writing.rows >= most {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        if most > 0 {
            // Broken off where there are enough rows, or one could not be written.
            let _ = self.rows(dataset, &mut put);
        }
        if let Some(error) = failure {
            return Err(error);
        }
        let (digest, bytes) = writing.finish()?;
        Ok(Made {
            dataset,
            path: path.to_owned(),
            rows: writing.rows,
            bytes,
            digest,
            damaged: writing.damager.finish(),
        })
    }

    fn is_alone(&self) -> bool {
        self.wish.datasets.len() == 1
    }

    /// Where a table is cut: one alone has exactly the rows wished for.
    fn rows_max(&self, dataset: Dataset) -> u64 {
        let beside = dataset.rows_beside(self.plan.travellers);
        if self.is_alone() {
            self.wish.rows.unwrap_or_else(|| dataset.usual_rows())
        } else {
            beside.unwrap_or(u64::MAX)
        }
    }

    fn rows_expected(&self, dataset: Dataset) -> u64 {
        let max = self.rows_max(dataset);
        if max < u64::MAX {
            return max;
        }
        let groups = u64::try_from(self.plan.groups.len()).unwrap_or(u64::MAX);
        match dataset {
            Dataset::UmrahManifest => self.plan.travellers * 78 / 100,
            Dataset::Crossings => self.plan.travellers * 197 / 100,
            Dataset::FindingPeople => groups * 6,
            Dataset::Findings => groups / 4,
            Dataset::HajjManifest
            | Dataset::Register
            | Dataset::PassportQuery
            | Dataset::PassportReply
            | Dataset::FollowUps
            | Dataset::Corrections
            | Dataset::Figures => groups / 2,
        }
    }

    fn rows(&self, dataset: Dataset, put: umrah::Put<'_>) -> ControlFlow<()> {
        let (plan, rows) = (&self.plan, self.rows_max(dataset));
        let row = &mut Row::default();
        match dataset {
            Dataset::UmrahManifest => umrah::manifest(plan, row, put),
            Dataset::HajjManifest => hajj::manifest(plan, rows, row, put),
            Dataset::Register => umrah::register(plan, rows, row, put),
            Dataset::Crossings => crossings::crossings(plan, row, put),
            Dataset::PassportQuery => queries::questions(plan, rows, row, put),
            Dataset::PassportReply => queries::answers(plan, rows, row, put),
            Dataset::Findings => findings::all(plan, row, put),
            Dataset::FindingPeople => findings::people(plan, row, put),
            Dataset::FollowUps => findings::follow_ups(plan, row, put),
            Dataset::Corrections => {
                corrections::corrections(plan, self.wish.corrects.as_ref(), row, put)
            }
            Dataset::Figures => figures::figures(plan, row, put),
        }
    }
}

/// A file that is being written.
struct Writing<'a> {
    /// Taken at the end.
    out: Option<HashingWriter<BufWriter<File>>>,
    damager: Damager<'a>,
    rows: u64,
}

impl<'a> Writing<'a> {
    fn begin(path: &Path, damager: Damager<'a>) -> io::Result<Self> {
        let mut header = damager.header();
        header.push(b'\n');
        let file = BufWriter::with_capacity(BUFFER, File::create(path)?);
        let mut out = HashingWriter::new(file);
        out.write_all(&header)?;
        Ok(Self {
            out: Some(out),
            damager,
            rows: 0,
        })
    }

    fn row(&mut self, row: &mut Row) -> io::Result<()> {
        self.rows += 1;
        let Some(out) = &mut self.out else {
            return Ok(());
        };
        if self.damager.is_idle() {
            return out.write_all(row.line());
        }
        let mut line = self.damager.row(self.rows, row.bytes());
        line.push(b'\n');
        out.write_all(&line)
    }

    fn finish(&mut self) -> io::Result<(Digest, u64)> {
        let Some(out) = self.out.take() else {
            return Err(io::ErrorKind::Other.into());
        };
        let (file, digest, bytes) = out.finish();
        file.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok((digest, bytes))
    }
}
