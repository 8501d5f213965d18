//! `amanah doctor` beside real daemons: a healthy pair has no fault, a peer that is away or is somebody else is told apart,
//! and whatever is found, no name of an item and no text of a file is in it.

use std::fs;

use amanah_format::home;
use amanah_format::signature::SecretKey;
use amanah_tests::drop_server::apart;
use amanah_tests::exchange::Exchange;
use amanah_tests::ministry::Ministry;

use crate::program;

const NAME: &str = "Siti Aminah.csv";
const TEXT: &str = "A1234567,AMINAH\n";

/// The codes of findings of this severity; the whole report holds nothing personal.
fn found(of: &Ministry, severity: &str) -> Vec<String> {
    let ran = of.attempt(&["--json", "doctor"]).unwrap();
    let text = ran.stdout.clone();
    for personal in ["Aminah", "AMINAH", "A1234567"] {
        assert!(!text.contains(personal), "{text}");
    }
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    let codes = findings.filter(|one| one["severity"] == severity);
    let codes: Vec<String> = codes
        .map(|one| one["code"].as_str().unwrap().to_owned())
        .collect();
    if severity == "error" {
        assert_eq!(report["healthy"], codes.is_empty());
        assert_eq!(ran.status.success(), codes.is_empty());
    }
    codes
}

#[test]
fn a_healthy_pair_has_no_fault_and_a_peer_that_is_away_is_one() {
    let mut exchange = Exchange::connected(program()).unwrap();
    let way = exchange.out.clone();
    let dropped = exchange.drop_text(&way, NAME, TEXT).unwrap();
    exchange.settled(&[dropped]).unwrap();
    exchange.at_rest().unwrap();
    for side in [&exchange.pair.phu, &exchange.pair.imigrasi] {
        assert_eq!(found(side, "error"), [""; 0], "{}", side.party());
    }
    exchange.pair.imigrasi.stop().unwrap();
    assert_eq!(found(&exchange.pair.phu, "error"), ["peer-unreachable"]);
    let own = found(&exchange.pair.imigrasi, "error");
    assert_eq!(own, ["daemon-stopped", "listen-closed"]);
}

#[test]
fn an_address_at_which_another_key_answers_is_told_from_one_that_leads_nowhere() {
    let (mut exchange, _server) = apart(program()).unwrap();
    exchange.pair.phu.start().unwrap();
    assert_eq!(found(&exchange.pair.phu, "error"), [""; 0]);
    let config = exchange.pair.phu.folder().join(home::CONFIG);
    let good = fs::read_to_string(&config).unwrap();
    let other = SecretKey::from_seed(&[7; 32]).public().to_string();
    let changed = |key: &str, value: &str| {
        let lines = good.lines().map(|line| {
            if line.starts_with(&format!("{key} = ")) {
                format!("{key} = \"{value}\"\n")
            } else {
                format!("{line}\n")
            }
        });
        fs::write(&config, lines.collect::<String>()).unwrap();
    };
    changed("host_key", &other);
    assert_eq!(found(&exchange.pair.phu, "error"), ["peer-other-key"]);
    changed("address", "no-such-host.invalid:22");
    assert_eq!(found(&exchange.pair.phu, "error"), ["peer-unresolved"]);
}
