//! The doctor on made-up homes: a young one, one that is loose, one whose daemon fell silent. Real daemons and peers are
//! looked at by the integration tests.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use amanah_format::home;
use amanahd::snapshot::{Alarm, Snapshot, StreamStatus};

use crate::Exit;
use crate::papers::now;
use crate::status::tests::snapshot;
use crate::tests::stand::Ministry;

fn codes(ministry: &Ministry, arguments: &[&str]) -> (Exit, Vec<(String, String)>) {
    let mut all = vec!["doctor", "--offline", "--json"];
    all.extend(arguments);
    let ran = ministry.run(&all);
    let facts = ran.facts();
    assert_eq!(facts["format"], "amanah-doctor/1");
    let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let findings = facts["findings"].as_array().unwrap().iter();
    let found = findings.map(|one| (word(&one["severity"]), word(&one["code"])));
    (ran.exit, found.collect())
}

fn publish(folder: &Path, snapshot: &Snapshot) {
    let json = serde_json::to_vec(snapshot).unwrap();
    std::fs::write(folder.join(home::STATUS), json).unwrap();
}

fn has(found: &[(String, String)], severity: &str, code: &str) -> bool {
    found.iter().any(|one| one.0 == severity && one.1 == code)
}

#[test]
fn a_home_on_which_no_daemon_ever_ran_is_told_to_start_one() {
    let ministry = Ministry::new("kemenhaj");
    let (exit, found) = codes(&ministry, &[]);
    assert_eq!(exit, Exit::Negative);
    let errors: Vec<_> = found.iter().filter(|one| one.0 == "error").collect();
    assert_eq!(errors.len(), 1, "{found:?}");
    assert!(has(&found, "error", "daemon-never"));
    let said = ministry.run(&["doctor"]).out;
    let areas = said.lines().last().unwrap();
    for area in [
        "configuration",
        "home",
        "cards",
        "keys",
        "agreements",
        "clock",
        "disk",
        "daemon",
        "peers",
    ] {
        assert!(areas.contains(area), "{area}: {areas}");
    }
}

#[test]
fn loose_modes_missing_folders_and_a_missing_store_are_found() {
    let ministry = Ministry::new("kemenhaj");
    let folder = ministry.path();
    publish(folder, &snapshot());
    for (name, mode) in [
        (home::SPOOL, 0o755),
        (home::OUTBOX, 0o700),
        (home::INBOX, 0o750),
    ] {
        std::fs::create_dir(folder.join(name)).unwrap();
        std::fs::set_permissions(folder.join(name), PermissionsExt::from_mode(mode)).unwrap();
    }
    std::fs::set_permissions(
        folder.join(home::KEY_SIGNING),
        PermissionsExt::from_mode(0o644),
    )
    .unwrap();
    let (_, found) = codes(&ministry, &[]);
    assert!(has(&found, "error", "folder-mode"), "{found:?}");
    assert!(has(&found, "warning", "outbox-closed"));
    assert!(has(&found, "error", "folder-missing"));
    assert!(has(&found, "error", "store-missing"));
    assert!(has(&found, "error", "keys-wrong"));
}

#[test]
fn alarms_gaps_and_what_waits_too_long_are_found_without_a_name() {
    let ministry = Ministry::new("kemenhaj");
    let mut all = snapshot();
    all.written = now().plus_secs(-3_600);
    all.alarms = vec![Alarm {
        code: "no-space".into(),
        subject: "Siti-Aminah.csv".into(),
        since: now(),
    }];
    all.streams = vec![StreamStatus {
        peer: "imigrasi".into(),
        flow: "paspor".into(),
        way: "in".into(),
        missing: Some(2),
        contiguous: Some(7),
        oldest_unsettled: Some(now().plus_secs(-7 * 3_600)),
        ..StreamStatus::default()
    }];
    publish(ministry.path(), &all);
    let (exit, found) = codes(&ministry, &["--older-than", "6"]);
    assert_eq!(exit, Exit::Negative);
    for (severity, code) in [
        ("error", "daemon-silent"),
        ("error", "alarm"),
        ("warning", "numbers-missing"),
        ("warning", "unsettled"),
    ] {
        assert!(has(&found, severity, code), "{code}: {found:?}");
    }
    let (_, patient) = codes(&ministry, &["--older-than", "8"]);
    assert!(!has(&patient, "warning", "unsettled"));
    let said = ministry.run(&["doctor", "--offline"]);
    assert!(!said.out.contains("Aminah"), "{said:?}");
    assert!(said.out.contains("WRONG (daemon-silent)"), "{said:?}");
    assert!(said.out.contains("→ systemctl status amanahd"), "{said:?}");
}

#[test]
fn a_wrong_configuration_is_a_finding_with_its_line() {
    let ministry = Ministry::new("kemenhaj");
    let file = ministry.path().join(home::CONFIG);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("wrong_word = 1\n{text}")).unwrap();
    let ran = ministry.run(&["doctor"]);
    assert_eq!(ran.exit, Exit::Config);
    assert!(
        ran.out.contains("config-wrong") && ran.out.contains("line 1"),
        "{ran:?}"
    );
}
