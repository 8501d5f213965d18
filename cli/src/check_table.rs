//! `amanah check-table`: a table against its schema, before anybody drops it: the very check that the daemon makes before sealing.
//! It needs no configuration and no daemon, so that who produces tables can run it where they are made.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use amanah_format::{
    agreement::FlowKind,
    id::FlowName,
    table::{Checked, Dialect, Plan, Schema, Spill, check_on, check_threads},
};
use amanahd::catalogue::{faces::traffic as face, shown, table as words};
use serde_json::json;

use crate::{
    exit::{Exit, Failure, Outcome},
    papers,
    screen::Screen,
};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  amanah check-table manifes-umrah.schema.json manifes-2026-11-22.csv\n  \
                  amanah check-table --flow manifes-umrah pks-manifes-v1.agreement.amanah manifes.csv"
)]
pub(crate) struct Wanted {
    /// The schema file, or with --flow the agreement that pins it
    schema: PathBuf,
    /// The table: CSV, or JSON Lines where its name ends in .jsonl or .ndjson
    table: PathBuf,
    /// The flow of the agreement
    #[arg(long, value_name = "FLOW")]
    flow: Option<FlowName>,
}

/// What is checked against.
pub(crate) struct Terms {
    pub(crate) schema: Arc<Schema>,
    pub(crate) rows_max: Option<u64>,
    pub(crate) totals: Vec<usize>,
}

pub(crate) fn run(wanted: &Wanted, screen: &mut Screen<'_>) -> Outcome {
    let terms = match &wanted.flow {
        None => of_schema(&wanted.schema)?,
        Some(flow) => of_agreement(&wanted.schema, flow, screen)?,
    };
    let (checked, dialect) = check(&terms, &wanted.table)?;
    let refusal = checked.report.refusal();
    if screen.json {
        screen.facts(&json!({
            "format": "amanah-table-check/1", "schema": terms.schema.digest(), "sound": refusal.is_none(),
            "code": refusal, "rows": checked.rows, "totals": checked.totals, "findings": checked.report.findings(),
        }))?;
    } else {
        for line in lines(&checked, dialect, &terms, screen) {
            screen.line(&line)?;
        }
        for (column, total) in checked.totals.iter().filter(|_| refusal.is_none()) {
            screen.say(words::TOTAL, &[column, total])?;
        }
    }
    Ok(if refusal.is_none() {
        Exit::Ok
    } else {
        Exit::Negative
    })
}

/// Checks a file as the daemon does before sealing.
pub(crate) fn check(terms: &Terms, path: &Path) -> Outcome<(Checked, Dialect)> {
    let io = |error: io::Error| Failure::io(path, &error);
    let mut content = File::open(path).map_err(io)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut key = [0_u8; 16];
    getrandom::fill(&mut key).map_err(|error| Failure::new(Exit::Io, error))?;
    let dialect = Dialect::of_name(&name);
    let plan = Plan {
        schema: &terms.schema,
        dialect,
        rows_max: terms.rows_max,
        totals: &terms.totals,
        key,
    };
    let mut scratch = Scratch(None);
    let checked = check_on(check_threads(), &mut content, &plan, &mut scratch, None);
    Ok((checked.map_err(io)?, dialect))
}

/// What was found, in the screen's language.
pub(crate) fn lines(
    checked: &Checked,
    dialect: Dialect,
    terms: &Terms,
    screen: &Screen<'_>,
) -> Vec<String> {
    let shown = words::Shown {
        language: screen.language,
        dialect,
        schema: &terms.schema,
    };
    shown.lines(checked)
}

fn of_schema(path: &Path) -> Outcome<Terms> {
    let schema = Schema::parse(&papers::read(path)?);
    let schema = schema.map_err(|error| papers::malformed(path, shown(&error.to_string())))?;
    let totals = schema.totals().to_vec();
    Ok(Terms {
        schema: Arc::new(schema),
        rows_max: None,
        totals,
    })
}

/// The schema that a flow of an agreement pins; its signatures are not judged here.
fn of_agreement(path: &Path, flow: &FlowName, screen: &Screen<'_>) -> Outcome<Terms> {
    let missing = || {
        let place = path.display();
        screen.failure(Exit::Missing, face::NO_TABLE_FLOW, &[&place, flow])
    };
    let (file, text) = papers::read_agreement(path)?;
    let agreed = text.flow(flow).filter(|flow| flow.kind == FlowKind::Table);
    let agreed = agreed.ok_or_else(missing)?;
    let mut files = file.schema_files();
    let pinned = files.find(|(digest, _)| agreed.schema == Some(*digest));
    let (_, bytes) = pinned.ok_or_else(missing)?;
    let schema = Schema::parse(bytes).map_err(|error| papers::malformed(path, error))?;
    let totals = agreed.totals.iter().filter_map(|name| schema.place(name));
    Ok(Terms {
        totals: totals.collect(),
        rows_max: agreed.records_max,
        schema: Arc::new(schema),
    })
}

/// Where hashes spill: a file without a name, gone with this process.
struct Scratch(Option<File>);

impl Spill for Scratch {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut file = match self.0.take() {
            Some(file) => file,
            None => tempfile::tempfile()?,
        };
        let written = file.write_all(bytes);
        self.0 = Some(file);
        written
    }

    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let file = self.0.as_ref().ok_or(io::ErrorKind::UnexpectedEof)?;
        file.read_exact_at(into, offset)
    }
}
