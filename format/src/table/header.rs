//! The header against the schema's columns: exactly these, in exactly this order. Extra columns are named as the file spells them,
//! so that an operator sees what would have left; where no column is known, the first row may be data, and nothing of it is said.

use std::collections::HashSet;

use super::limits::{FIELD_NAME_BYTES_MAX, FIELDS_MAX};
use super::report::{Draft, Fault, Subject};
use super::rows::RowText;
use super::schema::Schema;

/// Notes what is wrong; `true` where rows can be read by this header.
pub(super) fn compare(schema: &Schema, header: &RowText, draft: &mut Draft) -> bool {
    let names: Vec<&str> = header.cells.iter().map(|cell| header.of(cell)).collect();
    let agreed: Vec<&str> = schema
        .fields()
        .iter()
        .map(super::schema::Field::name)
        .collect();
    if names == agreed {
        return true;
    }
    if let Some(fault) = other_separator(&agreed, &names) {
        draft.note(fault, Subject::File);
        return false;
    }
    let known = known(&agreed, &names);
    if known == 0 {
        draft.note(Fault::NoHeader, Subject::File);
        return false;
    }
    let present: HashSet<&str> = names.iter().copied().collect();
    let wanted: HashSet<&str> = agreed.iter().copied().collect();
    let mut seen = HashSet::new();
    for name in names.iter().take(2 * FIELDS_MAX) {
        let fault = match (wanted.contains(name), seen.insert(*name)) {
            (false, _) => Fault::ExtraColumn,
            (true, false) => Fault::ColumnTwice,
            (true, true) => continue,
        };
        draft.note(fault, Subject::Column(cut(name)));
    }
    for name in agreed.iter().filter(|name| !present.contains(**name)) {
        draft.note(Fault::MissingColumn, Subject::Column((*name).to_owned()));
    }
    if present == wanted && names.len() == agreed.len() {
        draft.note(Fault::ColumnOrder, Subject::File);
    }
    false
}

/// How many of the agreed names are there, whatever their case and the blanks around them.
fn known(agreed: &[&str], names: &[&str]) -> usize {
    let folded = |name: &&str| name.trim().to_lowercase();
    let there: HashSet<String> = names.iter().map(folded).collect();
    agreed
        .iter()
        .filter(|name| there.contains(&folded(name)))
        .count()
}

/// Whether the header is one of ours, with something else between its names.
fn other_separator(agreed: &[&str], names: &[&str]) -> Option<Fault> {
    let line = names.join(",");
    let by_comma = known(agreed, names);
    [(';', Fault::Semicolon), ('\t', Fault::Tabulator)]
        .into_iter()
        .find(|(mark, _)| {
            let parts: Vec<&str> = line
                .split(*mark)
                .map(|part| part.trim_matches('"'))
                .collect();
            parts.len() > 1 && known(agreed, &parts) > by_comma
        })
        .map(|(_, fault)| fault)
}

/// A foreign name, cut to what a report may hold.
fn cut(name: &str) -> String {
    name.chars().take(FIELD_NAME_BYTES_MAX).collect()
}
