//! A database outside the home, as `[store.tables] path` puts it: rows land there although the daemon has confined itself, and what
//! lies beside it stays out of its reach.

use std::fs;

use amanah_format::home;
use serde_json::json;

use super::ground::{founded, rows_of};

#[test]
fn a_confined_daemon_reaches_its_database_outside_the_home_and_nothing_beside_it() {
    let mut exchange = founded(&json!({"mode": "append", "key": [], "partition": null}));
    let beside = exchange.folder().join("srv");
    let place = beside.join("jemaah");
    fs::create_dir_all(&place).unwrap();
    fs::write(beside.join("lain.txt"), "milik orang lain").unwrap();
    // Keeps its mode, by which anybody could run it.
    fs::copy("/usr/bin/env", place.join("program")).unwrap();
    let database = place.join("tabel.sqlite");
    let imigrasi = &mut exchange.pair.imigrasi;
    let config = imigrasi.folder().join(home::CONFIG);
    let text = fs::read_to_string(&config).unwrap();
    // The last section is the database's.
    let path = format!("path = \"{}\"\n", database.display());
    fs::write(config, text + &path).unwrap();
    let tries = [
        (format!("write:{}/coba", place.display()), "allowed"),
        (
            format!("run:{}/program", place.display()),
            "permission denied",
        ),
        (
            format!("read:{}/lain.txt", beside.display()),
            "permission denied",
        ),
        (
            format!("write:{}/lain.txt", beside.display()),
            "permission denied",
        ),
        (
            format!("write:{}/baru", beside.display()),
            "permission denied",
        ),
    ];
    let words: Vec<&str> = tries.iter().map(|(word, _)| word.as_str()).collect();
    let launch = imigrasi.launch().clone();
    let launch = launch.with("AMANAH_PROBE", &words.join(" "));
    imigrasi.launch_daemon(&launch).unwrap();
    imigrasi.until_up().unwrap();
    exchange.pair.phu.start().unwrap();
    super::ground::delivered(&mut exchange, "satu.csv", &rows_of(1, 3, "satu"));
    let name = super::ground::name(&exchange);
    let count = format!("SELECT count(*) FROM {name}");
    let ran = std::process::Command::new("sqlite3")
        .arg("-readonly")
        .arg(&database)
        .arg(count)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(ran.stdout).unwrap().trim(), "3");
    let inside = exchange.pair.imigrasi.path(home::TABLES);
    assert!(!inside.exists(), "none is made in the home");
    let log = fs::read_to_string(exchange.pair.imigrasi.log()).unwrap();
    if log.contains("not confined: this kernel has no Landlock") {
        eprintln!("not tried: {log}");
        return;
    }
    for (word, expected) in tries {
        let said = format!("probe {word} = {expected}");
        assert!(log.contains(&said), "not '{said}' in {log}");
    }
}
