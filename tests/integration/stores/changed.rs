//! The agreement's next version and the table that is there: columns are added; what would drop or reinterpret one waits, is said, and
//! goes on when whoever keeps the database has put the old table aside.

use amanah_tests::exchange::{Exchange, PATIENCE};
use amanah_tests::waiting::until;
use amanahd::snapshot::Snapshot;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::ground::{SCHEMA, agree, ask, connected, delivered, has_alarm, row, run, until_alarm};

/// The schema with its last column renamed, or one more.
fn schema(last: &[&str]) -> String {
    let mut schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let fields = schema["fields"].as_array_mut().unwrap();
    fields.truncate(9);
    fields.extend(
        last.iter()
            .map(|name| json!({"name": name, "type": "yearmonth"})),
    );
    schema.to_string()
}

/// Has both read their agreements again, and waits until they have.
fn reload(exchange: &Exchange) {
    for ministry in [&exchange.pair.phu, &exchange.pair.imigrasi] {
        let read = || {
            let log = std::fs::read_to_string(ministry.log()).unwrap_or_default();
            log.matches("configuration read again").count()
        };
        let before = read();
        ministry.signal(Signal::HUP).unwrap();
        until("configuration read", PATIENCE, || {
            Ok((read() > before).then_some(()))
        })
        .unwrap();
    }
}

#[test]
fn a_new_version_adds_columns_and_never_drops_one() {
    let mode = json!({"mode": "append", "key": ["nomor"], "partition": null});
    let mut exchange = connected(&mode);
    let header = "nomor,hari,nama,biaya,umur,transit,waktu,jam,tahun,";
    let bare = row(1, "2030-01-02", "satu");
    delivered(
        &mut exchange,
        "satu.csv",
        &format!("{header}bulan\n{bare}\n"),
    );
    agree(&exchange, &schema(&["bulan", "musim"]), &mode);
    reload(&exchange);
    let text = format!(
        "{header}bulan,musim\n{}2030-08,2030-09\n",
        &row(2, "2030-01-02", "dua")
    );
    delivered(&mut exchange, "dua.csv", &text);
    assert_eq!(
        ask(
            &exchange,
            "SELECT nomor, bulan, musim FROM TABEL ORDER BY nomor"
        ),
        ["U-000001||", "U-000002|2030-08|2030-09"]
    );
    agree(&exchange, &schema(&["musim"]), &mode);
    reload(&exchange);
    let way = exchange.out.clone();
    let text = format!("{header}musim\n{}2030-10\n", &row(3, "2030-01-02", "tiga"));
    let third = exchange.drop_text(&way, "tiga.csv", &text).unwrap();
    until_alarm(&mut exchange.pair.imigrasi, "store-schema");
    let held = |status: &Snapshot| {
        let mut incoming = status.incoming.iter();
        incoming.any(|bundle| bundle.state == "held").then_some(())
    };
    exchange
        .pair
        .imigrasi
        .wait_for("held", PATIENCE, held)
        .unwrap();
    let log = std::fs::read_to_string(exchange.pair.imigrasi.log()).unwrap();
    let remedy =
        "ALTER TABLE TABEL RENAME TO TABEL_lama;".replace("TABEL", &super::ground::name(&exchange));
    assert!(log.contains(&remedy), "{log}");
    run(&exchange, &[], "ALTER TABLE TABEL RENAME TO TABEL_lama;");
    // A restart asks at once.
    exchange.pair.imigrasi.stop().unwrap();
    exchange.pair.imigrasi.start().unwrap();
    exchange.settled(&[third]).unwrap();
    assert_eq!(
        ask(
            &exchange,
            "SELECT nomor, musim FROM TABEL; SELECT count(*) FROM TABEL_lama; SELECT count(*) FROM amanah_imports"
        ),
        ["U-000003|2030-10", "2", "3"]
    );
    let quiet = |status: &Snapshot| (!has_alarm(status, "store-schema")).then_some(());
    exchange
        .pair
        .imigrasi
        .wait_for("quiet", PATIENCE, quiet)
        .unwrap();
}
