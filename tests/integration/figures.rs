//! `tests/bench/` can be run by anybody: each row on a small scale, as the README says it, with the daemons under test. What it
//! measures here says nothing; that every row does its work, compares what arrived and prints its ratio, does.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use crate::program;

/// The rows that have something stock beside them.
const COMPARED: [&str; 6] = [
    "csv",
    "random",
    "many",
    "single",
    "table-sqlite",
    "backfill",
];

/// A folder with the two programs under the names that are shipped.
fn binaries(folder: &Path) {
    symlink(program(), folder.join("amanah")).unwrap();
    let daemon = folder.join("amanahd");
    let script = format!("#!/bin/sh\nexec '{}' daemon \"$@\"\n", program().display());
    fs::write(&daemon, script).unwrap();
    fs::set_permissions(&daemon, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn every_row_of_the_figures_does_its_work_and_prints_its_ratio() {
    let folder = tempfile::tempdir().unwrap();
    binaries(folder.path());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let done = Command::new("python3")
        .arg(root.join("tests/bench/figures.py"))
        .args(["--json", "--runs", "1", "--scale", "0.002", "--binaries"])
        .arg(folder.path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("TMPDIR", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{said}");
    let facts: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    let rows = facts["rows"].as_object().unwrap();
    for row in COMPARED {
        let ways = rows[row].as_object().unwrap();
        let ratios = ways.values().filter(|way| way["ratio"].is_f64()).count();
        assert!(ratios > 0, "{row}: {ways:?}");
    }
    for side in ["sender", "receiver"] {
        let peak = rows["memory"][side]["median"].as_f64().unwrap();
        assert!(peak > 1.0, "{side}: {peak} MiB");
        let peak = &rows["backfill"][format!("{side} MiB")]["median"];
        assert!(peak.as_f64().unwrap() > 1.0, "{side}: {peak} MiB");
    }
    assert!(rows["table-check"]["by CPU"]["median"].as_f64().unwrap() > 0.0);
    // Measured, or left out in so many words.
    let postgres = &rows["table-postgres"]["psql"]["ratio"];
    assert!(
        postgres.is_f64() || said.contains("table-postgres: left out, "),
        "{said}"
    );
    assert!(rows["urgent"]["amanah"]["turns"].as_u64().unwrap() > 0);
    let left = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 2, "nothing is left behind but the two programs");
}
