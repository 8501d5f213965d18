//! The journey of ARCHITECTURE.md between two real daemons over real SSH: what is dropped at one side is imported at
//! the other with a signed receipt, whatever happens on the way, and what may not be sent comes back with the reason.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::time::Duration;

use amanah_format::home;
use amanah_tests::attacks::{Event, Siege};
use amanah_tests::exchange::{Exchange, PATIENCE, nothing_left};
use amanah_tests::items::{Item, made_up};
use amanah_tests::ministry::Ministry;
use amanah_tests::pilgrims;
use rustix::process::Signal;

use crate::program;

/// What the issue promises of a stop.
const STOP_MAX: Duration = Duration::from_secs(5);
/// The exit code of a configuration that is wrong (EX_CONFIG).
const EX_CONFIG: i32 = 78;

#[test]
fn files_and_folders_arrive_both_ways_through_one_open_port() {
    let mut exchange = Exchange::connected(program()).unwrap();
    let config = fs::read_to_string(exchange.pair.phu.folder().join(home::CONFIG)).unwrap();
    assert!(
        !config.lines().any(|line| line.trim() == "[listen]"),
        "the side that dials opens no port"
    );
    for (way, seed) in [(exchange.out.clone(), 1), (exchange.back.clone(), 2)] {
        let items = made_up(
            &way,
            seed,
            &exchange.folder().join(format!("rekaan-{seed}")),
        )
        .unwrap();
        let (sender, _) = exchange.pair.sender_and_receiver(&way.from);
        let drop = |item: Item| amanah_tests::exchange::drop_item(sender, item).unwrap();
        let dropped: Vec<_> = items.into_iter().map(drop).collect();
        let arrived = exchange.settled(&dropped).unwrap();
        exchange.holds(&arrived).unwrap();
    }
}

#[test]
fn what_waits_while_the_peer_is_away_arrives_when_it_is_back() {
    let mut exchange = Exchange::found(program()).unwrap();
    exchange.pair.phu.start().unwrap();
    let way = exchange.out.clone();
    let dropped = exchange
        .drop_text(&way, "menunggu.csv", &pilgrims::manifest(3, 5))
        .unwrap();
    exchange
        .pair
        .phu
        .wait_for_peer("an error about the peer", &way.to, |peer| {
            peer.last_error.is_some() && peer.waiting_bundles == 1
        })
        .unwrap();
    exchange.pair.imigrasi.start().unwrap();
    let mut arrived = exchange.settled(&[dropped]).unwrap();
    exchange.pair.imigrasi.stop().unwrap();
    let again = exchange
        .drop_text(&way, "menunggu lagi.csv", "dua")
        .unwrap();
    exchange
        .pair
        .phu
        .wait_for_peer("the loss of the peer", &way.to, |peer| !peer.connected)
        .unwrap();
    exchange.pair.imigrasi.start().unwrap();
    arrived.extend(exchange.settled(&[again]).unwrap());
    exchange.holds(&arrived).unwrap();
}

#[test]
fn a_polite_stop_ends_both_daemons_in_time_and_loses_nothing() {
    let mut exchange = Exchange::connected(program()).unwrap();
    let way = exchange.out.clone();
    let text = pilgrims::manifest_of(4, 20_000_000);
    let dropped = exchange.drop_text(&way, "besar.csv", &text).unwrap();
    exchange
        .pair
        .phu
        .wait_for("the claim", PATIENCE, |status| {
            (!status.outgoing.is_empty()).then_some(())
        })
        .unwrap();
    for ministry in [&mut exchange.pair.imigrasi, &mut exchange.pair.phu] {
        let (status, took) = ministry.stop().unwrap();
        assert!(status.success(), "{status}");
        assert!(took < STOP_MAX, "a stop took {took:?}");
        assert!(!ministry.status().unwrap().unwrap().running);
    }
    exchange.pair.start().unwrap();
    let arrived = exchange.settled(&[dropped]).unwrap();
    exchange.holds(&arrived).unwrap();
}

#[test]
fn a_reload_with_a_wrong_configuration_keeps_the_old_one() {
    let mut exchange = Exchange::connected(program()).unwrap();
    let config = exchange.pair.phu.folder().join(home::CONFIG);
    let good = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{good}\nunknown_word = 1\n")).unwrap();
    exchange.pair.phu.signal(Signal::HUP).unwrap();
    exchange
        .pair
        .phu
        .wait_for("an alarm about the configuration", PATIENCE, |status| {
            status
                .alarms
                .iter()
                .any(|alarm| alarm.code.contains("config"))
                .then_some(())
        })
        .unwrap();
    let way = exchange.out.clone();
    let mut arrived = dropped_and_settled(&mut exchange, "dengan aturan lama.csv");
    fs::write(&config, good).unwrap();
    exchange.pair.phu.signal(Signal::HUP).unwrap();
    exchange
        .pair
        .phu
        .wait_for("no alarm", PATIENCE, |status| {
            status.alarms.is_empty().then_some(())
        })
        .unwrap();
    let dropped = exchange.drop_text(&way, "sesudahnya.csv", "dua").unwrap();
    arrived.extend(exchange.settled(&[dropped]).unwrap());
    exchange.holds(&arrived).unwrap();
}

fn dropped_and_settled(
    exchange: &mut Exchange,
    name: &str,
) -> Vec<amanah_tests::exchange::Arrived> {
    let way = exchange.out.clone();
    let dropped = exchange.drop_text(&way, name, "satu").unwrap();
    exchange.settled(&[dropped]).unwrap()
}

#[test]
fn a_second_daemon_on_a_home_is_refused_and_the_first_goes_on() {
    let mut exchange = Exchange::connected(program()).unwrap();
    let second = exchange.pair.phu.attempt(&["daemon", "run"]).unwrap();
    assert!(
        !second.status.success() && second.status.signal().is_none(),
        "{second:?}"
    );
    let arrived = dropped_and_settled(&mut exchange, "tetap jalan.csv");
    exchange.holds(&arrived).unwrap();
}

#[test]
fn a_daemon_with_a_wrong_configuration_does_not_start_and_says_so_with_78() {
    let exchange = Exchange::found(program()).unwrap();
    let phu = &exchange.pair.phu;
    let check = |phu: &Ministry| phu.attempt(&["daemon", "check"]).unwrap().status.code();
    assert_eq!(check(phu), Some(0));
    let config = phu.folder().join(home::CONFIG);
    let good = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{good}\nunknown_word = 1\n")).unwrap();
    for act in ["check", "run"] {
        let ran = phu.attempt(&["daemon", act]).unwrap();
        assert_eq!(ran.status.code(), Some(EX_CONFIG), "{ran:?}");
        assert!(
            ran.stderr.contains("unknown_word") || ran.stdout.contains("unknown_word"),
            "{ran:?}"
        );
    }
    fs::write(&config, good).unwrap();
    let key = phu.folder().join(home::KEY_SIGNING);
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    assert_eq!(
        phu.attempt(&["daemon", "run"]).unwrap().status.code(),
        Some(EX_CONFIG)
    );
}

#[test]
fn what_may_not_be_sent_comes_back_with_the_reason_in_both_languages() {
    let mut exchange = Exchange::connected(program()).unwrap();
    let (phu, way) = (&mut exchange.pair.phu, exchange.out.clone());
    let flow = phu.outbox(&way.to, &way.flow);
    let unknown = phu
        .path(home::OUTBOX)
        .join(way.to.as_str())
        .join("bukan-alur");
    fs::create_dir_all(&unknown).unwrap();
    fs::write(unknown.join(".x"), "x").unwrap();
    fs::rename(unknown.join(".x"), unknown.join("tidak disepakati.csv")).unwrap();
    fs::create_dir(flow.join(".kosong")).unwrap();
    fs::rename(flow.join(".kosong"), flow.join("kosong")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", flow.join("tautan.csv")).unwrap();
    for (flow, name, code) in [
        ("bukan-alur", "tidak disepakati.csv", "flow-not-agreed"),
        (way.flow.as_str(), "kosong", "folder-empty"),
        (way.flow.as_str(), "tautan.csv", "not-a-file"),
    ] {
        let found = phu
            .wait_for(name, PATIENCE, |status| returned(status, name))
            .unwrap();
        assert_eq!(found, code, "{name}");
        let place = phu.path(home::RETURNED).join(way.to.as_str()).join(flow);
        assert!(place.join(name).symlink_metadata().is_ok(), "{name}");
        let why = fs::read_to_string(place.join(home::why_name(name))).unwrap();
        assert!(why.contains(code) && why.lines().count() > 1, "{why}");
    }
    let listed = phu.run(&["returned", "--json"]).unwrap().stdout;
    assert!(listed.contains("flow-not-agreed"), "{listed}");
    assert!(
        amanah_tests::exchange::inbox_tree(&exchange.pair.imigrasi)
            .unwrap()
            .is_empty()
    );
}

fn returned(status: &amanahd::snapshot::Snapshot, name: &str) -> Option<String> {
    let came_back = status
        .outgoing
        .iter()
        .filter(|bundle| bundle.state == "returned");
    came_back
        .filter(|bundle| bundle.items.iter().any(|item| item.name == name))
        .find_map(|bundle| bundle.return_reason.clone())
}

#[test]
fn a_send_that_waits_ends_with_the_receipt_or_with_the_reason() {
    let mut exchange = Exchange::connected(program()).unwrap();
    let way = exchange.out.clone();
    let item = exchange
        .item(&way, "dikirim.csv", &[("", "satu,dua\n")])
        .unwrap();
    let send = |phu: &Ministry, flow: &str, path: &Path| {
        let words = [
            "send".as_ref(),
            way.to.as_str().as_ref(),
            flow.as_ref(),
            path.as_os_str(),
            "--wait".as_ref(),
        ];
        phu.attempt::<&std::ffi::OsStr>(&words).unwrap()
    };
    let sent = send(&exchange.pair.phu, way.flow.as_str(), &item.material);
    assert_eq!(sent.status.code(), Some(0), "{sent:?}");
    assert!(item.material.exists(), "a send copies");
    let refused = send(&exchange.pair.phu, "bukan-alur", &item.material);
    assert!(!refused.status.success(), "{refused:?}");
    exchange.at_rest().unwrap();
    let inbox = amanah_tests::exchange::inbox_tree(&exchange.pair.imigrasi).unwrap();
    assert_eq!(inbox.len(), 1);
}

#[test]
fn a_revoked_agreement_stops_both_sides() {
    let mut exchange = Exchange::connected(program()).unwrap();
    let mut arrived = dropped_and_settled(&mut exchange, "sebelum dicabut.csv");
    arrived.truncate(1);
    let id = exchange.pair.agreement().unwrap();
    exchange
        .pair
        .phu
        .run(&[
            "agreement",
            "revoke",
            id.as_str(),
            "--reason",
            "peragaan selesai",
        ])
        .unwrap();
    exchange.pair.phu.signal(Signal::HUP).unwrap();
    for (way, name) in [
        (exchange.out.clone(), "sesudah dicabut.csv"),
        (exchange.back.clone(), "balasan.csv"),
    ] {
        let (sender, _) = exchange.pair.sender_and_receiver(&way.from);
        sender
            .wait_for("the revocation", PATIENCE, |status| {
                status
                    .agreements
                    .iter()
                    .all(|agreement| agreement.revoked && !agreement.in_force)
                    .then_some(())
            })
            .unwrap();
        exchange.drop_text(&way, name, "terlambat").unwrap();
        let (sender, _) = exchange.pair.sender_and_receiver(&way.from);
        let reason = sender
            .wait_for(name, PATIENCE, |status| returned(status, name))
            .unwrap();
        assert_eq!(reason, "agreement-not-in-force");
    }
    exchange.holds(&arrived).unwrap();
}

#[test]
fn damaged_forged_misdirected_and_repeated_bundles_get_what_they_deserve() {
    let mut exchange = Exchange::connected(program()).unwrap();
    let mut arrived = dropped_and_settled(&mut exchange, "asli.csv");
    let (way, folder) = (exchange.out.clone(), exchange.folder().join("serangan"));
    let siege = Siege::new(&mut exchange.pair, way, folder).unwrap();
    let mut tried = BTreeSet::new();
    let held_back = siege.run(&arrived[0], &mut |event| {
        if let Event::Attack(attack) = event {
            assert!(attack.is_as_expected(), "{attack:?}");
            tried.insert(attack.kind.name);
        }
        Ok(())
    });
    arrived.push(held_back.unwrap());
    assert_eq!(tried.len(), 6, "{tried:?}");
    exchange.holds(&arrived).unwrap();
}

#[test]
fn a_file_is_not_taken_while_somebody_still_writes_it() {
    let mut exchange = Exchange::connected(program()).unwrap();
    let way = exchange.out.clone();
    let outbox = exchange.pair.phu.outbox(&way.to, &way.flow);
    let item = exchange
        .item(
            &way,
            "ditulis perlahan.csv",
            &[("", "paruh pertama\nparuh kedua\n")],
        )
        .unwrap();
    let mut slow = fs::File::create(outbox.join("ditulis perlahan.csv")).unwrap();
    slow.write_all(b"paruh pertama\n").unwrap();
    slow.sync_all().unwrap();
    // Each of these makes the daemon look at the outbox again, and take it while the other stays.
    let mut arrived = dropped_and_settled(&mut exchange, "lewat 1.csv");
    arrived.extend(dropped_and_settled(&mut exchange, "lewat 2.csv"));
    assert!(outbox.join("ditulis perlahan.csv").exists());
    slow.write_all(b"paruh kedua\n").unwrap();
    drop(slow);
    let dropped = amanah_tests::exchange::Dropped { item, at_millis: 0 };
    arrived.extend(exchange.settled(&[dropped]).unwrap());
    exchange.holds(&arrived).unwrap();
    nothing_left(&exchange.pair.phu).unwrap();
}
