//! Canaries: strings that stand for personal data travel in contents, names of files and names of folders, and afterwards are
//! looked for everywhere. Contents may lie where people put and fetch them, and nowhere else; names never leave the home, and
//! within it are in no log line, ledger, receipt or manifest. Promise P9, DESIGN §3.

use std::fs;
use std::path::{Path, PathBuf};

use amanah_format::home;
use amanah_tests::exchange::{Exchange, PATIENCE, drop_item, files_below};
use amanah_tests::ministry::Ministry;

use crate::program;

/// Is in contents.
const CONTENTS: &str = "KENARI-ISI-8271-Siti-Rahmawati";
/// Is in names of files.
const FILE: &str = "Kenari Berkas Nurhaliza";
/// Is in names of folders.
const FOLDER: &str = "Kenari Map Abdurrahman";
/// Where people's own files lie.
const OF_PEOPLE: [&str; 4] = [home::OUTBOX, home::SENT, home::INBOX, home::RETURNED];
/// Where names may be told to the people of this home: the rows that bring items back, and the status.
const KNOWS_NAMES: [&str; 2] = [home::JOURNAL, home::STATUS];

/// All files of a ministry that are not people's own, its log and configuration among them.
fn machinery(ministry: &Ministry) -> Vec<PathBuf> {
    let people = OF_PEOPLE.map(|place| ministry.path(place));
    let mut files = files_below(ministry.folder()).unwrap();
    files.extend(files_below(ministry.home()).unwrap());
    files.push(ministry.log());
    assert!(fs::metadata(ministry.log()).unwrap().len() > 0);
    files.retain(|file| !people.iter().any(|place| file.starts_with(place)));
    assert!(
        files
            .iter()
            .any(|file| *file == ministry.path(home::JOURNAL)),
        "the journal is looked at: {files:?}"
    );
    files
}

fn holds(file: &Path, canary: &str) -> bool {
    // What vanished meanwhile (a temporary file of the status) holds nothing.
    let bytes = fs::read(file).unwrap_or_default();
    let found = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    let escaped = canary.replace(' ', "\\u0020").replace('-', "\\u002d");
    found(canary.as_bytes()) || found(escaped.as_bytes())
}

/// Fails for each file that holds a canary it may not.
fn sings_nowhere(ministry: &Ministry) {
    let files = machinery(ministry);
    for file in &files {
        assert!(!holds(file, CONTENTS), "contents in {}", file.display());
        let journal = ministry.path(home::JOURNAL);
        let knows = KNOWS_NAMES
            .iter()
            .any(|place| *file == ministry.path(place))
            || file
                .to_string_lossy()
                .starts_with(&*journal.to_string_lossy());
        for name in [FILE, FOLDER] {
            assert!(knows || !holds(file, name), "a name in {}", file.display());
        }
        let path = file.to_string_lossy();
        assert!(!path.contains(FILE) && !path.contains(FOLDER), "{path}");
    }
}

#[test]
fn personal_data_stays_in_the_folders_of_people_and_names_in_their_home() {
    let mut exchange = Exchange::connected(program()).unwrap();
    for way in [exchange.out.clone(), exchange.back.clone()] {
        let text = format!("{CONTENTS}\n").repeat(1000);
        let file = format!("{FILE}.csv");
        let inner = format!("{FOLDER}/{file}");
        let items = [
            exchange.item(&way, &file, &[("", &text)]).unwrap(),
            exchange
                .item(&way, FOLDER, &[(&inner, &text), ("lain.txt", &text)])
                .unwrap(),
        ];
        let (sender, _) = exchange.pair.sender_and_receiver(&way.from);
        let dropped = items.map(|item| drop_item(sender, item).unwrap());
        // Not agreed, not portable: returned, and nothing of it is told.
        let stray = sender.path(home::OUTBOX).join(&file);
        fs::write(&stray, &text).unwrap();
        let odd = sender
            .path(&home::outbox(&way.to, &way.flow))
            .join(format!("{FILE}\n"));
        fs::write(&odd, &text).unwrap();
        let arrived = exchange.settled(&dropped).unwrap();
        let (sender, _) = exchange.pair.sender_and_receiver(&way.from);
        let back = sender.path(home::RETURNED);
        sender
            .wait_for("the returns", PATIENCE, |_| {
                let notes = files_below(&back).unwrap_or_default();
                let whys = notes
                    .iter()
                    .filter(|note| note.to_string_lossy().ends_with(home::WHY_SUFFIX));
                (whys.count() == 2).then_some(())
            })
            .unwrap();
        assert!(!stray.exists() && !odd.exists());
        exchange.holds(&arrived).unwrap();
    }
    for ministry in [&exchange.pair.phu, &exchange.pair.imigrasi] {
        sings_nowhere(ministry);
        let inbox = files_below(&ministry.path(home::INBOX)).unwrap();
        assert!(
            inbox.iter().any(|file| holds(file, CONTENTS)),
            "the canary can sing"
        );
    }
}
