//! A table is checked before it is dropped, by the agreement that the daemon would send it under: who drops it hears of what only
//! warns, which nothing else tells, and of what would come back anyway before it is copied. The daemon checks again, and decides.

use std::path::Path;

use amanahd::{
    catalogue::{faces::traffic, shown},
    config::{checked::Config, judged},
    engine::policy::Size,
};

use super::Wanted;
use crate::{
    check_table::{self, Terms},
    exit::{Exit, Outcome},
    papers,
    screen::Screen,
};

/// What tables of the flow must keep; none where it carries files, or where only the daemon can tell.
pub(super) fn terms(wanted: &Wanted, config: &Config) -> Option<Terms> {
    let (judged, now) = (judged::as_published(&config.home), papers::now());
    let read = config.policy_again(now, &|digest| judged.contains(digest));
    let (policy, _) = read.ok()?;
    let size = Size {
        bytes: 0,
        entries: 1,
    };
    let permit = policy.may_send(&wanted.peer, &wanted.flow, size, now);
    let terms = permit.ok()?.table?;
    Some(Terms {
        schema: terms.schema,
        rows_max: terms.rows_max,
        totals: terms.totals,
    })
}

/// Says what is wrong with a table, beside the facts.
///
/// # Errors
/// It would come back.
pub(super) fn look(path: &Path, terms: &Terms, screen: &mut Screen<'_>) -> Outcome<()> {
    if path.is_dir() {
        let name = shown(&path.display().to_string());
        return Err(screen.failure(Exit::Usage, traffic::ONE_TABLE, &[&name]));
    }
    // What else is no file is told when it is copied.
    if !path.symlink_metadata().is_ok_and(|there| there.is_file()) {
        return Ok(());
    }
    let (checked, dialect) = check_table::check(terms, path)?;
    let findings = checked.report.findings();
    if findings.is_empty() {
        return Ok(());
    }
    let name = shown(&path.display().to_string());
    let lines = check_table::lines(&checked, dialect, terms, screen).join("\n");
    if checked.report.refusal().is_none() {
        return screen.hint(traffic::TABLE_WARNS, &[&name, &lines]);
    }
    Err(screen.failure(Exit::Negative, traffic::TABLE_UNFIT, &[&name, &lines]))
}
