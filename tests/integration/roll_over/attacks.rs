//! What somebody tries who holds a stolen key of PHU: a second successor of its card, a roll-over after the key was revoked, a card
//! that takes another party's keys. Played against the real daemon of Imigrasi.

use std::fs;
use std::path::Path;

use amanah_format::card::{Card, Valid, VerifiedCard, sign_successor};
use amanah_format::document::{Document, Ext};
use amanah_format::home;
use amanah_format::signature::SecretKey;
use amanah_format::slip::{self, Body, Proposed, Slip};
use amanah_format::time::UtcTime;
use amanah_tests::exchange::{Exchange, PATIENCE};
use amanah_tests::intruder::{Answer, Intruder};
use amanahd::clock::Clock;
use amanahd::transport::link::WireName;
use rustix::process::Signal;

use super::{keys, number_at, restart, until_alarm, until_number};
use crate::program;

/// What the thief has: PHU's first card and its keys of that time.
struct Thief {
    first: VerifiedCard,
    signing: SecretKey,
    intruder: Intruder,
    number: u64,
}

impl Thief {
    /// Steals while only the first card is there.
    fn of(exchange: &Exchange) -> Self {
        let phu = &exchange.pair.phu;
        let card = phu.folder().join("cards/phu.card.amanah");
        let first = VerifiedCard::verify(&fs::read(card).unwrap()).unwrap();
        let peer = exchange
            .pair
            .imigrasi
            .folder()
            .join("cards/imigrasi.card.amanah");
        let peer = VerifiedCard::verify(&fs::read(peer).unwrap()).unwrap();
        Self {
            signing: keys(phu, home::KEY_SIGNING).remove(0),
            intruder: Intruder::connect(phu, exchange.pair.address, &peer).unwrap(),
            first,
            number: 1_000,
        }
    }

    /// A successor of the first card with a signing key of the thief's own.
    fn rival(&self, change: impl Fn(&mut Card)) -> Vec<u8> {
        let own = SecretKey::from_seed(&[66; 32]);
        let now = now();
        let mut card = self.first.card().clone();
        card.number = 2;
        card.previous = Some(self.first.digest());
        card.created = now;
        card.contact = "Pencuri".into();
        card.keys.signing.push(Valid {
            key: own.public(),
            from: now.plus_secs(-300),
            until: now.plus_secs(86_400 * 700),
        });
        change(&mut card);
        sign_successor(&card, &own, &self.signing).unwrap()
    }

    /// Tells it to Imigrasi in a slip that the stolen key signs; again where PHU's own slips cleared it away too early.
    fn tell(&mut self, card: &[u8]) -> Answer {
        let answer = || Ok(Some(self.try_to_tell(card)?).filter(|answer| !is_cleared_away(answer)));
        amanah_tests::waiting::until("an answer", PATIENCE, answer).unwrap()
    }

    fn try_to_tell(&mut self, card: &[u8]) -> anyhow::Result<Answer> {
        self.number += 1;
        let now = now();
        let slip = Slip {
            format: Slip::FORMAT.into(),
            body: Body::Card(Proposed::of(card).unwrap()),
            from: "phu".parse().unwrap(),
            to: "imigrasi".parse().unwrap(),
            number: self.number,
            created: now,
            expires: now.plus_secs(86_400),
            ext: Ext::default(),
            critical: Vec::new(),
        };
        let container = slip::sign(&slip, &self.signing);
        let name = WireName::Slip(slip::digest(&slip));
        self.intruder.push_as(name, &container)
    }
}

fn now() -> UtcTime {
    Clock::default().now()
}

#[test]
fn of_two_successors_of_one_card_neither_is_taken_until_a_person_has_decided() {
    let mut exchange = Exchange::connected(program()).unwrap();
    let mut thief = Thief::of(&exchange);
    let phu = exchange.pair.phu.party().clone();
    exchange.pair.phu.run(&["card", "renew"]).unwrap();
    restart(&mut exchange.pair.phu);
    until_number(&exchange.pair.imigrasi, &phu, 2);
    let rival = thief.rival(|_| {});
    assert_eq!(thief.tell(&rival), Answer::Taken);
    until_alarm(&mut exchange.pair.imigrasi, "card-fork", &phu, true);
    assert_eq!(number_at(&exchange.pair.imigrasi, &phu), 1, "neither");
    // Told again, and after a restart, it is the same.
    assert_eq!(thief.tell(&rival), Answer::Taken);
    restart(&mut exchange.pair.imigrasi);
    until_alarm(&mut exchange.pair.imigrasi, "card-fork", &phu, true);
    assert_eq!(number_at(&exchange.pair.imigrasi, &phu), 1);
    let refused = exchange
        .pair
        .imigrasi
        .attempt(&["peer", "renew", "phu"])
        .unwrap();
    assert_eq!(refused.status.code(), Some(1), "{}", refused.stderr);
    let said = exchange
        .pair
        .imigrasi
        .attempt(&["doctor", "--json"])
        .unwrap()
        .stdout;
    assert!(said.contains("card-fork"), "{said}");
    // The genuine one by its fingerprint; what is under way meanwhile, old keys carry.
    let card = exchange.folder().join("phu-2.card.amanah");
    let card = card.to_str().unwrap();
    let exported = exchange
        .pair
        .phu
        .run(&["card", "export", card, "--json"])
        .unwrap();
    let facts: serde_json::Value = serde_json::from_str(&exported.stdout).unwrap();
    let fingerprint = facts["fingerprint"].as_str().unwrap();
    let add = ["peer", "add", card, "--fingerprint", fingerprint];
    exchange.pair.imigrasi.run(&add).unwrap();
    exchange.pair.imigrasi.signal(Signal::HUP).unwrap();
    until_alarm(&mut exchange.pair.imigrasi, "card-fork", &phu, false);
    assert_eq!(number_at(&exchange.pair.imigrasi, &phu), 2);
    let way = exchange.out.clone();
    let dropped = exchange.drop_text(&way, "sesudah.csv", "sesudah").unwrap();
    exchange.settled(&[dropped]).unwrap();
}

/// A slip's part is gone before it was renamed: a slip of the party's own daemon came in meanwhile, which ends what is unfinished.
fn is_cleared_away(answer: &Answer) -> bool {
    *answer == Answer::Denied("no-such-file".to_owned())
}

/// The second reload: the daemon has read the new card as well.
fn until_read_again(log: &Path) {
    amanah_tests::waiting::until("the card in force", PATIENCE, || {
        let log = fs::read_to_string(log)?;
        Ok((log.matches("configuration read again").count() >= 2).then_some(()))
    })
    .unwrap();
}

/// Another card of this number is the trusted one.
fn says_so_offline(exchange: &Exchange, file: &Path) {
    let said = exchange
        .pair
        .imigrasi
        .attempt(&["--lang", "en", "verify", file.to_str().unwrap()])
        .unwrap();
    assert!(
        said.stdout.contains("ATTENTION") || said.stdout.contains("Not proven"),
        "{}",
        said.stdout
    );
}

#[test]
fn a_revoked_key_neither_rolls_over_nor_speaks_nor_connects_and_a_card_takes_no_others_keys() {
    let mut exchange = Exchange::connected(program()).unwrap();
    let mut thief = Thief::of(&exchange);
    let (phu, imigrasi) = (
        exchange.pair.phu.party().clone(),
        exchange.pair.imigrasi.party().clone(),
    );
    // While the key is valid: a card with the other party's own keys follows nothing.
    let others = exchange
        .pair
        .imigrasi
        .folder()
        .join("cards/imigrasi.card.amanah");
    let others = VerifiedCard::verify(&fs::read(others).unwrap()).unwrap();
    let taking = thief.rival(|card| {
        card.keys.transport.clone_from(&others.card().keys.signing);
    });
    assert_eq!(thief.tell(&taking), Answer::Taken);
    until_alarm(&mut exchange.pair.imigrasi, "card-unproven", &phu, true);
    assert_eq!(number_at(&exchange.pair.imigrasi, &phu), 1);
    let seen = publics_of(&exchange, &imigrasi);
    assert!(seen.contains(&others.card().keys.signing[0].key.to_string()));

    // PHU revokes: its new card ends the stolen keys at once.
    let stolen = keys(&exchange.pair.phu, home::KEY_TRANSPORT).remove(0);
    exchange
        .pair
        .phu
        .run(&["card", "renew", "--revoke"])
        .unwrap();
    restart(&mut exchange.pair.phu);
    until_number(&exchange.pair.imigrasi, &phu, 2);
    let log = exchange.pair.imigrasi.log();
    until_read_again(&log);
    let rival = thief.rival(|_| {});
    // The connection that the thief holds is cut off; its slip, by whichever way, does not count; nor does its card as a file.
    let mut said = Vec::new();
    amanah_tests::waiting::until("the thief's end", PATIENCE, || {
        match thief.try_to_tell(&rival) {
            Ok(answer) if is_cleared_away(&answer) => {}
            Ok(answer) => said.push(answer),
            Err(_) => return Ok(Some(())),
        }
        Ok(None)
    })
    .unwrap();
    let doubtful = Answer::Denied("slip-doubtful".to_owned());
    assert!(said.iter().all(|answer| answer == &doubtful), "{said:?}");
    // He may see his end before the log has the reason.
    amanah_tests::waiting::until("the reason", PATIENCE, || {
        let log = fs::read_to_string(&log)?;
        Ok(log.contains("its key is not valid any more").then_some(()))
    })
    .unwrap();
    assert!(!super::may_log_in(&exchange, &stolen));
    let file = exchange.folder().join("palsu.card.amanah");
    fs::write(&file, &rival).unwrap();
    let words = ["peer", "renew", file.to_str().unwrap()];
    let refused = exchange.pair.imigrasi.attempt(&words).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{}", refused.stderr);
    assert_eq!(number_at(&exchange.pair.imigrasi, &phu), 2);
    for way in [exchange.out.clone(), exchange.back.clone()] {
        let dropped = exchange.drop_text(&way, "sesudah.csv", "sesudah").unwrap();
        exchange.settled(&[dropped]).unwrap();
    }
    says_so_offline(&exchange, &file);
}

/// Signing keys that Imigrasi trusts as this party's.
fn publics_of(exchange: &Exchange, party: &amanah_format::id::PartyId) -> String {
    let lines = exchange
        .pair
        .imigrasi
        .run(&["card", "allowed-signers"])
        .unwrap()
        .stdout;
    let lines = lines
        .lines()
        .filter(|line| line.starts_with(&format!("{party} ")));
    lines.collect::<Vec<_>>().join("\n")
}
