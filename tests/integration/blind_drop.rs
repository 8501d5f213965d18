//! Two ministries that can reach nothing but a stock OpenSSH server with two folders (FORMAT.md §16.3): everything
//! arrives once with its receipt, both folders are empty afterwards, and what the drop does to what lies there is noticed.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use amanah_format::home;
use amanah_format::limits::BUNDLE_HEAD_BYTES;
use amanah_tests::drop_server::{DropServer, apart};
use amanah_tests::exchange::{Arrived, Dropped, Exchange, PATIENCE, files_below};
use amanah_tests::items::Way;
use amanah_tests::ministry::Ministry;
use amanah_tests::pilgrims;
use amanah_tests::waiting::until;

use crate::program;

const BUNDLE: &str = "amanah";
const RECEIPT: &str = "receipt.amanah";

fn start(exchange: &mut Exchange) {
    exchange.pair.phu.start().unwrap();
    exchange.pair.imigrasi.start().unwrap();
}

/// Drops an item while the recipient is away; its bundle as it lies at the drop.
fn lies_there(
    exchange: &mut Exchange,
    server: &DropServer,
    (name, text): (&str, &str),
) -> (Dropped, PathBuf) {
    let way = exchange.out.clone();
    let before = server.whole_for(&way.to, BUNDLE).unwrap();
    let dropped = exchange.drop_text(&way, name, text).unwrap();
    let bundle = until("the bundle at the drop", PATIENCE, || {
        let mut now = server.whole_for(&way.to, BUNDLE)?.into_iter();
        Ok(now.find(|path| !before.contains(path)))
    });
    (dropped, bundle.unwrap())
}

fn until_there(path: &Path) {
    let there = || Ok(path.exists().then_some(()));
    until("it lies there again", PATIENCE, there).unwrap();
}

fn until_alarm(ministry: &mut Ministry, code: &str) {
    ministry
        .wait_for(code, PATIENCE, |status| {
            let mut alarms = status.alarms.iter();
            alarms.find(|alarm| alarm.code == code).map(drop)
        })
        .unwrap();
}

/// All that must hold of an exchange, and nothing is left at the drop.
fn holds_and_is_clear(exchange: &mut Exchange, server: &DropServer, arrived: &[Arrived]) {
    exchange.holds(arrived).unwrap();
    for way in [exchange.out.clone(), exchange.back.clone()] {
        let folder = server.waiting_for(&way.to);
        let empty = || Ok(files_below(&folder)?.is_empty().then_some(()));
        until("an empty folder", PATIENCE, empty).unwrap();
    }
}

#[test]
fn files_go_both_ways_through_a_drop_and_nothing_is_left_there() {
    let (mut exchange, server) = apart(program()).unwrap();
    start(&mut exchange);
    let ways: [Way; 2] = [exchange.out.clone(), exchange.back.clone()];
    let dropped = ways.map(|way| {
        let text = pilgrims::manifest(3, 50);
        [exchange.drop_text(&way, "manifes.csv", &text).unwrap()]
    });
    let arrived = dropped.map(|dropped| exchange.settled(&dropped).unwrap());
    for arrived in arrived {
        holds_and_is_clear(&mut exchange, &server, &arrived);
    }
}

#[test]
fn a_bundle_that_the_drop_deletes_is_put_again_until_its_receipt_comes() {
    let (mut exchange, server) = apart(program()).unwrap();
    exchange.pair.phu.start().unwrap();
    let (dropped, bundle) = lies_there(&mut exchange, &server, ("hilang.csv", "satu"));
    let queued = |exchange: &Exchange| {
        let status = exchange.pair.phu.status().unwrap().unwrap();
        status.outgoing[0].state.clone()
    };
    // The snapshot may be a moment older than what lies at the drop; handed over it never becomes.
    let waits = |status: &amanahd::snapshot::Snapshot| {
        (status.outgoing.first()?.state == "queued").then_some(())
    };
    let phu = &mut exchange.pair.phu;
    phu.wait_for("the queue", PATIENCE, waits).unwrap();
    fs::remove_file(&bundle).unwrap();
    until_there(&bundle);
    until_alarm(&mut exchange.pair.phu, "drop-lost");
    assert_eq!(queued(&exchange), "queued");
    exchange.pair.imigrasi.start().unwrap();
    let arrived = exchange.settled(&[dropped]).unwrap();
    holds_and_is_clear(&mut exchange, &server, &arrived);
    let quiet = |status: &amanahd::snapshot::Snapshot| status.alarms.is_empty().then_some(());
    let phu = &mut exchange.pair.phu;
    phu.wait_for("no alarm", PATIENCE, quiet).unwrap();
}

#[test]
fn a_bundle_that_the_drop_repeats_late_gets_the_same_receipt_again() {
    let (mut exchange, server) = apart(program()).unwrap();
    exchange.pair.phu.start().unwrap();
    let (dropped, bundle) = lies_there(&mut exchange, &server, ("berulang.csv", "satu"));
    let kept = exchange.folder().join("salinan");
    fs::copy(&bundle, &kept).unwrap();
    exchange.pair.imigrasi.start().unwrap();
    let arrived = exchange.settled(&[dropped]).unwrap();
    holds_and_is_clear(&mut exchange, &server, &arrived);
    exchange.pair.phu.stop().unwrap();
    fs::rename(&kept, &bundle).unwrap();
    let (phu, way) = (&exchange.pair.phu, exchange.out.clone());
    let again = until("the receipt again", PATIENCE, || {
        Ok(server.whole_for(&way.from, RECEIPT)?.pop())
    });
    let first = fs::read(phu.receipt(&way.to, &arrived[0].manifest)).unwrap();
    assert_eq!(fs::read(again.unwrap()).unwrap(), first);
    assert!(!bundle.exists(), "the repeated bundle is removed");
    exchange.pair.phu.start().unwrap();
    holds_and_is_clear(&mut exchange, &server, &arrived);
}

#[test]
fn a_receipt_that_the_drop_deletes_is_signed_once_and_put_again() {
    let (mut exchange, server) = apart(program()).unwrap();
    exchange.pair.phu.start().unwrap();
    let (dropped, _) = lies_there(&mut exchange, &server, ("tanpa jawaban.csv", "satu"));
    exchange.pair.phu.stop().unwrap();
    exchange.pair.imigrasi.start().unwrap();
    let way = exchange.out.clone();
    let receipt = until("the receipt", PATIENCE, || {
        Ok(server.whole_for(&way.from, RECEIPT)?.pop())
    });
    let receipt = receipt.unwrap();
    fs::remove_file(&receipt).unwrap();
    exchange
        .pair
        .imigrasi
        .wait_for("the delivery", PATIENCE, |status| {
            let first = status.incoming.first()?;
            (first.state == "delivered").then_some(())
        })
        .unwrap();
    exchange.pair.phu.start().unwrap();
    let arrived = exchange.settled(&[dropped]).unwrap();
    holds_and_is_clear(&mut exchange, &server, &arrived);
}

#[test]
fn a_byte_that_the_drop_flips_is_noticed_and_the_bundle_comes_again() {
    let (mut exchange, server) = apart(program()).unwrap();
    exchange.pair.phu.start().unwrap();
    let (dropped, bundle) = lies_there(&mut exchange, &server, ("terbalik.csv", "satu"));
    let file = fs::File::options()
        .read(true)
        .write(true)
        .open(&bundle)
        .unwrap();
    let (mut byte, at) = ([0_u8], BUNDLE_HEAD_BYTES + 100);
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 1], at).unwrap();
    exchange.pair.imigrasi.start().unwrap();
    until_alarm(&mut exchange.pair.imigrasi, "damaged");
    let arrived = exchange.settled(&[dropped]).unwrap();
    holds_and_is_clear(&mut exchange, &server, &arrived);
}

#[test]
fn bundles_whose_names_the_drop_mixes_are_noticed_and_come_again() {
    let (mut exchange, server) = apart(program()).unwrap();
    exchange.pair.phu.start().unwrap();
    let (one, first) = lies_there(&mut exchange, &server, ("satu.csv", "satu"));
    let (two, second) = lies_there(&mut exchange, &server, ("dua.csv", "dua dua"));
    let aside = exchange.folder().join("tertukar");
    fs::rename(&first, &aside).unwrap();
    fs::rename(&second, &first).unwrap();
    fs::rename(&aside, &second).unwrap();
    exchange.pair.imigrasi.start().unwrap();
    until_alarm(&mut exchange.pair.imigrasi, "name-mismatch");
    let arrived = exchange.settled(&[one, two]).unwrap();
    holds_and_is_clear(&mut exchange, &server, &arrived);
}

#[test]
fn an_unfinished_file_at_the_drop_is_gone_on_with_or_begun_anew() {
    let (mut exchange, server) = apart(program()).unwrap();
    exchange.pair.phu.start().unwrap();
    let text = pilgrims::manifest_of(4, 6_000_000);
    let (large, bundle) = lies_there(&mut exchange, &server, ("besar.csv", &text));
    let (small, other) = lies_there(&mut exchange, &server, ("kecil.csv", "satu"));
    exchange.pair.phu.kill().unwrap();
    let part = |path: &Path| PathBuf::from(format!("{}.part", path.display()));
    // Of the one a beginning, of the other more than it ever had.
    let beginning = fs::metadata(&bundle).unwrap().len() * 9 / 10;
    fs::rename(&bundle, part(&bundle)).unwrap();
    let file = fs::File::options().write(true).open(part(&bundle)).unwrap();
    file.set_len(beginning).unwrap();
    fs::remove_file(&other).unwrap();
    fs::write(part(&other), vec![7; 3_000_000]).unwrap();
    start(&mut exchange);
    let arrived = exchange.settled(&[large, small]).unwrap();
    holds_and_is_clear(&mut exchange, &server, &arrived);
}

#[test]
fn a_drop_with_another_host_key_is_not_talked_to() {
    let (mut exchange, server) = apart(program()).unwrap();
    let config = exchange.pair.phu.folder().join(home::CONFIG);
    let text = fs::read_to_string(&config).unwrap();
    let line = text.lines().find(|line| line.starts_with("host_key"));
    let card = "host_key = \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4\"";
    fs::write(&config, text.replace(line.unwrap(), card)).unwrap();
    exchange.pair.phu.start().unwrap();
    let way = exchange.out.clone();
    exchange.drop_text(&way, "ke mana.csv", "satu").unwrap();
    exchange
        .pair
        .phu
        .wait_for_peer("an error about the key", &way.to, |peer| {
            let error = peer.last_error.as_deref().unwrap_or_default();
            error.contains("host key") && peer.waiting_bundles == 1
        })
        .unwrap();
    assert!(
        files_below(&server.waiting_for(&way.to))
            .unwrap()
            .is_empty()
    );
}

#[test]
#[ignore = "half a minute: the drop is looked at in its own time; ./check --full"]
fn a_restored_sender_hears_through_the_drop_that_it_is_behind_before_it_seals() {
    let (mut exchange, _server) = apart(program()).unwrap();
    start(&mut exchange);
    let way = exchange.out.clone();
    let backup = exchange.folder().join("cadangan");
    let home = exchange.pair.phu.home().to_owned();
    for (name, copied) in [("satu.csv", true), ("dua.csv", false)] {
        let dropped = exchange.drop_text(&way, name, name).unwrap();
        exchange.settled(&[dropped]).unwrap();
        exchange.at_rest().unwrap();
        if copied {
            exchange.pair.phu.stop().unwrap();
            crate::restored::copy(&home, &backup);
            exchange.pair.phu.start().unwrap();
        }
    }
    exchange.pair.phu.stop().unwrap();
    crate::restored::restore(&backup, &home);
    let dropped = exchange.drop_text(&way, "tiga.csv", "tiga").unwrap();
    exchange.pair.phu.start().unwrap();
    until_alarm(&mut exchange.pair.phu, "sender-behind");
    let status = exchange.pair.phu.status().unwrap().unwrap();
    assert!(status.outgoing.iter().all(|one| one.sequence != Some(2)));
    let reopen = ["stream", "reopen", way.to.as_str(), way.flow.as_str()];
    exchange.pair.phu.run(&reopen).unwrap();
    exchange.settled(&[dropped]).unwrap();
}
