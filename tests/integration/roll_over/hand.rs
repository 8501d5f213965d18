//! Roll-overs by hand: where the agreement does not let cards follow by themselves, the peer's sysadmin installs what the chain vouches
//! for; by file where no wire leads; and a newcomer gets the whole chain under the newest fingerprint.

use std::fs;
use std::path::Path;

use amanah_tests::exchange::Exchange;
use amanah_tests::ministry::Ministry;
use amanah_tests::{papers, printed};
use rustix::process::Signal;

use super::{number_at, restart, until_alarm, until_number};
use crate::program;

const AUDITOR: &str = include_str!("../../../docs/auditor.md");

/// A pair whose agreement says nothing of cards.
fn by_hand() -> Exchange {
    let exchange = Exchange::found(program()).unwrap();
    let both = (&exchange.pair.phu, &exchange.pair.imigrasi);
    papers::take_away([both.0, both.1]).unwrap();
    let flows = ["manifes-umrah:out:1073741824", "perlintasan:in:1073741824"];
    papers::agree(both, "pks-uji", &flows, exchange.folder()).unwrap();
    exchange
}

#[test]
fn without_the_agreements_word_a_card_that_follows_waits_for_the_sysadmin_who_needs_no_telephone() {
    let mut exchange = by_hand();
    exchange.pair.start().unwrap();
    let phu = exchange.pair.phu.party().clone();
    exchange.pair.phu.run(&["card", "renew"]).unwrap();
    restart(&mut exchange.pair.phu);
    until_alarm(&mut exchange.pair.imigrasi, "card-offered", &phu, true);
    assert_eq!(number_at(&exchange.pair.imigrasi, &phu), 1);
    exchange
        .pair
        .imigrasi
        .run(&["peer", "renew", "phu"])
        .unwrap();
    exchange.pair.imigrasi.signal(Signal::HUP).unwrap();
    until_alarm(&mut exchange.pair.imigrasi, "card-offered", &phu, false);
    until_number(&exchange.pair.imigrasi, &phu, 2);
    let again = exchange
        .pair
        .imigrasi
        .run(&["peer", "renew", "phu"])
        .unwrap();
    assert!(
        again.stdout.contains("terbaru") || again.stdout.contains("newest"),
        "{}",
        again.stdout
    );
    let way = exchange.out.clone();
    let dropped = exchange.drop_text(&way, "sesudah.csv", "sesudah").unwrap();
    exchange.settled(&[dropped]).unwrap();
}

#[test]
fn a_card_goes_as_a_file_and_a_newcomer_gets_the_whole_chain_under_one_fingerprint() {
    let exchange = by_hand();
    let (phu, imigrasi) = (&exchange.pair.phu, &exchange.pair.imigrasi);
    for _ in 0..2 {
        phu.run(&["card", "renew"]).unwrap();
    }
    let desk = exchange.folder().join("kartu");
    fs::create_dir(&desk).unwrap();
    let exported = phu
        .run(&["card", "export", desk.to_str().unwrap(), "--json"])
        .unwrap();
    let facts: serde_json::Value = serde_json::from_str(&exported.stdout).unwrap();
    let fingerprint = facts["fingerprint"].as_str().unwrap();
    let paths = ["phu.card.amanah", "phu.2.card.amanah", "phu.3.card.amanah"]
        .map(|name| desk.join(name).to_str().unwrap().to_owned());
    // The third does not follow the first; in their order both do, and verify says so before.
    let third = imigrasi.attempt(&["peer", "renew", &paths[2]]).unwrap();
    assert_eq!(third.status.code(), Some(1), "{}", third.stderr);
    let said = imigrasi
        .run(&["--lang", "en", "verify", &paths[1]])
        .unwrap()
        .stdout;
    assert!(said.contains("signed by the card before it"), "{said}");
    imigrasi.run(&["peer", "renew", &paths[1]]).unwrap();
    imigrasi.run(&["peer", "renew", &paths[2]]).unwrap();
    assert_eq!(number_at(imigrasi, phu.party()), 3);
    by_stock_tools(imigrasi, &desk);
    // A newcomer: the fingerprint of the newest covers those before it, and no others.
    imigrasi.run(&["peer", "remove", "phu"]).unwrap();
    let add = |cards: &[&String], fingerprint: &str| {
        let cards = cards.iter().map(|card| card.as_str());
        let words: Vec<&str> = ["peer", "add"]
            .into_iter()
            .chain(cards)
            .chain(["--fingerprint", fingerprint])
            .collect();
        imigrasi.attempt(&words).unwrap()
    };
    let [first, second, third] = &paths;
    assert_eq!(add(&[first, third], fingerprint).status.code(), Some(1));
    assert_eq!(add(&[first, second], fingerprint).status.code(), Some(1));
    assert!(!imigrasi.folder().join("cards/phu.card.amanah").exists());
    let added = add(&[second, third, first], fingerprint);
    assert_eq!(added.status.code(), Some(0), "{}", added.stderr);
    assert_eq!(number_at(imigrasi, phu.party()), 3);
    let listed = imigrasi.run(&["peer", "list", "--json"]).unwrap().stdout;
    assert!(
        listed.contains("\"number\": 3") || listed.contains("\"number\":3"),
        "{listed}"
    );
}

/// An auditor follows the chain without this program; another card in its middle is found.
fn by_stock_tools(ministry: &Ministry, desk: &Path) {
    fs::write(desk.join("settings"), "from=phu to=phu\n").unwrap();
    let signers = ministry.run(&["card", "allowed-signers"]).unwrap().stdout;
    fs::write(desk.join("allowed_signers"), signers).unwrap();
    for check in ["cards", "card-chain"] {
        let said = printed::run_well(printed::block(AUDITOR, check).unwrap(), desk).unwrap();
        assert!(said.contains("Good \"card@amanah\""), "{said}");
    }
    let (second, third) = (
        desk.join("phu.2.card.amanah"),
        desk.join("phu.3.card.amanah"),
    );
    let genuine = fs::read(&second).unwrap();
    fs::copy(&third, &second).unwrap();
    let block = printed::block(AUDITOR, "card-chain").unwrap();
    assert!(!printed::run(block, desk).unwrap().status.success());
    fs::write(&second, genuine).unwrap();
    printed::run_well(block, desk).unwrap();
}
