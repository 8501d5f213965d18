//! Which crates may be in the tree, and from which release on, asserted against `Cargo.lock`: RustSec alone misses
//! most of the advisories on russh. Also: the shipped programs are built without kill points and planted bugs. Promise P25 of SECURITY.md.

use crate::tree;
use std::process::Command;

/// Crates that are security-sensitive, the lowest release that will do, and why.
const FLOORS: [(&str, &str, &str); 21] = [
    (
        "russh",
        "0.65.1",
        "bounded allocation before authentication, identification line and decompression; RustSec lists one of its advisories, GHSA at least nine",
    ),
    (
        "russh-sftp",
        "3.0.1",
        "the framing that our own guard was written against",
    ),
    (
        "age",
        "0.11.5",
        "the pinned release: 0.12.1 and russh do not build together",
    ),
    (
        "ed25519-dalek",
        "3.0.0",
        "verify_strict, and no signing with a foreign public key (RUSTSEC-2022-0093)",
    ),
    (
        "curve25519-dalek",
        "4.1.3",
        "constant-time scalar subtraction (RUSTSEC-2024-0344)",
    ),
    ("x25519-dalek", "2.0.1", "goes with curve25519-dalek 4.1.3"),
    (
        "aws-lc-rs",
        "1.19.0",
        "the release whose AES-GCM and ML-KEM the handshake tests ran with",
    ),
    (
        "ssh-key",
        "0.7.0",
        "the very release that russh uses, so that one parser of OpenSSH formats is in the tree",
    ),
    ("sha2", "0.10.9", "0.11 is ours, 0.10 is age's"),
    (
        "zstd-sys",
        "2.1.3",
        "zstd 1.5.7, whose window and job limits were measured",
    ),
    (
        "tar",
        "0.4.46",
        "PAX headers that desynchronise the reader (GHSA-3pv8-6f4r-ffg2, RUSTSEC-2026-0068), chmod through links (RUSTSEC-2026-0067)",
    ),
    (
        "libsqlite3-sys",
        "0.39.1",
        "brings SQLite 3.54.1; the journal rests on its WAL",
    ),
    ("rusqlite", "0.41.1", "goes with libsqlite3-sys 0.39"),
    (
        "rustix",
        "1.1.6",
        "openat2 with RESOLVE_BENEATH and statx as we use them",
    ),
    (
        "tokio",
        "1.44.2",
        "unsound broadcast channel before it (RUSTSEC-2025-0023)",
    ),
    (
        "bytes",
        "1.11.1",
        "integer overflow in BytesMut::reserve before it (RUSTSEC-2026-0007)",
    ),
    (
        "tracing-subscriber",
        "0.3.20",
        "terminal escapes in logged text before it (RUSTSEC-2025-0055)",
    ),
    (
        "tokio-postgres",
        "0.7.18",
        "the release whose COPY and errors the store was tested with",
    ),
    (
        "rustls",
        "0.23.18",
        "an endless loop on close_notify before it (RUSTSEC-2024-0336), and a crash in an acceptor (RUSTSEC-2024-0399)",
    ),
    (
        "rustls-webpki",
        "0.103.17",
        "the release that verified the server of the tests",
    ),
    (
        "tempfile",
        "3.27.0",
        "temporary files that others cannot open",
    ),
];

/// Crates that may not be in the tree at all, and why.
const BANNED: [(&str, &str); 12] = [
    (
        "rsa",
        "timing side channel (RUSTSEC-2023-0071); only Ed25519 is used",
    ),
    ("openssl", "no C TLS library"),
    ("openssl-sys", "no C TLS library"),
    ("native-tls", "no C TLS library"),
    ("ring", "one cryptographic backend for SSH: aws-lc-rs"),
    (
        "libsystemd",
        "sd_notify is one datagram; the xz backdoor came in through this library",
    ),
    ("libsystemd-sys", "sd_notify is one datagram"),
    ("systemd", "sd_notify is one datagram"),
    ("lzma-sys", "xz is neither written nor read"),
    (
        "flate2",
        "no SSH compression, no gzip: what cannot be decompressed cannot be a bomb",
    ),
    ("serde_yaml", "one configuration language: TOML"),
    (
        "figment",
        "configuration comes from one file, without hidden layers",
    ),
];

/// Crates of which two copies would be two truths.
const SINGLE: [&str; 7] = [
    "ed25519-dalek",
    "ssh-key",
    "russh",
    "age",
    "zstd-sys",
    "libsqlite3-sys",
    "tar",
];

type Version = (u64, u64, u64);

/// A package of the lock file.
struct Package {
    name: String,
    version: String,
}

/// Major, minor and patch; what follows a hyphen or a plus does not count.
fn version(text: &str) -> Version {
    let plain = text.split(['-', '+']).next().unwrap_or(text);
    let mut parts = plain.split('.').map(|part| {
        part.parse::<u64>()
            .unwrap_or_else(|_| panic!("`{text}` is a version of three numbers"))
    });
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next())
}

fn packages(lock: &str) -> Vec<Package> {
    let table: toml::Table = lock.parse().expect("Cargo.lock is TOML");
    let listed = table.get("package").and_then(toml::Value::as_array);
    listed
        .expect("Cargo.lock lists packages")
        .iter()
        .map(|package| {
            let word = |key: &str| {
                let value = package.get(key).and_then(toml::Value::as_str);
                value
                    .expect("a package has a name and a version")
                    .to_owned()
            };
            Package {
                name: word("name"),
                version: word("version"),
            }
        })
        .collect()
}

/// Whether anything of ours is built with it, on any platform: the lock file also names what a feature that nobody switched on
/// would bring.
fn is_built(name: &str) -> bool {
    let listed = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--offline",
            "--workspace",
            "--target",
            "all",
        ])
        .args([
            "--edges",
            "normal,build,dev",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .current_dir(tree::root())
        .output()
        .expect("cargo runs");
    // Where it fails, what the lock file says counts.
    let built = String::from_utf8_lossy(&listed.stdout);
    !listed.status.success()
        || built
            .lines()
            .any(|line| line.split(' ').next() == Some(name))
}

/// What is wrong with a lock file by the three tables above.
fn faults(packages: &[Package], is_built: &dyn Fn(&str) -> bool) -> Vec<String> {
    let copies = |name: &str| packages.iter().filter(move |p| p.name == name).count();
    let low = FLOORS.iter().flat_map(|(name, floor, why)| {
        packages
            .iter()
            .filter(move |p| p.name == *name && version(&p.version) < version(floor))
            .map(move |p| format!("{name} {} is below {floor}: {why}", p.version))
    });
    let absent = FLOORS
        .iter()
        .filter(|(name, ..)| copies(name) == 0)
        .map(|(name, ..)| format!("{name} is gone: take it out of the table"));
    let banned = BANNED
        .iter()
        .filter(|(name, _)| copies(name) > 0 && is_built(name))
        .map(|(name, why)| format!("{name} is in the tree: {why}"));
    let doubled = SINGLE
        .iter()
        .filter(|name| copies(name) > 1)
        .map(|name| format!("{name} is in the tree {} times", copies(name)));
    low.chain(absent).chain(banned).chain(doubled).collect()
}

fn lock() -> Vec<Package> {
    let text = std::fs::read_to_string(tree::root().join("Cargo.lock"));
    packages(&text.expect("Cargo.lock is committed"))
}

/// What `cargo tree` says about the features that a package is built with.
fn features(arguments: &[&str]) -> String {
    let listed = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--prefix", "none"])
        .args(["--edges", "features"])
        .args(arguments)
        .current_dir(tree::root())
        .output()
        .expect("cargo runs");
    assert!(
        listed.status.success(),
        "cargo tree: {}",
        String::from_utf8_lossy(&listed.stderr)
    );
    String::from_utf8(listed.stdout).expect("cargo tree prints text")
}

#[test]
fn sensitive_crates_are_new_enough_and_banned_ones_absent() {
    let found = faults(&lock(), &is_built);
    assert!(found.is_empty(), "Cargo.lock:\n  {}", found.join("\n  "));
}

#[test]
fn age_is_the_pinned_release_exactly() {
    let age: Vec<String> = lock()
        .into_iter()
        .filter(|p| p.name == "age")
        .map(|p| p.version)
        .collect();
    assert_eq!(age, ["0.11.5"]);
}

#[test]
fn sqlite_is_the_bundled_one() {
    let manifest = std::fs::read_to_string(tree::root().join("Cargo.toml")).unwrap();
    let table: toml::Table = manifest.parse().unwrap();
    let features = table["workspace"]["dependencies"]["rusqlite"]["features"].as_array();
    assert!(
        features.is_some_and(|all| all.iter().any(|one| one.as_str() == Some("bundled"))),
        "the SQLite that was tested is the one that is shipped"
    );
}

/// What only the tests switch on.
const FEATURES: [&str; 3] = ["kill-points", "planted-bugs", "fuzzing"];

#[test]
fn the_shipped_programs_hold_no_kill_points() {
    let shipped = features(&["-p", "amanah", "-p", "amanahd"]);
    assert!(
        shipped.contains("amanahd v"),
        "the daemon is in its own tree"
    );
    assert!(
        FEATURES.iter().all(|feature| !shipped.contains(feature)),
        "a default build of the programs could be told to kill itself, or to have a bug"
    );
}

#[test]
fn a_default_build_leaves_out_the_member_that_turns_kill_points_on() {
    let default = features(&[]);
    assert!(!default.contains("amanah-tests"));
    // And the words that are looked for are the right ones: the tests do have them.
    let tested = features(&["-p", "amanah-tests"]);
    for feature in FEATURES {
        assert!(
            !default.contains(feature) && tested.contains(feature),
            "{feature}"
        );
    }
}

#[test]
fn an_old_a_doubled_and_a_banned_crate_are_caught() {
    let text = std::fs::read_to_string(tree::root().join("Cargo.lock")).unwrap();
    let planted = |name: &str, version: &str| {
        let package = format!("\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n");
        let is_built = |banned: &str| banned == name || is_built(banned);
        faults(&packages(&format!("{text}{package}")), &is_built)
    };
    assert_eq!(planted("harmless", "0.0.1"), [""; 0]);
    assert_eq!(planted("tokio", "1.44.1").len(), 1);
    assert_eq!(planted("openssl-sys", "0.9.0").len(), 1);
    assert_eq!(planted("ed25519-dalek", "3.1.0").len(), 1);
    assert_eq!(planted("russh", "0.65.0-beta.1+x").len(), 2);
}
