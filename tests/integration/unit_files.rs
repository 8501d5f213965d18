//! The files in `systemd/`, put before systemd's own tools: the unit is understood and its exposure is low, the users
//! and folders come out as its README says. The tools must be there (`./check` installs them): nothing is skipped.

use crate::tree;
use std::{
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::{Command, Output},
};

/// The highest exposure that is accepted, in tenths: systemd's scale goes to 100.
const EXPOSURE_TENTHS_MAX: &str = "15";

/// Numbers that stand for the two groups, since the machine need not have them.
const DAEMON: u32 = 61_001;
const OPERATORS: u32 = 61_002;

fn unit_file(name: &str) -> String {
    let place = tree::root().join("systemd").join(name);
    std::fs::read_to_string(&place).unwrap_or_else(|e| panic!("systemd/{name}: {e}"))
}

/// Runs one of systemd's tools.
fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(program)
        .args(arguments)
        .env("SYSTEMD_PAGER", "")
        .output()
        .unwrap_or_else(|e| panic!("{program}: {e}; `./check` installs what the tests need"))
}

/// Everything that a tool printed.
fn said(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// A path as an argument.
fn word(path: &Path) -> &str {
    path.to_str().expect("temporary folders have UTF-8 names")
}

/// What `systemd-analyze verify` says about a unit, with programs that exist in place of ours.
fn verify(unit: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("amanahd.service");
    let stand_in: String = unit
        .lines()
        .map(|line| match line.split_once("=/usr/bin/amanahd") {
            Some((key, _)) => format!("{key}=/bin/true\n"),
            None => format!("{line}\n"),
        })
        .collect();
    std::fs::write(&copy, stand_in).unwrap();
    let output = run(
        "systemd-analyze",
        &["verify", "--man=no", "--recursive-errors=no", word(&copy)],
    );
    (output.status.success(), said(&output))
}

/// The exposure of a unit: whether it is low enough, and the report.
fn exposure(unit: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("amanahd.service");
    std::fs::write(&copy, unit).unwrap();
    let threshold = format!("--threshold={EXPOSURE_TENTHS_MAX}");
    let output = run(
        "systemd-analyze",
        &[
            "security",
            "--offline=true",
            "--no-pager",
            &threshold,
            word(&copy),
        ],
    );
    (output.status.success(), said(&output))
}

/// The values that a unit gives to `key`, in order.
fn values<'a>(unit: &'a str, key: &str) -> Vec<&'a str> {
    unit.lines()
        .filter_map(|line| line.split_once('='))
        .filter(|(name, _)| *name == key)
        .map(|(_, value)| value)
        .collect()
}

/// The tmpfiles rules with numbers for our two names, which libacl would look up on this machine.
fn numbered_tmpfiles() -> String {
    let number = |name: &str| match name {
        "amanah" => DAEMON.to_string(),
        "amanah-operators" => OPERATORS.to_string(),
        other => other.to_owned(),
    };
    let rules = unit_file("amanahd.tmpfiles");
    let mut text = String::new();
    for line in rules.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<String> = line
            .split_whitespace()
            .map(
                |field| match field.contains("user:") || field.contains("group:") {
                    true => field.split(':').map(number).collect::<Vec<_>>().join(":"),
                    false => number(field),
                },
            )
            .collect();
        text.push_str(&fields.join(" "));
        text.push('\n');
    }
    text
}

#[test]
fn the_unit_is_clean_before_systemd_analyze_verify() {
    let (clean, report) = verify(&unit_file("amanahd.service"));
    assert!(clean && report.is_empty(), "{report}");
}

#[test]
fn a_misspelt_line_in_a_unit_is_caught() {
    let planted = unit_file("amanahd.service").replace("UMask=", "UMaks=");
    let (clean, report) = verify(&planted);
    assert!(!clean && report.contains("UMaks"), "{report}");
}

#[test]
fn the_exposure_of_the_unit_is_at_most_one_and_a_half() {
    let (low, report) = exposure(&unit_file("amanahd.service"));
    println!("{}", report.lines().last().unwrap_or_default());
    assert!(low, "{report}");
}

#[test]
fn a_unit_with_half_its_sandbox_gone_is_caught() {
    let open: String = unit_file("amanahd.service")
        .lines()
        .filter(|line| !line.starts_with("Protect") && !line.starts_with("SystemCall"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let (low, report) = exposure(&open);
    assert!(!low, "{report}");
}

#[test]
fn the_unit_runs_the_daemon_as_its_readme_says() {
    let unit = unit_file("amanahd.service");
    let is = |key: &str, value: &str| assert_eq!(values(&unit, key), [value], "{key}");
    is("Type", "notify");
    is("WatchdogSec", "30");
    is("User", "amanah");
    is("RestartPreventExitStatus", "78");
    is("LimitCORE", "0");
    is(
        "ExecStart",
        "/usr/bin/amanahd run --config /etc/amanah/amanah.toml",
    );
    is(
        "ExecStartPre",
        "/usr/bin/amanahd check --config /etc/amanah/amanah.toml",
    );
    // Both would break the daemon, silently: see the README.
    for key in ["RestrictSUIDSGID", "PrivateUsers"] {
        assert!(
            values(&unit, key).is_empty(),
            "{key} is left out on purpose"
        );
    }
}

#[test]
fn every_line_of_the_unit_has_its_reason_in_the_readme() {
    let readme = unit_file("README.md");
    let unit = unit_file("amanahd.service");
    let service = unit.split("[Service]").nth(1).unwrap_or_default();
    let keys = service
        .split("[Install]")
        .next()
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, _)| key);
    let mute: Vec<&str> = keys
        .filter(|key| {
            let short = key.trim_start_matches("ProtectKernel");
            !readme.contains(key) && !readme.contains(&format!("…{short}"))
        })
        .filter(|key| !["ExecStart", "TimeoutStartSec", "StateDirectoryMode"].contains(key))
        .filter(|key| *key != "SystemCallErrorNumber")
        .collect();
    assert!(mute.is_empty(), "without a reason: {mute:?}");
}

#[test]
fn the_users_file_makes_the_daemon_and_the_operators_group() {
    let folder = tempfile::tempdir().unwrap();
    let users = tree::root().join("systemd/amanahd.sysusers");
    let output = run("systemd-sysusers", &["--dry-run", word(&users)]);
    // Where the two are there already, there is nothing to announce: `--root` starts from an empty machine.
    std::fs::create_dir(folder.path().join("etc")).unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let root = format!("--root={}", word(folder.path()));
    let output = run("systemd-sysusers", &[&root, word(&users)]);
    assert!(output.status.success(), "{}", said(&output));
    let passwd = std::fs::read_to_string(folder.path().join("etc/passwd")).unwrap();
    let group = std::fs::read_to_string(folder.path().join("etc/group")).unwrap();
    let daemon = passwd.lines().find(|line| line.starts_with("amanah:"));
    let daemon = daemon.expect("the daemon has a user");
    assert!(daemon.ends_with("nologin"), "{daemon}");
    let has = |start: &str, end: &str| {
        let mut lines = group.lines();
        lines.any(|line| line.starts_with(start) && line.ends_with(end))
    };
    assert!(has("amanah:", ""), "{group}");
    // The daemon is a member, or it could not keep the set-group-id bit on what it makes for operators.
    assert!(has("amanah-operators:", ":amanah"), "{group}");
}

#[test]
fn the_folders_of_the_home_come_out_with_their_owners_and_modes() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("amanahd.conf");
    std::fs::write(&rules, numbered_tmpfiles()).unwrap();
    let root = format!("--root={}", word(folder.path()));
    let as_root = rustix::process::geteuid().is_root();
    // Who is not root cannot give folders away; the rules are then only read.
    let action = if as_root { "--create" } else { "--clean" };
    // Twice: the second run, as at each boot, must change nothing.
    for _ in 0..2 {
        let output = run("systemd-tmpfiles", &[&root, action, word(&rules)]);
        let report = said(&output);
        assert!(output.status.success() && report.is_empty(), "{report}");
    }
    if !as_root {
        return;
    }
    let home = folder.path().join("var/lib/amanah");
    let is = |name: &str, mode: u32, group: u32| {
        let found = std::fs::metadata(home.join(name)).unwrap();
        let seen = (
            found.permissions().mode() & 0o7777,
            found.uid(),
            found.gid(),
        );
        assert_eq!(seen, (mode, DAEMON, group), "{name}");
    };
    is("", 0o750, DAEMON);
    is("spool", 0o700, DAEMON);
    is("outbox", 0o2770, OPERATORS);
    is("requests", 0o3770, OPERATORS);
    for name in [
        "inbox",
        "returned",
        "sent",
        "receipts",
        "ledger",
        "stick",
        "stick/out",
        "stick/in",
    ] {
        is(name, 0o2750, OPERATORS);
    }
    let keys = std::fs::metadata(folder.path().join("etc/amanah/keys")).unwrap();
    assert_eq!((keys.permissions().mode() & 0o777, keys.uid()), (0o700, 0));
    let acl = run("getfacl", &["-n", word(&home.join("outbox"))]);
    let acl = said(&acl);
    assert!(acl.contains(&format!("default:user:{DAEMON}:rwx")), "{acl}");
    assert!(
        acl.contains(&format!("default:group:{OPERATORS}:rwx")),
        "{acl}"
    );
    let acl = said(&run("getfacl", &["-n", word(&home.join("spool"))]));
    assert!(!acl.contains(&OPERATORS.to_string()), "{acl}");
}
