//! What an agreement must hold to before anybody signs it, and again whenever it is read. FORMAT.md §12.
//! Judged without a clock and without keys: dates only against each other, signatures in `agreement`. Bounds are
//! generous, so that they refuse slips of the pen and never a real agreement.

use std::collections::HashSet;

use super::{Agreement, AgreementError, Flow, FlowKind, Import, Party};
use crate::document::is_plain_up_to;
use crate::manifest::is_purpose;
use crate::table::limits::ROWS_MAX;
use crate::table::{Field, Schema};

/// Most bytes that a flow may allow for one bundle: 1 TiB.
const FLOW_BYTES_MAX: u64 = 1 << 40;
/// Longest drain of the version before: a year.
const DRAIN_DAYS_MAX: u32 = 365;
/// Longest retention: a century.
const RETENTION_DAYS_MAX: u32 = 36_500;
/// Longest text in characters: a clause of a law fits.
const TEXT_CHARS_MAX: usize = 4_000;
/// Longest word of a rhythm, and longest time zone name, in characters.
const CODE_CHARS_MAX: usize = 64;

/// One rule: whether it holds, and its text.
type Rule = (bool, &'static str);

/// The text of the first rule that does not hold.
fn first_broken(rules: &[Rule]) -> Option<&'static str> {
    let broken = rules.iter().find(|(holds, _)| !holds);
    broken.map(|(_, rule)| *rule)
}

/// A text that officers read before they sign.
fn is_text(text: &str) -> bool {
    is_plain_up_to(text, TEXT_CHARS_MAX)
}

fn is_code(text: &str) -> bool {
    is_plain_up_to(text, CODE_CHARS_MAX) && !text.contains(char::is_whitespace)
}

impl Agreement {
    /// What the two parties must hold to before anybody signs: distinct parties, flows between them, unique names, known
    /// purposes, dates in order, both officers, DPIA, and texts that show as what they are.
    ///
    /// # Errors
    /// The first rule broken.
    pub fn check(&self) -> Result<(), AgreementError> {
        if let Some(rule) = first_broken(&self.whole_rules()) {
            return Err(AgreementError(rule.into()));
        }
        for party in &self.parties {
            if let Some(rule) = first_broken(&party_rules(party)) {
                return Err(AgreementError(format!("party {}: {rule}", party.id)));
            }
        }
        for flow in &self.flows {
            if let Some(rule) = first_broken(&self.flow_rules(flow)) {
                return Err(AgreementError(format!("flow {}: {rule}", flow.name)));
            }
        }
        Ok(())
    }

    fn whole_rules(&self) -> [Rule; 11] {
        let [first, second] = &self.parties;
        let mut codes = HashSet::new();
        let mut names = HashSet::new();
        [
            (first.id != second.id, "the two parties are one"),
            (first.card != second.card, "the two parties have one card"),
            (self.version >= 1, "versions start at 1"),
            (
                (self.version == 1) == self.supersedes.is_none(),
                "version 1 supersedes nothing, and every later one names the version before",
            ),
            (self.effective < self.ends, "it ends before it is effective"),
            (is_zone(&self.zone), "the time zone is no IANA name"),
            (
                self.drain_days <= DRAIN_DAYS_MAX,
                "the drain is longer than 365 days",
            ),
            (
                is_text(&self.title) && is_text(&self.dpia),
                "title and DPIA reference are plain texts",
            ),
            (
                !self.legal_basis.is_empty() && self.legal_basis.iter().all(|law| is_text(law)),
                "the legal basis is a list of plain texts, not empty",
            ),
            (
                self.purposes.iter().all(|purpose| {
                    is_purpose(&purpose.code)
                        && codes.insert(&purpose.code)
                        && is_text(&purpose.text)
                }),
                "a purpose has a code of its own and a plain text",
            ),
            (
                self.flows.iter().all(|flow| names.insert(&flow.name)),
                "two flows have one name",
            ),
        ]
    }

    fn flow_rules(&self, flow: &Flow) -> [Rule; 10] {
        let [first, second] = &self.parties;
        let (first, second) = (&first.id, &second.id);
        let between = [(first, second), (second, first)].contains(&(&flow.from, &flow.to));
        let is_known = |code: &String| self.purposes.iter().any(|known| &known.code == code);
        let rhythm = flow.rhythm.as_ref();
        let retention = &flow.retention;
        [
            (between, "it does not go from one party to the other"),
            (!flow.purpose.is_empty(), "it has no purpose"),
            (
                flow.purpose.iter().all(is_known),
                "its purpose is not among the agreement's",
            ),
            kind_rule(flow),
            (
                flow.records_max
                    .is_none_or(|most| (1..=ROWS_MAX).contains(&most)),
                "records_max is 1 to 2^36",
            ),
            (
                (1..=FLOW_BYTES_MAX).contains(&flow.bytes_max),
                "bytes_max is 1 byte to 1 TiB",
            ),
            (
                rhythm.is_none_or(|r| is_code(&r.every) && is_code(&r.by)),
                "its rhythm is two short words",
            ),
            (
                retention.days <= RETENTION_DAYS_MAX,
                "retention is longer than 36,500 days",
            ),
            (
                retention.from == "settled" && retention.action == "destroy",
                "retention counts from `settled` and ends in `destroy`",
            ),
            (
                is_text(&flow.classification),
                "the classification is a plain text",
            ),
        ]
    }
}

/// What a flow says of tables, by its kind.
fn kind_rule(flow: &Flow) -> Rule {
    match flow.kind {
        FlowKind::Files => (
            flow.schema.is_none()
                && flow.import.is_none()
                && flow.totals.is_empty()
                && flow.records_max.is_none(),
            "schema, import, totals and records_max are for tables",
        ),
        FlowKind::Table => (
            flow.schema.is_some() && flow.import.as_ref().is_some_and(is_import),
            "a table flow pins a schema, and is imported by append, by upsert with a key, or by replace",
        ),
    }
}

/// Rows are added, matched by a key, or replaced: all of them, or those of one partition.
fn is_import(import: &Import) -> bool {
    match import.mode.as_str() {
        "append" => import.partition.is_none(),
        "upsert" => import.partition.is_none() && !import.key.is_empty(),
        "replace" => true,
        _ => false,
    }
}

/// What a table flow says of columns, against the schema that it pins.
pub(super) fn broken_by_schema(flow: &Flow, schema: &Schema) -> Option<&'static str> {
    let import = flow.import.as_ref()?;
    let there = |name: &String| schema.place(name).is_some();
    let key: Option<Vec<usize>> = import.key.iter().map(|name| schema.place(name)).collect();
    let mut totals = HashSet::new();
    first_broken(&[
        (
            key.is_some_and(|key| key.is_empty() || key == schema.primary_key()),
            "import.key is empty, or the schema's primaryKey",
        ),
        (
            import.partition.as_ref().is_none_or(|name| {
                let field = schema
                    .place(name)
                    .and_then(|place| schema.fields().get(place));
                field.is_some_and(Field::is_required)
            }),
            "import.partition is a required column of the schema",
        ),
        (
            flow.totals
                .iter()
                .all(|name| there(name) && totals.insert(name)),
            "totals are columns of the schema, each once",
        ),
    ])
}

fn party_rules(party: &Party) -> [Rule; 5] {
    [
        (is_text(&party.name), "the name is a plain text"),
        (
            is_text(&party.document_number),
            "the document number is a plain text",
        ),
        (is_text(&party.signatory), "the signatory is a plain text"),
        (is_text(&party.contact), "the contact is a plain text"),
        (
            is_text(&party.data_protection_officer),
            "the data protection officer is a plain text",
        ),
    ]
}

/// Whether this could be a name of the IANA database: `Asia/Jakarta`, `Etc/GMT+7`, `UTC`.
fn is_zone(text: &str) -> bool {
    text.len() <= CODE_CHARS_MAX
        && text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.split('/').count() <= 3
        && text.split('/').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+'))
        })
}
