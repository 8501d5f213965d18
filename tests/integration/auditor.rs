//! docs/auditor.md taken at its word: every command that it prints, in Indonesian and in English, on an exchange that was kept;
//! and on the same with one thing changed, where the command that checks it must fail.

use std::fs;
use std::path::{Path, PathBuf};

use amanah_format::home;
use amanah_tests::exchange::Exchange;
use amanah_tests::{items::tree_of, printed};

use crate::program;

const AUDITOR: &str = include_str!("../../docs/auditor.md");
const FORMAT: &str = include_str!("../../format/FORMAT.md");

/// What the two ministries hand over, by the commands of the document.
const COLLECTED: [&str; 2] = ["collect-sender", "collect-recipient"];
/// What the auditor runs, in this order.
const CHECKS: [&str; 7] = [
    "cards",
    "card-chain",
    "agreement",
    "bundle",
    "receipt",
    "ledger",
    "open",
];

/// The two halves of the document.
fn halves() -> [&'static str; 2] {
    let (indonesian, english) = AUDITOR.split_once("\n## English\n").unwrap();
    [indonesian, english]
}

/// An exchange of which the auditor gets the bundle and the receipt.
struct Audit {
    exchange: Exchange,
    settings: String,
    item: PathBuf,
}

impl Audit {
    fn new() -> Self {
        let mut exchange = Exchange::connected(program()).unwrap();
        let way = exchange.out.clone();
        let mut dropped = Vec::new();
        for name in ["manifes 1.csv", "manifes 2.csv"] {
            dropped.push(exchange.drop_text(&way, name, name).unwrap());
        }
        let arrived = exchange.settled(&dropped).unwrap();
        exchange.holds(&arrived).unwrap();
        let tools = exchange.folder().join("bin");
        fs::create_dir(&tools).unwrap();
        std::os::unix::fs::symlink(program(), tools.join("amanah")).unwrap();
        let settings = printed::blocks(AUDITOR, "text")[0];
        let settings = settings.replace("3f2a…", &arrived[1].manifest.to_hex()) + "\n";
        let item = arrived[1].item.material.clone();
        Self {
            exchange,
            settings,
            item,
        }
    }

    /// The auditor's folder with everything that was handed over, by the commands of this half.
    fn collected(&self, name: &str, half: &str) -> PathBuf {
        let folder = self.exchange.folder().join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("settings"), &self.settings).unwrap();
        fs::write(folder.join("FORMAT.md"), FORMAT).unwrap();
        for (block, ministry) in COLLECTED.into_iter().zip(self.exchange.pair.both()) {
            let place = format!(
                "config='{}' home='{}' PATH='{}':\"$PATH\"\n{}",
                ministry.folder().display(),
                ministry.home().display(),
                self.exchange.folder().join("bin").display(),
                printed::block(half, block).unwrap()
            );
            printed::run_well(&place, &folder).unwrap();
        }
        let key = self.exchange.pair.imigrasi.folder();
        fs::copy(key.join(home::KEY_DECRYPTION), folder.join("identity")).unwrap();
        folder
    }
}

#[test]
fn every_command_of_the_document_proves_a_kept_exchange() {
    let audit = Audit::new();
    for (half, name) in halves().into_iter().zip(["periksa", "audit"]) {
        let folder = audit.collected(name, half);
        let said: String = CHECKS
            .iter()
            .map(|check| printed::run_well(printed::block(half, check).unwrap(), &folder).unwrap())
            .collect();
        assert_eq!(said.matches("Good \"").count(), 6, "{said}");
        for word in ["\"outcome\": \"imported\"", "Verified Successfully"] {
            assert!(said.contains(word), "{word}: {said}");
        }
        for ministry in audit.exchange.pair.both() {
            let card = ministry.run(&["card", "show"]).unwrap().stdout;
            let fingerprint = card.lines().last().unwrap().rsplit(' ').next().unwrap();
            assert!(said.contains(fingerprint), "{fingerprint}: {said}");
        }
        let (original, opened) = (fs::read(&audit.item).unwrap(), folder.join("opened"));
        let opened = fs::read(opened.join(audit.item.file_name().unwrap())).unwrap();
        assert_eq!(opened, original);
    }
}

#[test]
fn no_command_of_the_document_is_left_out_and_both_halves_print_the_same() {
    let [indonesian, english] = halves().map(|half| printed::blocks(half, "sh"));
    assert_eq!(indonesian, english);
    let names = indonesian
        .iter()
        .map(|block| block.lines().next().unwrap().trim_start_matches("# "));
    let known = COLLECTED.into_iter().chain(CHECKS);
    assert!(names.eq(known));
}

#[test]
fn whatever_was_changed_the_command_that_checks_it_fails() {
    let audit = Audit::new();
    let good = audit.collected("asli", halves()[1]);
    let bundle = audit.settings.split("bundle=").nth(1).unwrap().trim();
    let (bundle, receipt) = (
        format!("{bundle}.amanah"),
        format!("{bundle}.receipt.amanah"),
    );
    for (file, place, caught_by) in [
        ("phu.card.amanah", 700, "cards"),
        ("imigrasi.card.amanah", 700, "cards"),
        ("agreement.amanah", 700, "agreement"),
        (bundle.as_str(), 700, "bundle"),
        (bundle.as_str(), 16_900, "bundle"),
        (receipt.as_str(), 700, "receipt"),
        ("records.jsonl", 30, "ledger"),
        ("checkpoint", 20, "ledger"),
    ] {
        let name = format!("{caught_by}-{file}-{place}");
        let folder = audit.exchange.folder().join(name);
        copied(&good, &folder);
        flip(&folder.join(file), place);
        let failed = CHECKS.into_iter().find(|check| {
            let block = printed::block(AUDITOR, check).unwrap();
            !printed::run(block, &folder).unwrap().status.success()
        });
        assert_eq!(failed, Some(caught_by), "{file} at {place}");
    }
}

fn copied(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for path in tree_of(from).unwrap().into_keys() {
        fs::copy(from.join(&path), to.join(&path)).unwrap();
    }
}

fn flip(path: &Path, place: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[place] ^= 1;
    fs::write(path, bytes).unwrap();
}
