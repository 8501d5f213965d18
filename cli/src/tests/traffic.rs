//! `send`, `status`, `receipts`, `returned`, `quarantine`, `retry`, `pause`, `resume`: what meets the daemon in the home.
//! Where a daemon would answer, the test publishes the snapshot itself.

use super::stand::{Ministry, amanah, bundle, now, pair, receipt};
use crate::Exit;
use crate::status::tests::{outgoing, snapshot};
use amanah_format::digest::Digest;
use amanahd::catalogue::note::{self, why};
use amanahd::catalogue::refusals::explain;
use amanahd::catalogue::{Language, page};
use amanahd::snapshot::Snapshot;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

fn flow(of: &Ministry) -> PathBuf {
    let folder = of.path().join("outbox/imigrasi/manifes-umrah");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn publish(of: &Ministry, snapshot: &Snapshot) {
    let path = of.path().join("status.json");
    std::fs::write(path, serde_json::to_vec(snapshot).unwrap()).unwrap();
}

#[test]
fn send_drops_files_and_folders_whole_and_leaves_the_source() {
    let (one, _) = pair();
    let folder = flow(&one);
    let source = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(source.path().join("map/dalam")).unwrap();
    std::fs::write(source.path().join("map/dalam/a.csv"), "isi").unwrap();
    let file = source.path().join("manifes umrah.csv");
    std::fs::write(&file, "a;b").unwrap();
    let map = source.path().join("map");
    let sent = [
        "send",
        "imigrasi",
        "manifes-umrah",
        file.to_str().unwrap(),
        map.to_str().unwrap(),
    ];
    let said = one.run(&sent).ok().out;
    assert!(said.contains("manifes umrah.csv (3 B)"), "{said}");
    assert_eq!(
        std::fs::read_to_string(folder.join("map/dalam/a.csv")).unwrap(),
        "isi"
    );
    assert!(file.exists());
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().flatten().collect();
    assert_eq!(left.len(), 2, "{left:?}");
    one.run(&sent).fails(Exit::Usage, "in the outbox already");
}

#[test]
fn send_refuses_links_hidden_names_and_flows_that_are_not_agreed() {
    let (one, _) = pair();
    let source = tempfile::tempdir().unwrap();
    let file = source.path().join("a.csv");
    std::fs::write(&file, "a").unwrap();
    let text = file.to_str().unwrap();
    one.run(&["send", "imigrasi", "manifes-umrah", text])
        .fails(Exit::Daemon, "never run");
    flow(&one);
    one.run(&["send", "imigrasi", "lain-lain", text])
        .fails(Exit::Usage, "There are: manifes-umrah");
    one.run(&["send", "kanwil", "manifes-umrah", text])
        .fails(Exit::Usage, "no peer here");
    let link = source.path().join("b.csv");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    one.run(&["send", "imigrasi", "manifes-umrah", link.to_str().unwrap()])
        .fails(Exit::Usage, "no ordinary file");
    let hidden = source.path().join(".a");
    std::fs::write(&hidden, "a").unwrap();
    one.run(&[
        "send",
        "imigrasi",
        "manifes-umrah",
        hidden.to_str().unwrap(),
    ])
    .fails(Exit::Usage, "begin with a dot");
    one.run(&["send", "imigrasi", "manifes-umrah", "/nowhere/a"])
        .fails(Exit::Missing, "");
    assert_eq!(std::fs::read_dir(flow(&one)).unwrap().count(), 0);
}

/// Waits for the drop, then publishes what a daemon would.
fn answer_with(of: &Ministry, state: &str, reason: Option<&str>) -> std::thread::JoinHandle<()> {
    let (home, dropped) = (of.path().to_owned(), flow(of).join("a.csv"));
    let (state, reason) = (state.to_owned(), reason.map(str::to_owned));
    std::thread::spawn(move || {
        while !dropped.exists() {
            std::thread::yield_now();
        }
        let mut all = snapshot();
        let mut bundle = outgoing(&state, "a.csv", dropped.metadata().unwrap().ino());
        bundle.return_reason = reason;
        all.outgoing = vec![bundle];
        std::fs::write(home.join("status.new"), serde_json::to_vec(&all).unwrap()).unwrap();
        std::fs::rename(home.join("status.new"), home.join("status.json")).unwrap();
    })
}

#[test]
fn send_waits_for_the_receipt_or_for_the_reason() {
    let (one, _) = pair();
    let source = tempfile::tempdir().unwrap();
    let file = source.path().join("a.csv");
    std::fs::write(&file, "a").unwrap();
    let wait = [
        "send",
        "imigrasi",
        "manifes-umrah",
        file.to_str().unwrap(),
        "--wait",
    ];
    let daemon = answer_with(&one, "settled", None);
    let settled = one.run(&wait).ok().out;
    daemon.join().unwrap();
    assert!(settled.contains("a.csv: settled"), "{settled}");
    std::fs::remove_file(flow(&one).join("a.csv")).unwrap();
    std::fs::remove_file(one.path().join("status.json")).unwrap();
    let daemon = answer_with(&one, "returned", Some("too-large"));
    let returned = one.run(&wait);
    daemon.join().unwrap();
    assert_eq!(returned.exit, Exit::Negative);
    assert!(returned.out.contains("RETURNED (too-large)") && returned.out.contains("Split it"));
    std::fs::remove_file(flow(&one).join("a.csv")).unwrap();
    publish(&one, &snapshot());
    let mut patience = wait.to_vec();
    patience.extend(["--timeout", "0"]);
    let late = one.run(&patience);
    assert_eq!(late.exit, Exit::Negative);
    assert!(late.out.contains("not finished"));
}

#[test]
fn status_prints_what_the_daemon_published_and_says_when_there_is_nothing() {
    let (one, _) = pair();
    one.run(&["status"]).fails(Exit::Daemon, "never run");
    let mut all = snapshot();
    all.outgoing = vec![outgoing("queued", "a.csv", 7)];
    publish(&one, &all);
    let text = one.run(&["status"]).ok().out;
    assert!(
        text.contains("30% sent") && text.contains("manifes-umrah"),
        "{text}"
    );
    let facts = one.run(&["status", "--json"]).ok().facts();
    assert_eq!(
        (&facts["format"], &facts["alive"]),
        (&"amanah-status/1".into(), &true.into())
    );
}

#[test]
fn a_wrong_configuration_does_not_hide_what_the_daemon_published() {
    let (one, _) = pair();
    let file = one.path().join("amanah.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("salah = 1\n{good}")).unwrap();
    one.run(&["status"]).fails(Exit::Config, "salah");
    publish(&one, &snapshot());
    let ran = one.run(&["status"]).ok();
    assert!(ran.out.contains("has been running"), "{ran:?}");
    assert!(ran.err.contains("configuration is wrong"), "{ran:?}");
}

#[test]
fn receipts_are_verified_when_they_are_listed() {
    let (one, other) = pair();
    let (manifest, digest) = bundle(&one, &other, &one.path().join("b.amanah"));
    let folder = one.path().join("receipts/received/imigrasi");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{}.receipt.amanah", digest.to_hex()));
    std::fs::write(&path, receipt(&other, &manifest, digest)).unwrap();
    let listed = one.run(&["receipts", "imigrasi"]).ok().out;
    assert!(
        listed.contains("imported") && listed.contains("valid"),
        "{listed}"
    );
    let forged = receipt(&one, &manifest, digest);
    std::fs::write(&path, forged).unwrap();
    let listed = one.run(&["receipts"]);
    assert_eq!(listed.exit, Exit::Negative);
    assert!(listed.out.contains("NOT VALID"), "{}", listed.out);
    assert!(
        one.run(&["receipts", "kanwil"])
            .ok()
            .out
            .contains("No receipt yet")
    );
}

#[test]
fn returned_items_are_listed_with_their_reason() {
    let (one, _) = pair();
    assert!(
        one.run(&["returned"])
            .ok()
            .out
            .contains("Nothing was returned")
    );
    let folder = one.path().join("returned/imigrasi/manifes-umrah");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("a.csv"), "a").unwrap();
    std::fs::write(
        folder.join("a.csv.why.txt"),
        why("a.csv", "too-large", now()),
    )
    .unwrap();
    let text = one.run(&["returned"]).ok().out;
    assert!(
        text.contains("too-large") && text.contains("Split it"),
        "{text}"
    );
    let facts = one.run(&["returned", "--json"]).ok().facts();
    assert_eq!(facts["items"][0]["name"], "a.csv");
    assert_eq!(facts["items"][0]["code"], "too-large");
}

#[test]
fn what_was_dropped_outside_of_a_flow_s_folder_is_listed_as_well() {
    let (one, _) = pair();
    let folder = one.path().join("returned/imigrasi");
    std::fs::create_dir_all(folder.join("berkas")).unwrap();
    std::fs::write(folder.join("a.csv"), "a").unwrap();
    for name in ["a.csv", "berkas"] {
        let note = why(name, "peer-unknown", now());
        std::fs::write(folder.join(format!("{name}.why.txt")), note).unwrap();
    }
    std::fs::write(folder.join("berkas/mine.why.txt"), "an operator's own").unwrap();
    let facts = one.run(&["returned", "--json"]).ok().facts();
    let items = facts["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{facts}");
    for item in items {
        assert_eq!(item["peer"], "imigrasi");
        assert_eq!(item["flow"], serde_json::Value::Null);
        assert_eq!(item["code"], "peer-unknown");
    }
    let text = one.run(&["returned"]).ok().out;
    assert!(
        text.contains("a.csv · imigrasi · - · peer-unknown"),
        "{text}"
    );
}

#[test]
fn the_quarantine_is_listed_shown_and_a_held_bundle_released() {
    let (one, _) = pair();
    assert!(
        one.run(&["quarantine", "list"])
            .ok()
            .out
            .contains("quarantine is empty")
    );
    let folder = one.path().join("quarantine");
    std::fs::create_dir_all(&folder).unwrap();
    let digest = Digest::of(b"bundle");
    let name = format!("{}.amanah", digest.to_hex());
    let note = serde_json::json!({
        "name": name, "peer": "imigrasi", "code": "wrong-recipient", "time": now(), "bytes": 5, "state": "refused",
    });
    std::fs::write(folder.join(format!("{name}.json")), note.to_string()).unwrap();
    assert!(
        one.run(&["quarantine", "list"])
            .ok()
            .out
            .contains("wrong-recipient")
    );
    let shown = one
        .run(&["quarantine", "show", &digest.to_hex()[..8]])
        .ok()
        .out;
    for words in [
        "Reason: The bundle is addressed, or encrypted, to somebody else.",
        "Whose fault: the sender's system administrator",
        "What to do: Check",
        "For the sysadmin: Install",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    one.run(&["quarantine", "show", "ffff"])
        .fails(Exit::Missing, "");
    one.run(&["quarantine", "release", &name])
        .fails(Exit::Daemon, "never run");
    std::fs::create_dir(one.path().join("requests")).unwrap();
    one.run(&["quarantine", "release", &name]).ok();
    one.run(&["quarantine", "release", "../x"])
        .fails(Exit::Usage, "");
    publish(&one, &snapshot());
    one.run(&["quarantine", "release", &name])
        .fails(Exit::Missing, "only a held one");
}

#[test]
fn the_quarantine_and_the_note_of_a_returned_item_say_what_the_page_says() {
    let (one, _) = pair();
    let folder = one.path().join("quarantine");
    std::fs::create_dir_all(&folder).unwrap();
    let codes: Vec<&str> = page::codes().chain(["of-a-newer-version"]).collect();
    for code in &codes {
        let note = serde_json::json!({
            "name": *code, "peer": "imigrasi", "code": *code, "time": now(), "bytes": 5, "state": "refused",
        });
        std::fs::write(folder.join(format!("{code}.json")), note.to_string()).unwrap();
    }
    let home = one.path().to_str().unwrap();
    for (language, lang) in [(Language::Indonesian, "id"), (Language::English, "en")] {
        for code in &codes {
            let texts = explain(code).map_or_else(
                || vec![note::UNKNOWN, note::UNKNOWN_REMEDY],
                |of| vec![of.meaning, of.fault.text(), of.remedy, of.sysadmin],
            );
            let show = amanah(&["--home", home, "--lang", lang, "quarantine", "show", code]).ok();
            // The first that begins so: one code may be the beginning of another.
            assert!(show.out.contains(code), "{}", show.out);
            let why = why("a.csv", code, now());
            for text in texts.iter().map(|text| text.in_language(language)) {
                assert!(show.out.contains(text), "{code}: {text}: {}", show.out);
                assert!(why.contains(text), "{code}: {text}: {why}");
                let is_known = explain(code).is_some();
                assert_eq!(page::print().contains(text), is_known, "{code}: {text}");
            }
        }
    }
}

#[test]
fn requests_are_whole_files_and_only_for_known_peers() {
    let (one, _) = pair();
    let requests = one.path().join("requests");
    one.run(&["retry"]).fails(Exit::Daemon, "never run");
    std::fs::create_dir(&requests).unwrap();
    one.run(&["retry"]).ok();
    one.run(&["retry", "imigrasi"]).ok();
    one.run(&["pause", "imigrasi"]).ok();
    one.run(&["resume", "imigrasi"]).ok();
    one.run(&["pause", "kanwil"])
        .fails(Exit::Usage, "no peer here");
    let mut verbs = Vec::new();
    for entry in std::fs::read_dir(&requests).unwrap().flatten() {
        assert!(
            entry
                .file_name()
                .to_str()
                .unwrap()
                .ends_with(".request.json")
        );
        let request: amanahd::request::Request =
            serde_json::from_slice(&std::fs::read(entry.path()).unwrap()).unwrap();
        verbs.push(serde_json::to_value(request).unwrap()["verb"].to_string());
    }
    verbs.sort();
    assert_eq!(verbs, ["\"pause\"", "\"resume\"", "\"retry\"", "\"retry\""]);
}
