//! `amanah demo` as a new user runs it: all as expected, the facts as JSON, the commands for stock tools good as printed,
//! and nothing left behind.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use amanah_tests::launch::{Launch, ended_within};
use amanah_tests::waiting::until;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::program;

/// Longest run of a demo with a program that was not optimised, beside other tests.
const DEMO: Duration = Duration::from_secs(200);

fn demo(words: &[&str], temporary: &Path) -> (Option<i32>, Value, String) {
    let launch = Launch::of(program()).with("TMPDIR", temporary.to_str().unwrap());
    let ran = launch
        .run(&[&["demo", "--json", "--lang", "en"], words].concat(), DEMO)
        .unwrap();
    let facts = serde_json::from_str(&ran.stdout).unwrap_or(Value::Null);
    (ran.status.code(), facts, ran.stderr)
}

#[test]
fn the_demo_ends_well_and_what_it_keeps_verifies_with_stock_tools() {
    let folder = tempfile::tempdir().unwrap();
    let (temporary, keep) = (folder.path().join("tmp"), folder.path().join("keep"));
    fs::create_dir(&temporary).unwrap();
    let (code, facts, complaint) = demo(&["--keep", keep.to_str().unwrap()], &temporary);
    assert_eq!(code, Some(0), "{complaint}{facts:#}");
    assert_eq!(facts["format"], "amanah-demo/1");
    assert_eq!(facts["as_expected"], true);
    assert_eq!(facts["items"].as_array().unwrap().len(), 51);
    let attacks = facts["attacks"].as_array().unwrap();
    assert_eq!(attacks.len(), 6);
    assert!(
        attacks
            .iter()
            .all(|attack| attack["as_expected"] == true && attack["imported"] == false),
        "{attacks:#?}"
    );
    assert_eq!(facts["ledgers_verified"], 2);
    check_tables(&facts);
    let commands = facts["commands"].as_array().unwrap();
    assert_eq!(commands.len(), 5);
    for command in commands {
        let command = command["command"].as_str().unwrap();
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", command])
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{command}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert!(keep.join("allowed_signers").exists());
    assert_eq!(
        fs::read_dir(&temporary).unwrap().count(),
        0,
        "something was left behind"
    );
}

/// Every dataset of the exercise arrived, and both ministries' questions got the answers of its key.
fn check_tables(facts: &Value) {
    let tables = facts["tables"].as_array().unwrap();
    let flows: Vec<&str> = tables
        .iter()
        .map(|table| table["flow"].as_str().unwrap())
        .collect();
    assert_eq!(
        flows,
        [
            "registri-penyelenggara",
            "manifes-umrah",
            "manifes-haji",
            "perlintasan",
            "temuan-imigrasi",
            "temuan-orang-imigrasi",
            "tindak-lanjut-phu",
            "ralat-phu"
        ]
    );
    let rows = |table: &Value| table["rows"].as_u64().unwrap();
    assert!(tables.iter().all(|table| rows(table) > 0), "{tables:#?}");
    let back = &facts["table_returned"];
    assert_eq!(back["code"], "records-invalid");
    let report = back["report"].to_string();
    assert!(
        report.contains("nik") && report.contains("E+15"),
        "{report}"
    );
    let asked = facts["questions"].as_array().unwrap();
    assert_eq!(asked.len(), 2);
    for asked in asked {
        assert_eq!(asked["differences"].as_array().unwrap().len(), 0);
        let answers = asked["answers"].as_object().unwrap();
        assert_eq!(answers.len(), 13, "{asked:#}");
        for name in ["without_manifest", "lapsed_licence", "return_not_reported"] {
            assert!(answers[name].as_u64().unwrap() > 0, "{name}");
        }
        assert!(!asked["lapsed_groups"].as_array().unwrap().is_empty());
    }
}

#[test]
fn the_demo_sends_a_users_own_files_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (temporary, own) = (
        folder.path().join("tmp"),
        folder.path().join("milik sendiri"),
    );
    fs::create_dir_all(own.join("map/dalam")).unwrap();
    fs::create_dir(&temporary).unwrap();
    fs::write(own.join("satu berkas.txt"), "satu").unwrap();
    fs::write(own.join("map/dalam/dua.bin"), [0, 159, 146, 150]).unwrap();
    let (code, facts, complaint) = demo(&["--data", own.to_str().unwrap()], &temporary);
    assert_eq!(code, Some(0), "{complaint}{facts:#}");
    let names: Vec<&str> = facts["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "map",
            "satu berkas.txt",
            "map",
            "satu berkas.txt",
            "ditahan-lalu-dikirim.csv"
        ]
    );
    assert_eq!(facts["commands"].as_array().unwrap().len(), 0);
    assert_eq!(
        fs::read_dir(&temporary).unwrap().count(),
        0,
        "something was left behind"
    );
    assert_eq!(fs::read_dir(&own).unwrap().count(), 2);
}

#[test]
fn an_interrupted_demo_stops_its_daemons_and_leaves_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let status = signalled(temporary.path(), Signal::INT);
    assert_eq!(status.code(), Some(1), "{status}");
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
fn a_killed_demo_takes_its_daemons_with_it() {
    let temporary = tempfile::tempdir().unwrap();
    let status = signalled(temporary.path(), Signal::KILL);
    assert!(!status.success(), "{status}");
}

/// Sends the demo a signal while its daemons run; returns when all three are gone.
fn signalled(temporary: &Path, signal: Signal) -> ExitStatus {
    let words = temporary.to_str().unwrap();
    let log = tempfile::NamedTempFile::new().unwrap();
    let launch = Launch::of(program()).with("TMPDIR", words);
    let mut demo = launch.start(&["demo", "--lang", "en"], log.path()).unwrap();
    let dropped = || {
        Ok(fs::read_to_string(log.path())?
            .contains("\n3. ")
            .then_some(()))
    };
    until("the third chapter", DEMO, dropped).unwrap();
    assert_eq!(processes_with(words), 2, "two daemons run");
    kill_process(Pid::from_child(&demo), signal).unwrap();
    let status = ended_within(&mut demo, DEMO).unwrap();
    until("the end of the daemons", DEMO, || {
        Ok((processes_with(words) == 0).then_some(()))
    })
    .unwrap();
    status
}

/// How many processes name this folder in their command line.
fn processes_with(folder: &str) -> usize {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines
        .filter(|line| String::from_utf8_lossy(line).contains(folder))
        .count()
}

#[test]
fn the_demo_refuses_to_keep_in_a_folder_that_holds_something_and_to_send_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let full = folder.path().join("berisi");
    fs::create_dir(&full).unwrap();
    let empty = tempfile::tempdir().unwrap();
    let (code, _, complaint) = demo(&["--data", empty.path().to_str().unwrap()], empty.path());
    assert_eq!(code, Some(1), "{complaint}");
    fs::write(full.join("milik orang"), "x").unwrap();
    let (code, _, complaint) = demo(&["--keep", full.to_str().unwrap()], empty.path());
    assert_eq!(code, Some(1));
    assert!(complaint.contains("not empty"), "{complaint}");
    assert_eq!(fs::read_dir(&full).unwrap().count(), 1);
}
