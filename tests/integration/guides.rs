//! The guides: every command in them is run here, on temporary homes, with nothing replaced but the variables that they name;
//! what changes the system is marked as needing root, and is at least shell. FORMAT.md has a test of its own.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use amanah_tests::Exchange;

use crate::shell_blocks::{self, Block, NEEDS_ROOT};
use crate::{program, tree};

const OPERATOR: &str = "docs/panduan-operator.md";
const SYSADMIN: &str = "docs/panduan-sysadmin.md";
const VPN: &str = "docs/jaringan-vpn.md";

/// Commands that only root can run: where one stands, the block says so.
const ROOTS: [&str; 8] = [
    "systemctl",
    "install ",
    "usermod",
    "chown",
    "apt-get",
    "wg ",
    "systemd-",
    "journalctl",
];

fn blocks(path: &str) -> Vec<Block> {
    let text = fs::read_to_string(tree::root().join(path)).unwrap();
    let found = shell_blocks::blocks(&text);
    assert!(!found.is_empty(), "{path}: no commands");
    found
}

/// Runs a guide; a variable that it does not name cannot be set.
fn run(path: &str, values: &[(&str, &str)], folder: &Path, home: Option<&Path>) -> Output {
    let blocks = blocks(path);
    for (name, _) in values {
        let line = format!("{name}=");
        let named = blocks
            .iter()
            .any(|block| block.text.lines().any(|text| text.starts_with(&line)));
        assert!(named, "{path} does not name {name}");
    }
    let script = shell_blocks::script(&blocks, values);
    shell_blocks::run_at(&script, folder, home)
}

/// The shell words that print the fingerprint of a party's card.
fn fingerprint_of(folder: &str) -> String {
    format!(
        "$(amanah --config '{folder}/amanah.toml' --json card show | sed -n 's/.*\"fingerprint\": *\"\\([^\"]*\\)\".*/\\1/p')"
    )
}

#[test]
fn the_commands_of_the_operators_guide_work() {
    let mut exchange = Exchange::connected(program()).unwrap();
    let ground = tempfile::tempdir().unwrap();
    // A stick that was here before: with the receipt of something sent earlier.
    let way = exchange.out.clone();
    let dropped = exchange.drop_text(&way, "dahulu.csv", "satu").unwrap();
    let arrived = exchange.settled(&[dropped]).unwrap();
    let receipt = exchange.pair.phu.receipt(&way.to, &arrived[0].manifest);
    let stick = ground.path().join("stik");
    fs::create_dir(&stick).unwrap();
    fs::copy(&receipt, stick.join(receipt.file_name().unwrap())).unwrap();
    let file = |name: &str| {
        let path = ground.path().join(name);
        fs::write(&path, format!("{name}\n")).unwrap();
        path.display().to_string()
    };
    let home = exchange.pair.phu.home();
    let values = [
        ("DATA", &*home.display().to_string()),
        ("BERKAS", &*file("manifes-1.csv")),
        ("SUSULAN", &*file("manifes-2.csv")),
        ("STIK", &*stick.display().to_string()),
    ];
    let ran = run(
        OPERATOR,
        &values,
        ground.path(),
        Some(exchange.pair.phu.folder()),
    );
    shell_blocks::demand_success(OPERATOR, &ran);
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(said.contains("settled"), "{said}");
    assert!(said.contains("was here already"), "{said}");
}

#[test]
fn the_commands_of_the_sysadmins_guide_lead_to_a_first_exchange_and_back_from_a_backup() {
    let ground = tempfile::tempdir().unwrap();
    let place = |name: &str| {
        let path = ground.path().join(name);
        fs::create_dir(&path).unwrap();
        path.display().to_string()
    };
    let [kemenhaj, imigrasi, papers, backup] =
        ["kemenhaj", "imigrasi", "titipan", "cadangan"].map(place);
    let address = format!("127.0.0.1:{}", shell_blocks::free_port());
    let values = [
        ("KEMENHAJ", &*kemenhaj),
        ("IMIGRASI", &*imigrasi),
        ("DATA", &*kemenhaj),
        ("ALAMAT", &*address),
        ("JARINGAN", "127.0.0.0/8"),
        ("TITIPAN", &*papers),
        ("CADANGAN", &*backup),
        ("MULAI", "$(date -d '2 days ago' +%F)"),
        ("SAMPAI", "$(date -d '1 year' +%F)"),
        ("SIDIK_IMIGRASI", &*fingerprint_of(&imigrasi)),
        ("SIDIK_KEMENHAJ", &*fingerprint_of(&kemenhaj)),
    ];
    let ran = run(SYSADMIN, &values, ground.path(), None);
    shell_blocks::demand_success(SYSADMIN, &ran);
    let received = Path::new(&imigrasi).join("inbox/kemenhaj/manifes-umrah");
    assert_eq!(fs::read_dir(received).unwrap().count(), 1);
    let receipts = Path::new(&kemenhaj).join("receipts/received/imigrasi");
    assert_eq!(
        fs::read_dir(receipts).unwrap().count(),
        1,
        "after the restore"
    );
}

#[test]
fn what_needs_root_is_marked_and_is_shell() {
    for path in [OPERATOR, SYSADMIN, VPN] {
        for Block { text, needs_root } in blocks(path) {
            let mut commands = text.lines().map(str::trim_start);
            let root = commands.any(|line| ROOTS.iter().any(|root| line.starts_with(root)));
            assert!(
                needs_root || !root,
                "{path}: not marked {NEEDS_ROOT}:\n{text}"
            );
            let read = Command::new("bash")
                .args(["-n", "-c", &text])
                .output()
                .unwrap();
            assert!(read.status.success(), "{path}:\n{text}");
        }
    }
    assert!(blocks(VPN).iter().all(|block| block.needs_root));
}
