//! What the doctor says: the worst first, each with its remedy; or as JSON, in both languages at once, for whoever collects
//! it. `amanah-doctor/1` is stable: members are added, never changed.

use amanahd::catalogue::{Language, Text, faces::doctor as face};
use serde_json::json;

use super::{Finding, Findings, Severity};
use crate::{
    exit::{Exit, Outcome},
    screen::Screen,
};

const BOTH: [Language; 2] = [Language::Indonesian, Language::English];

/// Exit 1 where something is wrong; warnings and notes change no exit code.
pub(super) fn print(findings: Findings, screen: &mut Screen<'_>) -> Outcome {
    let Findings {
        looked_at,
        mut found,
    } = findings;
    found.sort_by_key(|finding| finding.severity);
    let count = |severity| found.iter().filter(|one| one.severity == severity).count();
    let wrong = count(Severity::Error);
    if screen.json {
        screen.facts(&json!({
            "format": "amanah-doctor/1",
            "checked": looked_at,
            "healthy": wrong == 0,
            "findings": found.iter().map(fact).collect::<Vec<_>>(),
        }))?;
    } else {
        for finding in &found {
            tell(finding, screen)?;
        }
        let areas = looked_at.iter().filter_map(|code| face::area(code));
        let areas: Vec<String> = areas.map(|area| screen.text(area, &[])).collect();
        let areas = areas.join(", ");
        if found.is_empty() {
            screen.say(face::GOOD, &[&areas])?;
        } else {
            let (warnings, notes) = (count(Severity::Warning), count(Severity::Note));
            screen.say(face::TOTAL, &[&areas, &wrong, &warnings, &notes])?;
        }
    }
    Ok(if wrong == 0 { Exit::Ok } else { Exit::Negative })
}

fn filled(text: Text, finding: &Finding, language: Language) -> String {
    let values: Vec<&dyn std::fmt::Display> = finding
        .values
        .iter()
        .map(|value| -> &dyn std::fmt::Display { value })
        .collect();
    text.with(language, &values)
}

fn tell(finding: &Finding, screen: &mut Screen<'_>) -> Outcome<()> {
    let word = match finding.severity {
        Severity::Error => face::ERROR,
        Severity::Warning => face::WARNING,
        Severity::Note => face::NOTE,
    };
    let word = screen.text(word, &[]);
    let what = filled(finding.advice.what, finding, screen.language);
    screen.say(face::LINE, &[&word, &finding.advice.code, &what])?;
    let remedy = filled(finding.advice.remedy, finding, screen.language);
    screen.say(face::REMEDY, &[&remedy])
}

fn fact(finding: &Finding) -> serde_json::Value {
    let said = |text: Text| {
        let pairs = BOTH.map(|language| (language.code(), filled(text, finding, language)));
        serde_json::Value::from_iter(pairs)
    };
    json!({
        "code": finding.advice.code,
        "severity": finding.severity,
        "values": finding.values,
        "what": said(finding.advice.what),
        "remedy": said(finding.advice.remedy),
    })
}
