//! The agreement on the ministries' datasets, made from the example of `docs/datasets`: the same flows under the same schemas, between
//! the two cards of the demo, in force since yesterday; beside them a flow of files each way, for whatever else is sent.

use std::fs;
use std::path::{Path, PathBuf};

use amanah_format::card::VerifiedCard;
use amanah_format::home;
use amanah_format::time::UtcTime;
use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::ministry::Ministry;
use crate::drill::Dataset;

/// The id of the example, and of what is made from it.
pub(super) const ID: &str = "pks-jemaah";
/// Flows of files, to Imigrasi and from there.
pub(super) const FILES: [&str; 2] = ["lampiran-phu", "lampiran-imigrasi"];

const EXAMPLE: &str = include_str!("../../../docs/datasets/perjanjian.json");
/// Whom the example calls by another name than the demo does.
const CALLED: (&str, &str) = ("kemenhaj", "phu");
const NAME: &str = "perjanjian.json";
const DAY_SECS: i64 = 24 * 60 * 60;
/// Days in force.
const DAYS: i64 = 365;

/// Lays out the draft and its schemas in `folder`; where the draft is.
pub(super) fn lay_out(folder: &Path, both: [&Ministry; 2], bytes_max: u64) -> Result<PathBuf> {
    fs::create_dir_all(folder)?;
    for dataset in Dataset::all() {
        let name = format!("{}-{}.schema.json", dataset.code(), dataset.name());
        fs::write(folder.join(name), dataset.schema())?;
    }
    let mut text: Value = serde_json::from_str(&EXAMPLE.replace(CALLED.0, CALLED.1))?;
    let parties = text.get_mut("parties").and_then(Value::as_array_mut);
    for (party, ministry) in parties.context("no parties")?.iter_mut().zip(both) {
        let card = fs::read(
            ministry
                .folder()
                .join(home::CARDS)
                .join(home::card_file(ministry.party())),
        )?;
        let card = VerifiedCard::verify(&card)?;
        put(party, "name", json!(card.card().name));
        put(party, "card", json!(card.digest()));
    }
    let now = UtcTime::from_unix(jiff::Timestamp::now().as_second())?;
    put(&mut text, "effective", json!(now.plus_secs(-DAY_SECS)));
    put(&mut text, "ends", json!(now.plus_secs(DAYS * DAY_SECS)));
    let flows = text.get_mut("flows").and_then(Value::as_array_mut);
    let flows = flows.context("no flows")?;
    let [phu, imigrasi] = both.map(Ministry::party);
    for (name, (from, to)) in FILES.iter().zip([(phu, imigrasi), (imigrasi, phu)]) {
        flows.push(json!({
            "name": name, "from": from, "to": to, "purpose": ["PENERTIBAN"], "bytes_max": bytes_max,
        }));
    }
    let path = folder.join(NAME);
    fs::write(&path, serde_json::to_vec_pretty(&text)?)?;
    Ok(path)
}

fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}
