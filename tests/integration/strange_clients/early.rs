//! A large bundle is opened while it arrives, and nothing of it is anybody's before its hand-over: what is never handed over, what
//! a death left, and what was exchanged for other bytes after it was read leave no trace in inbox or staging.
//! Driven by OpenSSH's `sftp`, which uploads and hands over in two commands.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use amanah_format::home;
use amanah_tests::exchange::{PATIENCE, files_below};
use amanah_tests::waiting::until;

use super::stage::Stage;

/// Lines whose bundle is long enough to be opened early: some 20 MB that no compressor shortens.
const LINES: u64 = 2_300_000;

fn sftp(line: &str) -> String {
    format!(
        ". ./settings\nsftp -q -b - -F none -oUserKnownHostsFile=known_hosts -i $key -P $port $party@$host <<END\n{line}\nEND\n"
    )
}

const UPLOAD: &str = "put -f $name /incoming/$name.part";
const HAND_OVER: &str = "rename /incoming/$name.part /incoming/$name";

impl Stage {
    /// Where the peer's staging of the large bundle is.
    fn staging(&self) -> PathBuf {
        let hex = self.large.trim_end_matches(".amanah");
        self.imigrasi(home::INBOX_STAGING).join(hex)
    }

    /// Waits until so much of the large bundle's text lies in staging; nothing of it lies anywhere else.
    fn staged(&self, bytes: u64) {
        let of = |path: &PathBuf| fs::metadata(path).map_or(0, |meta| meta.len());
        until("it is opened early", PATIENCE, || {
            let files = files_below(&self.staging())?;
            Ok((files.iter().map(of).sum::<u64>() >= bytes).then_some(()))
        })
        .unwrap();
        self.is_nobodys();
    }

    /// Neither imported nor answered.
    fn is_nobodys(&self) {
        let inbox = files_below(&self.imigrasi(home::INBOX)).unwrap();
        let staged = self.imigrasi(home::INBOX_STAGING);
        let shown = |path: &&PathBuf| !path.starts_with(&staged) && path.ends_with(self.item());
        assert_eq!(inbox.iter().find(shown), None);
        let receipts = self.imigrasi(&home::receipts_sent(&"phu".parse().unwrap()));
        assert!(!receipts.join(Self::receipt(&self.large)).exists());
    }
}

#[test]
fn what_was_opened_early_becomes_the_import_at_the_hand_over_and_is_wiped_after_a_death() {
    let mut stage = Stage::set_with(LINES);
    let large = stage.large.clone();
    let whole = usize::try_from(fs::metadata(stage.path(&large)).unwrap().len()).unwrap();
    stage.cut(&stage.path(&large), "cut", whole - 500_000);
    let cut = sftp("put -f cut /incoming/$name.part");
    stage.sh(&large, &cut).succeeded();
    stage.staged(1);
    stage.restart_peer();
    until("staging is empty", PATIENCE, || {
        Ok((!stage.staging().exists()).then_some(()))
    })
    .unwrap();

    stage.sh(&large, &sftp(UPLOAD)).succeeded();
    stage.staged(stage.text_bytes());
    let opened = fs::metadata(stage.staging()).unwrap().ino();
    stage.sh(&large, &sftp(HAND_OVER)).succeeded();
    stage.answered(&large);
    let inbox = files_below(&stage.imigrasi(home::INBOX)).unwrap();
    let arrived = inbox.iter().find(|path| path.ends_with(stage.item()));
    let folder = arrived.and_then(|path| path.parent()).unwrap();
    assert_eq!(
        fs::metadata(folder).unwrap().ino(),
        opened,
        "the import is what was opened early"
    );
    stage.settles();
}

#[test]
fn what_was_opened_early_is_wiped_when_it_is_left_alone_or_handed_over_as_other_bytes() {
    let mut stage = Stage::set_with(LINES);
    let large = stage.large.clone();
    stage.sh(&large, &sftp(UPLOAD)).succeeded();
    stage.staged(stage.text_bytes());
    // The last byte of the payload, long after it was read.
    let mut bytes = fs::read(stage.path(&large)).unwrap();
    let place = bytes.len() - 2_000;
    bytes[place] ^= 1;
    fs::write(stage.path("other"), &bytes).unwrap();
    let other = format!("put -f other /incoming/$name.part\n{HAND_OVER}");
    stage.sh(&large, &sftp(&other)).refused("to exchange it");
    let note = stage.imigrasi("quarantine").join(format!("{large}.json"));
    let note = fs::read_to_string(note).unwrap();
    assert!(note.contains("damaged"), "{note}");
    until("staging is empty", PATIENCE, || {
        Ok((!stage.staging().exists()).then_some(()))
    })
    .unwrap();
    stage.is_nobodys();

    // Opened for nothing once: this time in the ordinary way, and never without its hand-over.
    stage.sh(&large, &sftp(UPLOAD)).succeeded();
    stage.is_nobodys();
    stage.sh(&large, &sftp(HAND_OVER)).succeeded();
    stage.answered(&large);
    stage.settles();
}
