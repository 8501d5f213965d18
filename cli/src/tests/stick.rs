//! `export`, `import`: what they say without a daemon, and with one that a thread plays: asking, answers, the exit codes.
//! The journeys with real daemons are among the integration tests.

use std::path::Path;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use amanahd::by_hand::{Answer, FORMAT, Fate, Told};
use amanahd::request::Request;

use super::stand::{Ministry, pair};
use crate::Exit;
use crate::status::tests::snapshot;

/// A daemon that answers the first request like this, and gives back the last.
fn daemon(
    of: &Ministry,
    fates: &'static [(&'static str, Fate, Option<&'static str>)],
) -> JoinHandle<Request> {
    let home = of.path().to_owned();
    for folder in ["requests", "stick/in", "stick/out"] {
        std::fs::create_dir_all(home.join(folder)).unwrap();
    }
    let status = serde_json::to_vec(&snapshot()).unwrap();
    std::fs::write(home.join("status.json"), status).unwrap();
    std::thread::spawn(move || {
        let asked = next(&home);
        let laid_out = matches!(asked, Request::Export { .. });
        let (Request::Export { ticket, .. } | Request::Import { ticket, .. }) = asked else {
            panic!("{asked:?}");
        };
        let folder = home.join("stick/out").join(ticket.as_str());
        std::fs::create_dir(&folder).unwrap();
        let files = fates.iter().map(|(name, fate, code)| {
            if laid_out {
                std::fs::write(folder.join(name), "isi").unwrap();
            }
            let mut told = Told::new((*name).to_owned(), *fate);
            told.bytes = 3;
            told.code = code.map(str::to_owned);
            told.peer = Some("imigrasi".to_owned());
            told
        });
        let answer = Answer {
            format: FORMAT.to_owned(),
            paused: fates.is_empty(),
            files: files.collect(),
        };
        let hidden = folder.join(".answer");
        std::fs::write(&hidden, serde_json::to_vec(&answer).unwrap()).unwrap();
        std::fs::rename(hidden, folder.join("answer.json")).unwrap();
        next(&home)
    })
}

/// Takes the next request out of the folder.
fn next(home: &Path) -> Request {
    let begun = Instant::now();
    loop {
        for entry in std::fs::read_dir(home.join("requests")).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap();
            if name.ends_with(".request.json") {
                let request = std::fs::read(entry.path()).unwrap();
                std::fs::remove_file(entry.path()).unwrap();
                return serde_json::from_slice(&request).unwrap();
            }
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "no request");
        std::thread::yield_now();
    }
}

const BUNDLE: &str = "1111111111111111111111111111111111111111111111111111111111111111.amanah";
const RECEIPT: &str =
    "2222222222222222222222222222222222222222222222222222222222222222.receipt.amanah";

#[test]
fn export_copies_what_is_laid_out_and_says_what_to_do_with_the_stick() {
    let (one, _) = pair();
    let stick = tempfile::tempdir().unwrap();
    let folder = stick.path().to_str().unwrap();
    let laid_out = &[
        (RECEIPT, Fate::LaidOut, None),
        (BUNDLE, Fate::LaidOut, None),
    ];
    let asked = daemon(&one, laid_out);
    let ran = one.run(&["export", folder]).ok();
    assert!(
        ran.out
            .contains("receipt 222222222222… was copied to the stick (3 B)."),
        "{ran:?}"
    );
    assert!(
        ran.err.contains("may be pulled out") && ran.err.contains("amanah import"),
        "{ran:?}"
    );
    assert_eq!(std::fs::read(stick.path().join(BUNDLE)).unwrap(), b"isi");
    let Request::Carried { names, .. } = asked.join().unwrap() else {
        panic!("the ticket is given back");
    };
    assert_eq!(names, [RECEIPT], "of bundles nothing is claimed");
    let asked = daemon(&one, laid_out);
    let facts = one
        .run(&["--json", "export", folder, "--peer", "imigrasi"])
        .ok()
        .facts();
    asked.join().unwrap();
    assert_eq!(facts["format"], "amanah-export/1");
    assert_eq!(facts["files"][1]["result"], "there");
}

#[test]
fn import_tells_of_each_file_what_became_of_it_and_what_to_do() {
    let (one, _) = pair();
    let stick = tempfile::tempdir().unwrap();
    for name in [BUNDLE, RECEIPT, "foto.jpg"] {
        std::fs::write(stick.path().join(name), "isi").unwrap();
    }
    let folder = stick.path().to_str().unwrap();
    let fates = &[
        (RECEIPT, Fate::AlreadyHere, None),
        (BUNDLE, Fate::TurnedAway, Some("signer-unknown")),
    ];
    let asked = daemon(&one, fates);
    let ran = one.run(&["import", folder]);
    asked.join().unwrap();
    assert_eq!(ran.exit, Exit::Negative, "{ran:?}");
    for part in [
        "receipt 222222222222… from imigrasi: was here already.",
        "bundle 111111111111…: NOT TAKEN (signer-unknown).",
        "Other files there were left alone: 1.",
    ] {
        assert!(ran.out.contains(part), "{part}: {ran:?}");
    }
    let meaning = amanahd::catalogue::refusals::explain("signer-unknown").unwrap();
    assert!(ran.out.contains(meaning.remedy.en), "{ran:?}");
    let asked = daemon(&one, &[(BUNDLE, Fate::TakenOver, None)]);
    let facts = one.run(&["--json", "import", folder]).ok().facts();
    asked.join().unwrap();
    assert_eq!(facts["format"], "amanah-import/1");
    assert_eq!(facts["files"][0]["fate"], "taken-over");
    assert_eq!(facts["others"], 1);
}

#[test]
fn what_is_wrong_with_folder_or_peer_is_said_before_the_daemon_is_asked() {
    let (one, _) = pair();
    let stick = tempfile::tempdir().unwrap();
    let folder = stick.path().to_str().unwrap();
    for verb in ["export", "import"] {
        one.run(&[verb, "/media/tidak-ada"])
            .fails(Exit::Missing, "does not exist");
        let file = one.path().join("amanah.toml");
        one.run(&[verb, file.to_str().unwrap()])
            .fails(Exit::Io, "no folder");
    }
    one.run(&["import", folder])
        .fails(Exit::Missing, "no files of Amanah");
    one.run(&["export", folder, "--peer", "bpkh"])
        .fails(Exit::Usage, "no peer here");
    one.run(&["export", folder])
        .fails(Exit::Daemon, "has never run");
    let asked = daemon(&one, &[]);
    one.run(&["export", folder])
        .fails(Exit::Negative, "amanah resume imigrasi");
    asked.join().unwrap();
    let third = Ministry::new("bpkh");
    one.add(&third);
    one.run(&["export", folder])
        .fails(Exit::Usage, "name one with --peer: bpkh, imigrasi");
}

#[test]
fn a_peer_that_no_wire_leads_to_is_said_to_be_met_by_hand() {
    let (one, other) = pair();
    let config = one.path().join("amanah.toml");
    std::fs::write(&config, "party = \"kemenhaj\"\nlanguage = \"en\"\n").unwrap();
    let (card, fingerprint) = (other.card(), other.fingerprint());
    let add = [
        "peer",
        "add",
        card.to_str().unwrap(),
        "--fingerprint",
        &fingerprint,
    ];
    let said = one.run(&add).ok().out;
    assert!(said.contains("No wire leads to imigrasi"), "{said}");
    let said = one.run(&["peer", "list"]).ok().out;
    assert!(said.contains("carried by hand"), "{said}");
}
