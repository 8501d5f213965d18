//! Table flows between two real daemons: what keeps the schema arrives, what does not comes back with a report before a byte leaves,
//! and what a sender did not check is refused by its recipient. `oracle` puts the checker itself beside Python's `frictionless`.

mod differences;
mod ministries;
mod oracle;

use std::fs;

use amanah_format::agreement::{Agreement, AgreementFile};
use amanah_format::home;
use amanah_format::refusal::Refusal;
use amanah_tests::exchange::{Dropped, Exchange, PATIENCE, files_below};
use amanah_tests::ministry::Ministry;
use amanah_tests::papers;
use amanahd::plant::Bug;
use amanahd::snapshot::Snapshot;
use serde_json::{Value, json};

use crate::program;

/// A small table of travellers, fictitious by construction.
const SCHEMA: &str = r#"{
  "$schema": "https://datapackage.org/profiles/2.0/tableschema.json",
  "name": "uji-tabel",
  "fields": [
    {"name": "nomor_paspor", "type": "string", "constraints": {"required": true, "pattern": "^[A-Z]\\d{7}$"}},
    {"name": "nik", "type": "string", "constraints": {"pattern": "^\\d{16}$"}},
    {"name": "tanggal_berangkat", "type": "date", "constraints": {"required": true}},
    {"name": "rencana_pulang", "type": "date"},
    {"name": "biaya", "type": "number"}
  ],
  "primaryKey": ["nomor_paspor"],
  "amanah": {
    "rules": [{"name": "pulang-sesudah-berangkat", "compare": {"left": "rencana_pulang", "is": ">=", "right": "tanggal_berangkat"}}],
    "totals": ["biaya"]
  }
}"#;
const HEADER: &str = "nomor_paspor,nik,tanggal_berangkat,rencana_pulang,biaya\n";

fn rows(count: u32) -> String {
    let row = |n: u32| format!("Z{n:07},99010112048{n:05},2030-01-02,2030-01-12,1000.10\n");
    (1..=count).map(row).collect()
}

fn table(count: u32) -> String {
    format!("{HEADER}{}", rows(count))
}

/// The agreement of the pair again, its first flow a table; drafted from a file that names the schema's, signed by both.
fn agree_on_tables(exchange: &Exchange) {
    let (phu, imigrasi) = (&exchange.pair.phu, &exchange.pair.imigrasi);
    let (mut text, _) = papers::newest(phu).unwrap();
    papers::take_away([phu, imigrasi]).unwrap();
    let flow = &mut text["flows"][0];
    flow["kind"] = json!("table");
    flow["schema"] = json!("uji-tabel.schema.json");
    flow["records_max"] = json!(500);
    let paper = |name: &str| exchange.folder().join(name).to_string_lossy().into_owned();
    fs::write(paper("uji-tabel.schema.json"), SCHEMA).unwrap();
    fs::write(paper("naskah.json"), text.to_string()).unwrap();
    let naskah = paper("naskah.json");
    phu.run(&["agreement", "draft", "--file", &naskah]).unwrap();
    let id = text["id"].as_str().unwrap();
    papers::sign_both((phu, imigrasi), id, exchange.folder()).unwrap();
}

fn founded() -> Exchange {
    let exchange = Exchange::found(program()).unwrap();
    agree_on_tables(&exchange);
    exchange
}

/// The code with which `name` came back, once it has.
fn came_back(ministry: &mut Ministry, name: &str) -> String {
    let returned = |status: &Snapshot| {
        let mut bundles = status.outgoing.iter();
        let found = bundles.find(|bundle| {
            bundle.state == "returned" && bundle.items.iter().any(|item| item.name == name)
        });
        found.and_then(|bundle| bundle.return_reason.clone())
    };
    ministry.wait_for(name, PATIENCE, returned).unwrap()
}

#[test]
fn a_send_says_what_only_warns_and_drops_nothing_that_would_come_back() {
    let mut exchange = founded();
    exchange.pair.start().unwrap();
    let way = exchange.out.clone();
    let send = |name: &str, text: &str| {
        let item = exchange.item(&way, name, &[("", text)]).unwrap();
        let path = item.material.to_string_lossy().into_owned();
        let words = ["send", way.to.as_str(), way.flow.as_str(), &path, "--wait"];
        let ran = exchange.pair.phu.attempt(&words).unwrap();
        (ran.status.code(), ran.stderr)
    };
    assert_eq!(send("baik.csv", &table(3)), (Some(0), String::new()));
    // Three numbers of sixteen digits that end in a zero: too few to refuse.
    let zeros = table(3)
        .replace("99010112048", "9901011204")
        .replace(",2030-01-02", "0,2030-01-02");
    let (code, said) = send("nol.csv", &zeros);
    assert!(
        code == Some(0) && said.contains("nik") && !said.contains("9901011204"),
        "{said}"
    );
    let (code, said) = send(
        "rumus.csv",
        &table(3).replace("9901011204800002", "=RAHASIA"),
    );
    assert!(
        code == Some(1) && said.contains("nik") && !said.contains("RAHASIA"),
        "{said}"
    );
    assert_eq!(came_in(&exchange), 2);
    // Of several all or none; a folder is no table.
    let folder = exchange.folder().join("folder");
    fs::create_dir(&folder).unwrap();
    let sound = exchange.item(&way, "lagi.csv", &[("", &table(2))]).unwrap();
    for (second, code) in [(folder.clone(), 64), (folder.join("tidak-ada.csv"), 66)] {
        let paths = [&sound.material, &second].map(|path| path.to_string_lossy().into_owned());
        let words = [
            "send",
            way.to.as_str(),
            way.flow.as_str(),
            &paths[0],
            &paths[1],
        ];
        let ran = exchange.pair.phu.attempt(&words).unwrap();
        assert_eq!(ran.status.code(), Some(code), "{}", ran.stderr);
    }
    let outbox = exchange.pair.phu.path(&home::outbox(&way.to, &way.flow));
    assert!(!outbox.join("lagi.csv").exists());
}

/// How many tables lie in the inbox.
fn came_in(exchange: &Exchange) -> usize {
    amanah_tests::exchange::inbox_tree(&exchange.pair.imigrasi)
        .unwrap()
        .len()
}

#[test]
fn an_agreement_carries_the_schemas_that_it_pins_and_nothing_else() {
    let exchange = founded();
    let folder = exchange.pair.imigrasi.folder().join(home::AGREEMENTS);
    let path = fs::read_dir(folder)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let file = AgreementFile::parse(&fs::read(path).unwrap()).unwrap();
    let agreement: Agreement = file.agreement().unwrap();
    let flow = &agreement.flows[0];
    assert_eq!(flow.totals, ["biaya"]);
    let carried: Vec<_> = file.schema_files().collect();
    assert_eq!(carried, [(flow.schema.unwrap(), SCHEMA.as_bytes())]);
    for schemas in [
        vec![],
        vec![b"{}".to_vec()],
        vec![SCHEMA.into(), b"{}".to_vec()],
    ] {
        assert!(AgreementFile::draft_with(&agreement, schemas).is_err());
    }
    let mut wrong = agreement;
    wrong.flows[0].totals = vec!["alamat".to_owned()];
    assert!(AgreementFile::draft_with(&wrong, vec![SCHEMA.into()]).is_err());
}

/// Tables that come back: name, text, code, and what the note says.
fn unsound() -> Vec<(&'static str, String, &'static str, &'static str)> {
    let damaged: String = (1..=400)
        .map(|n| format!("Z{n:07},3.27E+15,2030-01-02,,1000.10\n"))
        .collect();
    let damaged = format!("{HEADER}{damaged}");
    let columns = table(3)
        .replace("biaya\n", "biaya,alamat\n")
        .replace(".10\n", ".10,RAHASIA\n");
    vec![
        (
            "kolom.csv",
            columns,
            "schema-mismatch",
            "Kolom alamat tidak tercantum dalam perjanjian",
        ),
        (
            "titik-koma.csv",
            table(3).replace(',', ";"),
            "schema-mismatch",
            "titik koma",
        ),
        (
            "buku.csv",
            "PK\u{3}\u{4}\u{14}".to_owned(),
            "schema-mismatch",
            "buku kerja Excel",
        ),
        (
            "tanggal.csv",
            table(400).replace("2030-01-02", "02/01/2030"),
            "records-invalid",
            "400 baris, pertama: baris 2, 3, 4, 5, 6",
        ),
        (
            "urut.csv",
            table(2).replace("2030-01-12", "2029-01-12"),
            "records-invalid",
            "Aturan pulang-sesudah-berangkat",
        ),
        ("banyak.csv", table(501), "too-large", "lebih banyak baris"),
        (
            "rusak.csv",
            damaged,
            "records-invalid",
            "Kolom nik rusak oleh Excel",
        ),
    ]
}

/// More of them: what other programs write.
fn of_other_programs() -> Vec<(&'static str, String, &'static str, &'static str)> {
    let line = |n: u32| {
        json!({"nomor_paspor": format!("Z{n:07}"), "nik": null, "tanggal_berangkat": "2030-01-02",
            "rencana_pulang": null, "biaya": 1, "alamat": "RAHASIA"})
    };
    let lines: String = (1..=3).map(|n| format!("{}\n", line(n))).collect();
    vec![
        (
            "huruf.csv",
            table(3).replace(HEADER, &HEADER.to_uppercase()),
            "schema-mismatch",
            "Tulis semua nama persis seperti skema",
        ),
        (
            "urutan.csv",
            table(3).replace("nomor_paspor,nik", "nik,nomor_paspor"),
            "schema-mismatch",
            "Kolom nomor_paspor tidak berada di tempatnya; menurut skema kolom ke-1",
        ),
        (
            "penanda.csv",
            format!("\u{feff}{}", table(3)),
            "schema-mismatch",
            "tanpa BOM",
        ),
        (
            "rumus.csv",
            table(3).replace("9901011204800002", "=RAHASIA"),
            "records-invalid",
            "baris 3. Periksa asalnya",
        ),
        ("lain.json", lines.clone(), "schema-mismatch", ".jsonl"),
        (
            "baris.jsonl",
            lines,
            "schema-mismatch",
            "Kolom alamat tidak tercantum dalam perjanjian (3 baris, pertama: baris 1, 2, 3)",
        ),
    ]
}

#[test]
fn a_table_that_keeps_its_schema_arrives_and_one_that_does_not_comes_back_with_a_report() {
    let mut exchange = founded();
    exchange.pair.start().unwrap();
    let way = exchange.out.clone();
    // Two at once: each is a bundle of its own.
    let dropped: Vec<Dropped> = ["satu.csv", "dua.csv"]
        .into_iter()
        .map(|name| exchange.drop_text(&way, name, &table(200)).unwrap())
        .collect();
    let arrived = exchange.settled(&dropped).unwrap();
    assert_eq!(arrived.len(), 2);
    exchange.holds(&arrived).unwrap();
    for (name, text, code, says) in [unsound(), of_other_programs()].concat() {
        let item = exchange.item(&way, name, &[("", &text)]).unwrap();
        let (sender, _) = exchange.pair.sender_and_receiver(&way.from);
        amanah_tests::exchange::drop_item(sender, item).unwrap();
        assert_eq!(came_back(sender, name), code, "{name}");
        let place = sender
            .path(home::RETURNED)
            .join(way.to.as_str())
            .join(way.flow.as_str());
        assert_eq!(
            fs::read_to_string(place.join(name)).unwrap(),
            text,
            "it comes back whole"
        );
        let why = fs::read_to_string(place.join(home::why_name(name))).unwrap();
        assert!(why.contains(says), "{name}: {why}");
        for value in ["RAHASIA", "99010112048", "1000.10", "02/01/2030"] {
            assert!(!why.contains(value), "{name}: {why}");
        }
    }
    exchange.holds(&arrived).unwrap();
}

#[test]
fn what_a_sender_did_not_check_the_recipient_refuses_by_its_own_copy() {
    let mut exchange = founded();
    let launch = exchange.pair.phu.launch().clone();
    let careless = launch.with("AMANAH_PLANT", Bug::TableUnchecked.name());
    exchange.pair.phu.launch_daemon(&careless).unwrap();
    exchange.pair.imigrasi.start().unwrap();
    let way = exchange.out.clone();
    for (name, text, refusal) in [
        (
            "kolom.csv",
            table(2).replace("nik", "alamat"),
            Refusal::SchemaMismatch,
        ),
        (
            "baris.csv",
            table(2).replace("Z0000002", "Z0000001"),
            Refusal::RecordsInvalid,
        ),
        ("banyak.csv", table(501), Refusal::TooLarge),
    ] {
        let item = exchange.item(&way, name, &[("", &text)]).unwrap();
        let (sender, receiver) = exchange.pair.sender_and_receiver(&way.from);
        amanah_tests::exchange::drop_item(sender, item).unwrap();
        assert_eq!(came_back(sender, name), refusal.code(), "{name}");
        let inbox = receiver.path(home::INBOX);
        let landed = files_below(&inbox).unwrap_or_default();
        assert!(
            landed.iter().all(|path| !path.ends_with(name)),
            "{landed:?}"
        );
    }
    let receipts = exchange
        .pair
        .phu
        .run(&["receipts", "--json"])
        .unwrap()
        .stdout;
    assert!(
        receipts.contains(Refusal::RecordsInvalid.code()),
        "{receipts}"
    );
}

#[test]
fn a_table_can_be_checked_before_it_is_dropped() {
    let exchange = founded();
    let phu = &exchange.pair.phu;
    let paper = |name: &str| exchange.folder().join(name).to_string_lossy().into_owned();
    let (schema, good, bad) = (
        paper("uji-tabel.schema.json"),
        paper("baik.csv"),
        paper("buruk.csv"),
    );
    fs::write(&good, table(3)).unwrap();
    fs::write(&bad, table(3).replace("2030-01-02", "02/01/2030")).unwrap();
    let found = phu
        .run(&["check-table", &schema, &good, "--json"])
        .unwrap()
        .stdout;
    let facts: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(
        (&facts["sound"], &facts["rows"], &facts["totals"]["biaya"]),
        (&json!(true), &json!(3), &json!("3000.3"))
    );
    let flow = exchange.out.flow.as_str();
    let whole = paper("pks-contoh.2.amanah");
    let refused = phu
        .attempt(&["check-table", "--flow", flow, &whole, &bad, "--json"])
        .unwrap();
    let facts: Value = serde_json::from_str(&refused.stdout).unwrap();
    assert_eq!(
        (&facts["code"], &facts["findings"][0]["fault"]),
        (&json!("records-invalid"), &json!("day-first"))
    );
    assert_eq!(facts["findings"][0]["first_rows"], json!([1, 2, 3]));
    assert!(
        phu.run(&["check-table", &good, &good]).is_err(),
        "a table is no schema"
    );
}
