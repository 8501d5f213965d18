//! Corrections (dataset D8) between two daemons: the receipt of a correction proves that it was applied, and one that means no row
//! comes back to its operator. Nothing of a bundle is applied where one of its corrections is not.

use std::fs;

use amanah_format::home;
use amanah_format::refusal::Refusal;
use amanah_tests::exchange::PATIENCE;
use amanah_tests::waiting::until;
use serde_json::{Value, json};

use super::ground::{agree_with, ask, database_for, delivered, founded_bare, rows_of};
use crate::tree;

const HEADER: &str = "id_ralat,alur,ref_kiriman,ref_kunci,jenis,alasan,waktu,baris_baru\n";

#[test]
fn a_correction_reaches_its_row_and_one_that_means_none_comes_back() {
    let mut exchange = founded_bare();
    let path = tree::root().join("docs/datasets/d8-ralat.schema.json");
    let ralat = fs::read_to_string(path).unwrap();
    let append: Value = json!({"mode": "append", "key": [], "partition": null});
    agree_with(&exchange, &append, Some(("ralat-uji", &ralat)));
    database_for(&exchange);
    exchange.pair.start().unwrap();
    let first = delivered(&mut exchange, "satu.csv", &rows_of(1, 3, "salah"));
    let (flow, bundle) = (exchange.out.flow.clone(), first.manifest);
    let row = |id: u32, key: &str, kind: &str, new: &str| {
        format!(
            "RAL-{id:06},{flow},{bundle},{key},{kind},SALAH_KETIK,2030-01-06T09:00:00+07:00,{new}\n"
        )
    };
    let new = json!({"nomor": "U-000001", "hari": "2030-01-02", "nama": "benar", "biaya": "1", "umur": null,
        "transit": null, "waktu": null, "jam": null, "tahun": null, "bulan": null});
    let quoted = format!("\"{}\"", new.to_string().replace('"', "\"\""));
    let mut way = exchange.out.clone();
    way.flow = "ralat-uji".parse().unwrap();
    let wrong = row(1, "U-000003", "TARIK", "") + &row(2, "U-000009", "TARIK", "");
    let text = format!("{HEADER}{wrong}");
    exchange.drop_text(&way, "salah.csv", &text).unwrap();
    let back = exchange.pair.phu.path(&home::returned(&way.to, &way.flow));
    until("the correction back", PATIENCE, || {
        let why = back.join(home::why_name("salah.csv"));
        Ok((why.exists() && back.join("salah.csv").exists()).then_some(()))
    })
    .unwrap();
    let why = fs::read_to_string(back.join(home::why_name("salah.csv"))).unwrap();
    assert!(why.contains(Refusal::RecordsInvalid.code()), "{why}");
    // Why, only the recipient's log says.
    let log = fs::read_to_string(exchange.pair.imigrasi.log()).unwrap();
    let line = log
        .lines()
        .find(|line| line.contains("a correction is refused"));
    let line = line.unwrap_or_else(|| panic!("{log}"));
    assert!(
        line.contains("row=2") && line.contains("no row of that import has this key"),
        "{line}"
    );
    let names = "SELECT group_concat(nomor || nama) FROM TABEL";
    assert_eq!(
        ask(&exchange, names),
        ["U-000001salah,U-000002salah,U-000003salah"]
    );
    let right = row(3, "U-000001", "GANTI", &quoted) + &row(4, "U-000002", "TARIK", "");
    let text = format!("{HEADER}{right}");
    let dropped = exchange.drop_text(&way, "benar.csv", &text).unwrap();
    exchange.settled(&[dropped]).unwrap();
    assert_eq!(ask(&exchange, names), ["U-000001benar,U-000003salah"]);
    assert_eq!(ask(&exchange, "SELECT count(*) FROM ralat_uji"), ["2"]);
    // A row that a correction withdrew is not missed.
    super::reconciled::clean(&mut exchange);
}
