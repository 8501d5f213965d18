//! docs/by-hand.md taken at its word: bundles made with stock tools, and with Python, by FORMAT.md alone, and handed over
//! with stock `sftp`. Of the two ministries only the recipient's daemon runs; the sender is the script with the sender's keys.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use amanah_format::home;
use amanah_tests::exchange::{Exchange, PATIENCE, inbox_tree};
use amanah_tests::items::{Tree, tree_of};
use amanah_tests::{printed, python};
use serde_json::Value;

use crate::program;

const BY_HAND: &str = include_str!("../../docs/by-hand.md");
const FORMAT: &str = include_str!("../../format/FORMAT.md");
/// Most lines of the script.
const LINES_MAX: usize = 60;
/// The items of every bundle here: sub-folder, space, quote, beyond ASCII, long path, empty.
const ITEMS: [(&str, &[u8]); 5] = [
    ("kloter/JKG-01/daftar nama.csv", b"nama\nNur Contoh\n"),
    ("kosong", b""),
    ("manifes \"umrah\" 2026.csv", b"1,2\n"),
    ("na\u{ef}f.txt", b"\x00\xff"),
    (
        "berkas/yang/namanya/jauh/lebih/panjang/dari/seratus/bita/supaya/arsip/memerlukan/kepala/tambahan/untuknya/daftar.csv",
        b"3,4\n",
    ),
];

/// The folder of docs/by-hand.md, and the recipient whose daemon runs.
struct Desk {
    exchange: Exchange,
    folder: PathBuf,
}

impl Desk {
    fn new() -> Self {
        let mut exchange = Exchange::found(program()).unwrap();
        let folder = exchange.folder().join("meja");
        let sender = exchange.pair.phu.folder();
        fs::create_dir(&folder).unwrap();
        for (from, to) in [
            (sender.join(home::KEY_SIGNING), "signing_key"),
            (sender.join(home::KEY_TRANSPORT), "transport_key"),
            (exchange.folder().join("phu.card.amanah"), "phu.card.amanah"),
            (
                exchange.folder().join("imigrasi.card.amanah"),
                "imigrasi.card.amanah",
            ),
            (
                exchange.folder().join("pks-contoh.2.amanah"),
                "agreement.amanah",
            ),
        ] {
            fs::copy(from, folder.join(to)).unwrap();
        }
        for (path, bytes) in ITEMS {
            let path = folder.join("items").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let address = exchange.pair.address;
        let settings = printed::blocks(BY_HAND, "text")[0];
        let settings = settings.replace("10.20.0.2", &address.ip().to_string());
        let settings = settings.replace("2222", &address.port().to_string()) + "\n";
        fs::write(folder.join("settings"), settings).unwrap();
        exchange.pair.imigrasi.start().unwrap();
        let desk = Self { exchange, folder };
        let shown = desk.run("prepare");
        let card = desk.exchange.pair.phu.run(&["card", "show", "imigrasi"]);
        assert!(card.unwrap().stdout.contains(shown.trim()), "{shown}");
        desk
    }

    fn run(&self, name: &str) -> String {
        printed::run_well(printed::block(BY_HAND, name).unwrap(), &self.folder).unwrap()
    }

    fn set(&self, from: &str, to: &str) {
        let path = self.folder.join("settings");
        let settings = fs::read_to_string(&path).unwrap();
        assert!(settings.contains(from));
        fs::write(path, settings.replace(from, to)).unwrap();
    }

    fn make_in_python(&self) {
        let python = python::with_packages(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
        let program = python::programs().join("make_bundle.py");
        let made = Command::new(python)
            .arg(program)
            .arg(&self.folder)
            .output()
            .unwrap();
        let complained = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "{complained}");
    }

    /// Takes the bundle and its receipt off the desk; the name of the first.
    fn clear(&self) -> String {
        let bundle = self.made();
        for name in [
            format!("{bundle}.amanah"),
            format!("{bundle}.receipt.amanah"),
        ] {
            fs::rename(self.folder.join(&name), self.exchange.folder().join(&name)).unwrap();
        }
        bundle
    }

    /// HEX of the bundle on the desk.
    fn made(&self) -> String {
        let names = fs::read_dir(&self.folder).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let bundle = |name: String| name.strip_suffix(".amanah").map(str::to_owned);
        names
            .filter_map(bundle)
            .find(|name| name.len() == 64)
            .unwrap()
    }

    fn receipt(&self) -> Value {
        serde_json::from_slice(&fs::read(self.folder.join("receipt.json")).unwrap()).unwrap()
    }

    /// The inbox holds the items once for each of `bundles`, and every receipt is at the sender.
    fn holds(&mut self, bundles: usize) {
        let receiver = &mut self.exchange.pair.imigrasi;
        let at_rest = receiver.wait_for("rest", PATIENCE, |status| {
            let mut bundles = status.incoming.iter();
            bundles
                .all(|bundle| bundle.state == "delivered")
                .then_some(())
        });
        at_rest.unwrap();
        let items = tree_of(&self.folder.join("items")).unwrap();
        let inbox = inbox_tree(&self.exchange.pair.imigrasi).unwrap();
        let mut trees = std::collections::BTreeMap::<PathBuf, Tree>::new();
        for (path, digest) in inbox {
            // PEER/FLOW/BUNDLE-ID/ENTRY
            let bundle: PathBuf = path.components().take(3).collect();
            let entry = path.strip_prefix(&bundle).unwrap().to_owned();
            trees.entry(bundle).or_default().insert(entry, digest);
        }
        assert_eq!(trees.len(), bundles);
        assert!(trees.into_values().all(|tree| tree == items));
        let ledger = ["ledger", "verify"];
        self.exchange.pair.imigrasi.run(&ledger).unwrap();
    }
}

#[test]
fn bundles_made_with_stock_tools_and_with_python_are_imported_one_after_the_other() {
    let mut desk = Desk::new();
    desk.run("make");
    assert!(desk.run("hand-over").contains("\"outcome\": \"imported\""));
    let first = desk.clear();
    desk.set(
        "sequence=1 previous=null",
        &format!("sequence=2 previous='\"sha256:{first}\"'"),
    );
    desk.make_in_python();
    assert!(desk.run("hand-over").contains("\"outcome\": \"imported\""));
    let second = desk.clear();
    assert_ne!(first, second);
    desk.holds(2);
}

#[test]
fn a_bundle_of_python_is_handed_over_again_and_gets_the_same_receipt() {
    let mut desk = Desk::new();
    desk.make_in_python();
    desk.run("hand-over");
    let name = format!("{}.receipt.amanah", desk.made());
    let first = fs::read(desk.folder.join(&name)).unwrap();
    fs::remove_file(desk.folder.join(&name)).unwrap();
    desk.run("hand-over");
    assert_eq!(fs::read(desk.folder.join(&name)).unwrap(), first);
    desk.holds(1);
}

#[test]
fn a_bundle_by_hand_that_the_agreement_does_not_allow_is_refused_with_a_signed_receipt() {
    let mut desk = Desk::new();
    desk.set("purpose=PENERTIBAN", "purpose=LAIN");
    desk.run("make");
    let block = printed::block(BY_HAND, "hand-over").unwrap();
    let ran = printed::run(block, &desk.folder).unwrap();
    assert!(!ran.status.success(), "{ran:?}");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(
        said.contains("Good \"receipt@amanah\" signature for imigrasi"),
        "{said}"
    );
    let receipt = desk.receipt();
    assert_eq!(receipt["outcome"], "refused");
    assert_eq!(receipt["refusal"], "purpose-not-agreed");
    desk.holds(0);
}

#[test]
fn the_script_is_short_and_makes_what_the_format_says() {
    let bare = |block: &str| -> Vec<String> {
        let lines = block.lines();
        let kept = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        kept.map(str::to_owned).collect()
    };
    let make = printed::block(BY_HAND, "make").unwrap();
    assert_eq!(bare(make), bare(printed::block(FORMAT, "make").unwrap()));
    let hand_over = printed::block(BY_HAND, "hand-over").unwrap();
    let lines = make.lines().count() + hand_over.lines().count();
    assert!(lines <= LINES_MAX, "{lines} lines");
    assert!(printed::block(BY_HAND, "another").is_err());
}
