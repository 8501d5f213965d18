//! D8 `ralat`: rows of the umrah manifest that are replaced or withdrawn, by the bundle that carried them and their key. What replaces
//! a row is the whole row as it should have been, as JSON. Who is corrected follows from the plan alone, so that the answer key knows
//! it too; the bundle is known only when the manifest was sent.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use amanah_format::digest::Digest;
use serde_json::{Map, Value};

use super::dataset::Dataset;
use super::day::Moment;
use super::dice::{Dice, Purpose};
use super::plan::{Group, Kind, Plan};
use super::row::Row;
use super::traveller::Traveller;
use super::umrah::{Listing, Put};

/// One of so many registered travellers is corrected.
const ONE_IN: u64 = 7;

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// Another takes its place: the name is that of the passport.
    Replaced,
    /// It is taken away.
    Withdrawn,
}

/// One correction.
struct Correction<'a> {
    number: u64,
    group: &'a Group,
    traveller: Traveller,
    change: Change,
    /// Of a bundle that nobody sent.
    made_up: String,
    dice: Dice,
}

/// All of them, in the order of the manifest. Whoever is in two manifests is left alone: which of the two is wrong, a person decides.
fn drawn(plan: &Plan) -> impl Iterator<Item = Correction<'_>> {
    let groups = plan.groups.iter().filter(|g| g.kind != Kind::Unlisted);
    let travellers = groups.flat_map(|group| {
        let travellers = group.travellers().map(|n| plan.traveller(group, n));
        travellers.map(move |traveller| (group, traveller))
    });
    let chosen = travellers.filter(|(_, traveller)| {
        let fate = traveller.fate;
        fate.is_listed && !fate.is_twice && traveller.number % ONE_IN == 0
    });
    (1..).zip(chosen).map(|(number, (group, traveller))| {
        let mut dice = Dice::of(plan.seed, Purpose::Correction, number);
        let made_up = (0..4).map(|_| format!("{:016x}", dice.bits())).collect();
        let change = if dice.happens(700) {
            Change::Replaced
        } else {
            Change::Withdrawn
        };
        Correction {
            number,
            group,
            traveller,
            change,
            made_up,
            dice,
        }
    })
}

/// What the first `rows` corrections do, by the traveller's number.
pub(crate) fn changes(plan: &Plan, rows: u64) -> BTreeMap<u64, Change> {
    let rows = usize::try_from(rows).unwrap_or(usize::MAX);
    let first = drawn(plan).take(rows);
    first
        .map(|one| (one.traveller.number, one.change))
        .collect()
}

/// D8; of the bundle `sent`, or of made-up ones.
pub(crate) fn corrections(
    plan: &Plan,
    sent: Option<&Digest>,
    row: &mut Row,
    put: Put<'_>,
) -> ControlFlow<()> {
    let columns = Dataset::UmrahManifest.columns();
    let mut listed = Row::default();
    for correction in drawn(plan) {
        let traveller = &correction.traveller;
        let name = traveller.person.name(" ");
        Listing::of(plan, correction.group).row(traveller, &name, &mut listed);
        correction.row(plan, sent, &object(&columns, &listed), row);
        put(row)?;
    }
    ControlFlow::Continue(())
}

impl Correction<'_> {
    fn row(mut self, plan: &Plan, sent: Option<&Digest>, whole: &str, row: &mut Row) {
        let (year, ..) = plan.from.civil();
        row.clear();
        row.text(&format!("RAL-{year:04}-{:06}", self.number))
            .text(Dataset::UmrahManifest.name());
        match sent {
            Some(sent) => row.text(&sent.to_string()),
            None => row.joined(&["sha256:", &self.made_up]),
        };
        row.coded("UJI-", self.traveller.number + 1, 9);
        let replaces = self.change == Change::Replaced;
        row.text(if replaces { "GANTI" } else { "TARIK" });
        row.text(if replaces {
            "SALAH_KETIK"
        } else {
            self.dice
                .one_of(&["PEMBATALAN", "PERMINTAAN_SUBJEK", "SALAH_ORANG"])
        });
        row.moment(Moment {
            day: plan
                .from
                .plus(i64::try_from(1 + self.dice.below(5)).unwrap_or(1)),
            minute: i64::try_from(480 + self.dice.below(480)).unwrap_or(0),
            zone: 7,
        });
        if replaces {
            row.quoted(whole);
        } else {
            row.nothing();
        }
    }
}

/// The row as a JSON object; its cells hold no quotes.
fn object(columns: &[String], row: &Row) -> String {
    let text = String::from_utf8_lossy(row.bytes());
    let cells = columns.iter().zip(text.split(','));
    let object: Map<String, Value> = cells
        .map(|(column, cell)| (column.clone(), Value::from(cell)))
        .collect();
    Value::Object(object).to_string()
}
