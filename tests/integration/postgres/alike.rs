//! The same bundles through SQLite and through PostgreSQL: whoever reads the tables finds the same rows, of every type, in every mode,
//! after corrections too.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;

use amanah_format::digest::Digest;
use amanah_tests::mutation::Seeded;
use amanah_tests::postgres::Postgres;
use amanahd::engine::policy::Mode;
use amanahd::store::postgres::PostgresStore;
use amanahd::store::sqlite::{Readers, SqliteStore};
use amanahd::store::table::{TableImport, TableStore};
use tempfile::TempDir;

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

/// Both databases.
struct Both {
    server: Postgres,
    postgres: PostgresStore,
    sqlite: SqliteStore,
    file: PathBuf,
    _folder: TempDir,
}

impl Both {
    fn new() -> Self {
        let server = server();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("store/tables.sqlite");
        let sqlite = SqliteStore::new(file.clone(), "imigrasi".parse().unwrap(), Readers::Owner);
        sqlite.create().unwrap();
        Self {
            postgres: store(&server),
            server,
            sqlite,
            file,
            _folder: folder,
        }
    }

    fn stores(&self) -> [&dyn TableStore; 2] {
        [&self.sqlite, &self.postgres]
    }

    /// Lands in both, which say the same of it.
    fn land(&self, import: &TableImport, text: &str) {
        let landed = |store| land(store, import, text, true).unwrap().unwrap();
        let [one, other] = self.stores().map(landed);
        assert_eq!((one.entries, one.records), (other.entries, other.records));
    }

    /// All rows of a flow, as SQLite and as PostgreSQL have them.
    fn rows(&self, flow: &str) -> [String; 2] {
        let name = flow.replace('-', "_");
        let words = ALL.replace("TABEL", &name);
        let words = words
            .replace("IMPORTS", "amanah_imports")
            .replace("TRANSIT", "transit");
        let ran = Command::new("sqlite3")
            .arg(&self.file)
            .arg(words)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{said}");
        let words = ALL
            .replace("TABEL", &format!("amanah.{name}"))
            .replace("IMPORTS", "amanah.amanah_imports")
            .replace("TRANSIT", "transit::integer");
        let of_sqlite = String::from_utf8(ran.stdout).unwrap();
        let of_postgres = self.server.ask(&words).unwrap();
        [of_sqlite, of_postgres].map(|text| text.trim_end().to_owned())
    }
}

const MODES: [(&str, Mode, Option<usize>); 5] = [
    ("tambah", Mode::Append, None),
    ("gabung", Mode::Upsert, None),
    ("ganti", Mode::Replace, None),
    ("bagian", Mode::Replace, Some(1)),
    ("bagian-angka", Mode::Replace, Some(3)),
];
/// Of each flow.
const BUNDLES: usize = 4;

#[test]
fn rows_stand_alike_in_sqlite_and_in_postgresql() {
    let both = Both::new();
    let mut dice = Seeded::new(20_301);
    let mut number = 0_u8;
    let mut bundles = Vec::new();
    for (flow, mode, partition) in MODES {
        for _ in 0..BUNDLES {
            number += 1;
            let mut import = import(flow, number);
            import.landing.mode = mode;
            import.landing.partition = partition;
            import.sequence = u64::from(number).try_into().unwrap();
            let from = u64::try_from(dice.below(40)).unwrap();
            both.land(&import, &some_rows(&mut dice, from, 60));
            bundles.push((flow, import.id.manifest));
        }
    }
    for (flow, ..) in MODES {
        let [one, other] = both.rows(flow);
        assert!(one.lines().count() >= 60);
        assert_eq!(one, other, "{flow}");
    }
    correct(&both, &bundles);
    for (flow, ..) in MODES {
        let [one, other] = both.rows(flow);
        assert_eq!(one, other, "{flow}");
        assert!(one.contains("DIRALAT"), "{flow}: {one}");
    }
}

const HEAD: &str = "nomor,alur,ref_kiriman,ref_kunci,jenis,baris_baru\n";

/// A bundle of corrections of all flows.
fn ralat() -> TableImport {
    let fields: Vec<String> = HEAD
        .trim()
        .split(',')
        .map(|name| format!(r#"{{"name": "{name}", "type": "string"}}"#))
        .collect();
    let mut ralat = import("ralat", 200);
    let flows = MODES.iter();
    ralat.corrects = Some(
        flows
            .map(|(flow, ..)| (flow.parse().unwrap(), ralat.schema.clone()))
            .collect(),
    );
    ralat.schema = schema(&format!(
        r#"{{"name": "ralat", "fields": [{}], "primaryKey": ["nomor"]}}"#,
        fields.join(",")
    ));
    ralat
}

/// The row that takes the place of another, as a cell.
fn new(key: &str) -> String {
    let row = format!(
        r#"{{"nomor":"{key}","hari":"2031-02-03","nama":"DIRALAT","biaya":0.10,"umur":-1,"transit":true,"waktu":"2030-01-05T05:10:00+09:00","jam":"01:02:03.4","tahun":2031,"bulan":"2031-01"}}"#
    );
    format!("\"{}\"", row.replace('"', "\"\""))
}

/// Corrects a row of the last bundle of each flow, and takes back another; what means no row is refused by both.
fn correct(both: &Both, bundles: &[(&str, Digest)]) {
    let ralat = ralat();
    // Of the last bundle of its flow all rows are there, whatever the mode; its numbers begin below 40.
    let last: Vec<_> = bundles
        .chunks(BUNDLES)
        .map(|all| all[BUNDLES - 1])
        .collect();
    let mut text = HEAD.to_owned();
    for (number, (flow, bundle)) in last.iter().enumerate() {
        let new = new("U-000041");
        writeln!(text, "R-{number}a,{flow},{bundle},U-000041,GANTI,{new}").unwrap();
        writeln!(text, "R-{number}b,{flow},{bundle},U-000042,TARIK,").unwrap();
    }
    both.land(&ralat, &text);
    let foreign = Digest::of(b"kiriman lain");
    for (flow, bundle) in last {
        for wrong in [
            // Gone by now, of no bundle, no such flow, another row's, no row at all, no key.
            format!("{flow},{bundle},U-000042,TARIK,"),
            format!("{flow},{foreign},U-000043,TARIK,"),
            format!("alur-lain,{bundle},U-000043,TARIK,"),
            format!("{flow},{bundle},U-000043,GANTI,{}", new("U-000044")),
            format!("{flow},{bundle},U-000043,GANTI,bukan"),
            format!("{flow},{bundle},U-000043|U-000044,TARIK,"),
        ] {
            let mut import = ralat.clone();
            import.id.manifest = Digest::of(wrong.as_bytes());
            let text = format!("{HEAD}R-c,{flow},{bundle},U-000045,TARIK,\nR-d,{wrong}\n");
            for store in both.stores() {
                let landed = land(store, &import, &text, true).unwrap();
                assert_eq!(landed, None, "{}: {wrong}", store.kind());
            }
        }
    }
}
