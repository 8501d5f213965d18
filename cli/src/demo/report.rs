//! The end of the demo: a table of what happened, the totals, and the same as JSON (`amanah-demo/1`). It only tells: whether
//! all was as it must be was found out before, and is asked here in one place.

use std::path::Path;

use amanahd::catalogue::shown;
use anyhow::Result;
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;
use serde_json::json;

use super::attacks::Attack;
use super::exchange::Arrived;
use super::questions::Asked;
use super::tables::{Table as Sent, Tables};
use super::telling::{Telling, size};
use super::texts;

/// Most bundles that the table shows; the totals count all.
const ROWS_MAX: usize = 60;

/// Everything that the demo found out.
#[derive(Default)]
pub(crate) struct Report {
    /// What arrived.
    pub(crate) arrived: Vec<Arrived>,
    /// What became of the datasets.
    pub(crate) tables: Tables,
    /// What the ministries asked of them.
    pub(crate) asked: Vec<Asked>,
    /// What was tried.
    pub(crate) attacks: Vec<Attack>,
    /// Receipts that `amanah verify` found valid.
    pub(crate) receipts: usize,
    /// Ledgers that `amanah ledger verify` found intact.
    pub(crate) ledgers: usize,
    /// Milliseconds from the first drop to the last receipt of the exchange proper.
    pub(crate) exchange_millis: u64,
    /// The commands to verify by hand; empty where nothing is kept.
    pub(crate) commands: Vec<ByHand>,
}

/// A command with stock tools and what it shows.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ByHand {
    /// What it shows.
    pub(crate) shows: String,
    /// For a shell.
    pub(crate) command: String,
}

/// The row of a table of a dataset.
fn row_of(sent: &Sent, telling: &Telling<'_, '_>) -> [String; 5] {
    let Sent { arrived, rows, .. } = sent;
    [
        arrived.item.flow.to_string(),
        format!("{} → {}", arrived.item.from, arrived.item.to),
        telling.text(texts::ROWS, &[&telling.count(*rows)]),
        telling.text(texts::IMPORTED, &[]),
        format!("{} ms", arrived.millis),
    ]
}

impl Report {
    /// Whether all was as it must be. What did not arrive at all ended the demo before.
    pub(crate) fn is_good(&self) -> bool {
        let attacked = !self.attacks.is_empty();
        let asked = !self.asked.is_empty();
        attacked
            && asked
            && self.attacks.iter().all(Attack::is_as_expected)
            && self.asked.iter().all(|asked| asked.wrong.is_empty())
            && self.tables.is_good()
    }

    /// The table, the totals, the verdict.
    pub(crate) fn tell(&self, telling: &mut Telling<'_, '_>) -> Result<()> {
        telling.line("")?;
        let table = self.table(telling).to_string();
        telling.line(&table)?;
        self.tell_totals(telling)?;
        telling.say(
            if self.is_good() {
                texts::ALL_GOOD
            } else {
                texts::NOT_GOOD
            },
            &[],
        )
    }

    /// A row for each bundle, named after its first item, then one for each attack.
    fn table(&self, telling: &Telling<'_, '_>) -> Table {
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED);
        let columns = [
            texts::COLUMN_ITEM,
            texts::COLUMN_WAY,
            texts::COLUMN_BYTES,
            texts::COLUMN_OUTCOME,
            texts::COLUMN_TIME,
        ];
        table.set_header(columns.map(|column| telling.text(column, &[])));
        let bundles = self.bundles();
        for items in bundles.iter().take(ROWS_MAX) {
            let Some((first, more)) = items.split_first() else {
                continue;
            };
            let name = shown(&first.item.name.to_string_lossy());
            let name = if more.is_empty() {
                name
            } else {
                telling.text(texts::AND_MORE, &[&name, &more.len()])
            };
            let bytes = items.iter().map(|arrived| arrived.item.bytes()).sum();
            let millis = items
                .iter()
                .map(|arrived| arrived.millis)
                .max()
                .unwrap_or_default();
            let way = format!("{} → {}", first.item.from, first.item.to);
            table.add_row([
                name,
                way,
                size(bytes),
                telling.text(texts::IMPORTED, &[]),
                format!("{millis} ms"),
            ]);
        }
        for sent in &self.tables.arrived {
            table.add_row(row_of(sent, telling));
        }
        for attack in &self.attacks {
            let name = telling.text(attack.kind.text, &[]);
            table.add_row([
                name,
                attack.way.clone(),
                String::new(),
                telling.outcome(attack),
                String::new(),
            ]);
        }
        for place in [2, 4] {
            if let Some(column) = table.column_mut(place) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }

    /// What arrived, by the bundle that carried it, in the order of arrival.
    fn bundles(&self) -> Vec<Vec<&Arrived>> {
        let mut bundles: Vec<Vec<&Arrived>> = Vec::new();
        for arrived in &self.arrived {
            let same = |items: &&mut Vec<&Arrived>| {
                items
                    .first()
                    .is_some_and(|first| first.manifest == arrived.manifest)
            };
            match bundles.iter_mut().find(same) {
                Some(items) => items.push(arrived),
                None => bundles.push(vec![arrived]),
            }
        }
        bundles
    }

    fn tell_totals(&self, telling: &mut Telling<'_, '_>) -> Result<()> {
        let mut times: Vec<u64> = self.arrived.iter().map(|arrived| arrived.millis).collect();
        times.sort_unstable();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        let longest = times.last().copied().unwrap_or_default();
        let seconds = format!(
            "{:.1}",
            std::time::Duration::from_millis(self.exchange_millis).as_secs_f64()
        );
        telling.say(
            texts::TOTAL,
            &[
                &self.arrived.len(),
                &size(self.bytes()),
                &seconds,
                &median,
                &longest,
            ],
        )?;
        let seconds = std::time::Duration::from_millis(self.tables.millis).as_secs_f64();
        let rows = telling.count(self.tables.rows());
        let values: [&dyn std::fmt::Display; 3] =
            [&self.tables.arrived.len(), &rows, &format!("{seconds:.1}")];
        telling.say(texts::TOTAL_ROWS, &values)
    }

    fn bytes(&self) -> u64 {
        self.arrived
            .iter()
            .map(|arrived| arrived.item.bytes())
            .sum()
    }

    /// The commands for stock tools.
    pub(crate) fn tell_commands(&self, telling: &mut Telling<'_, '_>) -> Result<()> {
        for ByHand { shows, command } in &self.commands {
            telling.line(&format!("   # {shows}\n   {command}"))?;
        }
        Ok(())
    }

    /// The same as facts.
    pub(crate) fn to_json(&self, kept: Option<&Path>, millis: u64) -> serde_json::Value {
        let items = self.arrived.iter().map(|arrived| {
            let item = &arrived.item;
            json!({
                "name": item.name.to_string_lossy(), "from": item.from, "to": item.to, "flow": item.flow,
                "files": item.tree.len(), "bytes": item.bytes(), "outcome": "imported",
                "bundle": arrived.bundle, "manifest": arrived.manifest, "millis": arrived.millis,
            })
        });
        let attacks = self.attacks.iter().map(|attack| {
            json!({
                "attack": attack.kind.name, "expected": attack.kind.expected, "got": attack.got,
                "imported": attack.imported, "as_expected": attack.is_as_expected(),
            })
        });
        let tables = self.tables.arrived.iter().map(|table| {
            let Sent { dataset, arrived, rows } = table;
            let item = &arrived.item;
            json!({
                "dataset": dataset.code().to_uppercase(), "flow": item.flow, "from": item.from, "to": item.to,
                "rows": rows, "outcome": "imported", "manifest": arrived.manifest, "millis": arrived.millis,
            })
        });
        let asked = self.asked.iter().map(|asked| {
            json!({
                "party": asked.party, "answers": asked.found, "lapsed_groups": asked.groups,
                "differences": asked.wrong,
            })
        });
        let refused = &self.tables.refused;
        json!({
            "format": "amanah-demo/1", "as_expected": self.is_good(), "millis": millis,
            "exchange_millis": self.exchange_millis, "bytes": self.bytes(),
            "items": items.collect::<Vec<_>>(), "attacks": attacks.collect::<Vec<_>>(),
            "tables": tables.collect::<Vec<_>>(), "questions": asked.collect::<Vec<_>>(),
            "table_returned": {"code": refused.code, "report": refused.report},
            "receipts_verified": self.receipts, "ledgers_verified": self.ledgers,
            "kept": kept, "commands": self.commands,
        })
    }
}
