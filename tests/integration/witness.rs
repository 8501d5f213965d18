//! Peers as witnesses of each other's ledgers, with two real daemons: what only grows is cosigned by both; whatever somebody with
//! all rights on one machine rewrites behind the daemon's back, the other alarms, and keeps what proves it. FORMAT.md §15.4.

use std::fs;
use std::path::{Path, PathBuf};

use amanah_format::card::VerifiedCard;
use amanah_format::digest::Digest;
use amanah_format::home;
use amanah_format::ledger::{Checkpoint, Record, leaf_hash};
use amanah_tests::exchange::{Exchange, PATIENCE, files_below};
use amanah_tests::intruder::{Answer, Intruder};
use amanah_tests::ministry::Ministry;
use amanah_tests::printed;
use amanah_tests::waiting::until;
use amanahd::snapshot::Snapshot;

use crate::program;
use crate::restored::{copy, restore};
use crate::roll_over::{FAKETIME, clocks, set_clocks};

const FORMAT: &str = include_str!("../../format/FORMAT.md");
const ALARM: &str = "ledger-fork";

/// Where a ministry keeps its own checkpoint with the line of the other, and the other's with its own.
fn notes(ministry: &Ministry, other: &Ministry) -> [PathBuf; 2] {
    let name = format!("{}{}", other.party(), home::NOTE_SUFFIX);
    [home::LEDGER_COSIGNED, home::LEDGER_PEERS].map(|folder| ministry.path(folder).join(&name))
}

fn noted(path: &Path) -> Option<Checkpoint> {
    Checkpoint::read(&fs::read_to_string(path).ok()?)
}

/// Sends one item and connects anew, until the other has cosigned all of it; how long the ledger was.
fn until_cosigned(exchange: &mut Exchange, name: &str) -> u64 {
    let way = exchange.out.clone();
    let dropped = exchange.drop_text(&way, name, name).unwrap();
    exchange.settled(&[dropped]).unwrap();
    exchange.at_rest().unwrap();
    let size = exchange.pair.phu.status().unwrap().unwrap().ledger_size;
    again(exchange);
    let [path, _] = notes(&exchange.pair.phu, &exchange.pair.imigrasi);
    until("a cosignature", PATIENCE, || {
        Ok(noted(&path)
            .filter(|note| note.size >= size)
            .map(|note| note.size))
    })
    .unwrap()
}

/// The side that dials ends and begins again: a new connection.
fn again(exchange: &mut Exchange) {
    exchange.pair.phu.stop().unwrap();
    exchange.pair.phu.start().unwrap();
}

fn until_alarm(ministry: &mut Ministry, about: &str, wanted: bool) {
    let found = |status: &Snapshot| {
        let mut alarms = status.alarms.iter();
        let there = alarms.any(|alarm| alarm.code == ALARM && alarm.subject == about);
        (there == wanted).then_some(())
    };
    ministry.wait_for(ALARM, PATIENCE, found).unwrap();
}

#[test]
fn two_ledgers_that_only_grow_are_cosigned_and_an_auditor_proves_it_with_stock_tools() {
    let mut exchange = Exchange::connected(program()).unwrap();
    let first = until_cosigned(&mut exchange, "satu.csv");
    let later = until_cosigned(&mut exchange, "dua.csv");
    assert!(later > first);
    let bench = exchange.folder().join("meja");
    fs::create_dir(&bench).unwrap();
    let (phu, imigrasi) = (&exchange.pair.phu, &exchange.pair.imigrasi);
    for (own, other) in [(phu, imigrasi), (imigrasi, phu)] {
        let [cosigned, peers] = notes(own, other);
        let found = until("both notes", PATIENCE, || {
            let Some((ours, theirs)) = noted(&cosigned).zip(noted(&peers)) else {
                return Ok(None);
            };
            let said = own.run(&["ledger", "verify", "--json"])?.stdout;
            // A witness that signed a longer ledger meanwhile: all of it is looked at again.
            let still = noted(&cosigned).is_some_and(|now| now.size == ours.size);
            Ok(still.then_some((ours, theirs, said)))
        });
        let (ours, theirs, said) = found.unwrap();
        assert!(ours.origin.contains(own.party().as_str()), "{ours:?}");
        assert!(theirs.origin.contains(other.party().as_str()), "{theirs:?}");
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said["cosigned"][0]["party"], other.party().as_str());
        assert_eq!(said["cosigned"][0]["size"], ours.size);
        // The witness's key, out of its card; the note, as the owner or the witness hands it over.
        let key = fs::read_to_string(other.folder().join("keys/ledger.pub"));
        let key = key.unwrap_or_else(|_| public_ledger_key(other));
        fs::write(bench.join("witness_key"), key).unwrap();
        fs::copy(&cosigned, bench.join("cosigned")).unwrap();
        let block = printed::block(FORMAT, "ledger-cosignature").unwrap();
        let said = printed::run_well(block, &bench).unwrap();
        assert!(said.contains("Verified Successfully"), "{said}");
        let text = fs::read_to_string(&cosigned).unwrap();
        fs::write(bench.join("cosigned"), text.replacen("/1\n", "/2\n", 1)).unwrap();
        assert!(!printed::run(block, &bench).unwrap().status.success());
        let status = own.status().unwrap().unwrap();
        assert!(status.alarms.iter().all(|alarm| alarm.code != ALARM));
        assert!(forks(own).is_empty());
    }
}

fn public_ledger_key(ministry: &Ministry) -> String {
    let text = fs::read_to_string(ministry.folder().join(home::KEY_LEDGER)).unwrap();
    let key = amanah_format::signature::SecretKey::from_openssh(&text).unwrap();
    key.public().to_string()
}

fn forks(ministry: &Ministry) -> Vec<PathBuf> {
    let mut found = files_below(&ministry.path(home::LEDGER_PEERS)).unwrap();
    found.retain(|path| path.extension().is_some_and(|end| end == "fork"));
    found
}

/// What root does to the records of a ledger; everything that follows from them is made to fit.
type Rewriting = fn(&mut Vec<Record>);

const REWRITINGS: [(&str, Rewriting); 5] = [
    ("a record changed", |records| {
        records[2].digests = vec![Digest::of(b"lain")];
    }),
    ("a record removed", |records| drop(records.remove(2))),
    ("a record inserted", |records| {
        records.insert(2, records[2].clone());
    }),
    ("two records swapped", |records| records.swap(2, 3)),
    ("cut off and grown again", |records| {
        records.truncate(3);
        let last = records[2].clone();
        records.extend(std::iter::repeat_n(last, 40));
    }),
];

/// Rewrites the journal of a ministry whose daemon does not run, and its published copy.
fn rewrite(ministry: &Ministry, change: Rewriting) {
    let path = ministry.path(home::SPOOL).join("journal.sqlite");
    let mut sql = rusqlite::Connection::open(path).unwrap();
    let edit = sql.transaction().unwrap();
    let mut records: Vec<Record> = {
        let mut rows = edit
            .prepare("SELECT line FROM ledger ORDER BY idx")
            .unwrap();
        let lines = rows.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
        lines
            .map(|line| Record::parse(&line.unwrap()).unwrap())
            .collect()
    };
    change(&mut records);
    edit.execute("DELETE FROM ledger", []).unwrap();
    for (index, mut record) in (0_u64..).zip(records) {
        record.index = index;
        let line = record.to_line();
        let leaf = leaf_hash(&line);
        let store = "INSERT INTO ledger (idx, line, leaf) VALUES (?1, ?2, ?3)";
        edit.execute(
            store,
            rusqlite::params![i64::try_from(index).unwrap(), line, leaf.as_bytes()],
        )
        .unwrap();
    }
    edit.commit().unwrap();
    for copy in [home::LEDGER_RECORDS, home::LEDGER_CHECKPOINT] {
        fs::remove_file(ministry.path(copy)).unwrap();
    }
}

#[test]
fn whatever_is_rewritten_behind_a_peers_back_is_noticed_and_kept_as_evidence() {
    let mut exchange = Exchange::connected(program()).unwrap();
    until_cosigned(&mut exchange, "satu.csv");
    let party = exchange.pair.phu.party().to_string();
    let aside = exchange.folder().join("asli");
    for (number, (what, change)) in REWRITINGS.into_iter().enumerate() {
        exchange.pair.phu.stop().unwrap();
        let phu = &mut exchange.pair.phu;
        let _gone = fs::remove_dir_all(&aside);
        copy(&phu.path(home::SPOOL), &aside);
        rewrite(phu, change);
        phu.start().unwrap();
        until_alarm(&mut exchange.pair.imigrasi, &party, true);
        let imigrasi = &exchange.pair.imigrasi;
        assert_eq!(forks(imigrasi).len(), number + 1, "{what}");
        let [_, seen] = notes(imigrasi, &exchange.pair.phu);
        for note in forks(imigrasi).iter().chain([&seen]) {
            let text = fs::read_to_string(note).unwrap();
            assert!(text.starts_with(&format!("amanah/{party}/1\n")), "{what}");
        }
        // The cosigned note proves it at home, too; without it nothing is claimed.
        let phu = &exchange.pair.phu;
        let verify = || phu.attempt(&["--lang", "en", "ledger", "verify"]).unwrap();
        let found = until("a published ledger", PATIENCE, || {
            let path = phu.path(home::LEDGER_CHECKPOINT);
            Ok(path.exists().then(verify))
        });
        let found = found.unwrap();
        let text = format!("{}{}", found.stdout, found.stderr);
        assert!(
            text.contains("rewritten") || text.contains("cut off"),
            "{what}: {text}"
        );
        // An alarm survives a restart; then both agree that the true one goes on.
        exchange.pair.imigrasi.stop().unwrap();
        exchange.pair.imigrasi.start().unwrap();
        until_alarm(&mut exchange.pair.imigrasi, &party, true);
        exchange.pair.phu.stop().unwrap();
        restore(&aside, &exchange.pair.phu.path(home::SPOOL));
        exchange
            .pair
            .imigrasi
            .run(&["ledger", "accept", &party])
            .unwrap();
        until_alarm(&mut exchange.pair.imigrasi, &party, false);
        exchange.pair.phu.start().unwrap();
        until_cosigned(&mut exchange, &format!("{number}.csv"));
        until_alarm(&mut exchange.pair.imigrasi, &party, false);
    }
}

/// Whether Imigrasi says that PHU does not show its ledger any more.
fn until_unseen(exchange: &mut Exchange, wanted: bool) {
    let found = |status: &Snapshot| {
        let mut alarms = status.alarms.iter();
        let there = alarms.any(|alarm| alarm.code == "ledger-unseen" && alarm.subject == "phu");
        (there == wanted).then_some(())
    };
    let imigrasi = &mut exchange.pair.imigrasi;
    imigrasi.wait_for("ledger-unseen", PATIENCE, found).unwrap();
}

#[test]
fn a_peer_that_takes_receipts_and_never_shows_its_ledger_is_alarmed_after_a_day() {
    if !Path::new(FAKETIME).exists() {
        println!("witness: not run here: libfaketime is not installed");
        return;
    }
    let mut exchange = Exchange::found(program()).unwrap();
    clocks(&mut exchange);
    // PHU's bundle goes by somebody who has its keys and speaks its protocol, but for its ledger.
    exchange.pair.phu.start().unwrap();
    let way = exchange.out.clone();
    let dropped = exchange.drop_text(&way, "satu.csv", "satu").unwrap();
    let queue = exchange.pair.phu.path(&home::queue(&way.to));
    let bundle = until("a bundle", PATIENCE, || Ok(files_below(&queue)?.pop())).unwrap();
    exchange.pair.phu.stop().unwrap();
    exchange.pair.imigrasi.start().unwrap();
    let card = exchange
        .pair
        .imigrasi
        .folder()
        .join("cards/imigrasi.card.amanah");
    let card = VerifiedCard::verify(&fs::read(card).unwrap()).unwrap();
    let silent = Intruder::connect(&exchange.pair.phu, exchange.pair.address, &card).unwrap();
    let name = bundle.file_stem().unwrap().to_str().unwrap();
    let manifest = Digest::from_hex(name).unwrap();
    let taken = silent.push(manifest, &fs::read(&bundle).unwrap()).unwrap();
    assert_eq!(taken, Answer::Taken);
    silent.receipt(manifest).unwrap();
    silent.take(manifest).unwrap();
    // It is there since now, not since a day later: what has just connected is given time to show its ledger.
    let there = |status: &Snapshot| {
        let mut peers = status.peers.iter();
        peers.any(|peer| peer.connected).then_some(())
    };
    let imigrasi = &mut exchange.pair.imigrasi;
    imigrasi.wait_for("the peer", PATIENCE, there).unwrap();
    until_unseen(&mut exchange, false);
    // A look later than that: after 23 hours nothing is said.
    let written = exchange.pair.imigrasi.status().unwrap().unwrap().written;
    set_clocks(&exchange, 82_800);
    let later = |status: &Snapshot| (status.written > written.plus_secs(80_000)).then_some(());
    let imigrasi = &mut exchange.pair.imigrasi;
    imigrasi.wait_for("a later look", PATIENCE, later).unwrap();
    until_unseen(&mut exchange, false);
    set_clocks(&exchange, 90_000);
    until_unseen(&mut exchange, true);
    let log = fs::read_to_string(exchange.pair.imigrasi.log()).unwrap();
    assert!(log.contains("has not shown its ledger"));
    // Its own daemon shows it.
    drop(silent);
    exchange.pair.phu.start().unwrap();
    until_unseen(&mut exchange, false);
    exchange.settled(&[dropped]).unwrap();
}
