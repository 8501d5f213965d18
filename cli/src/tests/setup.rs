//! `init`, `card`, `peer`, help and usage.
//! Nothing that exists is ever overwritten.

use super::stand::{Ministry, amanah, pair};
use crate::Exit;
use std::os::unix::fs::PermissionsExt;

#[test]
fn init_makes_a_node_that_loads_and_never_overwrites_it() {
    let one = Ministry::new("kemenhaj");
    for key in ["signing", "transport", "ledger", "decryption.txt"] {
        let mode = one
            .path()
            .join("keys")
            .join(key)
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{key}");
    }
    one.run(&["peer", "list"]).ok();
    let before = one.fingerprint();
    let again = [
        "init",
        "--party",
        "kemenhaj",
        "--name",
        "X",
        "--contact",
        "Y",
    ];
    one.run(&again).fails(Exit::Config, "exists already");
    assert_eq!(one.fingerprint(), before);
}

#[test]
fn init_takes_keys_that_are_there_and_refuses_loose_ones() {
    let one = Ministry::new("kemenhaj");
    let key = one.signing().public();
    std::fs::remove_file(one.path().join("amanah.toml")).unwrap();
    std::fs::remove_file(one.card()).unwrap();
    let again = [
        "init",
        "--party",
        "kemenhaj",
        "--name",
        "X",
        "--contact",
        "Y",
    ];
    let signing = one.path().join("keys/signing");
    let mode = |mode| std::fs::set_permissions(&signing, PermissionsExt::from_mode(mode)).unwrap();
    mode(0o644);
    one.run(&again).fails(Exit::Permission, "chmod 600");
    assert!(!one.card().exists());
    mode(0o600);
    one.run(&again).ok();
    assert_eq!(one.signing().public(), key);
    let shown = one.run(&["card", "show"]).ok().out;
    assert!(shown.contains(&key.fingerprint()), "{shown}");
}

#[test]
fn init_refuses_a_party_or_an_address_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().to_str().unwrap();
    let with = |party: &str, address: &str| {
        amanah(&[
            "--home",
            home,
            "init",
            "--party",
            party,
            "--name",
            "X",
            "--contact",
            "Y",
            "--address",
            address,
            "--network",
            "10.0.0.0/8",
        ])
    };
    assert_eq!(with("Kemen Haj", "10.0.0.1:22").exit, Exit::Usage);
    assert_eq!(with("kemenhaj", "0.0.0.0:22").exit, Exit::Usage);
    assert_eq!(with("kemenhaj", "vpn.example").exit, Exit::Usage);
    assert!(!folder.path().join("amanah.toml").exists());
}

#[test]
fn a_card_is_exported_and_known_to_ssh_keygen() {
    let (one, other) = pair();
    let target = one.path().join("out.card.amanah");
    let target = target.to_str().unwrap();
    one.run(&["card", "export", target]).ok();
    assert_eq!(
        std::fs::read(target).unwrap(),
        std::fs::read(one.card()).unwrap()
    );
    one.run(&["card", "export", target])
        .fails(Exit::Io, "nothing is overwritten");
    let lines = one.run(&["card", "allowed-signers"]).ok().out;
    let facts = one.run(&["card", "allowed-signers", "--json"]).ok().facts();
    assert_eq!(
        facts["lines"].as_array().unwrap().len(),
        lines.lines().count()
    );
    for ministry in [&one, &other] {
        assert!(
            lines.contains(&ministry.signing().public().to_string()),
            "{lines}"
        );
    }
}

#[test]
fn a_peer_is_added_only_with_the_fingerprint_of_its_card() {
    let (one, other) = (Ministry::new("kemenhaj"), Ministry::new("imigrasi"));
    let card = other.card();
    let card = card.to_str().unwrap();
    let wrong = one.fingerprint();
    one.run(&["peer", "add", card, "--fingerprint", &wrong])
        .fails(Exit::Negative, "does NOT match");
    one.run(&["peer", "add", card, "--fingerprint", "SHA256:x"])
        .fails(Exit::Usage, "");
    let own = one.card();
    one.run(&[
        "peer",
        "add",
        own.to_str().unwrap(),
        "--fingerprint",
        &wrong,
    ])
    .fails(Exit::Usage, "our own party");
    let right = other.fingerprint();
    let dial = [
        "peer",
        "add",
        card,
        "--fingerprint",
        &right,
        "--dial",
        "127.0.0.1:2222",
    ];
    one.run(&dial).ok();
    one.run(&dial).ok();
    let listed = one.run(&["peer", "list", "--json"]).ok().facts();
    assert_eq!(listed["peers"][0]["party"], "imigrasi");
    assert_eq!(listed["peers"][0]["fingerprint"], right);
    let text = std::fs::read_to_string(one.path().join("amanah.toml")).unwrap();
    assert!(
        text.starts_with("# ") && text.contains("[peer.imigrasi]\ndial = "),
        "{text}"
    );
}

#[test]
fn a_missing_card_and_our_own_are_named_as_such() {
    let one = Ministry::new("kemenhaj");
    one.run(&["card", "show", "imigrasi"])
        .fails(Exit::Missing, "no card of imigrasi here");
    let card = one.card();
    let other = Ministry::new("imigrasi").fingerprint();
    one.run(&[
        "peer",
        "add",
        card.to_str().unwrap(),
        "--fingerprint",
        &other,
    ])
    .fails(Exit::Usage, "our own party");
}

#[test]
fn another_card_of_a_known_peer_and_a_damaged_card_are_refused() {
    let (one, _) = pair();
    let impostor = Ministry::new("imigrasi");
    let card = impostor.card();
    let fingerprint = impostor.fingerprint();
    let add = [
        "peer",
        "add",
        card.to_str().unwrap(),
        "--fingerprint",
        &fingerprint,
    ];
    one.run(&add).fails(Exit::Config, "peer remove imigrasi");
    let mut bytes = std::fs::read(&card).unwrap();
    bytes[700] ^= 1;
    std::fs::write(&card, bytes).unwrap();
    one.run(&add).fails(Exit::Document, "card");
}

#[test]
fn a_removed_peer_is_trusted_no_more() {
    let (one, other) = pair();
    one.run(&["peer", "remove", "imigrasi"]).ok();
    let lines = one.run(&["card", "allowed-signers"]).ok().out;
    assert!(!lines.contains(&other.signing().public().to_string()));
    one.run(&["peer", "remove", "imigrasi"])
        .fails(Exit::Config, "no [peer.imigrasi]");
    assert!(one.run(&["peer", "list"]).ok().out.contains("No peer yet"));
}

/// A reader that goes away, as `head` does.
struct Gone;

impl std::io::Write for Gone {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_goes_away_is_not_complained_about() {
    let one = Ministry::new("kemenhaj");
    let home = one.path().to_str().unwrap();
    let arguments = ["amanah", "--home", home, "card", "show"].map(std::ffi::OsString::from);
    let mut err = Vec::new();
    let streams = crate::Streams {
        out: &mut Gone,
        err: &mut err,
        is_terminal: false,
    };
    assert_eq!(crate::run(&arguments, streams), Exit::Io);
    assert!(err.is_empty());
}

#[test]
fn help_speaks_both_languages_and_usage_ends_with_64() {
    let english = amanah(&["--lang", "en", "--help"]).ok().out;
    assert!(english.contains("Send files or folders") && english.contains("Exit codes"));
    let indonesian = amanah(&["--lang", "id", "agreement", "--help"]).ok().out;
    assert!(
        indonesian.contains("Menandatangani perjanjian"),
        "{indonesian}"
    );
    assert_eq!(amanah(&["no-such-command"]).exit, Exit::Usage);
    amanah(&["--home", "/nowhere", "--lang", "id", "status"])
        .fails(Exit::Config, "Konfigurasi /nowhere/amanah.toml tidak ada");
    let failed = amanah(&["--home", "/nowhere", "--json", "status"]);
    let facts: serde_json::Value = serde_json::from_str(&failed.err).unwrap();
    assert_eq!(
        (&facts["format"], &facts["exit"]),
        (&"amanah-error/1".into(), &78.into())
    );
}
