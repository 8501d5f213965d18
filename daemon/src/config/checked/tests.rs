//! Tests of the configuration: what is taken, and the line, the finding and the remedy of what is not.
//! Each rule of the file is broken once.

use super::*;

const WHOLE: &str = r#"
party = "kemenhaj"
home = "home"
language = "en"

[listen]
address = "10.20.0.1:2222"
networks = ["10.20.0.0/16"]

[peer.imigrasi]
dial = "imigrasi.vpn.example:2222"
post_quantum = "required"

[peer.kanwil]

[seal]
level = 3
"#;

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("/etc/amanah/amanah.toml"))
}

#[test]
fn a_whole_configuration_gets_its_meaning() {
    let config = parse(WHOLE).unwrap();
    assert_eq!(config.home, Path::new("/etc/amanah/home"));
    assert_eq!(config.keys.folder, Path::new("/etc/amanah/keys"));
    assert_eq!(config.language, Language::English);
    assert_eq!(config.peers.len(), 2);
    assert_eq!(config.peers[0].post_quantum, PostQuantum::Required);
    assert_eq!(config.peers[1].dial, None);
    assert_eq!(config.listen.unwrap().address.port(), 2222);
    assert_eq!((config.seal.level, config.outbox.scan_secs), (3, 30));
}

#[test]
fn the_smallest_configuration_has_the_defaults() {
    let config = parse("party = \"kemenhaj\"").unwrap();
    assert_eq!(config.home, Path::new("/etc/amanah"));
    assert!(config.peers.is_empty() && config.listen.is_none());
}

/// Each: what replaces what in the whole one, and a part of the complaint.
const WRONG: &[(&str, &str, &str)] = &[
    (
        "party = \"kemenhaj\"",
        "party = \"Kemen Haj\"",
        "line 2: `party`",
    ),
    (
        "level = 3",
        "level = 20",
        "line 17: `level`: expected 1 to 19",
    ),
    ("level = 3", "workers = 65", "`workers`"),
    ("level = 3", "expires_days = 0", "`expires_days`"),
    ("level = 3", "levle = 3", "line 17: unknown field `levle`"),
    (
        "[seal]\nlevel = 3",
        "[store]\nkind = \"sqlite\"",
        "`kind`: expected \"files\"",
    ),
    ("10.20.0.1:2222", "0.0.0.0:2222", "any_address = true"),
    ("10.20.0.1:2222", "[::]:2222", "line 7: `address`"),
    (
        "10.20.0.1:2222",
        "localhost:2222",
        "expected an IP address and a port",
    ),
    ("[\"10.20.0.0/16\"]", "[]", "nobody could connect"),
    ("[\"10.20.0.0/16\"]", "[\"10.20.0.0/99\"]", "`networks`"),
    (
        "imigrasi.vpn.example:2222",
        "imigrasi.vpn.example",
        "line 11: `dial`: expected host:port",
    ),
    (
        "[peer.kanwil]",
        "[peer.kemenhaj]",
        "line 14: `kemenhaj`: this is our own party",
    ),
    ("[peer.kanwil]", "[peer.Kanwil]", "line 14"),
];

#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (from, to, part) in WRONG {
        let text = WHOLE.replace(from, to);
        assert_ne!(text, WHOLE, "{from}");
        let reason = parse(&text).unwrap_err();
        assert!(reason.contains(part), "{to}: {reason}");
    }
}

#[test]
fn a_peer_that_neither_side_can_dial_is_met_by_hand() {
    let config = parse("party = \"kemenhaj\"\n[peer.imigrasi]\n").unwrap();
    assert!(config.peers[0].by_hand(config.listen.as_ref()));
    let whole = parse(WHOLE).unwrap();
    let by_hand = |peer: &Peer| peer.by_hand(whole.listen.as_ref());
    assert!(!whole.peers.iter().any(by_hand));
    let every = WHOLE.replace("10.20.0.1:2222\"", "0.0.0.0:2222\"\nany_address = true");
    assert!(parse(&every).is_ok());
}

#[test]
fn example_keys_are_for_literal_loopback_addresses_only() {
    let text = "party = \"kemenhaj\"\nexample_keys = true\n[listen]\naddress = \"127.0.0.1:2222\"\n\
                networks = [\"127.0.0.0/8\"]\n[peer.imigrasi]\ndial = \"[::1]:2222\"\n";
    assert!(parse(text).unwrap().example_keys);
    assert!(!parse(WHOLE).unwrap().example_keys);
    for (from, to, line) in [
        ("127.0.0.1:2222", "10.20.0.1:2222", "line 4: `address`"),
        ("[::1]:2222", "10.20.0.2:2222", "line 7: `dial`"),
        ("[::1]:2222", "localhost:2222", "line 7: `dial`"),
        (
            "127.0.0.1:2222\"",
            "0.0.0.0:2222\"\nany_address = true",
            "line 4",
        ),
    ] {
        let reason = parse(&text.replace(from, to)).unwrap_err();
        assert!(
            reason.contains(line) && reason.contains("loopback only"),
            "{reason}"
        );
    }
}

#[test]
fn an_address_to_dial_is_a_host_and_a_port() {
    for good in ["a:1", "10.0.0.1:65535", "[fd00::1]:22", "a-b.example:2222"] {
        assert!(is_host_and_port(good), "{good}");
    }
    for bad in [
        "",
        "a",
        ":1",
        "a:0",
        "a:65536",
        "fd00::1:22",
        "a b:1",
        "[x]:1",
        "a:1 ",
    ] {
        assert!(!is_host_and_port(bad), "{bad}");
    }
}

#[test]
fn a_missing_file_says_how_to_make_one() {
    let error = Config::load(Path::new("/nowhere/amanah.toml")).unwrap_err();
    assert!(error.to_string().contains("amanah init"));
}

const DROP: &str = r#"
party = "kemenhaj"

[peer.imigrasi]

[peer.imigrasi.drop]
address = "titipan.example:22"
user = "kemenhaj"
host_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
put = "/to-imigrasi"
get = "/to-kemenhaj/"
"#;

#[test]
fn a_drop_stands_where_neither_side_can_dial() {
    let config = parse(DROP).unwrap();
    let drop = config.peers[0].drop.clone().unwrap();
    assert_eq!(drop.address, "titipan.example:22");
    assert_eq!(
        (drop.folders.put.as_str(), drop.folders.get.as_str()),
        ("/to-imigrasi", "/to-kemenhaj")
    );
}

#[test]
fn what_is_wrong_with_a_drop_is_named_with_its_line() {
    for (from, to, part) in [
        (":22", "", "line 7: `address`: expected host:port"),
        ("user = \"kemenhaj\"", "user = \"\"", "line 8: `user`"),
        ("user = \"kemenhaj\"", "user = \"a\\nb\"", "line 8: `user`"),
        ("ssh-ed25519 ", "ssh-rsa ", "line 9: `host_key`"),
        ("\"/to-imigrasi\"", "\"to-imigrasi\"", "line 10: `put`"),
        ("\"/to-imigrasi\"", "\"/\"", "line 10: `put`"),
        ("\"/to-imigrasi\"", "\"/to-kemenhaj\"", "line 11: `get`"),
        ("\"/to-kemenhaj/\"", "\"/../x\"", "line 11: `get`"),
        ("get = ", "gte = ", "unknown field `gte`"),
        (
            "[peer.imigrasi]",
            "[peer.imigrasi]\ndial = \"a:1\"",
            "`dial` and a drop",
        ),
    ] {
        let text = DROP.replace(from, to);
        assert_ne!(text, DROP, "{from}");
        let reason = parse(&text).unwrap_err();
        assert!(reason.contains(part), "{to}: {reason}");
    }
}

#[test]
fn two_peers_do_not_share_a_folder_of_a_drop() {
    let second = DROP
        .replace("party = \"kemenhaj\"", "")
        .replace("imigrasi", "kemenkes");
    let both = format!("{DROP}{second}");
    let reason = parse(&both).unwrap_err();
    assert!(reason.contains("another peer"), "{reason}");
    let apart = both.replace("/to-kemenkes\"\nget = \"/", "/to-kemenkes\"\nget = \"/2/");
    assert_eq!(parse(&apart).unwrap().peers.len(), 2);
}
