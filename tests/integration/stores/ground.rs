//! A pair whose first flow is a table that lands in a database at the recipient, and what is asked of that database: by the stock
//! `sqlite3`, as whoever reads it would.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Command;

use amanah::demo::launch::Launch;
use amanah_format::home;
use amanah_tests::evidence::{verify_ledger, verify_receipts};
use amanah_tests::exchange::{Arrived, Exchange};
use amanah_tests::ministry::Ministry;
use amanah_tests::papers;
use amanahd::plant::Bug;
use amanahd::snapshot::Snapshot;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::program;

/// Travellers, fictitious by construction; every type that a column may have.
pub(crate) const SCHEMA: &str = r#"{
  "name": "uji-simpan",
  "fields": [
    {"name": "nomor", "type": "string", "constraints": {"required": true}},
    {"name": "hari", "type": "date", "constraints": {"required": true}},
    {"name": "nama", "type": "string"},
    {"name": "biaya", "type": "number"},
    {"name": "umur", "type": "integer"},
    {"name": "transit", "type": "boolean"},
    {"name": "waktu", "type": "datetime"},
    {"name": "jam", "type": "time"},
    {"name": "tahun", "type": "year"},
    {"name": "bulan", "type": "yearmonth"}
  ],
  "primaryKey": ["nomor"],
  "amanah": {"totals": ["biaya"]}
}"#;
const HEADER: &str = "nomor,hari,nama,biaya,umur,transit,waktu,jam,tahun,bulan\n";

/// A table of rows, each a number and the rest of its cells.
pub(crate) fn table(rows: &[&str]) -> String {
    format!("{HEADER}{}\n", rows.join("\n"))
}

/// A row that has only its number, a day and a name.
pub(crate) fn row(number: u32, day: &str, name: &str) -> String {
    format!("U-{number:06},{day},{name},10.50,,,,,,")
}

/// So many rows of one day, from a number on, all of one name.
pub(crate) fn rows_of(from: u32, count: u32, name: &str) -> String {
    let rows: Vec<String> = (from..from + count)
        .map(|number| row(number, "2030-01-02", name))
        .collect();
    format!("{HEADER}{}\n", rows.join("\n"))
}

/// The pair, founded; its first flow imported so; the recipient with a database.
pub(crate) fn founded(import: &Value) -> Exchange {
    let exchange = founded_bare();
    agree(&exchange, SCHEMA, import);
    database_for(&exchange);
    exchange
}

/// The pair, founded.
pub(crate) fn founded_bare() -> Exchange {
    Exchange::found(program()).unwrap()
}

/// Gives the recipient a database.
pub(crate) fn database_for(exchange: &Exchange) {
    let config = exchange.pair.imigrasi.folder().join(home::CONFIG);
    let text = fs::read_to_string(&config).unwrap();
    fs::write(config, text + "\n[store.tables]\nkind = \"sqlite\"\n").unwrap();
}

/// The same, started and connected.
pub(crate) fn connected(import: &Value) -> Exchange {
    let mut exchange = founded(import);
    exchange.pair.start().unwrap();
    exchange
}

/// The pair's agreement anew: its first flow a table of this schema. The first one is replaced, a later one is the next version.
pub(crate) fn agree(exchange: &Exchange, schema: &str, import: &Value) {
    agree_on(exchange, schema, import, None);
}

/// The same with another flow of its sender, appended, of this name and schema.
pub(crate) fn agree_with(exchange: &Exchange, import: &Value, also: Option<(&str, &str)>) {
    agree_on(exchange, SCHEMA, import, also);
}

fn agree_on(exchange: &Exchange, schema: &str, import: &Value, also: Option<(&str, &str)>) {
    let (phu, imigrasi) = (&exchange.pair.phu, &exchange.pair.imigrasi);
    let (mut text, digest) = papers::newest(phu).unwrap();
    let version = if text["flows"][0]["kind"] == json!("table") {
        text["supersedes"] = json!(digest);
        text["version"].as_u64().unwrap() + 1
    } else {
        papers::take_away([phu, imigrasi]).unwrap();
        1
    };
    text["version"] = json!(version);
    let flow = &mut text["flows"][0];
    flow["kind"] = json!("table");
    flow["schema"] = json!("uji.schema.json");
    flow["import"] = import.clone();
    flow["totals"] = json!([]);
    flow["records_max"] = json!(1_000_000);
    if let Some(also) = also {
        add_flow(exchange, &mut text, also);
    }
    let paper = |name: &str| {
        let name = format!("{version}-{name}");
        exchange.folder().join(name).to_string_lossy().into_owned()
    };
    fs::write(exchange.folder().join("uji.schema.json"), schema).unwrap();
    fs::write(paper("naskah.json"), text.to_string()).unwrap();
    let naskah = paper("naskah.json");
    phu.run(&["agreement", "draft", "--file", &naskah]).unwrap();
    let id = text["id"].as_str().unwrap();
    papers::sign_both((phu, imigrasi), id, exchange.folder()).unwrap();
}

/// Another flow like the first one.
fn add_flow(exchange: &Exchange, text: &mut Value, (name, schema): (&str, &str)) {
    let mut flow = text["flows"][0].clone();
    flow["name"] = json!(name);
    flow["schema"] = json!("juga.schema.json");
    flow["import"] = json!({"mode": "append", "key": [], "partition": null});
    text["flows"].as_array_mut().unwrap().push(flow);
    fs::write(exchange.folder().join("juga.schema.json"), schema).unwrap();
}

/// Drops a table and waits until its receipt is verified.
pub(crate) fn delivered(exchange: &mut Exchange, name: &str, text: &str) -> Arrived {
    let way = exchange.out.clone();
    let dropped = exchange.drop_text(&way, name, text).unwrap();
    exchange.settled(&[dropped]).unwrap().remove(0)
}

/// The recipient's database.
pub(crate) fn database(exchange: &Exchange) -> PathBuf {
    exchange.pair.imigrasi.path(home::TABLES)
}

/// The name of the table that the first flow lands in.
pub(crate) fn name(exchange: &Exchange) -> String {
    exchange.out.flow.as_str().replace('-', "_")
}

/// Lines of an answer; `TABEL` stands for the flow's table.
pub(crate) fn ask(exchange: &Exchange, question: &str) -> Vec<String> {
    run(exchange, &["-readonly"], question)
}

/// What whoever keeps the database does to it.
pub(crate) fn run(exchange: &Exchange, options: &[&str], words: &str) -> Vec<String> {
    let words = words.replace("TABEL", &name(exchange));
    let ran = Command::new("sqlite3")
        .args(options)
        .arg(database(exchange))
        .arg(&words)
        .output()
        .unwrap();
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(ran.status.success() && said.is_empty(), "{words}: {said}");
    let answer = String::from_utf8(ran.stdout).unwrap();
    answer.lines().map(str::to_owned).collect()
}

pub(crate) fn has_alarm(status: &Snapshot, code: &str) -> bool {
    status.alarms.iter().any(|alarm| alarm.code == code)
}

/// Waits for an alarm of the recipient's.
pub(crate) fn until_alarm(ministry: &mut Ministry, code: &str) {
    let found = |status: &Snapshot| has_alarm(status, code).then_some(());
    ministry
        .wait_for(code, amanah_tests::exchange::PATIENCE, found)
        .unwrap();
}

/// Starts both, the recipient so that it dies at this point.
fn started_to_die(exchange: &mut Exchange, dying: &Launch) {
    exchange.pair.imigrasi.launch_daemon(dying).unwrap();
    exchange.pair.imigrasi.until_up().unwrap();
    exchange.pair.phu.start().unwrap();
}

/// The bundle with which it dies; started again, it settles it.
fn dies_with(exchange: &mut Exchange, name: &str, text: &str) -> Arrived {
    let way = exchange.out.clone();
    let dropped = exchange.drop_text(&way, name, text).unwrap();
    let status = exchange.pair.imigrasi.until_ended().unwrap();
    assert_eq!(status.signal(), Some(Signal::KILL.as_raw()), "{status}");
    exchange.pair.imigrasi.start().unwrap();
    exchange.settled(&[dropped]).unwrap().remove(0)
}

/// Receipts and ledger are in order.
fn in_order(exchange: &Exchange) {
    verify_receipts(&exchange.pair.phu, &exchange.pair.imigrasi).unwrap();
    verify_ledger(&exchange.pair.imigrasi).unwrap();
}

/// The recipient dies with the first bundle at this point; both come to rest, with receipts and ledger in order.
pub(crate) fn dies_with_the_first(exchange: &mut Exchange, point: &str) -> Arrived {
    let launch = exchange.pair.imigrasi.launch().clone();
    started_to_die(exchange, &launch.with("AMANAH_KILL_AT", point));
    let arrived = dies_with(exchange, "satu.csv", &rows_of(1, 40, "satu"));
    in_order(exchange);
    arrived
}

/// One bundle before, one that the recipient dies with at this point, one after; whose bug may be planted. Both come to rest, with
/// receipts and ledger in order.
pub(crate) fn dies_with_the_second(exchange: &mut Exchange, point: &str, planted: Option<Bug>) {
    let launch = exchange.pair.imigrasi.launch().clone();
    let mut dying = launch.with("AMANAH_KILL_AT", point);
    if let Some(bug) = planted {
        dying = dying.with("AMANAH_PLANT", bug.name());
    }
    started_to_die(exchange, &dying);
    delivered(exchange, "satu.csv", &rows_of(1, 40, "satu"));
    dies_with(exchange, "dua.csv", &rows_of(41, 40, "dua"));
    delivered(exchange, "tiga.csv", &rows_of(81, 40, "tiga"));
    in_order(exchange);
}
