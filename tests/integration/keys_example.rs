//! `keys-example/`: complete, valid, explained by commands that work; and its keys, which everybody has, are refused wherever
//! the configuration does not take them knowingly on loopback.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use amanah_format::recipient::Identity;
use amanah_format::signature::PublicKey;
use amanahd::keys::example::{is_example, is_example_recipient};
use tempfile::TempDir;

use crate::{program, shell_blocks, tree};

const PARTIES: [&str; 2] = ["kemenhaj", "imigrasi"];
const SECRETS: [&str; 4] = ["signing", "transport", "ledger", "decryption.txt"];

/// A copy of one party's folder, its keys made private.
fn copied(party: &str) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    let from = tree::root().join("keys-example").join(party).join(".");
    let ran = Command::new("cp")
        .arg("-R")
        .arg(from)
        .arg(copy.path())
        .status();
    assert!(ran.unwrap().success());
    for name in SECRETS {
        let key = copy.path().join("keys").join(name);
        fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
    }
    copy
}

fn check(folder: &Path) -> Output {
    let config = folder.join("amanah.toml");
    let mut command = Command::new(program());
    command.args(["daemon", "check", "--config"]).arg(config);
    command
        .env_remove("CREDENTIALS_DIRECTORY")
        .output()
        .unwrap()
}

fn change(folder: &Path, from: &str, to: &str) {
    let config = folder.join("amanah.toml");
    let text = fs::read_to_string(&config).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(config, text.replace(from, to)).unwrap();
}

fn said(ran: &Output) -> String {
    String::from_utf8_lossy(&[&ran.stdout[..], &ran.stderr[..]].concat()).into_owned()
}

#[test]
fn the_commands_of_its_readme_work() {
    let text = fs::read_to_string(tree::root().join("keys-example/README.md")).unwrap();
    let ground = tempfile::tempdir().unwrap();
    let port = shell_blocks::free_port();
    let blocks = shell_blocks::blocks(&text);
    let script = shell_blocks::script(&blocks, &[("PORT", &port)]);
    assert!(blocks.len() > 3 && script.contains(&port));
    let ran = shell_blocks::run(&script, ground.path());
    shell_blocks::demand_success("keys-example/README.md", &ran);
    assert!(said(&ran).contains("example-keys"), "status does not warn");
}

#[test]
fn a_daemon_takes_the_example_keys_on_loopback_and_warns() {
    for party in PARTIES {
        let copy = copied(party);
        let ran = check(copy.path());
        assert!(ran.status.success(), "{}", said(&ran));
        assert!(said(&ran).contains("alarm: example-keys"), "{}", said(&ran));
    }
}

#[test]
fn a_daemon_refuses_them_without_being_told_to_take_them() {
    for party in PARTIES {
        for other in ["example_keys = false", ""] {
            let copy = copied(party);
            change(copy.path(), "example_keys = true", other);
            let ran = check(copy.path());
            assert_eq!(ran.status.code(), Some(78));
            assert!(said(&ran).contains("keys-example/"), "{}", said(&ran));
        }
    }
}

#[test]
fn a_daemon_refuses_them_with_an_address_beyond_loopback() {
    for (party, to) in [
        ("kemenhaj", "10.20.0.2:22522"),
        ("imigrasi", "10.20.0.1:22522"),
    ] {
        let copy = copied(party);
        change(copy.path(), "127.0.0.1:22522", to);
        let ran = check(copy.path());
        assert_eq!(ran.status.code(), Some(78));
        assert!(said(&ran).contains("loopback only"), "{}", said(&ran));
    }
}

#[test]
fn a_peer_with_an_example_card_and_a_loose_example_key_are_refused_as_ever() {
    let copy = copied("imigrasi");
    let key = copy.path().join("keys/signing");
    fs::set_permissions(key, fs::Permissions::from_mode(0o644)).unwrap();
    let ran = check(copy.path());
    assert_eq!(ran.status.code(), Some(78));
    assert!(said(&ran).contains("chmod 600"), "{}", said(&ran));

    let own = tempfile::tempdir().unwrap();
    let words = [
        "init",
        "--party",
        "kanwil",
        "--name",
        "Kanwil",
        "--contact",
        "Piket",
        "--home",
    ];
    let made = Command::new(program()).args(words).arg(own.path()).output();
    assert!(made.unwrap().status.success());
    let card = "cards/imigrasi.card.amanah";
    fs::copy(copy.path().join(card), own.path().join(card)).unwrap();
    let config = own.path().join("amanah.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(
        &config,
        format!("{text}\n[peer.imigrasi]\ndial = \"10.20.0.2:2222\"\n"),
    )
    .unwrap();
    let ran = check(own.path());
    assert_eq!(ran.status.code(), Some(78));
    assert!(said(&ran).contains("keys-example/"), "{}", said(&ran));
}

#[test]
fn an_example_identity_among_our_own_is_refused() {
    let own = tempfile::tempdir().unwrap();
    let words = [
        "init",
        "--party",
        "kanwil",
        "--name",
        "Kanwil",
        "--contact",
        "Piket",
        "--home",
    ];
    let made = Command::new(program()).args(words).arg(own.path()).output();
    assert!(made.unwrap().status.success());
    let ran = check(own.path());
    assert!(ran.status.success(), "{}", said(&ran));
    let example = tree::root().join("keys-example/imigrasi/keys/decryption.txt");
    let example = fs::read_to_string(example).unwrap();
    let identities = own.path().join("keys/decryption.txt");
    let text = fs::read_to_string(&identities).unwrap();
    fs::write(&identities, text + &example).unwrap();
    let ran = check(own.path());
    assert_eq!(ran.status.code(), Some(78));
    assert!(said(&ran).contains("keys-example/"), "{}", said(&ran));
}

#[test]
fn every_key_of_the_folder_is_recognised_and_no_other() {
    for party in PARTIES {
        let keys = tree::root().join("keys-example").join(party).join("keys");
        for name in ["signing.pub", "transport.pub", "ledger.pub"] {
            let line = fs::read_to_string(keys.join(name)).unwrap();
            assert!(
                is_example(&PublicKey::from_openssh(&line).unwrap()),
                "{name}"
            );
        }
        let text = fs::read_to_string(keys.join("decryption.txt")).unwrap();
        for identity in Identity::read_all(&text).unwrap() {
            assert!(is_example_recipient(&identity.recipient()));
        }
    }
    assert!(!is_example_recipient(&Identity::generate().recipient()));
    let other = amanah_format::signature::SecretKey::from_seed(&[1; 32]);
    assert!(!is_example(&other.public()));
}
