//! `amanah doctor`: looks at everything that keeps an exchange alive, and says for each finding what to do. It changes nothing,
//! reads no contents, and never shows a name of an item; what it cannot look at it says. Exit 1 where something is wrong.

mod daemon;
mod home;
mod machine;
mod network;
mod papers;
mod report;
mod tables;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use amanahd::catalogue::faces::doctor::{self as face, Advice};
use amanahd::config::checked::Config;
use amanahd::snapshot::Snapshot;

use crate::{
    exit::{Exit, Outcome},
    place::Place,
    screen::Screen,
    status,
};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  amanah doctor\n  amanah doctor --offline --json\n  amanah doctor --older-than 6"
)]
pub(crate) struct Wanted {
    /// Do not connect to the peers, nor to a database server
    #[arg(long)]
    offline: bool,
    /// Speak of what has not been settled for so many hours
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    older_than: u32,
}

/// How much it matters. Its order is that of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Severity {
    /// The exchange does not work, or soon will not: exit 1.
    Error,
    /// It works, and somebody should look.
    Warning,
    /// Good to know.
    Note,
}

/// One thing that was found.
#[derive(Debug, Clone)]
struct Finding {
    severity: Severity,
    advice: &'static Advice,
    /// What stands in the braces of the advice, the same in every language.
    values: Vec<String>,
}

/// What was looked at, and what was found.
#[derive(Debug, Default)]
struct Findings {
    looked_at: Vec<&'static str>,
    found: Vec<Finding>,
}

impl Findings {
    /// An area begins: its name is in the report even where it is healthy.
    fn look_at(&mut self, area: &'static str) {
        self.looked_at.push(area);
    }

    fn add<const N: usize>(
        &mut self,
        severity: Severity,
        advice: &'static Advice,
        values: [&dyn std::fmt::Display; N],
    ) {
        let values = values.map(|value| amanahd::catalogue::shown(&value.to_string()));
        self.found.push(Finding {
            severity,
            advice,
            values: values.into(),
        });
    }
}

/// What every part looks at.
struct Patient<'a> {
    config: &'a Config,
    home: PathBuf,
    snapshot: Option<Snapshot>,
    now: amanah_format::time::UtcTime,
}

pub(crate) fn run(wanted: &Wanted, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let mut findings = Findings::default();
    findings.look_at("configuration");
    let config = match place.config() {
        Ok(config) => config,
        Err(error) => {
            findings.add(Severity::Error, &face::CONFIG_WRONG, [&error]);
            report::print(findings, screen)?;
            return Ok(Exit::Config);
        }
    };
    let patient = Patient {
        home: config.home.clone(),
        snapshot: status::read(&config.home),
        now: crate::papers::now(),
        config: &config,
    };
    if let Err(error) = amanahd::supervise::check_alarm_command(&config) {
        findings.add(Severity::Error, &face::CONFIG_WRONG, [&error]);
    }
    home::look(&patient, &mut findings);
    tables::look(&patient, wanted.offline, &mut findings);
    let policy = papers::look(&patient, &mut findings);
    machine::look(&patient, &mut findings);
    daemon::look(&patient, wanted.older_than, &mut findings);
    if let Some(policy) = policy.as_ref().filter(|_| !wanted.offline) {
        network::look(&patient, policy, &mut findings)?;
    }
    report::print(findings, screen)
}
