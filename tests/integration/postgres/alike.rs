//! The same bundles through SQLite and through PostgreSQL: whoever reads the tables finds the same rows, of every type, in every mode,
//! after corrections too.

use std::fmt::Write;
use std::process::Command;

use amanah_tests::mutation::Seeded;
use amanahd::engine::policy::Mode;
use amanahd::store::sqlite::{Readers, SqliteStore};
use amanahd::store::table::{TableImport, TableStore};

use super::ground::{import, land, schema, server, store, table};

/// Cells of each column, with those at the borders of their types.
const POOLS: [&[&str]; 9] = [
    &[
        "2030-01-02",
        "0001-01-01",
        "9999-12-31",
        "2000-02-29",
        "1999-12-31",
        "",
    ],
    &[
        "",
        "a",
        "\"O'Brien \"\"Ab\"\"; DROP TABLE x;--\"",
        "\"baris\ndua, tiga\"",
        "\\N",
        "ÉÜ漢字",
        "NULL",
    ],
    &[
        "0",
        "-0.5",
        "12345678901234567890.123456789012345678",
        "-99999999999999999999.999999999999999999",
        "0.000000000000000001",
        "10000",
        "0.0001",
        "100000000.00010000",
        "9999.9999",
        "1",
        "",
    ],
    &["0", "-7", "9223372036854775807", "-9223372036854775808", ""],
    &["true", "false", ""],
    &[
        "2030-01-05T05:10:00+07:00",
        "2030-01-05T05:10:00Z",
        "1999-12-31T23:59:59.999999-03:30",
        "",
    ],
    &[
        "23:59:59.5",
        "00:00:00",
        "23:59:59.999999",
        "12:00:00.000001",
        "",
    ],
    &["2030", "0001", "9999", ""],
    &["2030-07", "0001-01", "9999-12", ""],
];

/// As text, in one form for both: what a person who compares them would write.
const ALL: &str =
    "SELECT nomor, hari, nama, biaya, umur, TRANSIT, waktu, jam, tahun, bulan, sequence, amanah_row
    FROM TABEL JOIN IMPORTS ON import = amanah_import ORDER BY nomor, sequence, amanah_row";

fn some_rows(dice: &mut Seeded, from: u64, count: u64) -> String {
    let mut text = table(0, 0, "");
    for number in from..from + count {
        write!(text, "U-{number:06}").unwrap();
        for pool in POOLS {
            let at = dice.below(pool.len());
            write!(text, ",{}", pool[at]).unwrap();
        }
        text.push('\n');
    }
    text
}

/// Lands in both; both say the same of it.
fn both(stores: [&dyn TableStore; 2], import: &TableImport, text: &str) {
    let [one, other] = stores.map(|store| land(store, import, text, true).unwrap().unwrap());
    assert_eq!((one.entries, one.records), (other.entries, other.records));
}

#[test]
fn rows_stand_alike_in_sqlite_and_in_postgresql() {
    let server = server();
    let postgres = store(&server);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store/tables.sqlite");
    let sqlite = SqliteStore::new(file.clone(), "imigrasi".parse().unwrap(), Readers::Owner);
    sqlite.create().unwrap();
    let stores: [&dyn TableStore; 2] = [&sqlite, &postgres];
    let mut dice = Seeded::new(20_301);
    let mut number = 0_u8;
    let modes = [
        ("tambah", Mode::Append, None),
        ("gabung", Mode::Upsert, None),
        ("ganti", Mode::Replace, None),
        ("bagian", Mode::Replace, Some(1)),
        ("bagian-angka", Mode::Replace, Some(3)),
    ];
    let mut bundles = Vec::new();
    for (flow, mode, partition) in modes {
        for _ in 0..4 {
            number += 1;
            let mut import = import(flow, number);
            import.landing.mode = mode;
            import.landing.partition = partition;
            import.sequence = u64::from(number).try_into().unwrap();
            let from = u64::try_from(dice.below(40)).unwrap();
            both(stores, &import, &some_rows(&mut dice, from, 60));
            bundles.push((flow, import.id.manifest));
        }
    }
    let lines = |text: String| text.trim_end().to_owned();
    let ask = |flow: &str| {
        let name = flow.replace('-', "_");
        let words = ALL.replace("TABEL", &name);
        let ran = Command::new("sqlite3")
            .arg(&file)
            .arg(
                words
                    .replace("IMPORTS", "amanah_imports")
                    .replace("TRANSIT", "transit"),
            )
            .output()
            .unwrap();
        assert!(
            ran.status.success(),
            "{}",
            String::from_utf8_lossy(&ran.stderr)
        );
        let words = ALL
            .replace("TABEL", &format!("amanah.{name}"))
            .replace("IMPORTS", "amanah.amanah_imports")
            .replace("TRANSIT", "transit::integer");
        [
            lines(String::from_utf8(ran.stdout).unwrap()),
            lines(server.ask(&words).unwrap()),
        ]
    };
    for (flow, ..) in modes {
        let [one, other] = ask(flow);
        assert!(one.lines().count() >= 60);
        assert_eq!(one, other, "{flow}");
    }
    correct(stores, &bundles);
    for (flow, ..) in modes {
        let [one, other] = ask(flow);
        assert_eq!(one, other, "{flow}");
        assert!(one.contains("DIRALAT"), "{flow}: {one}");
    }
}

/// Corrects the first row of the last bundle of each flow, and takes back its second; those that mean no row are refused by both.
fn correct(stores: [&dyn TableStore; 2], bundles: &[(&str, amanah_format::digest::Digest)]) {
    let columns = [
        "nomor",
        "alur",
        "ref_kiriman",
        "ref_kunci",
        "jenis",
        "baris_baru",
    ];
    let fields: Vec<String> = columns
        .iter()
        .map(|name| format!(r#"{{"name": "{name}", "type": "string"}}"#))
        .collect();
    let text = format!(
        r#"{{"name": "ralat", "fields": [{}], "primaryKey": ["nomor"]}}"#,
        fields.join(",")
    );
    let mut ralat = import("ralat", 200);
    ralat.corrects = Some(
        bundles
            .iter()
            .map(|(flow, _)| (flow.parse().unwrap(), ralat.schema.clone()))
            .collect(),
    );
    ralat.schema = schema(&text);
    let new = |key: &str| {
        let row = format!(
            r#"{{"nomor":"{key}","hari":"2031-02-03","nama":"DIRALAT","biaya":0.10,"umur":-1,"transit":true,"waktu":"2030-01-05T05:10:00+09:00","jam":"01:02:03.4","tahun":2031,"bulan":"2031-01"}}"#
        );
        format!("\"{}\"", row.replace('"', "\"\""))
    };
    let head = "nomor,alur,ref_kiriman,ref_kunci,jenis,baris_baru\n";
    let mut text = head.to_owned();
    for (number, (flow, bundle)) in bundles.iter().enumerate() {
        if number % 4 != 3 {
            continue;
        }
        // Of the last bundle of its flow all rows are there, whatever the mode; its numbers begin below 40.
        let key = |place: u32| format!("U-{:06}", 40 + place);
        writeln!(
            text,
            "R-{number}a,{flow},{bundle},{},GANTI,{}",
            key(1),
            new(&key(1))
        )
        .unwrap();
        writeln!(text, "R-{number}b,{flow},{bundle},{},TARIK,", key(2)).unwrap();
    }
    both(stores, &ralat, &text);
    for (number, (flow, bundle)) in bundles
        .iter()
        .enumerate()
        .filter(|(number, _)| number % 4 == 3)
    {
        for wrong in [
            // Gone by now, of another bundle, no such flow, another row's, no row at all.
            format!("{flow},{bundle},U-000042,TARIK,"),
            format!("{flow},{},U-000043,TARIK,", bundles[0].1),
            format!("alur-lain,{bundle},U-000043,TARIK,"),
            format!("{flow},{bundle},U-000043,GANTI,{}", new("U-000044")),
            format!("{flow},{bundle},U-000043,GANTI,bukan"),
        ] {
            if wrong.contains(&bundles[0].1.to_string()) && *flow == "tambah" {
                continue;
            }
            let mut import = ralat.clone();
            import.id.manifest = amanah_format::digest::Digest::of(wrong.as_bytes());
            let text =
                format!("{head}R-{number}c,{flow},{bundle},U-000045,TARIK,\nR-{number}d,{wrong}\n");
            for store in stores {
                let landed = land(store, &import, &text, true).unwrap();
                assert_eq!(landed, None, "{}: {wrong}", store.kind());
            }
        }
    }
}
