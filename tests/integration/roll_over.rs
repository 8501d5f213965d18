//! P14: keys roll over by a chain of cards, with real daemons: a journey on both sides in which the clock is moved through the overlap
//! and beyond it, and at each step every door is tried; `attacks` has what thieves of keys do, `hand` what people do.

mod attacks;
mod hand;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use amanah_format::container::unpack_small;
use amanah_format::document;
use amanah_format::home;
use amanah_format::id::PartyId;
use amanah_format::limits::{BUNDLE_HEAD_BYTES, DOCUMENT_BYTES_MAX};
use amanah_format::manifest::{Manifest, UnverifiedHead};
use amanah_format::signature::{PublicKey, Purpose, SecretKey, verify};
use amanah_tests::exchange::{Arrived, Exchange, PATIENCE};
use amanah_tests::ministry::Ministry;
use amanah_tests::waiting::until;
use amanahd::transport::client::{Dial, PostQuantum, SshLink};
use amanahd::transport::link::{Link, LinkError};

use crate::program;

/// Where Debian has it.
pub(crate) const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
const DAY: i64 = 86_400;
/// For so many days old keys stay valid in these tests: less than the days for which originals are kept.
const OVERLAP: &str = "8";

/// A pair whose clock is what a file says, for daemons and commands alike.
struct Timed {
    exchange: Exchange,
}

impl Timed {
    /// None where libfaketime is not installed.
    fn connected() -> Option<Self> {
        if !Path::new(FAKETIME).exists() {
            println!("roll-over: not run here: libfaketime is not installed");
            return None;
        }
        let mut exchange = Exchange::found(program()).unwrap();
        clocks(&mut exchange);
        exchange.pair.start().unwrap();
        Some(Self { exchange })
    }

    /// So many days after the beginning.
    fn day(&self, day: i64) {
        set_clocks(&self.exchange, day * DAY);
    }

    /// Both send a file, and both files are settled.
    fn both_ways(&mut self, name: &str) -> [Arrived; 2] {
        let ways = [self.exchange.out.clone(), self.exchange.back.clone()];
        let dropped = ways.map(|way| {
            self.exchange
                .drop_text(&way, &format!("{name}.csv"), name)
                .unwrap()
        });
        dropped.map(|one| self.exchange.settled(&[one]).unwrap().remove(0))
    }
}

/// From now on the clock of both is what a file in the home of each says: no other is in reach of a confined daemon.
pub(crate) fn clocks(exchange: &mut Exchange) {
    set_clocks(exchange, 0);
    for ministry in [&mut exchange.pair.phu, &mut exchange.pair.imigrasi] {
        let clock = clock_of(ministry);
        let launch = ministry
            .launch()
            .clone()
            .with("LD_PRELOAD", FAKETIME)
            .with("FAKETIME_TIMESTAMP_FILE", clock.to_str().unwrap())
            .with("FAKETIME_NO_CACHE", "1")
            .with("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        ministry.types_through(launch);
    }
}

fn clock_of(ministry: &Ministry) -> PathBuf {
    ministry.path("clock")
}

/// So many seconds after the true time, for both at once.
pub(crate) fn set_clocks(exchange: &Exchange, secs: i64) {
    for ministry in exchange.pair.both() {
        fs::write(clock_of(ministry), format!("+{secs}")).unwrap();
    }
}

fn restart(ministry: &mut Ministry) {
    ministry.stop().unwrap();
    ministry.start().unwrap();
}

/// The number of the newest card of `party` that counts at `ministry`.
fn number_at(ministry: &Ministry, party: &PartyId) -> u64 {
    let shown = ministry
        .run(&["card", "show", party.as_str(), "--json"])
        .unwrap();
    let facts: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    facts["card"]["number"].as_u64().unwrap()
}

/// Until that card counts for commands and, by its record, for the daemon.
fn until_number(ministry: &Ministry, party: &PartyId, number: u64) {
    until("a card", PATIENCE, || {
        Ok((number_at(ministry, party) == number).then_some(()))
    })
    .unwrap();
    let shown = ministry
        .run(&["card", "show", party.as_str(), "--json"])
        .unwrap();
    let facts: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    let digest = facts["digest"].as_str().unwrap();
    until("its record", PATIENCE, || {
        let records = fs::read_to_string(ministry.path(home::LEDGER_RECORDS))?;
        let mut lines = records.lines();
        let loaded = lines.any(|line| line.contains("\"loaded\"") && line.contains(digest));
        Ok(loaded.then_some(()))
    })
    .unwrap();
}

fn until_alarm(ministry: &mut Ministry, code: &str, about: &PartyId, wanted: bool) {
    ministry
        .wait_for(code, PATIENCE, |status| {
            let mut alarms = status.alarms.iter();
            let there = alarms.any(|alarm| alarm.code == code && alarm.subject == about.as_str());
            (there == wanted).then_some(())
        })
        .unwrap();
}

/// Secret keys of a role, the oldest first.
fn keys(ministry: &Ministry, role: &str) -> Vec<SecretKey> {
    let text = fs::read_to_string(ministry.folder().join(role)).unwrap();
    SecretKey::read_all(&text).unwrap()
}

fn publics(ministry: &Ministry, role: &str) -> Vec<PublicKey> {
    keys(ministry, role).iter().map(SecretKey::public).collect()
}

/// Who signed a bundle of `sender`, to how many keys it is sealed, and who signed its receipt.
fn signers(sender: &Ministry, peer: &Ministry, one: &Arrived) -> (PublicKey, usize, PublicKey) {
    let bundle = fs::read(sender.archived(peer.party(), &one.manifest)).unwrap();
    let head = usize::try_from(BUNDLE_HEAD_BYTES).unwrap();
    let (text, armor) = UnverifiedHead::parse(&bundle[..head]).unwrap().evidence();
    let manifest: Manifest = document::parse(&text).unwrap();
    let signer = verify(Purpose::Bundle, &text, &armor).unwrap();
    let receipt = fs::read(sender.receipt(peer.party(), &one.manifest)).unwrap();
    let files = unpack_small(&receipt, DOCUMENT_BYTES_MAX).unwrap();
    let receipt = verify(Purpose::Receipt, &files[0].1, &files[1].1).unwrap();
    (signer, manifest.recipients.len(), receipt)
}

/// Whether Imigrasi lets this key in as that of PHU.
fn may_log_in(exchange: &Exchange, key: &SecretKey) -> bool {
    let dial = Dial {
        address: exchange.pair.address.to_string(),
        user: exchange.pair.phu.party().to_string(),
        key: key.to_openssh(""),
        host_keys: publics(&exchange.pair.imigrasi, home::KEY_TRANSPORT),
        post_quantum: PostQuantum::Preferred,
        connect_timeout: Duration::from_secs(20),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        match SshLink::connect(dial).await {
            Ok(link) => {
                link.close().await;
                true
            }
            Err(LinkError::Auth { .. }) => false,
            Err(error) => panic!("{error}"),
        }
    })
}

impl Timed {
    /// Both make new keys while a bundle waits that is sealed to an old one alone.
    fn renewed_with_a_bundle_under_way(&mut self, [phu, imigrasi]: [&PartyId; 2]) -> Vec<Arrived> {
        self.exchange.pair.imigrasi.stop().unwrap();
        let way = self.exchange.out.clone();
        let under_way = self
            .exchange
            .drop_text(&way, "di-jalan.csv", "di jalan")
            .unwrap();
        self.exchange
            .pair
            .phu
            .wait_for("a sealed bundle", PATIENCE, |status| {
                let mut queued = status.outgoing.iter();
                queued.any(|one| one.state == "queued").then_some(())
            })
            .unwrap();
        let renew = ["card", "renew", "--overlap-days", OVERLAP];
        self.exchange.pair.imigrasi.run(&renew).unwrap();
        self.exchange.pair.imigrasi.start().unwrap();
        let arrived = self.exchange.settled(&[under_way]).unwrap();
        until_number(&self.exchange.pair.phu, imigrasi, 2);
        self.exchange.pair.phu.run(&renew).unwrap();
        restart(&mut self.exchange.pair.phu);
        until_number(&self.exchange.pair.imigrasi, phu, 2);
        arrived
    }

    /// Old secrets go, both start anew: the agreement that old keys signed stays in force, old evidence still verifies.
    fn retired(&mut self) {
        for ministry in [
            &mut self.exchange.pair.phu,
            &mut self.exchange.pair.imigrasi,
        ] {
            ministry.run(&["card", "retire"]).unwrap();
            assert_eq!(keys(ministry, home::KEY_SIGNING).len(), 1);
            restart(ministry);
        }
    }
}

fn only_the_new_key_logs_in(exchange: &Exchange) {
    let [old, new] = keys(&exchange.pair.phu, home::KEY_TRANSPORT)
        .try_into()
        .ok()
        .unwrap();
    assert!(!may_log_in(exchange, &old));
    assert!(may_log_in(exchange, &new));
    until("the end of the old key's connection", PATIENCE, || {
        let log = fs::read_to_string(exchange.pair.imigrasi.log())?;
        let ended = ["its key is not valid any more", "connection ended"];
        Ok(ended.iter().any(|words| log.contains(words)).then_some(()))
    })
    .unwrap();
}

fn nothing_is_alarmed(exchange: &Exchange) {
    for ministry in [&exchange.pair.phu, &exchange.pair.imigrasi] {
        let status = ministry.status().unwrap().unwrap();
        let mut alarms = status.alarms.iter();
        assert!(
            alarms.all(|one| !one.code.starts_with("card-") && one.code != "peer-denies"),
            "{:?}",
            status.alarms
        );
    }
}

#[test]
fn both_sides_roll_over_all_keys_and_every_door_follows_the_dates() {
    let Some(mut timed) = Timed::connected() else {
        return;
    };
    let mut arrived = timed.both_ways("awal").map(|one| vec![one]);
    let party = |ministry: &Ministry| ministry.party().clone();
    let (phu, imigrasi) = (
        party(&timed.exchange.pair.phu),
        party(&timed.exchange.pair.imigrasi),
    );
    arrived[0].extend(timed.renewed_with_a_bundle_under_way([&phu, &imigrasi]));

    // Within the overlap: old keys sign, both are sealed to, both log in.
    timed.day(1);
    let during = timed.both_ways("tumpang-tindih");
    let pair = &timed.exchange.pair;
    let [ours, theirs] = [&pair.phu, &pair.imigrasi].map(|one| publics(one, home::KEY_SIGNING));
    assert_eq!((ours.len(), theirs.len()), (2, 2));
    assert_eq!(
        signers(&pair.phu, &pair.imigrasi, &during[0]),
        (ours[0], 2, theirs[0])
    );
    assert_eq!(
        signers(&pair.imigrasi, &pair.phu, &during[1]),
        (theirs[0], 2, ours[0])
    );
    for key in keys(&pair.phu, home::KEY_TRANSPORT) {
        assert!(may_log_in(&timed.exchange, &key));
    }
    // Past its middle the new keys sign.
    timed.day(5);
    let later = timed.both_ways("lewat-tengah");
    let pair = &timed.exchange.pair;
    assert_eq!(
        signers(&pair.phu, &pair.imigrasi, &later[0]),
        (ours[1], 2, theirs[1])
    );
    assert_eq!(
        signers(&pair.imigrasi, &pair.phu, &later[1]),
        (theirs[1], 2, ours[1])
    );

    // After it: the connection that stood ends, the old key is refused, the new one carries on.
    timed.day(9);
    let after = timed.both_ways("sesudah");
    let pair = &timed.exchange.pair;
    assert_eq!(
        signers(&pair.phu, &pair.imigrasi, &after[0]),
        (ours[1], 1, theirs[1])
    );
    only_the_new_key_logs_in(&timed.exchange);

    timed.retired();
    let last = timed.both_ways("akhir");
    for more in [during, later, after, last] {
        for (all, one) in arrived.iter_mut().zip(more) {
            all.push(one);
        }
    }
    let [out, back] = arrived;
    timed.exchange.holds(&out).unwrap();
    timed.exchange.holds(&back).unwrap();
    signers_follow_the_dates(&timed.exchange.pair.phu, (&theirs, &ours));
    nothing_is_alarmed(&timed.exchange);
}

/// `allowed_signers` has a line for each key of both parties, each with its dates: stock `ssh-keygen` judges as we do.
fn signers_follow_the_dates(ministry: &Ministry, (theirs, ours): (&[PublicKey], &[PublicKey])) {
    let lines = ministry.run(&["card", "allowed-signers"]).unwrap().stdout;
    for key in theirs.iter().chain(ours) {
        let line = lines
            .lines()
            .find(|line| line.contains(&key.to_string()))
            .unwrap();
        assert!(
            line.contains("valid-after=\"") && line.contains("valid-before=\""),
            "{line}"
        );
    }
    let before = |key: &PublicKey| {
        let line = lines
            .lines()
            .find(|line| line.contains(&key.to_string()))
            .unwrap();
        line.split("valid-before=\"").nth(1).unwrap()[..15].to_owned()
    };
    assert!(before(&theirs[0]) < before(&theirs[1]));
}
