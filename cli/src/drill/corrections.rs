//! D8 `ralat`: rows of the umrah manifest that are replaced or withdrawn, by their key. What replaces a row is the whole row as it
//! should have been, as JSON.

use std::ops::ControlFlow;

use serde_json::{Map, Value};

use super::dataset::Dataset;
use super::day::Moment;
use super::dice::{Dice, Purpose};
use super::plan::{Kind, Plan};
use super::row::Row;
use super::traveller::Traveller;
use super::umrah::{Listing, Put};

/// One of so many registered travellers is corrected.
const ONE_IN: u64 = 7;

/// D8.
pub(crate) fn corrections(plan: &Plan, row: &mut Row, put: Put<'_>) -> ControlFlow<()> {
    let columns = Dataset::UmrahManifest.columns();
    let mut listed = Row::default();
    let mut number = 0;
    for group in plan.groups.iter().filter(|g| g.kind != Kind::Unlisted) {
        let listing = Listing::of(plan, group);
        for traveller in group.travellers().map(|n| plan.traveller(group, n)) {
            if !traveller.fate.is_listed || traveller.number % ONE_IN != 0 {
                continue;
            }
            number += 1;
            listing.row(&traveller, &traveller.person.name(" "), &mut listed);
            correction(plan, (number, &traveller), &object(&columns, &listed), row);
            put(row)?;
        }
    }
    ControlFlow::Continue(())
}

fn correction(plan: &Plan, (number, traveller): (u64, &Traveller), whole: &str, row: &mut Row) {
    let mut dice = Dice::of(plan.seed, Purpose::Correction, number);
    let (year, ..) = plan.from.civil();
    let bundle: String = (0..4).map(|_| format!("{:016x}", dice.bits())).collect();
    row.clear();
    row.text(&format!("RAL-{year:04}-{number:06}"))
        .text("manifes-umrah");
    row.joined(&["sha256:", &bundle])
        .coded("UJI-", traveller.number + 1, 9);
    let replaces = dice.happens(700);
    row.text(if replaces { "GANTI" } else { "TARIK" });
    row.text(if replaces {
        "SALAH_KETIK"
    } else {
        dice.one_of(&["PEMBATALAN", "PERMINTAAN_SUBJEK", "SALAH_ORANG"])
    });
    row.moment(Moment {
        day: plan
            .from
            .plus(i64::try_from(1 + dice.below(5)).unwrap_or(1)),
        minute: i64::try_from(480 + dice.below(480)).unwrap_or(0),
        zone: 7,
    });
    if replaces {
        row.quoted(whole);
    } else {
        row.nothing();
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
